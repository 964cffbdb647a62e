/* Proof bundles, made from the ledger: what ledger/PROOF.md describes. */
#ifndef LEDGER_BUNDLE_COLLECT_H
#define LEDGER_BUNDLE_COLLECT_H

#include "ledger/pg/pg.h"
#include "ledger/base/identifier/uuid.h"
#include "sql/rows/entry.h"

#include <jansson.h>

/* Why there is no bundle; `problem` is static, and NULL if there is one. */
struct bundle_made {
    json_t *bundle; /* the caller's */
    const char *problem;
};

/* For an entry of a closed day. Both inside a transaction. */
enum err bundle_of_entry(struct pg *pg, const struct charge_lookup_row *entry,
                         struct bundle_made *made) MUST_USE;

/* For an id that is no entry of the site, of a closed day. */
enum err bundle_of_absence(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE],
                           struct bundle_made *made) MUST_USE;

#endif
