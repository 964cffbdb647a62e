/* A site's log: an RFC 6962 tree whose leaves are its closed days (ledger/proof/leaf.h), in the order in
 * which they were closed, and a checkpoint (c2sp.org/tlog-checkpoint) for each size that it had. That an
 * entry is in the ledger is then shown by two paths: from the entry to its day's root, from the day to a
 * checkpoint. */
#ifndef LEDGER_PROOF_CHECKPOINT_H
#define LEDGER_PROOF_CHECKPOINT_H

#include "ledger/proof/fact_tree.h"
#include "ledger/proof/note.h"

/* Adds the day to the site's log and signs what it has become, in the transaction that closes the day. A log
 * whose days are no longer what was signed last is not signed again: ERR_INTERNAL and a log line. */
enum err checkpoint_add(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree,
                        const struct fact_tree *facts, const struct note_key *key) MUST_USE;

/* What a check found; all is well if `problem` is NULL. */
struct checkpoint_finding {
    const char *problem;          /* static */
    char date[16];                /* of the day concerned */
    int64_t tile;                 /* of the day, in which the first difference is; -1: in none */
    char first_id[UUID_TEXT_MAX]; /* with a tile: it starts at this payment id */
};

/* Reads a closed day's entries again and compares them with what was sealed when it was closed: tiles, root,
 * and the log's leaf. Inside a transaction. A day that was closed before there were checkpoints is none that
 * can be checked: `problem` says so. */
enum err checkpoint_check_day(struct pg *pg, const struct day_tree_order *order,
                              struct checkpoint_finding *finding) MUST_USE;

/* Makes the tree of a closed day's facts again and compares it with what was signed. Also of a day whose
 * entries are away. Inside a transaction. *sealed: the day has such a tree. Those that were closed before
 * facts were kept have none, which is no problem: it is signed that they have none. */
enum err checkpoint_check_facts(struct pg *pg, const struct day_tree_order *order,
                                struct checkpoint_finding *finding, bool *sealed) MUST_USE;

#endif
