/* A crawler's account at a site from one day to another: what was billed and paid, and the balance. */
#ifndef LEDGER_COLLECT_STATEMENT_H
#define LEDGER_COLLECT_STATEMENT_H

#include "ledger/pg/pg.h"
#include "sql/rows/collect.h"

#include <jansson.h>

/* Reads the rows of statement_lines, from the day `from` on to the account's last date. */
enum err statement_read(struct pg *pg, const struct statement_accounts_row *account, const char *from,
                        struct pg_rows *lines) MUST_USE;

/* The statement of these lines, for programs. The caller's; NULL without memory. */
json_t *statement_json(const char *agent, const char *from, const struct statement_accounts_row *account,
                       const struct pg_rows *lines);

#endif
