#include "server/verify/jwk.h"

#include "ledger/base/encoding.h"

#include <jansson.h>
#include <stdio.h>

void jwk_complete(struct jwk *jwk)
{
    char x[ENCODING_BASE64URL_LEN(SIGNATURE_ED25519_KEY_SIZE) + 1];
    x[encoding_base64url(jwk->raw, sizeof(jwk->raw), x)] = '\0';
    snprintf(jwk->canonical, sizeof(jwk->canonical), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    struct slice canonical = slice_of(jwk->canonical);
    digest_sha256(&canonical, 1, jwk->thumbprint);
}

static bool says(const json_t *object, const char *name, const char *wanted, bool must)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return !must;
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* `alg` is absent, or one of the names in use for Ed25519. */
static bool algorithm_fits(const json_t *object)
{
    return says(object, "alg", "EdDSA", false) || says(object, "alg", "ed25519", false) ||
           says(object, "alg", "Ed25519", false);
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

static bool read_second(const json_t *object, const char *name, int64_t *seconds)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return true;
    if (!json_is_number(value))
        return false;
    *seconds = json_is_integer(value) ? json_integer_value(value) : (int64_t)json_number_value(value);
    return true;
}

static bool read_key(const json_t *object, struct jwk *jwk)
{
    size_t len;
    const char *x = json_string_value(json_object_get(object, "x"));
    *jwk = (struct jwk){.expires = INT64_MAX};
    if (!x || !says(object, "kty", "OKP", true) || !says(object, "crv", "Ed25519", true) ||
        !says(object, "use", "sig", false) || !algorithm_fits(object) || !may_verify(object))
        return false;
    if (!encoding_unbase64url(slice_of(x), jwk->raw, sizeof(jwk->raw), &len) || len != sizeof(jwk->raw))
        return false;
    if (!read_second(object, "nbf", &jwk->not_before) || !read_second(object, "exp", &jwk->expires))
        return false;
    jwk_complete(jwk);
    return true;
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
    static const char keyid[] = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
    char text[ENCODING_BASE64URL_LEN(DIGEST_SIZE)];
    encoding_base64url(thumbprint, DIGEST_SIZE, text);
    return memcmp(text, keyid, sizeof(text)) == 0;
}
