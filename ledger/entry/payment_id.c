/* The id carries its own proof, so that an offer costs the gate no memory: time and chance (as a UUID,
 * which is the ledger's key), the price, and a MAC that binds both to site, URL and terms. Nothing of an id
 * is believed before its MAC is right. */
#include "ledger/entry/payment_id.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"

#include <assert.h>

#define AHEAD_MS (PAYMENT_ID_AHEAD_SECONDS * 1000)

/* Places in the 48 bytes. */
enum { PRICE = 16, URL = 22, MAC = 32 };
enum { PRICE_SIZE = URL - PRICE, URL_SIZE = MAC - URL, MAC_SIZE = PAYMENT_ID_SIZE - MAC };

_Static_assert(PAYMENT_ID_SIZE == MAC + MAC_SIZE && MAC_SIZE <= DIGEST_SIZE && URL_SIZE <= DIGEST_SIZE,
               "its parts fill the id, and hashes fill them");

/* No part can hold a NUL, so one behind each keeps them apart. */
static const struct slice nul = {"", 1};

static void bind_url(const struct payment_offer *offer, uint8_t out[URL_SIZE])
{
    /* Ten bytes of the hash: an id is bound to its URL so that it buys no other page, and whoever could find
     * two URLs of one hash (2^40 tries) would pay for the one and get the other of the same price. */
    uint8_t digest[DIGEST_SIZE];
    const struct slice parts[] = {offer->site, nul, offer->authority, nul, offer->target};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), digest);
    memcpy(out, digest, URL_SIZE);
}

static void bind_terms(struct hmac *hmac, const struct payment_offer *offer, const uint8_t *id,
                       uint8_t out[MAC_SIZE])
{
    uint8_t mac[DIGEST_SIZE];
    const struct slice parts[] = {slice_bytes(id, MAC), offer->site, nul,
                                  offer->network,       nul,         offer->terms_url};
    hmac_sha256(hmac, parts, sizeof(parts) / sizeof(*parts), mac);
    memcpy(out, mac, MAC_SIZE);
}

void payment_id_mint(const struct payment_keys *keys, const struct payment_offer *offer, int64_t now_ms,
                     int64_t price_micros, const uint8_t random[10], char text[PAYMENT_ID_TEXT])
{
    assert(keys->current);
    uint8_t id[PAYMENT_ID_SIZE];
    assert(price_micros >= 0 && price_micros <= AMOUNT_PRICE_MAX);
    uuid_make(now_ms, random, id);
    /* In clear: who pays may read the price, and the MAC keeps it. */
    for (int i = 0; i < PRICE_SIZE; i++)
        id[PRICE + i] = (uint8_t)((uint64_t)price_micros >> (8 * (PRICE_SIZE - 1 - i)));
    bind_url(offer, id + URL);
    bind_terms(keys->current, offer, id, id + MAC);
    encoding_base64url(id, sizeof(id), text);
}

uint8_t payment_id_lane(uint8_t first, int64_t now_ms)
{
    /* Payments come soon after their offers, so that what is written in one batch has one lane or two: where
     * the ledger is spread over servers by lane, a batch goes to one of them and not to all. 66 bits of
     * chance are left for the ids of one millisecond; an id needs no more, since nothing hangs on its being
     * guessed, and two alike would be one entry and a 409. */
    assert(now_ms >= 0);
    return (uint8_t)(first + now_ms / 1000);
}

static bool genuine(struct hmac *hmac, const struct payment_offer *offer, const uint8_t id[PAYMENT_ID_SIZE])
{
    uint8_t mac[MAC_SIZE];
    /* No former key: then nothing can be its. */
    if (!hmac)
        return false;
    bind_terms(hmac, offer, id, mac);
    return digest_equal(mac, id + MAC, MAC_SIZE);
}

void payment_id_derive(int64_t signed_at_seconds, struct slice signature, uint8_t uuid[UUID_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    assert(signature.len > 0);
    digest_sha256(&signature, 1, hash);
    uuid_make(signed_at_seconds * 1000, hash, uuid);
}

bool payment_id_bytes(struct slice text, uint8_t raw[PAYMENT_ID_SIZE])
{
    size_t len;
    _Static_assert(PAYMENT_ID_SIZE % 3 == 0, "base64url of it has one spelling, without spare bits");
    return text.len == PAYMENT_ID_TEXT && encoding_unbase64url(text, raw, PAYMENT_ID_SIZE, &len);
}

int64_t payment_id_price(const uint8_t raw[PAYMENT_ID_SIZE])
{
    int64_t micros = 0;
    for (int i = 0; i < PRICE_SIZE; i++)
        micros = micros << 8 | raw[PRICE + i];
    return micros;
}

bool payment_id_is_ours(const struct payment_keys *keys, const struct payment_offer *offer,
                        const uint8_t raw[PAYMENT_ID_SIZE])
{
    return genuine(keys->current, offer, raw) || genuine(keys->previous, offer, raw);
}

bool payment_id_is_for(const struct payment_offer *offer, const uint8_t raw[PAYMENT_ID_SIZE])
{
    uint8_t url[URL_SIZE];
    bind_url(offer, url);
    return memcmp(url, raw + URL, URL_SIZE) == 0;
}

enum err payment_id_open(const struct payment_keys *keys, const struct payment_offer *offer,
                         struct slice text, int64_t now_ms, int64_t ttl_seconds, struct payment_id *id)
{
    uint8_t raw[PAYMENT_ID_SIZE];
    /* The MAC first, and the rest only of what is genuine: what a stranger makes up is read no further. */
    if (!payment_id_bytes(text, raw) || !payment_id_is_ours(keys, offer, raw) ||
        !payment_id_is_for(offer, raw))
        return ERR_OFFER_MISMATCH;
    memcpy(id->uuid, raw, UUID_SIZE);
    id->price_micros = payment_id_price(raw);
    assert(id->price_micros >= 0 && id->price_micros <= AMOUNT_PRICE_MAX);
    /* A minute ahead: gates that share a key have clocks of their own. */
    int64_t age_ms = now_ms - uuid_ms(id->uuid);
    return age_ms > ttl_seconds * 1000 || age_ms < -AHEAD_MS ? ERR_OFFER_EXPIRED : ERR_OK;
}

static bool is_base64url(char c)
{
    return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void payment_id_signed(struct slice base, const uint8_t uuid[UUID_SIZE], char out[PAYMENT_ID_TEXT + 1])
{
    uint8_t raw[PAYMENT_ID_SIZE];
    out[0] = '\0';
    for (size_t at = 0; at < base.len;) {
        size_t end = at;
        while (end < base.len && is_base64url(base.data[end]))
            end++;
        if (payment_id_bytes((struct slice){base.data + at, end - at}, raw) &&
            memcmp(raw, uuid, UUID_SIZE) == 0) {
            memcpy(out, base.data + at, PAYMENT_ID_TEXT);
            out[PAYMENT_ID_TEXT] = '\0';
            return;
        }
        at = end + 1;
    }
}
