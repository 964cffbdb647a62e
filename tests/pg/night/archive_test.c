/* Entries leave for a file and come back as they were; what is away cannot be paid again, and nothing is lost
 * wherever the command is killed (promises P2, P3, P5). */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGENT "https://crawler.example"
#define OTHER "https://other.example"

static char output[OUTPUT_MAX];
static char path[512];

/* Every value of every entry, and what every day comes to. */
static const char all_entries[] =
    "SELECT md5(string_agg(to_jsonb(c)::text, ';' ORDER BY payment_id)) || ' ' || count(*) FROM charge c";

/* Whether the table has something of the day. */
static bool has_day(const char *table, int days)
{
    static char query[256];
    snprintf(query, sizeof(query), "SELECT to_regclass('%s_' || replace('%s', '-', '')) IS NOT NULL", table,
             days_date(days));
    return strcmp(sql(query), "t") == 0;
}

static const char *remember(const char *query, char out[128])
{
    snprintf(out, 128, "%s", sql(query));
    return out;
}

/* Two days of entries, closed. */
static void close_days(void)
{
    days_charge(5, AGENT, 2500000, 700);
    days_charge(5, OTHER, 1, 3);
    days_charge(4, AGENT, 70000, 2);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    snprintf(path, sizeof(path), "%s/entries-%s.jsonl", ledger_config()->folder, days_date(5));
    unlink(path);
}

static int archive(void)
{
    return CRAWLTAB(output, "archive", days_date(5), "--to", ledger_config()->folder);
}

/* As the gate would insert it. */
static bool can_insert(int days)
{
    static char text[1024];
    snprintf(text, sizeof(text),
             "INSERT INTO charge SELECT (jsonb_populate_record(NULL::charge, to_jsonb(c) || "
             "jsonb_build_object('payment_id', id, 'lane',"
             " get_byte(uuid_send(id), 15)))).* FROM (SELECT * FROM charge LIMIT 1) c,"
             " uuid_floor('%s 12:00+00'::timestamptz) AS id",
             days_date(days));
    return sql_as("crawltab_gate", text, output);
}

static void what_left_comes_back(void **state)
{
    char before[128], figures[128], id[UUID_TEXT_MAX];
    static const char totals[] = "SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM crawler_day t";
    (void)state;
    close_days();
    remember(all_entries, before);
    remember(totals, figures);
    snprintf(id, sizeof(id), "%s", sql("SELECT payment_id FROM charge ORDER BY payment_id LIMIT 1"));
    assert_true(has_day("charge", 5) && has_day("page_copy", 5) && has_day("handover", 5));
    if (archive() != 0)
        fail_msg("%s", output);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
    assert_false(has_day("charge", 5) || has_day("page_copy", 5) || has_day("handover", 5));
    assert_true(has_day("charge", 4) && has_day("page_copy", 4) && has_day("handover", 4));
    assert_string_equal(sql("SELECT entries, sum_micros, event FROM archive"), "703|1750000003|archived");
    assert_int_equal(access(path, R_OK), 0);
    const char *const sum[] = {"sha256sum", path, NULL};
    assert_int_equal(run_program(sum, output), 0);
    output[64] = '\0';
    assert_string_equal(sql("SELECT encode(file_digest, 'hex') FROM archive"), output);
    assert_int_equal(CRAWLTAB(output, "archive", "list"), 0);
    assert_non_null(strstr(output, path));
    assert_int_equal(CRAWLTAB(output, "lookup", id), 1);
    assert_non_null(strstr(output, path));
    assert_int_equal(CRAWLTAB(output, "adjust", id, "--reversal", "--reason", "test"), 1);
    assert_non_null(strstr(output, path)); /* and not that nothing was charged */
    assert_null(strstr(output, "nothing was charged"));
    assert_int_equal(CRAWLTAB(output, "export", "--from", days_date(5), "--to", days_date(4)), 1);
    assert_non_null(strstr(output, path));
    assert_int_equal(CRAWLTAB(output, "export", "--from", days_date(4), "--to", days_date(3)), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_non_null(strstr(output, "is archived"));
    /* Its partition is gone, stays gone, and nothing of its time can be written. */
    assert_int_equal(archive(), 1);
    static char make[256];
    snprintf(make, sizeof(make), "SELECT charge_partitions('%s', '%s')", days_date(5), days_date(5));
    assert_string_equal(sql(make), "0");
    assert_false(can_insert(5));
    if (!strstr(output, "no partition"))
        fail_msg("%s", output);
    if (CRAWLTAB(output, "archive", "restore", path) != 0)
        fail_msg("%s", output);
    char after[128];
    assert_string_equal(remember(all_entries, after), before);
    assert_string_equal(sql(totals), figures);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_int_equal(CRAWLTAB(output, "lookup", id), 0);
    assert_false(can_insert(5)); /* the day is closed as before */
    assert_int_equal(CRAWLTAB(output, "archive", "restore", path), 1);
    assert_int_equal(archive(), 0); /* and away again */
    assert_string_equal(sql("SELECT string_agg(event, ' ' ORDER BY archive_id) FROM archive"),
                        "archived restored archived");
}

/* What interim checkpoints have of entries and facts goes with the entries, and the audit knows. */
static void lists_of_interim_checkpoints_leave(void **state)
{
    static const char lists[] =
        "SELECT (SELECT count(*) FROM interim_tile t JOIN d ON t.first_id < d.end_id)"
        " || ' ' || (SELECT count(*) FROM interim_fact f JOIN d ON f.first_id < d.end_id)"
        " FROM (SELECT 1) AS one";
    char before[128], query[512];
    (void)state;
    days_charge(5, AGENT, 2500000, 700);
    days_charge(4, AGENT, 70000, 2);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "interim"), 0);
    /* None reaches over a midnight. */
    assert_string_equal(sql("SELECT bool_and((uuid_instant(first_id) AT TIME ZONE 'UTC')::date ="
                            " ((uuid_instant(end_id) - interval '1 ms') AT TIME ZONE 'UTC')::date)"
                            " AND count(*) > 1 FROM interim"),
                        "t");
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_string_equal(sql("SELECT sum(entries) FROM interim"), "702");
    snprintf(query, sizeof(query), "WITH d AS (SELECT uuid_floor('%s 00:00+00'::timestamptz) AS end_id) %s",
             days_date(4), lists);
    assert_true(strtol(remember(query, before), NULL, 10) >= 3);
    snprintf(path, sizeof(path), "%s/entries-%s.jsonl", ledger_config()->folder, days_date(5));
    unlink(path);
    assert_int_equal(archive(), 0);
    assert_false(has_day("interim_tile", 5) || has_day("interim_fact", 5));
    assert_string_equal(sql(query), "0 0");
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    if (CRAWLTAB(output, "archive", "restore", path) != 0)
        fail_msg("%s", output);
    assert_int_equal(strtol(sql(query), NULL, 10),
                     strtol(before, NULL, 10)); /* of entries; facts are sealed by now */
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    /* What is back must be there. */
    sql("ALTER TABLE interim_tile DISABLE TRIGGER append_only; DELETE FROM interim_tile WHERE tile = 1;"
        "ALTER TABLE interim_tile ENABLE ALWAYS TRIGGER append_only");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "its list of entries is not what was signed"));
}

static void only_closed_days_leave(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/entries-%s.jsonl", ledger_config()->folder, days_date(5));
    unlink(path);
    days_charge(5, AGENT, 100, 3);
    assert_int_equal(archive(), 1);
    assert_non_null(strstr(output, "closed"));
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(access(path, F_OK), -1); /* what is refused leaves no file behind */
    const char *const fill[] = {"sh", "-c", "echo precious >\"$0\"", path, NULL};
    assert_int_equal(run_program(fill, output), 0);
    assert_int_equal(archive(), 1);
    assert_non_null(strstr(output, "another file"));
    unlink(path);
    assert_int_equal(CRAWLTAB(output, "archive", "2020-01-01", "--to", ledger_config()->folder), 1);
    assert_non_null(strstr(output, "no entries"));
    assert_int_equal(CRAWLTAB(output, "archive", days_date(5), "--to", "/nonexistent"), 1);
    assert_int_equal(CRAWLTAB(output, "archive", days_date(5)), 64);
    assert_int_equal(CRAWLTAB(output, "archive", "restore"), 64);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "3");
    assert_string_equal(sql("SELECT count(*) FROM archive"), "0");
}

/* Past the command, with a word of each entry changed for another; nothing of it stays. False with what the
 * database says in `output`. */
static bool restored_by_hand(const char *word, const char *other)
{
    static char text[2048];
    snprintf(text, sizeof(text),
             "BEGIN; SELECT archive_restore_begin('%1$s');"
             "SELECT archive_restore_rows('%1$s', array_agg(replace(line, '%2$s', '%3$s'))) FROM kept;"
             "SELECT archive_restore_end('%1$s', 'x', 0, 'x'); ROLLBACK",
             days_date(5), word, other);
    return sql_as("postgres", text, output);
}

/* One digit of one amount, with the sum kept: neither the file nor the rows are believed. */
static void another_file_is_refused(void **state)
{
    static char command[1200];
    (void)state;
    close_days();
    snprintf(command, sizeof(command),
             "CREATE TABLE kept AS SELECT to_jsonb(c)::text AS line FROM charge c"
             " WHERE (uuid_instant(payment_id) AT TIME ZONE 'UTC')::date = '%s'",
             days_date(5));
    sql(command);
    assert_int_equal(archive(), 0);
    snprintf(command, sizeof(command), "sed 's/crawler.example/crawler.exbmple/' %s >%s.other", path, path);
    const char *const words[] = {"sh", "-c", command, NULL};
    assert_int_equal(run_program(words, output), 0);
    snprintf(command, sizeof(command), "%s.other", path);
    assert_int_equal(CRAWLTAB(output, "archive", "restore", command), 1);
    assert_non_null(strstr(output, "SHA-256"));
    /* Past the command, the database itself takes only what left, and only from the owner. */
    snprintf(
        command, sizeof(command),
        "BEGIN; SELECT archive_restore_begin('%s'); SELECT archive_restore_end('%s', 'x', 0, 'x'); COMMIT",
        days_date(5), days_date(5));
    assert_false(sql_as("crawltab_owner", command, output));
    assert_non_null(strstr(output, "not the entries"));
    assert_false(sql_as("crawltab_operator", command, output));
    assert_non_null(strstr(output, "permission denied"));
    /* As many entries with the same sum, and one word changed; then what left. */
    assert_false(restored_by_hand("8402/a", "8402/b"));
    assert_non_null(strstr(output, "not the entries"));
    if (!restored_by_hand("x", "x"))
        fail_msg("%s", output);
    snprintf(command, sizeof(command), "SELECT archive_restore_rows('%s', ARRAY['{}'])", days_date(4));
    assert_false(sql_as("crawltab_owner", command, output));
    assert_non_null(strstr(output, "are in the ledger"));
    snprintf(command, sizeof(command), "SELECT archive_day('%s', 2, 140000, sha256(''), 'x', 0, 'x')",
             days_date(4));
    assert_false(sql_as("crawltab_operator", command, output));
    assert_false(sql_as("crawltab_gate", command, output));
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
}

/* Away and back, killed at later and later moments: the entries are in the ledger, or in a whole file. */
static void a_killed_archive_loses_nothing(void **state)
{
    char before[128], now[128];
    (void)state;
    close_days();
    remember(all_entries, before);
    char folder[512];
    snprintf(folder, sizeof(folder), "%s", ledger_config()->folder);
    for (int moment = 0; moment < 60; moment++) {
        bool away = strcmp(sql("SELECT count(*) FROM archived"), "1") == 0;
        const char *const leave[] = {"archive", days_date(5), "--to", folder, NULL};
        const char *const come[] = {"archive", "restore", path, NULL};
        int pid = crawltab_spawn(away ? come : leave);
        poll(NULL, 0, 2 * moment);
        kill(pid, SIGKILL);
        run_wait(pid);
        wait_for_sql("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'crawltab archive'");
        if (strcmp(sql("SELECT count(*) FROM archived"), "1") == 0) {
            char sum[80];
            const char *const words[] = {"sha256sum", path, NULL};
            assert_int_equal(run_program(words, output), 0);
            snprintf(sum, sizeof(sum), "%.64s", output);
            assert_string_equal(sql("SELECT encode(file_digest, 'hex') FROM archived"), sum);
            assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
        } else {
            assert_string_equal(remember(all_entries, now), before);
        }
    }
    if (strcmp(sql("SELECT count(*) FROM archived"), "1") == 0)
        assert_int_equal(CRAWLTAB(output, "archive", "restore", path), 0);
    assert_string_equal(remember(all_entries, now), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_left_comes_back, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(lists_of_interim_checkpoints_leave, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(only_closed_days_leave, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(another_file_is_refused, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_killed_archive_loses_nothing, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
