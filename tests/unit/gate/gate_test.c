/* The gate's pure parts: payment ids, globs, rules, and which addresses may be fetched from.
 * Tests ledger/base/text/glob.c, server/rules/rules.c, ledger/entry/payment_id.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "server/agent/address.h"
#include "ledger/base/text/glob.h"
#include "ledger/entry/payment_id.h"
#include "server/rules/rules.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW_MS 1763640000000

static const struct payment_offer an_offer = {
    .site = {"a", 1},
    .network = {"a:402", 5},
    .terms_url = {"https://a.example/terms", 23},
    .authority = {"a.example", 9},
    .target = {"/page?x=1", 9},
};

static struct payment_keys keys_of(const char *current, const char *previous)
{
    return (struct payment_keys){hmac_new(current, strlen(current)),
                                 previous ? hmac_new(previous, strlen(previous)) : NULL};
}

static void free_keys(struct payment_keys *keys)
{
    hmac_free(keys->current);
    hmac_free(keys->previous);
}

static enum err open_at(const struct payment_keys *keys, const struct payment_offer *offer, const char *text,
                        int64_t now_ms)
{
    struct payment_id id;
    return payment_id_open(keys, offer, slice_bytes(text, PAYMENT_ID_TEXT), now_ms, 300, &id);
}

static void an_id_carries_time_and_price(void **state)
{
    uint8_t random[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    char text[PAYMENT_ID_TEXT];
    uint8_t raw[PAYMENT_ID_SIZE];
    size_t len;
    struct payment_id id;
    struct payment_keys keys = keys_of("key", NULL);
    (void)state;
    payment_id_mint(&keys, &an_offer, NOW_MS, 2500, random, text);
    assert_true(encoding_unbase64url(slice_bytes(text, sizeof(text)), raw, sizeof(raw), &len));
    assert_int_equal(len, 48);
    assert_int_equal(uuid_ms(raw), NOW_MS);
    assert_true(uuid_is_v7(raw));
    static const uint8_t price[6] = {0, 0, 0, 0, 0x09, 0xc4};
    assert_memory_equal(raw + 16, price, 6);
    assert_int_equal(payment_id_open(&keys, &an_offer, slice_bytes(text, sizeof(text)), NOW_MS, 300, &id),
                     ERR_OK);
    assert_int_equal(id.price_micros, 2500);
    assert_memory_equal(id.uuid, raw, 16);
    free_keys(&keys);
}

static void a_gate_has_one_lane_a_second_and_each_in_its_turn(void **state)
{
    bool seen[256] = {false};
    (void)state;
    for (int second = 0; second < 256; second++) {
        int64_t from_ms = NOW_MS + 1000 * second;
        uint8_t lane = payment_id_lane(200, from_ms);
        assert_int_equal(payment_id_lane(200, from_ms + 999), lane);
        assert_false(seen[lane]);
        seen[lane] = true;
    }
    assert_int_equal(payment_id_lane(200, NOW_MS + 256000), payment_id_lane(200, NOW_MS));
    assert_int_not_equal(payment_id_lane(201, NOW_MS), payment_id_lane(200, NOW_MS));
}

/* By what is signed alone: the same again is the same payment, and each time has its own partition. */
static void a_derived_id_is_that_of_its_signature(void **state)
{
    uint8_t first[UUID_SIZE], second[UUID_SIZE];
    (void)state;
    payment_id_derive(1763640000, SLICE("a signature"), first);
    payment_id_derive(1763640000, SLICE("a signature"), second);
    assert_memory_equal(first, second, UUID_SIZE);
    assert_true(uuid_is_v7(first));
    assert_int_equal(uuid_ms(first), NOW_MS);
    char text[UUID_TEXT_MAX];
    assert_string_equal(uuid_format(first, text), "019aa122-be00-704d-8a04-8703df86f58c");
    payment_id_derive(1763640000, SLICE("another one"), second);
    assert_memory_not_equal(first, second, UUID_SIZE);
    payment_id_derive(1763640001, SLICE("a signature"), second);
    assert_int_equal(uuid_ms(second), NOW_MS + 1000);
}

static void an_id_holds_for_its_time(void **state)
{
    uint8_t random[10] = {0};
    char text[PAYMENT_ID_TEXT];
    struct payment_keys keys = keys_of("key", NULL);
    (void)state;
    payment_id_mint(&keys, &an_offer, NOW_MS, 1, random, text);
    assert_int_equal(open_at(&keys, &an_offer, text, NOW_MS + 300000), ERR_OK);
    assert_int_equal(open_at(&keys, &an_offer, text, NOW_MS + 300001), ERR_OFFER_EXPIRED);
    assert_int_equal(open_at(&keys, &an_offer, text, NOW_MS - 60000), ERR_OK);
    assert_int_equal(open_at(&keys, &an_offer, text, NOW_MS - 60001), ERR_OFFER_EXPIRED);
    free_keys(&keys);
}

static void an_id_holds_for_nothing_else(void **state)
{
    uint8_t random[10] = {0};
    char text[PAYMENT_ID_TEXT];
    struct payment_keys keys = keys_of("key", NULL);
    struct payment_keys other = keys_of("other", NULL);
    struct payment_keys rotated = keys_of("newer", "key");
    struct payment_offer changed[5];
    (void)state;
    payment_id_mint(&keys, &an_offer, NOW_MS, 1, random, text);
    for (size_t i = 0; i < 5; i++)
        changed[i] = an_offer;
    changed[0].site = SLICE("b");
    changed[1].network = SLICE("b:402");
    changed[2].terms_url = SLICE("https://a.example/other");
    changed[3].authority = SLICE("b.example");
    changed[4].target = SLICE("/page?x=2");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(open_at(&keys, &changed[i], text, NOW_MS), ERR_OFFER_MISMATCH);
    assert_int_equal(open_at(&other, &an_offer, text, NOW_MS), ERR_OFFER_MISMATCH);
    assert_int_equal(open_at(&rotated, &an_offer, text, NOW_MS), ERR_OK);
    free_keys(&keys);
    free_keys(&other);
    free_keys(&rotated);
}

static void every_bit_of_an_id_counts(void **state)
{
    uint8_t random[10] = {9};
    char text[PAYMENT_ID_TEXT];
    uint8_t raw[PAYMENT_ID_SIZE];
    size_t len;
    struct payment_keys keys = keys_of("key", NULL);
    (void)state;
    payment_id_mint(&keys, &an_offer, NOW_MS, 2500, random, text);
    assert_true(encoding_unbase64url(slice_bytes(text, sizeof(text)), raw, sizeof(raw), &len));
    for (size_t bit = 0; bit < 8 * sizeof(raw); bit++) {
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        encoding_base64url(raw, sizeof(raw), text);
        assert_int_equal(open_at(&keys, &an_offer, text, NOW_MS), ERR_OFFER_MISMATCH);
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    struct payment_id id;
    assert_int_equal(payment_id_open(&keys, &an_offer, SLICE(""), NOW_MS, 300, &id), ERR_OFFER_MISMATCH);
    assert_int_equal(payment_id_open(&keys, &an_offer, SLICE("abc123"), NOW_MS, 300, &id),
                     ERR_OFFER_MISMATCH);
    free_keys(&keys);
}

static void globs_stop_at_slashes_unless_doubled(void **state)
{
    static const struct {
        const char *glob;
        const char *path;
        bool fits;
    } cases[] = {
        {"/**", "/", true},
        {"/**", "/a/b/c", true},
        {"/*", "/a", true},
        {"/*", "/a/b", false},
        {"/a/*/c", "/a/b/c", true},
        {"/a/*/c", "/a/b/b/c", false},
        {"/a/**/c", "/a/b/b/c", true},
        {"/a/**", "/a", false},
        {"/a/**", "/a/", true},
        {"/*.html", "/x.html", true},
        {"/*.html", "/x/y.html", false},
        {"/**.html", "/x/y.html", true},
        {"/**/*.html", "/x/y.html", true},
        {"/a?c", "/abc", true},
        {"/a?c", "/a/c", false},
        {"/a", "/a", true},
        {"/a", "/ab", false},
        {"/ab", "/a", false},
        {"/*a*b", "/xaxxb", true},
        {"/*a*b", "/xaxxbc", false},
        {"/**x/*y", "/ax/bx/cy", true},
        {"", "", true},
        {"/**/", "/a/b/", true},
        {"/A", "/a", false},
        {"/**a**b**c", "/xxaxxbxxbxxc", true},
        {"/**a**b**c", "/xxaxxcxxb", false},
        {"/*a**b", "/xa/a/b", true},
        {"/*a**b", "/x/a/b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (glob_matches(slice_of(cases[i].glob), slice_of(cases[i].path)) != cases[i].fits)
            fail_msg("%s on %s", cases[i].glob, cases[i].path);
}

static void paths_have_one_spelling(void **state)
{
    static const struct {
        const char *target;
        const char *path; /* NULL: malformed, or holds a NUL */
        bool dots;        /* or a NUL: no file is served for it */
    } cases[] = {
        {"/", "/", false},
        {"/index.html", "/", false},
        {"/a/index.html", "/a/", false},
        {"/aindex.html", "/aindex.html", false},
        {"/%61rticles/x", "/articles/x", false},
        {"//articles///x", "/articles/x", false},
        {"/a%2Fb", "/a/b", false},
        {"/a%20b", "/a b", false},
        {"/a..b/...", "/a..b/...", false},
        {"/..", "/", true},
        {"/.", "/", true},
        {"/../../a", "/a", true},
        {"/a/../b", "/b", true},
        {"/a/b/..", "/a/", true},
        {"/a/b/../..", "/", true},
        {"/x/../articles/page", "/articles/page", true},
        {"/a/%2e%2e/b", "/b", true},
        {"/a/./b/.", "/a/b/", true},
        {"/a/b/./index.html", "/a/b/", true},
        {"/a%2f..%2fb", "/b", true},
        {"/a%00b", NULL, true},
        {"/%", NULL, false},
        {"/%4", NULL, false},
        {"/%zz", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice path;
        bool plain = false;
        bool broken = !cases[i].path && !cases[i].dots;
        enum err err = rules_path(fresh_arena(), slice_of(cases[i].target), &path, &plain);
        if (err != (broken ? ERR_MALFORMED_REQUEST : ERR_OK) || (!broken && plain == cases[i].dots))
            fail_msg("err %d: %s", err, cases[i].target);
        if (cases[i].path)
            assert_slice(path, cases[i].path);
    }
    /* What stands behind the target is not read. */
    struct slice path;
    bool plain;
    assert_int_equal(rules_path(fresh_arena(), slice_bytes("/%41", 3), &path, &plain), ERR_MALFORMED_REQUEST);
}

static const char rules_yaml[] =
    "signature:\n"
    "  algorithms: [ed25519, ecdsa-p256-sha256]\n"
    "directory:\n"
    "  insecure_hosts: [\"localhost:8403\"]\n"
    "sites:\n"
    "  - name: a\n"
    "    hosts: [\"a.example\", \"alias.example:443\"]\n"
    "    root: /\n"
    "    network: \"a:402\"\n"
    "    terms_url: https://a.example/terms\n"
    "    rules:\n"
    "      - {name: friend, agents: [\"https://friend.example\"], action: allow}\n"
    "      - {name: foe, agents: [\"https://foe.example/\"], action: block}\n"
    "      - {name: search, user_agents: [Googlebot], paths: [\"/deep/**\"], action: charge, price: 1}\n"
    "      - {name: front, paths: [\"/index.html\"], action: allow}\n"
    "      - {name: rest, action: charge, price: 0.0025}\n";

static struct config *config_from(const char *yaml)
{
    char path[] = "/tmp/crawltab-gate-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    close(fd);
    struct config *config = config_load(path, stderr, stderr);
    unlink(path);
    assert_non_null(config);
    return config;
}

#define GPT        "user-agent: GPTBot/1.0\n"
#define HUMAN      "user-agent: Mozilla/5.0 Firefox/130\n"
#define AGENT(url) "signature-agent: \"" url "\"\n"

static void the_first_rule_that_fits_decides(void **state)
{
    static const struct {
        const char *path;
        const char *fields;
        enum rules_action action;
        const char *rule;
        bool account;
    } cases[] = {
        {"/page", HUMAN, RULES_ALLOW, NULL, false},
        {"/page", "", RULES_ALLOW, NULL, false},
        {"/page", GPT, RULES_CHARGE, "rest", false},
        {"/page", HUMAN AGENT("https://new.example"), RULES_CHARGE, "rest", false},
        {"/page", HUMAN "signature-input: x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "payment: x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "x-payment: x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "payment-signature: x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "crawler-max-price: x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "authorization: License x\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "authorization:  LICENSE\n", RULES_CHARGE, "rest", false},
        {"/page", HUMAN "authorization: Licensed x\n", RULES_ALLOW, NULL, false},
        {"/page", HUMAN "authorization: Basic License\n", RULES_ALLOW, NULL, false},
        {"/", GPT, RULES_ALLOW, "front", false},
        {"/robots.txt", GPT, RULES_ALLOW, NULL, false},
        {"/sitemap.xml", AGENT("https://foe.example"), RULES_ALLOW, NULL, false},
        {"/.well-known/security.txt", GPT, RULES_ALLOW, NULL, false},
        {"/page", AGENT("https://friend.example"), RULES_ALLOW, "friend", true},
        {"/page", AGENT("https://foe.example"), RULES_BLOCK, "foe", true},
        {"/deep/x", "user-agent: Googlebot/2.1\n", RULES_CHARGE, "search", false},
        {"/page", "user-agent: Googlebot/2.1\n", RULES_ALLOW, NULL, false},
    };
    struct config *config = config_from(rules_yaml);
    struct rules *table = rules_new(config);
    (void)state;
    assert_non_null(table);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(
            arena, arena_format(arena, "GET %s\nhost: a.example\n%s", cases[i].path, cases[i].fields).data);
        struct signature_agents agents;
        assert_int_equal(signature_agent_parse(arena, &message, &config->directory_insecure_hosts, &agents),
                         ERR_OK);
        struct rules_decision decision =
            rules_decide(table, 0, &message, slice_of(cases[i].path), agents.first);
        if (decision.action != cases[i].action || (decision.account != NULL) != cases[i].account)
            fail_msg("case %zu: action %d", i, decision.action);
        if (cases[i].rule)
            assert_string_equal(decision.rule, cases[i].rule);
    }
    rules_free(table);
    config_free(config);
}

/* A folder's page has two names, and its rules are those of both: otherwise the one would be free. */
static void a_folders_page_fits_by_either_name(void **state)
{
    static const struct {
        const char *glob, *path;
        bool fits;
    } cases[] = {
        {"/a/*.html", "/a/", true},
        {"/a/index.*", "/a/", true},
        {"/**.html", "/", true},
        {"/a/index.html", "/a/", true},
        {"/a/", "/a/", true},
        {"/a/**", "/a/", true},
        {"/a/*.html", "/b/", false},
        {"/a/*.htm", "/a/", false},
        {"/a/*.html", "/a", false},
        {"/*.html", "/a/", false},
        {"/a/index.html", "/a/b/", false},
        {"/a/x.html", "/a/", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (rules_glob_fits(slice_of(cases[i].glob), slice_of(cases[i].path)) != cases[i].fits)
            fail_msg("%s %s", cases[i].glob, cases[i].path);
}

static void who_is_denied_is_denied_at_every_path(void **state)
{
    static const struct {
        const char *location;
        enum err err;
    } cases[] = {
        {"https://bad.example", ERR_AGENT_SUSPENDED},
        {"https://bad.example/keys", ERR_AGENT_SUSPENDED},
        {"https://bad.example/?x", ERR_AGENT_SUSPENDED},
        {"https://bad.example.org", ERR_OK},
        {"https://shared.example/bad", ERR_AGENT_SUSPENDED},
        {"https://shared.example/bad/too", ERR_OK},
        {"https://shared.example/good", ERR_OK},
        {"https://shared.example", ERR_OK},
    };
    struct config *config =
        config_from("sites:\n"
                    "  - name: a\n"
                    "    hosts: [\"a.example\"]\n"
                    "    root: /\n"
                    "    network: \"a:402\"\n"
                    "    terms_url: https://a.example/terms\n"
                    "    agents:\n"
                    "      deny: [\"https://bad.example\", \"https://shared.example/bad\"]\n");
    struct rules *table = rules_new(config);
    (void)state;
    assert_non_null(table);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct signature_agent agent = {.next = NULL};
        struct arena *arena = fresh_arena();
        assert_int_equal(signature_agent_locate(arena, slice_of(cases[i].location),
                                                &config->directory_insecure_hosts, &agent),
                         ERR_OK);
        if (rules_admit(table, 0, &agent) != cases[i].err)
            fail_msg("%s", cases[i].location);
    }
    rules_free(table);
    config_free(config);
}

static void sites_are_found_by_host(void **state)
{
    struct config *config = config_from(rules_yaml);
    struct rules *table = rules_new(config);
    size_t index;
    struct slice host;
    (void)state;
    assert_true(rules_find_site(table, SLICE("a.example"), &index, &host));
    assert_slice(host, "a.example");
    assert_true(rules_find_site(table, SLICE("a.example:443"), &index, &host));
    assert_slice(host, "a.example");
    assert_true(rules_find_site(table, SLICE("alias.example"), &index, &host));
    assert_false(rules_find_site(table, SLICE("a.example:8443"), &index, &host));
    assert_false(rules_find_site(table, SLICE("b.example"), &index, &host));
    rules_free(table);
    config_free(config);
}

static bool public_address(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_public((const struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_public((const struct sockaddr *)&in6);
}

static void only_public_addresses_are_fetched_from(void **state)
{
    static const char *const good[] = {"8.8.8.8",          "1.1.1.1",        "172.32.0.1",   "100.128.0.1",
                                       "223.255.255.255",  "2606:4700::1",   "2a00:1450::1", "::ffff:8.8.8.8",
                                       "64:ff9b::808:808", "2002:808:808::1"};
    static const char *const bad[] = {"127.0.0.1",    "10.1.2.3",
                                      "172.16.0.1",   "172.31.255.255",
                                      "192.168.1.1",  "169.254.169.254",
                                      "100.64.0.1",   "0.0.0.0",
                                      "192.0.2.1",    "198.18.0.1",
                                      "224.0.0.1",    "255.255.255.255",
                                      "::1",          "::",
                                      "fe80::1",      "fc00::1",
                                      "ff02::1",      "::ffff:127.0.0.1",
                                      "::7f00:1",     "64:ff9b::7f00:1",
                                      "64:ff9b:1::1", "2002:7f00:1::1",
                                      "2001::1",      "2001:db8::1",
                                      "3fff::1",      "5f00::1",
                                      "fec0::1"};
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!public_address(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (public_address(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(address_is_public(&unix_socket));
}

/* Of the rules of a link and of the place that it leads to. */
static void what_holds_is_dearer_than_what_is_observed(void **state)
{
    struct slice account = SLICE("https://crawler.example");
    struct rules_decision none = {.action = RULES_ALLOW}, own = {.action = RULES_ALLOW, .account = &account};
    struct rules_decision cheap = {.action = RULES_CHARGE, .price_micros = 1}, dear = cheap, block = cheap;
    (void)state;
    dear.price_micros = 2;
    block.action = RULES_BLOCK;
    const struct rules_decision *order[] = {&none, &own, &cheap, &dear, &block};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            struct rules_decision a = *order[i], b = *order[k];
            assert_int_equal(rules_dearer(&a, &b), i > k);
            a.observed = i > 0; /* there is nothing to observe where all is allowed */
            assert_int_equal(rules_dearer(&a, &b), i > 0 && k == 0);
            b.observed = k > 0;
            assert_int_equal(rules_dearer(&a, &b), i > k);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_carries_time_and_price),
        cmocka_unit_test(a_gate_has_one_lane_a_second_and_each_in_its_turn),
        cmocka_unit_test(a_derived_id_is_that_of_its_signature),
        cmocka_unit_test(an_id_holds_for_its_time),
        cmocka_unit_test(an_id_holds_for_nothing_else),
        cmocka_unit_test(every_bit_of_an_id_counts),
        cmocka_unit_test(globs_stop_at_slashes_unless_doubled),
        cmocka_unit_test(paths_have_one_spelling),
        cmocka_unit_test(the_first_rule_that_fits_decides),
        cmocka_unit_test(a_folders_page_fits_by_either_name),
        cmocka_unit_test(who_is_denied_is_denied_at_every_path),
        cmocka_unit_test(sites_are_found_by_host),
        cmocka_unit_test(only_public_addresses_are_fetched_from),
        cmocka_unit_test(what_holds_is_dearer_than_what_is_observed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
