/* An arena: a fixed block of memory handed out front to back and given back all at once. One serves one
 * request; nothing in it outlives the reply. */
#ifndef LEDGER_BASE_ARENA_H
#define LEDGER_BASE_ARENA_H

#include "ledger/base/slice.h"

#include <stdarg.h>

struct arena {
    char *memory;
    size_t size;
    size_t used;
};

/* Starts an arena over `size` bytes at `memory`, which the caller owns and keeps alive. */
void arena_init(struct arena *arena, void *memory, size_t size);

/* Zeroed memory aligned for any type, or NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t size);

/* Room for `len` bytes without alignment or zeroing, or NULL when full: for text. */
char *arena_bytes(struct arena *arena, size_t len);

/* A NUL-terminated copy of `text`, or NULL when full. */
char *arena_copy(struct arena *arena, struct slice text);

/* The same with ASCII letters in lower case. data is NULL when full. */
struct slice arena_lower(struct arena *arena, struct slice text);

/* printf into the arena. A slice that is also NUL-terminated; data is NULL when full. */
struct slice arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
