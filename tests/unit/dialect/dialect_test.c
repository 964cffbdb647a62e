/* Payment dialects: what each takes, what it refuses and by which code, and its receipts.
 * Tests ledger/dialect/deferred.c, ledger/dialect/x402.c, ledger/dialect/crawler_price.c,
 * ledger/dialect/claims.c */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/entry/payment_id.h"
#include "ledger/dialect/claims.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1763640000
#define URL "https://a.example/page?x=1"

static const struct config_list none = {.count = 0};
static const struct dialect_place a_place = {.network = {"a:402", 5},
                                             .currency = {"USD", 3},
                                             .pay_to = {"merchant", 8},
                                             .authority = {"a.example", 9},
                                             .url = {URL, sizeof(URL) - 1},
                                             .insecure_hosts = &none};

static enum err read_fields(struct arena *arena, const char *fields, struct commitment *commitment)
{
    struct message message =
        request_of(arena, arena_format(arena, "GET /page?x=1\nhost: a.example\n%s", fields).data);
    return dialect_read(arena, &message, &a_place, commitment);
}

static void a_payment_field_is_strict(void **state)
{
    static const struct {
        const char *fields;
        enum err err;
    } cases[] = {
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"x\"", ERR_OK},
        {"payment: scheme=\"deferred\"\npayment: network=\"a:402\", id=\"x\"", ERR_OK},
        {"payment: id=\"x\", scheme=\"deferred\", network=\"a:402\", more=1", ERR_OK},
        {"x: y", ERR_PAYMENT_REQUIRED},
        {"payment:", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=\"deferred\", network=\"a:402\"", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"\"", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=deferred, network=\"a:402\", id=\"x\"", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"x\", id=\"y\"", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"x", ERR_MALFORMED_PAYMENT},
        {"payment: scheme=\"exact\", network=\"a:402\", id=\"x\"", ERR_OFFER_MISMATCH},
        {"payment: scheme=\"deferred\", network=\"b:402\", id=\"x\"", ERR_OFFER_MISMATCH},
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"x\"\npayment-signature: e30=",
         ERR_CONFLICTING_PAYMENT},
        {"payment: scheme=\"deferred\", network=\"a:402\", id=\"x\"\ncrawler-max-price: USD 1",
         ERR_CONFLICTING_PAYMENT},
        {"crawler-exact-price: USD 1\ncrawler-max-price: USD 1", ERR_CONFLICTING_PAYMENT},
        {"payment-signature: e30=\nx-payment: e30=", ERR_CONFLICTING_PAYMENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct commitment commitment;
        enum err err = read_fields(fresh_arena(), cases[i].fields, &commitment);
        if (err != cases[i].err)
            fail_msg("err %d: %s", err, cases[i].fields);
        assert_true((commitment.dialect == NULL) == (err == ERR_PAYMENT_REQUIRED));
        if (err != ERR_OK)
            continue;
        assert_slice(commitment.id, "x");
        assert_slice(commitment.field, "payment");
        assert_int_equal(commitment.amount_micros, -1);
    }
}

static void a_crawlers_price_is_a_currency_and_an_amount(void **state)
{
    static const struct {
        const char *fields;
        enum err err;
        int64_t micros;
    } cases[] = {
        {"crawler-exact-price: USD 0.05", ERR_OK, 50000},
        {"crawler-exact-price:   USD 12  ", ERR_OK, 12000000},
        {"crawler-max-price: USD 0.000001", ERR_OK, 1},
        {"crawler-max-price: USD 0", ERR_OK, 0},
        {"crawler-max-price: EUR 0.05", ERR_PRICE_NOT_ACCEPTABLE, 0},
        {"crawler-exact-price: USD 999999999", ERR_PRICE_NOT_ACCEPTABLE, 0},
        {"crawler-max-price: USD 999999999", ERR_OK, AMOUNT_PRICE_MAX},
        {"crawler-exact-price:", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: 0.05", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD  0.05", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: XXY 0.05", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: usd 0.05", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD 0.0000001", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD -1", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD 1\ncrawler-exact-price: USD 1", ERR_MALFORMED_CRAWLER_PRICE, 0},
        {"crawler-exact-price: USD 1e3", ERR_MALFORMED_CRAWLER_PRICE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct commitment commitment;
        enum err err = read_fields(fresh_arena(), cases[i].fields, &commitment);
        if (err != cases[i].err || (err == ERR_OK && commitment.amount_micros != cases[i].micros))
            fail_msg("err %d: %s", err, cases[i].fields);
        assert_true(commitment.at_most == slice_eq(commitment.field, SLICE("crawler-max-price")));
    }
}

static void amounts_are_whole_units(void **state)
{
    static const struct {
        const char *text;
        int64_t unit, micros; /* -1: refused */
    } cases[] = {
        {"0", 1, 0},
        {"1", 1, 1},
        {"2500", 1, 2500},
        {"5", 10000, 50000},
        {"281474976710655", 1, 281474976710655},
        {"281474976710656", 1, -1},
        {"28147497672", 10000, -1},
        {"999999999999999", 1000000, -1},
        {"1000000000000000", 1, -1},
        {"", 1, -1},
        {"01", 1, -1},
        {"1.0", 1, -1},
        {"-1", 1, -1},
        {" 1", 1, -1},
        {"1e3", 1, -1},
        {"0x1", 1, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t micros = -1;
        bool taken = dialect_amount(slice_of(cases[i].text), cases[i].unit, &micros);
        if (taken != (cases[i].micros >= 0) || (taken && micros != cases[i].micros))
            fail_msg("%s of %lld", cases[i].text, (long long)cases[i].unit);
    }
}

/* --- x402 --- */

static enum err read_json(struct arena *arena, const char *field, const char *json,
                          struct commitment *commitment)
{
    const char *value = text_base64(arena, slice_of(json));
    assert_non_null(value);
    return read_fields(arena, arena_format(arena, "%s: %s", field, value).data, commitment);
}

#define ACCEPTED(scheme, amount, extra)                                                                      \
    "{\"scheme\":\"" scheme "\",\"network\":\"a:402\",\"amount\":\"" amount "\",\"asset\":\"USD\","          \
    "\"payTo\":\"merchant\",\"maxTimeoutSeconds\":300" extra "}"
#define PAYMENT(accepted) "{\"x402Version\":2,\"accepted\":" accepted ",\"payload\":{}}"
#define ID                ",\"extra\":{\"id\":\"x\"}"

static void an_x402_payment_is_read(void **state)
{
    struct commitment commitment;
    (void)state;
    assert_int_equal(
        read_json(fresh_arena(), "payment-signature", PAYMENT(ACCEPTED("deferred", "2500", ID)), &commitment),
        ERR_OK);
    assert_slice(commitment.scheme, "deferred");
    assert_slice(commitment.id, "x");
    assert_slice(commitment.field, "payment-signature");
    assert_int_equal(commitment.amount_micros, 2500);
    assert_int_equal(commitment.unit_micros, 1);
    assert_null(commitment.claims);
    assert_int_equal(read_json(fresh_arena(), "payment-signature",
                               PAYMENT(ACCEPTED("batch-settlement", "5", "")), &commitment),
                     ERR_OK);
    assert_slice(commitment.scheme, "batch-settlement");
    assert_int_equal(commitment.id.len, 0);
    assert_int_equal(commitment.amount_micros, 50000);
    assert_int_equal(commitment.unit_micros, 10000);
}

#define GOOD ACCEPTED("deferred", "2500", ID)

static void other_x402_payments_are_refused(void **state)
{
    static const struct {
        const char *json;
        enum err err;
    } cases[] = {
        {"", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"[]", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":3,\"accepted\":" GOOD ",\"payload\":{}}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":\"2\",\"accepted\":" GOOD ",\"payload\":{}}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base\",\"payload\":{}}", ERR_X402_VERSION},
        {"{\"x402Version\":2,\"accepted\":" GOOD "}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":2,\"payload\":{}}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{},\"payload\":{}}",
         ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":[]}", ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{},\"resource\":\"" URL "\"}",
         ERR_MALFORMED_PAYMENT_SIGNATURE},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{},\"resource\":{\"url\":\"" URL "\"}}",
         ERR_OK},
        {"{\"x402Version\":2,\"accepted\":" GOOD
         ",\"payload\":{},\"resource\":{\"url\":\"https://b.example/\"}}",
         ERR_OFFER_MISMATCH},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{\"amount\":\"2500\",\"asset\":\"USD\"}}",
         ERR_OK},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{\"amount\":\"2501\"}}", ERR_OFFER_MISMATCH},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{\"asset\":\"EUR\"}}", ERR_OFFER_MISMATCH},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{\"commitment\":1}}",
         ERR_MALFORMED_COMMITMENT},
        {"{\"x402Version\":2,\"accepted\":" GOOD ",\"payload\":{\"commitment\":\"a.b.c\"}}",
         ERR_MALFORMED_COMMITMENT},
        {PAYMENT(ACCEPTED("deferred", "2500", ",\"extra\":{}")), ERR_OK},
        {PAYMENT(ACCEPTED("deferred", "2500", ",\"extra\":null")), ERR_OK},
        {PAYMENT(ACCEPTED("deferred", "2500", ",\"extra\":[]")), ERR_MALFORMED_PAYMENT_SIGNATURE},
        {PAYMENT(ACCEPTED("deferred", "2500", ",\"extra\":{\"id\":1}")), ERR_MALFORMED_PAYMENT_SIGNATURE},
        {PAYMENT(ACCEPTED("deferred", "2500", ",\"extra\":{\"id\":\"\"}")), ERR_MALFORMED_PAYMENT_SIGNATURE},
        {PAYMENT(ACCEPTED("deferred", "0.0025", ID)), ERR_MALFORMED_PAYMENT_SIGNATURE},
        {PAYMENT(ACCEPTED("exact", "2500", ID)), ERR_OFFER_MISMATCH},
        {PAYMENT("{\"scheme\":\"deferred\",\"network\":\"b:402\",\"amount\":\"1\",\"asset\":\"USD\","
                 "\"payTo\":\"merchant\"}"),
         ERR_OFFER_MISMATCH},
        {PAYMENT("{\"scheme\":\"deferred\",\"network\":\"a:402\",\"amount\":\"1\",\"asset\":\"EUR\","
                 "\"payTo\":\"merchant\"}"),
         ERR_OFFER_MISMATCH},
        {PAYMENT("{\"scheme\":\"deferred\",\"network\":\"a:402\",\"amount\":\"1\",\"asset\":\"USD\","
                 "\"payTo\":\"0x20\"}"),
         ERR_OFFER_MISMATCH},
        {PAYMENT("{\"scheme\":\"deferred\",\"network\":\"a:402\",\"amount\":1,\"asset\":\"USD\","
                 "\"payTo\":\"merchant\"}"),
         ERR_MALFORMED_PAYMENT_SIGNATURE},
    };
    struct commitment commitment;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum err err = read_json(fresh_arena(), "payment-signature", cases[i].json, &commitment);
        if (err != cases[i].err)
            fail_msg("err %d: %s", err, cases[i].json);
    }
    assert_int_equal(read_fields(fresh_arena(), "payment-signature: %%%", &commitment),
                     ERR_MALFORMED_PAYMENT_SIGNATURE);
    assert_int_equal(
        read_fields(fresh_arena(), "payment-signature: e30=\npayment-signature: e30=", &commitment),
        ERR_MALFORMED_PAYMENT_SIGNATURE);
}

static void version_1_is_told_apart_from_garbage(void **state)
{
    static const struct {
        const char *json;
        enum err err;
    } cases[] = {
        {"{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base\",\"payload\":{}}", ERR_X402_VERSION},
        {PAYMENT(GOOD), ERR_X402_VERSION},
        {"{}", ERR_MALFORMED_X_PAYMENT},
        {"1", ERR_MALFORMED_X_PAYMENT},
    };
    struct commitment commitment;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(read_json(fresh_arena(), "x-payment", cases[i].json, &commitment), cases[i].err);
    assert_int_equal(read_fields(fresh_arena(), "x-payment: me", &commitment), ERR_MALFORMED_X_PAYMENT);
}

/* --- claims --- */

#define CLAIMS                                                                                               \
    "{\"iss\":\"https://"                                                                                    \
    "c.example\",\"id\":\"x\",\"network\":\"a:402\",\"amount\":\"2500\",\"asset\":\"USD\","                  \
    "\"aud\":\"a.example\",\"resource\":\"" URL "\",\"iat\":1763640000,\"exp\":1763640060}"
#define KEYID "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"

static const char *compact(struct arena *arena, const char *alg, const char *type, const char *claims)
{
    struct slice header =
        arena_format(arena, "{\"alg\":\"%s\",\"kid\":\"" KEYID "\",\"typ\":\"%s\"}", alg, type);
    char *text = arena_bytes(arena, 4096);
    size_t len = encoding_base64url(header.data, header.len, text);
    text[len++] = '.';
    len += encoding_base64url(claims, strlen(claims), text + len);
    memcpy(text + len, ".AQID", 6);
    return text;
}

static enum err read_claims(struct arena *arena, const char *accepted, const char *jws,
                            struct commitment *commitment)
{
    struct slice json = arena_format(
        arena, "{\"x402Version\":2,\"accepted\":%s,\"payload\":{\"commitment\":\"%s\"}}", accepted, jws);
    return read_json(arena, "payment-signature", json.data, commitment);
}

/* The claims with a member that is another one, or NULL: gone. */
static const char *changed(struct arena *arena, const char *name, json_t *value)
{
    json_t *claims = json_loads(CLAIMS, 0, NULL);
    if (value)
        json_object_set_new(claims, name, value);
    else
        json_object_del(claims, name);
    char *text = json_dumps(claims, JSON_COMPACT);
    const char *copy = arena_copy(arena, slice_of(text));
    free(text);
    json_decref(claims);
    return copy;
}

static void claims_are_read(void **state)
{
    struct arena *arena = fresh_arena();
    struct commitment commitment;
    (void)state;
    const char *jws = compact(arena, "EdDSA", CLAIMS_TYPE, CLAIMS);
    assert_int_equal(read_claims(arena, GOOD, jws, &commitment), ERR_OK);
    assert_non_null(commitment.claims);
    assert_slice(commitment.claims->agent.account, "https://c.example");
    assert_slice(commitment.claims->keyid, KEYID);
    assert_int_equal(commitment.claims->issued, NOW);
    assert_int_equal(commitment.claims->expires, NOW + 60);
    assert_slice(commitment.id, "x");
    assert_int_equal(commitment.amount_micros, 2500);
    /* An id that is signed need not be repeated beside it. */
    assert_int_equal(read_claims(arena, ACCEPTED("deferred", "2500", ""), jws, &commitment), ERR_OK);
    assert_slice(commitment.id, "x");
}

static struct slice member(json_t *object, const char *name)
{
    return slice_of(json_string_value(json_object_get(object, name)));
}

/* What tools/x402 signs is taken here. The vectors are both implementations'. */
static void published_commitments_hold(void **state)
{
    json_t *vectors = json_load_file("tests/vectors/x402-deferred-commitments.json", 0, NULL), *one;
    uint8_t raw[SIGNATURE_ED25519_KEY_SIZE];
    size_t i, len;
    (void)state;
    assert_non_null(vectors);
    assert_true(encoding_unbase64url(member(json_object_get(vectors, "key"), "x"), raw, sizeof(raw), &len));
    json_array_foreach(json_object_get(vectors, "commitments"), i, one)
    {
        struct arena *arena = fresh_arena();
        json_t *accepted = json_object_get(one, "accepted");
        struct slice url = member(one, "resource"), host = url;
        host.data = strstr(url.data, "//") + 2;
        host.len = strcspn(host.data, "/");
        const struct dialect_place place = {.network = member(accepted, "network"),
                                            .currency = member(accepted, "asset"),
                                            .pay_to = member(accepted, "payTo"),
                                            .authority = host,
                                            .url = url,
                                            .insecure_hosts = &none};
        struct commitment commitment = {.scheme = member(accepted, "scheme"),
                                        .id = member(json_object_get(accepted, "extra"), "id"),
                                        .unit_micros = 1};
        commitment.amount_micros = strtoll(member(accepted, "amount").data, NULL, 10);
        assert_int_equal(claims_read(arena, member(one, "commitment"), &place, &commitment), ERR_OK);
        const struct claims *claims = commitment.claims;
        assert_int_equal(claims->issued, json_integer_value(json_object_get(vectors, "at")));
        assert_true(slice_eq(claims->agent.account, member(one, "agent")));
        assert_int_equal(claims->signature.len, SIGNATURE_ED25519_SIZE);
        assert_true(signature_verify_ed25519(raw, claims->input, (const uint8_t *)claims->signature.data));
        /* Another page's, or another price's, is not. */
        struct dialect_place elsewhere = place;
        elsewhere.url = SLICE("https://shop.example/other");
        assert_int_equal(claims_read(arena, member(one, "commitment"), &elsewhere, &commitment),
                         ERR_OFFER_MISMATCH);
        commitment.amount_micros++;
        assert_int_equal(claims_read(arena, member(one, "commitment"), &place, &commitment),
                         ERR_OFFER_MISMATCH);
    }
    assert_int_equal(i, 4);
    json_decref(vectors);
}

static void claims_are_for_what_is_accepted(void **state)
{
    struct arena *arena = fresh_arena();
    struct commitment commitment;
    (void)state;
    const struct {
        const char *name;
        json_t *value;
        enum err err;
    } cases[] = {
        {"iss", NULL, ERR_MALFORMED_COMMITMENT},
        {"iss", json_string("http://c.example"), ERR_MALFORMED_COMMITMENT},
        {"iss", json_string("https://10.0.0.1"), ERR_MALFORMED_COMMITMENT},
        {"iss", json_integer(1), ERR_MALFORMED_COMMITMENT},
        {"id", NULL, ERR_MALFORMED_COMMITMENT}, /* accepted names one, which is not signed then */
        {"id", json_string("y"), ERR_OFFER_MISMATCH},
        {"network", json_string("b:402"), ERR_OFFER_MISMATCH},
        {"network", NULL, ERR_MALFORMED_COMMITMENT},
        {"amount", json_string("2501"), ERR_OFFER_MISMATCH},
        {"amount", json_integer(2500), ERR_MALFORMED_COMMITMENT},
        {"amount", json_string("-1"), ERR_MALFORMED_COMMITMENT},
        {"asset", json_string("EUR"), ERR_OFFER_MISMATCH},
        {"aud", json_string("b.example"), ERR_OFFER_MISMATCH},
        {"aud", json_pack("[s]", "a.example"), ERR_MALFORMED_COMMITMENT},
        {"resource", json_string("https://a.example/page?x=2"), ERR_OFFER_MISMATCH},
        {"resource", NULL, ERR_MALFORMED_COMMITMENT},
        {"scheme", json_string("deferred"), ERR_OK},
        {"scheme", json_string("batch-settlement"), ERR_OFFER_MISMATCH},
        {"iat", NULL, ERR_MALFORMED_COMMITMENT},
        {"iat", json_string("1763640000"), ERR_MALFORMED_COMMITMENT},
        {"iat", json_real(1763640000.5), ERR_MALFORMED_COMMITMENT},
        {"exp", json_integer(1000000000000000), ERR_MALFORMED_COMMITMENT},
        {"exp", json_integer(-1), ERR_MALFORMED_COMMITMENT},
        {"jti", json_string("anything"), ERR_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        arena = fresh_arena();
        const char *claims = changed(arena, cases[i].name, cases[i].value);
        const char *jws = compact(arena, "EdDSA", CLAIMS_TYPE, claims);
        enum err err = read_claims(arena, GOOD, jws, &commitment);
        if (err != cases[i].err)
            fail_msg("err %d: %s", err, claims);
    }
    arena = fresh_arena();
    assert_int_equal(read_claims(arena, GOOD, compact(arena, "EdDSA", "JWT", CLAIMS), &commitment),
                     ERR_MALFORMED_COMMITMENT);
}

/* "5" is five cents for one scheme and five millionths for the other: who does not sign which, signs an id.
 */
static void claims_without_an_id_name_the_unit(void **state)
{
    struct arena *arena = fresh_arena();
    struct commitment commitment;
    (void)state;
    json_t *claims = json_loads(CLAIMS, 0, NULL);
    json_object_del(claims, "id");
    json_object_set_new(claims, "amount", json_string("5"));
    char *bare = json_dumps(claims, 0);
    json_object_set_new(claims, "scheme", json_string("batch-settlement"));
    char *named = json_dumps(claims, 0);
    json_object_set_new(claims, "id", json_string("x"));
    json_object_del(claims, "scheme");
    char *with_id = json_dumps(claims, 0);
    json_object_set_new(claims, "id", json_string(""));
    char *with_none = json_dumps(claims, 0);
    const char *batch = ACCEPTED("batch-settlement", "5", "");
    assert_int_equal(read_claims(arena, batch, compact(arena, "EdDSA", CLAIMS_TYPE, bare), &commitment),
                     ERR_MALFORMED_COMMITMENT);
    assert_int_equal(read_claims(arena, batch, compact(arena, "EdDSA", CLAIMS_TYPE, named), &commitment),
                     ERR_OK);
    assert_int_equal(commitment.amount_micros, 50000);
    assert_int_equal(read_claims(arena, batch, compact(arena, "EdDSA", CLAIMS_TYPE, with_none), &commitment),
                     ERR_MALFORMED_COMMITMENT);
    assert_int_equal(read_claims(arena, batch, compact(arena, "EdDSA", CLAIMS_TYPE, with_id), &commitment),
                     ERR_OK);
    assert_int_equal(read_claims(arena, ACCEPTED("deferred", "5", ""),
                                 compact(arena, "EdDSA", CLAIMS_TYPE, bare), &commitment),
                     ERR_OK);
    assert_int_equal(commitment.amount_micros, 5);
    free(bare);
    free(named);
    free(with_id);
    free(with_none);
    json_decref(claims);
}

static void claims_are_judged_like_signatures(void **state)
{
    static const struct {
        const char *alg;
        int64_t issued, expires;
        bool test_keys;
        enum err err;
    } cases[] = {
        {"EdDSA", NOW, NOW + 60, true, ERR_OK},
        {"EdDSA", NOW + 30, NOW + 330, true, ERR_OK},
        {"EdDSA", NOW, NOW + 300, true, ERR_OK},
        {"EdDSA", NOW, NOW + 301, true, ERR_SIGNATURE_INVALID},
        {"EdDSA", NOW + 31, NOW + 60, true, ERR_SIGNATURE_INVALID},
        {"EdDSA", NOW, NOW, true, ERR_SIGNATURE_INVALID},
        {"EdDSA", NOW - 60, NOW, true, ERR_SIGNATURE_EXPIRED},
        {"EdDSA", NOW - 60, NOW + 1, true, ERR_OK},
        {"EdDSA", NOW, NOW + 60, false, ERR_SIGNATURE_INVALID}, /* everybody has this key */
        {"none", NOW, NOW + 60, true, ERR_SIGNATURE_INVALID},
        {"HS256", NOW, NOW + 60, true, ERR_SIGNATURE_INVALID},
        {"ES256", NOW, NOW + 60, true, ERR_SIGNATURE_INVALID}, /* not switched on */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct commitment commitment;
        struct web_bot_auth_candidate *candidate;
        struct web_bot_auth_policy policy = {
            .now = NOW, .clock_skew = 30, .max_lifetime = 86400, .allow_test_keys = cases[i].test_keys};
        json_t *claims = json_loads(CLAIMS, 0, NULL);
        json_object_set_new(claims, "iat", json_integer(cases[i].issued));
        json_object_set_new(claims, "exp", json_integer(cases[i].expires));
        char *text = json_dumps(claims, 0);
        assert_int_equal(
            read_claims(arena, GOOD, compact(arena, cases[i].alg, CLAIMS_TYPE, text), &commitment), ERR_OK);
        if (claims_select(arena, &policy, commitment.claims, &candidate) != cases[i].err)
            fail_msg("case %zu", i);
        if (cases[i].err == ERR_OK) {
            assert_int_equal(candidate->created, cases[i].issued);
            assert_int_equal(candidate->until, cases[i].expires);
            assert_slice(candidate->agent->account, "https://c.example");
            assert_slice(candidate->alg, "ed25519");
            assert_slice(candidate->signature, "\1\2\3");
            assert_true(slice_starts(candidate->base, SLICE("eyJ")));
        }
        free(text);
        json_decref(claims);
    }
}

/* --- receipts --- */

static const char *field_of(const struct exchange *exchange, const char *name)
{
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next)
        if (strcmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

static json_t *response_of(const struct exchange *exchange)
{
    char decoded[2048];
    size_t len;
    const char *field = field_of(exchange, "PAYMENT-RESPONSE");
    assert_non_null(field);
    assert_true(encoding_unbase64(slice_of(field), false, (uint8_t *)decoded, sizeof(decoded), &len));
    json_t *json = json_loadb(decoded, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void receipts_are_in_the_dialect(void **state)
{
    struct exchange exchange = {.arena = *fresh_arena(), .reply.fd = -1};
    struct commitment commitment = {.unit_micros = 10000};
    struct dialect_receipt receipt = {.network = SLICE("a:402"),
                                      .currency = SLICE("USD"),
                                      .commitment = &commitment,
                                      .id = SLICE("an-id"),
                                      .payer = SLICE("https://c.example/\"k"),
                                      .amount_micros = 50000,
                                      .recorded_at = NOW};
    (void)state;
    assert_true(dialect_deferred.write_receipt(&exchange, &receipt));
    assert_string_equal(field_of(&exchange, "Payment-Response"),
                        "scheme=\"deferred\", network=\"a:402\", id=\"an-id\", timestamp=1763640000");
    assert_true(dialect_x402.write_receipt(&exchange, &receipt));
    json_t *json = response_of(&exchange);
    json_t *expected = json_pack("{s:b,s:s,s:s,s:s,s:s,s:s,s:{s:i}}", "success", 1, "transaction", "an-id",
                                 "network", "a:402", "payer", "https://c.example/\"k", "amount", "5", "asset",
                                 "USD", "extra", "timestamp", NOW);
    assert_true(json_equal(json, expected));
    json_decref(json);
    json_decref(expected);
    receipt.amount_micros = 40001; /* lowered to a part of a cent */
    assert_true(dialect_x402.write_receipt(&exchange, &receipt));
    json = response_of(&exchange);
    assert_string_equal(json_string_value(json_object_get(json, "amount")), "5");
    json_decref(json);
    exchange.reply.headers = NULL;
    assert_true(dialect_crawler_price.write_receipt(&exchange, &receipt));
    assert_null(exchange.reply.headers);
}

static void a_refusal_of_x402_says_why(void **state)
{
    struct exchange exchange = {.arena = *fresh_arena(), .reply.fd = -1};
    (void)state;
    assert_true(dialect_x402.write_refusal(&exchange, SLICE("a:402"), ERR_OFFER_EXPIRED));
    json_t *json = response_of(&exchange);
    assert_true(json_is_false(json_object_get(json, "success")));
    assert_string_equal(json_string_value(json_object_get(json, "errorReason")), "offer_expired");
    assert_string_equal(json_string_value(json_object_get(json, "transaction")), "");
    assert_string_equal(json_string_value(json_object_get(json, "network")), "a:402");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payment_field_is_strict),
        cmocka_unit_test(a_crawlers_price_is_a_currency_and_an_amount),
        cmocka_unit_test(amounts_are_whole_units),
        cmocka_unit_test(an_x402_payment_is_read),
        cmocka_unit_test(other_x402_payments_are_refused),
        cmocka_unit_test(version_1_is_told_apart_from_garbage),
        cmocka_unit_test(claims_are_read),
        cmocka_unit_test(published_commitments_hold),
        cmocka_unit_test(claims_are_for_what_is_accepted),
        cmocka_unit_test(claims_without_an_id_name_the_unit),
        cmocka_unit_test(claims_are_judged_like_signatures),
        cmocka_unit_test(receipts_are_in_the_dialect),
        cmocka_unit_test(a_refusal_of_x402_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
