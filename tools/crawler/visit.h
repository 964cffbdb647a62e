/* One URL after another: asked for, paid if it may be, kept. Reports each on standard output. */
#ifndef TOOLS_CRAWLER_VISIT_H
#define TOOLS_CRAWLER_VISIT_H

#include "tools/crawler/client.h"
#include "tools/crawler/key.h"
#include "tools/crawler/purse.h"
#include "tools/crawler/store.h"

#include <signal.h>

/* What all visits share. The caller owns everything that is pointed to. */
struct visit_session {
    const struct key *key;
    const char *agent; /* Signature-Agent: where the key directory is */
    const char *folder;
    struct client *client;
    struct store *store;
    struct purse purse;
    const volatile sig_atomic_t *stop; /* set: no more tries */
    int64_t pages;
    int64_t paid_pages;
    int64_t failed; /* not fetched, or a receipt that is not right */
};

/* Fetches one URL. Commits to an offer at most twice: again only when the first expired and was certainly not
 * charged. What was committed to without an answer stays in the purse as doubtful. */
void visit_url(struct visit_session *session, const char *url);

#endif
