/* A handler that serves on one HTTP thread, and whose word on clients is taken there. A thread has one that
 * new requests enter, and for a while after a switch the former one too. */
#ifndef SERVER_HTTP_SERVING_H
#define SERVER_HTTP_SERVING_H

#include "server/http/client.h"

#include <stddef.h>

struct worker;
struct http_private;

#define SERVING_MAGIC 0xaf615c2eu

struct serving {
    uint32_t magic;
    const struct exchange_handler *handler;
    struct client_trust *trust; /* for requests that enter it */
    void *thread;               /* the handler's */
    size_t active;              /* requests in it */
};

/* `proxies`: whose fields are believed; only looked at here. NULL without memory, or when the handler cannot
 * make its part for the thread. */
struct serving *serving_new(const struct exchange_handler *handler, const struct config_list *proxies);

/* Gives back the handler's part. NULL is fine. */
void serving_free(struct serving *serving);

/* Takes up a switch of the thread's handler, and gives the former one back when its last request has left. */
void serving_switch(struct worker *worker);

/* One more request for the handler that is current now, whose serving is returned. */
struct serving *serving_enter(struct worker *worker);

/* The handler has nothing more to do with the request. Fine when it is with none. */
void serving_leave(struct http_private *private);

#endif
