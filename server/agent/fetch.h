/* The door to the network: fetches key directories. The only user of libcurl in the gate; one thread for all
 * fetches, a bounded number at once and to one host. Nothing from the environment: no proxy, no netrc, no
 * cookies, no redirects. */
#ifndef SERVER_AGENT_FETCH_H
#define SERVER_AGENT_FETCH_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/message.h"

struct fetch;

/* Starts the thread. NULL without memory or thread. `config` must outlive it. */
struct fetch *fetch_start(const struct config *config);

/* What to get; copied. Validators (RFC 9110 section 13.1) may be empty. */
struct fetch_request {
    struct slice url;
    struct slice etag;
    struct slice last_modified;
};

/* What came. Good until the callback returns. */
struct fetch_answer {
    long status;         /* of HTTP; 0 when there was no whole answer */
    const char *failure; /* why there was none: logged already; else NULL */
    struct message head; /* its fields, names in lower case; nothing else of a message */
    struct slice body;   /* as it came: never decoded */
    size_t room;         /* directory.max_bytes: the largest body that is taken, packed or not */
};

/* Called on the fetch thread, once per fetch_get. */
typedef void fetch_done(void *context, const struct fetch_answer *answer);

/* Queues a GET. Hosts (with port) in directory.insecure_hosts may have any address and use http; others https
 * and public addresses only, which holds for what is connected to and not only for what was resolved. False
 * when too much is queued; `done` is not called then. */
bool fetch_get(struct fetch *fetch, const struct fetch_request *request, fetch_done *done, void *context);

/* Ends the thread and frees. Call it when nobody waits any more: queued fetches and those under way are
 * answered with status 0. NULL is fine. */
void fetch_stop(struct fetch *fetch);

#endif
