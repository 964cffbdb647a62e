/* The accounts of a publisher's books that an invoice touches: what the formats of plain-text accounting
 * share. */
#ifndef LEDGER_FORMAT_BILL_BOOKING_H
#define LEDGER_FORMAT_BILL_BOOKING_H

#include "ledger/format/document.h"
#include "ledger/format/format.h"

enum booking_account { BOOKING_RECEIVABLE, BOOKING_INCOME, BOOKING_TAX, BOOKING_BANK, BOOKING_COUNT };

#define BOOKING_NAME_MAX 160

/* One document, ready to be booked. */
struct booking {
    const struct document *document;
    const char *currency;
    int decimals;
    int sign; /* -1 for a credit note */
    int64_t net, tax, total;
    char accounts[BOOKING_COUNT][BOOKING_NAME_MAX]; /* such as "Assets:Receivable:Crawler-example" */
};

/* Fills it in. False, with the error, if the sums do not add up or a name is missing. */
bool booking_open(struct booking *book, const struct document *document, struct format_output *out);

#endif
