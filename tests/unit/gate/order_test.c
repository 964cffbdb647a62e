/* What /verify and /settle are called with, read without a gate. */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "server/facilitator/order.h"

#include <stdlib.h>
#include <string.h>

static const struct config_site site = {
    .name = "shop", .network = "shop:402", .currency = "EUR", .pay_to = "shop.example"};

#define REQUIREMENT(scheme, amount)                                                                          \
    "{\"scheme\":\"" scheme "\",\"network\":\"shop:402\",\"amount\":\"" amount                               \
    "\",\"asset\":\"EUR\",\"payTo\":\"shop.example\",\"extra\":{\"id\":\"x\",\"decimals\":6}}"
#define ORDER(accepted, asked, url)                                                                          \
    "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"resource\":{\"url\":\"" url                  \
    "\"},\"accepted\":" accepted ",\"payload\":{\"commitment\":\"a.b.c\",\"more\":1}},"                      \
    "\"paymentRequirements\":" asked "}"
#define NAMED                                                                                                \
    "{\"paymentPayload\":{\"x402Version\":2,\"resource\":{\"url\":\"https://shop.example/"                   \
    "\"},\"accepted\":" REQUIREMENT(                                                                         \
        "deferred", "5") ",\"payload\":{\"commitment\":\"a.b.c\"},\"extensions\":{\"bazaar\":{},"            \
                         "\"payment-identifier\":{\"info\":{\"required\":false,\"id\":\"pay_0123456789\"},"  \
                         "\"schema\":{}}}},"                                                                 \
                         "\"paymentRequirements\":" REQUIREMENT("deferred", "5") "}"
#define PAGE "https://Shop.Example:8443/a?b=%20"

static char memory[32768];
static struct refusal refusal;
static struct order order;

static bool reads(const char *text)
{
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    return order_read(&arena, slice_of(text), &site, &order, &refusal);
}

static void a_payment_is_read_for_its_page(void **state)
{
    static const char brief[] =
        "{\"x402Version\":2,\"accepted\":{\"scheme\":\"deferred\",\"network\":\"shop:402\",\"amount\":"
        "\"12500000\",\"asset\":\"EUR\",\"payTo\":\"shop.example\",\"extra\":{\"id\":\"x\"}},"
        "\"payload\":{\"commitment\":\"a.b.c\"},\"resource\":{\"url\":\"" PAGE "\"}}";
    uint8_t bytes[1024];
    size_t len;
    (void)state;
    assert_true(reads(ORDER(REQUIREMENT("deferred", "12500000"), REQUIREMENT("deferred", "7000001"), PAGE)));
    assert_true(slice_eq(order.authority, SLICE("shop.example:8443")));
    assert_true(slice_eq(order.target, SLICE("/a?b=%20")));
    assert_int_equal(order.amount_micros, 7000001);
    /* Nothing goes on that is neither signed nor looked at. */
    assert_true(encoding_unbase64(order.field, false, bytes, sizeof(bytes), &len));
    assert_true(slice_eq(slice_bytes(bytes, len), SLICE(brief)));
    assert_true(
        reads(ORDER(REQUIREMENT("batch-settlement", "1250"), REQUIREMENT("batch-settlement", "1250"), PAGE)));
    assert_int_equal(order.amount_micros, 12500000);
    assert_int_equal(order.unit_micros, 10000);
    /* Of extensions the one that says which payment it is. */
    assert_true(reads(NAMED));
    assert_true(encoding_unbase64(order.field, false, bytes, sizeof(bytes), &len));
    struct slice tail =
        SLICE("\"extensions\":{\"payment-identifier\":{\"info\":{\"id\":\"pay_0123456789\"}}}}");
    assert_true(len > tail.len && slice_eq(slice_bytes(bytes + len - tail.len, tail.len), tail));
}

static void what_does_not_agree_is_refused(void **state)
{
    static const struct {
        const char *body, *code;
        unsigned status;
    } cases[] = {
        {ORDER(REQUIREMENT("deferred", "5"), REQUIREMENT("deferred", "6"), PAGE),
         "invalid_payment_requirements", 200},
        {ORDER(REQUIREMENT("deferred", "5"), REQUIREMENT("batch-settlement", "5"), PAGE),
         "invalid_payment_requirements", 200},
        {ORDER(REQUIREMENT("exact", "5"), REQUIREMENT("exact", "5"), PAGE), "unsupported_scheme", 200},
        {ORDER(REQUIREMENT("deferred", "5"), REQUIREMENT("deferred", "05"), PAGE),
         "invalid_payment_requirements", 400},
        {ORDER(REQUIREMENT("deferred", "-5"), REQUIREMENT("deferred", "5"), PAGE), "invalid_payload", 400},
        {ORDER(REQUIREMENT("deferred", "9999999999999999"), REQUIREMENT("deferred", "5"), PAGE),
         "invalid_payload", 400},
        {ORDER(REQUIREMENT("deferred", "5"), REQUIREMENT("deferred", "5"), "/a"), "invalid_payload", 400},
        {ORDER(REQUIREMENT("deferred", "5"), REQUIREMENT("deferred", "5"), "https:///a"), "invalid_payload",
         400},
        {ORDER("7", REQUIREMENT("deferred", "5"), PAGE), "invalid_payload", 400},
        {ORDER(REQUIREMENT("deferred", "5"), "[]", PAGE), "invalid_payment_requirements", 400},
        {"", "invalid_payload", 400},
        {"[1]", "invalid_payload", 400},
        {"{\"x402Version\":2,\"x402Version\":2}", "invalid_payload", 400},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_false(reads(cases[i].body));
        assert_string_equal(refusal.code, cases[i].code);
        assert_int_equal(refusal.status, cases[i].status);
        assert_true(strchr(refusal.detail, ' ') != NULL);
    }
}

/* Whatever the gate says has a code of the specification, and what may hold later is told apart from what
 * was judged. */
static void each_failure_has_a_code(void **state)
{
    (void)state;
    for (enum err err = ERR_OK + 1; err < ERR_COUNT; err++) {
        struct refusal settle = refusal_of(err, CALL_SETTLE), verify = refusal_of(err, CALL_VERIFY);
        assert_int_equal(settle.status, verify.status);
        assert_true(strcmp(verify.code, "settlement_pending") != 0);
        assert_int_equal(strcmp(settle.code, "settlement_pending") == 0,
                         err_status(err) == 503 || err == ERR_RATE_LIMITED);
        assert_true(settle.status == 200 || settle.status == 400 || settle.status == 429 ||
                    settle.status >= 500);
    }
    assert_string_equal(refusal_of(ERR_CREDIT_LIMIT_REACHED, CALL_SETTLE).code, "insufficient_funds");
    assert_int_equal(refusal_of(ERR_CREDIT_LIMIT_REACHED, CALL_SETTLE).status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payment_is_read_for_its_page),
        cmocka_unit_test(what_does_not_agree_is_refused),
        cmocka_unit_test(each_failure_has_a_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
