/* The second tree of a closed day: over the rows on which money depends beside the entries, from invoices and
 * payments to agreements and keys (the table fact). A row is sealed with the first day that is closed after
 * it was made, so that each is in one tree. */
#ifndef LEDGER_PROOF_FACT_TREE_H
#define LEDGER_PROOF_FACT_TREE_H

#include "ledger/proof/day_tree.h"

struct fact_tree {
    int64_t facts;
    uint8_t root[DIGEST_SIZE];
};

/* Puts what is in no tree yet into that of the day, in the transaction that closes it and after all else that
 * is made there. */
enum err fact_tree_seal(struct pg *pg, const struct day_tree_order *order) MUST_USE;

/* Makes the day's tree of its notes. Inside a transaction. */
enum err fact_tree_read(struct pg *pg, const struct day_tree_order *order, struct fact_tree *tree) MUST_USE;

#endif
