/* A client's address as the ledger keeps it: the first half of HMAC-SHA-256 over the payment id and the
 * address (16 bytes, IPv4 as ::ffff:a.b.c.d), by a key that is HMAC-SHA-256 of the offer key over
 * "crawltab client address/1". Each payment has another tag for the same address. Whoever has the key can try
 * addresses: all of IPv4 takes minutes for one payment, so that the tag hides an address from whoever reads
 * the ledger or has a copy of it, and not from the operator. */
#ifndef LEDGER_DELIVERY_CLIENT_TAG_H
#define LEDGER_DELIVERY_CLIENT_TAG_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/identifier/uuid.h"

#define CLIENT_TAG_SIZE 16

/* What makes tags, for one thread; freed with hmac_free. `offer_key` has `len` bytes. NULL without memory. */
struct hmac *client_tag_key(const void *offer_key, size_t len);

void client_tag(struct hmac *key, const uint8_t payment_id[UUID_SIZE], const uint8_t address[16],
                uint8_t out[CLIENT_TAG_SIZE]);

#endif
