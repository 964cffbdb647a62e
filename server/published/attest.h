/* What the gate signs of its own accord, by its key that is in force (x402's extension offer-receipt): offers
 * and receipts as compact JWS (RFC 7515), whose kid is a key of the DID document (did:web) of their host. */
#ifndef SERVER_PUBLISHED_ATTEST_H
#define SERVER_PUBLISHED_ATTEST_H

#include "server/published/own_directory.h"

/* An offer, or the receipt of a payment; all of it is signed. Amounts are in the scheme's units, times in
 * seconds. */
struct attest_offer {
    struct slice url, network, asset, pay_to;
    const char *scheme;
    int64_t amount, valid_until;
};

struct attest_receipt {
    struct slice url, network, payer, transaction;
    int64_t issued_at;
};

/* Writes the JWS into the arena. Empty if no key is in force, the arena is full, or the URL is so long that
 * nobody would read the field. `authority` is the host that offers. */
struct slice attest_sign_offer(struct own_directory *own, struct arena *arena, struct slice authority,
                               const struct attest_offer *offer, int64_t now_ms);
struct slice attest_sign_receipt(struct own_directory *own, struct arena *arena, struct slice authority,
                                 const struct attest_receipt *receipt, int64_t now_ms);

/* Room that a receipt takes at most, with what it is written into. */
#define ATTEST_RECEIPT_BYTES 16384

/* True for the path (as rules_path made it) of the DID document. */
bool attest_is_at(struct slice path);

/* Fills the reply with it, for the message's authority. ERR_REQUEST_TOO_LARGE when the arena is full. */
enum err attest_reply(struct own_directory *own, struct exchange *exchange, int64_t now_ms) MUST_USE;

#endif
