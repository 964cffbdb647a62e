/* An invoice in the words and columns in which people see it: what the page and the paper have in common. */
#ifndef LEDGER_FORMAT_BILL_VIEW_H
#define LEDGER_FORMAT_BILL_VIEW_H

#include "ledger/format/format.h"

/* As wide as a digit, and as a point. */
#define VIEW_PAD       "\xe2\x80\x87"
#define VIEW_POINT_PAD "\xe2\x80\x88"

/* The view of a document, all its values texts:
 *   title       "Invoice" or "Credit note"
 *   number
 *   status      "" while there is nothing to say
 *   seller, buyer   {name, lines: [...]}
 *   facts       [[label, value], ...]
 *   currency    ISO 4217 code, for the heads of columns
 *   rows        [[description, quantity, unit price, amount], ...]
 *   sums        [[label, amount], ...]; the last one is what is to be paid, and begins with the currency
 *
 * Unit prices and amounts have the decimals that they need, and behind them figure spaces (VIEW_PAD) for
 * those of the longest in their column: set to the right, their decimal points stand below each other.
 *
 *   notes       sentences: payment, tax, rounding, agreement
 *   days        [{date, label, share}]: share is an integer, thousandths of the day with the most;
 *               empty unless there are several
 * NULL without memory. The caller frees with json_decref. */
json_t *view_of(const json_t *document);

#endif
