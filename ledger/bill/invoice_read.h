/* Invoices and credit notes as they were made, and what has become of them since. */
#ifndef LEDGER_BILL_INVOICE_READ_H
#define LEDGER_BILL_INVOICE_READ_H

#include "ledger/format/document.h"
#include "ledger/pg/pg.h"

/* The document of a number, of any site when `site` is NULL. *count is how many sites have the number; only
 * if it is 1 there is a document, else it is empty. The caller frees it. `now_ms` tells what is overdue. */
enum err invoice_read(struct pg *pg, const char *number, const char *site, int64_t now_ms, int *count,
                      struct document *document) MUST_USE;

#endif
