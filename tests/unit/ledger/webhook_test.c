/* Secrets, signatures and waiting of webhooks. */
#include "tests/unit/support.h"

#include "ledger/outbox/webhook.h"

#include <string.h>

static void secrets(void **state)
{
    static const char *const bad[] = {"", "whsec_", "secret_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_!!!!",
                                      "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkw" /* 21 bytes */};
    struct webhook_secret secret;
    (void)state;
    assert_true(webhook_secret_parse(SLICE("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"), &secret));
    assert_int_equal(secret.len, 24);
    assert_memory_equal(secret.bytes, "012345678901234567890123", 24);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(webhook_secret_parse(slice_of(bad[i]), &secret));
}

static void signature_covers_all(void **state)
{
    struct webhook_secret secret;
    char one[WEBHOOK_SIGNATURE_MAX], other[WEBHOOK_SIGNATURE_MAX];
    (void)state;
    assert_true(webhook_secret_parse(SLICE("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"), &secret));
    assert_true(webhook_sign(&secret, "evt_1", 1700000000, SLICE("{}"), one));
    assert_true(webhook_sign(&secret, "evt_1", 1700000000, SLICE("{}"), other));
    assert_string_equal(one, other);
    assert_int_equal(strlen(one), 3 + 44);
    assert_true(webhook_sign(&secret, "evt_2", 1700000000, SLICE("{}"), other));
    assert_string_not_equal(one, other);
    assert_true(webhook_sign(&secret, "evt_1", 1700000001, SLICE("{}"), other));
    assert_string_not_equal(one, other);
    assert_true(webhook_sign(&secret, "evt_1", 1700000000, SLICE("{} "), other));
    assert_string_not_equal(one, other);
}

static void waits_grow_for_three_days(void **state)
{
    int64_t sum = 0, last = 0, failed = 1;
    (void)state;
    for (; webhook_wait_ms(failed) >= 0; failed++) {
        assert_true(webhook_wait_ms(failed) > last);
        last = webhook_wait_ms(failed);
        sum += last;
    }
    assert_in_range(sum, INT64_C(3) * 86400 * 1000, INT64_C(4) * 86400 * 1000);
    assert_int_equal(webhook_wait_ms(0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets),
        cmocka_unit_test(signature_covers_all),
        cmocka_unit_test(waits_grow_for_three_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
