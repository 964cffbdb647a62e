/* What a site says in public, against its rules. Tests ledger/licence/licence.c ledger/licence/rsl.c
 * ledger/licence/listing.c */
#include "tests/unit/support.h"

#include "ledger/licence/form.h"

#include "ledger/format/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW_MS INT64_C(1790000000123)

/* A configuration with one site of these rules and settings. */
static struct config *load(const char *settings, const char *rules)
{
    char path[] = "/tmp/licence-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fprintf(file,
            "sites:\n"
            "  - {name: example, hosts: [\"news.example\", \"www.news.example\"], root: /, currency: EUR,\n"
            "     network: \"example:402\", terms_url: \"https://news.example/terms?a=1&b=2\"%s,\n"
            "     rules: [%s]}\n",
            settings, rules);
    fclose(file);
    struct config *config = config_load(path, stderr, NULL);
    unlink(path);
    assert_non_null(config);
    return config;
}

static char *write_form(const struct config *config, enum licence_form form)
{
    char *text = licence_write(form, config->sites, 300, NOW_MS);
    assert_non_null(text);
    return text;
}

#define RULES                                                                                                \
    "{name: about, paths: [\"/about.html\"], action: allow},"                                                \
    "{name: mine, paths: [\"/mine/**\"], agents: [\"https://a.example\"], action: charge, price: 9},"        \
    "{name: tries, paths: [\"/try/**\"], action: charge, price: 8, mode: observe},"                          \
    "{name: posts, paths: [\"/form\"], methods: [POST], action: charge, price: 7},"                          \
    "{name: query, query: [p], action: charge, price: 6},"                                                   \
    "{name: news, paths: [\"/news/**\", \"/a*/b$c\"], action: charge, price: 1234.567891},"                  \
    "{name: closed, paths: [\"/closed/**\"], action: block}"

static void rsl_tells_what_holds_for_all(void **state)
{
    char error[200], value[4096];
    struct config *config = load("", RULES);
    char *text = write_form(config, LICENCE_RSL);
    struct xml_tree *tree = xml_read(slice_of(text), error);
    (void)state;
    assert_non_null(tree);
    const xml_element *root = xml_root(tree);
    assert_string_equal(xml_name(root), "rsl");
    assert_non_null(strstr(text, "xmlns=\"https://rslstandard.org/rsl\""));
    const xml_element *content = xml_find(root, "content");
    assert_string_equal(xml_attribute_value(content, "url", value, sizeof(value)), "/about.html$");
    assert_string_equal(
        xml_attribute_value(xml_find(content, "license/payment"), "type", value, sizeof(value)), "free");
    content = xml_next(content);
    assert_string_equal(xml_attribute_value(content, "url", value, sizeof(value)), "/news/*");
    const xml_element *payment = xml_find(content, "license/payment");
    assert_string_equal(xml_attribute_value(payment, "type", value, sizeof(value)), "crawl");
    assert_string_equal(xml_value(payment, "amount", value, sizeof(value)), "1234.567891");
    assert_string_equal(xml_attribute_value(xml_find(payment, "amount"), "currency", value, sizeof(value)),
                        "EUR");
    assert_string_equal(xml_value(payment, "standard", value, sizeof(value)),
                        "https://news.example/terms?a=1&b=2");
    /* What x402 clients read, whole. */
    json_t *accepts = json_loads(xml_value(payment, "accepts", value, sizeof(value)), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(accepts, 0), "amount")),
                        "1234567891");
    json_decref(accepts);
    content = xml_next(content);
    assert_string_equal(xml_attribute_value(content, "url", value, sizeof(value)), "/a*/b%24c$");
    content = xml_next(content);
    assert_string_equal(xml_attribute_value(content, "url", value, sizeof(value)), "/closed/*");
    assert_string_equal(xml_value(content, "license/prohibits", value, sizeof(value)), "ai-all");
    assert_null(xml_next(content));
    xml_tree_free(tree);
    free(text);
    config_free(config);
}

static void x402_lists_what_is_sold(void **state)
{
    struct config *config = load("", RULES);
    char *text = write_form(config, LICENCE_X402);
    json_t *document = json_loads(text, 0, NULL), *items = json_object_get(document, "items");
    (void)state;
    assert_int_equal(json_integer_value(json_object_get(document, "x402Version")), 2);
    assert_string_equal(json_string_value(json_object_get(document, "lastUpdated")),
                        "2026-09-21T14:13:20.123Z");
    assert_int_equal(json_array_size(items), 2);
    const char *url, *scheme, *network, *amount, *asset, *terms;
    int decimals, life;
    assert_int_equal(json_unpack(json_array_get(items, 0),
                                 "{s:{s:s}, s:[{s:s, s:s, s:s, s:s, s:i, s:{s:s, s:i}}]}", "resource", "url",
                                 &url, "accepts", "scheme", &scheme, "network", &network, "amount", &amount,
                                 "asset", &asset, "maxTimeoutSeconds", &life, "extra", "termsUrl", &terms,
                                 "decimals", &decimals),
                     0);
    assert_string_equal(url, "https://news.example/news/*");
    assert_string_equal(scheme, "deferred");
    assert_string_equal(network, "example:402");
    assert_string_equal(amount, "1234567891");
    assert_string_equal(asset, "EUR");
    assert_int_equal(life, 300);
    assert_int_equal(decimals, 6);
    json_decref(document);
    free(text);
    config_free(config);
}

static void mining_is_reserved_where_there_is_a_price(void **state)
{
    struct config *config = load(", licence: {tdmrep: true}", RULES);
    char *text = write_form(config, LICENCE_TDMREP);
    json_t *places = json_loads(text, 0, NULL);
    static const struct {
        const char *location;
        int reserved;
    } expected[] = {{"/about.html$", 0}, {"/news/*", 1}, {"/a*/b%24c$", 1}, {"/closed/*", 1}};
    (void)state;
    assert_true(licence_published(config->sites, LICENCE_TDMREP));
    assert_int_equal(json_array_size(places), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *place = json_array_get(places, i);
        assert_string_equal(json_string_value(json_object_get(place, "location")), expected[i].location);
        assert_int_equal(json_integer_value(json_object_get(place, "tdm-reservation")), expected[i].reserved);
        assert_int_equal(json_object_get(place, "tdm-policy") != NULL, expected[i].reserved);
    }
    json_decref(places);
    free(text);
    config_free(config);
}

static void robots_lines_lead_to_the_licence(void **state)
{
    struct config *config = load(", licence: {content_usage: \"train-ai=n, search=y\"}", RULES);
    char *text = write_form(config, LICENCE_ROBOTS);
    (void)state;
    assert_non_null(strstr(text, "\nLicense: https://news.example/rsl.xml\n"));
    assert_non_null(strstr(text, "\nUser-agent: *\nContent-Usage: train-ai=n, search=y\nAllow: /\n"));
    free(text);
    config_free(config);
    config = load("", "");
    text = write_form(config, LICENCE_ROBOTS);
    assert_null(strstr(text, "Content-Usage"));
    free(text);
    config_free(config);
}

/* While a site only observes, nothing has a price, and none is told. */
static void who_observes_tells_no_price(void **state)
{
    struct config *config = load(", mode: observe", RULES);
    (void)state;
    for (int form = 0; form < LICENCE_FORMS; form++) {
        char *text = write_form(config, (enum licence_form)form);
        assert_null(strstr(text, "1234"));
        free(text);
    }
    config_free(config);
}

static void forms_have_names(void **state)
{
    enum licence_form form;
    (void)state;
    for (int i = 0; i <= LICENCE_ROBOTS; i++) {
        assert_true(licence_form_parse(licence_name((enum licence_form)i), &form));
        assert_int_equal(form, i);
    }
    assert_false(licence_form_parse("RSL", &form));
}

static void long_globs_stay_in_bounds(void **state)
{
    char glob[2 * LICENCE_URL_MAX], out[LICENCE_URL_MAX];
    (void)state;
    for (size_t fill = 0; fill < 2; fill++) {
        memset(glob, fill ? '$' : 'a', sizeof(glob));
        glob[sizeof(glob) - 1] = '\0';
        assert_true(strlen(licence_pattern(glob, out)) < LICENCE_URL_MAX);
        assert_int_equal(out[strlen(out) - 1], '$');
    }
    assert_string_equal(licence_pattern("/**", out), "/*");
    assert_string_equal(licence_pattern("/a/*", out), "/a/*$");
    assert_string_equal(licence_pattern("", out), "$");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsl_tells_what_holds_for_all),
        cmocka_unit_test(x402_lists_what_is_sold),
        cmocka_unit_test(mining_is_reserved_where_there_is_a_price),
        cmocka_unit_test(robots_lines_lead_to_the_licence),
        cmocka_unit_test(who_observes_tells_no_price),
        cmocka_unit_test(forms_have_names),
        cmocka_unit_test(long_globs_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
