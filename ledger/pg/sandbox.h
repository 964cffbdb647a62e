/* Ledgers for trying things out: one that was used with a moved clock is marked as such for ever. */
#ifndef LEDGER_PG_SANDBOX_H
#define LEDGER_PG_SANDBOX_H

#include "ledger/pg/pg.h"

/* What stands before the numbers of its invoices and credit notes. */
#define SANDBOX_NUMBER "TEST-"

/* Before a program of the name `actor` uses the ledger: with a moved clock (clock_offset_ms) it marks it.
 * ERR_LEDGER_UNAVAILABLE, with a log line, if it cannot be a sandbox any more: a day of it was closed by the
 * true clock. With the true clock nothing is done, and any ledger is fine. */
enum err sandbox_enter(struct pg *pg, const char *actor) MUST_USE;

/* Whether the ledger is one. */
enum err sandbox_read(struct pg *pg, bool *marked) MUST_USE;

#endif
