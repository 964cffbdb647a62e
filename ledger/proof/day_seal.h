/* Whether one place of a closed day is as it was sealed: the tile that an id falls into is read again, and
 * leads over the day's root to the site's signed log. So an entry is shown to be there unchanged, and an id
 * that is not there never to have been. Costs one tile of entries, the day's tiles and the site's log. */
#ifndef LEDGER_PROOF_DAY_SEAL_H
#define LEDGER_PROOF_DAY_SEAL_H

#include "ledger/proof/day_tree.h"
#include "ledger/proof/log_check.h"

enum day_seal_state {
    DAY_SEAL_OPEN,    /* the day is not closed, or there is no such day: nothing is sealed */
    DAY_SEAL_NONE,    /* it was closed before there were checkpoints */
    DAY_SEAL_AWAY,    /* some of its entries are in an archive */
    DAY_SEAL_HOLDS,   /* the entries around the id are those that were sealed */
    DAY_SEAL_BY_WHOM, /* so they are, but there is no key to check the log's signature by */
    DAY_SEAL_BROKEN,  /* they, or the day, or its log are not */
};

struct day_seal {
    enum day_seal_state state;
    const char *problem; /* DAY_SEAL_BROKEN: what is; static */
    char date[16];       /* of the day; of a broken log, where that begins */
};

/* In a transaction of its own. */
enum err day_seal_check(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE],
                        const struct log_trust *trust, struct day_seal *seal) MUST_USE;

#endif
