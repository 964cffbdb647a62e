/* What keeps the ledger from being changed, compared by what it is and does: whatever somebody with all
 * rights makes of it is named by the audit, and what he puts back is good again. */
#include "tests/pg/support_days.h"

#include <stdio.h>
#include <string.h>

#define A "https://a.example"

static char output[OUTPUT_MAX];

static int closed_day(void **state)
{
    ledger_setup(state);
    days_charge(3, A, 25000, 3);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    sql("CREATE SCHEMA keep; CREATE TABLE keep.spend AS SELECT * FROM spend; CREATE ROLE helper");
    return 0;
}

static int server_and_day(void **state)
{
    return server_start(state) == 0 ? closed_day(state) : 1;
}

/* In rounds, which end where there is no change. */
static const struct {
    const char *change, *undo, *found;
} changes[] = {
    /* Functions. */
    {"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
     " 'BEGIN RETURN NULL; END'",
     NULL, "function refuse_change: is not what this version of the ledger has made"},
    {"ALTER FUNCTION refuse_sealed() SET search_path = keep", NULL, "function refuse_sealed: is not what"},
    {"ALTER FUNCTION billing_day SECURITY DEFINER", "ALTER FUNCTION billing_day SECURITY INVOKER",
     "function billing_day: is not what"},
    {"ALTER FUNCTION note_facts OWNER TO helper", "ALTER FUNCTION note_facts OWNER TO crawltab_owner",
     "function note_facts: belongs to role \"helper\""},
    {"CREATE FUNCTION gift() RETURNS int LANGUAGE sql RETURN 1", "DROP FUNCTION gift()",
     "function gift: is none of the ledger's"},
    {"ALTER FUNCTION distinct_pages RENAME TO distinct_sheets",
     "ALTER FUNCTION distinct_sheets RENAME TO distinct_pages", "function distinct_pages: is missing"},
    /* Triggers. */
    {"ALTER TABLE invoice DISABLE TRIGGER append_only",
     "ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only",
     "table invoice: its trigger \"append_only\" does not fire always"},
    {"ALTER TABLE invoice ENABLE REPLICA TRIGGER noted", "ALTER TABLE invoice ENABLE ALWAYS TRIGGER noted",
     "table invoice: its trigger \"noted\" does not fire always"},
    {"CREATE OR REPLACE TRIGGER append_only BEFORE TRUNCATE ON agreement EXECUTE FUNCTION refuse_change();"
     "ALTER TABLE agreement ENABLE ALWAYS TRIGGER append_only",
     "DROP TRIGGER append_only ON agreement; SELECT make_append_only('agreement')",
     "table agreement: its trigger \"append_only\" is not the one that the ledger has made"},
    {"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON adjustment EXECUTE "
     "FUNCTION"
     " count_agreements(); ALTER TABLE adjustment ENABLE ALWAYS TRIGGER append_only",
     "DROP TRIGGER append_only ON adjustment; SELECT make_append_only('adjustment')",
     "table adjustment: its trigger \"append_only\" is not the one that the ledger has made"},
    {"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OF actor OR DELETE OR TRUNCATE ON site_terms "
     "EXECUTE"
     " FUNCTION refuse_change(); ALTER TABLE site_terms ENABLE ALWAYS TRIGGER append_only",
     "DROP TRIGGER append_only ON site_terms; SELECT make_append_only('site_terms')",
     "table site_terms: its trigger \"append_only\" is not the one that the ledger has made"},
    {"CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_day WHEN (false) EXECUTE "
     "FUNCTION"
     " refuse_change(); ALTER TABLE traffic_day ENABLE ALWAYS TRIGGER append_only",
     "CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_day WHEN"
     " (current_setting('crawltab.forgets_traffic', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION "
     "refuse_change();"
     "ALTER TABLE traffic_day ENABLE ALWAYS TRIGGER append_only",
     "table traffic_day: its trigger \"append_only\" is not the one that the ledger has made"},
    {"CREATE FUNCTION keep.less() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.amount_micros := 1; RETURN "
     "NEW;"
     " END'; CREATE TRIGGER less BEFORE INSERT ON charge FOR EACH ROW EXECUTE FUNCTION keep.less()",
     "DROP TRIGGER less ON charge; DROP FUNCTION keep.less",
     "table charge: it has a trigger \"less\", which is none of the ledger's"},
    {"ALTER TABLE invoice_line DISABLE TRIGGER ALL; ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER "
     "append_only;"
     "ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER noted",
     "ALTER TABLE invoice_line ENABLE TRIGGER ALL; ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER "
     "append_only;"
     "ALTER TABLE invoice_line ENABLE ALWAYS TRIGGER noted",
     "table invoice_line: its references to other tables are not checked"},
    /* Rights. */
    {"GRANT DELETE ON charge TO crawltab_gate", "REVOKE DELETE ON charge FROM crawltab_gate",
     "table charge: role \"crawltab_gate\" may DELETE"},
    {"GRANT UPDATE (amount_minor) ON invoice_payment TO crawltab_operator",
     "REVOKE UPDATE (amount_minor) ON invoice_payment FROM crawltab_operator",
     "table invoice_payment, column amount_minor: role \"crawltab_operator\" may UPDATE"},
    {"GRANT UPDATE (due_date) ON invoice TO helper", "REVOKE UPDATE (due_date) ON invoice FROM helper",
     "table invoice, column due_date: role \"helper\" may UPDATE"},
    {"GRANT SELECT ON invoice TO PUBLIC", "REVOKE SELECT ON invoice FROM PUBLIC",
     "table invoice: everybody may SELECT"},
    {"GRANT INSERT ON invoice TO crawltab_gate", "REVOKE INSERT ON invoice FROM crawltab_gate",
     "table invoice: role \"crawltab_gate\" may INSERT"},
    {"GRANT INSERT ON charge TO crawltab_auditor", "REVOKE INSERT ON charge FROM crawltab_auditor",
     "table charge: role \"crawltab_auditor\" may INSERT"},
    {"GRANT INSERT (digest) ON fact TO crawltab_operator",
     "REVOKE INSERT (digest) ON fact FROM crawltab_operator",
     "table fact: role \"crawltab_operator\" may INSERT"},
    {"GRANT TRIGGER ON day TO crawltab_gate", "REVOKE TRIGGER ON day FROM crawltab_gate",
     "table day: role \"crawltab_gate\" may TRIGGER"},
    {"GRANT EXECUTE ON FUNCTION seal_day TO PUBLIC", "REVOKE EXECUTE ON FUNCTION seal_day FROM PUBLIC",
     "function seal_day: everybody may EXECUTE"},
    {"GRANT EXECUTE ON FUNCTION seal_day TO crawltab_gate",
     "REVOKE EXECUTE ON FUNCTION seal_day FROM crawltab_gate",
     "function seal_day: role \"crawltab_gate\" may EXECUTE"},
    {"GRANT CREATE ON SCHEMA public TO helper", "REVOKE CREATE ON SCHEMA public FROM helper",
     "schema public: role \"helper\" may CREATE"},
    {"ALTER TABLE invoice OWNER TO helper", "ALTER TABLE invoice OWNER TO crawltab_owner",
     "table invoice: belongs to role \"helper\""},
    {"ALTER ROLE crawltab_gate CREATEROLE", "ALTER ROLE crawltab_gate NOCREATEROLE",
     "role crawltab_gate: is a superuser"},
    {"ALTER DEFAULT PRIVILEGES FOR ROLE crawltab_owner GRANT UPDATE ON TABLES TO crawltab_gate",
     "ALTER DEFAULT PRIVILEGES FOR ROLE crawltab_owner REVOKE UPDATE ON TABLES FROM crawltab_gate",
     "whatever role crawltab_owner makes later: role \"crawltab_gate\" may UPDATE"},
    /* Strangers. */
    {"CREATE RULE quiet AS ON DELETE TO conflict DO INSTEAD NOTHING", "DROP RULE quiet ON conflict",
     "table conflict: it has a rule \"quiet\""},
    {"ALTER TABLE seller_logo ENABLE ROW LEVEL SECURITY",
     "ALTER TABLE seller_logo DISABLE ROW LEVEL SECURITY",
     "table seller_logo: row security hides rows of it, or might"},
    {"CREATE POLICY few ON invoice USING (false)", "DROP POLICY few ON invoice",
     "table invoice: row security hides rows of it, or might"},
    {"CREATE FUNCTION keep.event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     "CREATE EVENT TRIGGER ears ON ddl_command_end EXECUTE FUNCTION keep.event()",
     "DROP EVENT TRIGGER ears; DROP FUNCTION keep.event", "event trigger ears: is none of the ledger's"},
    {"CREATE PUBLICATION leak FOR TABLE charge", "DROP PUBLICATION leak",
     "publication leak: carries rows away, and is none of the ledger's"},
    {"CREATE SUBSCRIPTION guest CONNECTION 'dbname=other' PUBLICATION p WITH (connect = false)",
     "ALTER SUBSCRIPTION guest SET (slot_name = NONE); DROP SUBSCRIPTION guest",
     "subscription guest: brings rows that no gate has made"},
    {"CREATE EXTENSION pg_trgm", "DROP EXTENSION pg_trgm", "extension pg_trgm: is none of the ledger's"},
    {"CREATE MATERIALIZED VIEW copy AS SELECT 1 AS n", "DROP MATERIALIZED VIEW copy",
     "materialized view copy: is none of the ledger's"},
    {"ALTER TABLE gate_clock SET UNLOGGED", "ALTER TABLE gate_clock SET LOGGED",
     "table gate_clock: it is unlogged"},
    /* What rows must be. */
    {"ALTER TABLE charge DROP CONSTRAINT charge_amount_micros_check",
     "ALTER TABLE charge ADD CONSTRAINT charge_amount_micros_check CHECK (amount_micros >= 0)",
     "table charge: charge_amount_micros_check is missing: add it again as CHECK ((amount_micros >= 0))"},
    {"ALTER TABLE invoice DROP CONSTRAINT invoice_check,"
     " ADD CONSTRAINT invoice_check CHECK (carried_in_micros >= 0 OR true)",
     "ALTER TABLE invoice DROP CONSTRAINT invoice_check, ADD CONSTRAINT invoice_check"
     " CHECK (carried_in_micros + subtotal_micros = net_micros + carried_out_micros)",
     "table invoice: invoice_check is now CHECK (((carried_in_micros >= 0) OR true)): make it CHECK"},
    {"ALTER TABLE invoice_line DROP CONSTRAINT invoice_line_quantity_check,"
     " ADD CONSTRAINT invoice_line_quantity_check CHECK (quantity <> 0) NOT VALID",
     "ALTER TABLE invoice_line VALIDATE CONSTRAINT invoice_line_quantity_check",
     "table invoice_line: invoice_line_quantity_check is not checked for all rows"},
    {"ALTER TABLE charge ADD CONSTRAINT cheap CHECK (amount_micros < 1000000)",
     "ALTER TABLE charge DROP CONSTRAINT cheap", "table charge: cheap is none of the ledger's"},
    {"DROP INDEX invoice_payment_identity",
     "CREATE UNIQUE INDEX invoice_payment_identity ON invoice_payment (site_id, number, identity)",
     "table invoice_payment: invoice_payment_identity is missing: add it again as UNIQUE INDEX"},
    {"ALTER TABLE fact ALTER made_at SET DEFAULT '2020-01-01Z'",
     "ALTER TABLE fact ALTER made_at SET DEFAULT clock_timestamp()",
     "table fact: made_at is now DEFAULT '2020"},
    {"ALTER TABLE charge ALTER signature DROP NOT NULL", "ALTER TABLE charge ALTER signature SET NOT NULL",
     "table charge: columns is now NOT NULL amount_micros"},
    /* Views. */
    {"CREATE OR REPLACE VIEW billable AS SELECT payment_id, site_id, crawler_id, amount_micros, rule FROM"
     " charge WHERE crawler_id <> 1",
     "CREATE OR REPLACE VIEW billable AS SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, "
     "c.rule"
     " FROM charge c WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id)",
     "view billable: is not what this version of the ledger has made"},
    {"ALTER VIEW traffic_counts RENAME TO counts", "ALTER VIEW counts RENAME TO traffic_counts",
     "view traffic_counts: is missing: make it again"},
    {"ALTER ROLE crawltab_owner SET session_replication_role = replica",
     "ALTER ROLE crawltab_owner RESET session_replication_role",
     "role crawltab_owner: sessions begin with session_replication_role=replica"},
    /* What the ledger's names mean, and whose rows they are. */
    {"CREATE FUNCTION pg_catalog.refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
     " 'BEGIN RETURN NEW; END'",
     "DROP FUNCTION pg_catalog.refuse_change()",
     "function pg_catalog.refuse_change: is called before one of the ledger with its name"},
    {"CREATE FUNCTION pg_catalog.alike(bytea, uuid) RETURNS boolean LANGUAGE sql RETURN true;"
     "CREATE OPERATOR pg_catalog.<> (leftarg = bytea, rightarg = uuid, function = pg_catalog.alike)",
     "DROP OPERATOR pg_catalog.<> (bytea, uuid); DROP FUNCTION pg_catalog.alike(bytea, uuid)",
     "operator pg_catalog.<>: changes what statements compare"},
    {"CREATE CAST (bytea AS text) WITHOUT FUNCTION", "DROP CAST (bytea AS text)",
     "cast (bytea AS text): changes what statements compare"},
    {"CREATE TABLE keep.more () INHERITS (invoice_payment)", "DROP TABLE keep.more",
     "table invoice_payment: rows of table keep.more count as its own"},
    {"CREATE VIEW gifts AS SELECT 1 AS n", "DROP VIEW gifts", "view gifts: is none of the ledger's"},
    {"CREATE TABLE gift (n int)", "DROP TABLE gift", "table gift: is none of the ledger's"},
    /* What gates count by. */
    {"ALTER TABLE spend DISABLE TRIGGER append_only; DELETE FROM spend",
     "INSERT INTO spend SELECT * FROM keep.spend; ALTER TABLE spend ENABLE ALWAYS TRIGGER append_only",
     "spend of " A " from "},
    /* What the audit itself, or other findings, are about to hide: one after the other. */
    {NULL, NULL, NULL},
    {"ALTER TABLE schema_version DISABLE TRIGGER append_only; UPDATE schema_version SET applied_at = "
     "applied_at"
     " + CASE version WHEN 4 THEN interval '2 d' ELSE interval '1 d' END WHERE version >= 4; ALTER TABLE"
     " schema_version ENABLE ALWAYS TRIGGER append_only",
     "ALTER TABLE schema_version DISABLE TRIGGER append_only; UPDATE schema_version SET applied_at = "
     "applied_at"
     " - CASE version WHEN 4 THEN interval '2 d' ELSE interval '1 d' END WHERE version >= 4; ALTER TABLE"
     " schema_version ENABLE ALWAYS TRIGGER append_only",
     "schema_version 31: came after version 32, or after rows that it notes"},
    {NULL, NULL, NULL},
    {"CREATE OR REPLACE FUNCTION instant_ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT "
     "PARALLEL"
     " SAFE RETURN 0",
     NULL, "function instant_ms: is not what this version of the ledger has made"},
    {NULL, NULL, NULL},
    {"ALTER FUNCTION uuid_floor SET SCHEMA keep", "ALTER FUNCTION keep.uuid_floor SET SCHEMA public",
     "function uuid_floor: is missing: make it again"},
    {NULL, NULL, NULL},
    {"ALTER FUNCTION instant_ms SET SCHEMA keep", "ALTER FUNCTION keep.instant_ms SET SCHEMA public",
     "functions and views: cannot be compared: uuid_floor needs something that is missing"},
    {NULL, NULL, NULL},
    {"GRANT crawltab_owner TO crawltab_gate", "REVOKE crawltab_owner FROM crawltab_gate",
     "role crawltab_gate: may act as role \"crawltab_owner\""},
    {"GRANT pg_write_all_data TO crawltab_gate", "REVOKE pg_write_all_data FROM crawltab_gate",
     "role crawltab_gate: may act as role \"pg_write_all_data\""},
    {NULL, NULL, NULL},
    {"DO $$ BEGIN EXECUTE 'REVOKE TEMPORARY ON DATABASE ' || current_database() || ' FROM PUBLIC'; END $$",
     "DO $$ BEGIN EXECUTE 'GRANT TEMPORARY ON DATABASE ' || current_database() || ' TO PUBLIC'; END $$",
     "functions and views: cannot be compared: GRANT TEMPORARY"},
};

#define COUNT (sizeof(changes) / sizeof(*changes))

/* What a change of a function had before, to be put back. */
static const char remember[] =
    "CREATE TABLE keep.functions AS SELECT pg_get_functiondef(oid) AS text FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace";
static const char restore[] = "DO $$ DECLARE f record; BEGIN FOR f IN SELECT text FROM keep.functions LOOP"
                              " EXECUTE f.text; END LOOP; END $$";

/* Makes the changes up to the next that is none, and takes them back in the other order. */
static size_t round_of_changes(size_t from)
{
    size_t end = from;
    for (; end < COUNT && changes[end].change; end++)
        sql(changes[end].change);
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    for (size_t i = from; i < end; i++)
        if (!strstr(output, changes[i].found)) {
            fputs(output, stderr); /* longer than cmocka's messages can be */
            fail_msg("%s", changes[i].change);
        }
    for (size_t i = end; i-- > from;)
        sql(changes[i].undo ? changes[i].undo : restore);
    return end + 1;
}

static void every_change_is_named(void **state)
{
    (void)state;
    /* However a DBA likes to read. */
    sql("ALTER ROLE crawltab_operator SET search_path = keep, public; ALTER ROLE crawltab_operator SET "
        "TimeZone ="
        " 'Asia/Kolkata'; ALTER ROLE crawltab_operator SET DateStyle = 'SQL, DMY'");
    sql(remember);
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    for (size_t i = 0; i < COUNT;)
        i = round_of_changes(i);
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
}

/* What is there on purpose is said in the configuration, and only of what is beside the ledger. */
static void what_is_allowed_is_no_finding(void **state)
{
    char text[4096] =
        "ledger:\n  audit_allows: [\"publication reports\", extension pg_trgm, table invoice]\n";
    (void)state;
    sql("CREATE PUBLICATION reports FOR TABLE invoice; CREATE EXTENSION pg_trgm");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "or name it in ledger.audit_allows if it is there on purpose"));
    FILE *file = fopen(ledger_config_path(), "r+");
    assert_non_null(file);
    size_t start = strlen(text);
    assert_int_equal(fseek(file, strlen("ledger:\n"), SEEK_SET), 0);
    size_t len = fread(text + start, 1, sizeof(text) - start, file);
    assert_true(feof(file));
    rewind(file);
    assert_int_equal(fwrite(text, 1, start + len, file), start + len);
    assert_int_equal(fclose(file), 0);
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    sql("ALTER TABLE invoice ENABLE ROW LEVEL SECURITY");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table invoice: row security"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_change_is_named),
                                       cmocka_unit_test(what_is_allowed_is_no_finding)};
    return cmocka_run_group_tests(tests, server_and_day, server_stop);
}
