/* Algorithms and keys: what each key verifies and what it must not, and which JSON Web Keys become keys.
 * Tests ledger/verify/jwk.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"
#include "ledger/verify/jwk.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BASE SLICE("base")

static void algorithms_have_their_registered_names(void **state)
{
    static const char *const others[] = {
        "hmac-sha256", "rsa-v1_5-sha256", "ecdsa-p384-sha384", "EdDSA", "Ed25519", "ED25519", "", "ed25519 "};
    enum signature_algorithm algorithm;
    (void)state;
    for (int i = 0; i < SIGNATURE_ALGORITHMS; i++) {
        assert_true(signature_algorithm_parse(slice_of(signature_algorithm_name((enum signature_algorithm)i)),
                                              &algorithm));
        assert_int_equal(algorithm, i);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(signature_algorithm_parse(slice_of(others[i]), &algorithm));
}

/* A pair made by OpenSSL, and its public half as our key. */
static EVP_PKEY *make_p256(struct signature_key **key)
{
    uint8_t point[65];
    size_t len;
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    assert_non_null(pair);
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
    assert_int_equal(len, 65);
    *key = signature_key_p256(point + 1);
    assert_non_null(*key);
    return pair;
}

static size_t sign(EVP_PKEY *pair, const char *hash, int salt, uint8_t *out, size_t room)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *details;
    assert_int_equal(EVP_DigestSignInit_ex(context, &details, hash, NULL, NULL, pair, NULL), 1);
    if (salt >= 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(details, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(context, out, &room, (const unsigned char *)BASE.data, BASE.len), 1);
    EVP_MD_CTX_free(context);
    return room;
}

/* r and s of a DER signature, each in 32 bytes. */
static void raw_of(const uint8_t *der, uint8_t raw[64])
{
    const uint8_t *at = der + 2;
    memset(raw, 0, 64);
    for (int half = 0; half < 2; half++) {
        size_t len = at[1];
        const uint8_t *number = at + 2;
        at = number + len;
        while (len > 32) {
            number++;
            len--;
        }
        memcpy(raw + 32 * (size_t)half + 32 - len, number, len);
    }
}

static void ecdsa_signatures_are_r_and_s(void **state)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                      0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    struct signature_key *key;
    EVP_PKEY *pair = make_p256(&key);
    uint8_t der[80];
    uint8_t raw[65] = {0};
    (void)state;
    /* Enough for r and s with and without leading zeros and a high bit. */
    for (int i = 0; i < 600; i++) {
        sign(pair, "SHA256", -1, der, sizeof(der));
        raw_of(der, raw);
        assert_int_equal(signature_verify(key, BASE, slice_bytes(raw, 64)), ERR_OK);
    }
    assert_int_equal(signature_verify(key, SLICE("basE"), slice_bytes(raw, 64)), ERR_SIGNATURE_INVALID);
    assert_int_equal(signature_verify(key, BASE, slice_bytes(raw, 63)), ERR_SIGNATURE_INVALID);
    assert_int_equal(signature_verify(key, BASE, slice_bytes(raw, 65)), ERR_SIGNATURE_INVALID);
    assert_int_equal(signature_verify(key, BASE, slice_bytes(der, der[1] + 2U)), ERR_SIGNATURE_INVALID);
    for (int half = 0; half < 2; half++) {
        uint8_t bad[64];
        memcpy(bad, raw, 64);
        memset(bad + 32 * half, 0, 32);
        assert_int_equal(signature_verify(key, BASE, slice_bytes(bad, 64)), ERR_SIGNATURE_INVALID);
        memcpy(bad + 32 * half, order, 32);
        assert_int_equal(signature_verify(key, BASE, slice_bytes(bad, 64)), ERR_SIGNATURE_INVALID);
        memset(bad + 32 * half, 0xff, 32);
        assert_int_equal(signature_verify(key, BASE, slice_bytes(bad, 64)), ERR_SIGNATURE_INVALID);
    }
    memset(raw, 0, 64);
    assert_int_equal(signature_verify(key, BASE, slice_bytes(raw, 64)), ERR_SIGNATURE_INVALID);
    EVP_PKEY_free(pair);
    signature_key_free(key);
}

static void points_off_the_curve_are_no_keys(void **state)
{
    uint8_t point[64] = {0};
    (void)state;
    assert_null(signature_key_p256(point));
    point[63] = 1;
    assert_null(signature_key_p256(point));
    memset(point, 0xff, sizeof(point));
    assert_null(signature_key_p256(point));
}

static struct slice number_of(EVP_PKEY *pair, const char *name, uint8_t *out, size_t room)
{
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(pair, name, &number), 1);
    assert_true((size_t)BN_num_bytes(number) <= room);
    struct slice bytes = slice_bytes(out, (size_t)BN_bn2bin(number, out));
    BN_free(number);
    return bytes;
}

static void rsa_signatures_have_the_padding_of_the_rfc(void **state)
{
    uint8_t n[256];
    uint8_t e[8];
    uint8_t signature[256];
    EVP_PKEY *pair = EVP_RSA_gen(2048);
    struct slice modulus = number_of(pair, OSSL_PKEY_PARAM_RSA_N, n, sizeof(n));
    struct slice exponent = number_of(pair, OSSL_PKEY_PARAM_RSA_E, e, sizeof(e));
    struct signature_key *key = signature_key_rsa(modulus, exponent);
    static const struct {
        const char *hash;
        int salt;
        enum err err;
    } cases[] = {
        {"SHA512", 64, ERR_OK},
        {"SHA512", 32, ERR_SIGNATURE_INVALID},
        {"SHA512", 0, ERR_SIGNATURE_INVALID},
        {"SHA256", 64, ERR_SIGNATURE_INVALID},
        {"SHA512", -1, ERR_SIGNATURE_INVALID},
        {"SHA256", -1, ERR_SIGNATURE_INVALID},
    };
    (void)state;
    assert_non_null(key);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t len = sign(pair, cases[i].hash, cases[i].salt, signature, sizeof(signature));
        assert_int_equal(signature_verify(key, BASE, slice_bytes(signature, len)), cases[i].err);
        assert_int_equal(signature_verify(key, BASE, slice_bytes(signature, len - 1)), ERR_SIGNATURE_INVALID);
        assert_int_equal(signature_verify(key, SLICE("other"), slice_bytes(signature, len)),
                         ERR_SIGNATURE_INVALID);
    }
    EVP_PKEY_free(pair);
    signature_key_free(key);
}

static void rsa_numbers_have_bounds(void **state)
{
    static uint8_t n[1025];
    static const struct slice exponents[] = {
        {"", 0}, {"\x01", 1}, {"\x02", 1}, {"\x00\x03", 2}, {"\x01\x00\x00", 3}, {"\x01\x00\x00\x00\x01", 5}};
    struct slice f4 = {"\x01\x00\x01", 3};
    (void)state;
    memset(n, 0xff, sizeof(n));
    for (size_t i = 0; i < sizeof(exponents) / sizeof(*exponents); i++)
        assert_null(signature_key_rsa(slice_bytes(n, 256), exponents[i]));
    struct signature_key *three = signature_key_rsa(slice_bytes(n, 256), (struct slice){"\x03", 1});
    struct signature_key *largest = signature_key_rsa(slice_bytes(n, 1024), f4);
    assert_non_null(three);
    assert_non_null(largest);
    signature_key_free(three);
    signature_key_free(largest);
    assert_null(signature_key_rsa(slice_bytes(n, 1025), f4));
    assert_null(signature_key_rsa(slice_bytes(n, 255), f4));
    assert_null(signature_key_rsa(slice_bytes(n, 0), f4));
    n[0] = 0x7f; /* 2047 bits */
    assert_null(signature_key_rsa(slice_bytes(n, 256), f4));
    n[0] = 0;
    assert_null(signature_key_rsa(slice_bytes(n, 257), f4));
    n[0] = 0xff;
    n[255] = 0xfe;
    assert_null(signature_key_rsa(slice_bytes(n, 256), f4));
}

#define EC_X  "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA"
#define EC_Y  "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"
#define EC    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP   "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\""

/* A JWK of kty RSA whose modulus has `bytes` bytes of which the first is `first`. */
static const char *rsa_jwk(size_t bytes, uint8_t first, const char *exponent, const char *more)
{
    static char text[2048];
    static char digits[1600];
    static uint8_t n[1100];
    memset(n, 0xff, sizeof(n));
    n[0] = first;
    digits[encoding_base64url(n, bytes, digits)] = '\0';
    snprintf(text, sizeof(text), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", digits, exponent, more);
    return text;
}

static size_t count_of(const char *json, struct jwk *key)
{
    char why[JWK_WHY_MAX];
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    enum jwk_verdict verdict = jwk_read(object, key, why);
    assert_int_equal(verdict == JWK_MAY_SIGN, !*why);
    json_decref(object);
    return verdict == JWK_MAY_SIGN ? 1 : 0;
}

static void keys_of_every_type_are_read(void **state)
{
    static struct jwk keys[1];
    static const struct {
        const char *json;
        size_t count;
    } cases[] = {
        {EC "}", 1},
        {EC ",\"alg\":\"ES256\"}", 1},
        {EC ",\"alg\":\"ecdsa-p256-sha256\"}", 1},
        {EC ",\"alg\":\"ES384\"}", 0},
        {EC ",\"alg\":\"ed25519\"}", 0},
        {EC ",\"alg\":5}", 0},
        {OKP ",\"alg\":\"EdDSA\"}", 1},
        {OKP ",\"alg\":\"Ed25519\"}", 1},
        {OKP ",\"alg\":\"ed25519\"}", 1},
        {OKP ",\"alg\":\"ES256\"}", 0},
        {OKP ",\"key_ops\":[]}", 0},
        {OKP ",\"key_ops\":[5,\"verify\"]}", 1},
        {OKP ",\"key_ops\":\"verify\"}", 0},
        {OKP ",\"nbf\":1.5,\"exp\":2e9}", 1},
        {OKP ",\"nbf\":1700000000,\"exp\":1800000000}", 1},
        {OKP ",\"nbf\":1e300}", 0},
        {OKP ",\"exp\":-1e300}", 0},
        {OKP ",\"exp\":null}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", 0},
        {"{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" EC_Y "\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" EC_Y "\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "A\",\"y\":\"" EC_Y "\"}", 0},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", 0},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", 0},
        {"{\"kty\":5,\"e\":\"AQAB\"}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":5}", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (count_of(cases[i].json, keys) != cases[i].count)
            fail_msg("expected %zu: %s", cases[i].count, cases[i].json);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "AQAB", ""), keys), 1);
    assert_int_equal(count_of(rsa_jwk(1024, 0xff, "_____w", ",\"alg\":\"PS512\""), keys), 1);
    struct signature_key *key = signature_key_from_jwk(&keys[0]);
    assert_non_null(key);
    signature_key_free(key);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "AQAB", ",\"alg\":\"rsa-pss-sha512\""), keys), 1);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "AQAB", ",\"alg\":\"RS256\""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(255, 0x80, "AQAB", ""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(1025, 0x80, "AQAB", ""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(257, 0, "AQAB", ""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "AAEAAQ", ""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "AQAAAAE", ""), keys), 0);
    assert_int_equal(count_of(rsa_jwk(256, 0x80, "", ""), keys), 0);
}

static void a_jwk_must_hold_what_its_type_needs(void **state)
{
    static struct jwk keys[1];
    struct jwk *jwk = &keys[0];
    (void)state;
    assert_int_equal(
        count_of("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}", keys), 1);
    assert_null(signature_key_from_jwk(jwk)); /* not on the curve */
    assert_int_equal(count_of(EC "}", keys), 1);
    struct signature_key *key = signature_key_from_jwk(jwk);
    assert_non_null(key);
    assert_int_equal(signature_key_algorithm(key), SIGNATURE_ECDSA_P256_SHA256);
    signature_key_free(key);
    static const struct {
        enum signature_algorithm algorithm;
        const char *canonical;
    } broken[] = {
        {SIGNATURE_ECDSA_P256_SHA256, "{\"x\":\"" EC_X "\"}"},
        {SIGNATURE_ECDSA_P256_SHA256, "{\"y\":\"" EC_Y "\"}"},
        {SIGNATURE_ECDSA_P256_SHA256, "{\"x\":\"AAAA\",\"y\":\"" EC_Y "\"}"},
        {SIGNATURE_ECDSA_P256_SHA256, "{\"x\":\"" EC_X "\",\"y\":\"AAAA\"}"},
        {SIGNATURE_RSA_PSS_SHA512, "{\"e\":\"AQAB\"}"},
        {SIGNATURE_RSA_PSS_SHA512, "{\"n\":\"AQAB\"}"},
        {SIGNATURE_RSA_PSS_SHA512, "{\"e\":\"AQAB\",\"n\":\"AQAB\"}"},
        {SIGNATURE_ALGORITHMS, ""},
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        jwk->algorithm = broken[i].algorithm;
        snprintf(jwk->canonical, sizeof(jwk->canonical), "%s", broken[i].canonical);
        assert_null(signature_key_from_jwk(jwk));
    }
}

static json_t *vectors(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/vectors/%s.json", name);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static void thumbprints_are_the_published_ones(void **state)
{
    static struct jwk keys[1];
    json_t *list = vectors("jwk-thumbprint-vectors");
    (void)state;
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *vector = json_array_get(list, i);
        json_t *jwk = json_loads(json_string_value(json_object_get(vector, "jwk")), 0, NULL);
        char text[64] = "";
        json_object_del(jwk, "alg"); /* the RSA key's is RS256, which we do not take */
        char *bare = json_dumps(jwk, 0);
        assert_int_equal(count_of(bare, keys), 1);
        encoding_base64url(keys[0].thumbprint, DIGEST_SIZE, text);
        assert_string_equal(text, json_string_value(json_object_get(vector, "thumbprint")));
        assert_false(jwk_is_published_test_key(keys[0].thumbprint));
        free(bare);
        json_decref(jwk);
    }
    json_decref(list);
}

/* The base of a draft's vector, by component_base alone, and its signature, by the key that is printed. */
static void check_vector(const json_t *vector)
{
    static struct jwk keys[1];
    struct arena *arena = fresh_arena();
    const char *agent = json_string_value(json_object_get(vector, "signature_agent"));
    const char *input = json_string_value(json_object_get(vector, "signature_input"));
    struct message_field field = {SLICE("signature-agent"), slice_of(agent)};
    struct message message = {.method = SLICE("GET"),
                              .scheme = SLICE("https"),
                              .authority = SLICE("example.com"),
                              .target = SLICE("/path/to/resource"),
                              .fields = &field,
                              .field_count = agent ? 1 : 0};
    char why[JWK_WHY_MAX];
    char keyid[64] = "";
    struct sf_list inputs;
    struct sf_list signatures;
    struct slice base;
    /* The vectors print the private halves too. */
    assert_int_equal(jwk_read(json_object_get(vector, "key"), keys, why), JWK_COMPROMISED);
    assert_true(sf_parse_dictionary(arena, slice_of(input), &inputs));
    assert_true(sf_parse_dictionary(arena, slice_of(json_string_value(json_object_get(vector, "signature"))),
                                    &signatures));
    encoding_base64url(keys[0].thumbprint, DIGEST_SIZE, keyid);
    assert_slice(sf_parameter(inputs.first, SLICE("keyid"))->value.text, keyid);
    assert_int_equal(component_base(arena, &message, inputs.first, &base, NULL), ERR_OK);
    struct signature_key *key = signature_key_from_jwk(&keys[0]);
    assert_non_null(key);
    assert_slice(sf_parameter(inputs.first, SLICE("alg"))->value.text,
                 signature_algorithm_name(signature_key_algorithm(key)));
    assert_int_equal(signature_verify(key, base, signatures.first->value.text), ERR_OK);
    signature_key_free(key);
}

static void all_draft_vectors_verify(void **state)
{
    static const char *const files[] = {"web_bot_auth_architecture_v1", "web_bot_auth_architecture_v2"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *list = vectors(files[i]);
        assert_int_equal(json_array_size(list), 4);
        for (size_t k = 0; k < json_array_size(list); k++)
            check_vector(json_array_get(list, k));
        json_decref(list);
    }
}

static void keys_have_owners(void **state)
{
    static const uint8_t seed[32] = {9};
    uint8_t raw[32];
    uint8_t signature[64];
    (void)state;
    assert_true(signature_public_ed25519(seed, raw));
    assert_true(signature_sign_ed25519(seed, BASE, signature));
    struct signature_key *key = signature_key_ed25519(raw);
    assert_ptr_equal(signature_key_share(key), key);
    signature_key_free(key);
    assert_int_equal(signature_verify(key, BASE, slice_bytes(signature, 64)), ERR_OK);
    signature_key_free(key);
    signature_key_free(NULL);
}

/* A directory is fetched again for years: each key that its last owner gave back is gone. */
static void the_last_owner_frees_the_key(void **state)
{
    enum { KEYS = 5000 };
    static const uint8_t seed[32] = {9};
    uint8_t raw[32];
    (void)state;
    assert_true(signature_public_ed25519(seed, raw));
    signature_key_free(signature_key_ed25519(raw)); /* OpenSSL keeps what it has looked up */
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < KEYS; i++) {
        struct signature_key *key = signature_key_ed25519(raw);
        assert_non_null(key);
        signature_key_free(signature_key_share(key));
        signature_key_free(key);
    }
    assert_true(mallinfo2().uordblks < before + KEYS);
}

/* As the ledger asks of what it has stored: raw keys, and no error but "not good". */
static void raw_keys_verify(void **state)
{
    static const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {3}, other_seed[SIGNATURE_ED25519_KEY_SIZE] = {4};
    uint8_t raw[SIGNATURE_ED25519_KEY_SIZE], other[SIGNATURE_ED25519_KEY_SIZE];
    uint8_t signature[SIGNATURE_ED25519_SIZE];
    (void)state;
    assert_true(signature_public_ed25519(seed, raw) && signature_public_ed25519(other_seed, other));
    assert_true(signature_sign_ed25519(seed, SLICE("a"), signature));
    assert_true(signature_verify_ed25519(raw, SLICE("a"), signature));
    assert_false(signature_verify_ed25519(raw, SLICE("b"), signature));
    assert_false(signature_verify_ed25519(other, SLICE("a"), signature));
    signature[5] ^= 1;
    assert_false(signature_verify_ed25519(raw, SLICE("a"), signature));
}

/* The nineteen y from p on, with either sign, and the points of small order. */
static void odd_ed25519_keys_are_refused(void **state)
{
    static const uint8_t small[][32] = {
        {0},
        {1},
        {[0] = 0xec, [1 ... 30] = 0xff, [31] = 0x7f},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    };
    uint8_t raw[32];
    (void)state;
    for (int sign_bit = 0; sign_bit < 256; sign_bit += 128) {
        for (int y = 0xed; y < 256; y++) {
            memset(raw, 0xff, sizeof(raw));
            raw[0] = (uint8_t)y;
            raw[31] = (uint8_t)(0x7f | sign_bit);
            assert_null(signature_key_ed25519(raw));
        }
        for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++) {
            memcpy(raw, small[i], sizeof(raw));
            raw[31] |= (uint8_t)sign_bit;
            assert_null(signature_key_ed25519(raw));
        }
    }
    /* Close to those, but proper: whether OpenSSL finds a point or not, none of them is refused as odd. */
    for (int y = 0xed; y < 256; y++) {
        memset(raw, 0xff, sizeof(raw));
        raw[0] = (uint8_t)y;
        raw[31] = 0x7f;
        raw[15] = 0xfe;
        signature_key_free(signature_key_ed25519(raw));
    }
    memset(raw, 0xff, sizeof(raw));
    raw[30] = 0xfe;
    raw[31] = 0x7f;
    struct signature_key *proper = signature_key_ed25519(raw);
    assert_non_null(proper);
    signature_key_free(proper);
    memcpy(raw, small[3], sizeof(raw));
    raw[31] = 0x70;
    signature_key_free(signature_key_ed25519(raw));
    memset(raw, 0xff, sizeof(raw));
    raw[31] = 0x6f;
    signature_key_free(signature_key_ed25519(raw));
}

static void *sign_in_thread(void *argument)
{
    static const uint8_t seed[32] = {3};
    uint8_t signature[64];
    *(bool *)argument = signature_sign_ed25519(seed, BASE, signature);
    return NULL;
}

static void each_thread_has_a_context_of_its_own(void **state)
{
    pthread_t thread;
    bool signed_there = false;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, sign_in_thread, &signed_there), 0);
    pthread_join(thread, NULL);
    assert_true(signed_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algorithms_have_their_registered_names),
        cmocka_unit_test(ecdsa_signatures_are_r_and_s),
        cmocka_unit_test(points_off_the_curve_are_no_keys),
        cmocka_unit_test(rsa_signatures_have_the_padding_of_the_rfc),
        cmocka_unit_test(rsa_numbers_have_bounds),
        cmocka_unit_test(keys_of_every_type_are_read),
        cmocka_unit_test(a_jwk_must_hold_what_its_type_needs),
        cmocka_unit_test(thumbprints_are_the_published_ones),
        cmocka_unit_test(all_draft_vectors_verify),
        cmocka_unit_test(keys_have_owners),
        cmocka_unit_test(the_last_owner_frees_the_key),
        cmocka_unit_test(raw_keys_verify),
        cmocka_unit_test(odd_ed25519_keys_are_refused),
        cmocka_unit_test(each_thread_has_a_context_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
