/* Banking days of 2026 to 2040, compared day by day with lists of the holidays on weekdays: TARGET's and the
 * Federal Reserve's. */
#include "tests/unit/support.h"

#include "ledger/base/instant.h"
#include "ledger/format/bank/banking_day.h"

#include <stdio.h>
#include <string.h>

struct year {
    int year;
    const char *holidays;
};

static const struct year target[] = {
    {2026, "01-01 04-03 04-06 05-01 12-25"},
    {2027, "01-01 03-26 03-29"},
    {2028, "04-14 04-17 05-01 12-25 12-26"},
    {2029, "01-01 03-30 04-02 05-01 12-25 12-26"},
    {2030, "01-01 04-19 04-22 05-01 12-25 12-26"},
    {2031, "01-01 04-11 04-14 05-01 12-25 12-26"},
    {2032, "01-01 03-26 03-29"},
    {2033, "04-15 04-18 12-26"},
    {2034, "04-07 04-10 05-01 12-25 12-26"},
    {2035, "01-01 03-23 03-26 05-01 12-25 12-26"},
    {2036, "01-01 04-11 04-14 05-01 12-25 12-26"},
    {2037, "01-01 04-03 04-06 05-01 12-25"},
    {2038, "01-01 04-23 04-26"},
    {2039, "04-08 04-11 12-26"},
    {2040, "03-30 04-02 05-01 12-25 12-26"},
};

static const struct year fed[] = {
    {2026, "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25"},
    {2027, "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25"},
    {2028, "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-23 12-25"},
    {2029, "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25"},
    {2030, "01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25"},
    {2031, "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25"},
    {2032, "01-01 01-19 02-16 05-31 07-05 09-06 10-11 11-11 11-25"},
    {2033, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26"},
    {2034, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-23 12-25"},
    {2035, "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25"},
    {2036, "01-01 01-21 02-18 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25"},
    {2037, "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25"},
    {2038, "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25"},
    {2039, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26"},
    {2040, "01-02 01-16 02-20 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25"},
};

/* 2026-01-01 was a Thursday. Both lists have the same years, each day of which is asked for. */
static void compare(enum banking_calendar calendar, const struct year *years, size_t count)
{
    char date[16], next[BANKING_DATE_MAX], expected[16] = "2041-01-02";
    int weekday = 0, days = 0, holidays = 0;
    for (size_t i = 0; i < count; i++) /* Sunday is 0: the weekday of the first day after the last year */
        weekday = (weekday + 365 + (years[i].year % 4 == 0)) % 7;
    weekday = (weekday + 4) % 7;
    for (size_t i = count; i-- > 0;)
        for (int month = 12; month > 0; month--)
            for (int day = 31; day > 0; day--) {
                snprintf(date, sizeof(date), "%04d-%02d-%02d", years[i].year, month, day);
                if (!instant_is_date(slice_of(date)))
                    continue;
                weekday = (weekday + 6) % 7;
                bool holiday = strstr(years[i].holidays, date + 5) != NULL;
                bool banking = weekday != 0 && weekday != 6 && !holiday;
                if (banking_day_is(calendar, date) != banking)
                    fail_msg("%s is %sa banking day", date, banking ? "" : "not ");
                if (banking)
                    snprintf(expected, sizeof(expected), "%s", date);
                assert_string_equal(banking_day_from(calendar, date, next), expected);
                holidays += holiday;
                days++;
            }
    assert_int_equal(weekday, 4);
    assert_int_equal(days, 15 * 365 + 4);
    assert_true(holidays > 15 * 4);
}

static void target_is_closed(void **state)
{
    (void)state;
    compare(BANKING_TARGET, target, sizeof(target) / sizeof(*target));
}

static void the_fed_is_closed(void **state)
{
    (void)state;
    compare(BANKING_FED, fed, sizeof(fed) / sizeof(*fed));
}

/* Coins move every day, also on the last of a leap year's February. */
static void without_a_bank_every_day_will_do(void **state)
{
    char next[BANKING_DATE_MAX];
    (void)state;
    assert_true(banking_day_is(BANKING_ANY, "2026-12-25"));
    assert_string_equal(banking_day_from(BANKING_ANY, "2028-02-29", next), "2028-02-29");
    /* 2032-02-29 is a Sunday; a Friday holiday, a weekend and a Monday holiday in a row. */
    assert_string_equal(banking_day_from(BANKING_FED, "2032-02-29", next), "2032-03-01");
    assert_string_equal(banking_day_from(BANKING_TARGET, "2026-04-03", next), "2026-04-07");
    assert_string_equal(banking_day_from(BANKING_TARGET, "2028-12-30", next), "2029-01-02");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(target_is_closed),
                                       cmocka_unit_test(the_fed_is_closed),
                                       cmocka_unit_test(without_a_bank_every_day_will_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
