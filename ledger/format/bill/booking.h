/* The accounts of a publisher's books that an invoice touches: what the formats of plain-text accounting
 * share. */
#ifndef LEDGER_FORMAT_BILL_BOOKING_H
#define LEDGER_FORMAT_BILL_BOOKING_H

#include "ledger/format/document.h"
#include "ledger/format/format.h"

enum booking_account {
    BOOKING_RECEIVABLE,
    BOOKING_INCOME,
    BOOKING_TAX,
    BOOKING_BANK,
    BOOKING_BAD_DEBT, /* only of what was written off */
    BOOKING_COUNT
};

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

/* What goes from what is owed to bad debt on a day; below zero: back. */
struct booking_loss {
    const char *date;
    int64_t minor;
};

/* Of what was written off: calls for that, and then for each payment and credit note of a later day, as far
 * as it makes the loss another one. What came on the day itself was not lost. */
void booking_losses(const struct booking *book, void (*tell)(void *context, const struct booking_loss *loss),
                    void *context);

#endif
