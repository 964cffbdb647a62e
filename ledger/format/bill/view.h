/* An invoice in the words and columns in which people see it: what the page and the paper have in common. */
#ifndef LEDGER_FORMAT_BILL_VIEW_H
#define LEDGER_FORMAT_BILL_VIEW_H

#include "ledger/format/document.h"

#define VIEW_PAIRS_MAX 12
#define VIEW_TEXTS_MAX 10

struct view_pairs {
    struct {
        const char *label, *value;
    } items[VIEW_PAIRS_MAX];
    size_t count;
};

struct view_texts {
    const char *items[VIEW_TEXTS_MAX];
    size_t count;
};

struct view_party {
    const char *name;
    struct view_texts lines;
};

/* Columns of the table. */
enum view_column { VIEW_DESCRIPTION, VIEW_QUANTITY, VIEW_UNIT_PRICE, VIEW_AMOUNT, VIEW_COLUMNS };

struct view_row {
    const char *cells[VIEW_COLUMNS];
};

struct view_day {
    const char *date, *label;
    int64_t share; /* thousandths of the day with the most */
};

/* Texts are never NULL. Unit prices and amounts have the decimals that they need, and behind them figure
 * spaces (FORMAT_PAD) for those of the longest in their column: set to the right, their decimal points stand
 * below each other. */
struct view {
    const char *title; /* "Invoice" or "Credit note" */
    const char *number;
    const char *status;   /* "" while there is nothing to say */
    const char *currency; /* ISO 4217 code, for the heads of columns */
    struct view_party seller, buyer;
    struct view_pairs facts;
    struct view_row *rows;
    size_t row_count;
    struct view_pairs sums;  /* the last one is what is to be paid, and begins with the currency */
    struct view_texts notes; /* sentences: payment, tax, rounding, agreement */
    struct view_day *days;   /* none unless there are several */
    size_t day_count;
    struct view_text *made; /* texts that are not the document's */
};

/* The view of a document, in which some of its texts stay; view_free frees it. NULL without memory. */
struct view *view_of(const struct document *document);
void view_free(struct view *view);

#endif
