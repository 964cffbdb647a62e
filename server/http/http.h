/* HTTP: requests in, replies out. The only user of libmicrohttpd. One thread per core, each with a daemon of
 * its own on the shared port; an exchange lives on one thread, and may be parked while others work for it.
 * What to answer is the handler's business. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "ledger/base/exchange.h"

struct http;

/* Listens on "address:port" with `threads` threads (0: one per core). Port 0 takes a free one; the real one
 * is in http_address. NULL after logging why: bad address, port in use, no permission. `handler` must outlive
 * it. */
struct http *http_start(const char *listen, int threads, const struct exchange_handler *handler);

/* "address:port" as bound. */
const char *http_address(const struct http *http);

/* Stops listening, lets requests under way finish, ends the threads and frees. NULL is fine. */
void http_stop(struct http *http);

#endif
