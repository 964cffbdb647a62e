/* A key of its own, so that nothing that is signed by the offer key could be taken for a tag. It needs no
 * file: gates that share a ledger share the offer key, and the operator has all that there ever were. */
#include "ledger/delivery/client_tag.h"

#include <string.h>

struct hmac *client_tag_key(const void *offer_key, size_t len)
{
    const struct slice purpose = SLICE("crawltab client address/1");
    uint8_t key[DIGEST_SIZE];
    struct hmac *offers = hmac_new(offer_key, len);
    if (!offers)
        return NULL;
    hmac_sha256(offers, &purpose, 1, key);
    hmac_free(offers);
    struct hmac *tags = hmac_new(key, sizeof(key));
    explicit_bzero(key, sizeof(key));
    return tags;
}

void client_tag(struct hmac *key, const uint8_t payment_id[UUID_SIZE], const uint8_t address[16],
                uint8_t out[CLIENT_TAG_SIZE])
{
    const struct slice parts[] = {slice_bytes(payment_id, UUID_SIZE), slice_bytes(address, 16)};
    uint8_t mac[DIGEST_SIZE];
    hmac_sha256(key, parts, sizeof(parts) / sizeof(*parts), mac);
    memcpy(out, mac, CLIENT_TAG_SIZE);
}
