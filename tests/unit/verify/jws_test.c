/* Compact JWS: what is taken, and each thing that is not. */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/verify/jws.h"

#include <stdio.h>

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"t\"}"

static struct slice part_of(struct arena *arena, const char *json)
{
    char *text = arena_bytes(arena, ENCODING_BASE64URL_LEN(strlen(json)) + 1);
    size_t len = encoding_base64url(json, strlen(json), text);
    text[len] = '\0';
    return slice_bytes(text, len);
}

static struct slice compact(struct arena *arena, const char *header, const char *payload,
                            const char *signature)
{
    return arena_format(arena, "%s.%s.%s", part_of(arena, header).data, part_of(arena, payload).data,
                        signature);
}

static void a_jws_is_taken_apart(void **state)
{
    struct arena *arena = fresh_arena();
    struct slice text = compact(arena, HEADER, "{\"iss\":\"x\"}", "AQID");
    struct jws jws;
    (void)state;
    assert_true(jws_parse(arena, text, &jws));
    assert_slice(jws.algorithm, "ed25519");
    assert_slice(jws.keyid, "k");
    assert_slice(jws.type, "t");
    assert_int_equal(jws.input.len, text.len - 5);
    assert_true(jws_is_input(jws.input));
    assert_slice(jws.signature, "\1\2\3");
    assert_string_equal(json_string_value(json_object_get(jws.claims, "iss")), "x");
    jws_free(&jws);
    jws_free(&jws);
    assert_false(jws_is_input(SLICE("\"payment\": x")));
    assert_false(jws_is_input(SLICE("")));
}

static void algorithms_have_joses_names(void **state)
{
    static const struct {
        const char *alg, *name;
    } cases[] = {{"EdDSA", "ed25519"},
                 {"Ed25519", "ed25519"},
                 {"ES256", "ecdsa-p256-sha256"},
                 {"PS512", "rsa-pss-sha512"},
                 {"none", ""},
                 {"HS256", ""},
                 {"ed25519", ""},
                 {"RS256", ""},
                 {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct jws jws;
        char header[128];
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\",\"typ\":\"t\"}", cases[i].alg);
        assert_true(jws_parse(arena, compact(arena, header, "{}", "AQID"), &jws));
        assert_slice(jws.algorithm, cases[i].name);
        jws_free(&jws);
    }
}

static void what_is_no_jws_is_refused(void **state)
{
    static const struct {
        const char *header, *payload, *signature;
    } cases[] = {
        {HEADER, "{}", ""},                                        /* no signature */
        {HEADER, "{}", "AQI="},                                    /* padded */
        {HEADER, "{}", "AQJ"},                                     /* stray bits */
        {HEADER, "{}", "AQ.ID"},                                   /* a fourth part */
        {HEADER, "{}", "A+ID"},                                    /* base64, not base64url */
        {HEADER, "[]", "AQID"},                                    /* no object */
        {HEADER, "{", "AQID"},                                     /* no JSON */
        {HEADER, "{\"a\":1,\"a\":2}", "AQID"},                     /* a name twice */
        {HEADER, "{\"a\":\"\\u0000\"}", "AQID"},                   /* a NUL */
        {HEADER, "{}{}", "AQID"},                                  /* something behind it */
        {"{\"kid\":\"k\",\"typ\":\"t\"}", "{}", "AQID"},           /* no alg */
        {"{\"alg\":\"EdDSA\",\"typ\":\"t\"}", "{}", "AQID"},       /* no kid */
        {"{\"alg\":\"EdDSA\",\"kid\":\"k\"}", "{}", "AQID"},       /* no typ */
        {"{\"alg\":1,\"kid\":\"k\",\"typ\":\"t\"}", "{}", "AQID"}, /* not a string */
        {"{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"t\",\"crit\":[\"b64\"],\"b64\":false}", "{}", "AQID"},
        {"{\"alg\":\"EdDSA\",\"alg\":\"none\",\"kid\":\"k\",\"typ\":\"t\"}", "{}", "AQID"},
        {" " HEADER, "{}", "AQID"}, /* would not begin as inputs do */
    };
    static const char *const texts[] = {"",     ".",     "..",           "...",  "eyJ",
                                        "eyJ.", "eyJ..", "eyJ.e30.AQID", "x.y.z"};
    struct jws jws;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        if (jws_parse(arena, compact(arena, cases[i].header, cases[i].payload, cases[i].signature), &jws))
            fail_msg("taken: %s %s %s", cases[i].header, cases[i].payload, cases[i].signature);
        assert_null(jws.claims);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (jws_parse(fresh_arena(), slice_of(texts[i]), &jws))
            fail_msg("taken: %s", texts[i]);
}

static void a_small_arena_is_no_end(void **state)
{
    struct arena *arena = fresh_arena();
    struct slice text = compact(arena, HEADER, "{\"iss\":\"x\"}", "AQID");
    static char room[4096];
    size_t taken = 0;
    (void)state;
    for (size_t size = 0; size < sizeof(room); size += 8) {
        struct arena small;
        struct jws jws;
        arena_init(&small, room, size);
        if (!jws_parse(&small, text, &jws))
            continue;
        taken++;
        jws_free(&jws);
    }
    assert_true(taken > 0 && taken < sizeof(room) / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jws_is_taken_apart),
        cmocka_unit_test(algorithms_have_joses_names),
        cmocka_unit_test(what_is_no_jws_is_refused),
        cmocka_unit_test(a_small_arena_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
