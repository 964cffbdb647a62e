/* What OpenSSL can only fail at for want of memory ends the process here: a digest that is made up would be
 * signed, or stored as evidence. */
#include "ledger/base/crypto/digest.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

#define DIGEST_MAGIC 0x51c8e2b7u
#define HMAC_MAGIC   0x7d4e09c3u

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *sha256;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

/* The algorithm once for the process and a context once for each thread: OpenSSL 3 looks both up under a
 * lock, which costs more than hashing a leaf. */
static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256 || pthread_key_create(&context_key, free_context) != 0)
        abort();
}

static EVP_MD_CTX *context_of_thread(void)
{
    pthread_once(&once, fetch);
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (!context) {
        context = EVP_MD_CTX_new();
        if (!context || pthread_setspecific(context_key, context) != 0)
            abort();
    }
    return context;
}

void digest_sha256(const struct slice *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    EVP_MD_CTX *context = context_of_thread();
    assert(parts || count == 0);
    int ok = EVP_DigestInit_ex2(context, sha256, NULL);
    for (size_t i = 0; i < count; i++)
        ok &= EVP_DigestUpdate(context, parts[i].data, parts[i].len);
    ok &= EVP_DigestFinal_ex(context, out, NULL);
    if (!ok)
        abort();
}

struct digest {
    uint32_t magic;
    EVP_MD_CTX *context;
};

struct digest *digest_begin(void)
{
    struct digest *digest = calloc(1, sizeof(*digest));
    if (!digest)
        abort();
    OBJECT_MAKE(digest, DIGEST_MAGIC);
    pthread_once(&once, fetch);
    digest->context = EVP_MD_CTX_new();
    if (!digest->context || EVP_DigestInit_ex2(digest->context, sha256, NULL) != 1)
        abort();
    return digest;
}

void digest_add(struct digest *digest, struct slice part)
{
    OBJECT_CHECK(digest, DIGEST_MAGIC);
    if (EVP_DigestUpdate(digest->context, part.data, part.len) != 1)
        abort();
}

void digest_end(struct digest *digest, uint8_t out[DIGEST_SIZE])
{
    OBJECT_END(digest, DIGEST_MAGIC);
    if (EVP_DigestFinal_ex(digest->context, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_sha512(struct slice text, uint8_t out[DIGEST_SHA512_SIZE])
{
    assert(text.data || text.len == 0);
    if (EVP_Digest(text.data, text.len, out, NULL, EVP_sha512(), NULL) != 1)
        abort();
}

struct hmac {
    uint32_t magic;
    EVP_MAC_CTX *context;
};

struct hmac *hmac_new(const void *key, size_t len)
{
    assert(key && len > 0);
    struct hmac *hmac = calloc(1, sizeof(*hmac));
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
    if (hmac)
        OBJECT_MAKE(hmac, HMAC_MAGIC);
    if (hmac && algorithm)
        hmac->context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    if (!hmac || !hmac->context || !EVP_MAC_init(hmac->context, key, len, parameters)) {
        hmac_free(hmac);
        return NULL;
    }
    return hmac;
}

void hmac_free(struct hmac *hmac)
{
    if (!hmac)
        return;
    OBJECT_END(hmac, HMAC_MAGIC);
    EVP_MAC_CTX_free(hmac->context);
    free(hmac);
}

void hmac_sha256(struct hmac *hmac, const struct slice *parts, size_t count, uint8_t out[DIGEST_SIZE])
{
    OBJECT_CHECK(hmac, HMAC_MAGIC);
    assert(parts || count == 0);
    int ok = EVP_MAC_init(hmac->context, NULL, 0, NULL);
    for (size_t i = 0; i < count; i++)
        ok &= EVP_MAC_update(hmac->context, (const unsigned char *)parts[i].data, parts[i].len);
    size_t len = 0;
    ok &= EVP_MAC_final(hmac->context, out, &len, DIGEST_SIZE);
    if (!ok || len != DIGEST_SIZE)
        abort();
}

/* For what an attacker may guess at byte by byte: the time must not tell how much of it was right. */
bool digest_equal(const void *a, const void *b, size_t len)
{
    assert(a && b && len > 0);
    return CRYPTO_memcmp(a, b, len) == 0;
}
