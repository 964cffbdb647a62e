/* Something that several generations use, with how many of them do: the last one to let it go ends it. Made,
 * taken and let go on the thread that starts and stops generations, or on that of a retirement. */
#ifndef SERVER_RUN_SHARED_H
#define SERVER_RUN_SHARED_H

#include <stdbool.h>

struct shared;

/* Holds `thing`, which `end` ends and frees, for its first user. `under` (NULL: nothing) is what it was made
 * of and needs to the end: one more user of that. NULL, with the thing ended, when that is NULL or without
 * memory. */
struct shared *shared_new(void *thing, void (*end)(void *thing), struct shared *under);

void *shared_thing(const struct shared *shared);

/* What it was made of, or NULL. */
struct shared *shared_under(const struct shared *shared);

/* One more user, who gets it. */
struct shared *shared_take(struct shared *shared);

/* One user less. NULL is fine. */
void shared_release(struct shared *shared);

#endif
