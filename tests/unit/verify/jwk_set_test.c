/* Key sets as directories publish them: every entry is judged by itself, and told why it does not count. */
#include "tests/unit/support.h"

#include "ledger/verify/jwk_set.h"

#include <stdio.h>

#define X      "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OTHER  "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
#define OKP    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\""
#define SECOND "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OTHER "\"}"

static struct jwk_set set;

static size_t good(void)
{
    size_t count = 0;
    for (size_t i = 0; i < set.count; i++) {
        assert_int_equal(set.entries[i].verdict == JWK_MAY_SIGN, !*set.entries[i].why);
        count += set.entries[i].verdict == JWK_MAY_SIGN;
    }
    return count;
}

static void thumbprints_are_the_published_ones(void **state)
{
    json_t *list = json_load_file("tests/vectors/jwk-thumbprint-vectors.json", 0, NULL);
    size_t checked = 0;
    (void)state;
    assert_non_null(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *vector = json_array_get(list, i);
        const char *jwk = json_string_value(json_object_get(vector, "jwk"));
        char text[64] = "";
        if (!strstr(jwk, "Ed25519"))
            continue;
        assert_null(jwk_set_parse(slice_of(jwk), &set));
        assert_int_equal(good(), 1);
        encoding_base64url(set.entries[0].jwk.thumbprint, DIGEST_SIZE, text);
        assert_string_equal(text, json_string_value(json_object_get(vector, "thumbprint")));
        checked++;
    }
    assert_int_equal(checked, 1);
    json_decref(list);
}

/* What stands beside a good key takes nothing from it. */
static void an_odd_entry_takes_nothing_from_the_others(void **state)
{
    static const char *const odd[] = {
        OKP ",\"exp\":18446744073709551615}",
        OKP ",\"exp\":-9223372036854775809}",
        OKP ",\"exp\":1e999}",
        OKP ",\"nbf\":\"soon\"}",
        OKP ",\"use\":\"sig\\u0000\"}",
        OKP ",\"kty\":\"OKP\"}",
        OKP ",\"kid\":\"\xff\"}",
        OKP ",\"kid\":\"\\ud800\"}",
        OKP ",\"a\\u0000b\":1}",
        OKP ",\"use\":\"enc\"}",
        OKP ",\"d\":\"AAAA\"}",
        "{\"kty\":\"OKP\" \"crv\"}",
        "{\"kty\":[}}",
        "\"\"",
        "{\"a\":[[[[[[{\"b\":\"]}]\"}]]]]]]}",
        "{}",
        "[]",
        "5",
        "null",
        "nonsense",
        "\"text\\\"]}\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        for (int first = 0; first < 2; first++) {
            char json[1024];
            snprintf(json, sizeof(json), "{\"keys\":[%s , %s]}", first ? odd[i] : SECOND,
                     first ? SECOND : odd[i]);
            const char *why = jwk_set_parse(slice_of(json), &set);
            if (why || set.count != 2 || good() != 1 || *set.entries[first].why)
                fail_msg("%s: %s", why ? why : "", json);
        }
}

static void what_is_not_understood_is_ignored(void **state)
{
    static const char *const cases[] = {
        "{\"keys\":[" OKP ",\"note\":\"a\\u0000b\"}]}",
        "{\"keys\":[" OKP ",\"kid\":\"a\\u0000b\"}]}",
        "{\"keys\":[" OKP ",\"serial\":99999999999999999999}]}",
        "{\"keys\":[" OKP ",\"note\":{\"d\":1}}]}",
        "{\"keys\":[" OKP ",\"p\":\"AAAA\"}]}", /* means nothing in a key of this type */
        "{\"keys\":[" OKP ",\"d\":null}]}",
        "{\"keys\":[" OKP ",\"exp\":1.8e9}]}",
        "{\"keys\":[" OKP "}],\"purpose\":\"\\u0000\",\"rank\":1e999,\"note\":\"\xff\"}",
        "{\"purpose\":[\"]\",{\"keys\":5}],\"keys\":[" OKP "}]}",
        "{\"k\\u0065ys\":[" OKP "}]}",
        "\xef\xbb\xbf{\"keys\":[" OKP "}]}",
        "\xef\xbb\xbf" OKP "}",
        " \r\n{ \"keys\" : [ " OKP "} ] } \n",
        OKP "}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why = jwk_set_parse(slice_of(cases[i]), &set);
        if (why || set.count != 1 || good() != 1)
            fail_msg("%s: %s", why ? why : set.entries[0].why, cases[i]);
    }
}

static void each_cause_has_its_sentence(void **state)
{
    static const char *const cases[][2] = {
        {OKP ",\"use\":\"enc\"}", "use is \"enc\", not \"sig\""},
        {OKP ",\"use\":5}", "use is 5, not \"sig\""},
        {OKP ",\"alg\":\"RS256\"}", "alg is \"RS256\", not the algorithm of such a key"},
        {OKP ",\"key_ops\":[\"encrypt\"]}", "key_ops is [\"encrypt\"], without \"verify\""},
        {OKP ",\"nbf\":\"soon\"}", "nbf is \"soon\", no time in seconds since 1970"},
        {OKP ",\"exp\":18446744073709551615}", "exp is 1.8446744073709552e19, no time in seconds since 1970"},
        {OKP ",\"exp\":1e999}", "a number in it is too large, at byte "},
        {OKP ",\"kty\":\"OKP\"}", "a member of it stands twice, at byte "},
        {OKP ",\"kid\":\"\xff\"}", "a text in it is not UTF-8, at byte "},
        {OKP ",\"a\\u0000b\":1}", "a member's name has a NUL, at byte "},
        {"{\"kty\":[}}", "it is no JSON, at byte "},
        {"5", "it is no JSON object"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "kty is \"oct\", not \"OKP\", \"EC\" or \"RSA\""},
        {"{}", "kty is missing, not \"OKP\", \"EC\" or \"RSA\""},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}", "crv is \"X25519\", not \"Ed25519\""},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "=\"}",
         "x is \"" X "=\", not 32 bytes in base64url"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "x is missing, not 32 bytes in base64url"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\"}", "crv is \"P-384\", not \"P-256\""},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"AA\"}",
         "y is \"AA\", not 32 bytes in base64url"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
         "n is \"AQAB\", not 2048 to 8192 bits in base64url without leading zeros"},
        {"{\"kty\":\"RSA\",\"e\":\"AAAAAAAA\"}",
         "e is \"AAAAAAAA\", not 1 to 4 bytes in base64url without leading zeros"},
        {OKP ",\"d\":\"AAAA\"}", "its private half is published (d): whoever reads it can sign"},
    };
    char json[512];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(json, sizeof(json), "{\"keys\":[%s]}", cases[i][0]);
        const char *why = jwk_set_parse(slice_of(json), &set);
        if (why || set.count != 1 || strncmp(set.entries[0].why, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("%s: %s", why ? why : set.entries[0].why, cases[i][0]);
    }
    /* A long text is cut, and that shows. */
    snprintf(json, sizeof(json), "{\"keys\":[" OKP ",\"use\":\"%0200d\"}]}", 0);
    assert_null(jwk_set_parse(slice_of(json), &set));
    assert_non_null(strstr(set.entries[0].why, "0..., not \"sig\""));
}

/* Whoever has the private half signs in the name of every entry with that key. */
static void a_published_private_half_spoils_the_key_everywhere(void **state)
{
    (void)state;
    assert_null(jwk_set_parse(SLICE("{\"keys\":[" OKP "}," OKP ",\"exp\":1,"
                                    "\"d\":\"AAAA\"}," OKP ",\"use\":\"enc\"}," SECOND "]}"),
                              &set));
    assert_int_equal(set.count, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(set.entries[i].verdict, JWK_COMPROMISED);
        assert_non_null(strstr(set.entries[i].why, "private half"));
    }
    assert_int_equal(good(), 1);
}

static void what_is_no_key_set_is_told(void **state)
{
    static const char *const cases[][2] = {
        {"{\"keys\":{}}", "its member keys is no array"},
        {"{\"keys\":5}", "its member keys is no array"},
        {"{\"keys\":[],\"keys\":[]}", "its member keys stands twice"},
        {"{\"keys\":[],\"k\\u0065ys\":[]}", "its member keys stands twice"},
        {"{\"keys\":[" OKP "},]}", "it is no JSON: its member keys does not parse"},
        {"{\"keys\":[{\"a", "it is no JSON object"},
        {"{\"keys\":[" OKP "}" SECOND "]}", "it is no JSON: its member keys does not parse"},
        {"{}", "it has no member keys"},
        {"{\"key\":[]}", "it has no member keys"},
        {"[]", "it is no JSON object"},
        {"", "it is no JSON object"},
        {"{\"keys\":[", "it is no JSON object"},
        {"{\"keys\":[]", "it is no JSON object"},
        {"{\"keys\":[]}x", "it is no JSON object"},
        {"{\"keys\":[]},", "it is no JSON object"},
        {"{\"keys\" []}", "it is no JSON object"},
        {"{keys:[]}", "it is no JSON object"},
        {"{\"keys\":\"", "it is no JSON object"},
        {"{\"keys\":\"\\", "it is no JSON object"},
        {"{\"keys\":[" OKP ",\"use\":[}]}", "it is no JSON object"},
        {"<html>", "it is no JSON object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why = jwk_set_parse(slice_of(cases[i][0]), &set);
        if (!why || strcmp(why, cases[i][1]) != 0 || set.count != 0)
            fail_msg("%s: %s", why ? why : "taken", cases[i][0]);
    }
    assert_null(jwk_set_parse(SLICE("{\"keys\":[]}"), &set));
    assert_int_equal(set.count, 0);
}

static void as_many_entries_as_are_looked_at(void **state)
{
    char json[1024] = "{\"keys\":[5";
    (void)state;
    for (int i = 1; i < JWK_SET_MAX; i++)
        memcpy(json + strlen(json), ",5", 3);
    size_t len = strlen(json);
    memcpy(json + len, "]}", 3);
    assert_null(jwk_set_parse(slice_of(json), &set));
    assert_int_equal(set.count, JWK_SET_MAX);
    memcpy(json + len, ",5]}", 5);
    assert_string_equal(jwk_set_parse(slice_of(json), &set), "it has more than 64 keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_are_the_published_ones),
        cmocka_unit_test(an_odd_entry_takes_nothing_from_the_others),
        cmocka_unit_test(what_is_not_understood_is_ignored),
        cmocka_unit_test(each_cause_has_its_sentence),
        cmocka_unit_test(a_published_private_half_spoils_the_key_everywhere),
        cmocka_unit_test(what_is_no_key_set_is_told),
        cmocka_unit_test(as_many_entries_as_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
