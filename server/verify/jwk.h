/* JSON Web Keys (RFC 7517), their thumbprints (RFC 7638, RFC 8037 appendix A.3) and key sets. Pure. */
#ifndef SERVER_VERIFY_JWK_H
#define SERVER_VERIFY_JWK_H

#include "ledger/base/digest.h"
#include "ledger/base/encoding.h"
#include "ledger/base/err.h"
#include "server/verify/signature.h"

#define JWK_SET_MAX     64  /* keys of a directory that are looked at; a larger one is refused */
#define JWK_TEXT_MAX    128 /* canonical JSON of an Ed25519 public key, with its NUL */
#define JWK_KEYID_CHARS ENCODING_BASE64URL_LEN(DIGEST_SIZE)

struct jwk {
    uint8_t raw[SIGNATURE_ED25519_KEY_SIZE];
    uint8_t thumbprint[DIGEST_SIZE];
    char canonical[JWK_TEXT_MAX]; /* the JSON that the thumbprint is of */
    int64_t not_before;           /* `nbf`, seconds; 0 when not given */
    int64_t expires;              /* `exp`, seconds; INT64_MAX when not given */
};

/* Fills canonical and thumbprint from `raw`. */
void jwk_complete(struct jwk *jwk);

/* Reads a key set, or one bare key, and keeps the Ed25519 keys that may sign. Entries of other types or for
 * other uses are left out; a malformed entry is left out too. ERR_DIRECTORY_UNAVAILABLE when the text is not
 * a JSON key set or has more than JWK_SET_MAX keys. */
enum err jwk_set_parse(struct slice json, struct jwk keys[JWK_SET_MAX], size_t *count) MUST_USE;

/* True for the Ed25519 key that RFC 9421 appendix B.1.4 prints with its private half. */
bool jwk_is_published_test_key(const uint8_t thumbprint[DIGEST_SIZE]);

#endif
