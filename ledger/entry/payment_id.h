/* Payment ids (DESIGN.md section 2): the offer's id is its clock, its price, its URL and its own proof. Pure.
 */
#ifndef LEDGER_ENTRY_PAYMENT_ID_H
#define LEDGER_ENTRY_PAYMENT_ID_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/err.h"
#include "ledger/base/identifier/uuid.h"

#define PAYMENT_ID_SIZE 48
#define PAYMENT_ID_TEXT 64 /* base64url characters */

#define PAYMENT_ID_AHEAD_SECONDS 60 /* an id may be from so far in the future: another clock's */

/* What an id is bound to besides its time and price. */
struct payment_offer {
    struct slice site; /* name */
    struct slice network;
    struct slice terms_url;
    struct slice authority; /* as in the exchange, normalised */
    struct slice target;    /* request target as sent */
};

struct payment_id {
    uint8_t uuid[UUID_SIZE];
    int64_t price_micros; /* 0 to AMOUNT_PRICE_MAX */
};

/* The offer keys as one thread uses them: the current one and, if there is one, the one before. */
struct payment_keys {
    struct hmac *current;
    struct hmac *previous; /* or NULL */
};

/* Makes the id of an offer under the current key. `random` are ten random bytes. */
void payment_id_mint(const struct payment_keys *keys, const struct payment_offer *offer, int64_t now_ms,
                     int64_t price_micros, const uint8_t random[10], char text[PAYMENT_ID_TEXT]);

/* The lane of what a gate offers at this time: the last of its random bytes, and so of its UUIDs. One a
 * second, each once in 256 seconds; `first` is the gate's own, a random one. */
uint8_t payment_id_lane(uint8_t first, int64_t now_ms);

/* Opens an id: under one of the keys, for this offer, and not older than
 * ttl_seconds. ERR_OFFER_MISMATCH: not made here, changed, or for another URL or site. ERR_OFFER_EXPIRED: it
 * was genuine. An id from the future holds up to PAYMENT_ID_AHEAD_SECONDS ahead. */
enum err payment_id_open(const struct payment_keys *keys, const struct payment_offer *offer,
                         struct slice text, int64_t now_ms, int64_t ttl_seconds,
                         struct payment_id *id) MUST_USE;

/* The id of a payment for which none was offered: its time is that of signing, its chance the signature's
 * hash. So the same signature is the same payment, however often it comes. `signature` is what of it nobody
 * else can change (signature_fixed_part). */
void payment_id_derive(int64_t signed_at_seconds, struct slice signature, uint8_t uuid[UUID_SIZE]);

/* The same in parts, for who asks about an id long afterwards. */

/* Its 48 bytes; false for what is no 64 characters of base64url. */
bool payment_id_bytes(struct slice text, uint8_t raw[PAYMENT_ID_SIZE]) MUST_USE;

/* The price that it names, whoever made it. */
int64_t payment_id_price(const uint8_t raw[PAYMENT_ID_SIZE]);

/* True if one of the keys made it for the offer's site, network and terms, for whatever URL. */
bool payment_id_is_ours(const struct payment_keys *keys, const struct payment_offer *offer,
                        const uint8_t raw[PAYMENT_ID_SIZE]);

/* True if it names the offer's authority and target of the offer's site, whoever made it. */
bool payment_id_is_for(const struct payment_offer *offer, const uint8_t raw[PAYMENT_ID_SIZE]);

/* The id of 64 characters for this UUID that stands in a signature base. "" in `out` if none does. */
void payment_id_signed(struct slice base, const uint8_t uuid[UUID_SIZE], char out[PAYMENT_ID_TEXT + 1]);

#endif
