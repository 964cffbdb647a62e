#include "server/verify/signature.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct signature_key {
    EVP_PKEY *pkey;
    atomic_int owners;
};

/* The points of small order (RFC 8032; list after "Taming the many EdDSAs", table 5), in both encodings where
 * there are two. A signature under one of them says nothing about who signed. */
static const uint8_t small_order[][SIGNATURE_ED25519_KEY_SIZE] = {
    {0x01},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x00},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* The sign bit is left out of the comparison: both signs of x are of small order. */
static bool is_small_order(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE])
{
    for (size_t i = 0; i < sizeof(small_order) / sizeof(*small_order); i++)
        if (memcmp(raw, small_order[i], 31) == 0 && (raw[31] & 0x7f) == small_order[i][31])
            return true;
    return false;
}

struct signature_key *signature_key_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE])
{
    struct signature_key *key = is_small_order(raw) ? NULL : calloc(1, sizeof(*key));
    if (!key)
        return NULL;
    key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, SIGNATURE_ED25519_KEY_SIZE);
    key->owners = 1;
    if (!key->pkey) {
        free(key);
        return NULL;
    }
    return key;
}

struct signature_key *signature_key_share(struct signature_key *key)
{
    atomic_fetch_add(&key->owners, 1);
    return key;
}

void signature_key_free(struct signature_key *key)
{
    if (!key || atomic_fetch_sub(&key->owners, 1) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void make_key(void)
{
    if (pthread_key_create(&context_key, free_context) != 0)
        abort();
}

/* One context per thread, emptied before each use. */
static EVP_MD_CTX *context_of_thread(void)
{
    pthread_once(&once, make_key);
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (!context) {
        context = EVP_MD_CTX_new();
        if (!context || pthread_setspecific(context_key, context) != 0)
            abort();
    }
    EVP_MD_CTX_reset(context);
    return context;
}

enum err signature_verify(const struct signature_key *key, struct slice base, struct slice signature)
{
    EVP_MD_CTX *context = context_of_thread();
    if (signature.len != SIGNATURE_ED25519_SIZE ||
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) != 1)
        return ERR_SIGNATURE_INVALID;
    int ok = EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                              (const unsigned char *)base.data, base.len);
    return ok == 1 ? ERR_OK : ERR_SIGNATURE_INVALID;
}

bool signature_sign_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                            uint8_t signature[SIGNATURE_ED25519_SIZE])
{
    EVP_MD_CTX *context = context_of_thread();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGNATURE_ED25519_KEY_SIZE);
    size_t len = SIGNATURE_ED25519_SIZE;
    bool ok = pkey && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestSign(context, signature, &len, (const unsigned char *)base.data, base.len) == 1;
    EVP_PKEY_free(pkey);
    return ok && len == SIGNATURE_ED25519_SIZE;
}

bool signature_public_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                              uint8_t raw[SIGNATURE_ED25519_KEY_SIZE])
{
    size_t len = SIGNATURE_ED25519_KEY_SIZE;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGNATURE_ED25519_KEY_SIZE);
    bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, raw, &len) == 1;
    EVP_PKEY_free(pkey);
    return ok && len == SIGNATURE_ED25519_KEY_SIZE;
}
