/* What may be paid: a price for one page and a budget for all. Pure. */
#ifndef TOOLS_CRAWLER_PURSE_H
#define TOOLS_CRAWLER_PURSE_H

#include "tools/crawler/quote.h"

#define PURSE_CURRENCY_MAX 4 /* an ISO 4217 code with its NUL */

struct purse {
    char currency[PURSE_CURRENCY_MAX]; /* empty: nothing is paid */
    int64_t price_micros;              /* the most for one page */
    int64_t budget_micros;             /* the most for all; INT64_MAX: no limit */
    int64_t paid_micros;               /* acknowledged by receipts */
    int64_t doubt_micros;              /* committed to without an answer: may have been charged */
};

/* Reads "USD 0.05" into code and micro-units. False for anything else. */
bool purse_parse(struct slice text, char currency[PURSE_CURRENCY_MAX], int64_t *micros);

/* Why the quote may not be committed to, as a sentence in the arena or static; NULL: it may. */
const char *purse_refuse(const struct purse *purse, struct arena *arena, const struct quote *quote);

/* "USD 0.05" in the arena; a static "?" when that is full. */
const char *purse_text(struct arena *arena, const char *currency, int64_t micros);

#endif
