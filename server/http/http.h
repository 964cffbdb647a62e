/* HTTP: requests in, replies out. The only user of libmicrohttpd. One thread per core, each with a daemon of
 * its own on the shared port; an exchange lives on one thread, and may be parked while others work for it.
 * What to answer is the handler's business. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"

struct http;

#define HTTP_CLIENT_CONNECTIONS 256
#define HTTP_SOCKETS_MAX        64 /* and threads */

/* What is said in the configuration, under `http` and beside. */
struct http_options {
    const char *listen; /* "address:port", or "unix:/path"; port 0 takes a free one */
    /* Or sockets that listen already, all on one address, and no more than threads: each thread has one, or
     * shares it with others. Only looked at by http_start, which owns them when it succeeds. */
    const int *sockets;
    size_t socket_count;
    size_t threads; /* at least one */
    int64_t header_seconds;
    int64_t idle_seconds;
    int64_t send_seconds;
    int64_t send_bytes_per_second;
    int64_t drain_seconds;
    int64_t connections;                       /* 0: as many as there are descriptors for */
    int64_t client_connections;                /* 0: any number */
    const struct config_list *trusted_proxies; /* only looked at by http_start; see http_switch */
    struct exchange_upstream upstream;         /* `start` is NULL: none */
};

/* Listens and serves; the address as bound is in http_address. NULL after logging why: bad address, port in
 * use, no permission. `handler` must outlive it, or its replacement by http_switch. */
struct http *http_start(const struct http_options *options, const struct exchange_handler *handler);

/* "address:port" as bound, or "unix:/path". */
const char *http_address(const struct http *http);

/* Lets requests that come from now on enter `handler`, also over connections that are there; of `proxies`,
 * read here alone, they believe for whom they ask. Those whose fields have been read go on in the former one
 * until they are answered. The former handler is in use until http_switched says so; not before may there be
 * another switch. False when a thread's part of `handler` cannot be made: then nothing has changed. */
bool http_switch(struct http *http, const struct exchange_handler *handler,
                 const struct config_list *proxies);

/* True when no request is left in the handler before the last one. */
bool http_switched(const struct http *http);

/* True while each thread has looked for something to do in the last `within_ms`: none hangs. */
bool http_alive(const struct http *http, int64_t within_ms);

/* Stops listening, lets requests under way finish, and ends the threads: no handler is in use any more. NULL
 * is fine. */
void http_stop(struct http *http);

/* After http_stop, when nobody is left who might resume a parked request. NULL is fine. */
void http_free(struct http *http);

#endif
