/* What a site asks for a page: the deferred requirement of an x402 offer (WIRE.md section 1). Pure. */
#ifndef TOOLS_CRAWLER_QUOTE_H
#define TOOLS_CRAWLER_QUOTE_H

#include "ledger/base/arena.h"

#include <stdint.h>

#define QUOTE_LIST(X)                                                                                        \
    X(QUOTE_OK, "the offer is good")                                                                         \
    X(QUOTE_UNREADABLE, "the answer has no offer that can be read")                                          \
    X(QUOTE_NO_DEFERRED, "the site takes no deferred payment")                                               \
    X(QUOTE_OTHER_URL, "the offer is for another URL than the one asked for")                                \
    X(QUOTE_BAD_ID, "the offer has no payment id and network that could be committed to")                    \
    X(QUOTE_BAD_PRICE, "the offer has no price that can be read exactly")

enum quote_outcome {
#define QUOTE_NAME(name, sentence) name,
    QUOTE_LIST(QUOTE_NAME)
#undef QUOTE_NAME
};

struct quote {
    const char *id;
    const char *network;
    const char *currency; /* the asset: an ISO 4217 code for money */
    int64_t price_micros;
    const char *terms_url; /* NULL: none given */
};

/* Reads the first requirement with the scheme "deferred" that can be committed to for `url`, a URL in normal
 * form, from the JSON of an offer. Text of the quote goes to the arena. The price is exact or refused; id and
 * network are printable ASCII. On anything but QUOTE_OK, the reason of the last deferred requirement. */
enum quote_outcome quote_read(struct arena *arena, struct slice json, struct slice url, struct quote *quote);

/* The same from the value of PAYMENT-REQUIRED: the JSON in base64. */
enum quote_outcome quote_read_base64(struct arena *arena, struct slice value, struct slice url,
                                     struct quote *quote);

/* One English sentence. Static. */
const char *quote_sentence(enum quote_outcome outcome);

/* An amount in units of 10^-decimals, as digits, in micro-units. False when it is no such number, does not
 * fit or is finer than a micro-unit. */
bool quote_micros(struct slice amount, int64_t decimals, int64_t *micros);

#endif
