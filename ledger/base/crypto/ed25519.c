/* What the two libraries judge differently is refused here, before either is asked: libsodium 1.0.18 refuses
 * an R of small order, OpenSSL 3.0 does not; OpenSSL takes the rest of dividing by p for a key's y, libsodium
 * refuses it. What both refuse by themselves (S from L on, R of another encoding) is left to them. */
#include "ledger/base/crypto/ed25519.h"

#include "ledger/base/object.h"
#include "ledger/base/crypto/ed25519_library.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifdef ED25519_SODIUM
#define LIBRARY ed25519_sodium
#else
#define LIBRARY ed25519_openssl
#endif

#define KEY_MAGIC 0x5d3319b7u

struct ed25519_key {
    uint32_t magic;
    const struct ed25519_library *library;
    void *key;
};

/* The points of small order (RFC 8032; list after "Taming the many EdDSAs", table 5). */
static const uint8_t small_order[][ED25519_KEY_SIZE] = {
    {0x01},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x00},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
};

/* The sign bit is left out of the comparison: both signs of x are of small order. */
static bool is_small_order(const uint8_t point[ED25519_KEY_SIZE])
{
    for (size_t i = 0; i < sizeof(small_order) / sizeof(*small_order); i++)
        if (memcmp(point, small_order[i], 31) == 0 && (point[31] & 0x7f) == small_order[i][31])
            return true;
    return false;
}

/* y is below p = 2^255 - 19, as RFC 8032 section 5.1.3 asks. */
static bool is_canonical(const uint8_t point[ED25519_KEY_SIZE])
{
    if (point[0] < 0xed || (point[31] & 0x7f) != 0x7f)
        return true;
    for (size_t i = 1; i < 31; i++)
        if (point[i] != 0xff)
            return true;
    return false;
}

struct ed25519_key *ed25519_key_with(const struct ed25519_library *library,
                                     const uint8_t raw[ED25519_KEY_SIZE])
{
    if (!is_canonical(raw) || is_small_order(raw))
        return NULL;
    struct ed25519_key *key = malloc(sizeof(*key));
    void *own = key ? library->key_new(raw) : NULL;
    if (!own) {
        free(key);
        return NULL;
    }
    *key = (struct ed25519_key){.magic = KEY_MAGIC, .library = library, .key = own};
    return key;
}

struct ed25519_key *ed25519_key_new(const uint8_t raw[ED25519_KEY_SIZE])
{
    return ed25519_key_with(&LIBRARY, raw);
}

void ed25519_key_free(struct ed25519_key *key)
{
    if (!key)
        return;
    OBJECT_END(key, KEY_MAGIC);
    key->library->key_free(key->key);
    free(key);
}

bool ed25519_verify(const struct ed25519_key *key, struct slice message,
                    const uint8_t signature[ED25519_SIZE])
{
    OBJECT_CHECK(key, KEY_MAGIC);
    assert(signature && (message.data || message.len == 0));
    return !is_small_order(signature) && key->library->verify(key->key, message, signature);
}

bool ed25519_sign(const uint8_t seed[ED25519_KEY_SIZE], struct slice message, uint8_t signature[ED25519_SIZE])
{
    return LIBRARY.sign(seed, message, signature);
}

bool ed25519_public(const uint8_t seed[ED25519_KEY_SIZE], uint8_t raw[ED25519_KEY_SIZE])
{
    return LIBRARY.public(seed, raw);
}

const char *ed25519_library_name(void)
{
    return LIBRARY.name;
}
