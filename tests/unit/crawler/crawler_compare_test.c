/* Receipts against entries: each difference is told once, and nothing that agrees is. */
#include "tests/unit/support.h"

#include "tools/crawler/account/compare.h"

#include <stdio.h>
#include <string.h>

struct told {
    char text[1024];
    size_t len;
};

static void tell(void *context, enum compare_difference difference, const struct compare_payment *here,
                 const struct compare_payment *there)
{
    struct told *told = context;
    const struct compare_payment *one = here ? here : there;
    if (told->len < sizeof(told->text) - 64)
        told->len +=
            (size_t)snprintf(told->text + told->len, 64, "%s %d\n", compare_name(difference), one->id[15]);
    assert_true(difference != COMPARE_MISSING_HERE || !here);
    assert_true(difference != COMPARE_MISSING_THERE || !there);
    assert_true(here || there);
    assert_true(strlen(compare_sentence(difference)) > 10);
}

static void add(struct compare_list *list, uint8_t id, int64_t micros, const char *currency, const char *url)
{
    struct compare_payment payment = {.id = {1, [15] = id}, .micros = micros};
    snprintf(payment.currency, sizeof(payment.currency), "%s", currency);
    assert_true(compare_add(list, &payment, url));
}

static void each_difference_once(void **state)
{
    struct compare_list here = {.items = NULL}, there = {.items = NULL};
    struct told told = {.len = 0};
    (void)state;
    /* In no order, as receipts and pages may come. */
    add(&here, 9, 1250000, "USD", "a");
    add(&here, 1, 1250000, "USD", "a");
    add(&here, 2, 1250000, "USD", "a");
    add(&here, 4, 1250000, "USD", "a");
    add(&here, 5, 1250000, "USD", "a");
    add(&here, 6, 1250000, "USD", "a");
    add(&here, 6, 1250000, "USD", "a");
    add(&here, 8, 1250000, "EUR", "a");
    add(&there, 8, 1250000, "USD", "a");
    add(&there, 3, 1250000, "USD", "a");
    add(&there, 1, 1250000, "USD", "a");
    add(&there, 4, 1250001, "USD", "b");
    add(&there, 5, 1250000, "USD", "b");
    add(&there, 6, 1250000, "USD", "a");
    add(&there, 7, 1250000, "USD", "a");
    add(&there, 7, 1250000, "USD", "a");
    add(&there, 9, 1250000, "USD", "a");
    const struct compare_result result = compare_lists(&here, &there, tell, &told);
    assert_string_equal(told.text, "missing_there 2\n"
                                   "missing_here 3\n"
                                   "amount_differs 4\n"
                                   "url_differs 4\n"
                                   "url_differs 5\n"
                                   "twice_here 6\n"
                                   "missing_here 7\n"
                                   "twice_there 7\n"
                                   "amount_differs 8\n");
    assert_int_equal(result.differences, 9);
    assert_int_equal(result.agree, 2);
    compare_free(&here);
    compare_free(&there);
}

static void many_agree_and_nothing_is_nothing(void **state)
{
    struct compare_list here = {.items = NULL}, there = {.items = NULL};
    struct told told = {.len = 0};
    (void)state;
    struct compare_result result = compare_lists(&here, &there, tell, &told);
    assert_true(result.agree == 0 && result.differences == 0);
    for (int i = 0; i < 3000; i++) {
        struct compare_payment payment = {.id = {[14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}, .micros = i};
        assert_true(compare_add(i % 2 ? &here : &there, &payment, "u"));
        assert_true(compare_add(i % 2 ? &there : &here, &payment, "u"));
    }
    result = compare_lists(&here, &there, tell, &told);
    assert_int_equal(result.agree, 3000);
    assert_int_equal(result.differences, 0);
    assert_int_equal(told.len, 0);
    compare_free(&here);
    result = compare_lists(&here, &there, tell, &(struct told){.len = 900});
    assert_int_equal(result.differences, 3000);
    compare_free(&there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_once),
        cmocka_unit_test(many_agree_and_nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
