/* The tampering game: whatever a superuser does to a row of the ledger, past every guard, and what the gate's
 * role can add, is found by one audit, which names it. Rows of facts, column by column, are facts_test.c's,
 * and guards guards_test.c's. */
#include "tests/pg/support_days.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"
#define B "https://b.example"

static char output[OUTPUT_MAX];
static char ledger[64];

static const char open_triggers[] =
    "DO $$ DECLARE t record; BEGIN FOR t IN SELECT DISTINCT tgrelid::regclass AS name"
    " FROM pg_trigger WHERE NOT tgisinternal LOOP"
    " EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t.name); END LOOP; END $$;";

/* Of the day so many days ago: the entry of that number; its account of the crawler. */
#define ENTRY(days, number)                                                                                  \
    "(SELECT payment_id FROM charge WHERE (uuid_instant(payment_id) AT TIME ZONE 'UTC')::date = D" #days     \
    " ORDER BY payment_id OFFSET " #number " LIMIT 1)"
#define CRAWLER(agent) "(SELECT crawler_id FROM crawler WHERE agent = '" agent "')"

/* A change, and a query of what the audit's line begins with, asked before anything is changed. D2 to D5
 * stand for dates so many days ago. */
struct way {
    const char *change, *line;
};

/* Entries, and what days come to. */
static const struct way days[] = {
    {"UPDATE charge SET resource = 'http://x.example/' WHERE payment_id = " ENTRY(5, 0),
     "SELECT 'entry ' || " ENTRY(5, 0) " || ': was changed after interim checkpoint '"},
    {"UPDATE charge SET recorded_at = recorded_at + interval '1 s' WHERE payment_id = " ENTRY(5, 1),
     "SELECT 'entry ' || " ENTRY(5, 1) " || ': was changed after interim checkpoint '"},
    {"DELETE FROM charge WHERE payment_id = " ENTRY(5, 2),
     "SELECT 'entry ' || " ENTRY(5, 2) " || ': was removed after interim checkpoint '"},
    {"INSERT INTO charge SELECT (jsonb_populate_record(NULL::charge, to_jsonb(c) || jsonb_build_object("
     "'payment_id', id, 'lane', get_byte(uuid_send(id), 15)))).* FROM charge c,"
     " uuid_floor((D4 + time '13:00') AT TIME ZONE 'UTC') AS id WHERE c.payment_id = " ENTRY(4, 0),
     "SELECT 'entry ' || uuid_floor((D4 + time '13:00') AT TIME ZONE 'UTC')"
     " || ': was added after interim checkpoint '"},
    {"UPDATE charge c SET resource = o.resource, signature = o.signature, signature_base = o.signature_base"
     " FROM charge o WHERE (c.payment_id, o.payment_id) IN ((" ENTRY(4, 1) ", " ENTRY(4, 2) "), (" ENTRY(
         4, 2) ", " ENTRY(4, 1) "))",
     "SELECT 'entry ' || " ENTRY(4, 2) " || ': was changed after interim checkpoint '"},
    {"UPDATE crawler_day SET period_micros_before = period_micros_before + 1 WHERE local_date = D4",
     "SELECT 'crawler_day ' || D4 || ' " A ": is '"},
    {"UPDATE crawler_day SET close_number = 77 WHERE local_date = D3 AND crawler_id = " CRAWLER(A),
     "SELECT 'crawler_day ' || D3 || ' " A ": has number 77, its day '"},
    {"DELETE FROM crawler_day WHERE local_date = D3 AND crawler_id = " CRAWLER(B),
     "SELECT 'crawler_day ' || D3 || ' " B ": should be '"},
    {"UPDATE crawler_day_line SET detail = 'x' WHERE local_date = D4 AND crawler_id = " CRAWLER(B),
     "SELECT 'crawler_day_line ' || D4 || ' " B " \"'"},
    {"UPDATE crawler_day_line SET quantity = 4, amount_micros = 100000 WHERE local_date = D5 AND crawler_id "
     "= " CRAWLER(B),
     "SELECT 'crawler_day_line ' || D5 || ' " B " \"'"},
    {"UPDATE day SET starts_at = starts_at + interval '1 h' WHERE local_date = D4",
     "SELECT 'day ' || D4 || ': does not start where the day before ends'"},
    {"UPDATE day_close SET sum_micros = sum_micros + 1 WHERE local_date = D5",
     "SELECT 'day_close ' || D5 || ': says '"},
    {"UPDATE day_close SET made_at = made_at - interval '1 h' WHERE local_date = D4",
     "SELECT 'day_close 1/' || D4 || ': was changed'"},
    {"UPDATE day_seal SET due_at = due_at - interval '1 h' WHERE local_date = D5",
     "SELECT 'day_seal 1/' || D5 || ': was changed'"},
    {"DELETE FROM day_seal WHERE local_date = D3", "SELECT 'day_seal ' || D3 || ': is missing'"},
    {"UPDATE number_series SET last_number = last_number + 1 WHERE series = (SELECT min(series) FROM "
     "invoice)",
     "SELECT 'number_series ' || min(series) || ': counts to ' FROM invoice"},
    {"UPDATE number_series SET last_number = 9 WHERE series = 'token'",
     "SELECT 'number_series token: counts 9 changes'"},
    {"UPDATE account_balance b SET owed_micros = 1 WHERE crawler_id = " CRAWLER(
         B) " AND step = (SELECT max(step)"
            " FROM account_balance m WHERE m.crawler_id = b.crawler_id)",
     "SELECT 'account_balance of " B ": says 1,'"},
    {"DELETE FROM account_balance WHERE step = 2",
     "SELECT 'account_balance step ' || min(step) || ': follows step 1' FROM account_balance WHERE step > 2"},
    {"UPDATE account_balance SET counted_to = counted_to + interval '1 d'"
     " WHERE step = (SELECT max(step) FROM account_balance)",
     "SELECT 'account_balance step ' || max(step) || ': counts to ' FROM account_balance"},
    {"DELETE FROM day_accrual", "SELECT 'day_accrual ' || D2 || ': is missing'"},
    {"UPDATE day SET ends_at = ends_at + interval '10 years'"
     " WHERE local_date = (SELECT max(local_date) FROM day)",
     "SELECT 'day ' || max(local_date) || ': ends at ' FROM day"},
    {"INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone) SELECT site_id, local_date - 400,"
     " starts_at - interval '400 d', ends_at - interval '400 d' + interval '1 h', time_zone FROM day WHERE "
     "local_date = D5",
     "SELECT 'day ' || min(local_date) || ': does not start where' FROM day"},
    {"UPDATE day SET time_zone = 'Mars' WHERE local_date = D2", "SELECT 'day ' || D2 || ': ends at '"},
    {"DELETE FROM number_series WHERE series = 'day'", "SELECT 'number_series day: counts 0 closed days'"},
    {"DELETE FROM schema_version WHERE version = 41", "SELECT 'schema_version 42: follows version 40'"},
    {"UPDATE conflict SET signature = '\\x01'",
     "SELECT 'conflict of payment id ' || payment_id || ' by " A ": its signature' FROM conflict"},
    {"UPDATE delivery SET status = 500", "SELECT 'delivery ' || payment_id || ': was changed' FROM delivery"},
    {"UPDATE delivery_tile SET local_date = local_date + 30",
     "SELECT 'delivery_tile ' || first_id || ': says to be of ' FROM delivery_tile"},
    {"DELETE FROM spend WHERE crawler_id = " CRAWLER(A), "SELECT 'spend of " A " from '"},
    {"UPDATE checkpoint SET note = replace(note, 'example', 'exemple') WHERE local_date = D4",
     "SELECT 'checkpoint ' || D4 || ': a checkpoint''s signature is not good'"},
    {"DELETE FROM interim_tile t USING interim i WHERE (i.site_id, i.number) = (t.site_id, t.number)"
     " AND (uuid_instant(i.first_id) AT TIME ZONE 'UTC')::date = D3",
     "SELECT 'interim checkpoint ' || number || ': its list of entries is not what was signed' FROM interim"
     " WHERE (uuid_instant(first_id) AT TIME ZONE 'UTC')::date = D3"},
    {"DELETE FROM interim_fact WHERE source = 'site'",
     "SELECT 'interim checkpoint ' || number || ': its list of facts is not what was signed' FROM"
     " interim_fact WHERE source = 'site'"},
};

/* Rows beside the entries. */
static const struct way rows[] = {
    {"UPDATE invoice SET seller_party = '{}' WHERE number = (SELECT min(number) FROM invoice)",
     "SELECT 'invoice 1/' || min(number) || ': was changed' FROM invoice"},
    {"UPDATE invoice SET due_date = due_date + 1 WHERE number = (SELECT max(number) FROM invoice)",
     "SELECT 'invoice 1/' || max(number) || ': was changed' FROM invoice"},
    {"UPDATE invoice_line SET description = 'x' WHERE number = (SELECT min(number) FROM invoice)",
     "SELECT 'invoice_line 1/' || min(number) || '/1: was changed' FROM invoice"},
    {"DELETE FROM invoice_line WHERE number = (SELECT max(number) FROM invoice)",
     "SELECT 'invoice_line 1/' || max(number) || '/1: was removed' FROM invoice"},
    {"UPDATE invoice_event SET detail = 'x' WHERE event = 'issued' AND number = (SELECT min(number) FROM"
     " invoice)",
     "SELECT 'invoice_event 1/' || min(number) || '/1: was changed' FROM invoice"},
    {"UPDATE invoice_payment SET amount_minor = amount_minor * 10",
     "SELECT 'invoice_payment 1/' || number || '/r: was changed' FROM invoice_payment"},
    {"INSERT INTO invoice_payment SELECT site_id, number, 'invented', 1, received_on, recorded_at, actor FROM"
     " invoice_payment LIMIT 1",
     "SELECT 'invoice_payment 1/' || number || '/invented: was added' FROM invoice_payment"},
    {"UPDATE adjustment SET reason = 'another'",
     "SELECT 'adjustment ' || adjustment_id || ': was changed' FROM adjustment"},
    {"UPDATE agreement SET actor = 'another' WHERE version = 1",
     "SELECT 'agreement ' || agreement_id || ': was changed' FROM agreement WHERE version = 1"},
    {"UPDATE crawler_key SET public_key = '{}' WHERE crawler_id = " CRAWLER(B),
     "SELECT 'crawler_key ' || crawler_id || '/' || thumbprint || ': was changed' FROM crawler_key"
     " WHERE crawler_id = " CRAWLER(B)},
    {"UPDATE directory_snapshot SET fetched_at = now() WHERE url = (SELECT min(url) FROM directory_snapshot)",
     "SELECT 'directory_snapshot ' || url || '/' || body_digest || ': was changed' FROM directory_snapshot"
     " ORDER BY url LIMIT 1"},
    {"UPDATE crawler_key_source SET first_relied_at = first_relied_at - interval '1 d' WHERE crawler_id"
     " = " CRAWLER(A),
     "SELECT 'crawler_key_source ' || crawler_id || '/' FROM crawler_key_source WHERE crawler_id"
     " = " CRAWLER(A)},
    {"DELETE FROM operator_action WHERE action_id = (SELECT max(action_id) FROM operator_action)",
     "SELECT 'operator_action ' || max(action_id) || ': was removed' FROM operator_action"},
    {"UPDATE operator_action SET actor = 'another' WHERE action_id = 1",
     "SELECT 'operator_action 1: was changed'"},
    {"UPDATE token SET digest = sha256('mine')", "SELECT 'token 1/server: was changed'"},
    {"DELETE FROM token_revocation", "SELECT 'token_revocation 1/server: was removed'"},
    {"INSERT INTO console_token VALUES ('mine', 'owner', sha256('mine'), now(), NULL, 'x')",
     "SELECT 'console_token mine: was added'"},
    {"UPDATE day_fact SET sealed_at = sealed_at + interval '10 years' WHERE source = 'site'",
     "SELECT 'site 1: says that it was sealed at '"},
    {"UPDATE offer_terms SET first_used_at = first_used_at + interval '1 d'", "SELECT 'offer_terms 1/'"},
    {"UPDATE site SET seller = 'Another'", "SELECT 'site 1: was changed'"},
    {"UPDATE crawler SET first_seen_at = first_seen_at - interval '1 d' WHERE agent = '" B "'",
     "SELECT 'crawler ' || " CRAWLER(B) " || ': was changed'"},
    {"DELETE FROM fact WHERE source = 'crawler_key' AND key LIKE " CRAWLER(A) " || '/%'",
     "SELECT 'crawler_key ' || crawler_id || '/' || thumbprint || ': was added behind' FROM crawler_key"
     " WHERE crawler_id = " CRAWLER(A)},
};

/* What the gate's role may add. */
static const struct way gate[] = {
    {"INSERT INTO spend SELECT gen_random_uuid(), 1, site_id, crawler_id, quarter, -1, -25000 FROM spend"
     " WHERE crawler_id = " CRAWLER(A) " LIMIT 1",
     "SELECT 'spend of " A " from '"},
    {"INSERT INTO spend SELECT gen_random_uuid(), 1, 1, " CRAWLER(A) ", 9223372036854775807, 1, 1",
     "SELECT 'spend of " A " from quarter 9223372036854775807: '"},
    {"INSERT INTO spend SELECT gen_random_uuid(), 1, 1, " CRAWLER(A) ", -1, 1, 1",
     "SELECT 'spend of " A " from quarter -1: '"},
    {"INSERT INTO gate_clock (reported_at, writer_id, ahead_ms) VALUES ('infinity', gen_random_uuid(), 0)",
     "SELECT 'gate_clock infinity '"},
};

static void as_gate(const char *text)
{
    if (!sql_as("crawltab_gate", text, output))
        fail_msg("%s: %s", text, output);
}

static int closed_days(void **state)
{
    static const char *const agents[] = {A, B};
    server_start(state);
    ledger_setup(state);
    for (int ago = 5; ago >= 2; ago--)
        for (size_t i = 0; i < 2; i++)
            days_charge(ago, agents[i], 25000, 3);
    as_gate("INSERT INTO delivery (payment_id, site_id, repeated, ended_at, ended)"
            " SELECT payment_id, site_id, false, now(), 'cut' FROM charge ORDER BY payment_id LIMIT 1");
    as_gate("SELECT note_conflicts(instant_ms(now()), ARRAY[payment_id], ARRAY[site_id], ARRAY[crawler_id],"
            " ARRAY[amount_micros], ARRAY[rule], ARRAY[resource], ARRAY[thumbprint], ARRAY[sha256('1')],"
            " ARRAY[sha256('2')], ARRAY[0::bigint]) FROM charge WHERE crawler_id = " CRAWLER(A) " LIMIT 1");
    assert_int_equal(CRAWLTAB(output, "agreement", "set", A, "--reason", "contract", "buyer.name=A Inc."), 0);
    assert_int_equal(CRAWLTAB(output, "token", "add", "server"), 0);
    assert_int_equal(CRAWLTAB(output, "token", "revoke", "server"), 0);
    assert_int_equal(CRAWLTAB(output, "checkpoint", "interim"), 0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(5)), 0);
    assert_int_equal(CRAWLTAB(output, "invoice", "paid", sql("SELECT min(number) FROM invoice"), "--amount",
                              "0.01", "--reference", "r"),
                     0);
    assert_int_equal(CRAWLTAB(output, "adjust", sql("SELECT min(payment_id::text) FROM charge"), "--refund",
                              "0.01", "--reason", "slow"),
                     0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(3)), 0);
    as_gate("SELECT accrue_days(instant_ms(now()))");
    /* An access log may say so as long as the day is open. */
    as_gate("SELECT note_undelivered(payment_id, 500, 1, 2, 'log', gen_random_uuid(), 1) FROM charge"
            " ORDER BY payment_id DESC LIMIT 1");
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    snprintf(ledger, sizeof(ledger), "%s", ledger_database());
    return 0;
}

/* The text with dates for D3 to D5; the caller frees it. */
static char *dated(const char *text)
{
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);
    assert_non_null(file);
    for (; *text; text++)
        if (text[0] == 'D' && text[1] >= '2' && text[1] <= '5')
            fprintf(file, "date '%s'", days_date(*++text - '0'));
        else
            fputc(*text, file);
    assert_int_equal(fclose(file), 0);
    return out;
}

/* All ways at once, on a copy, and one audit that names each. */
static void play(const struct way *ways, size_t count, const char *role)
{
    char **lines = calloc(count, sizeof(*lines));
    char error[OUTPUT_MAX];
    assert_non_null(lines);
    sql_leave();
    ledger_copy(ledger);
    for (size_t i = 0; i < count; i++) {
        char *line = dated(ways[i].line);
        lines[i] = strdup(sql(line));
        free(line);
        if (!*lines[i])
            fail_msg("there is no row for: %s", ways[i].change);
    }
    if (!role)
        sql(open_triggers);
    for (size_t i = 0; i < count; i++) {
        char *change = dated(ways[i].change);
        if (!sql_as(role ? role : "postgres", change, error))
            fail_msg("%s: %s", change, error);
        free(change);
    }
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(output, lines[i]))
            fail_msg("%s\nis not found: %s\n%s", ways[i].change, lines[i], output);
        free(lines[i]);
    }
    free(lines);
}

static void entries_and_days_are_named(void **state)
{
    (void)state;
    play(days, sizeof(days) / sizeof(*days), NULL);
}

static void rows_beside_them_are_named(void **state)
{
    (void)state;
    play(rows, sizeof(rows) / sizeof(*rows), NULL);
}

static void what_a_gate_may_add_is_named(void **state)
{
    (void)state;
    play(gate, sizeof(gate) / sizeof(*gate), "crawltab_gate");
}

/* Days that a gate's role may not add: none of them would be billed, or the others would not. */
static void a_gate_adds_the_days_of_the_calendar(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "SELECT site_id, local_date + 1, ends_at, ends_at + interval '10 years', time_zone FROM last",
        "SELECT site_id, local_date + 1, ends_at, ends_at + interval '1 d', 'Mars' FROM last",
        "SELECT site_id, local_date + 1, ends_at, ends_at + interval '1 d', 'Asia/Tokyo' FROM last",
        "SELECT site_id, local_date + 2, ends_at + interval '1 d', ends_at + interval '2 d', time_zone"
        " FROM last",
        "SELECT site_id, date 'infinity', ends_at, timestamptz 'infinity', time_zone FROM last",
        "SELECT site_id, min(local_date) - 1, min(starts_at) - interval '1 d', min(starts_at), time_zone"
        " FROM day GROUP BY site_id, time_zone",
    };
    static const char good[] = "SELECT site_id, local_date + 1, ends_at, ends_at + interval '1 d', time_zone"
                               " FROM last";
    char text[512];
    sql_leave();
    ledger_copy(ledger);
    for (size_t i = 0; i <= sizeof(odd) / sizeof(*odd); i++) {
        const bool last = i == sizeof(odd) / sizeof(*odd);
        snprintf(text, sizeof(text),
                 "WITH last AS (SELECT * FROM day ORDER BY local_date DESC LIMIT 1)"
                 " INSERT INTO day (site_id, local_date, starts_at, ends_at, time_zone) %s",
                 last ? good : odd[i]);
        assert_int_equal(sql_as("crawltab_gate", text, output), last);
        if (!last && !strstr(output, "is not the one that the site has between its other days"))
            fail_msg("%s: %s", text, output);
    }
}

/* Another gate's days are closed all the same. */
static void a_report_of_a_time_to_come_keeps_no_day_open(void **state)
{
    (void)state;
    sql_leave();
    ledger_copy(ledger);
    as_gate("INSERT INTO gate_clock (reported_at, writer_id, ahead_ms)"
            " VALUES ('infinity', gen_random_uuid(), '-9223372036854775808')");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(2)), 0);
    assert_non_null(strstr(output, days_date(2)));
    /* One of now is waited for, and the night does not fail. */
    as_gate("INSERT INTO gate_clock (reported_at, writer_id, ahead_ms)"
            " VALUES (now(), gen_random_uuid(), '-9223372036854775808')");
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_non_null(strstr(output, "a gate's clock is behind"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_and_days_are_named),
        cmocka_unit_test(rows_beside_them_are_named),
        cmocka_unit_test(what_a_gate_may_add_is_named),
        cmocka_unit_test(a_gate_adds_the_days_of_the_calendar),
        cmocka_unit_test(a_report_of_a_time_to_come_keeps_no_day_open),
    };
    return cmocka_run_group_tests(tests, closed_days, server_stop);
}
