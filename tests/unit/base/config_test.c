/* The configuration: what it says of each kind of mistake, and that its example runs.
 * Tests ledger/base/config/config_billing.c, ledger/base/config/config_check.c,
 * ledger/base/config/config_compare.c, ledger/base/config/config_example.c,
 * ledger/base/config/config_network.c, ledger/base/config/config_read.c, ledger/base/config/config_report.c
 */
#include "tests/unit/support.h"

#include "ledger/base/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char said[8192];

/* Loads the text as a file; what is said about it, without the file's name, goes to `said`. */
static struct config *load(const char *text)
{
    char path[] = "/tmp/crawltab-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    FILE *out = tmpfile();
    assert_non_null(out);
    struct config *config = config_load(path, out, out);
    rewind(out);
    size_t len = 0;
    char line[1024];
    while (fgets(line, sizeof(line), out))
        len += (size_t)snprintf(said + len, sizeof(said) - len, "%s",
                                line + (strncmp(line, path, strlen(path)) == 0 ? strlen(path) : 0));
    said[len] = '\0';
    fclose(out);
    unlink(path);
    return config;
}

#define SITE                                                                                                 \
    "sites:\n"                                                                                               \
    "  - name: a\n"                                                                                          \
    "    hosts: [a.example]\n"                                                                               \
    "    root: /\n"                                                                                          \
    "    network: \"a:402\"\n"                                                                               \
    "    terms_url: https://a.example/terms\n"

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct config *config = load("offer:\n  # ttl_seconds: 5\n" SITE
                                 "    rules:\n      - action: charge\n        price: 0.0025\n");
    assert_non_null(config);
    assert_string_equal(said, "");
    assert_int_equal(config->offer_ttl_seconds, 300);
    assert_int_equal(config->directory_insecure_hosts.count, 0);
    assert_false(config->signature_allow_test_keys);
    assert_string_equal(config->sites[0].currency, "USD");
    assert_string_equal(config->sites[0].rules[0].name, "rule 1");
    assert_string_equal(config->sites[0].rules[0].paths.items[0], "/**");
    assert_int_equal(config->sites[0].rules[0].price, 2500);
    config_free(config);
}

/* Each mistake: what the file has, and what must be said with the line. */
static void mistakes_are_told_with_line_and_hint(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"listn: x\n" SITE, ":1: unknown key \"listn\", did you mean \"listen\"?\n"},
        {"offer:\n  tll_seconds: 5\n" SITE,
         ":2: unknown key \"offer.tll_seconds\", did you mean \"offer.ttl_seconds\"?\n"},
        {"offer: 5\n" SITE, ":1: offer: settings are expected below it, one a line, indented\n"},
        {"threads: many\n" SITE, ":1: threads: \"many\" is not a whole number\n"},
        {"offer:\n  ttl_seconds: 4000\n" SITE,
         ":2: offer.ttl_seconds: 4000 is out of range, use 10 to 3600\n"},
        {"signature:\n  allow_test_keys: yes\n" SITE,
         ":2: signature.allow_test_keys: \"yes\" is neither true nor false\n"},
        {"threads: 1\nthreads: 2\n" SITE, ":2: threads stands twice, remove one\n"},
        {"threads: [1]\n" SITE, ":1: threads: a single value is expected here\n"},
        {"listen: nowhere\n" SITE,
         ":1: listen: \"nowhere\" is not address:port, e.g. 127.0.0.1:8402, nor unix:/path\n"},
        {"", ": the file is empty, start from config.yaml.example\n"},
        {"listen: 127.0.0.1:99999\n" SITE,
         ":1: listen: \"127.0.0.1:99999\" is not address:port, e.g. 127.0.0.1:8402, nor unix:/path\n"},
        {"listen: \"a\\0b\"\n" SITE, ":1: a text has a NUL character in it, remove it\n"},
        {SITE "sites: []\n", ":7: sites stands twice, remove one\n"},
        {"sites: [5]\n", ":1: \"key: value\" lines are expected here\n"},
        {SITE "    rules: [5]\n", ":7: \"key: value\" lines are expected here\n"},
        {"sites: 5\n", ":1: sites: a list is expected here, each item after a dash\n"},
        {SITE "    rules:\n      - action: charge\n        price: 300000000\n",
         ":9: price: \"300000000\" is too much, at most \"281474976.710655\" fits\n"},
        {"threads: 1\n", ":1: sites is missing: at least one site is needed\n"},
        {"a: [\n", ":2: not YAML: "},
        {SITE "    currency: USDT\n", ":7: currency: \"USDT\" is not an ISO 4217 code such as USD\n"},
        {SITE "    time_zone: Mars/Olympus\n",
         ":7: time_zone: \"Mars/Olympus\" is not in the tz database, e.g. Europe/Paris\n"},
        {SITE "    origin: 127.0.0.1:8080\n",
         ":7: origin: \"127.0.0.1:8080\" is no server, write it like "
         "http://127.0.0.1:8080 or unix:/run/site.sock, without a path\n"},
        {SITE "    origin: http://127.0.0.1/blog\n", ":7: origin: \"http://127.0.0.1/blog\" is no server"},
        {SITE "    origin: unix:site.sock\n", ":7: origin: \"unix:site.sock\" is no server"},
        {"sites:\n  - name: a\n    hosts: [a.example]\n    network: a:402\n    terms_url: "
         "https://a.example/\n",
         ":2: origin: missing; name the site's own server"},
        {SITE "    scheme: ftp\n", ":7: scheme: \"ftp\" is unknown, use https or http\n"},
        {SITE "    rules:\n      - action: charge\n",
         ":8: price is missing: charge needs one above zero; use allow for free pages\n"},
        {SITE "    rules:\n      - action: charge\n        price: free\n",
         ":9: price: \"free\" is not an amount, write a decimal"},
        {SITE "    rules:\n      - action: chrge\n",
         ":8: action: \"chrge\" is unknown, use allow, charge or block\n"},
        {SITE "    rules:\n      - action: allow\n        price: 1\n",
         ":9: price: only with action charge, remove it or change the action\n"},
        {SITE "    rules:\n      - action: allow\n        paths: /x\n",
         ":9: paths: a list is expected here, write [\"/x\"]\n"},
        {SITE "    rules:\n      - action: allow\n        paths: [x]\n",
         ":9: paths: \"x\" must start with a slash\n"},
        {SITE "  - name: b\n    hosts: [A.example]\n    root: /\n    network: b:402\n    terms_url: "
              "https://b.example/\n",
         ":8: hosts: \"A.example\" belongs to the site \"a\" already\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(load(cases[i].text));
        if (strncmp(said, cases[i].expected, strlen(cases[i].expected)) != 0)
            assert_string_equal(said, cases[i].expected);
    }
}

#define RECRAWL(time)                                                                                        \
    SITE "    rules:\n      - action: charge\n        price: 1\n        free_recrawl: " time "\n"

static void a_free_time_is_from_a_minute_to_a_week(void **state)
{
    static const char *const wrong[][2] = {{RECRAWL("24"), "24"},
                                           {RECRAWL("0h"), "0h"},
                                           {RECRAWL("-1h"), "-1h"},
                                           {RECRAWL("1.5h"), "1.5h"},
                                           {RECRAWL("8d"), "8d"},
                                           {RECRAWL("169h"), "169h"},
                                           {RECRAWL("1w"), "1w"},
                                           {RECRAWL("24 h"), "24 h"},
                                           {RECRAWL("99999999999999999999h"), "99999999999999999999h"}};
    static const struct {
        const char *text;
        int64_t ms;
    } right[] = {{RECRAWL("1m"), 60000}, {RECRAWL("24h"), 86400000}, {RECRAWL("7d"), 604800000}};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char expected[160];
        snprintf(expected, sizeof(expected),
                 ":10: free_recrawl: \"%s\" is no time from 1m to 7d, write 24h\n", wrong[i][1]);
        assert_null(load(wrong[i][0]));
        assert_string_equal(said, expected);
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
        struct config *config = load(right[i].text);
        assert_non_null(config);
        assert_int_equal(config_recrawl_ms(&config->sites[0].rules[0]), right[i].ms);
        config_free(config);
    }
    assert_null(load(SITE "    rules:\n      - action: allow\n        free_recrawl: 24h\n"));
    assert_string_equal(said, ":9: free_recrawl: only with action charge, remove it or change the action\n");
}

static void whom_the_gate_believes_and_charges_is_checked(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"listen: unix:gate.sock\n" SITE,
         ":1: listen: \"unix:gate.sock\" must be unix: and an absolute path of at most 107 bytes\n"},
        {"trusted_proxies: [127.0.0.1, 10.0.0.1/8]\n" SITE,
         ":1: trusted_proxies: \"10.0.0.1/8\" is an address inside the network, not the network's own, write "
         "it"
         " like 127.0.0.1, 10.0.0.0/8 or unix\n"},
        {"crawlers:\n  extra: [\"\"]\n" SITE,
         ":2: crawlers.extra: an empty word would match every visitor, remove it\n"},
        {"trusted_proxies: [\"::/0\"]\n" SITE, ":1: trusted_proxies: \"::/0\" trusts everybody, "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(load(cases[i].text));
        if (strncmp(said, cases[i].expected, strlen(cases[i].expected)) != 0)
            assert_string_equal(said, cases[i].expected);
    }
}

static void every_mistake_is_told_at_once(void **state)
{
    (void)state;
    assert_null(load("threads: x\nlistn: y\nsites:\n  - name: a\n"));
    assert_non_null(strstr(said, ":1: threads"));
    assert_non_null(strstr(said, ":2: unknown key"));
    assert_non_null(strstr(said, ":4: hosts is missing"));
    assert_non_null(strstr(said, ":4: network is missing"));
}

/* Each mistake has its own line, whatever others there are. */
static void mistakes_do_not_hide_each_other(void **state)
{
    static const char *const expected[] = {
        ":1: listen: \"127.0.0.1:99999\" is not",
        ":2: offer.ttl_seconds: 5 is out of range",
        ":3: ledger.connection: \"dbnam\" is no keyword of libpq, did you mean \"dbname\"?",
        ":6: hosts: \"a.example:443\" stands twice",
        ":7: root: the folder \"/nonexistent\" cannot be read",
        ":8: currency: \"USX\" is not",
        ":9: time_zone: \"Europe/Pari\" is not",
        ":12: billing.iban: \"DE00123\" is not an IBAN",
        ":12: billing.tax_id: \"FR123\" has not the form",
        ":12: billing.email: \"foo@\" is not",
        ":12: billing.endpoint: \"0088:123\" is not",
        ":13: action: \"chargee\" is unknown",
        ":14: origin: missing",
        ":15: hosts: \"A.example\" belongs to the site \"a\" already",
    };
    (void)state;
    assert_null(
        load("listen: 127.0.0.1:99999\noffer: {ttl_seconds: 5}\n"
             "ledger: {connection: \"host='/tmp x' dbnam=crawltab\"}\nsites:\n  - name: a\n"
             "    hosts: [a.example, a.example:443]\n    root: /nonexistent\n    currency: USX\n"
             "    time_zone: Europe/Pari\n    network: a:402\n    terms_url: https://a.example/terms\n"
             "    billing: {iban: DE00123, tax_id: FR123, email: foo@, endpoint: \"0088:123\"}\n"
             "    rules: [{action: chargee}]\n"
             "  - name: b\n    hosts: [A.example]\n    network: b:402\n"
             "    terms_url: https://a.example/terms\n"));
    size_t lines = 0;
    for (const char *c = said; (c = strchr(c, '\n')); c++)
        lines++;
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        if (!strstr(said, expected[i]))
            fail_msg("%s is not in:\n%s", expected[i], said);
    if (lines != sizeof(expected) / sizeof(*expected))
        fail_msg("%zu lines:\n%s", lines, said);
}

/* What YAML says of indentation says little to whoever meets it first. */
static void tabs_and_indentation_are_explained(void **state)
{
    static const char *const cases[][2] = {
        {"sites:\n\t- name: a\n", ":2: not YAML: the line is indented by a tab"},
        {"sites:\n  - name: a\n  \thosts: [a]\n", ":3: not YAML: the line is indented by a tab"},
        {"sites:\n  - name: a\n   hosts: [a]\n",
         ":3: not YAML: this line is not indented like the lines above"},
        {"offer:\n  ttl_seconds: 60\n key_file: x\n",
         ":3: not YAML: this line is not indented like the lines"},
        {"listen: a\n  threads: 1\n",
         ":2: not YAML: it is indented deeper than the line above, or has a second"},
        {"listen: \"a\nthreads: 1\n", ":3: not YAML: a quote that was opened is not closed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(load(cases[i][0]));
        if (strncmp(said, cases[i][1], strlen(cases[i][1])) != 0)
            assert_string_equal(said, cases[i][1]);
        assert_null(strstr(strchr(said, '\n') + 1, "\n")); /* and nothing else */
    }
}

/* Keywords of a connection string, quoted values and URIs. */
static void connections_are_taken_apart(void **state)
{
    static const char *const good[] = {"host=var/postgres dbname=crawltab",
                                       "host = 'a b' port=1",
                                       "dbname='it\\'s user=x'",
                                       "postgresql://a:1/db",
                                       "service=x",
                                       "postgresql://a/db?sslmode=require&connect_timeout=3"};
    static const char *const bad[][2] = {
        {"hots=a dbname=b", "\"hots\" is no keyword of libpq, did you mean \"host\"?"},
        {"host=a ssl_mode=require", "did you mean \"sslmode\"?"},
        {"host=a user=b", "names a user, remove it"},
        {"host=a zebrafish=b", "\"zebrafish\" is no keyword of libpq, such as"},
        {"crawltab", "a value is missing after \"crawltab\""},
        {"postgresql://a/db?sslmod=require", "did you mean \"sslmode\"?"},
    };
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        snprintf(text, sizeof(text), "ledger:\n  connection: >-\n    %s\n" SITE, good[i]);
        struct config *config = load(text);
        assert_string_equal(said, "");
        config_free(config);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(text, sizeof(text), "ledger:\n  connection: >-\n    %s\n" SITE, bad[i][0]);
        assert_null(load(text));
        if (!strstr(said, bad[i][1]))
            assert_string_equal(said, bad[i][1]);
    }
}

#define BILLING SITE "    billing:\n"

/* What is wrong with one setting of the seller, on its own line. */
static void the_sellers_identifiers_are_checked(void **state)
{
    static const char *const cases[][2] = {
        {"iban: FR1420041010050500013M02607",
         "iban: \"FR1420041010050500013M02607\" is not an IBAN: the check"},
        {"iban: FR14 2004 1010 0505 0001 3M02 60",
         "iban: \"FR1420041010050500013M0260\" is not an IBAN: its c"},
        {"iban: ZZ68539007547034", "iban: \"ZZ68539007547034\" is not an IBAN: no country that has them"},
        {"iban: \"12\"", "iban: \"12\" is not an IBAN: two letters of the country"},
        {"bic: BNPA", "bic: \"BNPA\" is not a BIC of 8 or 11 characters"},
        {"creditor_id: DE97ZZZ09999999999", "creditor_id: \"DE97ZZZ09999999999\" is not a SEPA creditor id"},
        {"email: a.example", "email: \"a.example\" is not an address"},
        {"tax_id: FR123", "tax_id: \"FR123\" has not the form that VAT numbers of its country have"},
        {"tax_id: GR094259216", "tax_id: \"GR094259216\" begins with GR"},
        {"tax_id: NO974760674MVA", "tax_id: \"NO974760674MVA\" has a wrong check digit"},
        {"endpoint: \"0088:7300010000002\"", "endpoint: \"0088:7300010000002\" is not a GLN"},
        {"country: UK", "country: \"UK\" is not two capital letters such as FR"},
        {"endpoint: \"88:1\"", "endpoint: \"88:1\" is not SCHEME:ID with an EAS code"},
        {"endpoint: \"0192:123456789\"", "endpoint: \"0192:123456789\" is not a Norwegian organisation"},
        {"logo: /nowhere.png", "logo: \"/nowhere.png\" cannot be read"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[512], expected[256];
        snprintf(text, sizeof(text), BILLING "      city: Paris\n      %s\n", cases[i][0]);
        snprintf(expected, sizeof(expected), ":9: billing.%s", cases[i][1]);
        assert_null(load(text));
        if (strncmp(said, expected, strlen(expected)) != 0)
            assert_string_equal(said, expected);
    }
}

static void terms_without_agreement_are_checked(void **state)
{
    static const char *const cases[][2] = {
        {"without_agreement: wait", "without_agreement: \"wait\" is unknown, use bill or hold\n"},
        {"cadence: \"\"", "cadence: \"\" is unknown, use daily, weekly or monthly\n"},
        {"cadence: dai", "cadence: \"dai\" is unknown, use daily, weekly or monthly\n"},
        {"tax_treatment: reverse-charge", "tax_treatment: \"reverse-charge\" is unknown, use none, standard"},
        {"tax_treatment: standard", "tax_rate: treatment standard needs a rate above zero"},
        {"tax_rate: \"19\"", "tax_rate: only with treatment standard"},
        {"due_days: 400", "due_days: 400 is out of range, use 0 to 366\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[512], expected[256];
        snprintf(text, sizeof(text), SITE "    invoice:\n      number: \"A-{number:6}\"\n      %s\n",
                 cases[i][0]);
        snprintf(expected, sizeof(expected), ":9: invoice.%s", cases[i][1]);
        assert_null(load(text));
        if (strncmp(said, expected, strlen(expected)) != 0)
            assert_string_equal(said, expected);
    }
}

static void codes_lose_their_spaces(void **state)
{
    (void)state;
    struct config *config =
        load(BILLING "      iban: \"fr14 2004 1010 0505 0001 3M02\u00a0606\"\n"
                     "      bic: bnpa fr pp\n      endpoint: \"EM:bills@gazette.example\"\n"
                     "      creditor_id: DE98 ZZZ 09999999999\n");
    assert_string_equal(said, "");
    assert_non_null(config);
    assert_string_equal(config->sites[0].billing_iban, "FR1420041010050500013M02606");
    assert_string_equal(config->sites[0].billing_bic, "BNPAFRPP");
    assert_string_equal(config->sites[0].billing_creditor_id, "DE98ZZZ09999999999");
    assert_string_equal(config->sites[0].billing_endpoint, "EM:bills@gazette.example");
    config_free(config);
}

static void a_network_without_colon_is_a_warning(void **state)
{
    (void)state;
    struct config *config =
        load("sites:\n  - name: a\n    hosts: [a.example]\n    root: /\n    network: plain\n"
             "    terms_url: https://a.example/terms\n");
    assert_non_null(config);
    assert_non_null(strstr(said, ":5: network: \"plain\" has no colon"));
    config_free(config);
}

static void a_missing_file_says_what_to_do(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_null(config_load("/nonexistent/config.yaml", out, NULL));
    rewind(out);
    assert_non_null(fgets(said, sizeof(said), out));
    assert_string_equal(said, "/nonexistent/config.yaml: cannot be read: No such file or directory; copy "
                              "config.yaml.example or name the file with --config\n");
    fclose(out);
}

static void relative_paths_start_at_the_file(void **state)
{
    (void)state;
    struct config *config = load("offer:\n  key_file: keys/offer.key\n" SITE);
    assert_non_null(config);
    assert_string_equal(config->folder, "/tmp");
    assert_string_equal(config->offer_key_file, "/tmp/keys/offer.key");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(mistakes_are_told_with_line_and_hint),
        cmocka_unit_test(a_free_time_is_from_a_minute_to_a_week),
        cmocka_unit_test(whom_the_gate_believes_and_charges_is_checked),
        cmocka_unit_test(every_mistake_is_told_at_once),
        cmocka_unit_test(mistakes_do_not_hide_each_other),
        cmocka_unit_test(tabs_and_indentation_are_explained),
        cmocka_unit_test(connections_are_taken_apart),
        cmocka_unit_test(the_sellers_identifiers_are_checked),
        cmocka_unit_test(terms_without_agreement_are_checked),
        cmocka_unit_test(codes_lose_their_spaces),
        cmocka_unit_test(a_network_without_colon_is_a_warning),
        cmocka_unit_test(a_missing_file_says_what_to_do),
        cmocka_unit_test(relative_paths_start_at_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
