/* JSON Web Keys (RFC 7517, 7518 and 8037) and their thumbprints (RFC 7638). Pure. */
#ifndef LEDGER_VERIFY_JWK_H
#define LEDGER_VERIFY_JWK_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/err.h"
#include "ledger/verify/signature.h"

#include <jansson.h>

#define JWK_WHY_MAX     160  /* a sentence on what is wrong with a key, with its NUL */
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

/* What a key is good for. */
enum jwk_verdict {
    JWK_MAY_SIGN,
    JWK_MAY_NOT_SIGN, /* a key, and its thumbprint is known, but not for this */
    JWK_COMPROMISED,  /* it is there with its private half */
    JWK_NO_KEY,       /* not even a thumbprint */
};

/* Reads one key that may sign by an algorithm of signature.h: OKP with Ed25519, EC with P-256, RSA. `use`,
 * `key_ops` and `alg` may be absent, or fit; `alg` is the JOSE or RFC 9421 name. Members that are not
 * understood are ignored (RFC 7517 section 4). Whether OpenSSL takes the numbers is seen when
 * signature_key_from_jwk is called. `why`: empty with JWK_MAY_SIGN, else a sentence that quotes what is
 * wrong. */
enum jwk_verdict jwk_read(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX]) MUST_USE;

/* True for the keys that RFC 9421 appendix B.1 prints with their private halves. */
bool jwk_is_published_test_key(const uint8_t thumbprint[DIGEST_SIZE]);

#endif
