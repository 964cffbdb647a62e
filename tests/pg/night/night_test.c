/* The night adds up to the micro-unit, numbers have no gaps, and a run that is killed, repeated or doubled
 * gives the same invoices (promises P4 and P5). Entries are made by a writer whose clock is days behind; the
 * real command, on the real clock, closes those days.
 * Tests ledger/night/clocks.c, ledger/night/day.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"
#define B "https://b.example"

static char output[OUTPUT_MAX];

/* Invoices, lines, totals and closes, without the times at which they were made. */
static const char everything[] =
    "SELECT (SELECT string_agg(i::text, E'\\n' ORDER BY site_id, number) FROM invoice i),"
    " (SELECT string_agg(l::text, E'\\n' ORDER BY site_id, number, line) FROM invoice_line l),"
    " (SELECT string_agg(t::text, E'\\n' ORDER BY site_id, close_number, crawler_id) FROM crawler_day t),"
    " (SELECT string_agg((site_id, local_date, close_number, entries, sum_micros)::text, E'\\n'"
    "  ORDER BY site_id, close_number) FROM day_close),"
    " (SELECT string_agg(n::text, E'\\n' ORDER BY site_id, series) FROM number_series n),"
    " (SELECT count(*) FROM invoice_event), (SELECT count(*) FROM operator_action)";

/* Entries = invoices + what is carried forward, per site and crawler (promise P4). */
static const char unbalanced[] =
    "SELECT count(*) FROM (SELECT site_id, crawler_id, sum(amount_micros) AS due FROM charge GROUP BY 1, 2) c"
    " LEFT JOIN (SELECT site_id, crawler_id, sum(net_micros) AS billed FROM invoice GROUP BY 1, 2) i"
    "  USING (site_id, crawler_id)"
    " LEFT JOIN (SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id, carried_out_micros FROM "
    "crawler_day"
    "  ORDER BY site_id, crawler_id, close_number DESC) t USING (site_id, crawler_id)"
    " WHERE due <> coalesce(billed, 0) + coalesce(carried_out_micros, 0)";

static char *copy_of_everything(void)
{
    return strdup(sql(everything));
}

static void remainder_goes_to_the_next_invoice(void **state)
{
    (void)state;
    days_charge(4, A, 2500, 3);  /* 0.0075: below a cent, no invoice */
    days_charge(3, A, 2500, 3);  /* 0.0075 + 0.0075 = 0.0150: one cent, 0.005 carried */
    days_charge(3, B, 50000, 2); /* 0.10, nothing carried */
    days_charge(2, A, 12345, 1); /* 0.005 + 0.012345 = 0.017345: one cent, 0.007345 carried */
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_string_equal(sql("SELECT agent, close_number, carried_in_micros, sum_micros, invoiced_micros,"
                            " carried_out_micros FROM crawler_day JOIN crawler USING (crawler_id)"
                            " ORDER BY close_number, agent"),
                        A "|1|0|7500|0|7500\n" A "|2|7500|7500|10000|5000\n" B "|2|0|100000|100000|0\n" A
                          "|3|5000|12345|10000|7345");
    assert_string_equal(sql("SELECT right(number, 7), agent, total_minor FROM invoice ORDER BY number"),
                        "-000001|" A "|1\n-000002|" B "|10\n-000003|" A "|1");
    assert_string_equal(sql(unbalanced), "0");
    assert_string_equal(sql("SELECT count(*), bool_and(event = 'issued') FROM invoice_event"), "3|t");
    assert_string_equal(sql("SELECT count(*) >= 3, bool_and(d.ends_at + interval '61 minutes' <= now())"
                            " FROM day_close JOIN day d USING (site_id, local_date)"),
                        "t|t");
}

static void second_run_changes_nothing(void **state)
{
    (void)state;
    days_charge(3, A, 3333, 7);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    char *before = copy_of_everything();
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_non_null(strstr(output, "nothing to do"));
    assert_string_equal(sql(everything), before);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    assert_non_null(strstr(output, "already closed"));
    assert_string_equal(sql(everything), before);
    free(before);
}

static void dry_run_shows_and_leaves_no_trace(void **state)
{
    (void)state;
    days_charge(4, A, 7500, 1);
    days_charge(3, A, 7500, 1);
    char *before = copy_of_everything();
    assert_int_equal(CRAWLTAB(output, "nightly", "--dry-run"), 0);
    assert_non_null(strstr(output, "-000001"));
    assert_non_null(strstr(output, "0.01 USD"));
    assert_non_null(strstr(output, "(dry run)"));
    assert_string_equal(sql(everything), before);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    assert_string_equal(sql("SELECT count(*) FROM day_close"), "1");
    assert_int_equal(CRAWLTAB(output, "nightly", "--json"), 0);
    assert_non_null(strstr(output, "\"invoiced_micros\": 10000"));
    free(before);
}

/* It is long, and gates make the days ahead as it does. */
static void dry_run_keeps_no_gate_waiting(void **state)
{
    (void)state;
    static const char *const words[] = {"nightly", "--dry-run", NULL};
    days_charge(4, A, 2500, 1); /* days up to the base day */
    int holder = sql_spawn("BEGIN; LOCK TABLE crawler_day_line; SELECT pg_sleep(600)");
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    int night = crawltab_spawn(words);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'crawltab nightly'"
                 " AND wait_event_type = 'Lock'");
    writer_stop(writer_start_ready());
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    assert_int_equal(run_wait(night), 0);
    run_wait(holder);
}

static void day_that_is_not_over_is_refused(void **state)
{
    (void)state;
    days_charge(1, A, 10000, 1);
    writer_stop(writer_start_ready()); /* a gate makes the days up to now */
    char *before = copy_of_everything();
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date_of(clock_now_ms())), 1);
    assert_non_null(strstr(output, "it will be possible from"));
    assert_non_null(strstr(output, "T01:01:00Z"));
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", "2001-01-01"), 1);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", "2026-13-01"), 64);
    assert_int_equal(CRAWLTAB(output, "nightly", "--site", "nowhere"), 1);
    assert_string_equal(sql(everything), before);
    free(before);
}

static void two_runs_at_once(void **state)
{
    (void)state;
    days_charge(3, A, 12000, 5);
    int pids[3], busy = 0;
    for (int i = 0; i < 3; i++)
        pids[i] = crawltab_spawn((const char *const[]){"nightly", NULL});
    for (int i = 0; i < 3; i++) {
        int status = run_wait(pids[i]);
        assert_true(status == 0 || status == 75);
        busy += status == 75;
    }
    assert_true(busy < 3);
    assert_string_equal(sql("SELECT count(*), sum(total_minor) FROM invoice"), "1|6");
    assert_string_equal(sql(unbalanced), "0");
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_non_null(strstr(output, "nothing to do"));
}

static void busy_site_is_left_alone(void **state)
{
    (void)state;
    days_charge(3, A, 12000, 5);
    sql("INSERT INTO number_series VALUES (1, 'day')");
    int holder = sql_spawn("BEGIN; SELECT FROM number_series FOR UPDATE; SELECT pg_sleep(30)");
    while (strcmp(sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "1") != 0)
        poll(NULL, 0, 5);
    assert_int_equal(CRAWLTAB(output, "nightly"), 75);
    assert_non_null(strstr(output, "another run is closing the days"));
    kill(holder, SIGKILL);
    run_wait(holder);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    while (CRAWLTAB(output, "nightly") == 75)
        poll(NULL, 0, 5);
    assert_string_equal(sql("SELECT count(*), sum(total_minor) FROM invoice"), "1|6");
}

/* Killed again and again at later moments, then finished: the same as one undisturbed run. */
static void killed_runs_leave_whole_days(void **state)
{
    (void)state;
    for (int days = 8; days >= 2; days--) {
        days_charge(days, A, 3333, 4);
        days_charge(days, B, 12345, 2);
    }
    for (int64_t ms = 5; ms < 80; ms += 5) {
        int pid = crawltab_spawn((const char *const[]){"nightly", NULL});
        poll(NULL, 0, (int)ms);
        kill(pid, SIGKILL);
        run_wait(pid);
        assert_string_equal(
            sql("SELECT count(*) FROM (SELECT count(*) AS n, max(sequence) AS last FROM invoice"
                " GROUP BY series) s WHERE n <> last"),
            "0");
    }
    /* A killed run's session may still be at work for a moment. */
    for (int i = 0; i < 50 && CRAWLTAB(output, "nightly") == 75; i++)
        poll(NULL, 0, 20);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_string_equal(sql(unbalanced), "0");
    /* 7 x 13332 = 93324: nine cents; 7 x 24690 = 172830: seventeen. */
    assert_string_equal(sql("SELECT agent, sum(total_minor) FROM invoice GROUP BY 1 ORDER BY 1"),
                        A "|9\n" B "|17");
    assert_string_equal(
        sql("SELECT bool_and(n = last) FROM (SELECT count(*) AS n, max(sequence) AS last FROM invoice"
            " GROUP BY series) s"),
        "t");
}

/* Days tile, whatever the zone does; `now` is where the gate's clock starts. */
static void check_zone(const char *zone, int64_t now_ms, const char *lengths)
{
    ledger_empty(zone);
    ledger_migrate();
    for (int i = 0; i < 5; i++) {
        clock_set_offset_ms(now_ms + i * DAY_MS - (clock_now_ms()));
        writer_stop(writer_start_ready());
        clock_set_offset_ms(0);
    }
    assert_string_equal(
        sql("SELECT count(*) FROM (SELECT ends_at, lead(starts_at) OVER (ORDER BY local_date) AS next"
            " FROM day) d WHERE next IS NOT NULL AND next <> ends_at"),
        "0");
    assert_string_equal(sql("SELECT string_agg(extract(hour FROM ends_at - starts_at) +"
                            " 24 * extract(day FROM ends_at - starts_at) || '', ' ' ORDER BY local_date)"
                            " FROM (SELECT * FROM day ORDER BY local_date LIMIT 6) d"),
                        lengths);
}

static void days_tile_in_every_zone(void **state)
{
    (void)state;
    check_zone("Europe/Berlin", 1792670400000, "24 24 24 25 24 24");    /* from 2026-10-22 */
    check_zone("America/New_York", 1772755200000, "24 24 24 23 24 24"); /* from 2026-03-05 local */
    check_zone("Pacific/Apia", 1325098800000, "24 24 24 24 24 24"); /* from 2011-12-28, without the 30th */
    assert_string_equal(sql("SELECT count(*) FROM day WHERE local_date = '2011-12-30'"), "0");
    check_zone("Asia/Kathmandu", 1792670400000, "24 24 24 24 24 24");
}

/* After every night, whatever happened in it, the audit finds nothing. */
static int audited_teardown(void **state)
{
    int status = CRAWLTAB(output, "audit");
    if (status != 0)
        print_error("%s", output);
    return ledger_teardown(state) != 0 || status != 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remainder_goes_to_the_next_invoice, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(second_run_changes_nothing, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(dry_run_shows_and_leaves_no_trace, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(dry_run_keeps_no_gate_waiting, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(day_that_is_not_over_is_refused, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(two_runs_at_once, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(busy_site_is_left_alone, ledger_setup, audited_teardown),
        cmocka_unit_test_setup_teardown(killed_runs_leave_whole_days, ledger_setup, audited_teardown),
        cmocka_unit_test_teardown(days_tile_in_every_zone, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
