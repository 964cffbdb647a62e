/* Live numbers: what came in today, sent to whoever watches whenever it has changed (server-sent events). */
#ifndef SERVER_CONSOLE_LIVE_H
#define SERVER_CONSOLE_LIVE_H

#include "ledger/base/http/exchange.h"
#include "server/console/base/child.h"

struct live;

/* Asks `program` while somebody watches. NULL without memory or a thread. */
struct live *live_start(const struct child_program *program);

/* Ends the streams, and what asks. NULL is fine. */
void live_stop(struct live *live);

/* After the HTTP layer's threads have ended. NULL is fine. */
void live_free(struct live *live);

#define LIVE_WATCHERS_MAX 32

struct watcher;

/* Who watches on one thread of the HTTP layer, which alone looks at it. Starts as {0}. */
struct live_watchers {
    struct watcher *items[LIVE_WATCHERS_MAX];
    size_t count;
    uint64_t told; /* the number of the event of which they were told */
};

/* Answers with the stream; 503 when too many watch. */
void live_answer(struct live *live, struct live_watchers *watchers, struct exchange *exchange);

/* When the thread has nothing else to do: lets the streams go on for which there is something new. */
void live_turn(struct live *live, struct live_watchers *watchers);

#endif
