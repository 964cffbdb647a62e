/* The offer: everything a 402 carries (WIRE.md section 1). No I/O. */
#ifndef SERVER_GATE_OFFER_H
#define SERVER_GATE_OFFER_H

#include "ledger/base/config.h"
#include "server/gate/payment_id.h"
#include "ledger/base/exchange.h"

struct offer {
    const struct config_site *site;
    struct slice url; /* the resource: scheme, authority and target */
    char id[PAYMENT_ID_TEXT];
    int64_t price_micros;
    int64_t ttl_seconds;
    const struct config_list *algorithms; /* that commitments may be signed with */
};

/* Writes the body and header fields of the offer into the request's reply; status and crawler-error are the
 * caller's. False when the arena is full. */
bool offer_write(struct exchange *exchange, const struct offer *offer, const char *why);

/* "USD 0.0025" in the arena, or NULL when full. */
const char *offer_price(struct arena *arena, const char *currency, int64_t micros);

#endif
