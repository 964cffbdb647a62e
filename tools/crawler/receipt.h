/* Receipts: Payment-Response (WIRE.md section 1), compared with what was committed to, and the line that is
 * kept of it. Pure. */
#ifndef TOOLS_CRAWLER_RECEIPT_H
#define TOOLS_CRAWLER_RECEIPT_H

#include "tools/crawler/quote.h"

struct receipt {
    const char *id;
    const char *network;
    int64_t timestamp; /* seconds, by the site's clock */
};

/* Reads the field. False when it is not a dictionary with scheme "deferred", id, network and timestamp, or
 * the arena is full. */
bool receipt_parse(struct arena *arena, struct slice field, struct receipt *receipt);

/* What does not agree with the commitment, as a sentence in the arena or static; NULL: all does. `charged` is
 * crawler-charged, with data NULL when it was not sent; it may be less than the price. */
const char *receipt_check(struct arena *arena, const struct receipt *receipt, const struct quote *quote,
                          struct slice charged);

/* What was paid: `charged`, as far as it can be believed, or the price. */
int64_t receipt_amount(const struct quote *quote, struct slice charged);

/* What is kept beside the receipt itself. */
struct receipt_record {
    const char *url;
    const char *keyid;
    const char *file;     /* relative to the folder; NULL: could not be stored */
    const char *time;     /* ours, RFC 3339 */
    struct slice charged; /* crawler-charged; data NULL: not sent */
    struct slice content; /* data NULL: it did not come whole */
};

/* One JSON object and a line end. NULL without memory; the caller frees. */
char *receipt_line(struct arena *arena, const struct receipt *receipt, const struct quote *quote,
                   const struct receipt_record *record);

#endif
