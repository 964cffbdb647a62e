#include "server/verify/jwk.h"

#include "ledger/base/encoding.h"

#include <jansson.h>
#include <stdio.h>

/* Exactly the members that RFC 7638 section 3.2 and RFC 8037 section 2 require, in lexical order. */
static void digest(struct jwk *jwk)
{
    struct slice canonical = slice_of(jwk->canonical);
    digest_sha256(&canonical, 1, jwk->thumbprint);
}

void jwk_complete(struct jwk *jwk)
{
    char x[ENCODING_BASE64URL_LEN(SIGNATURE_ED25519_KEY_SIZE) + 1];
    x[encoding_base64url(jwk->raw, sizeof(jwk->raw), x)] = '\0';
    snprintf(jwk->canonical, sizeof(jwk->canonical), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    jwk->algorithm = SIGNATURE_ED25519;
    digest(jwk);
}

bool jwk_bytes(const struct jwk *jwk, const char *name, uint8_t *out, size_t room, size_t *len)
{
    char start[8];
    snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(jwk->canonical, start);
    if (!at)
        return false;
    struct slice rest = slice_of(at + strlen(start));
    return encoding_unbase64url((struct slice){rest.data, slice_find(rest, '"')}, out, room, len);
}

static bool says(const json_t *object, const char *name, const char *wanted, bool must)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return !must;
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* `alg` is absent, or one of the names in use for the algorithm: JOSE's and RFC 9421's. */
static bool algorithm_fits(const json_t *object, enum signature_algorithm algorithm)
{
    static const char *const jose[SIGNATURE_ALGORITHMS][2] = {
        [SIGNATURE_ED25519] = {"EdDSA", "Ed25519"},
        [SIGNATURE_ECDSA_P256_SHA256] = {"ES256", "ES256"},
        [SIGNATURE_RSA_PSS_SHA512] = {"PS512", "PS512"},
    };
    return says(object, "alg", jose[algorithm][0], false) || says(object, "alg", jose[algorithm][1], false) ||
           says(object, "alg", signature_algorithm_name(algorithm), false);
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

/* NumericDate of RFC 7519: fractions are cut off. False when it is no number, or far from any date. */
static bool read_second(const json_t *object, const char *name, int64_t *seconds)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return true;
    if (json_is_integer(value))
        *seconds = json_integer_value(value);
    else if (json_is_real(value) && json_real_value(value) > -1e15 && json_real_value(value) < 1e15)
        *seconds = (int64_t)json_real_value(value);
    else
        return false;
    return true;
}

/* A member of `least` to `most` bytes in base64url. NULL when it is not that, or when its number could be
 * written in another way too: with leading zeros, where the length is not fixed. */
static const char *number_text(const json_t *object, const char *name, size_t least, size_t most)
{
    uint8_t bytes[SIGNATURE_RSA_MAX_BITS / 8];
    size_t len;
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || !encoding_unbase64url(slice_of(text), bytes, most, &len) || len < least)
        return NULL;
    return least == most || bytes[0] != 0 ? text : NULL;
}

static bool read_okp(const json_t *object, struct jwk *jwk)
{
    size_t len;
    const char *x = number_text(object, "x", sizeof(jwk->raw), sizeof(jwk->raw));
    if (!x || !says(object, "crv", "Ed25519", true) ||
        !encoding_unbase64url(slice_of(x), jwk->raw, sizeof(jwk->raw), &len))
        return false;
    jwk_complete(jwk);
    return true;
}

static bool read_ec(const json_t *object, struct jwk *jwk)
{
    const char *x = number_text(object, "x", SIGNATURE_P256_KEY_SIZE / 2, SIGNATURE_P256_KEY_SIZE / 2);
    const char *y = number_text(object, "y", SIGNATURE_P256_KEY_SIZE / 2, SIGNATURE_P256_KEY_SIZE / 2);
    if (!x || !y || !says(object, "crv", "P-256", true))
        return false;
    jwk->algorithm = SIGNATURE_ECDSA_P256_SHA256;
    snprintf(jwk->canonical, sizeof(jwk->canonical),
             "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    digest(jwk);
    return true;
}

static bool read_rsa(const json_t *object, struct jwk *jwk)
{
    const char *n = number_text(object, "n", SIGNATURE_RSA_MIN_BITS / 8, SIGNATURE_RSA_MAX_BITS / 8);
    const char *e = number_text(object, "e", 1, SIGNATURE_RSA_EXPONENT_MAX);
    if (!n || !e)
        return false;
    jwk->algorithm = SIGNATURE_RSA_PSS_SHA512;
    snprintf(jwk->canonical, sizeof(jwk->canonical), "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
    digest(jwk);
    return true;
}

static bool read_key(const json_t *object, struct jwk *jwk)
{
    *jwk = (struct jwk){.expires = INT64_MAX};
    if (!says(object, "use", "sig", false) || !may_verify(object) ||
        !read_second(object, "nbf", &jwk->not_before) || !read_second(object, "exp", &jwk->expires))
        return false;
    bool read = (says(object, "kty", "OKP", true) && read_okp(object, jwk)) ||
                (says(object, "kty", "EC", true) && read_ec(object, jwk)) ||
                (says(object, "kty", "RSA", true) && read_rsa(object, jwk));
    return read && algorithm_fits(object, jwk->algorithm);
}

enum err jwk_set_parse(struct slice json, struct jwk keys[JWK_SET_MAX], size_t *count)
{
    enum err err = ERR_DIRECTORY_UNAVAILABLE;
    json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *set = json_object_get(root, "keys");
    *count = 0;
    if (json_is_array(set) && json_array_size(set) <= JWK_SET_MAX) {
        for (size_t i = 0; i < json_array_size(set); i++)
            if (read_key(json_array_get(set, i), &keys[*count]))
                ++*count;
        err = ERR_OK;
    } else if (!set && json_object_get(root, "kty")) {
        *count = read_key(root, &keys[0]) ? 1 : 0;
        err = ERR_OK;
    }
    json_decref(root);
    return err;
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
