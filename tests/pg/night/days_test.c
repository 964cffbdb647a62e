/* Billing days tile in every zone of the tz database, and over changes of a site's zone.
 * Tests ledger/site/site.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/entry/session.h"
#include "ledger/site/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char output[OUTPUT_MAX];

/* --- every zone --- */

/* Zones whose files are the same byte for byte are tried once. */
static const char sites[] =
    "INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
    " SELECT min(name), 'USD', 2, min(name), 'x:402', 'x', instant(0) FROM pg_timezone_names"
    "  WHERE name !~ '^(posix|right)/' AND name <> 'localtime'"
    "  GROUP BY coalesce(md5(pg_read_binary_file('/usr/share/zoneinfo/' || name, 0, 1048576, true)), name);"
    "CREATE TABLE tried (zone text, days bigint, gaps bigint, early bigint, late bigint, lengths text[])";

/* By the index, where a table without rows would be sorted for each day of them: five times as long.
 *
 * For a third of the sites, from 2000 to 2040: gaps or overlaps, days that do not start on their date, days
 * that do not end on it, and the lengths that there are. */
static const char try_third[] =
    "SET enable_sort = off; SET enable_seqscan = off;"
    "INSERT INTO tried SELECT s.name, t.* FROM site s CROSS JOIN LATERAL ("
    " SELECT count(*), count(*) FILTER (WHERE next <> ends_at),"
    "   count(*) FILTER (WHERE (starts_at AT TIME ZONE s.time_zone)::date <> local_date),"
    "   count(*) FILTER (WHERE ((ends_at - interval '1 us') AT TIME ZONE s.time_zone)::date <> local_date),"
    "   array_agg(DISTINCT (extract(epoch FROM ends_at - starts_at) / 60)::int::text)"
    "  FROM (SELECT d.*, lead(d.starts_at) OVER (ORDER BY d.local_date) AS next"
    "    FROM site_days(s.site_id, '2000-01-01', '2040-12-31', NULL) AS d) AS x) AS t"
    " WHERE s.site_id %% 3 = %d";

static void days_tile_in_every_zone(void **state)
{
    (void)state;
    static char text[2048];
    int pids[3];
    sql(sites);
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof(text), try_third, i);
        pids[i] = sql_spawn(text);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(run_wait(pids[i]), 0);
    assert_string_equal(sql("SELECT count(*) > 250, sum(gaps), sum(early) FROM tried"), "t|0|0");
    /* Where clocks are put back over midnight, midnight comes twice: the second one ends the day. */
    assert_string_equal(sql("SELECT sum(late) * 1000 < sum(days), max(late) < 42 FROM tried"), "t|t");
    assert_string_equal(sql("SELECT string_agg(DISTINCT l, ' ' ORDER BY l) FROM tried, unnest(lengths) AS l"
                            " WHERE zone IN ('Europe/Berlin', 'Europe/Lisbon', 'Portugal', 'Asia/Kolkata')"),
                        "1380 1440 1500");
    assert_string_equal(sql("SELECT array_agg(l ORDER BY l) FROM tried, unnest(lengths) AS l"
                            " WHERE zone IN ('Australia/LHI', 'Australia/Lord_Howe')"),
                        "{1410,1440,1470}");
    assert_string_equal(sql("SELECT array_agg(l ORDER BY l) FROM tried, unnest(lengths) AS l WHERE zone = "
                            "'Antarctica/Troll'"),
                        "{1320,1440,1560}");
    assert_string_equal(sql("SELECT array_agg(l ORDER BY l) FROM tried, unnest(lengths) AS l WHERE zone = "
                            "'Africa/Casablanca'"),
                        "{1380,1440,1500}");
    assert_string_equal(sql("SELECT max(days) - min(days) FILTER (WHERE zone = 'Pacific/Apia') FROM tried"),
                        "1");
}

/* --- changes of a zone --- */

static const char untiled[] =
    "SELECT count(*) FROM (SELECT ends_at, lead(starts_at) OVER (ORDER BY local_date) AS next, starts_at"
    " FROM day WHERE site_id = 1) d WHERE next <> ends_at OR starts_at >= ends_at";

/* Days as a gate makes them, for `count` days from now. */
static void make_days(int count)
{
    int64_t real = clock_now_ms();
    struct session *session = session_open(ledger_config(), clock_monotonic_ms() + 10000);
    assert_non_null(session);
    for (int i = 0; i <= count; i++)
        assert_int_equal(site_make_days(session->pg, 1, real + i * DAY_MS), ERR_OK);
    session_close(session);
}

/* True if a gate that is configured with this zone may start. */
static bool gate_takes(const char *zone)
{
    struct config config = *ledger_config();
    struct config_site site = config.sites[0];
    site.time_zone = zone;
    config.sites = &site;
    struct session *session = session_open(&config, clock_monotonic_ms() + 10000);
    bool takes = session != NULL;
    session_close(session);
    return takes;
}

static void gate_follows_a_recorded_change(void **state)
{
    (void)state;
    make_days(0);
    char *made = strdup(sql("SELECT string_agg(d::text, ' ' ORDER BY local_date) FROM day d"));
    char *next = strdup(sql("SELECT max(local_date) + 1 FROM day"));
    assert_false(gate_takes("Asia/Tokyo"));
    assert_int_equal(CRAWLTAB(output, "site", "zone", "example", "Asia/Nowhere"), 1);
    assert_non_null(strstr(output, "does not know this time zone"));
    assert_int_equal(CRAWLTAB(output, "site", "zone", "nowhere", "Asia/Tokyo"), 1);
    assert_int_equal(CRAWLTAB(output, "site", "zone", "example", "Asia/Tokyo", "--from", "2020-01-01"), 1);
    assert_non_null(strstr(output, next));
    assert_int_equal(CRAWLTAB(output, "site", "zone", "example", "Asia/Tokyo", "--from", "2020-02-30"), 64);
    assert_string_equal(sql("SELECT count(*) FROM site_zone"), "0");
    assert_int_equal(CRAWLTAB(output, "site", "zone", "example", "Asia/Tokyo"), 0);
    assert_non_null(strstr(output, next));
    assert_true(gate_takes("Asia/Tokyo"));
    assert_true(gate_takes("UTC"));
    assert_false(gate_takes("Asia/Seoul"));
    assert_string_equal(sql("SELECT string_agg(d::text, ' ' ORDER BY local_date) FROM day d"), made);
    make_days(8);
    assert_string_equal(sql(untiled), "0");
    /* The first day is nine hours shorter. */
    assert_string_equal(
        sql("SELECT string_agg(extract(epoch FROM ends_at - starts_at)::int / 3600 || time_zone,"
            " ' ' ORDER BY local_date) FROM (SELECT * FROM day WHERE local_date >="
            " (SELECT from_date - 1 FROM site_zone) ORDER BY local_date LIMIT 3) d"),
        "24UTC 15Asia/Tokyo 24Asia/Tokyo");
    clock_set_offset_ms(8 * DAY_MS);
    assert_true(gate_takes("Asia/Tokyo"));
    assert_false(gate_takes("UTC"));
    clock_set_offset_ms(0);
    assert_string_equal(sql("SELECT action FROM operator_action ORDER BY action_id DESC LIMIT 1"),
                        "site zone");
    assert_int_equal(CRAWLTAB(output, "site", "list"), 0);
    assert_non_null(strstr(output, "Asia/Tokyo"));
    free(made);
    free(next);
}

/* Over the date line and back, in three days: minutes of the day before the first change and of five more. */
static const struct {
    const char *first, *second, *minutes;
} changes[] = {
    {"Etc/GMT-14", "Etc/GMT+12", "1440 600 1440 1440 3000 1440"},
    {"Etc/GMT+12", "Etc/GMT-14", "1440 2160 1440 1440 1320 1440"}, /* leaves a date out */
    {"Asia/Kathmandu", "Asia/Kolkata", "1440 1095 1440 1440 1455 1440"},
    {"Pacific/Kiritimati", "UTC", "1440 600 1440 1440 2280 1440"},
};

static void any_zone_can_follow_any_other(void **state)
{
    (void)state;
    char name[64], date[32];
    snprintf(name, sizeof(name), "%s", ledger_database());
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        ledger_copy(name);
        make_days(0);
        assert_int_equal(CRAWLTAB(output, "site", "zone", "example", changes[i].first), 0);
        snprintf(date, sizeof(date), "%s", sql("SELECT max(local_date) + 4 FROM day"));
        assert_int_equal(CRAWLTAB(output, "site", "zone", "example", changes[i].second, "--from", date), 0);
        make_days(12);
        assert_string_equal(sql(untiled), "0");
        assert_string_equal(sql("SELECT count(*) FROM day WHERE ends_at <> (local_date + 1)::timestamp"
                                " AT TIME ZONE time_zone"),
                            "0");
        assert_string_equal(
            sql("SELECT string_agg(DISTINCT time_zone, ' ') = (SELECT string_agg(z, ' ' ORDER BY"
                " z) FROM (SELECT 'UTC' UNION SELECT time_zone FROM site_zone) AS a (z)) FROM day"),
            "t");
    }
}

/* Entries before, in and after the first new day are billed once each, and what was closed stays. */
static void no_entry_is_lost_or_billed_twice(void **state)
{
    (void)state;
    static char text[1024];
    days_charge(9, "https://a.example", 20000, 3);
    /* The rows that `crawltab site zone` would have written eight days ago. */
    snprintf(text, sizeof(text),
             "INSERT INTO site_zone VALUES (1, 1, '%s', 'America/Los_Angeles', now(), 'x')", days_date(5));
    sql(text);
    struct config_site *site = &ledger_config()->sites[0];
    const char *old_zone = site->time_zone;
    for (int days = 8; days >= 2; days--) {
        site->time_zone = days > 5 ? old_zone : "America/Los_Angeles";
        days_charge(days, "https://a.example", 20000, 5);
    }
    site->time_zone = old_zone;
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(9)), 0);
    char *closed = strdup(sql("SELECT d::text || c::text FROM day d JOIN day_close c"
                              " USING (site_id, local_date)"));
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_string_equal(sql(untiled), "0");
    assert_string_equal(
        sql("SELECT d::text || c::text FROM day d JOIN day_close c USING (site_id, local_date)"
            " ORDER BY close_number LIMIT 1"),
        closed);
    assert_string_equal(sql("SELECT sum(entries), count(DISTINCT d.time_zone) FROM day_close JOIN day d"
                            " USING (site_id, local_date)"),
                        "38|2");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    free(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(days_tile_in_every_zone, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(gate_follows_a_recorded_change, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(any_zone_can_follow_any_other, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(no_entry_is_lost_or_billed_twice, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
