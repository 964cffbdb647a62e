/* Keys are judged when they are made and not at each signature: points of small order, under which anything
 * verifies, points off the curve and RSA moduli that are too short never become a key. Signatures have the
 * length of their algorithm, or OpenSSL is not asked. */
#include "ledger/verify/signature.h"

#include "ledger/base/object.h"
#include "ledger/verify/jwk.h"

#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdlib.h>

#define RSA_MAX_BYTES (SIGNATURE_RSA_MAX_BITS / 8)
#define RSA_PSS_SALT  64
#define P256_HALF     32

_Static_assert(SIGNATURE_P256_SIZE == SIGNATURE_ED25519_SIZE, "one length for both, see signature_verify");

#define KEY_MAGIC 0x72e80bf4u

struct signature_key {
    uint32_t magic;
    enum signature_algorithm algorithm;
    struct ed25519_key *ed25519; /* by the algorithm one of the two, NULL the other */
    EVP_PKEY *pkey;
    atomic_int owners;
};

static const char *const names[SIGNATURE_ALGORITHMS] = {
    [SIGNATURE_ED25519] = "ed25519",
    [SIGNATURE_ECDSA_P256_SHA256] = "ecdsa-p256-sha256",
    [SIGNATURE_RSA_PSS_SHA512] = "rsa-pss-sha512",
};

const char *signature_algorithm_name(enum signature_algorithm algorithm)
{
    assert(algorithm < SIGNATURE_ALGORITHMS && names[algorithm]);
    return names[algorithm];
}

bool signature_algorithm_parse(struct slice name, enum signature_algorithm *algorithm)
{
    for (int i = 0; i < SIGNATURE_ALGORITHMS; i++)
        if (slice_eq(name, slice_of(names[i]))) {
            *algorithm = (enum signature_algorithm)i;
            return true;
        }
    return false;
}

/* Takes the library's key over. NULL when there is none. */
static struct signature_key *key_of(EVP_PKEY *pkey, struct ed25519_key *ed25519,
                                    enum signature_algorithm algorithm)
{
    assert(!pkey || !ed25519);
    struct signature_key *key = pkey || ed25519 ? malloc(sizeof(*key)) : NULL;
    if (!key) {
        EVP_PKEY_free(pkey);
        ed25519_key_free(ed25519);
        return NULL;
    }
    *key = (struct signature_key){
        .magic = KEY_MAGIC, .algorithm = algorithm, .ed25519 = ed25519, .pkey = pkey, .owners = 1};
    return key;
}

struct signature_key *signature_key_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE])
{
    return key_of(NULL, ed25519_key_new(raw), SIGNATURE_ED25519);
}

/* NULL when OpenSSL finds something wrong with the numbers. */
static EVP_PKEY *import(const char *type, OSSL_PARAM *parameters)
{
    assert(type && parameters);
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    bool ready = context && EVP_PKEY_fromdata_init(context) == 1; /* uncovered: OpenSSL has no memory */
    if (!ready || EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey;
}

struct signature_key *signature_key_p256(const uint8_t point[SIGNATURE_P256_KEY_SIZE])
{
    char group[] = "prime256v1";
    uint8_t encoded[1 + SIGNATURE_P256_KEY_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(encoded + 1, point, SIGNATURE_P256_KEY_SIZE);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof(encoded)),
        OSSL_PARAM_construct_end(),
    };
    return key_of(import("EC", parameters), NULL, SIGNATURE_ECDSA_P256_SHA256);
}

/* Bits of a big-endian number without leading zeros; 0 when it has some, or is even. */
static size_t bits_of_odd(struct slice number)
{
    unsigned first = number.len > 0 ? (unsigned char)number.data[0] : 0;
    size_t bits = 0;
    if (first == 0 || (number.data[number.len - 1] & 1) == 0)
        return 0;
    for (; first > 0; first >>= 1)
        bits++;
    assert(bits <= 8);
    return bits + (number.len - 1) * 8;
}

/* OpenSSL takes numbers in the machine's byte order. False when one cannot be turned round. */
static bool native(struct slice number, uint8_t *out)
{
    assert(number.len > 0 && number.len <= RSA_MAX_BYTES);
    BIGNUM *big = BN_bin2bn((const unsigned char *)number.data, (int)number.len, NULL);
    bool ok = big && BN_bn2nativepad(big, out, (int)number.len) >= 0; /* uncovered: no memory */
    BN_free(big);
    return ok;
}

struct signature_key *signature_key_rsa(struct slice modulus, struct slice exponent)
{
    uint8_t n[RSA_MAX_BYTES];
    uint8_t e[SIGNATURE_RSA_EXPONENT_MAX];
    size_t modulus_bits = bits_of_odd(modulus);
    if (modulus_bits < SIGNATURE_RSA_MIN_BITS || modulus_bits > SIGNATURE_RSA_MAX_BITS ||
        bits_of_odd(exponent) < 2 || exponent.len > sizeof(e))
        return NULL;
    if (!native(modulus, n) || !native(exponent, e)) /* uncovered: no memory */
        return NULL;                                 /* uncovered: no memory */
    assert(modulus.len <= sizeof(n));
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, modulus.len),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, exponent.len),
        OSSL_PARAM_construct_end(),
    };
    return key_of(import("RSA", parameters), NULL, SIGNATURE_RSA_PSS_SHA512);
}

struct signature_key *signature_key_from_jwk(const struct jwk *jwk)
{
    uint8_t first[RSA_MAX_BYTES];
    uint8_t second[SIGNATURE_RSA_EXPONENT_MAX];
    uint8_t point[SIGNATURE_P256_KEY_SIZE];
    size_t first_len;
    size_t second_len;
    switch (jwk->algorithm) {
    case SIGNATURE_ED25519:
        return signature_key_ed25519(jwk->raw);
    case SIGNATURE_ECDSA_P256_SHA256:
        if (!jwk_bytes(jwk, "x", point, P256_HALF, &first_len) ||
            !jwk_bytes(jwk, "y", point + P256_HALF, P256_HALF, &second_len) || first_len != P256_HALF ||
            second_len != P256_HALF)
            return NULL;
        return signature_key_p256(point);
    case SIGNATURE_RSA_PSS_SHA512:
        if (!jwk_bytes(jwk, "n", first, sizeof(first), &first_len) ||
            !jwk_bytes(jwk, "e", second, sizeof(second), &second_len))
            return NULL;
        return signature_key_rsa(slice_bytes(first, first_len), slice_bytes(second, second_len));
    default:
        return NULL;
    }
}

enum signature_algorithm signature_key_algorithm(const struct signature_key *key)
{
    OBJECT_CHECK(key, KEY_MAGIC);
    return key->algorithm;
}

struct signature_key *signature_key_share(struct signature_key *key)
{
    OBJECT_CHECK(key, KEY_MAGIC);
    int before = atomic_fetch_add(&key->owners, 1);
    assert(before > 0 && before < INT_MAX);
    return key;
}

void signature_key_free(struct signature_key *key)
{
    if (!key)
        return;
    OBJECT_CHECK(key, KEY_MAGIC);
    int before = atomic_fetch_sub(&key->owners, 1);
    assert(before > 0);
    if (before > 1)
        return;
    OBJECT_END(key, KEY_MAGIC);
    EVP_PKEY_free(key->pkey);
    ed25519_key_free(key->ed25519);
    free(key);
}

/* One INTEGER of DER: no leading zeros, but one in front of a set high bit. Returns the bytes written. */
static size_t der_integer(const uint8_t half[P256_HALF], uint8_t *out)
{
    size_t skip = 0;
    while (skip < P256_HALF - 1 && half[skip] == 0)
        skip++;
    size_t pad = half[skip] >> 7;
    size_t len = pad + P256_HALF - skip;
    out[0] = 0x02;
    out[1] = (uint8_t)len;
    out[2] = 0;
    memcpy(out + 2 + pad, half + skip, P256_HALF - skip);
    assert(len > 0 && len <= 1 + P256_HALF);
    return 2 + len;
}

#define DER_MAX (2 + 2 * (2 + 1 + P256_HALF))

/* r and s, 32 bytes each, as the SEQUENCE that OpenSSL wants. */
static struct slice der_signature(const uint8_t raw[SIGNATURE_P256_SIZE], uint8_t out[DER_MAX])
{
    size_t len = 2;
    len += der_integer(raw, out + len);
    len += der_integer(raw + P256_HALF, out + len);
    out[0] = 0x30;
    out[1] = (uint8_t)(len - 2);
    assert(len <= DER_MAX);
    return slice_bytes(out, len);
}

/* Starts a verification by the key's algorithm. */
static bool start(EVP_MD_CTX *context, const struct signature_key *key)
{
    assert(key->pkey && key->algorithm != SIGNATURE_ED25519);
    EVP_PKEY_CTX *details = NULL;
    const EVP_MD *hash = key->algorithm == SIGNATURE_ECDSA_P256_SHA256 ? EVP_sha256() : EVP_sha512();
    bool ok = context && EVP_DigestVerifyInit(context, &details, hash, NULL, key->pkey) == 1;
    if (ok && key->algorithm == SIGNATURE_RSA_PSS_SHA512) /* uncovered: OpenSSL fails without memory alone */
        ok = (int)(EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) == 1) &
             (int)(EVP_PKEY_CTX_set_rsa_mgf1_md(details, hash) == 1) &
             (int)(EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALT) == 1);
    return ok;
}

/* By one of the algorithms that OpenSSL does. */
static bool verify(const struct signature_key *key, struct slice base, struct slice signature)
{
    uint8_t der[DER_MAX];
    /* RFC 9421 section 3.3.4 has r and s side by side, OpenSSL wants DER. */
    if (key->algorithm == SIGNATURE_ECDSA_P256_SHA256)
        signature = der_signature((const uint8_t *)signature.data, der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        start(context, key) && EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                                                (const unsigned char *)base.data, base.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

enum err signature_verify(const struct signature_key *key, struct slice base, struct slice signature)
{
    OBJECT_CHECK(key, KEY_MAGIC);
    size_t size = key->algorithm == SIGNATURE_RSA_PSS_SHA512 ? (size_t)EVP_PKEY_get_size(key->pkey)
                                                             : SIGNATURE_ED25519_SIZE;
    if (signature.len != size)
        return ERR_SIGNATURE_INVALID;
    bool good = key->algorithm == SIGNATURE_ED25519
                    ? ed25519_verify(key->ed25519, base, (const uint8_t *)signature.data)
                    : verify(key, base, signature);
    return good ? ERR_OK : ERR_SIGNATURE_INVALID;
}

struct slice signature_fixed_part(enum signature_algorithm algorithm, struct slice signature)
{
    if (algorithm == SIGNATURE_ECDSA_P256_SHA256 && signature.len == SIGNATURE_P256_SIZE)
        signature.len = SIGNATURE_P256_SIZE / 2;
    return signature;
}

bool signature_verify_ed25519(const uint8_t raw[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                              const uint8_t signature[SIGNATURE_ED25519_SIZE])
{
    struct signature_key *key = signature_key_ed25519(raw);
    bool good = key && signature_verify(key, base, slice_bytes(signature, SIGNATURE_ED25519_SIZE)) == ERR_OK;
    signature_key_free(key);
    return good;
}

bool signature_sign_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE], struct slice base,
                            uint8_t signature[SIGNATURE_ED25519_SIZE])
{
    return ed25519_sign(seed, base, signature);
}

bool signature_public_ed25519(const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE],
                              uint8_t raw[SIGNATURE_ED25519_KEY_SIZE])
{
    return ed25519_public(seed, raw);
}
