/* The door to the network: fetches key directories. The only user of libcurl in the gate; one thread for all
 * fetches. Nothing from the environment: no proxy, no netrc, no cookies, no redirects. */
#ifndef SERVER_AGENT_FETCH_H
#define SERVER_AGENT_FETCH_H

#include "ledger/base/config.h"
#include "ledger/base/slice.h"

struct fetch;

/* Starts the thread. NULL without memory or thread. `config` must outlive it. */
struct fetch *fetch_start(const struct config *config);

/* Called on the fetch thread, once per fetch_get. `status` is the HTTP status, 0 when there was no whole
 * answer (the reason is logged); `body` is good until the callback returns. */
typedef void fetch_done(void *context, long status, struct slice body);

/* Queues a GET of the URL, copied. Hosts (with port) in directory.insecure_hosts may have any address and use
 * http; others https and public addresses only. False when too much is queued; `done` is not called then. */
bool fetch_get(struct fetch *fetch, struct slice url, fetch_done *done, void *context);

/* Ends the thread and frees. Call it when nobody waits any more: queued fetches are answered with status 0,
 * those under way are dropped. NULL is fine. */
void fetch_stop(struct fetch *fetch);

#endif
