/* A site's log as the database has it: the leaves of its closed days, and what was signed for each size. The
 * rows are those of the statement checkpoint_log. */
#ifndef LEDGER_PROOF_LOG_H
#define LEDGER_PROOF_LOG_H

#include "ledger/pg/pg.h"
#include "ledger/proof/leaf.h"
#include "ledger/proof/merkle.h"
#include "sql/rows/proof.h"

/* The whole log of a site, the first day first. */
enum err log_read(struct pg *pg, int64_t site_id, struct pg_rows *rows) MUST_USE;

/* The name of the site's log (leaf_origin). ERR_INTERNAL if there is no such site, or it does not fit. */
enum err log_origin(struct pg *pg, int64_t site_id, char origin[LEAF_ORIGIN_MAX]) MUST_USE;

/* Adds the stored leaf; true if size and root are then those that were stored with it. */
bool log_add(struct merkle_tree *log, const struct checkpoint_log_row *stored);

/* "origin, size, root" (c2sp.org/tlog-checkpoint); false if it does not fit. */
bool log_text(const char *origin, const struct merkle_tree *log, char *out, size_t room);

#endif
