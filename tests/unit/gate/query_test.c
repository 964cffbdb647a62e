/* Rules that see the query and the method, and whoever writes them in another way to get a page for less.
 * Tests server/rules/query.c */
#include "tests/unit/support.h"

#include "ledger/base/config/config.h"
#include "server/rules/query.h"
#include "server/rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void php_reads_it_like_this(void **state)
{
    static const struct {
        const char *query, *pattern;
        bool fits;
    } cases[] = {
        {"p=1", "p=1", true},
        {"p=1", "p", true},
        {"p", "p", true},
        {"p=", "p", true},
        {"p", "p=*", true},
        {"", "p", false},
        {"q=1", "p", false},
        {"xp=1", "p", false},
        {"p1=1", "p", false},
        {"p=2", "p=1", false},
        {"p=12", "p=1", false},
        {"p=12", "p=1*", true},
        {"a=b&p=1&c", "p=1", true},
        {"&&p=1", "p=1", true},
        {"p=1&p=2", "p=2", true},
        {"p=1&p=2", "p=1", false}, /* the last one counts */
        {"%70=%31", "p=1", true},
        {"%70%3d1", "p", false},
        {"p=1%26x", "p=1&x", false},
        {"p=a+b%2Bc", "p=a b+c", true},
        {"p=%zz%4", "p=%zz%4", true},
        {"+p=1", "p=1", true},
        {"%20%20p=1", "p=1", true},
        {"p%00x=1", "p=1", true},
        {"p[]=1", "p=1", true},
        {"p%5B0%5D=1", "p=1", true},
        {"a.b=1", "a_b=1", true},
        {"a%20b=1", "a_b=1", true},
        {"P=1", "p=1", false},
        {"x=1;p=1", "p", false},
        {"rest_route=/wp/v2/posts", "rest_route=/wp/v2/*", true},
        {"rest_route=/wp/v2/posts/7", "rest_route=/wp/v2/*", false},
        {"rest_route=%2Fwp%2Fv2%2Fposts%2F7", "rest_route=/wp/**", true},
        {"a=1&b=2", "b=2&a=1", true},
        {"a=1&c=2", "b=2&a=1", false},
        {"a=1&b=3", "b=2&a=1", false},
        {"a=x=y", "a=x=y", true},
        {"=1", "p", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (query_fits(slice_of(cases[i].query), slice_of(cases[i].pattern), 0) != cases[i].fits)
            fail_msg("%s and %s", cases[i].query, cases[i].pattern);
}

static void others_read_it_in_another_way(void **state)
{
    static const struct {
        const char *query, *pattern;
        unsigned readings; /* it fits in those that have all these bits, and in no other */
    } cases[] = {
        {"p=1&p=2", "p=1", QUERY_FIRST},
        {"x=1;p=1", "p=1", QUERY_SEMICOLONS},
        {"P=1", "p=1", QUERY_ANY_CASE},
        {"p=001", "p=1", QUERY_NUMBERS},
        {"p=+1", "p=1", QUERY_NUMBERS},
        {"p=%09-01x", "p=1", QUERY_NUMBERS},
        {"p=0", "p=0", 0},
        {"p=000", "p=0", QUERY_NUMBERS},
        {"p=x", "p=x", 0},
        {"x;P=01&p=2", "p=1", QUERY_FIRST | QUERY_SEMICOLONS | QUERY_ANY_CASE | QUERY_NUMBERS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (unsigned reading = 0; reading < QUERY_READINGS; reading++)
            if (query_fits(slice_of(cases[i].query), slice_of(cases[i].pattern), reading) !=
                ((reading & cases[i].readings) == cases[i].readings))
                fail_msg("%s and %s by reading %u", cases[i].query, cases[i].pattern, reading);
}

static void long_values_are_cut_off(void **state)
{
    static char query[8192];
    (void)state;
    memset(query, '0', sizeof(query) - 1);
    memcpy(query, "p=", 2);
    assert_true(query_fits(slice_of(query), SLICE("p=**"), 0));
    assert_false(query_fits(slice_of(query), SLICE("p=1"), QUERY_NUMBERS));
    memset(query, 'n', 4000); /* a name */
    assert_false(query_fits(slice_of(query), SLICE("p"), 0));
}

static const char yaml[] =
    "sites:\n"
    "  - name: a\n"
    "    hosts: [a.example]\n"
    "    root: .\n"
    "    network: \"a:402\"\n"
    "    terms_url: https://a.example/terms\n"
    "    rules:\n"
    "      - {name: writes, methods: [POST, PUT], action: block}\n"
    "      - {name: first, query: [p=1], action: allow}\n"
    "      - {name: posts, query: [\"p\", \"page_id\"], action: charge, price: \"0.05\"}\n"
    "      - {name: api, query: [\"rest_route=/wp/v2/**&context=view\"], action: charge, price: \"0.10\"}\n"
    "      - {name: rest, methods: [GET], action: charge, price: \"0.01\"}\n";

static struct config *read_config(const char *text)
{
    char path[] = "/tmp/crawltab-query-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct config *config = config_load(path, NULL, NULL);
    unlink(path);
    return config;
}

/* Where a query can be read in two ways, the dearer rule holds. */
static void the_dearest_reading_decides(void **state)
{
    static const struct {
        const char *request, *fields, *rule;
    } cases[] = {
        {"GET /", "", "rest"},
        {"GET /?", "", "rest"},
        {"HEAD /", "", "rest"},
        {"GET /?utm=1", "", "rest"},
        {"GET /?p=1", "", "first"},
        {"GET /?p=7", "", "posts"},
        {"GET /a/?utm=x&%70=7", "", "posts"},
        {"GET /?P=7", "", "posts"},
        {"GET /?utm=x;p=7", "", "posts"},
        {"GET /?p=1&p=7", "", "posts"},
        {"GET /?p=7&p=1", "", "posts"},
        {"GET /?p=01", "", "posts"}, /* as text it is not 1 */
        {"GET /?rest_route=/wp/v2/posts", "", "rest"},
        {"GET /?context=view&rest_route=/wp/v2/posts", "", "api"},
        {"GET /?rest_route=%2Fwp%2Fv2%2Fposts&context=view&p=1", "", "api"},
        {"GET /?p=1&context=view&rest_route=/wp/v2/posts", "", "api"},
        {"GET /?p=1&page_id=3", "", "posts"}, /* which of the two pages it is, nobody knows */
        {"POST /?p=1", "", "writes"},
        {"DELETE /?utm=1", "", NULL},
        {"PATCH /?p=7", "", "posts"},
        {"POST /", "x-http-method-override: GET\n", "writes"},
    };
    struct config *config = read_config(yaml);
    struct rules *table = rules_new(config);
    (void)state;
    assert_non_null(table);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct message message =
            request_of(arena, arena_format(arena, "%s\nhost: a.example\nuser-agent: GPTBot\n%s",
                                           cases[i].request, cases[i].fields)
                                  .data);
        struct rules_decision decision = rules_decide(table, 0, &message, message_path(&message), NULL);
        if ((decision.rule == NULL) != (cases[i].rule == NULL) ||
            (decision.rule && strcmp(decision.rule, cases[i].rule) != 0))
            fail_msg("%s: %s", cases[i].request, decision.rule);
    }
    rules_free(table);
    config_free(config);
}

/* A POST may stand for a GET, which has a price. */
static void a_method_in_disguise_is_judged_as_well(void **state)
{
    static const char *const requests[] = {"POST /\nx-http-method-override: GET", "POST /?a=b&_method=GET",
                                           "POST /\nx-method-override: GET"};
    char *cut = strstr(yaml, "      - {name: writes");
    char text[sizeof(yaml)];
    snprintf(text, sizeof(text), "%.*s%s", (int)(cut - yaml), yaml, strchr(cut, '\n') + 1);
    struct config *config = read_config(text);
    struct rules *table = rules_new(config);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(
            arena, arena_format(arena, "%s\nhost: a.example\nuser-agent: GPTBot\n", requests[i]).data);
        struct rules_decision decision = rules_decide(table, 0, &message, message_path(&message), NULL);
        assert_int_equal(decision.action, RULES_CHARGE);
        assert_string_equal(decision.rule, "rest");
    }
    struct message plain = request_of(fresh_arena(), "POST /\nhost: a.example\nuser-agent: GPTBot\n");
    assert_int_equal(rules_decide(table, 0, &plain, SLICE("/"), NULL).action, RULES_ALLOW);
    rules_free(table);
    config_free(config);
}

static void patterns_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {"query: [\"\"]",   "query: [\"=1\"]",   "query: [\"a&\"]",
                                        "query: [\"&a\"]", "query: [\"?p=1\"]", "methods: [get]",
                                        "methods: [TRACE]"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char text[sizeof(yaml) + 64];
        char *cut = strstr(yaml, "query: [p=1]");
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(cut - yaml), yaml, wrong[i], cut + 12);
        if (read_config(text))
            fail_msg("%s was taken", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(php_reads_it_like_this),
        cmocka_unit_test(others_read_it_in_another_way),
        cmocka_unit_test(long_values_are_cut_off),
        cmocka_unit_test(the_dearest_reading_decides),
        cmocka_unit_test(a_method_in_disguise_is_judged_as_well),
        cmocka_unit_test(patterns_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
