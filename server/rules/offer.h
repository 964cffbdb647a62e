/* The offer: everything a 402 carries (WIRE.md section 1). No I/O. */
#ifndef SERVER_RULES_OFFER_H
#define SERVER_RULES_OFFER_H

#include "ledger/base/config/config.h"
#include "ledger/entry/payment_id.h"
#include "ledger/base/http/exchange.h"
#include "ledger/verify/web_bot_auth.h"

/* What is the same in all offers of a site, written once. */
struct offer_form;

struct offer {
    const struct offer_form *form;
    const struct web_bot_auth_policy *policy; /* for its commitment */
    struct slice url;                         /* the resource: scheme, authority and target */
    char id[PAYMENT_ID_TEXT];
    int64_t price_micros;
    struct slice attested; /* a JWS of its first requirement (extension offer-receipt); empty: none */
    bool version_1;        /* who asks speaks x402 version 1: the body is one that such clients can read */
};

/* The form of one of the configuration's sites, in the arena; or NULL when that is full. `config` must
 * outlive it. */
const struct offer_form *offer_form_make(struct arena *arena, const struct config *config,
                                         const struct config_site *site);

/* Writes the body and header fields of the offer into the request's reply; status and crawler-error are the
 * caller's. `why` is a sentence without quotes. False when the arena is full. */
bool offer_write(struct exchange *exchange, const struct offer *offer, const char *why);

/* The body alone, an x402 PaymentRequired: for who writes it into something else. data is NULL when the arena
 * is full. */
struct slice offer_json(struct arena *arena, const struct offer *offer, const char *why);

/* The value of Accept-Signature (RFC 9421 section 5.1) in the arena, or NULL when full: what a signature must
 * cover by this policy in such a request, and nothing else. `nonce` may be empty. */
const char *offer_accept_signature(struct arena *arena, const struct web_bot_auth_policy *policy,
                                   const struct message *message, struct slice nonce);

/* "USD 0.0025" in the arena, or NULL when full. */
const char *offer_price(struct arena *arena, const char *currency, int64_t micros);

#endif
