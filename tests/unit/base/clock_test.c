/* The wall clock and its offset, and the doors to the system beside it. Tests ledger/base/crypto/random.c */
#include "tests/unit/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"

#include <string.h>

#define TEN_YEARS_MS (INT64_C(3653) * 86400 * 1000)

static void offsets_are_whole_seconds_of_ten_years(void **state)
{
    static const char *const bad[] = {"", "x", "1x", "1.5", "99999999999999999999", "-99999999999999999999"};
    int64_t ms = 7;
    (void)state;
    assert_true(clock_read_offset("0", &ms));
    assert_int_equal(ms, 0);
    assert_true(clock_read_offset("-86700", &ms));
    assert_int_equal(ms, -86700000);
    assert_true(clock_read_offset("+5", &ms));
    assert_int_equal(ms, 5000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(clock_read_offset(bad[i], &ms));
    assert_false(clock_read_offset("400000000", &ms));
    assert_false(clock_read_offset("-400000000", &ms));
    assert_int_equal(ms, 5000);
}

static void the_offset_moves_the_wall_clock_alone(void **state)
{
    int64_t system_ms = clock_system_ms(), monotonic_ms = clock_monotonic_ms();
    (void)state;
    assert_int_equal(clock_offset_ms(), 0);
    clock_set_offset_ms(-TEN_YEARS_MS);
    assert_int_equal(clock_offset_ms(), -TEN_YEARS_MS);
    assert_true(clock_now_ms() < system_ms - TEN_YEARS_MS / 2);
    assert_true(clock_system_ms() >= system_ms - 3600000 && clock_monotonic_ms() >= monotonic_ms);
    clock_set_offset_ms(0);
    assert_true(clock_now_ms() > system_ms - 3600000);
}

static void chance_is_never_the_same(void **state)
{
    uint8_t drawn[3][32];
    (void)state;
    memset(drawn, 0, sizeof(drawn));
    random_bytes(drawn[0], sizeof(drawn[0]));
    random_bytes(drawn[1], sizeof(drawn[1]));
    assert_memory_not_equal(drawn[0], drawn[1], sizeof(drawn[0]));
    assert_memory_not_equal(drawn[0], drawn[2], sizeof(drawn[0]));
    assert_memory_not_equal(drawn[0] + 24, drawn[2], 8); /* up to the end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_whole_seconds_of_ten_years),
        cmocka_unit_test(the_offset_moves_the_wall_clock_alone),
        cmocka_unit_test(chance_is_never_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
