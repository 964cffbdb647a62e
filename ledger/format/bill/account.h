/* The accounts of a publisher's books that an invoice touches: what the formats of plain-text accounting
 * share. */
#ifndef LEDGER_FORMAT_BILL_ACCOUNT_H
#define LEDGER_FORMAT_BILL_ACCOUNT_H

#include "ledger/format/format.h"

enum account { ACCOUNT_RECEIVABLE, ACCOUNT_INCOME, ACCOUNT_TAX, ACCOUNT_BANK, ACCOUNT_COUNT };

#define ACCOUNT_NAME_MAX 160

/* One document, ready to be booked. */
struct account_book {
    const json_t *document;
    const char *currency;
    int decimals;
    int sign; /* -1 for a credit note */
    int64_t net, tax, total;
    char accounts[ACCOUNT_COUNT][ACCOUNT_NAME_MAX]; /* such as "Assets:Receivable:Crawler-example" */
};

/* Fills it in. False, with the error, if the sums do not add up or a name is missing. */
bool account_book_open(struct account_book *book, const json_t *document, struct format_output *out);

#endif
