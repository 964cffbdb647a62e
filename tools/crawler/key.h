/* The crawler's key: an Ed25519 pair, kept as a private JWK (RFC 8037) in a file of its own. */
#ifndef TOOLS_CRAWLER_KEY_H
#define TOOLS_CRAWLER_KEY_H

#include "ledger/base/text/encoding.h"
#include "ledger/verify/jwk.h"

struct key {
    uint8_t seed[SIGNATURE_ED25519_KEY_SIZE]; /* the private half, `d` */
    struct jwk jwk;                           /* the public half */
    char keyid[JWK_KEYID_CHARS + 1];          /* thumbprint in base64url: what signatures name */
};

/* Makes a key and writes it to a file that must not exist yet, readable by its owner alone. False after
 * saying why; then no file is left behind. */
bool key_make(const char *path, struct key *key) MUST_USE;

/* Reads a key. False after saying why. A file that others may read is taken with a warning. */
bool key_load(const char *path, struct key *key) MUST_USE;

/* The JWK set to publish: the public half alone, with kid and use. NULL without memory; the caller frees. */
char *key_directory(const struct key *key);

/* Wipes the private half. */
void key_forget(struct key *key);

#endif
