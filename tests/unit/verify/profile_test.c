/* lint: file, the tests share the parts of a request that most of it is
 * The Web Bot Auth profile: what each check tells, the choices of a policy, locations, and full arenas.
 * Tests ledger/base/arena.c, ledger/base/text/text.c, ledger/verify/url.c, ledger/verify/web_bot_auth.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/jwk.h"
#include "ledger/verify/url.h"
#include "ledger/verify/web_bot_auth.h"

#include <stdio.h>

#define KEYID "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define TIMES ";created=1000;expires=1300"
#define REST  ";keyid=\"" KEYID "\";tag=\"web-bot-auth\""
#define COVER "s=(\"@authority\" \"payment\" \"signature-agent\")"
#define AGENT "signature-agent: \"https://a.example\"\n"
#define SIG   "signature: s=:AAAA:\n"
#define TRACE 64

static const char *no_hosts[] = {NULL};
static const struct config_list none = {no_hosts, 0};
static const char *two_names[] = {"ecdsa-p256-sha256", "ed25519"};
static const struct config_list two = {two_names, 2};
static struct web_bot_auth_checked checked[TRACE];
static struct web_bot_auth_trace trace;

static struct web_bot_auth_policy policy_for(const char *commitment)
{
    trace = (struct web_bot_auth_trace){CHECK_COUNT, checked, TRACE, 0};
    return (struct web_bot_auth_policy){.now = 1100,
                                        .clock_skew = 30,
                                        .max_lifetime = 86400,
                                        .commitment = slice_of(commitment),
                                        .target =
                                            *commitment ? WEB_BOT_AUTH_NO_TARGET : WEB_BOT_AUTH_AUTHORITY,
                                        .insecure_hosts = &none,
                                        .trace = &trace};
}

static enum err select_in(struct arena *arena, const char *fields, const struct web_bot_auth_policy *policy,
                          struct web_bot_auth_candidate **candidates)
{
    struct slice text =
        arena_format(arena, "GET /\nhost: a.example\npayment: scheme=\"deferred\", id=\"x\"\n%s", fields);
    struct message message = request_of(arena, text.data);
    return web_bot_auth_select(arena, &message, policy, candidates);
}

/* Every failure, with the check that is named for it. */
static const struct {
    const char *fields;
    enum err err;
    const char *check;
} failures[] = {
    {AGENT "signature-input: " COVER TIMES REST "\n" SIG, ERR_OK, ""},
    {AGENT, ERR_SIGNATURE_REQUIRED, "signature-fields"},
    {AGENT SIG, ERR_MALFORMED_SIGNATURE, "signature-fields"},
    {AGENT "signature-input: " COVER TIMES REST, ERR_MALFORMED_SIGNATURE, "signature-fields"},
    {AGENT SIG "signature-input: (", ERR_MALFORMED_SIGNATURE, "signature-input"},
    {AGENT SIG "signature-input: a, a", ERR_MALFORMED_SIGNATURE, "signature-input"},
    {AGENT SIG "signature-input:", ERR_MALFORMED_SIGNATURE, "signature-input"},
    {AGENT SIG "signature-input: a, b, c, d, e, f, g, h, i", ERR_MALFORMED_SIGNATURE, "signature-input"},
    {AGENT SIG "signature-input: a, b, c, d, e, f, g, " COVER TIMES REST, ERR_OK, ""},
    {AGENT SIG "signature-input: a=1", ERR_MALFORMED_SIGNATURE, "signature-input"},
    {AGENT "signature: \"\nsignature-input: a", ERR_MALFORMED_SIGNATURE, "signature"},
    {"signature-agent: 5\n" SIG "signature-input: " COVER TIMES REST, ERR_MALFORMED_SIGNATURE_AGENT,
     "signature-agent"},
    {AGENT SIG "signature-input: " COVER TIMES, ERR_SIGNATURE_REQUIRED, "tag"},
    {AGENT SIG "signature-input: " COVER TIMES ";tag=web-bot-auth", ERR_SIGNATURE_REQUIRED, "tag"},
    {AGENT SIG "signature-input: " COVER TIMES ";tag=\"x\"", ERR_SIGNATURE_REQUIRED, "tag"},
    {AGENT SIG "signature-input: " COVER TIMES REST ";x", ERR_MALFORMED_SIGNATURE, "parameters"},
    {AGENT SIG "signature-input: " COVER TIMES REST ";created=1", ERR_MALFORMED_SIGNATURE, "parameters"},
    {AGENT SIG "signature-input: " COVER TIMES REST ";alg=\"x\"", ERR_SIGNATURE_INVALID, "alg"},
    {AGENT SIG "signature-input: " COVER TIMES ";tag=\"web-bot-auth\"", ERR_SIGNATURE_INVALID, "keyid"},
    {AGENT SIG "signature-input: " COVER TIMES ";tag=\"web-bot-auth\";keyid=\"=\"", ERR_SIGNATURE_INVALID,
     "keyid"},
    {AGENT SIG "signature-input: " COVER TIMES ";tag=\"web-bot-auth\";keyid=\"AAAA\"", ERR_SIGNATURE_INVALID,
     "keyid"},
    {AGENT SIG "signature-input: " COVER TIMES
               ";tag=\"web-bot-auth\";keyid=\"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U\"",
     ERR_SIGNATURE_INVALID, "test-key"},
    {AGENT SIG "signature-input: " COVER REST, ERR_SIGNATURE_INVALID, "created"},
    {AGENT SIG "signature-input: " COVER ";created=2000;expires=2001" REST, ERR_SIGNATURE_INVALID, "created"},
    {AGENT SIG "signature-input: " COVER ";created=1000" REST, ERR_SIGNATURE_INVALID, "expires"},
    {AGENT SIG "signature-input: " COVER ";created=1110;expires=1110" REST, ERR_SIGNATURE_INVALID, "expires"},
    {AGENT SIG "signature-input: " COVER ";created=1;expires=99999" REST, ERR_SIGNATURE_INVALID, "lifetime"},
    {AGENT SIG "signature-input: " COVER ";created=1;expires=2" REST, ERR_SIGNATURE_EXPIRED, "not-expired"},
    {AGENT "signature: s=1\nsignature-input: " COVER TIMES REST, ERR_MALFORMED_SIGNATURE, "signature-value"},
    {AGENT "signature: t=::\nsignature-input: " COVER TIMES REST, ERR_MALFORMED_SIGNATURE, "signature-value"},
    {AGENT SIG "signature-input: s=(1 \"payment\")" TIMES REST, ERR_SIGNATURE_REQUIRED,
     "covers-signature-agent"},
    {SIG "signature-input: " COVER TIMES REST, ERR_SIGNATURE_REQUIRED, "covers-signature-agent"},
    {AGENT SIG "signature-input: s=(\"payment\" \"signature-agent\";key=1)" TIMES REST,
     ERR_SIGNATURE_REQUIRED, "covers-signature-agent"},
    {AGENT SIG "signature-input: s=(\"payment\" \"signature-agent\";key=\"k\")" TIMES REST,
     ERR_SIGNATURE_REQUIRED, "covers-signature-agent"},
    {AGENT SIG "signature-input: s=(1 \"payment\";key=1 \"payment\";req \"signature-agent\")" TIMES REST,
     ERR_SIGNATURE_REQUIRED, "covers-payment"},
    {AGENT SIG "signature-input: s=(\"payment\" \"missing\" \"signature-agent\")" TIMES REST,
     ERR_MALFORMED_SIGNATURE, "signature-base"},
};

static void failures_are_told_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
        for (int traced = 0; traced < 3; traced++) {
            struct web_bot_auth_candidate *candidates;
            struct web_bot_auth_policy policy = policy_for("payment");
            trace.room = traced == 1 ? TRACE : 0;
            policy.trace = traced < 2 ? &trace : NULL;
            enum err err = select_in(fresh_arena(), failures[i].fields, &policy, &candidates);
            if (err != failures[i].err)
                fail_msg("err %d: %s", err, failures[i].fields);
            if (traced < 2)
                assert_string_equal(web_bot_auth_check_name(trace.failed), failures[i].check);
            assert_true(trace.count == 0 || traced == 1);
        }
}

/* A covered Content-Digest must be that of the body, however it is covered. */
static void a_covered_digest_is_that_of_the_body(void **state)
{
    static const char of_nothing[] = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    static const char *const forms[] = {"", ";sf", ";bs", ";key=\"sha-256\""};
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        for (int body = 0; body < 2; body++) {
            struct web_bot_auth_candidate *candidates;
            struct web_bot_auth_policy policy = policy_for("");
            struct arena *arena = fresh_arena();
            char text[512];
            snprintf(
                text, sizeof(text),
                "PUT /\nhost: a.example\ncontent-digest: %s\n" AGENT SIG
                "signature-input: s=(\"@authority\" \"content-digest\"%s \"signature-agent\")" TIMES REST,
                of_nothing, forms[i]);
            struct message message = request_of(arena, text);
            message.body = body ? SLICE("x") : SLICE("");
            enum err err = web_bot_auth_select(arena, &message, &policy, &candidates);
            assert_int_equal(err, body ? ERR_SIGNATURE_INVALID : ERR_OK);
            assert_string_equal(web_bot_auth_check_name(trace.failed), body ? "content-digest" : "");
        }
}

/* What was signed for a page is good for no method that changes something, and for no body. */
static void a_page_s_signature_changes_nothing(void **state)
{
    static const struct {
        const char *method, *covered;
        bool body;
        enum err err;
        const char *check;
    } cases[] = {
        {"GET", "", false, ERR_OK, ""},
        {"HEAD", "", false, ERR_OK, ""},
        {"DELETE", "", false, ERR_SIGNATURE_REQUIRED, "covers-target"},
        {"DELETE", "\"@method\" ", false, ERR_OK, ""},
        {"POST", "\"@method\" ", true, ERR_SIGNATURE_REQUIRED, "content-digest"},
        {"POST", "", true, ERR_SIGNATURE_REQUIRED, "covers-target"},
        {"GET", "", true, ERR_SIGNATURE_REQUIRED, "content-digest"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct web_bot_auth_candidate *candidates;
        struct web_bot_auth_policy policy = policy_for("");
        policy.changes_taken = true;
        struct arena *arena = fresh_arena();
        char text[512];
        snprintf(text, sizeof(text),
                 "%s /\nhost: a.example\n" AGENT SIG
                 "signature-input: s=(\"@authority\" %s\"signature-agent\")" TIMES REST,
                 cases[i].method, cases[i].covered);
        struct message message = request_of(arena, text);
        message.body = cases[i].body ? SLICE("x") : SLICE("");
        assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidates), cases[i].err);
        assert_string_equal(web_bot_auth_check_name(trace.failed), cases[i].check);
        policy.body_elsewhere = true;
        enum err err = web_bot_auth_select(arena, &message, &policy, &candidates);
        bool named = strcmp(cases[i].check, "covers-target") != 0;
        assert_int_equal(err, named ? ERR_OK : ERR_SIGNATURE_REQUIRED);
        policy = policy_for(""); /* of a site that takes no such request */
        assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidates), ERR_OK);
    }
}

/* The failure of the signature that got furthest is the one that is told. */
static void the_best_failure_is_told(void **state)
{
    struct web_bot_auth_candidate *candidates;
    struct web_bot_auth_policy policy = policy_for("payment");
    (void)state;
    assert_int_equal(select_in(fresh_arena(),
                               AGENT "signature: s=:AAAA:, t=:AAAA:, u=:AAAA:\nsignature-input: s=(), "
                                     "t=(\"payment\");created=1;expires=2" REST
                                     ", u=(\"payment\")" TIMES REST,
                               &policy, &candidates),
                     ERR_SIGNATURE_EXPIRED);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "not-expired");
    assert_string_equal(web_bot_auth_check_name(CHECK_COUNT), "");
}

static void a_policy_may_choose(void **state)
{
    struct web_bot_auth_candidate *candidates;
    struct web_bot_auth_policy policy = policy_for("");
    const char *identity = AGENT SIG "signature-input: s=(\"@authority\" \"signature-agent\")" TIMES REST;
    const char *uri = AGENT SIG "signature-input: s=(\"@target-uri\" \"signature-agent\" 1)" TIMES REST;
    const char *nobody = SIG "signature-input: s=(\"@authority\")" TIMES REST;
    const char *of_request = AGENT SIG
        "signature-input: s=(\"@authority\";req \"@target-uri\";req \"signature-agent\")" TIMES REST;
    (void)state;
    assert_int_equal(select_in(fresh_arena(), nobody, &policy, &candidates), ERR_SIGNATURE_REQUIRED);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "covers-signature-agent");
    assert_int_equal(select_in(fresh_arena(), identity, &policy, &candidates), ERR_OK);
    assert_slice(candidates->agent->account, "https://a.example");
    assert_int_equal(select_in(fresh_arena(), uri, &policy, &candidates), ERR_MALFORMED_SIGNATURE);
    assert_int_equal(select_in(fresh_arena(), of_request, &policy, &candidates), ERR_SIGNATURE_REQUIRED);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "covers-target");
    policy.algorithms = &two;
    const char *with_alg = AGENT SIG "signature-input: s=(\"@authority\" \"signature-agent\")" TIMES REST
                                     ";alg=\"ecdsa-p256-sha256\"";
    assert_int_equal(select_in(fresh_arena(), with_alg, &policy, &candidates), ERR_OK);
    policy.algorithms = &none;
    assert_int_equal(select_in(fresh_arena(), with_alg, &policy, &candidates), ERR_SIGNATURE_INVALID);
}

/* What the configuration says, and which part of the URL has to be covered. */
static void a_policy_is_what_the_configuration_says(void **state)
{
    const struct config config = {.signature_clock_skew_seconds = 30,
                                  .signature_max_lifetime_seconds = 600,
                                  .signature_allow_test_keys = true,
                                  .signature_algorithms = two};
    struct config_site site = {0};
    (void)state;
    struct web_bot_auth_policy policy = web_bot_auth_policy(&config, &site, SLICE("payment"));
    assert_int_equal(policy.clock_skew, 30);
    assert_int_equal(policy.max_lifetime, 600);
    assert_true(policy.allow_test_keys);
    assert_ptr_equal(policy.algorithms, &config.signature_algorithms);
    assert_ptr_equal(policy.insecure_hosts, &config.directory_insecure_hosts);
    assert_slice(policy.commitment, "payment");
    assert_int_equal(policy.target, WEB_BOT_AUTH_NO_TARGET);
    assert_int_equal(web_bot_auth_policy(&config, &site, SLICE("")).target, WEB_BOT_AUTH_AUTHORITY);
    site.require_target = true;
    assert_int_equal(web_bot_auth_policy(&config, &site, SLICE("payment")).target, WEB_BOT_AUTH_AUTHORITY);
    site.require_path = true;
    assert_int_equal(web_bot_auth_policy(&config, &site, SLICE("payment")).target, WEB_BOT_AUTH_URL);
    site.require_target = false;
    assert_int_equal(web_bot_auth_policy(&config, &site, SLICE("")).target, WEB_BOT_AUTH_URL);
}

/* For one request alone: method, URL and nonce are signed, under a tag of its own. */
static void a_request_is_signed_as_it_is(void **state)
{
    static const struct {
        const char *components, *more, *tag;
        enum err err;
        enum web_bot_auth_check failed;
    } cases[] = {
        {"\"@method\" \"@target-uri\"", ";nonce=\"n\"", "own", ERR_OK, CHECK_COUNT},
        {"\"@method\" \"@authority\" \"@path\" \"@query\"", ";nonce=\"n\"", "own", ERR_OK, CHECK_COUNT},
        {"\"@target-uri\"", ";nonce=\"n\"", "own", ERR_SIGNATURE_REQUIRED, CHECK_TARGET_COVERED},
        {"\"@method\" \"@authority\" \"@path\"", ";nonce=\"n\"", "own", ERR_SIGNATURE_REQUIRED,
         CHECK_TARGET_COVERED},
        {"\"@method\" \"@path\" \"@query\"", ";nonce=\"n\"", "own", ERR_SIGNATURE_REQUIRED,
         CHECK_TARGET_COVERED},
        {"\"@method\" \"@target-uri\"", "", "own", ERR_SIGNATURE_REQUIRED, CHECK_NONCE},
        {"\"@method\" \"@target-uri\"", ";nonce=\"n\"", "web-bot-auth", ERR_SIGNATURE_REQUIRED, CHECK_TAG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct web_bot_auth_candidate *candidates;
        struct web_bot_auth_policy policy = policy_for("");
        policy.target = WEB_BOT_AUTH_REQUEST;
        policy.tag = "own";
        const char *text =
            arena_format(
                arena,
                "GET /a?b\nhost: a.example\nsignature-agent: \"https://c.example\"\n"
                "signature-input: sig=(%s \"signature-agent\");created=%lld;expires=%lld;keyid=\"%s\""
                "%s;tag=\"%s\"\nsignature: sig=:AA==:\n",
                cases[i].components, (long long)policy.now, (long long)policy.now + 60, KEYID, cases[i].more,
                cases[i].tag)
                .data;
        struct message message = request_of(arena, text);
        assert_int_equal(web_bot_auth_select(arena, &message, &policy, &candidates), cases[i].err);
        assert_int_equal(policy.trace->failed, cases[i].failed);
    }
}

static void the_url_is_named_in_several_ways(void **state)
{
    static const struct {
        const char *target, *components;
        bool authority, url;
    } cases[] = {
        {"/a", "\"@target-uri\"", true, true},
        {"/a?b", "\"@target-uri\"", true, true},
        {"/a", "\"@authority\"", true, false},
        {"/a", "\"@authority\" \"@path\"", true, true},
        {"/a?b", "\"@authority\" \"@path\"", true, false},
        {"/a?b", "\"@authority\" \"@query\"", true, false},
        {"/a?b", "\"@authority\" \"@query\" \"@path\"", true, true},
        {"/a?b", "\"@authority\" \"@path\" \"@query-param\";name=\"b\"", true, false},
        {"/a?", "\"@authority\" \"@path\"", true, false},
        {"/a?b", "\"@authority\" \"@request-target\"", true, true},
        {"/a", "\"@request-target\"", false, false},
        {"/a", "\"@path\" \"@method\"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int url = 0; url < 2; url++) {
            struct arena *arena = fresh_arena();
            struct web_bot_auth_candidate *candidates;
            struct web_bot_auth_policy policy = policy_for("");
            policy.target = url ? WEB_BOT_AUTH_URL : WEB_BOT_AUTH_AUTHORITY;
            const char *text =
                arena_format(arena,
                             "GET %s\nhost: a.example\nsignature-agent: \"https://b.example\"\n" SIG
                             "signature-input: s=(%s \"signature-agent\")" TIMES REST,
                             cases[i].target, cases[i].components)
                    .data;
            struct message message = request_of(arena, text);
            enum err err = web_bot_auth_select(arena, &message, &policy, &candidates);
            if ((err == ERR_OK) != (url ? cases[i].url : cases[i].authority))
                fail_msg("%s %s", cases[i].target, cases[i].components);
        }
}

static void a_free_page_is_opened_for_a_while(void **state)
{
    static const struct {
        int64_t created, expires, now;
        enum err err;
        int64_t until;
    } cases[] = {
        {1000, 4600, 1000, ERR_OK, 1300},
        {1000, 4600, 1299, ERR_OK, 1300},
        {1000, 4600, 1300, ERR_SIGNATURE_EXPIRED, 0},
        {1000, 1060, 1059, ERR_OK, 1060},
        {1000, 1060, 1060, ERR_SIGNATURE_EXPIRED, 0},
        {1000, 1300, 1299, ERR_OK, 1300},
        {1020, 4600, 1000, ERR_OK, 1320},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int free_page = 0; free_page < 2; free_page++) {
            struct arena *arena = fresh_arena();
            struct web_bot_auth_candidate *candidates;
            struct web_bot_auth_policy policy = policy_for("");
            policy.now = cases[i].now;
            policy.max_age = free_page ? 300 : 0;
            const char *text =
                arena_format(arena,
                             "GET /\nhost: a.example\nsignature-agent: \"https://b.example\"\n" SIG
                             "signature-input: s=(\"@authority\" \"signature-agent\");created=%lld;"
                             "expires=%lld;nonce=\"n\"" REST,
                             (long long)cases[i].created, (long long)cases[i].expires)
                    .data;
            struct message message = request_of(arena, text);
            enum err err = web_bot_auth_select(arena, &message, &policy, &candidates);
            bool own = cases[i].now < cases[i].expires;
            assert_int_equal(err, free_page ? cases[i].err : own ? ERR_OK : ERR_SIGNATURE_EXPIRED);
            if (err != ERR_OK)
                continue;
            assert_int_equal(candidates->until, free_page ? cases[i].until : cases[i].expires);
            assert_true(slice_eq(candidates->nonce, SLICE("n")));
        }
}

static void the_key_decides_the_algorithm(void **state)
{
    static const uint8_t seed[32] = {5};
    uint8_t raw[32];
    uint8_t signature[64];
    struct web_bot_auth_policy policy = policy_for("");
    struct web_bot_auth_candidate candidate = {.base = SLICE("base"),
                                               .signature = slice_bytes(signature, 64)};
    struct arena *arena = fresh_arena();
    (void)state;
    assert_true(signature_public_ed25519(seed, raw));
    assert_true(signature_sign_ed25519(seed, candidate.base, signature));
    struct signature_key *key = signature_key_ed25519(raw);
    assert_int_equal(web_bot_auth_verify(arena, &policy, &candidate, key), ERR_OK);
    candidate.alg = SLICE("ed25519");
    assert_int_equal(web_bot_auth_verify(arena, &policy, &candidate, key), ERR_OK);
    candidate.alg = SLICE("rsa-pss-sha512");
    assert_int_equal(web_bot_auth_verify(arena, &policy, &candidate, key), ERR_SIGNATURE_INVALID);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "key-algorithm");
    candidate.alg = SLICE("");
    policy.algorithms = &none;
    assert_int_equal(web_bot_auth_verify(arena, &policy, &candidate, key), ERR_SIGNATURE_INVALID);
    policy.algorithms = &two;
    signature[0] ^= 1;
    assert_int_equal(web_bot_auth_verify(arena, &policy, &candidate, key), ERR_SIGNATURE_INVALID);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "verifies");
    signature_key_free(key);
}

/* With any room, the same request is taken or refused, and never more than that. */
static void a_full_arena_is_a_refusal(void **state)
{
    static const char *const agents[] = {
        "a=\"https://A.example/k?q\";type=jwks_uri\nsignature-agent: b=\"https://b.example\"",
        "\"https://a.example/%41\"", "a.example", "a=\"https://a.example\";type=x"};
    static char memory[16384];
    (void)state;
    for (size_t i = 0; i < sizeof(agents) / sizeof(*agents); i++) {
        char fields[512];
        struct arena *arena = fresh_arena();
        snprintf(fields, sizeof(fields),
                 "GET /\nhost: a.example\npayment: id=\"x\"\nsignature-agent: %s\nsignature-input: "
                 "s=(\"payment\" \"signature-agent\"%s)" TIMES REST "\nsignature: s=:AA:\nsignature: t=:AA:",
                 agents[i], i == 0 ? ";key=\"b\"" : "");
        struct message message = request_of(arena, fields);
        bool taken = false;
        for (size_t size = 0; size <= sizeof(memory); size++) {
            struct web_bot_auth_candidate *candidates;
            struct web_bot_auth_policy policy = policy_for("payment");
            struct arena small;
            arena_init(&small, memory, size);
            enum err err = web_bot_auth_select(&small, &message, &policy, &candidates);
            assert_true(err == ERR_OK || !taken);
            taken = err == ERR_OK;
        }
        assert_int_equal(taken, i < 3);
    }
}

/* The members one by one: how many name somebody, and what is wrong with the first that does not, or with the
 * field. */
static const struct {
    const char *field;
    enum err err;
    size_t good;
    const char *why; /* NULL: all is well */
    const char *text;
} members[] = {
    {"a=\"https://a.example\";type=cimd", ERR_OK, 0, "its type is not known here", "cimd"},
    {"a=\"https://a.example\";type=5", ERR_OK, 0, "its type is not known here", ""},
    {"a=\"https://a.example\";type=\"directory\", b=\"https://b.example\"", ERR_OK, 2, NULL, ""},
    {"a=\"https://a.example/.well-known/http-message-signatures-directory\";type=directory", ERR_OK, 1, NULL,
     ""},
    {"a=\"https://a.example/?q\"", ERR_OK, 1, NULL, ""},
    {"\"https://a.example\";x", ERR_OK, 1, NULL, ""},
    {"a=\"http://a.example\", b=\"https://b.example\"", ERR_OK, 1, "it is http, only https is taken",
     "http://a.example"},
    {"b=\"https://b.example\", a=5, c=\"\"", ERR_OK, 1, "a member is no string in double quotes", "a"},
    {"a=5, b=\"https://b.example\";type=cimd", ERR_MALFORMED_SIGNATURE_AGENT, 0, "a member is no string",
     "a"},
    {"A-1.b:9", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it names a port, only that of https is taken",
     "https://A-1.b:9"},
    {"A{.b", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is neither a string in double quotes nor a dictionary",
     "A{.b"},
    {"9.a/", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is neither", "9.a/"},
    {"\"https://a.example\", \"https://b.example\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "several strings",
     "\"https://a.example\", \"https://b.example\""},
    {"\"https://a.example", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is no string in double quotes",
     "\"https://a.example"},
    {"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is empty", ""},
    {"https://a.example", ERR_MALFORMED_SIGNATURE_AGENT, 0,
     "a URL is written in double quotes, as in \"https://crawler.example\", and this has none",
     "https://a.example"},
    {"'https://a.example'", ERR_MALFORMED_SIGNATURE_AGENT, 0,
     "a URL is written in double quotes, as in \"https://crawler.example\", and these are single ones",
     "'https://a.example'"},
    {"a=\"https://a.example\", a=\"https://b.example\"", ERR_MALFORMED_SIGNATURE_AGENT, 0,
     "a member stands in it twice", "a=\"https://a.example\", a=\"https://b.example\""},
    {"\"a.example\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is no URL that begins with https://",
     "a.example"},
    {"\"data:,x\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is no URL that begins with https://", "data:,x"},
    {"\"http://a.example\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "it is http", "http://a.example"},
    {"\"https://1.2.3.4\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "its host is an address", "https://1.2.3.4"},
    {"\"https://u@a.example\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "a user's name stands in the URL",
     "https://u@a.example"},
    {"\"https://a.example/#x\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL has a fragment",
     "https://a.example/#x"},
    {"\"https://a..b\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL's host is no host name", "https://a..b"},
    {"\"https://a b\"", ERR_MALFORMED_SIGNATURE_AGENT, 0,
     "the URL has a character that must not stand in one", "https://a b"},
    {"\"https://a/%zz\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL's path has a broken percent-encoding",
     "https://a/%zz"},
    {"\"https://a:x\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL's port is none", "https://a:x"},
    {"\"https://[::1\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL's host has no closing bracket",
     "https://[::1"},
    {"\"https://[::1]x\"", ERR_MALFORMED_SIGNATURE_AGENT, 0, "the URL's host is followed by something else",
     "https://[::1]x"},
    {"a=\"https://a.example/.well-known/http-message-signatures-directory?x\";type=directory",
     ERR_MALFORMED_SIGNATURE_AGENT, 0, "with ;type=directory it is an origin",
     "https://a.example/.well-known/http-message-signatures-directory?x"},
    {"a=\"https://a.example/x\";type=directory", ERR_MALFORMED_SIGNATURE_AGENT, 0,
     "with ;type=directory it is an origin", "https://a.example/x"},
};

static void members_are_judged_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        struct message_field field = {SLICE("signature-agent"), slice_of(members[i].field)};
        struct message message = {.fields = &field, .field_count = 1};
        struct signature_agents agents;
        size_t good = 0;
        enum err err = signature_agent_parse(fresh_arena(), &message, &none, &agents);
        struct fault fault = agents.fault;
        for (const struct signature_agent *agent = agents.first; err == ERR_OK && agent;
             agent = agent->next) {
            good += agent->err == ERR_OK;
            fault = fault.why ? fault : agent->fault;
        }
        bool told = members[i].why
                        ? fault.why && slice_starts(slice_of(fault.why), slice_of(members[i].why)) &&
                              slice_eq(fault.text, slice_of(members[i].text))
                        : !fault.why;
        if (err != members[i].err || good != members[i].good || !told)
            fail_msg("err %d, %zu agents, %s: %.*s: %s", err, good, fault.why ? fault.why : "",
                     (int)fault.text.len, fault.text.data, members[i].field);
    }
}

/* What has been read of the field already is what counts, and is told. */
static void agents_are_read_once(void **state)
{
    static const char signed_by_a[] = AGENT "signature-input: " COVER TIMES REST "\n" SIG;
    struct web_bot_auth_candidate *candidates;
    struct signature_agent other = {.account = SLICE("https://other.example"), .err = ERR_OK};
    struct signature_agents agents = {.first = &other};
    struct web_bot_auth_policy policy = policy_for("payment");
    (void)state;
    policy.agents = &agents;
    assert_int_equal(select_in(fresh_arena(), signed_by_a, &policy, &candidates), ERR_OK);
    assert_ptr_equal(candidates->agent, &other);
    agents =
        (struct signature_agents){.err = ERR_MALFORMED_SIGNATURE_AGENT, .fault = {"it is odd", SLICE("x")}};
    assert_int_equal(select_in(fresh_arena(), signed_by_a, &policy, &candidates),
                     ERR_MALFORMED_SIGNATURE_AGENT);
    assert_string_equal(web_bot_auth_check_name(trace.failed), "signature-agent");
    assert_slice(trace.checked[trace.count - 1].detail, "it is odd: x");
}

/* Which agent each signature is for; "" where it is for none. */
static void each_signature_has_its_own_agent(void **state)
{
#define TWO     "signature-agent: a=\"https://a.example\", b=\"https://b.example\"\n"
#define SA(key) "\"signature-agent\";key=\"" key "\""
    static const struct {
        const char *agents;
        const char *covered; /* by the signature s */
        const char *other;   /* by the signature a */
        const char *account;
    } cases[] = {
        {TWO, SA("b"), SA("a"), "https://b.example"},
        {TWO, SA("a") " " SA("b") " \"signature\";key=\"a\"", SA("a"), "https://b.example"},
        {TWO, SA("b") " \"signature\";key=\"a\" " SA("a"), SA("a"), "https://b.example"},
        {TWO, SA("a") " \"signature\";key=\"a\"", SA("a"), ""}, /* the enclosed one's alone */
        {TWO, SA("a") " " SA("b"), SA("a"), ""},                /* which of the two? */
        {TWO, "\"signature-agent\"", SA("a"), ""},
        {TWO, "\"payment\"", SA("a"), ""},
        {TWO, SA("c"), SA("a"), ""},
        {"signature-agent: a=\"https://a.example\", s=\"https://s.example\"\n", "\"signature-agent\"",
         SA("a"), "https://s.example"},
        {"signature-agent: a=\"https://a.example\", s=\"https://s.example\"\n", SA("a") " " SA("s"), SA("a"),
         "https://s.example"},
        {"signature-agent: a=\"https://a.example\", s=\"https://s.example\"\n", SA("a"), SA("a"),
         "https://a.example"}, /* a name that differs from the label is taken */
        {"signature-agent: a=\"http://a.example\", s=\"https://s.example\"\n", SA("s"), SA("a"),
         "https://s.example"},
        {"signature-agent: s=\"http://s.example\", a=\"https://a.example\"\n", SA("s"), SA("a"), ""},
        {AGENT, "\"signature-agent\";sf", "\"signature-agent\"", "https://a.example"},
        {AGENT, "\"signature-agent\";bs", "\"signature-agent\"", "https://a.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct web_bot_auth_candidate *candidate;
        struct web_bot_auth_policy policy = policy_for("");
        char fields[1024];
        snprintf(fields, sizeof(fields),
                 "%ssignature: s=:AAAA:, a=:AAAA:\nsignature-input: s=(\"@authority\" %s)" TIMES REST
                 ", a=(\"@authority\" %s)" TIMES REST,
                 cases[i].agents, cases[i].covered, cases[i].other);
        const char *account = "";
        enum err err = select_in(fresh_arena(), fields, &policy, &candidate);
        for (; err == ERR_OK && candidate; candidate = candidate->next)
            if (slice_eq(candidate->label, SLICE("s")))
                account = candidate->agent->account.data;
        if (strncmp(account, cases[i].account, strlen(cases[i].account)) != 0 ||
            !*account != !*cases[i].account)
            fail_msg("case %zu: %s", i, account);
    }
}

#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void urls_are_normal_or_refused(void **state)
{
    static const struct {
        const char *text;
        const char *origin; /* NULL: refused */
        const char *path;
        bool address;
    } cases[] = {
        {"HTTPS://A.Example.", "https://a.example", "/", false},
        {"http://a:80/b/./c/../d/.", "http://a", "/b/d/", false},
        {"http://a:8080/..", "http://a:8080", "/", false},
        {"https://a:/%7e%2f%c3", "https://a", "/~%2F%C3", false},
        {"https://a_b-c.d9/%41%5A%30%2D", "https://a_b-c.d9", "/AZ0-", false},
        {"https://[::1]:443", "https://[::1]", "/", true},
        {"https://1.2.3.4.", "https://1.2.3.4", "/", true},
        {"https://a.0xF", "https://a.0xf", "/", true},
        {"https://a.0xg", "https://a.0xg", "/", false},
        {"https://a.0x", "https://a.0x", "/", false},
        {"https://a.00z", "https://a.00z", "/", false},
        {"https://a.9f", "https://a.9f", "/", false},
        {"https://a.1xz", "https://a.1xz", "/", false},
        {"https://a.a12", "https://a.a12", "/", false},
        {"https://a.1-", "https://a.1-", "/", false},
        {"https://a.0x{", NULL, NULL, false},
        {"https://a.0x-", "https://a.0x-", "/", false},
        {"https://" LABEL63 ".a", "https://" LABEL63 ".a", "/", false},
        {"https://" LABEL63 "a.a", NULL, NULL, false},
        {"https://" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, NULL, NULL, false},
        {"https://a/%4", NULL, NULL, false},
        {"https://a/%00", NULL, NULL, false},
        {"https://a/\x7f", NULL, NULL, false},
        {"https://a/\xc3", NULL, NULL, false},
        {"https://a/{", NULL, NULL, false},
        {"https://a:9x", NULL, NULL, false},
        {"https://a:/9:", "https://a", "/9:", false},
        {"https://a:-1", NULL, NULL, false},
        {"https://a:123456", NULL, NULL, false},
        {"https://[::1", NULL, NULL, false},
        {"https://[::1]x", NULL, NULL, false},
        {"https://.", NULL, NULL, false},
        {"https://a@b", NULL, NULL, false},
        {"https://a{b", NULL, NULL, false},
        {"https://~a", NULL, NULL, false},
        {"https:/", NULL, NULL, false},
        {"ftp://a.example", NULL, NULL, false},
        {"http:/", NULL, NULL, false},
    };
    static char lengthy[2100] = "https://a/";
    struct url url;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        bool parsed = url_parse(arena, slice_of(cases[i].text), &url);
        if (parsed != (cases[i].origin != NULL))
            fail_msg("%s: %s", parsed ? "parsed" : "refused", cases[i].text);
        if (!parsed)
            continue;
        assert_slice(url_origin(arena, &url), cases[i].origin);
        assert_slice(url.path, cases[i].path);
        assert_int_equal(url.address, cases[i].address);
    }
    memset(lengthy + 10, 'a', 2039);
    assert_false(url_parse(fresh_arena(), slice_of(lengthy), &url));
    lengthy[2048] = '\0';
    assert_true(url_parse(fresh_arena(), slice_of(lengthy), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told_by_name),
        cmocka_unit_test(a_covered_digest_is_that_of_the_body),
        cmocka_unit_test(a_page_s_signature_changes_nothing),
        cmocka_unit_test(the_best_failure_is_told),
        cmocka_unit_test(a_policy_may_choose),
        cmocka_unit_test(a_policy_is_what_the_configuration_says),
        cmocka_unit_test(a_request_is_signed_as_it_is),
        cmocka_unit_test(the_url_is_named_in_several_ways),
        cmocka_unit_test(a_free_page_is_opened_for_a_while),
        cmocka_unit_test(the_key_decides_the_algorithm),
        cmocka_unit_test(a_full_arena_is_a_refusal),
        cmocka_unit_test(members_are_judged_one_by_one),
        cmocka_unit_test(agents_are_read_once),
        cmocka_unit_test(each_signature_has_its_own_agent),
        cmocka_unit_test(urls_are_normal_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
