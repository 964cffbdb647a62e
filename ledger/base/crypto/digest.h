/* SHA-256 and HMAC-SHA-256 (OpenSSL). Algorithms are fetched once; an `hmac` keeps its keyed context, which
 * makes one MAC cost a third of a microsecond instead of 1.5. */
#ifndef LEDGER_BASE_CRYPTO_DIGEST_H
#define LEDGER_BASE_CRYPTO_DIGEST_H

#include "ledger/base/slice.h"

#include <stdint.h>

#define DIGEST_SIZE        32
#define DIGEST_SHA512_SIZE 64

/* SHA-256 over the parts one after another. Thread-safe. */
void digest_sha256(const struct slice *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* SHA-256 of what comes in parts. Never NULL; ended by digest_end, which frees it. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *digest, struct slice part);
void digest_end(struct digest *digest, uint8_t out[DIGEST_SIZE]);

/* SHA-512, for RFC 9530. Thread-safe; slow to start, so not for every request. */
void digest_sha512(struct slice text, uint8_t out[DIGEST_SHA512_SIZE]);

struct hmac;

/* A keyed context for one thread, or NULL without memory. The key is copied. */
struct hmac *hmac_new(const void *key, size_t len);
void hmac_free(struct hmac *hmac);

/* HMAC-SHA-256 over the parts one after another. One thread at a time. */
void hmac_sha256(struct hmac *hmac, const struct slice *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* True if both are equal; takes the same time wherever they differ. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
