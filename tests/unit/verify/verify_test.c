/* The verifier: signature bases, published vectors, and every rule of WIRE.md sections 3 and 4 broken once.
 * Tests ledger/verify/signature_agent.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/component.h"
#include "ledger/verify/web_bot_auth.h"

#include <jansson.h>
#include <stdio.h>

static const char *insecure_items[] = {"localhost:8403"};
static const struct config_list insecure = {insecure_items, 1};

/* RFC 9421 appendix B.2.6: the base for the published Ed25519 signature, and the signature itself. */
static const char rfc_request[] = "POST /foo?param=Value&Pet=dog\n"
                                  "host: example.com\n"
                                  "date: Tue, 20 Apr 2021 02:07:55 GMT\n"
                                  "content-type: application/json\n"
                                  "content-length: 18";
static const char rfc_input[] =
    "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")"
    ";created=1618884473;keyid=\"test-key-ed25519\"";
static const char rfc_base[] = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
                               "\"@method\": POST\n"
                               "\"@path\": /foo\n"
                               "\"@authority\": example.com\n"
                               "\"content-type\": application/json\n"
                               "\"content-length\": 18\n"
                               "\"@signature-params\": ";
static const char rfc_key[] = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
static const char rfc_signature[] =
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";

static enum err base_for(struct arena *arena, const struct message *message, const char *input,
                         struct slice *base)
{
    struct sf_list list;
    assert_true(sf_parse_list(arena, slice_of(input), &list));
    return component_base(arena, message, list.first, base, NULL);
}

static struct signature_key *rfc_public_key(void)
{
    uint8_t raw[32];
    size_t len;
    assert_true(encoding_unbase64url(slice_of(rfc_key), raw, sizeof(raw), &len));
    return signature_key_ed25519(raw);
}

static void the_rfc_example_verifies(void **state)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, rfc_request);
    struct slice base;
    char expected[1024];
    uint8_t signature[64];
    size_t len;
    (void)state;
    snprintf(expected, sizeof(expected), "%s%s", rfc_base, rfc_input);
    assert_int_equal(base_for(arena, &message, rfc_input, &base), ERR_OK);
    assert_slice(base, expected);
    assert_true(encoding_unbase64(slice_of(rfc_signature), false, signature, sizeof(signature), &len));
    struct signature_key *key = rfc_public_key();
    assert_int_equal(signature_verify(key, base, slice_bytes(signature, len)), ERR_OK);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(signature_verify(key, base, slice_bytes(signature, len)), ERR_SIGNATURE_INVALID);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(signature_verify(key, base, slice_bytes(signature, len - 1)), ERR_SIGNATURE_INVALID);
    signature_key_free(key);
}

static void components_have_the_values_of_the_rfc(void **state)
{
    static const struct {
        const char *component;
        const char *value;
    } cases[] = {
        {"\"@method\"", "GET"},
        {"\"@scheme\"", "https"},
        {"\"@authority\"", "a.example"},
        {"\"@target-uri\"", "https://a.example/p%41th?x=1&y"},
        {"\"@request-target\"", "/p%41th?x=1&y"},
        {"\"@path\"", "/p%41th"},
        {"\"@query\"", "?x=1&y"},
        {"\"x-two\"", "a, b"},
        {"\"x-empty\"", ""},
        {"\"dict\";key=\"a\"", "1"},
        {"\"dict\";key=\"b\"", "2;x=1;y=2"},
        {"\"dict\";key=\"d\"", "?1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct message message =
            request_of(arena, "GET /p%41th?x=1&y\nhost: a.example\nx-two: a \nx-two:   b\n"
                              "x-empty:\ndict: a=1,    b=2;x=1;y=2\ndict: c=(a   b), d");
        char input[128];
        char expected[256];
        struct slice base;
        snprintf(input, sizeof(input), "(%s)", cases[i].component);
        snprintf(expected, sizeof(expected), "%s: %s\n\"@signature-params\": %s", cases[i].component,
                 cases[i].value, input);
        assert_int_equal(base_for(arena, &message, input, &base), ERR_OK);
        assert_slice(base, expected);
    }
}

static void an_absent_query_is_a_question_mark(void **state)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, "GET /\nhost: a.example");
    struct slice base;
    (void)state;
    assert_int_equal(base_for(arena, &message, "(\"@query\")", &base), ERR_OK);
    assert_slice(base, "\"@query\": ?\n\"@signature-params\": (\"@query\")");
}

static void what_cannot_be_covered_is_refused(void **state)
{
    static const char *const inputs[] = {
        "(\"missing\")",
        "(\"host\" \"host\")",
        "(\"dict\";key=\"a\" \"dict\";key=\"a\")",
        "(\"dict\";key=\"zz\")",
        "(\"host\";key=\"a\")",
        "(\"@status\")",
        "(\"@unknown\")",
        "(\"@signature-params\")",
        "(\"@authority\";req)",
        "(\"host\";req)",
        "(\"host\";tr)",
        "(\"host\";unknown)",
        "(\"dict\";key=\"a\";key=\"b\")",
        "(\"dict\";key=a)",
        "(\"Host\")",
        "(\"\")",
        "(\"ho st\")",
        "(host)",
        "(1)",
        "(\"x-bytes\")",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(*inputs); i++) {
        struct arena *arena = fresh_arena();
        struct message message =
            request_of(arena, "GET /\nhost: a.example\ndict: a=1\n@unknown: 1\nx-bytes: \xc3\xbc");
        struct slice base;
        if (base_for(arena, &message, inputs[i], &base) != ERR_MALFORMED_SIGNATURE)
            fail_msg("taken: %s", inputs[i]);
    }
}

static void too_many_components_are_refused(void **state)
{
    struct arena *arena = fresh_arena();
    char request[2048] = "GET /\nhost: a.example";
    char input[1024] = "(";
    struct slice base;
    (void)state;
    for (int i = 0; i < 25; i++) {
        snprintf(request + strlen(request), sizeof(request) - strlen(request), "\nx%d: 1", i);
        snprintf(input + strlen(input), sizeof(input) - strlen(input), "%s\"x%d\"", i ? " " : "", i);
    }
    snprintf(input + strlen(input), sizeof(input) - strlen(input), ")");
    struct message message = request_of(arena, request);
    assert_int_equal(base_for(arena, &message, input, &base), ERR_MALFORMED_SIGNATURE);
}

static json_t *vectors(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/vectors/%s.json", name);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

/* The drafts' vectors: those with Ed25519 and a Signature-Agent are commitments to an identity. */
static size_t check_draft_vectors(const char *name, int64_t now)
{
    json_t *list = vectors(name);
    size_t verified = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *vector = json_array_get(list, i);
        const char *agent = json_string_value(json_object_get(vector, "signature_agent"));
        const char *input = json_string_value(json_object_get(vector, "signature_input"));
        if (!agent || !strstr(input, "ed25519"))
            continue;
        struct arena *arena = fresh_arena();
        struct message message = request_of(
            arena,
            arena_format(arena,
                         "GET /path/to/resource\nhost: example.com\nsignature-agent: %s\nsignature-input: "
                         "%s\nsignature: %s",
                         agent, input, json_string_value(json_object_get(vector, "signature")))
                .data);
        struct web_bot_auth_policy policy = {
            .now = now, .max_lifetime = INT64_MAX, .allow_test_keys = true, .insecure_hosts = &insecure};
        struct web_bot_auth_candidate *candidate;
        assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_OK);
        assert_slice(candidate->agent->account, "https://signature-agent.test");
        struct signature_key *key = rfc_public_key();
        assert_int_equal(signature_verify(key, candidate->base, candidate->signature), ERR_OK);
        signature_key_free(key);
        policy.allow_test_keys = false;
        assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidate), ERR_SIGNATURE_INVALID);
        verified++;
    }
    json_decref(list);
    return verified;
}

static void both_generations_of_draft_vectors_verify(void **state)
{
    (void)state;
    assert_int_equal(check_draft_vectors("web_bot_auth_architecture_v1", 1735689700), 1);
    assert_int_equal(check_draft_vectors("web_bot_auth_architecture_v2", 1735689700), 1);
}

static void keys_of_small_order_are_refused(void **state)
{
    static const uint8_t identity[32] = {1};
    static const uint8_t order_two[32] = {[0] = 0xec, [1 ... 30] = 0xff, [31] = 0x7f};
    static const uint8_t order_four[32] = {[31] = 0x80};
    (void)state;
    assert_null(signature_key_ed25519(identity));
    assert_null(signature_key_ed25519(order_two));
    assert_null(signature_key_ed25519(order_four));
}

/* An S that is not reduced (S + L) makes a second signature for the same message: it must not verify. */
static void malleable_signatures_are_refused(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t seed[32] = {7};
    uint8_t raw[32];
    uint8_t signature[64];
    unsigned carry = 0;
    (void)state;
    assert_true(signature_public_ed25519(seed, raw));
    assert_true(signature_sign_ed25519(seed, SLICE("base"), signature));
    struct signature_key *key = signature_key_ed25519(raw);
    assert_int_equal(signature_verify(key, SLICE("base"), slice_bytes(signature, 64)), ERR_OK);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(signature_verify(key, SLICE("base"), slice_bytes(signature, 64)), ERR_SIGNATURE_INVALID);
    signature_key_free(key);
}

/* Every form of Signature-Agent in use, and what comes of it. */
static void signature_agents_are_located(void **state)
{
    static const struct {
        const char *field;
        const char *account; /* NULL: refused */
        const char *directory;
    } cases[] = {
#define WELL_KNOWN "/.well-known/http-message-signatures-directory"
        {"\"https://chatgpt.com\"", "https://chatgpt.com", "https://chatgpt.com" WELL_KNOWN},
        {"\"https://ChatGPT.com:443/\"", "https://chatgpt.com", "https://chatgpt.com" WELL_KNOWN},
        {"g=\"https://agent.bot.goog\"", "https://agent.bot.goog", "https://agent.bot.goog" WELL_KNOWN},
        {"sig=\"https://a.example" WELL_KNOWN "\"", "https://a.example", "https://a.example" WELL_KNOWN},
        {"sig=\"https://a.example/keys\"", "https://a.example/keys", "https://a.example/keys"},
        {"sig=\"https://a.example/keys?v=2\"", "https://a.example/keys", "https://a.example/keys?v=2"},
        {"sig=\"https://a.example/keys?\"", "https://a.example/keys", "https://a.example/keys?"},
        {"sig=\"https://a.example/?v=2\"", "https://a.example", "https://a.example/?v=2"},
        {"sig=\"https://a.example?/keys\"", "https://a.example", "https://a.example/?/keys"},
        {"sig=\"https://a.example" WELL_KNOWN "?v=2\"", "https://a.example",
         "https://a.example" WELL_KNOWN "?v=2"},
        {"sig=\"https://a.example" WELL_KNOWN "/\"", "https://a.example" WELL_KNOWN "/",
         "https://a.example" WELL_KNOWN "/"},
        {"sig=\"https://a.example/\";type=jwks_uri", "https://a.example", "https://a.example/"},
        {"sig=\"https://a.example?v=2\";type=directory", NULL, NULL},
        {"sig=\"https://a.example/x/../%6beys\"", "https://a.example/keys", "https://a.example/keys"},
        {"sig=\"https://a.example/keys\";type=jwks_uri", "https://a.example/keys", "https://a.example/keys"},
        {"sig=\"https://a.example\";type=directory", "https://a.example", "https://a.example" WELL_KNOWN},
        {"signer.example.com", "https://signer.example.com", "https://signer.example.com" WELL_KNOWN},
        {"\"http://localhost:8403\"", "http://localhost:8403", "http://localhost:8403" WELL_KNOWN},
        {"\"https://localhost:8403\"", "https://localhost:8403", "https://localhost:8403" WELL_KNOWN},
        {"sig=\"https://a.example/keys\";type=directory", NULL, NULL},
        {"\"http://a.example\"", NULL, NULL},
        {"\"https://a.example:8443\"", NULL, NULL},
        {"\"https://user@a.example\"", NULL, NULL},
        {"\"https://a.example/#f\"", NULL, NULL},
        {"\"https://192.0.2.1\"", NULL, NULL},
        {"\"https://0x7f.1\"", NULL, NULL},
        {"\"https://2130706433\"", NULL, NULL},
        {"\"https://[2001:db8::1]\"", NULL, NULL},
        {"\"https://\"", NULL, NULL},
        {"\"https://a..example\"", NULL, NULL},
        {"\"https://a example\"", NULL, NULL},
        {"\"https://a.example/%zz\"", NULL, NULL},
        {"\"data:application/json,{}\"", NULL, NULL},
        {"\"a.example\"", NULL, NULL},
        {"a=\"https://a.example\", a=\"https://b.example\"", NULL, NULL},
        {"a=1", NULL, NULL},
        {"a", NULL, NULL},
        {"\"https://a.example", NULL, NULL},
        {"", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(
            arena, arena_format(arena, "GET /\nhost: a.example\nsignature-agent: %s", cases[i].field).data);
        struct signature_agents agents;
        enum err err = signature_agent_parse(arena, &message, &insecure, &agents);
        if (err != (cases[i].account ? ERR_OK : ERR_MALFORMED_SIGNATURE_AGENT))
            fail_msg("err %d: %s", err, cases[i].field);
        if (err == ERR_OK) {
            assert_slice(agents.first->account, cases[i].account);
            assert_slice(agents.first->directory_url, cases[i].directory);
        }
    }
}

/* The ledger keeps accounts and directories of at most 2,048 bytes; a slash may be added to what was sent. */
static void long_locations_are_refused(void **state)
{
    static const char start[] = "https://a.example?";
    (void)state;
    for (size_t len = 2046; len < 2050; len++) {
        struct arena *arena = fresh_arena();
        struct signature_agent agent = {.next = NULL};
        char location[2050];
        memset(location, 'x', sizeof(location));
        memcpy(location, start, strlen(start));
        enum err err = signature_agent_locate(arena, slice_bytes(location, len), &insecure, &agent);
        assert_int_equal(err, len < 2048 ? ERR_OK : ERR_MALFORMED_SIGNATURE_AGENT);
        if (err == ERR_OK)
            assert_int_equal(agent.directory_url.len, len + 1);
    }
}

#define KEYID  "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define PARAMS ";created=1000;expires=1300;keyid=\"" KEYID "\";tag=\"web-bot-auth\""
#define COVER  "(\"@authority\" \"payment\" \"signature-agent\")"
#define SIG    ":AAAA:"

static enum err select_with(const char *input, const char *signature, const char *agent, bool require_target,
                            size_t *count)
{
    struct arena *arena = fresh_arena();
    struct message message =
        request_of(arena, arena_format(arena,
                                       "GET /\nhost: a.example\npayment: scheme=\"deferred\", id=\"x\"\n"
                                       "signature-agent: %s\nsignature-input: %s\nsignature: %s",
                                       agent, input, signature)
                              .data);
    struct web_bot_auth_policy policy = {.now = 1100,
                                         .clock_skew = 30,
                                         .max_lifetime = 86400,
                                         .commitment = SLICE("payment"),
                                         .target =
                                             require_target ? WEB_BOT_AUTH_AUTHORITY : WEB_BOT_AUTH_NO_TARGET,
                                         .insecure_hosts = &insecure};
    struct web_bot_auth_candidate *candidate;
    enum err err = web_bot_auth_select(arena, &message, &policy, &candidate);
    for (*count = 0; candidate; candidate = candidate->next)
        ++*count;
    return err;
}

static void each_rule_of_the_profile_holds(void **state)
{
    static const struct {
        const char *input;
        const char *signature;
        enum err err;
    } cases[] = {
        {"s=" COVER PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\" \"signature-agent\")" PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\";key=\"id\" \"signature-agent\")" PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\";sf \"signature-agent\")" PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\";bs \"signature-agent\";bs)" PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\";sf;key=\"id\" \"signature-agent\";sf)" PARAMS, "s=" SIG, ERR_OK},
        {"s=(\"payment\";sf;key=\"scheme\" \"signature-agent\")" PARAMS, "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=" COVER PARAMS ";alg=\"ed25519\";nonce=\"n\"", "s=" SIG, ERR_OK},
        {"s=" COVER ";expires=1101;created=1130;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1130;expires=1131;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG, ERR_OK},
        {"s=" COVER ";created=1131;expires=1132;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000;expires=1100;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_EXPIRED},
        {"s=" COVER ";created=1000;expires=87400;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG, ERR_OK},
        {"s=" COVER ";created=1000;expires=87401;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000.0;expires=1300;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_MALFORMED_SIGNATURE},
        {"s=" COVER ";expires=1300;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000;keyid=\"" KEYID "\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000;expires=1300;tag=\"web-bot-auth\"", "s=" SIG, ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000;expires=1300;keyid=\"short\";tag=\"web-bot-auth\"", "s=" SIG,
         ERR_SIGNATURE_INVALID},
        {"s=" COVER ";created=1000;expires=1300;keyid=\"" KEYID "\"", "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=" COVER ";created=1000;expires=1300;keyid=\"" KEYID "\";tag=\"other\"", "s=" SIG,
         ERR_SIGNATURE_REQUIRED},
        {"s=" COVER PARAMS ";alg=\"hmac-sha256\"", "s=" SIG, ERR_SIGNATURE_INVALID},
        {"s=" COVER PARAMS ";alg=\"rsa-pss-sha512\"", "s=" SIG, ERR_SIGNATURE_INVALID},
        {"s=" COVER PARAMS ";alg=ed25519", "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS ";unknown=1", "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS ";created=1001", "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS ";nonce=5", "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=()" PARAMS, "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=(\"@authority\" \"signature-agent\")" PARAMS, "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=(\"@authority\" \"payment\")" PARAMS, "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=(\"payment\";key=\"scheme\" \"signature-agent\")" PARAMS, "s=" SIG, ERR_SIGNATURE_REQUIRED},
        {"s=" COVER PARAMS, "t=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS, "s=\"AAAA\"", ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS, "s=(" SIG ")", ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS, "s=" SIG ", s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS ", s=" COVER PARAMS, "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=" COVER PARAMS ", ", "s=" SIG, ERR_MALFORMED_SIGNATURE},
        {"s=\"x\";tag=\"web-bot-auth\"", "s=" SIG, ERR_MALFORMED_SIGNATURE},
    };
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum err err =
            select_with(cases[i].input, cases[i].signature, "\"https://a.example\"", false, &count);
        if (err != cases[i].err || count != (err == ERR_OK ? 1 : 0))
            fail_msg("case %zu: err %d, %zu candidates: %s", i, err, count, cases[i].input);
    }
}

static void a_site_may_demand_the_target(void **state)
{
    size_t count;
    (void)state;
    assert_int_equal(select_with("s=(\"payment\" \"signature-agent\")" PARAMS, "s=" SIG,
                                 "\"https://a.example\"", true, &count),
                     ERR_SIGNATURE_REQUIRED);
    assert_int_equal(select_with("s=(\"@target-uri\" \"payment\" \"signature-agent\")" PARAMS, "s=" SIG,
                                 "\"https://a.example\"", true, &count),
                     ERR_OK);
}

static void several_signatures_are_judged_one_by_one(void **state)
{
    size_t count;
    const char *bad_first =
        "a=(\"missing\")" PARAMS ", s=" COVER PARAMS ", t=(\"payment\" \"signature-agent\")" PARAMS;
    (void)state;
    assert_int_equal(
        select_with(bad_first, "a=" SIG ", s=" SIG ", t=" SIG, "\"https://a.example\"", false, &count),
        ERR_OK);
    assert_int_equal(count, 2);
}

static void a_signature_counts_for_the_agent_it_covers(void **state)
{
    const char *two = "a=\"https://a.example\", b=\"https://b.example\"";
    size_t count;
    (void)state;
    assert_int_equal(
        select_with("s=(\"payment\" \"signature-agent\";key=\"b\")" PARAMS, "s=" SIG, two, false, &count),
        ERR_OK);
    assert_int_equal(select_with("s=(\"payment\" \"signature-agent\")" PARAMS, "s=" SIG, two, false, &count),
                     ERR_SIGNATURE_REQUIRED);
    assert_int_equal(
        select_with("s=(\"payment\" \"signature-agent\";key=\"c\")" PARAMS, "s=" SIG, two, false, &count),
        ERR_SIGNATURE_REQUIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_example_verifies),
        cmocka_unit_test(components_have_the_values_of_the_rfc),
        cmocka_unit_test(an_absent_query_is_a_question_mark),
        cmocka_unit_test(what_cannot_be_covered_is_refused),
        cmocka_unit_test(too_many_components_are_refused),
        cmocka_unit_test(both_generations_of_draft_vectors_verify),
        cmocka_unit_test(keys_of_small_order_are_refused),
        cmocka_unit_test(malleable_signatures_are_refused),
        cmocka_unit_test(signature_agents_are_located),
        cmocka_unit_test(long_locations_are_refused),
        cmocka_unit_test(each_rule_of_the_profile_holds),
        cmocka_unit_test(a_site_may_demand_the_target),
        cmocka_unit_test(several_signatures_are_judged_one_by_one),
        cmocka_unit_test(a_signature_counts_for_the_agent_it_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
