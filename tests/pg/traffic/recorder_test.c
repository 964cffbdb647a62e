/* What gates count comes into the ledger once, by a connection that no payment waits for; and
 * `crawltab traffic` adds it up. */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/pg/pg.h"
#include "ledger/traffic/recorder.h"
#include "sql/rows/traffic.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOTAL "SELECT coalesce(sum(requests), 0) FROM traffic_counts"

static char output[OUTPUT_MAX];

static void count(struct tally *tally, const char *crawler, enum traffic_outcome outcome, const char *page)
{
    struct traffic_sums sums = {.requests = 1, .bytes = 1000, .amount_micros = 2500};
    struct traffic_key key = {.period_ms = clock_now_ms() - clock_now_ms() % TRAFFIC_PERIOD_MS,
                              .site = SLICE("example"),
                              .crawler = slice_of(crawler),
                              .verified = strstr(crawler, "://") != NULL,
                              .rule = SLICE("rest"),
                              .outcome = outcome,
                              .reason = outcome == TRAFFIC_REFUSED ? SLICE("signature_invalid") : SLICE(""),
                              .path = slice_of(page)};
    pages_add(&sums.pages, slice_of(page));
    tally_add(tally, &key, true, &sums);
}

/* The site of the configuration, as the writer of entries registers it. */
static struct recorder *start(void)
{
    writer_stop(writer_start_ready());
    ledger_config()->traffic_write_seconds = 1;
    struct recorder *recorder = recorder_start(ledger_config());
    assert_non_null(recorder);
    return recorder;
}

static void counts_are_written_and_added_up(void **state)
{
    (void)state;
    struct recorder *recorder = start();
    struct tally *tally = recorder_tally(recorder), *other = recorder_tally(recorder);
    for (int i = 0; i < 300; i++) {
        char page[32];
        snprintf(page, sizeof(page), "/%d", i % 100);
        count(i % 2 ? tally : other, "GPTBot", TRAFFIC_OFFERED, page);
    }
    count(tally, "https://crawler.example", TRAFFIC_PAID, "/1");
    tally_release(other);
    wait_for_sql("SELECT (" TOTAL ") = 301");
    count(tally, "https://crawler.example", TRAFFIC_PAID, "/2");
    count(tally, "https://crawler.example", TRAFFIC_REFUSED, "/2");
    tally_release(tally);
    recorder_stop(recorder); /* writes what there is */
    assert_string_equal(sql("SELECT crawler, verified, outcome, reason, sum(requests), sum(bytes),"
                            " sum(amount_micros), distinct_pages(bit_or(pages)) BETWEEN 80 AND 120,"
                            " count(DISTINCT batch) FROM traffic GROUP BY 1, 2, 3, 4 ORDER BY 1, 3"),
                        "GPTBot|f|offered||300|300000|750000|t|1\n"
                        "https://crawler.example|t|paid||2|2000|5000|f|2\n"
                        "https://crawler.example|t|refused|signature_invalid|1|1000|2500|f|1");
    assert_string_equal(sql("SELECT crawler, verified, rule, outcome, count(*), sum(requests), sum(bytes),"
                            " sum(amount_micros), min(requests) FROM traffic_path GROUP BY 1, 2, 3, 4"
                            " ORDER BY 1, 4"),
                        "GPTBot|f|rest|offered|100|300|300000|750000|3\n"
                        "https://crawler.example|t|rest|paid|2|2|2000|5000|1\n"
                        "https://crawler.example|t|rest|refused|1|1|1000|2500|1");
}

/* Sketches of the database's own making, with registers and ranks as pages.c has them. */
static void the_number_of_pages_is_about_right(void **state)
{
    static const int numbers[] = {0, 1, 2, 3, 10, 50, 100, 200, 500, 3000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct pages pages = {{0}};
        char query[4 * PAGES_BYTES], hex[2 * PAGES_BYTES + 1], name[32];
        for (int k = 0; k < numbers[i]; k++) {
            snprintf(name, sizeof(name), "/articles/%d.html", k);
            pages_add(&pages, slice_of(name));
        }
        for (size_t k = 0; k < PAGES_BYTES; k++)
            snprintf(hex + 2 * k, 3, "%02x", pages.bits[k]);
        snprintf(query, sizeof(query), "SELECT distinct_pages(x'%s')", hex);
        long found = strtol(sql(query), NULL, 10);
        long slack = numbers[i] < 5 ? 0 : numbers[i] / 5;
        assert_in_range(found, numbers[i] - slack, numbers[i] + slack);
        assert_in_range(pages_count(&pages), found - found / 1000, found + found / 1000); /* alike */
    }
}

static void hours_that_are_over_are_added_up(void **state)
{
    (void)state;
    struct recorder *recorder = start();
    struct tally *tally = recorder_tally(recorder);
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/1");
    wait_for_sql("SELECT (" TOTAL ") = 1");
    /* Written two hours ago, in two batches, in two quarters of the hours before and after a month's end. */
    assert_true(sql_as("crawltab_owner",
                       "SELECT make_traffic_partition('traffic', traffic_partition(h), h, h + interval '1 "
                       "hour') FROM date_trunc('hour', now() - interval '2 hours', 'UTC') AS h",
                       output));
    sql("INSERT INTO traffic SELECT date_trunc('hour', now() - interval '2 hours', 'UTC'), gen_random_uuid(),"
        " site_id, p::timestamptz, 'GPTBot', false, 'rest', 'offered', '', 10, 100, 25000,"
        " set_bit(repeat('0', 3072)::bit(3072), i, 1)"
        " FROM site, generate_series(0, 1) i,"
        " unnest(ARRAY['2026-10-31 23:30Z', '2026-10-31 23:45Z', '2026-11-01 00:00Z']) p");
    sql("SELECT keep_traffic()");
    assert_string_equal(sql("SELECT hour AT TIME ZONE 'UTC', requests, bytes, amount_micros,"
                            " bit_count(pages) FROM traffic_hour ORDER BY 1"),
                        "2026-10-31 23:00:00|40|400|100000|2\n2026-11-01 00:00:00|20|200|50000|2");
    assert_string_equal(sql("SELECT day, crawler, requests, bytes, amount_micros, bit_count(pages)"
                            " FROM traffic_day ORDER BY 1"),
                        "2026-10-31|GPTBot|40|400|100000|2\n2026-11-01|GPTBot|20|200|50000|2");
    assert_string_equal(sql("SELECT hour AT TIME ZONE 'UTC', outcome, requests, bit_count(pages)"
                            " FROM traffic_total ORDER BY 1"),
                        "2026-10-31 23:00:00|offered|40|2\n2026-11-01 00:00:00|offered|20|2");
    assert_string_equal(sql("SELECT inhrelid::regclass FROM pg_inherits"
                            " WHERE inhparent = 'traffic_hour'::regclass ORDER BY inhrelid::regclass::text"),
                        "traffic_hour_202610\ntraffic_hour_202611");
    assert_string_equal(sql("SELECT count(*) FROM traffic"), "1"); /* this hour's */
    assert_string_equal(sql("SELECT keep_traffic(), (" TOTAL ")"), "|61");
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/2");
    tally_release(tally);
    recorder_stop(recorder);
    assert_string_equal(sql(TOTAL), "62");
    assert_int_equal(CRAWLTAB(output, "traffic", "forget", "--before", "2026-11-30"), 0);
    assert_non_null(strstr(output, "of 1 month are gone"));
    assert_string_equal(sql(TOTAL), "22");
    assert_string_equal(sql("SELECT sum(requests) FROM traffic_day"), "20");
    assert_string_equal(sql("SELECT sum(requests) FROM traffic_stretch"), "20");
    assert_string_equal(sql("SELECT sum(requests) FROM traffic_month"), "20");
    assert_string_equal(sql("SELECT sum(requests) FROM traffic_total"), "20");
}

/* In Berlin at the end of summer time, written so many hours ago, which are over. */
static void add_berlin(int hours_ago)
{
    char query[1024];
    snprintf(query, sizeof(query),
             "SELECT make_traffic_partition('traffic', traffic_partition(h), h, h + interval '1 hour')"
             " FROM date_trunc('hour', now() - interval '%d hours', 'UTC') AS h",
             hours_ago);
    assert_true(sql_as("crawltab_owner", query, output));
    snprintf(query, sizeof(query),
             "INSERT INTO traffic SELECT date_trunc('hour', now() - interval '%d hours', 'UTC'),"
             " gen_random_uuid(), site_id, p::timestamptz, 'GPTBot', false, 'rest', o, '', 10, 100, 25000,"
             " set_bit(repeat('0', 3072)::bit(3072), 24 * %d, 1) FROM site,"
             " unnest(ARRAY['offered', 'paid']) o,"
             " unnest(ARRAY['2026-10-24 22:30Z', '2026-10-25 00:30Z', '2026-10-25 01:30Z']) p"
             " WHERE name = 'berlin'",
             hours_ago, hours_ago);
    sql(query);
    sql("SELECT keep_traffic()");
}

/* What comes late is added to what is there; days are those of the site, and an hour that it has twice is
 * two. */
static void what_comes_late_is_added_to_its_day(void **state)
{
    (void)state;
    recorder_stop(start());
    sql("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
        " VALUES ('berlin', 'EUR', 2, 'Europe/Berlin', 'berlin:402', 'x', now())");
    add_berlin(3);
    add_berlin(2);
    assert_string_equal(sql("SELECT day, outcome, requests, bytes, amount_micros, bit_count(pages)"
                            " FROM traffic_day ORDER BY 1, 2"),
                        "2026-10-25|offered|60|600|150000|2\n2026-10-25|paid|60|600|150000|2");
    assert_string_equal(sql("SELECT hour AT TIME ZONE 'UTC', requests FROM traffic_total"
                            " WHERE outcome = 'paid' ORDER BY 1"),
                        "2026-10-24 22:00:00|20\n2026-10-25 00:00:00|20\n2026-10-25 01:00:00|20");
    assert_false(sql_as("crawltab_owner", "UPDATE traffic_day SET requests = requests - 1", output));
    assert_false(sql_as("crawltab_owner", "UPDATE traffic_day SET crawler = 'another'", output));
    assert_false(sql_as("crawltab_owner", "UPDATE traffic_total SET hour = 'epoch'", output));
    assert_true(sql_as("crawltab_owner", "UPDATE traffic_day SET requests = requests + 0", output));
    assert_false(sql_as("crawltab_owner", "DELETE FROM traffic_total", output));
    assert_int_equal(CRAWLTAB(output, "traffic", "--site", "berlin", "--from", "2026-10-25", "--to",
                              "2026-10-25", "--by", "hour", "--csv"),
                     0);
    assert_non_null(strstr(output, ",\"2026-10-25T02:00+02:00\",no,paid,\"\",20,200,2,0.05,EUR"));
    assert_non_null(strstr(output, ",\"2026-10-25T02:00+01:00\",no,paid,\"\",20,200,2,0.05,EUR"));
    assert_int_equal(CRAWLTAB(output, "traffic", "--site", "berlin", "--from", "2026-10-24", "--to",
                              "2026-10-26", "--by", "day", "--csv"),
                     0);
    assert_non_null(strstr(output, "\"berlin\",day,\"2026-10-25\",no,paid,\"\",60,600,2,0.15,EUR"));
    assert_null(strstr(output, "\"2026-10-24\",no"));
}

/* What the report says of the days from the first to the last, counted from 2026-09-12: requests and bytes.
 */
static void read_report(struct pg *pg, const char *by, int first, int last, int64_t *requests, int64_t *bytes)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char dates[2][16];
    int64_t begin_ms = INT64_C(1789171200000), days[] = {first, last}; /* 2026-09-12T00:00Z */
    for (int i = 0; i < 2; i++) {
        time_t seconds = (time_t)(begin_ms / 1000 + days[i] * 86400);
        struct tm tm;
        strftime(dates[i], sizeof(dates[i]), "%Y-%m-%d", gmtime_r(&seconds, &tm));
    }
    pg_params_number(&params, 1);
    pg_params_text(&params, dates[0]);
    pg_params_text(&params, dates[1]);
    pg_params_number(&params, begin_ms + days[0] * 86400000);
    pg_params_number(&params, begin_ms + (days[1] + 1) * 86400000);
    pg_params_text(&params, by);
    pg_params_text(&params, "UTC");
    pg_params_number(&params, 0);
    assert_int_equal(pg_run(pg, "traffic_report", &params, &rows), ERR_OK);
    assert_true(rows.count >= 2);
    const struct traffic_report_row whole = traffic_report_row(&rows, 0);
    *requests = whole.requests;
    *bytes = whole.bytes;
    pg_rows_free(&rows);
}

/* Whole months are read as such, whole stretches before and after, other days one by one, and nothing twice:
 * of a seventh of all spans in 81 days that have two whole months. */
static void any_days_add_up(void **state)
{
    enum { DAYS = 81 };
    static const char *const by[] = {"crawler", "rule", "outcome"};
    (void)state;
    recorder_stop(start());
    assert_true(sql_as("crawltab_owner",
                       "SELECT make_traffic_partition('traffic', traffic_partition(h), h,"
                       " h + interval '1 hour')"
                       " FROM date_trunc('hour', now() - interval '2 hours', 'UTC') AS h",
                       output));
    sql("INSERT INTO traffic SELECT date_trunc('hour', now() - interval '2 hours', 'UTC'), gen_random_uuid(),"
        " site_id, '2026-09-12 12:00Z'::timestamptz + n * interval '1 day', 'GPTBot', false, 'rest',"
        " 'offered', '', 1, n * n, 0, repeat('0', 3072)::bit(3072) FROM site, generate_series(0, 80) AS n");
    sql("SELECT keep_traffic()");
    assert_string_equal(sql("SELECT count(*), min(first_day), max(first_day) FROM traffic_stretch"),
                        "15|2026-09-07|2026-12-01");
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = "crawltab_operator",
                                                 .application = "recorder_test",
                                                 .connect_ms = 10000,
                                                 .timeout_ms = 10000});
    assert_non_null(pg);
    int at = 0;
    for (int first = 0; first < DAYS; first++) {
        int64_t wanted = 0, wanted_bytes = 0, requests, bytes;
        for (int last = first; last < DAYS; last++) {
            wanted++;
            wanted_bytes += (int64_t)last * last;
            if ((first * 5 + last) % 7 != 0)
                continue;
            read_report(pg, by[at++ % 3], first, last, &requests, &bytes);
            if (requests != wanted || bytes != wanted_bytes)
                fail_msg("days %d to %d by %s", first, last, by[(at - 1) % 3]);
        }
    }
    pg_close(pg);
}

static void no_database_loses_no_count(void **state)
{
    (void)state;
    struct recorder *recorder = start();
    struct tally *tally = recorder_tally(recorder);
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/1");
    wait_for_sql("SELECT (" TOTAL ") = 1");
    server_crash();
    for (int i = 0; i < 10; i++)
        count(tally, "GPTBot", TRAFFIC_OFFERED, "/2");
    poll(NULL, 0, 2500); /* more than one interval */
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/3");
    server_restart();
    wait_for_sql("SELECT (" TOTAL ") = 12");
    tally_release(tally);
    recorder_stop(recorder);
    assert_string_equal(sql("SELECT distinct_pages(bit_or(pages)) FROM traffic"), "3");
}

/* A connection that goes away at COMMIT leaves open whether the batch is there. */
static void a_batch_is_taken_once(void **state)
{
    (void)state;
    struct recorder *recorder = start();
    struct tally *tally = recorder_tally(recorder);
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/1");
    wait_for_sql("SELECT (" TOTAL ") = 1");
    sql("CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON traffic DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION cut()");
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/2");
    poll(NULL, 0, 2500);
    assert_string_equal(sql(TOTAL), "1");
    sql("DROP TRIGGER cut ON traffic");
    wait_for_sql("SELECT (" TOTAL ") = 2");
    assert_string_equal(sql("SELECT path, requests FROM traffic_path ORDER BY 1"), "/1|1\n/2|1");
    char again[1024];
    snprintf(again, sizeof(again), "SELECT batch FROM traffic ORDER BY written_at DESC LIMIT 1");
    const char *batch = sql(again);
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = "crawltab_gate",
                                                 .application = "test",
                                                 .connect_ms = 10000,
                                                 .timeout_ms = 60000});
    struct pg_params params = {0};
    struct pg_array columns[11] = {{0}};
    const enum pg_type text = PG_TYPE_TEXT, number = PG_TYPE_INT8;
    const enum pg_type types[] = {text, number, text,   number, text,         text,
                                  text, number, number, number, PG_TYPE_BYTEA};
    const char *texts[] = {"example", NULL, "GPTBot", NULL, "rest", "offered", "", NULL, NULL, NULL, NULL};
    static const uint8_t none[PAGES_BYTES];
    char id[64];
    snprintf(id, sizeof(id), "%s", batch);
    pg_params_text(&params, id);
    for (size_t i = 0; i < 11; i++) {
        pg_array_begin(&columns[i], types[i]);
        if (types[i] == PG_TYPE_INT8)
            pg_array_number(&columns[i], 1);
        else
            pg_array_bytes(&columns[i], texts[i] ? slice_of(texts[i]) : slice_bytes(none, PAGES_BYTES));
        assert_true(pg_params_array(&params, &columns[i]));
    }
    assert_int_equal(pg_run(pg, "traffic_insert", &params, NULL), ERR_OK);
    assert_string_equal(sql(TOTAL), "2");
    for (size_t i = 0; i < 11; i++)
        pg_array_free(&columns[i]);
    pg_close(pg);
    tally_release(tally);
    recorder_stop(recorder);
}

/* Before a writer has registered the site nothing can be written of it, and nothing is lost. */
static void a_site_that_is_not_there_yet_is_waited_for(void **state)
{
    (void)state;
    ledger_config()->traffic_write_seconds = 1;
    struct recorder *recorder = recorder_start(ledger_config());
    struct tally *tally = recorder_tally(recorder);
    count(tally, "GPTBot", TRAFFIC_OFFERED, "/1");
    poll(NULL, 0, 1500);
    assert_string_equal(sql(TOTAL), "0");
    writer_stop(writer_start_ready());
    wait_for_sql("SELECT (" TOTAL ") = 1");
    tally_release(tally);
    recorder_stop(recorder);
}

static void reports_add_up(void **state)
{
    (void)state;
    struct recorder *recorder = start();
    struct tally *tally = recorder_tally(recorder);
    for (int i = 0; i < 3; i++)
        count(tally, "GPTBot", TRAFFIC_OBSERVED, "/1");
    count(tally, "https://crawler.example", TRAFFIC_PAID, "/1");
    count(tally, "https://crawler.example", TRAFFIC_REFUSED, "/2");
    tally_release(tally);
    recorder_stop(recorder);
    assert_int_equal(CRAWLTAB(output, "traffic"), 0);
    assert_non_null(strstr(output, "GPTBot                  3       0      0       0      0"));
    assert_non_null(strstr(output, "\nhttps://crawler.example\n"));
    assert_non_null(strstr(output, "    observed 3\n"));
    assert_non_null(strstr(output, "    refused signature_invalid 1\n"));
    assert_non_null(strstr(output, "Total                   5       0      1       1      0"));
    assert_non_null(strstr(output, "would have been earned: 0.0075 USD"));
    for (const char *line = output; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") <= 80);
    assert_int_equal(CRAWLTAB(output, "traffic", "--csv", "--by", "outcome"), 0);
    assert_non_null(
        strstr(output, "\"example\",outcome,\"observed\",no,observed,\"\",3,3000,1,0.0075,USD\r\n"));
    assert_int_equal(CRAWLTAB(output, "traffic", "--to", "2020-01-01"), 0);
    assert_non_null(strstr(output, "nothing was counted"));
    assert_int_equal(CRAWLTAB(output, "traffic", "--site", "exmaple"), 1);
    assert_non_null(strstr(output, "no such site"));
    assert_int_equal(CRAWLTAB(output, "traffic", "--by", "crawlers"), 64);
    assert_non_null(strstr(output, "crawler"));
    assert_int_equal(CRAWLTAB(output, "traffic", "--from", "2026-02-30"), 64);
    assert_int_equal(CRAWLTAB(output, "traffic", "forget"), 64);
}

/* As the gate calls it. */
static void count_paths(const char *batch, const char *period, const char *path, int first, int last)
{
    char query[1024];
    snprintf(query, sizeof(query),
             "SELECT count_paths('%s', array_agg('berlin'::text), array_agg(instant_ms('%s')),"
             " array_agg('%s' || CASE n WHEN 0 THEN '' ELSE n::text END), array_agg('GPTBot'::text),"
             " array_agg(0::bigint), array_agg('rest'::text), array_agg('offered'::text),"
             " array_agg(n::bigint + 1), array_agg(100::bigint), array_agg(2500::bigint))"
             " FROM generate_series(%d, %d) AS n",
             batch, period, path, first, last);
    if (!sql_as("crawltab_gate", query, output))
        fail_msg("%s", output);
}

#define DAYS_OF_PATHS                                                                                        \
    "SELECT day, count(*), sum(requests), sum(amount_micros), sum(requests) FILTER (WHERE path = '')"        \
    " FROM traffic_path GROUP BY 1 ORDER BY 1"

/* Days are the site's; a day has so many rows while it goes on, and so many paths when it is over; no request
 * is lost, whatever was asked for. */
static void paths_are_bounded(void **state)
{
    const char *batch = "00000000-0000-4000-8000-000000000001";
    const char *before = "2026-10-24T21:59:00Z", *after = "2026-10-24T22:00:00Z";
    (void)state;
    recorder_stop(start());
    sql("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
        " VALUES ('berlin', 'EUR', 2, 'Europe/Berlin', 'berlin:402', 'x', now())");
    count_paths(batch, before, "/", 0, 0);
    count_paths(batch, after, "/", 1, 2); /* rows that are there, and are not: both add up */
    count_paths(batch, after, "/", 2, 2);
    assert_string_equal(sql("SELECT day, path, requests, bytes FROM traffic_path ORDER BY 1, 2"),
                        "2026-10-24|/|1|100\n2026-10-25|/1|2|100\n2026-10-25|/2|6|200");
    count_paths(batch, after, "/", 1, 25000);
    assert_string_equal(sql(DAYS_OF_PATHS), "2026-10-24|1|1|2500|\n"
                                            "2026-10-25|20001|312537508|62507500|12517500");
    sql("SELECT keep_traffic()"); /* the first day */
    assert_string_equal(sql("SELECT keep_traffic(); " DAYS_OF_PATHS), "\n2026-10-24|1|1|2500|\n"
                                                                      "2026-10-25|2001|312537508|62507500|"
                                                                      "264534508");
    assert_string_equal(sql("SELECT min(requests) FROM traffic_path WHERE path <> '' AND day = '2026-10-25'"),
                        "23002");
    /* What comes late adds to what is there, and makes no rows. */
    count_paths(batch, after, "/", 24999, 25001);
    assert_string_equal(sql("SELECT path, requests FROM traffic_path WHERE day = '2026-10-25'"
                            " AND path IN ('', '/24999', '/25000', '/25001') ORDER BY 1"),
                        "|264559510\n/24999|50000\n/25000|50002");
    /* Of what goes on nothing is taken away, and what was trimmed is not looked at again. */
    count_paths(batch, "now", "/", 1, 2100);
    assert_string_equal(sql("SELECT keep_traffic(); SELECT count(*) FROM traffic_path WHERE path <> ''"),
                        "\n4101");
    assert_string_equal(sql("SELECT array_agg(day ORDER BY day) FROM traffic_trim"),
                        "{2026-10-24,2026-10-25}");
    /* A batch that is written already. */
    sql("INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason, requests,"
        " bytes, amount_micros, pages) SELECT '00000000-0000-4000-8000-000000000001', site_id, now(), 'x',"
        " false, '', 'free', '', 1, 0, 0, repeat('0', 3072)::bit(3072) FROM site WHERE name = 'berlin'");
    count_paths(batch, after, "/", 24999, 24999);
    assert_string_equal(sql("SELECT requests FROM traffic_path WHERE path = '/24999'"), "50000");
    assert_false(sql_as("crawltab_owner", "UPDATE traffic_path SET requests = requests - 1", output));
    assert_false(sql_as("crawltab_owner", "DELETE FROM traffic_path", output));
    assert_false(sql_as("crawltab_gate", "SELECT FROM traffic_path", output));
    assert_int_equal(CRAWLTAB(output, "traffic", "forget", "--before", "2026-11-01"), 0);
    assert_string_equal(sql("SELECT count(*) FROM traffic_path WHERE day < '2026-11-01'"), "0");
}

static void hours_have_the_text_of_their_zone(void **state)
{
    (void)state;
    assert_string_equal(sql("SELECT hour_text('2026-10-25 00:40Z', 'Europe/Berlin'),"
                            " hour_text('2026-10-25 01:40Z', 'Europe/Berlin'),"
                            " hour_text('2026-01-01 00:10Z', 'Asia/Kolkata'),"
                            " hour_text('2026-01-01 00:10Z', 'America/St_Johns')"),
                        "2026-10-25T02:00+02:00|2026-10-25T02:00+01:00|2026-01-01T05:00+05:30|"
                        "2025-12-31T20:00-03:30");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_setup, ledger_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_are_written_and_added_up),
        TEST(the_number_of_pages_is_about_right),
        TEST(hours_that_are_over_are_added_up),
        TEST(what_comes_late_is_added_to_its_day),
        TEST(any_days_add_up),
        TEST(no_database_loses_no_count),
        TEST(a_batch_is_taken_once),
        TEST(a_site_that_is_not_there_yet_is_waited_for),
        TEST(reports_add_up),
        TEST(paths_are_bounded),
        TEST(hours_have_the_text_of_their_zone),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
