/* A handler as one HTTP thread uses it. A thread has one that new requests enter, and for a while after a
 * switch the former one too. */
#ifndef SERVER_HTTP_SERVING_H
#define SERVER_HTTP_SERVING_H

#include "ledger/base/http/exchange.h"

#include <stddef.h>

struct worker;
struct http_private;

struct lane {
    const struct exchange_handler *handler;
    void *thread;  /* the handler's */
    size_t active; /* requests in it */
};

/* NULL when the handler cannot make its part for the thread. */
struct lane *lane_new(const struct exchange_handler *handler);

/* Gives back the handler's part. NULL is fine. */
void lane_free(struct lane *lane);

/* Takes up a switch of the thread's handler, and gives the former one back when its last request has left. */
void lane_keep(struct worker *worker);

/* One more request in the lane that is current now, which is returned. */
struct lane *lane_enter(struct worker *worker);

/* The handler has nothing more to do with the request. Fine when it is in none. */
void lane_leave(struct http_private *private);

#endif
