/* What was signed, read back, and an entry judged by it. Tests ledger/evidence/signed.c,
 * ledger/evidence/judge.c and ledger/base/cores.c. */
#include "ledger/base/cores.h"
#include "ledger/base/text/encoding.h"
#include "ledger/evidence/judge.h"
#include "ledger/evidence/signed.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ID  "AZoDpQAAf6qqqqqqqqqqqgAAAAAJxAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka"
#define URL "https://shop.example/a%20b?x=1&y=2"

static char memory[262144];

static struct signed_text read_text(struct arena *arena, const char *base)
{
    struct signed_text text;
    arena_init(arena, memory, sizeof(memory));
    assert_true(signed_read(arena, slice_of(base), &text));
    return text;
}

#define PARAMETERS(list)                                                                                     \
    "\"@signature-params\": (" list ");created=1700000000;expires=1700000300;keyid=\"k\";tag=\"web-bot-"     \
    "auth\""
#define PAYMENT "\"payment\": scheme=\"deferred\", network=\"example:402\", id=\"" ID "\"\n"

static void every_way_to_cover_a_payment_is_read(void **state)
{
    static const char *const bases[] = {
        PAYMENT PARAMETERS("\"payment\""),
        "\"payment\";sf: scheme=\"deferred\", network=\"example:402\", id=\"" ID
        "\"\n" PARAMETERS("\"payment\";sf"),
        "\"payment\";key=\"id\": \"" ID "\"\n" PARAMETERS("\"payment\";key=\"id\""),
        "\"payment\";bs: :c2NoZW1lPSJkZWZlcnJlZCIsIG5ldHdvcms9ImV4YW1wbGU6NDAyIg==:, "
        ":aWQ9IkFab0RwUUFBZjZxcXFxcXFxcXFxcWdBQUFBQUp4QUVDQXdRRkJnY0lDUW9MREEwT0R4QVJFaE1VRlJZWEdCa2Ei:"
        "\n" PARAMETERS("\"payment\";bs"),
    };
    struct arena arena;
    (void)state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
        struct signed_text text = read_text(&arena, bases[i]);
        if (text.problem)
            fail_msg("%zu: %s", i, text.problem);
        assert_true(slice_eq(text.id, SLICE(ID)));
        assert_true(slice_eq(text.network, i == 2 ? SLICE("") : SLICE("example:402")));
        assert_true(slice_eq(text.keyid, SLICE("k")));
        assert_int_equal(text.expires_seconds - text.created_seconds, 300);
    }
}

static void what_is_none_is_told(void **state)
{
    static const struct {
        const char *base, *problem;
    } none[] = {
        {"", "no form that is known"},
        {"{}", "no form that is known"},
        {"\"", "none of a signature base"},
        {"\"payment\": x", "none of a signature base"},
        {"\"payment\"\n" PARAMETERS("\"payment\""), "none of a signature base"},
        {"\"a\\\": x\n" PARAMETERS("\"payment\""), "none of a signature base"},
        {PAYMENT PARAMETERS("\"payment\"") "\n", "none of a signature base"},
        {PAYMENT PARAMETERS("\"payment\" \"@authority\""), "do not cover"},
        {PAYMENT PARAMETERS(""), "do not cover"},
        {PAYMENT "\"@signature-params\": x", "do not cover"},
        {PAYMENT "\"@signature-params\": (\"payment\");created=1;expires=2;keyid=\"k\"", "Web Bot Auth"},
        {PAYMENT "\"@signature-params\": (\"payment\");created=1;keyid=\"k\";tag=\"web-bot-auth\"",
         "Web Bot Auth"},
        {"\"payment\";bs: x\n" PARAMETERS("\"payment\";bs"), "a field in it"},
        {"\"payment\": id=\"a\", id=\"b\"\n" PARAMETERS("\"payment\""), "no payment"},
        {PARAMETERS(""), "no payment"},
    };
    struct arena arena;
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        struct signed_text text = read_text(&arena, none[i].base);
        if (!text.problem || !strstr(text.problem, none[i].problem))
            fail_msg("%zu: %s", i, text.problem ? text.problem : "nothing");
    }
}

static const char account[] = "https://crawler.example";

/* Claims with one member as `change` says, as the signing input of a JWS. */
static struct slice input_of(struct arena *arena, const char *type, const char *change)
{
    char text[2048], *out = arena_bytes(arena, 8192);
    json_t *header = json_pack("{s:s,s:s,s:s}", "alg", "EdDSA", "kid", "k", "typ", type);
    json_t *claims =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i}", "iss", account, "id", ID, "network",
                  "example:402", "amount", "2500000", "asset", "USD", "aud", "shop.example", "resource", URL,
                  "scheme", "deferred", "iat", 1700000000, "exp", 1700000300);
    json_t *other = json_loads(change, 0, NULL);
    const char *key;
    json_t *value;
    assert_non_null(other);
    json_object_foreach(other, key, value) if (json_is_null(value)) json_object_del(claims, key);
    else json_object_set(claims, key, value);
    size_t len = json_dumpb(header, text, sizeof(text), 0);
    size_t at = encoding_base64url(text, len, out);
    out[at++] = '.';
    len = json_dumpb(claims, text, sizeof(text), 0);
    at += encoding_base64url(text, len, out + at);
    json_decref(header), json_decref(claims), json_decref(other);
    return slice_bytes(out, at);
}

static bool commits(struct arena *arena, struct slice bytes, struct signed_text *text)
{
    const char *list[] = {"crawler.example"};
    const struct config_list insecure = {.items = list, .count = 1};
    const struct dialect_place place = {.network = SLICE("example:402"),
                                        .currency = SLICE("USD"),
                                        .authority = SLICE("shop.example"),
                                        .url = SLICE(URL),
                                        .insecure_hosts = &insecure};
    assert_true(signed_read(arena, bytes, text));
    return !text->problem && signed_read_commitment(arena, &place, text);
}

/* A JWS says by itself for what it pays; each thing that it says must be so. */
static void claims_commit_to_what_they_say(void **state)
{
    static const struct {
        const char *change;
        int64_t amount; /* -2: it commits to nothing here */
        bool named;
    } cases[] = {
        {"{}", 2500000, true},
        {"{\"id\":null}", 2500000, false},
        {"{\"id\":null,\"scheme\":\"batch-settlement\",\"amount\":\"250\"}", 2500000, false},
        {"{\"scheme\":null}", -1, true}, /* in a unit that is not signed: the id says it */
        {"{\"id\":null,\"scheme\":null}", 2500000, false},
        {"{\"id\":\"\"}", -2, false},
        {"{\"id\":\"\",\"scheme\":null}", -2, false},
        {"{\"scheme\":\"exact\"}", -2, false},
        {"{\"amount\":\"-1\"}", -2, false},
        {"{\"amount\":2500000}", -2, false},
        {"{\"network\":\"other:402\"}", -2, false},
        {"{\"asset\":\"EUR\"}", -2, false},
        {"{\"aud\":\"other.example\"}", -2, false},
        {"{\"resource\":\"https://shop.example/b\"}", -2, false},
        {"{\"iss\":\"https://other.example\"}", 2500000, true}, /* a host */
        {"{\"iss\":\"ftp://x\"}", -2, false},
        {"{\"iat\":-1}", -2, false},
        {"{\"exp\":null}", -2, false},
    };
    struct arena arena;
    struct signed_text text;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        arena_init(&arena, memory, sizeof(memory));
        bool good = commits(&arena, input_of(&arena, CLAIMS_TYPE, cases[i].change), &text);
        if (good != (cases[i].amount != -2))
            fail_msg("%s: %d", cases[i].change, good);
        if (!good)
            continue;
        assert_int_equal(text.amount_micros, cases[i].amount);
        assert_true(slice_eq(text.id, cases[i].named ? SLICE(ID) : SLICE("")));
        assert_int_equal(text.created_seconds, 1700000000);
        assert_int_equal(text.expires_seconds, 1700000300);
        assert_true(slice_eq(text.keyid, SLICE("k")) && slice_eq(text.alg, SLICE("ed25519")));
        assert_true(signed_names_host(&text));
        bool same = signed_names_agent(&arena, &text, slice_of(account));
        assert_int_equal(same, strstr(cases[i].change, "iss") == NULL);
    }
    arena_init(&arena, memory, sizeof(memory));
    assert_false(commits(&arena, input_of(&arena, "JWT", "{}"), &text));
}

/* A price that a request's signature covers pays without an id of ours. */
static void prices_commit_without_an_id(void **state)
{
    static const struct {
        const char *base;
        int64_t amount;
        bool host;
    } cases[] = {
        {"\"crawler-exact-price\": USD 2.50\n\"@authority\": shop.example\n" PARAMETERS(
             "\"crawler-exact-price\" \"@authority\""),
         2500000, true},
        {"\"crawler-max-price\": USD 1234.567891\n" PARAMETERS("\"crawler-max-price\""), 1234567891, false},
        {"\"crawler-exact-price\": EUR 2.50\n" PARAMETERS("\"crawler-exact-price\""), -2, false},
        {"\"crawler-exact-price\": much\n" PARAMETERS("\"crawler-exact-price\""), -2, false},
        {"\"x-payment\": e30=\n" PARAMETERS("\"x-payment\""), -2, false},
        {"\"payment-signature\": e30=\n" PARAMETERS("\"payment-signature\""), -2, false},
    };
    struct arena arena;
    struct signed_text text;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        arena_init(&arena, memory, sizeof(memory));
        bool good = commits(&arena, slice_of(cases[i].base), &text);
        assert_int_equal(good, cases[i].amount != -2);
        if (!good)
            continue;
        assert_int_equal(text.amount_micros, cases[i].amount);
        assert_int_equal(text.id.len, 0);
        assert_int_equal(signed_names_host(&text), cases[i].host);
    }
}

static void memory_that_is_full_is_no_verdict(void **state)
{
    static const char base[] = PAYMENT PARAMETERS("\"payment\"");
    struct signed_text text;
    struct arena arena;
    (void)state;
    arena_init(&arena, memory, 64);
    assert_false(signed_read(&arena, slice_of(base), &text));
}

/* Each component with what the URL makes of it, and with something else. */
static void what_is_said_of_the_url_must_be_so(void **state)
{
    static const struct {
        const char *component, *right, *wrong;
    } cases[] = {
        {"\"@authority\"", "shop.example", "shop.example:8443"},
        {"\"@target-uri\"", URL, "https://shop.example/a"},
        {"\"@scheme\"", "https", "http"},
        {"\"@path\"", "/a%20b", "/a b"},
        {"\"@query\"", "?x=1&y=2", "?x=1"},
        {"\"@query-param\";name=\"y\"", "2", "1"},
        {"\"@request-target\"", "/a%20b?x=1&y=2", "/a%20b"},
        {"\"@request-target\"", "HTTPS://shop.example/a%20b?x=1&y=2", "https://shop.example/a"},
    };
    struct arena arena;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int good = 0; good < 2; good++) {
            char base[1024];
            snprintf(
                base, sizeof(base),
                PAYMENT
                "\"@method\": POST\n%s: %s\n\"@signature-params\": (\"payment\" \"@method\" %s);created=1;"
                "expires=2;keyid=\"k\";tag=\"web-bot-auth\"",
                cases[i].component, good ? cases[i].right : cases[i].wrong, cases[i].component);
            struct signed_text text = read_text(&arena, base);
            assert_null(text.problem);
            if (signed_is_for(&arena, &text, SLICE(URL)) != (good == 1))
                fail_msg("%s, %s", cases[i].component, good ? "right" : "wrong");
        }
    struct signed_text bare = read_text(&arena, PAYMENT PARAMETERS("\"payment\""));
    assert_true(signed_is_for(&arena, &bare, SLICE(URL)));
    assert_false(signed_is_for(&arena, &bare, SLICE("shop.example/a")));
    assert_false(signed_is_for(&arena, &bare, SLICE("https:")));
}

static void the_agent_is_who_says_so(void **state)
{
    static const struct {
        const char *field, *parameters, *agent;
        bool same;
    } cases[] = {
        {"\"https://crawler.example\"", "", "https://crawler.example", true},
        {"\"https://crawler.example\"", "", "https://other.example", false},
        {"\"https://crawler.example/keys?a=1\"", "", "https://crawler.example/keys", true},
        {"\"http://127.0.0.1:8404\"", "", "http://127.0.0.1:8404", true},
        {"\"http://127.0.0.1:8404\"", "", "http://127.0.0.1:8405", false},
        {"crawler.example", "", "https://crawler.example", true},
        {"a=\"https://a.example\", b=\"https://b.example\"", "", "https://b.example", true},
        {"\"https://a.example\"", ";key=\"sig\"", "https://a.example", true},
        {"\"https://a.example\";type=jwks_uri", ";key=\"sig\"", "https://a.example", true},
        {"\"https://a.example\"", ";key=\"sig\"", "nothing that could be a URL", false},
    };
    struct arena arena;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char base[1024];
        snprintf(base, sizeof(base),
                 PAYMENT
                 "\"signature-agent\"%s: %s\n\"@signature-params\": (\"payment\" \"signature-agent\"%s);"
                 "created=1;expires=2;keyid=\"k\";tag=\"web-bot-auth\"",
                 cases[i].parameters, cases[i].field, cases[i].parameters);
        struct signed_text text = read_text(&arena, base);
        assert_null(text.problem);
        if (signed_names_agent(&arena, &text, slice_of(cases[i].agent)) != cases[i].same)
            fail_msg("%zu", i);
    }
    struct signed_text bare = read_text(&arena, PAYMENT PARAMETERS("\"payment\""));
    assert_false(signed_names_agent(&arena, &bare, SLICE("https://a.example")));
}

/* None may end the program, and none of the authority goes unseen. */
static void a_base_with_any_byte_changed_is_another_or_none(void **state)
{
    static const char base[] =
        "\"@authority\": shop.example\n" PAYMENT PARAMETERS("\"@authority\" \"payment\"");
    char changed[sizeof(base)];
    struct arena arena;
    (void)state;
    for (size_t at = 0; at < sizeof(base) - 1; at++)
        for (int byte = 1; byte < 256; byte += 7) {
            memcpy(changed, base, sizeof(base));
            changed[at] = (char)byte;
            struct signed_text text = read_text(&arena, changed);
            bool kept = changed[at] == base[at];
            bool in_authority = at >= sizeof("\"@authority\": ") - 1 && base[at] != '\n' &&
                                at < sizeof("\"@authority\": shop.example") - 1;
            if (in_authority && !kept)
                assert_true(text.problem || !signed_is_for(&arena, &text, SLICE(URL)));
        }
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < EVIDENCE_CHECKS; i++) {
        enum evidence_check check = (enum evidence_check)i;
        assert_int_equal(evidence_check_called(evidence_check_name(check)), check);
        assert_string_not_equal(evidence_check_sentence(check, true), evidence_check_sentence(check, false));
    }
    assert_int_equal(evidence_check_called("whatever"), EVIDENCE_CHECKS);
    assert_true(cores_usable() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_cover_a_payment_is_read),
        cmocka_unit_test(what_is_none_is_told),
        cmocka_unit_test(claims_commit_to_what_they_say),
        cmocka_unit_test(prices_commit_without_an_id),
        cmocka_unit_test(memory_that_is_full_is_no_verdict),
        cmocka_unit_test(what_is_said_of_the_url_must_be_so),
        cmocka_unit_test(the_agent_is_who_says_so),
        cmocka_unit_test(a_base_with_any_byte_changed_is_another_or_none),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
