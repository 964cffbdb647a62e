/* What ed25519.c asks of a library. Keys and signatures that come here have passed the checks of ed25519.c.
 */
#ifndef LEDGER_BASE_CRYPTO_ED25519_LIBRARY_H
#define LEDGER_BASE_CRYPTO_ED25519_LIBRARY_H

#include "ledger/base/crypto/ed25519.h"

struct ed25519_library {
    const char *name;
    /* The library's own form of a public key; NULL without memory. `key_free` is never called with NULL. */
    void *(*key_new)(const uint8_t raw[ED25519_KEY_SIZE]);
    void (*key_free)(void *key);
    bool (*verify)(const void *key, struct slice message, const uint8_t signature[ED25519_SIZE]);
    bool (*sign)(const uint8_t seed[ED25519_KEY_SIZE], struct slice message, uint8_t signature[ED25519_SIZE]);
    bool (*public)(const uint8_t seed[ED25519_KEY_SIZE], uint8_t raw[ED25519_KEY_SIZE]);
};

extern const struct ed25519_library ed25519_openssl, ed25519_sodium;

/* As ed25519_key_new, with a library that is named: a test compares them. */
struct ed25519_key *ed25519_key_with(const struct ed25519_library *library,
                                     const uint8_t raw[ED25519_KEY_SIZE]);

#endif
