/* The thumbprint is a key's only name. So its canonical form must be the only way to write the key: numbers
 * of exactly their length, without leading zeros, and no member beside those that RFC 7638 lists. */
#include "ledger/verify/jwk.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define QUOTED_MAX 60 /* characters of a member's value */

/* Exactly the members that RFC 7638 section 3.2 and RFC 8037 section 2 require, in lexical order. */
static void digest(struct jwk *jwk)
{
    assert(jwk->canonical[0] == '{');
    struct slice canonical = slice_of(jwk->canonical);
    digest_sha256(&canonical, 1, jwk->thumbprint);
}

void jwk_complete(struct jwk *jwk)
{
    char x[ENCODING_BASE64URL_LEN(SIGNATURE_ED25519_KEY_SIZE) + 1];
    x[encoding_base64url(jwk->raw, sizeof(jwk->raw), x)] = '\0';
    int len = snprintf(jwk->canonical, sizeof(jwk->canonical),
                       "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    assert(len > 0 && len < JWK_TEXT_MAX);
    jwk->algorithm = SIGNATURE_ED25519;
    digest(jwk);
}

bool jwk_bytes(const struct jwk *jwk, const char *name, uint8_t *out, size_t room, size_t *len)
{
    char start[8];
    int start_len = snprintf(start, sizeof(start), "\"%s\":\"", name);
    assert(start_len > 0 && (size_t)start_len < sizeof(start)); /* the members' names have one letter */
    const char *at = strstr(jwk->canonical, start);
    if (!at)
        return false;
    struct slice rest = slice_of(at + strlen(start));
    return encoding_unbase64url((struct slice){rest.data, slice_find(rest, '"')}, out, room, len);
}

/* What the member holds if it is a text without a NUL, of which the rest would not be seen; or NULL. */
static const char *text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool says(const json_t *object, const char *name, const char *wanted)
{
    const char *text = text_of(object, name);
    return text && strcmp(text, wanted) == 0;
}

/* Writes why the key is refused: the value of the member that it is about, cut where it is long, and `what`.
 * Returns false. */
static bool refuse(char why[JWK_WHY_MAX], const char *what, const json_t *object, const char *name)
{
    assert(name && *what);
    char *text = json_dumps(json_object_get(object, name), JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    bool cut = text && strlen(text) > QUOTED_MAX;
    snprintf(why, JWK_WHY_MAX, "%s is %.*s%s, %s", name, QUOTED_MAX, text ? text : "missing",
             cut ? "..." : "", what);
    free(text);
    assert(*why);
    return false;
}

/* `alg` is absent, or one of the names in use for the algorithm: JOSE's and RFC 9421's. */
static bool algorithm_fits(const json_t *object, enum signature_algorithm algorithm)
{
    static const char *const jose[SIGNATURE_ALGORITHMS][2] = {
        [SIGNATURE_ED25519] = {"EdDSA", "Ed25519"},
        [SIGNATURE_ECDSA_P256_SHA256] = {"ES256", "ES256"},
        [SIGNATURE_RSA_PSS_SHA512] = {"PS512", "PS512"},
    };
    assert(algorithm < SIGNATURE_ALGORITHMS && jose[algorithm][0]);
    return !json_object_get(object, "alg") || says(object, "alg", jose[algorithm][0]) ||
           says(object, "alg", jose[algorithm][1]) ||
           says(object, "alg", signature_algorithm_name(algorithm));
}

/* `key_ops` (RFC 7517 section 4.3) is absent or has verify. */
static bool may_verify(const json_t *object)
{
    const json_t *operations = json_object_get(object, "key_ops");
    if (!operations)
        return true;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));
        if (operation && strcmp(operation, "verify") == 0)
            return true;
    }
    return false;
}

/* NumericDate of RFC 7519: fractions are cut off. False when it is no number, or far from any date. Whole
 * numbers may have come as real ones (jwk_set.c): so far from any date they are exact. */
static bool read_second(const json_t *object, const char *name, int64_t *seconds)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return true;
    if (!json_is_number(value) || json_number_value(value) <= -1e15 || json_number_value(value) >= 1e15)
        return false;
    *seconds = json_is_integer(value) ? json_integer_value(value) : (int64_t)json_real_value(value);
    assert(*seconds > INT64_C(-1000000000000000) && *seconds < INT64_C(1000000000000000));
    return true;
}

/* A member of `least` to `most` bytes in base64url. NULL when it is not that, or when its number could be
 * written in another way too: with leading zeros, where the length is not fixed. */
static const char *number_text(const json_t *object, const char *name, size_t least, size_t most)
{
    assert(least > 0 && least <= most && most <= SIGNATURE_RSA_MAX_BITS / 8);
    uint8_t bytes[SIGNATURE_RSA_MAX_BITS / 8];
    size_t len;
    const char *text = text_of(object, name);
    if (!text || !encoding_unbase64url(slice_of(text), bytes, most, &len) || len < least)
        return NULL;
    return least == most || bytes[0] != 0 ? text : NULL;
}

static bool read_okp(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    size_t len;
    const char *x = number_text(object, "x", sizeof(jwk->raw), sizeof(jwk->raw));
    if (!says(object, "crv", "Ed25519"))
        return refuse(why, "not \"Ed25519\"", object, "crv");
    if (!x || !encoding_unbase64url(slice_of(x), jwk->raw, sizeof(jwk->raw), &len))
        return refuse(why, "not 32 bytes in base64url", object, "x");
    jwk_complete(jwk);
    return true;
}

static bool read_ec(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    const char *x = number_text(object, "x", SIGNATURE_P256_KEY_SIZE / 2, SIGNATURE_P256_KEY_SIZE / 2);
    const char *y = number_text(object, "y", SIGNATURE_P256_KEY_SIZE / 2, SIGNATURE_P256_KEY_SIZE / 2);
    if (!says(object, "crv", "P-256"))
        return refuse(why, "not \"P-256\"", object, "crv");
    if (!x || !y)
        return refuse(why, "not 32 bytes in base64url", object, x ? "y" : "x");
    jwk->algorithm = SIGNATURE_ECDSA_P256_SHA256;
    snprintf(jwk->canonical, sizeof(jwk->canonical),
             "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    digest(jwk);
    return true;
}

static bool read_rsa(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    const char *n = number_text(object, "n", SIGNATURE_RSA_MIN_BITS / 8, SIGNATURE_RSA_MAX_BITS / 8);
    const char *e = number_text(object, "e", 1, SIGNATURE_RSA_EXPONENT_MAX);
    if (!e)
        return refuse(why, "not 1 to 4 bytes in base64url without leading zeros", object, "e");
    if (!n)
        return refuse(why, "not 2048 to 8192 bits in base64url without leading zeros", object, "n");
    _Static_assert(JWK_TEXT_MAX > ENCODING_BASE64URL_LEN(SIGNATURE_RSA_MAX_BITS / 8) +
                                      ENCODING_BASE64URL_LEN(SIGNATURE_RSA_EXPONENT_MAX) +
                                      sizeof("{\"e\":\"\",\"kty\":\"RSA\",\"n\":\"\"}"),
                   "room for the longest key that is taken");
    jwk->algorithm = SIGNATURE_RSA_PSS_SHA512;
    snprintf(jwk->canonical, sizeof(jwk->canonical), "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
    digest(jwk);
    return true;
}

static bool read_public(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    if (says(object, "kty", "OKP"))
        return read_okp(object, jwk, why);
    if (says(object, "kty", "EC"))
        return read_ec(object, jwk, why);
    if (says(object, "kty", "RSA"))
        return read_rsa(object, jwk, why);
    return refuse(why, "not \"OKP\", \"EC\" or \"RSA\"", object, "kty");
}

/* The name of a member that only a private key has (RFC 7518 section 6, RFC 8037 section 2), or NULL. */
static const char *private_member(const json_t *object)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    /* Of keys other than RSA's "d" alone: what the other names mean there is not for us to say. */
    size_t count = says(object, "kty", "RSA") ? sizeof(names) / sizeof(*names) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, names[i]);
        if (value && !json_is_null(value))
            return names[i];
    }
    return NULL;
}

static bool may_sign(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    if (json_object_get(object, "use") && !says(object, "use", "sig"))
        return refuse(why, "not \"sig\"", object, "use");
    if (!may_verify(object))
        return refuse(why, "without \"verify\"", object, "key_ops");
    if (!algorithm_fits(object, jwk->algorithm))
        return refuse(why, "not the algorithm of such a key", object, "alg");
    if (!read_second(object, "nbf", &jwk->not_before))
        return refuse(why, "no time in seconds since 1970", object, "nbf");
    if (!read_second(object, "exp", &jwk->expires))
        return refuse(why, "no time in seconds since 1970", object, "exp");
    return true;
}

enum jwk_verdict jwk_read(const json_t *object, struct jwk *jwk, char why[JWK_WHY_MAX])
{
    *why = '\0';
    *jwk = (struct jwk){.expires = INT64_MAX};
    if (!json_is_object(object)) {
        snprintf(why, JWK_WHY_MAX, "it is no JSON object");
        return JWK_NO_KEY;
    }
    if (!read_public(object, jwk, why))
        return JWK_NO_KEY;
    assert(jwk->canonical[0]);
    const char *secret = private_member(object);
    if (secret) {
        snprintf(why, JWK_WHY_MAX, "its private half is published (%s): whoever reads it can sign", secret);
        return JWK_COMPROMISED;
    }
    return may_sign(object, jwk, why) ? JWK_MAY_SIGN : JWK_MAY_NOT_SIGN;
}

bool jwk_is_published_test_key(const uint8_t thumbprint[DIGEST_SIZE])
{
    static const char *const keyids[] = {
        "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U", /* test-key-ed25519 */
        "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA", /* test-key-rsa-pss */
        "BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo", /* test-key-rsa */
        "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI", /* test-key-ecc-p256 */
    };
    char text[ENCODING_BASE64URL_LEN(DIGEST_SIZE)];
    encoding_base64url(thumbprint, DIGEST_SIZE, text);
    for (size_t i = 0; i < sizeof(keyids) / sizeof(*keyids); i++)
        if (memcmp(text, keyids[i], sizeof(text)) == 0)
            return true;
    return false;
}
