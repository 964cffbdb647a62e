/* What proves that whoever holds a key answered for a directory, each condition broken once. Tests
 * server/agent/proof.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "server/agent/proof.h"
#include "ledger/verify/component.h"
#include "ledger/verify/sf.h"

#include <stdio.h>
#include <string.h>

#define NOW    1000
#define BODY   "{\"keys\":[]}"
#define COVERS "\"@authority\";req \"content-digest\""
#define TIMES  ";created=1000;expires=1300"
#define KEY    ";keyid=\"KEYID\"" /* its place is taken by the thumbprint */
#define TAG    ";tag=\"" PROOF_TAG "\""

static const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {7};
static char keyid[JWK_KEYID_CHARS + 1];

static struct jwk jwk_of_seed(void)
{
    struct jwk jwk = {.expires = INT64_MAX};
    assert_true(signature_public_ed25519(seed, jwk.raw));
    jwk_complete(&jwk);
    keyid[encoding_base64url(jwk.thumbprint, DIGEST_SIZE, keyid)] = '\0';
    return jwk;
}

static struct slice with_keyid(struct arena *arena, const char *input)
{
    const char *at = strstr(input, "KEYID");
    assert_non_null(at);
    return arena_format(arena, "%.*s%s%s", (int)(at - input), input, keyid, at + strlen("KEYID"));
}

/* What the directory's answer says of the key at NOW, when `input` is its Signature-Input, signed properly.
 */
static struct proof proof_with(const char *input, const char *body)
{
    static struct message request, response;
    static struct message_field fields[3];
    struct arena *arena = fresh_arena();
    const struct jwk jwk = jwk_of_seed();
    struct slice text = slice_of(BODY), base;
    struct sf_list inputs;
    uint8_t digest[DIGEST_SIZE], raw[SIGNATURE_ED25519_SIZE];
    char base64[ENCODING_BASE64_LEN(SIGNATURE_ED25519_SIZE) + 1];
    digest_sha256(&text, 1, digest);
    base64[encoding_base64(digest, DIGEST_SIZE, base64)] = '\0';
    fields[0] = (struct message_field){SLICE("content-digest"), arena_format(arena, "sha-256=:%s:", base64)};
    fields[1] = (struct message_field){SLICE("signature-input"), with_keyid(arena, input)};
    request = (struct message){.method = SLICE("GET"), .authority = SLICE("a.example"), .target = SLICE("/")};
    response = (struct message){.fields = fields, .field_count = 2};
    const struct message_response signed_response = {200, fields, 2, &request};
    assert_true(sf_parse_dictionary(arena, fields[1].value, &inputs));
    assert_int_equal(component_response_base(arena, &signed_response, inputs.first, &base), ERR_OK);
    assert_true(signature_sign_ed25519(seed, base, raw));
    base64[encoding_base64(raw, sizeof(raw), base64)] = '\0';
    fields[2] = (struct message_field){SLICE("signature"), arena_format(arena, "s=:%s:", base64)};
    response.field_count = 3;
    struct signature_key *key = signature_key_ed25519(jwk.raw);
    const struct proof_answer answer = {&request, &response, slice_of(body), slice_of(body), NOW};
    struct proof proof = proof_of(arena, &answer, &jwk, key);
    signature_key_free(key);
    return proof;
}

static void each_condition_of_a_proof_holds(void **state)
{
    static const struct {
        const char *input, *failure; /* NULL: it is good */
    } cases[] = {
        {"s=(" COVERS ")" TIMES KEY TAG, NULL},
        {"s=(" COVERS ")" TIMES KEY TAG ";alg=\"ed25519\"", NULL},
        {"s=(" COVERS ")" TIMES KEY TAG ";alg=\"rsa-pss-sha512\"", "alg"},
        {"s=(" COVERS ");created=1000;expires=1001" KEY TAG, NULL},
        {"s=(" COVERS ");created=900;expires=1000" KEY TAG, "expired"},
        {"s=(" COVERS ");created=1001;expires=1001" KEY TAG, "expires"},
        {"s=(" COVERS ");created=1001;expires=1002" KEY TAG, NULL},
        {"s=(" COVERS ");created=1030;expires=1031" KEY TAG, NULL},
        {"s=(" COVERS ");created=1031;expires=1032" KEY TAG, "created"},
        {"s=(" COVERS ");created=1000" KEY TAG, "expires"},
        {"s=(" COVERS ");expires=1300" KEY TAG, "created"},
        {"s=(\"@authority\";req)" TIMES KEY TAG, "content-digest"},
        {"s=(\"content-digest\")" TIMES KEY TAG, "@authority"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct proof proof = proof_with(cases[i].input, BODY);
        assert_true(proof.present);
        if (proof.good != !cases[i].failure || (!proof.good && !strstr(proof.failure, cases[i].failure)))
            fail_msg("%s: %s", cases[i].input, proof.good ? "good" : proof.failure);
    }
    assert_int_equal(proof_with(cases[0].input, BODY).expires, 1300);
    assert_false(proof_with(cases[0].input, BODY " ").good);
    assert_false(proof_with("s=(" COVERS ")" TIMES KEY ";tag=\"web-bot-auth\"", BODY).present);
    assert_false(proof_with("s=(" COVERS ")" TIMES ";keyid=\"other KEYID\"" TAG, BODY).present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_condition_of_a_proof_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
