/* Migrations can be run again, refuse what is newer, and leave tables that refuse every change (promise P3).
 */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/pg/schema.h"

#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF(number)   #number
#define DIGITS_OF(number) TEXT_OF(number)
#define BASELINE          DIGITS_OF(SCHEMA_BASELINE)

static char output[OUTPUT_MAX];

/* How many migrations there are, as text. */
static const char *migrations(void)
{
    static char text[16];
    glob_t files;
    assert_int_equal(glob("sql/migrations/*.sql", 0, NULL, &files), 0);
    snprintf(text, sizeof(text), "%zu", files.gl_pathc);
    globfree(&files);
    return text;
}

static void migrate_runs_twice(void **state)
{
    (void)state;
    assert_int_equal(CRAWLTAB(output, "migrate"), 0);
    assert_non_null(strstr(output, "nothing to do"));
    assert_int_equal(CRAWLTAB(output, "migrate", "--bootstrap", "--superuser", "postgres"), 0);
    assert_null(strstr(output, "created"));
    assert_string_equal(sql("SELECT count(DISTINCT version) FROM schema_version"), migrations());
    assert_string_equal(sql("SELECT count(*) FROM schema_version"), migrations());
    /* The baseline is one deed, and each migration after it. */
    assert_string_equal(sql("SELECT string_agg(detail, ' ' ORDER BY action_id) = (SELECT string_agg(name, ' '"
                            "  ORDER BY version) FROM schema_version WHERE version >= " BASELINE ")"
                            " FROM operator_action WHERE action = 'migrate'"),
                        "t");
}

static void two_migrations_at_once(void **state)
{
    (void)state;
    const char *const create[] = {"migrate", "--bootstrap", "--superuser", "postgres", NULL};
    ledger_empty("UTC");
    int statuses[4], pids[4];
    /* The database first: CREATE DATABASE twice at once is an error of PostgreSQL's, not a lock. */
    assert_int_equal(run_wait(crawltab_spawn(create)), 0);
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner");
    for (int i = 0; i < 4; i++)
        pids[i] = crawltab_spawn((const char *const[]){"migrate", NULL});
    for (int i = 0; i < 4; i++)
        statuses[i] = run_wait(pids[i]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(statuses[i], 0);
    assert_string_equal(sql("SELECT count(*) FROM schema_version"), migrations());
}

static void newer_schema_is_refused(void **state)
{
    (void)state;
    sql("INSERT INTO schema_version VALUES (999, '0999-later', now())");
    assert_int_equal(CRAWLTAB(output, "migrate"), 1);
    assert_non_null(strstr(output, "newer than this program"));
    assert_int_equal(CRAWLTAB(output, "nightly"), 1);
    assert_non_null(strstr(output, "newer than this program"));
    struct writer *writer = writer_start(ledger_config());
    poll(NULL, 0, 300);
    assert_false(writer_ready(writer));
    writer_stop(writer);
}

/* What a later version made says whether gates of this one go on; commands of this one never do. */
static void a_gate_goes_on_where_it_may(void **state)
{
    char query[256];
    (void)state;
    snprintf(query, sizeof(query), "INSERT INTO schema_version VALUES (999, '0999-later', now(), %s)",
             migrations());
    sql(query);
    struct writer *writer = writer_start_ready();
    struct payment payment =
        payment_make(clock_now_ms(), "https://crawler.example", 2500, "http://127.0.0.1:8402/");
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    assert_int_equal(CRAWLTAB(output, "nightly"), 1);
    assert_non_null(strstr(output, "newer than this program"));
    snprintf(query, sizeof(query), "INSERT INTO schema_version VALUES (1000, '1000-breaks', now(), %s + 1)",
             migrations());
    sql(query);
    writer = writer_start(ledger_config());
    poll(NULL, 0, 300);
    assert_false(writer_ready(writer));
    assert_true(writer_refused(writer));
    writer_stop(writer);
}

static void gate_waits_for_migrate(void **state)
{
    (void)state;
    ledger_empty("UTC");
    struct writer *writer = writer_start(ledger_config());
    poll(NULL, 0, 200);
    assert_false(writer_ready(writer));
    struct payment payment =
        payment_make(clock_now_ms(), "https://crawler.example", 2500, "http://127.0.0.1:8402/");
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    ledger_migrate();
    writer_wait_ready(writer, true);
    writer_stop(writer);
}

/* Every command on every table, the partitions too, as the owner and as a superuser who plays replica. */
static const char every_change[] =
    "DO $$ DECLARE t record; command text; BEGIN"
    " FOR t IN SELECT c.oid::regclass AS name, c.relname, (SELECT attname FROM pg_attribute a WHERE attrelid "
    "= c.oid"
    "   AND attnum > 0 ORDER BY attnum DESC LIMIT 1) AS col FROM pg_class c WHERE relkind IN ('r', 'p')"
    "   AND relnamespace = 'public'::regnamespace LOOP"
    "  FOREACH command IN ARRAY ARRAY[format('UPDATE %s SET %I = %I', t.name, t.col, t.col),"
    "    format('DELETE FROM %s', t.name), format('TRUNCATE %s CASCADE', t.name)] LOOP"
    "   CONTINUE WHEN t.relname IN ('number_series', 'traffic_day', 'traffic_stretch', 'traffic_month',"
    "                               'traffic_total', 'traffic_path')"
    "                 AND command LIKE 'UPDATE%';"
    "   BEGIN EXECUTE command; RAISE EXCEPTION 'not refused: %', command;"
    "   EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
    "  END LOOP; END LOOP; END $$";

static void nothing_can_be_changed(void **state)
{
    (void)state;
    static char replica[sizeof(every_change) + 64];
    struct writer *writer = writer_start_ready();
    struct payment payment =
        payment_make(clock_now_ms(), "https://crawler.example", 2500, "http://127.0.0.1:8402/");
    struct payment again = payment;
    again.charge.resource = SLICE("http://127.0.0.1:8402/b");
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_int_equal(payment_pay(writer, &again), ERR_PAYMENT_CONFLICT); /* a counter that counts up alone */
    writer_stop(writer);
    if (!sql_as("crawltab_owner", every_change, output))
        fail_msg("%s", output);
    snprintf(replica, sizeof(replica), "SET session_replication_role = replica; %s", every_change);
    if (!sql_as("postgres", replica, output))
        fail_msg("%s", output);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
    assert_false(sql_as("crawltab_owner",
                        "INSERT INTO charge SELECT * FROM charge ON CONFLICT (payment_id, lane)"
                        " DO UPDATE SET rule = 'x'",
                        output));
}

/* What the role may do with whole tables, beside reading. */
static const char *rights_of(const char *role)
{
    static char query[512];
    snprintf(query, sizeof(query),
             "SELECT string_agg(relname || ' ' || p, ', ' ORDER BY relname, p) FROM pg_class c,"
             " unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p"
             " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
             " AND has_table_privilege('%s', c.oid, p)",
             role);
    return sql(query);
}

static void rights_are_narrow(void **state)
{
    static const char *const refused[] = {"charge", "conflict", "spend",    "day_seal",   "site INSERT",
                                          "UPDATE", "DELETE",   "TRUNCATE", "REFERENCES", "TRIGGER"};
    (void)state;
    assert_string_equal(rights_of("crawltab_gate"),
                        "charge INSERT, crawler INSERT, crawler_key INSERT,"
                        " crawler_key_source INSERT, day INSERT, delivery INSERT, directory_snapshot INSERT,"
                        " gate_clock INSERT, handover INSERT, offer_terms INSERT, page_copy INSERT,"
                        " payment_identifier INSERT, site INSERT,"
                        " spend INSERT, traffic INSERT");
    const char *operator_may = rights_of("crawltab_operator");
    assert_non_null(strstr(operator_may, "invoice INSERT"));
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_null(strstr(operator_may, refused[i]));
    assert_false(sql_as("crawltab_gate", "CREATE TABLE mine (a int)", output));
    assert_false(sql_as("crawltab_gate", "SELECT charge_partitions('2000-01-01', '2030-01-01')", output));
    assert_false(sql_as("crawltab_operator", "UPDATE number_series SET site_id = 1", output));
    assert_false(sql_as("crawltab_gate", "SELECT forget_traffic('2030-01-01')", output));
    assert_false(sql_as("crawltab_operator", "SELECT forget_traffic('2030-01-01')", output));
    assert_false(sql_as("crawltab_gate", "INSERT INTO traffic_hour DEFAULT VALUES", output));
}

/* Read from the catalogue, so that a table that is added later is looked at too. */
static void the_gate_may_insert_and_select_alone(void **state)
{
    (void)state;
    writer_stop(writer_start_ready());
    assert_string_equal(
        sql("SELECT coalesce(string_agg(c.relname || ' ' || p, ', '), '') FROM pg_class c,"
            " unnest(ARRAY['UPDATE', 'REFERENCES']) p WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND relnamespace = 'public'::regnamespace AND has_any_column_privilege('crawltab_gate', c.oid, "
            "p)"),
        "");
    assert_string_equal(
        sql("SELECT coalesce(string_agg(c.relname || ' ' || a.privilege_type, ', '), '') FROM pg_class c"
            " CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE a.grantee IN (0, 'crawltab_gate'::regrole)"
            " AND relnamespace = 'public'::regnamespace"
            " AND (a.privilege_type NOT IN ('INSERT', 'SELECT') OR a.is_grantable OR a.grantee = 0)"),
        "");
    assert_string_equal(
        sql("SELECT count(*) FROM pg_roles r WHERE rolname = 'crawltab_gate' AND (rolsuper OR rolcreaterole "
            "OR"
            " rolcreatedb OR rolbypassrls OR rolreplication OR EXISTS (SELECT FROM pg_auth_members m"
            " WHERE m.member = r.oid) OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)"
            " OR has_schema_privilege(oid, 'public', 'CREATE'))"),
        "0");
    /* Of the functions with the owner's rights it may run those that make partitions, count conflicts, accrue
     * days, add up traffic, count paths, open a crawler's dispute, mark a sandbox, and tell when it was
     * audited last. */
    assert_string_equal(sql("SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE prosecdef"
                            " AND pronamespace = 'public'::regnamespace"
                            " AND has_function_privilege('crawltab_gate', oid, 'EXECUTE')"),
                        "accrue_days charge_partitions count_paths keep_traffic mark_sandbox newest_audit "
                        "note_conflicts note_undelivered open_dispute");
    assert_true(
        sql_as("crawltab_gate", "SELECT charge_partitions(current_date + 59, current_date + 60)", output));
    assert_false(
        sql_as("crawltab_gate", "SELECT charge_partitions(current_date + 60, current_date + 61)", output));
    assert_non_null(strstr(output, "too far from today"));
    assert_false(sql_as("crawltab_gate", "SELECT charge_partitions('1991-01-01', '1991-01-02')", output));
}

/* Every table and partition has triggers that fire always, before UPDATE (16), DELETE (8) and TRUNCATE (32).
 */
static void every_table_has_its_triggers(void **state)
{
    (void)state;
    writer_stop(writer_start_ready());
    assert_string_equal(
        sql("SELECT coalesce(string_agg(c.relname, ', '), '') FROM pg_class c"
            " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            " AND coalesce((SELECT bit_or(tgtype::integer) FROM pg_trigger WHERE tgrelid = c.oid"
            "   AND tgenabled = 'A' AND tgtype & 2 = 2), 0) & 56 <> 56"),
        "");
    assert_string_equal(sql("SELECT count(*) >= 5 FROM pg_inherits WHERE inhparent = 'charge'::regclass"),
                        "t");
}

static void everything_says_what_it_is_for(void **state)
{
    (void)state;
    assert_string_equal(sql("SELECT coalesce(string_agg(name, ', '), '') FROM ("
                            " SELECT relname AS name, obj_description(oid, 'pg_class') AS says FROM pg_class"
                            "  WHERE relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition"
                            "  AND relnamespace = 'public'::regnamespace"
                            " UNION ALL SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc"
                            "  WHERE pronamespace = 'public'::regnamespace) AS made WHERE says IS NULL"),
                        "");
}

/* The table in sql/README.md, and what the catalogue knows. */
static void readme_tells_who_adds_to_which_table(void **state)
{
    static char query[OUTPUT_MAX];
    (void)state;
    FILE *file = fopen("sql/README.md", "r");
    assert_non_null(file);
    size_t len = (size_t)snprintf(query, sizeof(query),
                                  "WITH line AS (SELECT string_to_array(l, ' | ') AS cell"
                                  " FROM string_to_table($readme$");
    len += fread(query + len, 1, sizeof(query) / 2, file);
    assert_true(feof(file));
    fclose(file);
    snprintf(
        query + len, sizeof(query) - len,
        "$readme$, E'\n') AS l WHERE l LIKE '| `%%'), readme AS (SELECT name[1], rtrim(cell[3], ' |') AS adds"
        "  FROM line, regexp_matches(cell[1], '`(\\w+)`', 'g') AS name), made AS ("
        " SELECT relname::text AS name, coalesce(nullif(concat_ws(', ',"
        "   CASE WHEN has_table_privilege('crawltab_gate', oid, 'INSERT') THEN 'gate' END,"
        "   CASE WHEN has_table_privilege('crawltab_operator', oid, 'INSERT') THEN 'operator' END), ''),"
        "  'owner') AS adds FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        "  AND relnamespace = 'public'::regnamespace)"
        " SELECT * FROM readme FULL JOIN made USING (name) WHERE readme.adds IS DISTINCT FROM made.adds");
    assert_string_equal(sql(query), "");
}

static void counters_count_up(void **state)
{
    (void)state;
    sql("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
        " VALUES ('a', 'USD', 2, 'UTC', 'a:402', 'A', now());"
        "INSERT INTO number_series VALUES (1, 'INV-2026', 5)");
    assert_false(sql_as("crawltab_operator", "UPDATE number_series SET last_number = 4", output));
    assert_true(sql_as("crawltab_operator", "UPDATE number_series SET last_number = 6", output));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(migrate_runs_twice, ledger_setup, ledger_teardown),
        cmocka_unit_test_teardown(two_migrations_at_once, ledger_teardown),
        cmocka_unit_test_setup_teardown(newer_schema_is_refused, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_gate_goes_on_where_it_may, ledger_setup, ledger_teardown),
        cmocka_unit_test_teardown(gate_waits_for_migrate, ledger_teardown),
        cmocka_unit_test_setup_teardown(nothing_can_be_changed, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(rights_are_narrow, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(the_gate_may_insert_and_select_alone, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(every_table_has_its_triggers, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(everything_says_what_it_is_for, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(readme_tells_who_adds_to_which_table, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(counters_count_up, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
