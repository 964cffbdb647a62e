/* An invoice in the words and columns in which people see it: what the page and the paper have in common. */
#ifndef LEDGER_FORMAT_BILL_VIEW_H
#define LEDGER_FORMAT_BILL_VIEW_H

#include "ledger/format/format.h"

/* The view of a document, all its values texts:
 *   title       "Invoice" or "Credit note"
 *   number
 *   status      "" while there is nothing to say
 *   seller, buyer   {name, lines: [...]}
 *   facts       [[label, value], ...]
 *   rows        [[description, quantity, unit price, amount], ...], amounts with equally many decimals
 *   sums        [[label, amount], ...]; the last one is what is to be paid
 *   notes       sentences: payment, tax, rounding, agreement
 *   days        [{date, label, share}]: share is an integer, thousandths of the day with the most;
 *               empty unless there are several
 * NULL without memory. The caller frees with json_decref. */
json_t *view_of(const json_t *document);

#endif
