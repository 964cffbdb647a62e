/* Rows on which money depends beside the entries: whatever somebody with all rights does to any of them is
 * found by the audit, which names the row. Tests ledger/proof/fact_tree.c */
#include "tests/pg/support_days.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/verify/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"

static char output[OUTPUT_MAX];
static char ledger[64]; /* with closed days, and a row in each table of facts at the least */

static const char open_triggers[] =
    "DO $$ DECLARE t record; BEGIN FOR t IN SELECT DISTINCT tgrelid::regclass AS name"
    " FROM pg_trigger WHERE NOT tgisinternal LOOP"
    " EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t.name); END LOOP; END $$;";

static const char close_triggers[] =
    "DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgrelid::regclass AS name, tgname"
    " FROM pg_trigger WHERE NOT tgisinternal LOOP"
    " EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.name, t.tgname); END LOOP; END $$;";

/* A value of each type that is no row's yet, for the columns of `c`. */
#define ANOTHER                                                                                              \
    "CASE format_type(c.atttypid, NULL) WHEN 'text' THEN '''another'''"                                      \
    " WHEN 'bytea' THEN 'sha256(''another'')' WHEN 'uuid' THEN 'gen_random_uuid()'"                          \
    " WHEN 'timestamp with time zone' THEN 'timestamptz ''2001-02-03 04:05:06.789Z'''"                       \
    " WHEN 'date' THEN 'date ''2001-02-03''' WHEN 'boolean' THEN 'true'"                                     \
    " WHEN 'text[]' THEN 'ARRAY[''another'']' WHEN 'jsonb' THEN '''{\"another\": 1}''::jsonb'"               \
    " ELSE '77' END"

/* Constraints go, since whoever has all rights takes them away, and each table of facts gets a row: sandbox
 * has its one. */
static const char fill[] =
    "DO $$ DECLARE k record; s text; BEGIN"
    " FOR k IN SELECT DISTINCT conrelid::regclass AS t, conname, contype, contype = 'u' FROM pg_constraint "
    "JOIN "
    "fact_sources()"
    "   ON source::regclass IN (conrelid, confrelid) WHERE contype IN ('c', 'f', 'u') ORDER BY contype = 'u' "
    "LOOP"
    "  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.t, k.conname); END LOOP;"
    " FOR k IN SELECT indexrelid::regclass AS name FROM pg_index JOIN fact_sources() ON indrelid ="
    "   source::regclass WHERE indisunique AND NOT indisprimary LOOP"
    "  EXECUTE format('DROP INDEX %s', k.name); END LOOP;"
    " ALTER TABLE invoice ALTER net_minor DROP NOT NULL;" /* it is made of others */
    " FOR s IN SELECT source FROM fact_sources() WHERE source NOT IN ('site', 'sandbox') LOOP"
    "  EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', s);"
    "  EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER noted', s);"
    "  EXECUTE (SELECT format('INSERT INTO %I (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', s,"
    "     string_agg(quote_ident(attname), ',' ORDER BY attnum),"
    "     string_agg(CASE WHEN attname = 'site_id' THEN '1' ELSE " ANOTHER " END, ',' ORDER BY attnum))"
    "    FROM pg_attribute c WHERE attrelid = s::regclass AND attnum > 0 AND NOT attisdropped AND "
    "attgenerated = '');"
    " END LOOP; END $$;"
    "ALTER TABLE fact DISABLE TRIGGER USER; UPDATE fact SET superuser = NULL;" /* whom the audit would name */
    /* A third of the tables each: so much is kept of what a program prints. */
    "CREATE TABLE target AS SELECT DISTINCT ON (source) source, key,"
    "  CASE source WHEN 'site' THEN 3 ELSE dense_rank() OVER (ORDER BY source) % 3 END AS part FROM fact "
    "ORDER BY source, made_at DESC";

static int closed_days(void **state)
{
    server_start(state);
    ledger_setup(state);
    for (int days = 5; days >= 3; days--)
        days_charge(days, A, 25000, 3);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 0);
    assert_int_equal(CRAWLTAB(output, "invoice", "paid", sql("SELECT number FROM invoice LIMIT 1"),
                              "--amount", "0.01", "--reference", "r"),
                     0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    snprintf(ledger, sizeof(ledger), "%s", ledger_database());
    return 0;
}

static void use(const char *name)
{
    sql_leave();
    ledger_copy(name);
}

/* Each row is in one tree: that of the first day that was closed after it was made. */
static void each_row_is_in_one_tree(void **state)
{
    (void)state;
    use(ledger);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_string_equal(
        sql("SELECT count(*) FROM fact f FULL JOIN fact_sources() s CROSS JOIN LATERAL"
            " facts_of(s.source, CASE WHEN s.of_site THEN 1 END) n ON f.source = s.source AND f.key = n.key"
            " WHERE n.digest IS DISTINCT FROM f.digest"),
        "0");
    assert_string_equal(sql("SELECT count(*) FROM fact LEFT JOIN day_fact d USING (source, key)"
                            " WHERE d.source IS NULL"),
                        "0");
    /* A payment between two closes is in the second one's. */
    assert_string_equal(sql("SELECT (SELECT local_date FROM day_fact WHERE source = 'invoice_payment')"
                            " = max(local_date) FROM day_close"),
                        "t");
    assert_string_equal(
        sql("SELECT bool_and(convert_from(leaf, 'UTF8') LIKE E'%\\nfacts ' || (SELECT count(*)"
            " FROM day_fact d WHERE d.local_date = c.local_date) || E'\\nfacts-root %')"
            " FROM checkpoint c"),
        "t");
    assert_string_equal(sql("SELECT count(DISTINCT source) >= 8 FROM day_fact"), "t");
    /* An audit is on record itself, and the next one finds its record good. */
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_string_equal(
        sql("SELECT count(*), bool_and(detail ~ '^all sites: everything adds up; 3 closed days,"
            " [0-9]+[.][0-9] seconds$') FROM operator_action WHERE action = 'audit'"),
        "2|t");
}

/* Settings of a session change no digest. */
static void digests_are_the_same_for_everybody(void **state)
{
    (void)state;
    use(ledger);
    assert_string_equal(
        sql("SET TimeZone = 'Asia/Kathmandu'; SET bytea_output = 'escape'; SET DateStyle = 'German';"
            "SELECT count(*) FROM fact f JOIN fact_sources() s USING (source),"
            " facts_of(s.source, CASE WHEN s.of_site THEN 1 END) n WHERE n.key = f.key AND n.digest <> "
            "f.digest"),
        "0");
    sql_leave();
    assert_string_equal(
        sql("SELECT encode(digest, 'hex') = encode(sha256('\\x00' || "
            "convert_to(E'site_zone\\n1/7\\n{\"actor\":"
            " \"x\", \"site_id\": 1, \"version\": 7, \"from_date\": \"2026-03-01\", \"time_zone\": \"UTC\","
            " \"recorded_at\": \"2026-03-01T05:00:00+00:00\"}\\n', 'UTF8')), 'hex')"
            " FROM (SELECT fact_digest('site_zone', '1/7', to_jsonb(z)) AS digest FROM (SELECT 1 AS site_id,"
            "  7 AS version, date '2026-03-01' AS from_date, 'UTC' AS time_zone,"
            "  timestamptz '2026-03-01 05:00Z' AS recorded_at, 'x' AS actor) AS z) AS f"),
        "t");
}

/* No column is left out. */
static void every_column_counts(void **state)
{
    (void)state;
    use(ledger);
    sql(fill);
    sql(open_triggers);
    sql("DO $$ DECLARE c record; now_is bytea; BEGIN"
        " FOR c IN SELECT t.*, attname, atttypid FROM target t JOIN pg_attribute ON attrelid = "
        "source::regclass"
        "   WHERE attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL ((SELECT keys "
        "FROM fact_sources() s"
        "     WHERE s.source = t.source)::text[]) LOOP"
        "  BEGIN"
        "   EXECUTE format('UPDATE %I t SET %I = NULL WHERE fact_key(%L, to_jsonb(t)) = %L', c.source,"
        "     c.attname, c.source, c.key);"
        "  EXCEPTION WHEN not_null_violation THEN"
        "   EXECUTE format('ALTER TABLE %I ALTER %I DROP NOT NULL', c.source, c.attname);"
        "   EXECUTE format('UPDATE %I t SET %I = NULL WHERE fact_key(%L, to_jsonb(t)) = %L', c.source,"
        "     c.attname, c.source, c.key);"
        "  END;"
        "  SELECT digest INTO now_is FROM fact_sources() s, facts_of(s.source, CASE WHEN s.of_site THEN 1 "
        "END) f"
        "   WHERE s.source = c.source AND f.key = c.key;"
        "  IF now_is = (SELECT digest FROM fact f WHERE f.source = c.source AND f.key = c.key) THEN"
        "   RAISE EXCEPTION '%.% does not count', c.source, c.attname; END IF;"
        "  EXECUTE format('UPDATE %I t SET %I = ' || " ANOTHER
        " || ' WHERE fact_key(%L, to_jsonb(t)) = %L', c.source, c.attname, c.source, c.key);"
        " END LOOP; END $$");
}

/* What is done to the chosen row of each table: "%I" its table, then the condition that finds it. */
static const struct {
    const char *change, *found;
} kinds[] = {
    {"DELETE FROM %I t WHERE fact_key(%L, to_jsonb(t)) = %L", "was removed"},
    {"UPDATE %I t SET COLUMN = NEWVALUE WHERE fact_key(%L, to_jsonb(t)) = %L", "was changed"},
    {"INSERT INTO %I (ALLCOLS) OVERRIDING SYSTEM VALUE SELECT ALLCOLS FROM (SELECT (jsonb_populate_record(t,"
     " to_jsonb(t) || NEWKEY)).* FROM %1$I t WHERE fact_key(%2$L, to_jsonb(t)) = %3$L) AS n",
     "was added"},
};

/* The audit names each row whose finding is expected, in words of `found`. */
static void assert_named(const char *rows, const char *found)
{
    char line[512];
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    size_t named = 0;
    for (const char *row = rows; *row; named++) {
        size_t len = strcspn(row, "\n");
        snprintf(line, sizeof(line), "%.*s: %s", (int)len, row, found);
        if (!strstr(output, line))
            fail_msg("not found: %s in\n%s", line, output);
        row += len + strspn(row + len, "\n");
    }
    assert_true(named >= 1);
}

static void every_row_is_named(void **state)
{
    (void)state;
    static char text[8192];
    char filled[64], wanted[128];
    use(ledger);
    sql(fill);
    snprintf(filled, sizeof(filled), "%s", ledger_database());
    for (int part = 0; part <= 3; part++) {
        snprintf(wanted, sizeof(wanted), "SELECT source || ' ' || key FROM target WHERE part = %d", part);
        for (size_t kind = 0; kind < 3; kind++) {
            use(filled);
            sql(open_triggers);
            snprintf(
                text, sizeof(text),
                "DO $$ DECLARE c record; BEGIN"
                " FOR c IN SELECT t.source, t.key, a.attname, a.atttypid, s.keys[cardinality(s.keys)] AS "
                "last, (SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = "
                "t.source::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns"
                "   FROM target t JOIN fact_sources() s USING (source)"
                "   JOIN LATERAL (SELECT * FROM pg_attribute WHERE attrelid = t.source::regclass"
                "     AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL (s.keys)"
                "     ORDER BY attnum DESC LIMIT 1) AS a ON true WHERE part = %d LOOP"
                "  EXECUTE format(replace(replace(replace(replace('%s', 'ALLCOLS', c.columns), 'COLUMN', "
                "quote_ident(c.attname)), 'NEWVALUE',"
                "    CASE format_type(c.atttypid, NULL) WHEN 'timestamp with time zone' THEN 'now()'"
                "     WHEN 'bytea' THEN '''other''' WHEN 'boolean' THEN 'false' WHEN 'text' THEN '''other'''"
                "     WHEN 'text[]' THEN 'ARRAY[''x'']' WHEN 'jsonb' THEN '''{}''' WHEN 'date' THEN"
                "     'current_date' WHEN 'uuid' THEN 'gen_random_uuid()' ELSE '78' END), 'NEWKEY',"
                "    quote_literal(json_build_object(c.last, CASE (SELECT format_type(atttypid, NULL) FROM"
                "      pg_attribute WHERE attrelid = c.source::regclass AND attname = c.last)"
                "      WHEN 'text' THEN 'new' WHEN 'date' THEN '2001-03-04' WHEN 'bytea' THEN '\\x1234' WHEN "
                "'boolean' THEN 'false' WHEN "
                "'uuid' THEN"
                "      '01020304-0506-7708-890a-0b0c0d0e0f10' ELSE '79' END)) || '::jsonb'),"
                "    c.source, c.source, c.key); END LOOP; END $$",
                part, kinds[kind].change);
            sql(text);
            char *rows = strdup(
                kind == 2
                    ? sql("SELECT s.source || ' ' || f.key FROM fact_sources() s,"
                          " facts_of(s.source, CASE WHEN s.of_site THEN 1 END) f"
                          " WHERE NOT EXISTS (SELECT FROM fact WHERE source = s.source AND key = f.key)")
                    : sql(wanted));
            assert_named(rows, kinds[kind].found);
            free(rows);
        }
    }
}

/* Who changes the note too, or takes it away, or moves it to another day, meets the signed tree. */
static void notes_are_sealed(void **state)
{
    (void)state;
    static const struct {
        const char *change, *found;
    } changes[] = {
        {"UPDATE invoice_payment SET amount_minor = 2; UPDATE fact SET digest = f.digest FROM"
         " facts_of('invoice_payment', 1) f WHERE fact.source = 'invoice_payment' AND fact.key = f.key",
         "r: was changed, and its note, too: another was sealed with 20"},
        {"UPDATE invoice_payment SET amount_minor = 2; UPDATE fact SET digest = f.digest FROM"
         " facts_of('invoice_payment', 1) f WHERE fact.source = 'invoice_payment' AND fact.key = f.key;"
         "UPDATE day_fact d SET digest = f.digest FROM fact f WHERE f.source = d.source AND f.key = d.key",
         "the rows beside the entries that were sealed with it are not those that were signed"},
        {"ALTER TABLE day_fact DROP CONSTRAINT day_fact_digest_check;"
         "UPDATE day_fact SET digest = '' WHERE source = 'invoice_payment'",
         "the rows beside the entries that were sealed with it are not those that were signed"},
        {"ALTER TABLE day_fact DROP CONSTRAINT day_fact_source_key_fkey; DELETE FROM invoice_payment;"
         "DELETE FROM fact WHERE source = 'invoice_payment'",
         "invoice_payment 1/"},
        {"DELETE FROM invoice_payment; DELETE FROM day_fact WHERE source = 'invoice_payment';"
         "DELETE FROM fact WHERE source = 'invoice_payment'",
         "are not those that were signed"},
        {"UPDATE day_fact SET local_date = (SELECT min(local_date) FROM day_close) WHERE source ="
         " 'invoice_payment'",
         "are not those that were signed"},
        {"DELETE FROM day_fact WHERE source = 'invoice_payment'; UPDATE fact SET made_at = made_at - interval"
         " '3 days' WHERE source = 'invoice_payment'",
         "and is in no day's tree"},
        {"UPDATE fact SET made_at = '2999-01-01Z' WHERE source = 'invoice_payment'",
         "its note says that it was made at 2999-01-01T00:00:00.000Z, which is after it was sealed"},
        {"DELETE FROM day_fact WHERE source = 'invoice_payment'; UPDATE fact SET made_at ="
         " clock_timestamp() + interval '1 hour' WHERE source = 'invoice_payment'",
         ", which is not yet"},
        {"UPDATE checkpoint SET leaf = convert_to(split_part(replace(convert_from(leaf, 'UTF8'), 'day/2',"
         " 'day/1'), 'facts ', 1), 'UTF8')",
         "a day of the log is not what was signed"},
    };
    char text[2048];
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        use(ledger);
        snprintf(text, sizeof(text), "%s%s", open_triggers, changes[i].change);
        sql(text);
        int status = CRAWLTAB(output, "audit");
        if (status != 1 || !strstr(output, changes[i].found))
            fail_msg("%s: %d %s", changes[i].change, status, output);
    }
}

/* Somebody with all rights adds rows as if they were the ledger's own. */
static void who_added_rows_is_told(void **state)
{
    (void)state;
    char expected[128];
    use(ledger);
    sql("INSERT INTO invoice_payment SELECT site_id, number, 'invented', 1, received_on, recorded_at, actor"
        " FROM invoice_payment");
    assert_int_equal(CRAWLTAB(output, "nightly"), 0); /* the signature does not make it good */
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    snprintf(expected, sizeof(expected), "invoice_payment %s/invented: was added at ",
             sql("SELECT site_id || '/' || number FROM invoice_payment LIMIT 1"));
    assert_non_null(strstr(output, expected));
    assert_non_null(strstr(output, "by the superuser \"postgres\", by whom nothing of the ledger works"));
    assert_non_null(strstr(output, ": 1 finding\n"));
    use(ledger);
    sql("ALTER TABLE invoice_payment DISABLE TRIGGER noted");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table invoice_payment: its trigger \"noted\" does not fire always"));
    /* A record that nobody notes would be a finding for ever: there is none. */
    sql("ALTER TABLE invoice_payment ENABLE ALWAYS TRIGGER noted;"
        "ALTER TABLE operator_action DISABLE TRIGGER noted");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "this audit is not recorded in the ledger"));
    sql("ALTER TABLE operator_action ENABLE ALWAYS TRIGGER noted");
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    /* Nor is there one under a number that another deed has. */
    sql("SELECT setval(pg_get_serial_sequence('operator_action', 'action_id'), 1, false)");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "this audit is not recorded in the ledger"));
}

/* A gate tells of keys with each batch: one that somebody took away comes again. */
static void a_row_that_was_taken_away_comes_again(void **state)
{
    (void)state;
    use(ledger);
    sql(open_triggers);
    sql("DELETE FROM crawler_key_source; DELETE FROM crawler_key");
    sql(close_triggers);
    days_charge(2, A, 1000, 1);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "crawler_key 1/"));
    assert_non_null(strstr(output, ": was changed; it was made at "));
}

/* JSON is compared as it is, and so are columns that are added later, once they are used. */
static void what_is_null_within_json_counts(void **state)
{
    (void)state;
    use(ledger);
    sql("ALTER TABLE invoice ADD COLUMN later text");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    sql("ALTER TABLE invoice DISABLE TRIGGER append_only;"
        "UPDATE invoice SET buyer_party = buyer_party || '{\"vat_id\": null}';"
        "ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, ": was changed; it was made at "));
    sql("ALTER TABLE invoice DISABLE TRIGGER append_only;"
        "UPDATE invoice SET buyer_party = buyer_party - 'vat_id';"
        "ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* Of all tables that have a site, those of facts know it; and each key is unique. */
static void sources_are_what_tables_are(void **state)
{
    (void)state;
    use(ledger);
    assert_string_equal(
        sql("SELECT string_agg(source, ' ') FROM fact_sources() s WHERE of_site IS DISTINCT FROM"
            " (source <> 'site' AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = source::regclass"
            "   AND attname = 'site_id' AND attnotnull)) OR NOT EXISTS (SELECT FROM pg_index i WHERE"
            "   indrelid = source::regclass AND indisunique AND indpred IS NULL AND s.keys::name[] @>"
            "   (SELECT array_agg(attname) FROM pg_attribute WHERE attrelid = indrelid"
            "     AND attnum = ANY (i.indkey)))"),
        "");
}

static void read_key(const struct config *config, struct note_key *key)
{
    char hex[2 * NOTE_KEY_SIZE];
    FILE *file = fopen(config->ledger_checkpoint_key_file, "r");
    assert_non_null(file);
    assert_int_equal(fread(hex, 1, sizeof(hex), file), sizeof(hex));
    fclose(file);
    key->signs = signature_sign_ed25519;
    assert_true(encoding_unhex(slice_bytes(hex, sizeof(hex)), key->seed, NOTE_KEY_SIZE));
    assert_true(signature_public_ed25519(key->seed, key->public_key));
}

static void sign_as_before(const char *date, const struct note_key *key)
{
    const struct day_tree_order order = {.site_id = 1, .date = date};
    struct day_tree tree = {.entries = 0};
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = ledger_config()->ledger_operator_role,
                                                 .application = "an earlier version",
                                                 .connect_ms = 5000,
                                                 .timeout_ms = 5000});
    assert_non_null(pg);
    assert_int_equal(pg_begin(pg), ERR_OK);
    assert_int_equal(day_tree_read(pg, &order, &tree), ERR_OK);
    assert_int_equal(checkpoint_add(pg, &order, &tree, NULL, key), ERR_OK);
    assert_int_equal(pg_commit(pg), ERR_OK);
    day_tree_free(&tree);
    pg_close(pg);
}

/* What an earlier version closed is signed as it was; the next day has all rows of before. */
static void older_days_stay_as_they_were_signed(void **state)
{
    (void)state;
    struct note_key key;
    char until[64];
    use(ledger);
    sql(open_triggers);
    sql("TRUNCATE checkpoint, day_fact, cosignature");
    sql(close_triggers);
    read_key(ledger_config(), &key);
    for (int days = 5; days >= 3; days--)
        sign_as_before(days_date(days), &key);
    snprintf(until, sizeof(until), "until %s, entries alone are sealed", days_date(3));
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_non_null(strstr(output, "3 of the days seal entries alone, since an earlier version closed them"));
    days_charge(2, A, 1000, 1);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(2)), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 0);
    assert_string_equal(sql("SELECT count(*) FROM fact LEFT JOIN day_fact d USING (source, key)"
                            " WHERE d.source IS NULL"),
                        "0");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_non_null(strstr(output, "in 3 days, until "));
    assert_non_null(strstr(output, until));
    /* Nor does one of them get such a tree later. */
    sql("ALTER TABLE day_fact DISABLE TRIGGER USER; UPDATE day_fact SET local_date ="
        " (SELECT min(local_date) FROM day_close) WHERE source = 'invoice_payment'");
    assert_int_equal(CRAWLTAB(output, "checkpoint", "check"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_in_one_tree),
        cmocka_unit_test(digests_are_the_same_for_everybody),
        cmocka_unit_test(every_column_counts),
        cmocka_unit_test(every_row_is_named),
        cmocka_unit_test(notes_are_sealed),
        cmocka_unit_test(who_added_rows_is_told),
        cmocka_unit_test(a_row_that_was_taken_away_comes_again),
        cmocka_unit_test(what_is_null_within_json_counts),
        cmocka_unit_test(sources_are_what_tables_are),
        cmocka_unit_test(older_days_stay_as_they_were_signed),
    };
    return cmocka_run_group_tests(tests, closed_days, server_stop);
}
