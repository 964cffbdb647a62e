/* HTTP requests, one after another over kept connections. The only user of libcurl here. Redirects are not
 * followed: a signature and a price are for the URL that was named, so the caller decides. No cookies, no
 * netrc; certificates are verified. */
#ifndef TOOLS_CRAWLER_CLIENT_H
#define TOOLS_CRAWLER_CLIENT_H

#include "ledger/base/arena.h"

#include <stdint.h>

struct client_options {
    const char *ca_file; /* certificates to trust, PEM; NULL: the system's */
    const char *user_agent;
    long timeout_seconds; /* of one request from start to end */
    size_t max_bytes;     /* of a page (status 200); other answers may have 64 KiB */
    bool verbose;         /* heads go to standard error */
};

struct client_answer {
    long status;           /* 0: no answer came */
    struct slice content;  /* until the next request */
    int64_t retry_seconds; /* Retry-After, also where it is a date; -1: none */
    int64_t date;          /* Date in seconds; -1: none */
    const char *problem;   /* why there is no whole answer, until the next request; NULL: there is one */
    bool too_large;        /* it was cut off, being larger than max_bytes */
    int sends;             /* how often the request went out: libcurl repeats it by itself when a kept
                              connection turns out to be dead */
};

struct client;

/* NULL after saying why. The options must outlive the client. */
struct client *client_new(const struct client_options *options);
void client_free(struct client *client);

/* GET with these field lines ("Name: value", a NULL at the end). */
void client_get(struct client *client, const char *url, const char *const *lines,
                struct client_answer *answer);

/* The same by POST, with a body. */
void client_post(struct client *client, const char *url, const char *const *lines, struct slice body,
                 struct client_answer *answer);

/* A field of the last answer, its lines joined with ", ". data is NULL when it has none or the arena is full.
 */
struct slice client_field(struct client *client, struct arena *arena, const char *name);

#endif
