/* libsodium, only in programs that are built with ED25519=sodium: its verification takes some 0.6 of the time
 * of OpenSSL 3.0's. A key has no form of its own there. Tested by tests/unit/base/ed25519_test.c */
#include "ledger/base/crypto/ed25519_library.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_sign_BYTES == ED25519_SIZE && crypto_sign_SEEDBYTES == ED25519_KEY_SIZE &&
                   crypto_sign_PUBLICKEYBYTES == ED25519_KEY_SIZE,
               "libsodium's signature is Ed25519");

static void *key_new(const uint8_t raw[ED25519_KEY_SIZE])
{
    /* Chooses the processor's best code, once; what would run without it is right, too. */
    if (sodium_init() < 0)
        return NULL;
    uint8_t *key = malloc(ED25519_KEY_SIZE);
    return key ? memcpy(key, raw, ED25519_KEY_SIZE) : NULL;
}

static bool verify(const void *key, struct slice message, const uint8_t signature[ED25519_SIZE])
{
    return crypto_sign_verify_detached(signature, (const unsigned char *)message.data, message.len, key) == 0;
}

static bool sign(const uint8_t seed[ED25519_KEY_SIZE], struct slice message, uint8_t signature[ED25519_SIZE])
{
    uint8_t raw[ED25519_KEY_SIZE], private[crypto_sign_SECRETKEYBYTES];
    bool ok =
        crypto_sign_seed_keypair(raw, private, seed) == 0 &&
        crypto_sign_detached(signature, NULL, (const unsigned char *)message.data, message.len, private) == 0;
    sodium_memzero(private, sizeof(private));
    return ok;
}

static bool public(const uint8_t seed[ED25519_KEY_SIZE], uint8_t raw[ED25519_KEY_SIZE])
{
    uint8_t private[crypto_sign_SECRETKEYBYTES];
    bool ok = crypto_sign_seed_keypair(raw, private, seed) == 0;
    sodium_memzero(private, sizeof(private));
    return ok;
}

const struct ed25519_library ed25519_sodium = {
    .name = "libsodium",
    .key_new = key_new,
    .key_free = free,
    .verify = verify,
    .sign = sign,
    .public = public,
};
