/* What opens payment ids: the offer keys that are at hand, and the sites of the configuration and of the
 * ledger with their terms. The operator's command may have no key: what needs none is answered all the same.
 */
#ifndef TOOLS_CRAWLTAB_ENTRIES_OPENER_H
#define TOOLS_CRAWLTAB_ENTRIES_OPENER_H

#include "ledger/entry/payment_id.h"
#include "ledger/evidence/book.h"

struct opener_site {
    int64_t site_id; /* 0: not in the ledger yet */
    const char *name, *network, *currency;
    const char *terms_url;
    const struct config_site *config; /* NULL: only the ledger knows the site */
};

struct opener {
    struct offer_keys offer_keys;
    struct hmac **macs; /* of these */
    struct evidence_book book;
    const char *key_file;
    const char *problem; /* why not; NULL: there is one */
    int64_t ttl_seconds; /* how long an offer holds */
    struct opener_site *sites;
    size_t site_count;
    struct pg_rows rows; /* owns the names */
};

/* `config` must outlive it. Freed with opener_close, whatever comes back; start with {0}. */
enum err opener_make(struct pg *pg, const struct config *config, struct opener *opener) MUST_USE;
void opener_close(struct opener *opener);

/* The site for which one of the keys made the id, under any of its terms; NULL: none. */
const struct opener_site *opener_open(const struct opener *opener, const uint8_t raw[PAYMENT_ID_SIZE]);

/* What an id of the site for this URL is bound to. False for what is no URL "scheme://authority/target". */
bool opener_bind(const char *site, const char *url, struct payment_offer *offer) MUST_USE;

#endif
