/* Credit of crawlers that pays their invoices: what was paid too much for one, or taken back of it after it
 * was paid. */
#ifndef LEDGER_COLLECT_OVERPAYMENT_H
#define LEDGER_COLLECT_OVERPAYMENT_H

#include "ledger/pg/pg.h"

#include <jansson.h>

struct overpayment_order {
    int64_t site_id;
    const char *site;
    const char *only; /* this invoice alone, also if it is in a batch; NULL: all that are in none */
    const char *actor;
    int64_t now_ms;
};

/* Pays what is open with what the same crawler has to its credit at the site, the oldest of both first, each
 * with an event on either invoice. In the caller's transaction, which holds the site's lock
 * (adjustment_lock): no payment comes between. Adds {invoice, from, amount_minor, amount, currency} to the
 * array `applied` for each. */
enum err overpayment_apply(struct pg *pg, const struct overpayment_order *order, json_t *applied) MUST_USE;

#endif
