/* Invoices: made from a day's totals in the transaction that closes the day, with numbers without gaps. */
#ifndef LEDGER_INVOICE_H
#define LEDGER_INVOICE_H

#include "ledger/pg.h"

#define INVOICE_SERIES_MAX 16

struct invoice_order {
    int64_t site_id;
    const char *date;   /* the billed local day, which is the invoice's date */
    const char *series; /* "INV-2026" */
    const char *seller; /* NULL: as the site was registered */
    const char *actor;
    int64_t now_ms;
};

/* Makes the `count` invoices of the day whose totals stand in crawler_day. Inside the closing transaction. */
enum err invoice_make(struct pg *pg, const struct invoice_order *order, int64_t count) MUST_USE;

#endif
