/* What was recorded of a closed day's deliveries, under the day's signature: they are listed in tiles of 256,
 * each a leaf of a tree (RFC 6962), and the tree's root is a row of day_delivery, which is a fact of the
 * day. */
#ifndef LEDGER_DELIVERY_DAY_DELIVERIES_H
#define LEDGER_DELIVERY_DAY_DELIVERIES_H

#include "ledger/base/crypto/digest.h"
#include "ledger/pg/pg.h"

#include <stdbool.h>

/* Lists the deliveries of a day that is sealed, in the transaction that closes it and before its facts are
 * sealed. A day without any has no row. */
enum err day_deliveries_seal(struct pg *pg, int64_t site_id, const char *date) MUST_USE;

/* The audit path of the day's tile of this number. The caller frees with free(path->hashes), whatever comes
 * back. */
struct day_deliveries_path {
    uint8_t (*hashes)[DIGEST_SIZE]; /* from the tile's sibling upwards */
    size_t steps;
};
enum err day_deliveries_path(struct pg *pg, int64_t site_id, const char *date, uint64_t number,
                             struct day_deliveries_path *path) MUST_USE;

/* Whether the day's tiles lead to the root that was sealed, as far as there are any. That the rows are those
 * of the tiles is the statement audit_deliveries'. */
enum err day_deliveries_check(struct pg *pg, int64_t site_id, const char *date, bool *holds) MUST_USE;

#endif
