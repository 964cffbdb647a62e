/* Partitions are there at every midnight, whatever the gate and its clock did before; and without one nobody
 * is charged, nor told that the payment could never be. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"
#define DAY   86400000

/* Moves the clock of this process to `days` after `start`. */
static void go_to(int64_t start, int days, int64_t ms)
{
    clock_set_offset_ms(0);
    clock_set_offset_ms(start + days * (int64_t)DAY + ms - clock_now_ms());
}

static int64_t midnight_of(int64_t ms)
{
    return ms / DAY * DAY;
}

/* Two weeks, each midnight with a payment a moment before it and two just after. */
static void a_running_gate_crosses_midnights(void **state)
{
    enum { NIGHTS = 14 };
    (void)state;
    int64_t start = midnight_of(clock_now_ms());
    go_to(start, 0, DAY - 5000);
    struct writer *writer = writer_start_ready();
    for (int night = 0; night < NIGHTS; night++) {
        go_to(start, night, DAY - 5000);
        struct payment before = payment_make(clock_now_ms(), AGENT, 100, PAGE);
        assert_int_equal(payment_pay(writer, &before), ERR_OK);
        struct payment late = payment_make(start + (night + 1) * (int64_t)DAY - 1, AGENT, 100, PAGE);
        go_to(start, night + 1, 1000);
        struct payment after = payment_make(clock_now_ms(), AGENT, 100, PAGE);
        assert_int_equal(payment_pay(writer, &late), ERR_OK);
        assert_int_equal(payment_pay(writer, &after), ERR_OK);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "42");
    assert_string_equal(sql("SELECT count(DISTINCT tableoid) FROM charge"), "15");
    assert_string_equal(
        sql("SELECT count(*) FROM charge c JOIN day d USING (site_id)"
            " WHERE uuid_instant(payment_id) >= starts_at AND uuid_instant(payment_id) < ends_at"),
        "42");
}

static void a_gate_that_was_down_for_ten_days(void **state)
{
    (void)state;
    int64_t start = midnight_of(clock_now_ms());
    go_to(start, 0, DAY - 3600000);
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    go_to(start, 11, 1000);
    writer = writer_start_ready();
    payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    struct payment before = payment_make(clock_now_ms() - 2000, AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_int_equal(payment_pay(writer, &before), ERR_OK); /* of the day before */
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), count(DISTINCT tableoid) FROM charge"), "3|3");
    assert_string_equal(sql("SELECT bool_and(tiles) FROM (SELECT lead(starts_at, 1, ends_at) OVER (ORDER BY"
                            " starts_at) = ends_at AS tiles FROM day) d"),
                        "t");
}

/* Nothing could be made for two days: there were days enough. When they have run out payments have to wait,
 * and go on as soon as partitions can be made again. */
static void a_gate_that_could_make_none(void **state)
{
    (void)state;
    int64_t start = midnight_of(clock_now_ms());
    go_to(start, 0, 3600000);
    struct writer *writer = writer_start_ready();
    sql("REVOKE EXECUTE ON FUNCTION charge_partitions FROM crawltab_gate");
    for (int day = 1; day <= 3; day++) {
        go_to(start, day, DAY - 1000);
        struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    }
    go_to(start, 4, 1000);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    writer_wait_ready(writer, false);
    sql("GRANT EXECUTE ON FUNCTION charge_partitions TO crawltab_gate");
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "4");
}

/* The nightly job makes them too, for gates that start after a long silence. */
static void the_night_makes_them_as_well(void **state)
{
    static char output[OUTPUT_MAX];
    (void)state;
    writer_stop(writer_start_ready());
    sql("DO $$ DECLARE name text; BEGIN FOR name IN SELECT inhrelid::regclass FROM pg_inherits"
        " WHERE inhparent = 'charge'::regclass LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$");
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_string_equal(sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'charge'::regclass"), "5");
    assert_string_equal(
        sql("SELECT to_regclass('charge_' || to_char(now() AT TIME ZONE 'UTC' + interval '3 days',"
            " 'YYYYMMDD')) IS NOT NULL"),
        "t");
}

/* The instant that an entry is judged by is the one that it is recorded with: one that waited while the clock
 * was set is refused, and so is nobody's loss. */
static void an_entry_is_dated_near_its_offer(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    int64_t now_ms = clock_now_ms();
    const struct {
        int64_t ahead_ms;
        enum err outcome;
    } cases[] = {{-20000 * (int64_t)DAY, ERR_LEDGER_UNAVAILABLE}, /* the clock says 1970, or nearly */
                 {-ENTRY_LATEST_MS - 60000, ERR_LEDGER_UNAVAILABLE},
                 {-ENTRY_LATEST_MS + 60000, ERR_OK},
                 {ENTRY_LATEST_MS - 60000, ERR_OK},
                 {ENTRY_LATEST_MS + 60000, ERR_LEDGER_UNAVAILABLE}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct payment payment = payment_make(now_ms, AGENT, 2500, PAGE);
        clock_set_offset_ms(cases[i].ahead_ms);
        assert_int_equal(payment_pay(writer, &payment), cases[i].outcome);
        clock_set_offset_ms(0);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
    assert_string_equal(sql("SELECT count(*) FROM charge WHERE abs(extract(epoch FROM recorded_at -"
                            " uuid_instant(payment_id))) > 3660"),
                        "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_is_dated_near_its_offer, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_running_gate_crosses_midnights, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_gate_that_was_down_for_ten_days, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_gate_that_could_make_none, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(the_night_makes_them_as_well, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
