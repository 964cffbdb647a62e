/* A new ledger is made from sql/baseline/, one that was there goes through sql/migrations/: both come to the
 * same schema, and the old one keeps what it has. */
#include "tests/pg/support.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char output[OUTPUT_MAX];

/* All that a schema has goes to the file `name` in the server's folder: what pg_dump tells, GRANTs in an
 * order of their own, since there it is that of their making. */
static void dump(const char *name)
{
    static const char script[] = "pg_dump -h \"$PWD\" -U postgres -s \"$1\" -f \"$2.all\" &&"
                                 " { grep -v -e '^GRANT ' -e '^.\\(un\\)\\?restrict ' \"$2.all\";"
                                 "   grep '^GRANT ' \"$2.all\" | sort; } >\"$2\"";
    const char *const words[] = {"tools/dev/postgres.sh", "run", server_path(), "sh", "-c", script, "sh",
                                 ledger_database(),       name,  NULL};
    if (run_program(words, output) != 0)
        fail_msg("%s", output);
}

/* Whether two dumps are the same; `output` has what is not. */
static bool same(const char *one, const char *other)
{
    const char *const words[] = {
        "tools/dev/postgres.sh", "run", server_path(), "diff", "-u", one, other, NULL};
    int status = run_program(words, output);
    assert_true(status == 0 || status == 1);
    return status == 0;
}

/* A paid crawl of an instant; static. */
static const char *entry(const char *at)
{
    static char text[512];
    snprintf(
        text, sizeof(text),
        "INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,"
        " recorded_at, thumbprint, signature, signature_base) VALUES (uuid_floor('%s'), 0, 1, 1, 1250000,"
        " 'all', '/', '%s', sha256(''), '', '')",
        at, at);
    return text;
}

/* A day that is closed, and the next; dates and zone of both ledgers. */
static const char days[] =
    "INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
    " VALUES ('example', 'EUR', 2, 'UTC', 'example:402', 'The Example Gazette', '2026-03-01Z');"
    "INSERT INTO day VALUES (1, '2026-03-01', '2026-03-01Z', '2026-03-02Z', 'UTC'),"
    "                       (1, '2026-03-02', '2026-03-02Z', '2026-03-03Z', 'UTC');";

/* What the night had made of it when there were four migrations. */
static const char closed_day[] =
    "INSERT INTO number_series VALUES (1, 'day', 1), (1, 'INV-2026', 1);"
    "INSERT INTO day_close VALUES (1, '2026-03-01', 1, 2, 2500000, '2026-03-02 01:01Z');"
    "INSERT INTO crawler_day VALUES (1, '2026-03-01', 1, 1, 2, 2500000, 0, 2500000, 0);"
    "INSERT INTO crawler_day_line VALUES (1, '2026-03-01', 1, 'all', 1250000, 2, 2500000);"
    "INSERT INTO invoice VALUES (1, 'INV-2026-1', 'INV-2026', 1, 1, '2026-03-01', 'example',"
    "  'The Example Gazette', 'https://crawler.example', 'example:402', 'EUR', 2, 'UTC', '2026-03-01Z',"
    "  '2026-03-02Z', 2, 0, 2500000, 0, 2500000, 250, 'down');"
    "INSERT INTO invoice_line VALUES (1, 'INV-2026-1', 1, 'all', 2, 1250000, 2500000);"
    "INSERT INTO invoice_event VALUES (1, 'INV-2026-1', 1, 'issued', '2026-03-02 01:01Z', 'night');"
    "INSERT INTO operator_action (happened_at, actor, action, detail) VALUES"
    " ('2026-03-20 10:00Z', 'night', 'nightly', 'closed day 2026-03-01 of site number 1');";

static void append_file(char text[OUTPUT_MAX], const char *path)
{
    size_t len = strlen(text);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    len += fread(text + len, 1, OUTPUT_MAX - 1 - len, file);
    assert_true(feof(file));
    text[len] = '\0';
    fclose(file);
}

/* Makes the test's database a ledger of the first `count` migrations, as the program of that time did. */
static void migrate_to(size_t count)
{
    static const char roles[] = "SELECT set_config('crawltab.owner_role', 'crawltab_owner', false),"
                                " set_config('crawltab.gate_role', 'crawltab_gate', false),"
                                " set_config('crawltab.operator_role', 'crawltab_operator', false);";
    static char text[OUTPUT_MAX];
    glob_t files;
    assert_int_equal(glob("sql/migrations/*.sql", 0, NULL, &files), 0);
    for (size_t i = 0; i < count; i++) {
        const char *name = strrchr(files.gl_pathv[i], '/') + 1;
        snprintf(text, sizeof(text), "%s", roles);
        if (i == 0)
            append_file(text, "sql/statements/pg/schema/schema_table_create.sql");
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len,
                 "; INSERT INTO schema_version VALUES (%zu, '%.*s', now());\n", i + 1,
                 (int)strcspn(name, "."), name);
        append_file(text, files.gl_pathv[i]);
        if (!sql_as("crawltab_owner", text, output))
            fail_msg("%s: %s", name, output);
    }
    globfree(&files);
}

static void history_is_kept(void)
{
    /* It was made weeks late, which only its night's action told; what it says to the buyer stays. */
    assert_string_equal(
        sql("SELECT instant_text(i.made_at), i.issue_date, i.due_date, instant_text(c.made_at),"
            " instant_text(c.due_at) FROM invoice i JOIN day_close c USING (site_id, local_date)"),
        "2026-03-20T10:00:00.000Z|2026-03-01|2026-03-31|2026-03-20T10:00:00.000Z"
        "|2026-03-02T01:01:00.000Z");
    assert_string_equal(sql("SELECT kind, first_date, due_date, seller_party->>'name', buyer_party->>'name',"
                            " net_micros, net_minor, tax_minor, status, open_minor"
                            " FROM invoice JOIN invoice_state USING (site_id, number)"),
                        "invoice|2026-03-01|2026-03-31|The Example Gazette|https://crawler.example"
                        "|2500000|250|0|issued|250");
    assert_string_equal(sql("SELECT kind, quantity, amount_micros, detail FROM crawler_day_line"),
                        "crawls|2|2500000|");
    assert_string_equal(
        sql("SELECT period_end, terms_micros, adjusted_micros, credited_micros FROM crawler_day"), "t|0|0|0");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros), count(agreement_id) FROM charge"),
                        "2|2500000|0");
    assert_string_equal(sql("SELECT end_id = uuid_floor('2026-03-02Z'), instant_text(due_at) FROM day_seal"),
                        "t|2026-03-02T01:01:00.000Z");
    assert_false(sql_as("crawltab_gate", entry("2026-03-01 23:59:59.999Z"), output));
    assert_non_null(strstr(output, "sealed"));
    assert_true(sql_as("crawltab_gate", entry("2026-03-02Z"), output));
}

/* The old ledger has been used, so that its rows and partitions are brought along. */
static void both_ways_come_to_the_same(void **state)
{
    char versions[OUTPUT_MAX];
    (void)state;
    ledger_empty("UTC"); /* the one that is copied has tables of days */
    ledger_migrate();
    sql(days);
    sql("INSERT INTO day_seal VALUES (1, '2026-03-01', uuid_floor('2026-03-02Z'), '2026-03-02Z');"
        "SELECT charge_partitions('2026-03-01', '2026-03-04')");
    snprintf(versions, sizeof(versions), "%s",
             sql("SELECT version, name FROM schema_version ORDER BY version"));
    dump("new");

    ledger_copy("template0");
    migrate_to(4);
    sql(days);
    sql("SELECT charge_partitions('2026-03-01', '2026-03-04');"
        "INSERT INTO crawler (agent, first_seen_at) VALUES ('https://crawler.example', '2026-03-01Z')");
    sql(entry("2026-03-01Z"));
    sql(entry("2026-03-01 23:59:59.998Z"));
    sql(closed_day);
    assert_int_equal(CRAWLTAB(output, "migrate"), 0);
    assert_null(strstr(output, "0004-agreements"));
    assert_non_null(strstr(output, "applied migration 0005-closing\n"));
    assert_string_equal(sql("SELECT version, name FROM schema_version ORDER BY version"), versions);
    dump("old");
    if (!same("old", "new")) {
        fputs(output, stderr); /* longer than cmocka's messages can be */
        fail_msg("a new ledger (+) is not what migrations make of an old one (-)");
    }
    history_is_kept();
}

/* Rows of a table that has partitions now go where they belong, but for those whose day is archived. */
static void what_was_handed_over_is_brought_along(void **state)
{
    (void)state;
    ledger_copy("template0");
    migrate_to(35);
    sql(days);
    sql("SELECT charge_partitions(current_date - 1, current_date);"
        "INSERT INTO handover (payment_id, site_id) VALUES (uuid_floor(now()), 1),"
        " (uuid_floor(now() - interval '1 day'), 1), (uuid_floor(now() - interval '9 days'), 1)");
    assert_int_equal(CRAWLTAB(output, "migrate"), 0);
    assert_non_null(strstr(output, "applied migration 0036-handover-days\n"));
    assert_string_equal(sql("SELECT count(*), count(DISTINCT tableoid) FROM handover"), "2|2");
    assert_false(sql_as("crawltab_gate", "INSERT INTO handover SELECT * FROM handover", output));
    assert_false(sql_as("crawltab_owner", "DELETE FROM handover", output));
}

/* A comparison that finds nothing must be one that would. */
static void each_difference_is_noticed(void **state)
{
    static const struct {
        const char *change, *seen;
    } changes[] = {
        {"ALTER TABLE invoice ENABLE TRIGGER append_only",
         "\n-ALTER TABLE public.invoice ENABLE ALWAYS TRIGGER append_only;"},
        {"GRANT UPDATE ON charge TO crawltab_gate", "\n+GRANT SELECT,INSERT,UPDATE ON TABLE public.charge "},
        {"REVOKE SELECT ON spend FROM crawltab_operator", "\n-GRANT SELECT ON TABLE public.spend TO "},
        {"GRANT CREATE ON SCHEMA public TO crawltab_gate", "\n+GRANT CREATE ON SCHEMA public TO "},
        {"GRANT EXECUTE ON FUNCTION seal_day TO PUBLIC", "\n-REVOKE ALL ON FUNCTION public.seal_day("},
        {"ALTER DEFAULT PRIVILEGES FOR ROLE crawltab_owner GRANT SELECT ON TABLES TO crawltab_gate",
         "\n+ALTER DEFAULT PRIVILEGES FOR ROLE crawltab_owner GRANT SELECT ON TABLES "},
        {"COMMENT ON COLUMN spend.quarter IS 'other'",
         "\n+COMMENT ON COLUMN public.spend.quarter IS 'other';"},
        {"ALTER TABLE invoice ALTER tax_note DROP NOT NULL", "\n+    tax_note text DEFAULT ''::text,"},
        {"ALTER TABLE invoice ALTER kind DROP DEFAULT", "\n+    kind text NOT NULL,"},
        {"ALTER TABLE conflict DROP CONSTRAINT conflict_site_id_fkey",
         "\n-    ADD CONSTRAINT conflict_site_id_fkey "},
        {"DROP INDEX adjustment_site", "\n-CREATE INDEX adjustment_site "},
        {"ALTER FUNCTION seal_day SECURITY INVOKER",
         "\n-    LANGUAGE plpgsql SECURITY DEFINER\n+    LANGUAGE plpgsql\n"},
        {"CREATE OR REPLACE FUNCTION quarter_ms() RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
         "RETURN 1",
         "\n+    RETURN 1;"},
        {"ALTER TABLE charge OWNER TO postgres", "\n+ALTER TABLE public.charge OWNER TO postgres;"},
    };
    (void)state;
    dump("before");
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
        sql(changes[i].change);
    dump("after");
    assert_false(same("before", "after"));
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
        if (!strstr(output, changes[i].seen))
            fail_msg("not noticed: %s\n%s", changes[i].change, output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_handed_over_is_brought_along, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(both_ways_come_to_the_same, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(each_difference_is_noticed, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
