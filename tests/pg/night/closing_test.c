/* A day that was sealed takes no entry from anybody, what was signed for a closed day is compared with the
 * entries to the last bit, and a site's zone changes without a gap.
 * Tests ledger/proof/checkpoint.c, ledger/proof/day_seal.c, ledger/proof/day_tree.c,
 * ledger/proof/key_change.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A    "https://a.example"
#define B    "https://b.example"
#define PAGE "http://127.0.0.1:8402/a"

static char output[OUTPUT_MAX];

/* --- seals --- */

/* One entry with an id of the instant, into the named table, by whoever runs it. */
static const char *insert_at(const char *table, int64_t ms, int64_t site_id)
{
    static char text[2][1024];
    static size_t next;
    char *out = text[next++ % 2];
    snprintf(out, sizeof(text[0]),
             "INSERT INTO %s (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,"
             " recorded_at, thumbprint, signature, signature_base)"
             " SELECT id, get_byte(uuid_send(id), 15), %lld, 1, 2500, 'all', 'x', instant(%lld),"
             "  sha256('x'), 'x', 'x'"
             " FROM (SELECT (left(uuid_floor(instant(%lld))::text, 15) || '7' ||"
             "  substr(gen_random_uuid()::text, 17))::uuid AS id) AS one",
             table, (long long)site_id, (long long)ms, (long long)ms);
    return out;
}

/* Two sites whose last day was sealed: the second one's ended six hours earlier. */
static int64_t seal_two_sites(void)
{
    static char text[1024];
    int64_t midnight = days_base_ms() - DAY_MS;
    writer_stop(writer_start_ready()); /* registers the site, makes partitions */
    snprintf(text, sizeof(text),
             "INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
             " VALUES ('east', 'USD', 2, 'Asia/Dhaka', 'east:402', 'x', instant(0));"
             "SELECT charge_partitions('%s', '%s')",
             days_date(4), days_date(0));
    sql(text);
    for (int site = 1; site <= 2; site++) {
        int64_t end = midnight - (site - 1) * 6 * 3600000;
        snprintf(text, sizeof(text),
                 "INSERT INTO day SELECT %d, '2001-01-01', instant(%lld), instant(%lld), 'UTC';"
                 "SELECT seal_day(%d, '2001-01-01', %lld, 0)",
                 site, (long long)end - DAY_MS, (long long)end, site, (long long)end);
        sql(text);
    }
    return midnight;
}

static void assert_refused(const char *role, const char *text, const char *why)
{
    if (sql_as(role, text, output))
        fail_msg("%s was let in: %s", role, text);
    if (!strstr(output, why))
        fail_msg("%s", output);
}

static void sealed_day_takes_no_entry_from_anybody(void **state)
{
    (void)state;
    static char text[2048], partition[64];
    int64_t end = seal_two_sites();
    const char *date = days_date_of(end - 1);
    snprintf(partition, sizeof(partition), "charge_%.4s%.2s%.2s", date, date + 5, date + 8);
    static const char sealed[] = "is sealed";
    const char *const roles[] = {"crawltab_gate", "crawltab_owner", "postgres"};
    for (size_t i = 0; i < 3; i++) {
        assert_refused(roles[i], insert_at("charge", end - 1, 1), sealed);
        assert_refused(roles[i], insert_at("charge", end - 9 * 3600000, 2), sealed);
        /* The first instant after each site's day is free, also while the other's is sealed until later. */
        assert_true(sql_as(roles[i], insert_at("charge", end, 1), output));
        assert_true(sql_as(roles[i], insert_at("charge", end - 6 * 3600000, 2), output));
    }
    for (size_t i = 1; i < 3; i++)
        assert_refused(roles[i], insert_at(partition, end - 1, 1), sealed);
    assert_refused("crawltab_gate", insert_at(partition, end - 1, 1), "permission denied");
    snprintf(text, sizeof(text), "SET session_replication_role = replica; %s",
             insert_at("charge", end - 1, 1));
    assert_refused("postgres", text, sealed);
    snprintf(text, sizeof(text), "SET session_replication_role = replica; %s",
             insert_at(partition, end - 1, 1));
    assert_refused("postgres", text, sealed);
    snprintf(text, sizeof(text), "BEGIN ISOLATION LEVEL REPEATABLE READ; %s",
             insert_at("charge", end - 6 * 3600000, 2));
    assert_refused("crawltab_gate", text, "READ COMMITTED");
    assert_refused("crawltab_gate", "INSERT INTO day_seal SELECT * FROM day_seal", "permission denied");
    assert_refused("crawltab_operator", "INSERT INTO day_seal SELECT * FROM day_seal", "permission denied");
    assert_refused("crawltab_gate", "SELECT seal_day(1, '2001-01-01', 0, 0)", "permission denied");
    assert_string_equal(sql("SELECT site_id, count(*) FROM charge GROUP BY 1 ORDER BY 1"), "1|3\n2|3");
}

/* Whose snapshot is older than the seal. */
static void an_old_transaction_comes_too_late(void **state)
{
    (void)state;
    static char text[2048];
    static const char *const tables[] = {"charge", "charge_20260301"};
    writer_stop(writer_start_ready());
    sql("SELECT charge_partitions('2026-03-01', '2026-03-01'); CREATE SEQUENCE go;"
        "INSERT INTO day SELECT 1, date '2001-01-01' + n, timestamptz '2026-03-01 01:00Z' + n * interval"
        " '1 hour', timestamptz '2026-03-01 02:00Z' + n * interval '1 hour', 'UTC' FROM generate_series(0, "
        "1) n;"
        "SELECT seal_day(1, '2001-01-01', instant_ms('2026-03-02 00:00Z'), 0);"
        "INSERT INTO day_close VALUES (1, '2001-01-01', 1, 0, 0, instant(0))");
    int64_t late = strtoll(sql("SELECT instant_ms('2026-03-01 02:30Z')"), NULL, 10);
    int pids[2];
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof(text),
                 "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM day_seal;"
                 "DO $$ BEGIN LOOP EXIT WHEN (SELECT is_called FROM go); PERFORM pg_sleep(0.01); END LOOP;"
                 " END $$; %s; COMMIT",
                 insert_at(tables[i], late, 1));
        pids[i] = sql_spawn(text);
    }
    wait_for_sql("SELECT count(DISTINCT pid) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                 " AND query LIKE 'BEGIN ISOLATION%'");
    sql("SELECT seal_day(1, '2001-01-02', instant_ms('2026-03-02 00:00Z'), 0); SELECT nextval('go')");
    for (size_t i = 0; i < 2; i++)
        assert_int_not_equal(run_wait(pids[i]), 0);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "0");
}

/* Partitions that are added while a day is sealed, and those that no seal had reached before. */
static void every_partition_knows_the_newest_seal(void **state)
{
    (void)state;
    static const char behind[] =
        "SELECT count(*) FROM pg_trigger JOIN pg_inherits ON inhrelid = tgrelid WHERE tgname = 'sealed' AND"
        " pg_get_triggerdef(pg_trigger.oid) NOT LIKE '%<%' || (SELECT end_id FROM day_seal ORDER BY end_id "
        "DESC"
        " LIMIT 1) || '%' AND tgrelid::regclass::text < 'charge_20260303'";
    writer_stop(writer_start_ready());
    sql("SELECT charge_partitions(at, at + 40) FROM (VALUES (date '2025-12-01'), ('2026-01-11')) AS first "
        "(at);"
        "SELECT charge_partitions('2026-02-20', '2026-03-05'); ANALYZE pg_inherits, pg_class;"
        "INSERT INTO day VALUES (1, '2001-01-01', '2026-03-01 05:00Z', '2026-03-02 05:00Z', 'UTC'),"
        " (1, '2001-01-02', '2026-03-02 05:00Z', '2026-03-02 06:00Z', 'UTC');"
        "SELECT seal_day(1, '2001-01-01', instant_ms('2026-03-03 00:00Z'), 0);"
        "INSERT INTO day_close VALUES (1, '2001-01-01', 1, 0, 0, instant(0))");
    assert_string_equal(sql(behind), "0");
    int sealing = sql_spawn("BEGIN; SELECT seal_day(1, '2001-01-02', instant_ms('2026-03-03 00:00Z'), 0);"
                            " SELECT pg_sleep(1); COMMIT");
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    sql("SELECT charge_partitions('2025-11-30', '2025-11-30')");
    assert_int_equal(run_wait(sealing), 0);
    assert_string_equal(
        sql("SELECT pg_get_triggerdef(oid) LIKE '%<%' || (SELECT end_id FROM day_seal ORDER BY end_id DESC "
            "LIMIT"
            " 1) || '%' FROM pg_trigger WHERE tgrelid = 'charge_20251130'::regclass AND tgname = 'sealed'"),
        "t");
    assert_string_equal(sql("SELECT count(*) FROM pg_trigger WHERE tgname = 'sealed' AND tgrelid ="
                            " 'charge_20260302'::regclass AND pg_get_triggerdef(oid) LIKE '%<%' ||"
                            " uuid_floor('2026-03-02 06:00Z') || '%'"),
                        "1");
}

static void seals_come_in_order_and_after_the_day(void **state)
{
    (void)state;
    days_charge(3, A, 2500, 1);
    static char text[512];
    snprintf(text, sizeof(text),
             "SELECT seal_day(1, '%s', instant_ms(ends_at) - 1, 0) FROM day"
             " WHERE local_date = '%s'",
             days_date(3), days_date(3));
    assert_refused("crawltab_operator", text, "not over");
    snprintf(text, sizeof(text),
             "SELECT seal_day(1, '%s', instant_ms(ends_at), 0) FROM day"
             " WHERE local_date = '%s'",
             days_date(2), days_date(2));
    assert_refused("crawltab_operator", text, "an earlier day");
    assert_refused("crawltab_operator", "SELECT seal_day(7, '2001-01-01', 0, 0)", "not there");
}

/* A gate whose clock has stood still sends one entry of a sealed day among good ones. */
static void late_entry_costs_the_others_nothing(void **state)
{
    (void)state;
    struct payment payments[9];
    days_charge(3, A, 2500, 1);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    int64_t end = days_base_ms() - 2 * DAY_MS;
    clock_set_offset_ms(end + 60000 - clock_now_ms());
    struct writer *writer = writer_start_ready();
    for (int i = 0; i < 9; i++) {
        payments[i] = payment_make(i == 4 ? end - 1000 : end + 1000, A, 2500, PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    for (int i = 0; i < 9; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, i == 4 ? ERR_INTERNAL : ERR_OK);
    }
    assert_true(writer_ready(writer));
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "9");
}

#define ROUNDS "300"

/* Writers hammer on both sides of a border that moves a minute three hundred times. */
static void nothing_slips_in_while_a_day_is_sealed(void **state)
{
    (void)state;
    static const char writer[] =
        "DO $$ DECLARE edge bigint; refused integer := 0; made integer := 0; BEGIN LOOP"
        " SELECT instant_ms(max(ends_at)) INTO edge FROM day JOIN day_seal USING (site_id, local_date);"
        " BEGIN"
        "  INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,"
        "    recorded_at, thumbprint, signature, signature_base)"
        "  SELECT id, get_byte(uuid_send(id), 15), 1, 1, 2500, 'all', 'x', instant(0), sha256('x'), 'x', 'x'"
        "   FROM (SELECT (left(uuid_floor(instant(edge + (random() * 70000)::int - 100))::text, 15) || '7'"
        "     || substr(gen_random_uuid()::text, 17))::uuid AS id) AS one;"
        "  made := made + 1;"
        " EXCEPTION WHEN check_violation THEN refused := refused + 1; END;"
        " COMMIT;"
        " EXIT WHEN (SELECT count(*) FROM day_seal) > " ROUNDS "; END LOOP;"
        " INSERT INTO tally VALUES (made, refused); END $$";
    writer_stop(writer_start_ready());
    sql("CREATE TABLE tally (made integer, refused integer); CREATE TABLE counted (n integer, entries "
        "bigint);"
        "SELECT charge_partitions('2026-03-01', '2026-03-01');"
        "INSERT INTO day SELECT 1, date '2001-01-01' + n, timestamptz '2026-03-01 01:00Z' + n * interval '1 "
        "min',"
        "  timestamptz '2026-03-01 01:01Z' + n * interval '1 min', 'UTC' FROM generate_series(0, " ROUNDS
        ") n;"
        "SELECT seal_day(1, '2001-01-01', instant_ms('2026-03-02 00:00Z'), 0);"
        "INSERT INTO day_close VALUES (1, '2001-01-01', 1, 0, 0, instant(0))");
    int pids[3];
    for (int i = 0; i < 3; i++)
        pids[i] = sql_spawn(writer);
    wait_for_sql(
        "SELECT count(DISTINCT pid) = 3 FROM pg_stat_activity WHERE query LIKE 'DO $$ DECLARE edge%'");
    sql("DO $$ BEGIN FOR n IN 1 .. " ROUNDS " LOOP"
        " PERFORM seal_day(1, date '2001-01-01' + n, instant_ms('2026-03-02 00:00Z'), 0); COMMIT;"
        " INSERT INTO counted SELECT n, count(*) FROM charge c JOIN day d ON d.local_date = date "
        "'2001-01-01' + n"
        "  AND c.payment_id >= uuid_floor(d.starts_at) AND c.payment_id < uuid_floor(d.ends_at);"
        " INSERT INTO day_close VALUES (1, date '2001-01-01' + n, n + 1, 0, 0, instant(0)); COMMIT;"
        " END LOOP; END $$");
    for (int i = 0; i < 3; i++)
        assert_int_equal(run_wait(pids[i]), 0);
    assert_string_equal(
        sql("SELECT count(*) FROM counted x WHERE entries <> (SELECT count(*) FROM charge c JOIN"
            " day d ON d.local_date = date '2001-01-01' + n AND c.payment_id >= uuid_floor("
            "d.starts_at) AND c.payment_id < uuid_floor(d.ends_at))"),
        "0");
    /* It was a race: there was something to count, and something to refuse. */
    assert_string_equal(sql("SELECT sum(entries) > 100 FROM counted"), "t");
    assert_string_equal(sql("SELECT count(*) = 3 AND sum(refused) > 0 AND sum(made) > 100 FROM tally"), "t");
}

/* A transaction that has written and does not end keeps the day open for a while, and then says who. */
static void sealing_waits_for_what_is_under_way(void **state)
{
    (void)state;
    static char text[2048];
    days_charge(3, A, 2500, 1);
    int64_t noon = days_base_ms() - 3 * DAY_MS + DAY_MS / 2;
    snprintf(text, sizeof(text), "BEGIN; %s; SELECT pg_sleep(3); COMMIT", insert_at("charge", noon, 1));
    int holder = sql_spawn(text);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    /* Nobody has signed it, but it came in time to be seen. */
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 3);
    assert_int_equal(run_wait(holder), 0);
    assert_string_equal(sql("SELECT entries, unproven FROM day_close"), "1|1");
}

/* A vacuum or an archive at work on another day's entries is not waited for. */
static void sealing_does_not_wait_for_other_days(void **state)
{
    (void)state;
    static char text[512];
    days_charge(7, A, 2500, 1);
    days_charge(3, A, 2500, 1);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    snprintf(text, sizeof(text),
             "DO $$ BEGIN EXECUTE format('LOCK TABLE %%I IN SHARE UPDATE EXCLUSIVE MODE',"
             " charge_partition('%s')); PERFORM pg_sleep(600); END $$",
             days_date(7));
    int holder = sql_spawn(text);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    snprintf(text, sizeof(text),
             "SELECT seal_day(1, '%s', instant_ms(ends_at), 0) FROM day WHERE local_date = '%s'",
             days_date(3), days_date(3));
    int refused = sql_as("crawltab_operator", text, output) ? 0 : 1;
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    assert_int_not_equal(run_wait(holder), 0);
    if (refused)
        fail_msg("%s", output);
}

/* --- what was signed --- */

static void closed_days_are_what_was_signed(void **state)
{
    (void)state;
    for (int days = 5; days >= 3; days--) {
        days_charge(days, A, 2500, 300);
        days_charge(days, B, 50000, 30);
    }
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_string_equal(sql("SELECT bool_and(log_size = close_number) FROM checkpoint"
                            " JOIN day_close USING (site_id, local_date)"),
                        "t");
    assert_string_equal(sql("SELECT string_agg(entries::text, ' ' ORDER BY local_date, tile) FROM day_tile"),
                        "256 74 256 74 256 74");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "show", "--day", days_date(4)), 0);
    assert_non_null(strstr(output, "example:402/example\n2\n"));
    assert_int_equal(CRAWLTAB(output, "checkpoint", "show", "--day", "2001-01-01"), 1);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "key"), 0);
    static char key[OUTPUT_MAX], expected[OUTPUT_MAX];
    snprintf(key, sizeof(key), "%s", output);
    snprintf(expected, sizeof(expected), "%s\n", sql("SELECT DISTINCT verifier_key FROM checkpoint"));
    assert_string_equal(key, expected);
}

/* What somebody with all rights changes after he has taken the triggers away, and what is said about it. */
static const struct {
    const char *change, *found;
} tampering[] = {
    {"UPDATE charge SET signature_base = set_byte(signature_base, 3, 1 # get_byte(signature_base, 3))"
     " WHERE payment_id = (SELECT payment_id FROM charge ORDER BY 1 OFFSET 500 LIMIT 1)",
     "from number 0 on, payment id "},
    {"UPDATE charge SET resource = resource || 'x' WHERE payment_id = (SELECT payment_id FROM charge ORDER "
     "BY 1"
     " OFFSET 320 LIMIT 1)",
     "from number 256 on, payment id "},
    {"UPDATE charge SET recorded_at = recorded_at + interval '1 ms' WHERE payment_id = (SELECT payment_id "
     "FROM"
     " charge ORDER BY 1 DESC LIMIT 1)",
     "from number 256 on, payment id "},
    {"UPDATE charge SET agreement_id = 1 WHERE payment_id = (SELECT payment_id FROM charge ORDER BY 1 LIMIT "
     "1)",
     "not those that were sealed"},
    {"DELETE FROM charge WHERE payment_id = (SELECT payment_id FROM charge ORDER BY 1 OFFSET 700 LIMIT 1)",
     "not those that were sealed"},
    {"UPDATE charge SET crawler_id = 3 - crawler_id WHERE payment_id IN (SELECT payment_id FROM charge"
     " ORDER BY 1 OFFSET 299 LIMIT 2)",
     "not those that were sealed"},
    {"UPDATE crawler SET agent = 'https://c.example' WHERE crawler_id = 2", "not those that were sealed"},
    {"UPDATE day SET time_zone = 'Europe/Paris' WHERE local_date = (SELECT max(local_date) FROM day_close)",
     "not what was signed"},
    {"UPDATE crawler_day_line SET quantity = quantity + 1, amount_micros = amount_micros + unit_price_micros"
     " WHERE crawler_id = 1",
     "the totals of the crawlers"},
    {"UPDATE day_tile SET hash = sha256(hash) WHERE tile = 1", "not those that were sealed"},
    /* The tiles are as they were, so that none is named. */
    {"UPDATE checkpoint SET day_root = sha256(day_root) WHERE log_size = 2", "those that were sealed\n"},
    {"DELETE FROM checkpoint WHERE log_size = 2", "a day of the log is not what was signed"},
    {"DELETE FROM checkpoint WHERE log_size > 3", "a closed day is missing from the log"},
    {"UPDATE checkpoint SET log_root = sha256(log_root) WHERE log_size = 1", "not what was signed"},
    {"UPDATE checkpoint SET leaf = leaf || '\\x0a' WHERE log_size = 2", "not what was signed"},
    {"UPDATE checkpoint SET note = replace(note, E'\\n2\\n', E'\\n3\\n') WHERE log_size = 2",
     "signature is not good"},
    {"UPDATE checkpoint c SET note = d.note FROM checkpoint d WHERE c.log_size = 2 AND d.log_size = 1",
     "says something else"},
};

static void every_change_is_found(void **state)
{
    (void)state;
    static char text[4096], name[64];
    for (int days = 5; days >= 3; days--) {
        days_charge(days, A, 2500, 300);
        days_charge(days, B, 50000, 30);
    }
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    sql_own(
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"
        " tax_treatment, tax_rate_ppm, due_days, buyer, settlement) VALUES (1, 1, 1, now(), now(), 'a', 'b',"
        " 'active', 'daily', false, 0, 0, 0, 0, 'none', 0, 30, '{}', '{}')");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    snprintf(name, sizeof(name), "%s", ledger_database());
    for (size_t i = 0; i < sizeof(tampering) / sizeof(*tampering); i++) {
        ledger_copy(name);
        snprintf(text, sizeof(text),
                 "DO $$ DECLARE t record; BEGIN FOR t IN SELECT DISTINCT tgrelid::regclass AS name"
                 " FROM pg_trigger WHERE NOT tgisinternal LOOP"
                 " EXECUTE format('ALTER TABLE %%s DISABLE TRIGGER USER', t.name); END LOOP; END $$; %s",
                 tampering[i].change);
        sql(text);
        int status = CRAWLTAB(output, "checkpoint", "check");
        if (status != 1 || !strstr(output, tampering[i].found))
            fail_msg("%s: %d %s", tampering[i].change, status, output);
    }
}

/* A log that was changed is not gone on with. */
static void changed_log_is_not_signed_again(void **state)
{
    (void)state;
    days_charge(4, A, 2500, 3);
    days_charge(3, A, 2500, 3);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    sql("ALTER TABLE checkpoint DISABLE TRIGGER USER;"
        "UPDATE checkpoint SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'sum 7500', 'sum 7400'),"
        " 'UTF8'); ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER append_only");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 1);
    assert_non_null(strstr(output, "is not what was signed"));
    assert_string_equal(sql("SELECT count(*) FROM day_close"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sealed_day_takes_no_entry_from_anybody, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(an_old_transaction_comes_too_late, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(every_partition_knows_the_newest_seal, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(seals_come_in_order_and_after_the_day, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(late_entry_costs_the_others_nothing, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(nothing_slips_in_while_a_day_is_sealed, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(sealing_waits_for_what_is_under_way, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(sealing_does_not_wait_for_other_days, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(closed_days_are_what_was_signed, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(every_change_is_found, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(changed_log_is_not_signed_again, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
