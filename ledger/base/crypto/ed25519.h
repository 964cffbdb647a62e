/* Ed25519 (RFC 8032 section 5.1) behind one door. Which library does the arithmetic is chosen when the
 * programs are built (make ED25519=sodium; OpenSSL else); what holds is the same with each of them:
 *
 *  - a key's y is below p, and the key is none of the points of small order, under which a signature says
 *    nothing about who signed;
 *  - S is below L (RFC 8032 section 5.1.7; else anybody could make a second signature of one);
 *  - R is the canonical encoding of a point, and none of small order;
 *  - the equation is the one without the cofactor: encode(S·B − h·A) is R, byte for byte.
 *
 * These are the strictest of the choices that "Taming the many EdDSAs" (2020) lists, but for keys with a part
 * of small order, which both libraries take and which only their owner can make. */
#ifndef LEDGER_BASE_CRYPTO_ED25519_H
#define LEDGER_BASE_CRYPTO_ED25519_H

#include "ledger/base/err.h"
#include "ledger/base/slice.h"

#include <stdint.h>

#define ED25519_SIZE     64 /* of a signature: R, then S */
#define ED25519_KEY_SIZE 32 /* of a public key, and of a private one's seed */

/* A public key ready for use. Immutable, may be shared between threads. */
struct ed25519_key;

/* NULL for a key that is refused as told above, and without memory. */
struct ed25519_key *ed25519_key_new(const uint8_t raw[ED25519_KEY_SIZE]);
void ed25519_key_free(struct ed25519_key *key); /* NULL is fine */

/* Whether `signature` is the key's over `message`. Thread-safe. */
bool ed25519_verify(const struct ed25519_key *key, struct slice message,
                    const uint8_t signature[ED25519_SIZE]) MUST_USE;

/* The signature of a private key (its seed), always the same for the same message; and the public key of a
 * private one. False when the library refuses, for want of memory. */
bool ed25519_sign(const uint8_t seed[ED25519_KEY_SIZE], struct slice message,
                  uint8_t signature[ED25519_SIZE]) MUST_USE;
bool ed25519_public(const uint8_t seed[ED25519_KEY_SIZE], uint8_t raw[ED25519_KEY_SIZE]) MUST_USE;

/* "OpenSSL" or "libsodium". Static. */
const char *ed25519_library_name(void);

#endif
