/* Offers: what a 402 says, in body and fields. Tests server/rules/offer.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "server/rules/offer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static const char *header_of(const struct exchange *request, const char *name)
{
    for (const struct exchange_header *header = request->reply.headers; header; header = header->next)
        if (strcmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

static struct exchange offered_at(const struct config *config, const char *url, int64_t price, bool version_1)
{
    struct exchange request = {.arena = *fresh_arena()};
    struct web_bot_auth_policy policy = {.commitment = SLICE("payment"), .target = WEB_BOT_AUTH_AUTHORITY};
    struct offer offer = {.form = offer_form_make(&request.arena, config, &config->sites[0]),
                          .policy = &policy,
                          .url = slice_of(url),
                          .price_micros = price,
                          .version_1 = version_1};
    assert_non_null(offer.form);
    memset(offer.id, 'x', sizeof(offer.id));
    assert_true(offer_write(&request, &offer, "because"));
    return request;
}

static struct exchange offered(const struct config *config, const char *url)
{
    return offered_at(config, url, 2500, false);
}

static json_t *accepts_of(struct slice body, json_int_t version)
{
    json_t *json = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "x402Version")), version);
    json_t *accepts = json_incref(json_object_get(json, "accepts"));
    json_decref(json);
    return accepts;
}

static const char *said(const json_t *accepts, size_t index, const char *name)
{
    return json_string_value(json_object_get(json_array_get(accepts, index), name));
}

/* In minor units there is no price that is a part of one. */
static void whole_minor_units_are_offered_twice(void **state)
{
    static const struct {
        int64_t micros;
        const char *minor; /* NULL: not offered */
    } cases[] = {{2500, NULL}, {10000, "1"}, {1250000, "125"}, {1250001, NULL}, {0, "0"}};
    struct config *config = config_from(rules_yaml);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct exchange request = offered_at(config, "https://a.example/", cases[i].micros, false);
        json_t *accepts = accepts_of(request.reply.body, 2);
        assert_int_equal(json_array_size(accepts), cases[i].minor ? 2 : 1);
        assert_string_equal(said(accepts, 0, "scheme"), "deferred");
        assert_null(said(accepts, 0, "maxAmountRequired"));
        if (cases[i].minor) {
            const json_t *extra = json_object_get(json_array_get(accepts, 1), "extra");
            assert_string_equal(said(accepts, 1, "scheme"), "batch-settlement");
            assert_string_equal(said(accepts, 1, "amount"), cases[i].minor);
            assert_int_equal(json_integer_value(json_object_get(extra, "decimals")), 2);
        }
        json_decref(accepts);
    }
    config_free(config);
}

static void version_1_gets_a_body_that_it_can_read(void **state)
{
    struct config *config = config_from(rules_yaml);
    struct exchange request = offered_at(config, "https://a.example/", 10000, true);
    (void)state;
    json_t *accepts = accepts_of(request.reply.body, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(said(accepts, i, "resource"), "https://a.example/");
        assert_string_equal(said(accepts, i, "description"), "");
        assert_string_equal(said(accepts, i, "mimeType"), "");
        assert_string_equal(said(accepts, i, "maxAmountRequired"), i == 0 ? "10000" : "1");
    }
    json_decref(accepts);
    char decoded[4096];
    size_t len;
    assert_true(encoding_unbase64(slice_of(header_of(&request, "PAYMENT-REQUIRED")), false,
                                  (uint8_t *)decoded, sizeof(decoded), &len));
    json_decref(accepts_of(slice_bytes(decoded, len), 2));
    config_free(config);
}

static void an_offer_says_everything_twice(void **state)
{
    struct config *config = config_from(rules_yaml);
    struct exchange request = offered(config, "https://a.example/say\"hi\"\\");
    json_error_t error;
    (void)state;
    json_t *body = json_loadb(request.reply.body.data, request.reply.body.len, 0, &error);
    assert_non_null(body);
    const json_t *accept = json_array_get(json_object_get(body, "accepts"), 0);
    assert_int_equal(json_integer_value(json_object_get(body, "x402Version")), 2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "resource"), "url")),
                        "https://a.example/say\"hi\"\\");
    assert_string_equal(json_string_value(json_object_get(accept, "scheme")), "deferred");
    assert_string_equal(json_string_value(json_object_get(accept, "amount")), "2500");
    assert_int_equal(json_integer_value(json_object_get(accept, "maxTimeoutSeconds")), 300);
    assert_true(json_equal(json_object_get(accept, "extra"), json_object_get(accept, "extras")));
    const json_t *info = json_object_get(
        json_object_get(json_object_get(body, "extensions"), "http-message-signatures"), "info");
    assert_int_equal(json_array_size(json_object_get(info, "signatureSchemes")), 2);
    json_decref(body);
    const char *header = header_of(&request, "PAYMENT-REQUIRED");
    char decoded[4096];
    size_t len;
    assert_non_null(header);
    assert_true(encoding_unbase64(slice_of(header), false, (uint8_t *)decoded, sizeof(decoded), &len));
    assert_true(slice_eq(slice_bytes(decoded, len), request.reply.body));
    assert_string_equal(header_of(&request, "crawler-price"), "USD 0.0025");
    assert_string_equal(header_of(&request, "Cache-Control"), "no-store");
    config_free(config);
}

static void the_header_of_an_offer_stays_under_two_kilobytes(void **state)
{
    struct config *config = config_from(rules_yaml);
    char url[3001] = "https://a.example/";
    bool seen_brief = false;
    bool seen_none = false;
    (void)state;
    for (size_t len = strlen(url); len + 50 < sizeof(url); len += 50) {
        memset(url + len, 'a', 50);
        struct exchange request = offered(config, url);
        const char *header = header_of(&request, "PAYMENT-REQUIRED");
        seen_none = seen_none || !header;
        seen_brief = seen_brief || (header && strlen(header) < ENCODING_BASE64_LEN(request.reply.body.len));
        assert_true(!header || strlen(header) < 2048);
    }
    assert_true(seen_brief && seen_none);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_says_everything_twice),
        cmocka_unit_test(whole_minor_units_are_offered_twice),
        cmocka_unit_test(version_1_gets_a_body_that_it_can_read),
        cmocka_unit_test(the_header_of_an_offer_stays_under_two_kilobytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
