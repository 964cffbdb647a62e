/* OpenSSL makes its form of a key once; a context is made for each use, which is some 0.3 % of what a
 * verification takes. Tested by tests/unit/base/ed25519_test.c */
#include "ledger/base/crypto/ed25519_library.h"

#include <assert.h>
#include <openssl/evp.h>

static void *key_new(const uint8_t raw[ED25519_KEY_SIZE])
{
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, ED25519_KEY_SIZE);
}

static void key_free(void *key)
{
    EVP_PKEY_free(key);
}

static bool verify(const void *key, struct slice message, const uint8_t signature[ED25519_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    /* OpenSSL counts a key's owners, and so takes no constant one. */
    EVP_PKEY *pkey = (EVP_PKEY *)(uintptr_t)key;
    bool good = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(context, signature, ED25519_SIZE, (const unsigned char *)message.data,
                                 message.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool sign(const uint8_t seed[ED25519_KEY_SIZE], struct slice message, uint8_t signature[ED25519_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY_SIZE);
    size_t len = ED25519_SIZE;
    const unsigned char *text = (const unsigned char *)message.data;
    bool ok = context && pkey;                                                   /* uncovered: no memory */
    ok = ok && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1;         /* uncovered: no memory */
    ok = ok && EVP_DigestSign(context, signature, &len, text, message.len) == 1; /* uncovered: no memory */
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(context);
    assert(!ok || len == ED25519_SIZE);
    return ok;
}

static bool public(const uint8_t seed[ED25519_KEY_SIZE], uint8_t raw[ED25519_KEY_SIZE])
{
    size_t len = ED25519_KEY_SIZE;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY_SIZE);
    bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1; /* uncovered: no memory */
    EVP_PKEY_free(pkey);
    assert(!ok || len == ED25519_KEY_SIZE);
    return ok;
}

const struct ed25519_library ed25519_openssl = {
    .name = "OpenSSL",
    .key_new = key_new,
    .key_free = key_free,
    .verify = verify,
    .sign = sign,
    .public = public,
};
