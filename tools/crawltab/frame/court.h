/* What disputes are judged by here: the ledger, the configuration, and the offer keys that are at hand. */
#ifndef TOOLS_CRAWLTAB_FRAME_COURT_H
#define TOOLS_CRAWLTAB_FRAME_COURT_H

#include "ledger/dispute/ruling.h"

struct court {
    struct pg *pg;
    const struct config *config;
    struct offer_keys keys;
    struct evidence_book book;
};

/* `pg` and `config` must outlive it. Freed with court_close, whatever comes back; start with {0}. */
enum err court_open(struct pg *pg, const struct config *config, struct court *court) MUST_USE;
void court_close(struct court *court);

/* Lets the rules look at the site's disputes that none has looked at yet, or at one. The caps are those of
 * the site's configuration, or none is given back where it is in none. */
enum err court_rule(struct court *court, int64_t site_id, const char *site, ruling_tell *tell,
                    void *context) MUST_USE;

#endif
