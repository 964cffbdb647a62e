/* Signature algorithms of RFC 9421 section 3.3: ed25519 (section 3.3.6, by ledger/base/crypto/ed25519.h),
 * ecdsa-p256-sha256 (3.3.4) and rsa-pss-sha512 (3.3.1) by OpenSSL. A key belongs to exactly one of them,
 * whatever a message claims. */
#ifndef LEDGER_VERIFY_SIGNATURE_H
#define LEDGER_VERIFY_SIGNATURE_H

#include "ledger/base/crypto/ed25519.h"
#include "ledger/base/err.h"
#include "ledger/base/slice.h"

#include <stdint.h>

#define SIGNATURE_ED25519_SIZE     ED25519_SIZE
#define SIGNATURE_ED25519_KEY_SIZE ED25519_KEY_SIZE
#define SIGNATURE_P256_SIZE        64 /* r and s, 32 bytes each, big-endian */
#define SIGNATURE_P256_KEY_SIZE    64 /* x and y, 32 bytes each, big-endian */
#define SIGNATURE_RSA_MIN_BITS     2048
#define SIGNATURE_RSA_MAX_BITS     8192
#define SIGNATURE_RSA_EXPONENT_MAX 4 /* bytes: a longer exponent only makes verification dear */

enum signature_algorithm {
    SIGNATURE_ED25519,
    SIGNATURE_ECDSA_P256_SHA256,
    SIGNATURE_RSA_PSS_SHA512,
    SIGNATURE_ALGORITHMS /* how many there are */
};

/* The name in the registry of RFC 9421 section 6.2. Static. */
const char *signature_algorithm_name(enum signature_algorithm algorithm);

/* The algorithm with the registered name; false for every other one, hmac-sha256 among them. */
bool signature_algorithm_parse(struct slice name, enum signature_algorithm *algorithm) MUST_USE;

/* A public key ready for use. Immutable; may be shared between threads. */
struct signature_key;
struct jwk;

/* From the 32 bytes of an Ed25519 public key. NULL as for ed25519_key_new. */
struct signature_key *signature_key_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE]);

/* From the two coordinates of a P-256 public key. NULL unless the point is on the curve. */
struct signature_key *signature_key_p256(const uint8_t point[SIGNATURE_P256_KEY_SIZE]);

/* From the modulus and the public exponent of an RSA key, big-endian without leading zeros. NULL for a
 * modulus that is even, too short or too long, and for an exponent that is even, below 3 or too long. */
struct signature_key *signature_key_rsa(struct slice modulus, struct slice exponent);

/* From a JSON Web Key, whatever its type. NULL as above. */
struct signature_key *signature_key_from_jwk(const struct jwk *jwk);

/* The one algorithm that the key is for. */
enum signature_algorithm signature_key_algorithm(const struct signature_key *key);

/* One more owner of the same key; each calls signature_key_free. NULL is fine for free. */
struct signature_key *signature_key_share(struct signature_key *key);
void signature_key_free(struct signature_key *key);

/* ERR_OK if `signature` is the key's over `base` by the key's algorithm, else ERR_SIGNATURE_INVALID.
 * Thread-safe. */
enum err signature_verify(const struct signature_key *key, struct slice base,
                          struct slice signature) MUST_USE;

/* The part of a good signature of this algorithm that nobody but its signer can change: all of it, but of
 * ECDSA the first half, as whoever sees (r, s) can make (r, n - s), which is as good. */
struct slice signature_fixed_part(enum signature_algorithm algorithm, struct slice signature);

/* The same with an Ed25519 public key as it stands. */
bool signature_verify_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                              const uint8_t signature[SIGNATURE_ED25519_SIZE]) MUST_USE;

/* Signs with an Ed25519 private key (its 32-byte seed). False without memory. */
bool signature_sign_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                            uint8_t signature[SIGNATURE_ED25519_SIZE]) MUST_USE;

/* The public key of a private one. */
bool signature_public_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                              uint8_t raw[SIGNATURE_ED25519_KEY_SIZE]) MUST_USE;

#endif
