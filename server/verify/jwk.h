/* JSON Web Keys (RFC 7517, 7518 and 8037), their thumbprints (RFC 7638) and key sets. Pure. */
#ifndef SERVER_VERIFY_JWK_H
#define SERVER_VERIFY_JWK_H

#include "ledger/base/digest.h"
#include "ledger/base/encoding.h"
#include "ledger/base/err.h"
#include "server/verify/signature.h"

#define JWK_SET_MAX     64   /* keys of a directory that are looked at; a larger one is refused */
#define JWK_TEXT_MAX    1440 /* canonical JSON of the longest RSA key that is taken, with its NUL */
#define JWK_KEYID_CHARS ENCODING_BASE64URL_LEN(DIGEST_SIZE)

struct jwk {
    enum signature_algorithm algorithm;
    uint8_t thumbprint[DIGEST_SIZE];
    int64_t not_before; /* `nbf`, seconds; 0 when not given */
    int64_t expires;    /* `exp`, seconds; INT64_MAX when not given */
    /* Ed25519's public key; zeros for the other types. */
    uint8_t raw[SIGNATURE_ED25519_KEY_SIZE];
    /* The JSON that the thumbprint is of: the whole public key, whatever its type. */
    char canonical[JWK_TEXT_MAX];
};

/* Makes the Ed25519 key `raw` complete: algorithm, canonical and thumbprint. */
void jwk_complete(struct jwk *jwk);

/* Decodes one base64url member of the canonical form into at most `room` bytes: "x", "y", "n" or "e". False
 * when the key has no such member. */
bool jwk_bytes(const struct jwk *jwk, const char *name, uint8_t *out, size_t room, size_t *len) MUST_USE;

/* Reads a key set, or one bare key, and keeps the keys that may sign by an algorithm of signature.h: OKP with
 * Ed25519, EC with P-256, RSA. `alg` may be absent, or the JOSE or RFC 9421 name of the key type's algorithm.
 * Entries of other types or for other uses are left out; a malformed entry is left out too. Whether OpenSSL
 * takes the numbers is seen when signature_key_from_jwk is called. ERR_DIRECTORY_UNAVAILABLE when the text is
 * not a JSON key set or has more than JWK_SET_MAX keys. */
enum err jwk_set_parse(struct slice json, struct jwk keys[JWK_SET_MAX], size_t *count) MUST_USE;

/* True for the keys that RFC 9421 appendix B.1 prints with their private halves. */
bool jwk_is_published_test_key(const uint8_t thumbprint[DIGEST_SIZE]);

#endif
