/* Two libraries, one judgement: what OpenSSL and libsodium say of the same signatures behind ed25519.h, where
 * RFC 8032 leaves a choice too. Tests ledger/base/crypto/ed25519.c ledger/base/crypto/ed25519_openssl.c
 * ledger/base/crypto/ed25519_sodium.c. ED25519_ROUNDS=N: so many random ones; ED25519_SEED=N: others. */
#include "tests/unit/support.h"

#include "ledger/base/crypto/ed25519_library.h"
#include "ledger/base/text/encoding.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_MAX 256

static const struct ed25519_library *const libraries[] = {&ed25519_openssl, &ed25519_sodium};

/* What each of them says, which must be one thing. */
static bool judge(const uint8_t raw[ED25519_KEY_SIZE], struct slice message,
                  const uint8_t signature[ED25519_SIZE])
{
    bool good[2];
    for (int i = 0; i < 2; i++) {
        struct ed25519_key *key = ed25519_key_with(libraries[i], raw);
        good[i] = key && ed25519_verify(key, message, signature);
        ed25519_key_free(key);
    }
    if (good[0] != good[1]) {
        char text[3][2 * MESSAGE_MAX + 1];
        print_message("key %s\nmessage %s\nsignature %s\n%s says %d, %s says %d\n",
                      sodium_bin2hex(text[0], sizeof(text[0]), raw, ED25519_KEY_SIZE),
                      sodium_bin2hex(text[1], sizeof(text[1]), (const uint8_t *)message.data, message.len),
                      sodium_bin2hex(text[2], sizeof(text[2]), signature, ED25519_SIZE), libraries[0]->name,
                      good[0], libraries[1]->name, good[1]);
        fail();
    }
    return good[0];
}

static void from_hex(const char *text, uint8_t *out, size_t size)
{
    size_t len;
    assert_int_equal(sodium_hex2bin(out, size, text, strlen(text), NULL, &len, NULL), 0);
    assert_int_equal(len, size);
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static void published_vectors_hold(void **state)
{
    static const struct {
        const char *seed, *raw, *message, *signature;
    } vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        uint8_t seed[32], raw[32], signature[64], made[64], public[32], message[2];
        size_t len = strlen(vectors[i].message) / 2;
        from_hex(vectors[i].seed, seed, sizeof(seed));
        from_hex(vectors[i].raw, raw, sizeof(raw));
        from_hex(vectors[i].signature, signature, sizeof(signature));
        from_hex(vectors[i].message, message, len);
        assert_true(judge(raw, slice_bytes(message, len), signature));
        for (int j = 0; j < 2; j++) {
            assert_true(libraries[j]->public(seed, public));
            assert_memory_equal(public, raw, sizeof(raw));
            assert_true(libraries[j]->sign(seed, slice_bytes(message, len), made));
            assert_memory_equal(made, signature, sizeof(signature));
        }
    }
}

/* Numbers modulo L, 32 bytes each, little-endian. */
static const char order_hex[] = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

static void multiply_add(const uint8_t h[64], const uint8_t a[32], const uint8_t r[32], uint8_t out[32])
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *order = NULL, *x = BN_lebin2bn(h, 64, NULL), *y = BN_lebin2bn(a, 32, NULL);
    BIGNUM *z = BN_lebin2bn(r, 32, NULL);
    assert_true(BN_hex2bn(&order, order_hex) > 0);
    assert_int_equal(BN_mod_mul(x, x, y, order, context) & BN_mod_add(x, x, z, order, context), 1);
    assert_int_equal(BN_bn2lebinpad(x, out, 32), 32);
    BN_free(order), BN_free(x), BN_free(y), BN_free(z);
    BN_CTX_free(context);
}

static void scalar_of(const uint8_t seed[32], uint8_t scalar[32])
{
    uint8_t hash[64];
    assert_int_equal(EVP_Digest(seed, 32, hash, NULL, EVP_sha512(), NULL), 1);
    memcpy(scalar, hash, 32);
    scalar[0] &= 248;
    scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
}

/* SHA-512 over R, the key and the message. */
static void challenge(const uint8_t r[32], const uint8_t raw[32], struct slice message, uint8_t out[64])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex(context, EVP_sha512(), NULL), 1);
    assert_int_equal(EVP_DigestUpdate(context, r, 32) & EVP_DigestUpdate(context, raw, 32) &
                         EVP_DigestUpdate(context, message.data, message.len),
                     1);
    assert_int_equal(EVP_DigestFinal_ex(context, out, NULL), 1);
    EVP_MD_CTX_free(context);
}

static const uint8_t seed_of_all[32] = {7, 7, 7};

/* S and S + L are the same number of the same curve; only the first is a signature. */
static void a_second_form_of_a_signature_is_refused(void **state)
{
    uint8_t raw[32], signature[64];
    (void)state;
    assert_true(ed25519_public(seed_of_all, raw) && ed25519_sign(seed_of_all, SLICE("m"), signature));
    assert_true(judge(raw, SLICE("m"), signature));
    BIGNUM *order = NULL, *s = BN_lebin2bn(signature + 32, 32, NULL);
    assert_true(BN_hex2bn(&order, order_hex) > 0);
    for (int times = 1; times <= 7; times++) {
        assert_int_equal(BN_add(s, s, order), 1);
        assert_int_equal(BN_bn2lebinpad(s, signature + 32, 32), 32);
        assert_false(judge(raw, SLICE("m"), signature));
    }
    BN_free(order), BN_free(s);
}

/* R the neutral element, S = h·a: the equation holds, and it says that somebody knew the key, but a nonce
 * that is known gives the key away. libsodium alone would refuse it. */
static void a_nonce_of_small_order_is_refused(void **state)
{
    static const uint8_t zero[32], forms[][32] = {
                                       {1},
                                       {[0] = 1, [31] = 0x80},
                                       {[0] = 0xee, [1 ... 30] = 0xff, [31] = 0x7f},
                                       {[0] = 0xee, [1 ... 30] = 0xff, [31] = 0xff},
                                   };
    uint8_t raw[32], scalar[32], hash[64], signature[64];
    (void)state;
    assert_true(ed25519_public(seed_of_all, raw));
    scalar_of(seed_of_all, scalar);
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        memcpy(signature, forms[i], 32);
        challenge(forms[i], raw, SLICE("m"), hash);
        multiply_add(hash, scalar, zero, signature + 32);
        assert_false(judge(raw, SLICE("m"), signature));
    }
    /* It is the rule that refuses the first, not the equation. */
    void *key = ed25519_openssl.key_new(raw);
    memcpy(signature, forms[0], 32);
    challenge(forms[0], raw, SLICE("m"), hash);
    multiply_add(hash, scalar, zero, signature + 32);
    assert_true(ed25519_openssl.verify(key, SLICE("m"), signature));
    ed25519_openssl.key_free(key);
}

/* A key with a part of order 8: where h is a multiple of 8 the part vanishes and both accept, else both
 * refuse, since neither multiplies by the cofactor. */
static void the_equation_is_without_the_cofactor(void **state)
{
    static const uint8_t eighth[32] = {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                                       0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                                       0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
    static const uint8_t zero[32], one[32] = {1};
    uint8_t raw[32], mixed[32], scalar[32], nonce[32] = {5}, hash[64], reduced[32], signature[64];
    int good = 0;
    (void)state;
    assert_true(ed25519_public(seed_of_all, raw));
    assert_int_equal(crypto_core_ed25519_add(mixed, raw, eighth), 0);
    scalar_of(seed_of_all, scalar);
    assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(signature, nonce), 0);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t message[1] = {(uint8_t)i};
        challenge(signature, mixed, slice_bytes(message, 1), hash);
        multiply_add(hash, one, zero, reduced);
        multiply_add(hash, scalar, nonce, signature + 32);
        bool vanishes = (reduced[0] & 7) == 0;
        assert_int_equal(judge(mixed, slice_bytes(message, 1), signature), vanishes);
        good += vanishes;
    }
    assert_in_range(good, 1, 63);
}

/* Every y from p on, and every point of small order, with either sign of x. */
static void odd_keys_are_refused(void **state)
{
    uint8_t raw[32], signature[64];
    (void)state;
    assert_true(ed25519_sign(seed_of_all, SLICE("m"), signature));
    for (unsigned i = 0; i < 2 * 19; i++) {
        memset(raw, 0xff, sizeof(raw));
        raw[0] = (uint8_t)(0xed + i / 2);
        raw[31] = i % 2 ? 0xff : 0x7f;
        for (int j = 0; j < 2; j++)
            assert_null(ed25519_key_with(libraries[j], raw));
    }
    /* Half of all y are no point: that is found when the key is used, if not before. */
    int none = 0;
    for (unsigned i = 2; i < 200; i++) {
        uint8_t off[32] = {(uint8_t)i};
        assert_false(judge(off, SLICE("m"), signature));
        none += crypto_core_ed25519_is_valid_point(off) == 0;
    }
    assert_true(none > 50);
}

static uint64_t seed;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A bit of the signature, the key or the message, a byte at an end, or halves of two signatures. */
static void spoil(uint8_t raw[32], uint8_t *message, size_t len, uint8_t signature[64])
{
    static const uint8_t ends[] = {0x00, 0x01, 0x7f, 0x80, 0xec, 0xed, 0xff};
    switch (any() % 5) {
    case 0:
        signature[any() % 64] ^= (uint8_t)(1U << any() % 8);
        break;
    case 1:
        raw[any() % 32] ^= (uint8_t)(1U << any() % 8);
        break;
    case 2:
        message[any() % len] ^= (uint8_t)(1U << any() % 8);
        break;
    case 3:
        signature[any() % 2 ? 31 : 63] = ends[any() % sizeof(ends)];
        break;
    default:
        for (size_t i = 0, from = any() % 2 * 32; i < 32; i++)
            signature[from + i] = (uint8_t)any();
    }
}

static void both_say_the_same_of_random_ones(void **state)
{
    const char *wish = getenv("ED25519_ROUNDS"), *other = getenv("ED25519_SEED");
    long rounds = wish ? strtol(wish, NULL, 10) : 2000;
    uint64_t begin = other ? strtoull(other, NULL, 10) : 20261129;
    long good = 0;
    (void)state;
    seed = begin * 0x9e3779b97f4a7c15u | 1;
    assert_true(rounds > 0);
    for (long i = 0; i < rounds; i++) {
        uint8_t private[32], raw[32], signature[64], message[MESSAGE_MAX];
        size_t len = 1 + any() % MESSAGE_MAX;
        for (size_t j = 0; j < sizeof(private); j++)
        private[j] = (uint8_t)any();
        for (size_t j = 0; j < len; j++)
            message[j] = (uint8_t)any();
        assert_true(ed25519_sodium.public(private, raw));
        assert_true(ed25519_sodium.sign(private, slice_bytes(message, len), signature));
        if (i % 4 != 0)
            spoil(raw, message, len, signature);
        good += judge(raw, slice_bytes(message, len), signature);
    }
    assert_true(good >= rounds / 4); /* all that were left whole */
    assert_true(good < rounds / 4 + 1 + rounds / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(a_second_form_of_a_signature_is_refused),
        cmocka_unit_test(a_nonce_of_small_order_is_refused),
        cmocka_unit_test(the_equation_is_without_the_cofactor),
        cmocka_unit_test(odd_keys_are_refused),
        cmocka_unit_test(both_say_the_same_of_random_ones),
    };
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
