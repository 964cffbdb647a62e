/* One HTTP thread and the requests that it has: what http.c and serving.c share. */
#ifndef SERVER_HTTP_WORKER_H
#define SERVER_HTTP_WORKER_H

#include "server/http/client.h"
#include "server/http/connection.h"
#include "server/http/framing.h"
#include "server/http/http.h"
#include "server/http/idle.h"
#include "server/http/serving.h"
#include "server/http/listen.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS_MAX HTTP_SOCKETS_MAX
#define ARENA_SIZE  32768

/* Where a request is on its way through being parked. Who makes a step sees from the one before what the
 * other side has done. */
enum parking {
    NOT_PARKED,
    HANDED_OVER, /* others work for it; its connection goes on for one more call */
    SUSPENDED,
    RESUMED,
    ORPHANED, /* handed over, but its connection is gone */
};

#define PRIVATE_MAGIC 0x63c8fa15u
#define WORKER_MAGIC  0xd92e740bu
#define HTTP_MAGIC    0x0e57b3acu

struct http_private {
    struct exchange exchange; /* first: what the handler sees */
    uint32_t magic;
    struct MHD_Connection *connection;
    struct worker *worker;
    struct serving
        *serving;        /* of the handler that it is with, from the first look at its fields to its reply */
    struct slice target; /* as on the request line */
    struct framing_line line; /* where that lies */
    struct connection *place;
    bool read;         /* fields are gathered */
    bool whole;        /* the reply was handed to the network */
    uint64_t streamed; /* bytes of its stream */
    char *body;        /* where it is read to; NULL: it is not */
    size_t body_len, body_size;
    _Atomic enum parking parking;
    struct http_private *next_spare;
    char memory[ARENA_SIZE];
};

/* One HTTP thread. Everything in it belongs to that thread, except `next` and `orphans`, by which others hand
 * it something, and `wake` and `woken`, by which it is told that a parked request may go on; and
 * `turned_ms`, which others read. */
struct worker {
    uint32_t magic;
    struct http *http;
    pthread_t thread;
    bool running;
    int socket;
    int wake;          /* an eventfd */
    atomic_bool woken; /* it was written to since it was last read: many resumptions, one system call */
    struct MHD_Daemon *daemon;
    struct connection_list connections; /* those of libmicrohttpd */
    struct idle idle;
    void *upstream;            /* or NULL */
    bool busy;                 /* the handler has work left */
    int64_t sweep_ms;          /* next time to look at all of them */
    _Atomic int64_t turned_ms; /* monotonic: when it last looked for something to do */
    struct serving *serving;   /* that new requests enter */
    struct serving *former;    /* where requests from before the last switch go on, or NULL */
    _Atomic(struct serving *) next;
    _Atomic(struct http_private *) orphans; /* whose work is done; linked by next_spare */
    struct http_private *spare;
    size_t spare_count;
    size_t active;
};

struct http {
    uint32_t magic;
    struct http_options options;
    struct limits_clients *clients; /* NULL: any number of connections each */
    unsigned connections;           /* of one worker, at most */
    size_t worker_count;
    atomic_size_t body_bytes; /* that bodies under way take */
    atomic_size_t switching;  /* workers that have not left the former handler */
    struct worker workers[THREADS_MAX];
    char address[LISTEN_TEXT_MAX];
    atomic_bool stopping;
};

#endif
