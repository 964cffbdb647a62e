/* Signature algorithms of RFC 9421 section 3.3 through OpenSSL: Ed25519 (section 3.3.6). */
#ifndef SERVER_VERIFY_SIGNATURE_H
#define SERVER_VERIFY_SIGNATURE_H

#include "ledger/base/err.h"
#include "ledger/base/slice.h"

#include <stdint.h>

#define SIGNATURE_ED25519_SIZE     64
#define SIGNATURE_ED25519_KEY_SIZE 32

/* A public key ready for use. Immutable; may be shared between threads. */
struct signature_key;

/* From the 32 bytes of an Ed25519 public key. NULL for small-order points, which verify anything, and when
 * OpenSSL refuses. */
struct signature_key *signature_key_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE]);

/* One more owner of the same key; each calls signature_key_free. NULL is fine for free. */
struct signature_key *signature_key_share(struct signature_key *key);
void signature_key_free(struct signature_key *key);

/* ERR_OK if `signature` is the key's over `base`, else ERR_SIGNATURE_INVALID. Thread-safe. */
enum err signature_verify(const struct signature_key *key, struct slice base,
                          struct slice signature) MUST_USE;

/* Signs with an Ed25519 private key (its 32-byte seed). False when OpenSSL refuses. */
bool signature_sign_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                            uint8_t signature[SIGNATURE_ED25519_SIZE]) MUST_USE;

/* The public key of a private one. */
bool signature_public_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                              uint8_t raw[SIGNATURE_ED25519_KEY_SIZE]) MUST_USE;

#endif
