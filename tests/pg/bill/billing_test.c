/* lint: file, the tests share a small world of days, charges and agreements
 * What agreements make of crawls, how corrections and payments change an account, and that the audit names
 * every row that somebody changed behind the ledger's back. Entries are made by a writer whose clock is days
 * behind; the real command closes those days.
 * Tests ledger/audit/audit.c, ledger/bill/adjustment.c, ledger/bill/invoice_read.c, ledger/collect/event.c */
#include "tests/pg/support.h"

#include "ledger/bill/adjustment.h"
#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/collect/event.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS  ((int64_t)86400000)
#define NOON_MS ((int64_t)43200000)
#define A       "https://a.example"
#define B       "https://b.example"
#define PAGE    "http://127.0.0.1:8402/a"

static char output[OUTPUT_MAX];
static uint8_t last_id[UUID_SIZE]; /* of the last payment of charge_on */

/* 2026-10-01 or later, so that the year's numbers, weeks and months are known: days from there on. */
static const int64_t first_day_ms = INT64_C(1790812800000); /* 2026-10-01, a Thursday */

static int64_t noon(int day)
{
    return first_day_ms + day * DAY_MS + NOON_MS;
}

static const char *date(int day)
{
    static char text[4][INSTANT_TEXT_MAX];
    static size_t next;
    char *out = text[next++ % 4];
    instant_format(noon(day), out);
    out[sizeof("2026-11-20") - 1] = '\0';
    return out;
}

static void charge_at(int64_t at_ms, const char *agent, int64_t amount_micros, size_t count)
{
    clock_set_offset_ms(at_ms - clock_now_ms());
    struct writer *writer = writer_start_ready();
    for (size_t i = 0; i < count; i++) {
        struct payment payment = payment_make(clock_now_ms(), agent, amount_micros, PAGE);
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
        memcpy(last_id, payment.charge.payment_id, UUID_SIZE);
    }
    writer_stop(writer);
    clock_set_offset_ms(0);
}

static void charge_on(int day, const char *agent, int64_t amount_micros, size_t count)
{
    charge_at(noon(day), agent, amount_micros, count);
}

/* An agreement of the crawler from the first day on; `terms` are columns and values beside the plain ones. */
static void agree(const char *agent, const char *columns, const char *values)
{
    static char text[2048];
    snprintf(text, sizeof(text),
             "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
             " status, day_limit_micros, balance_limit_micros, buyer, settlement, due_days, %s)"
             " SELECT 1, crawler_id, 1, instant(%lld), instant(%lld), 'test', 'test', 'active', NULL, NULL,"
             " '{\"name\": \"Crawler & Sons\"}', '{}', 14, %s FROM crawler WHERE agent = '%s'",
             columns, (long long)first_day_ms, (long long)first_day_ms, values, agent);
    sql_own(text);
}

#define TERMS                                                                                                \
    "cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"        \
    " tax_treatment, tax_rate_ppm"

static void nights_until(int day)
{
    if (CRAWLTAB(output, "nightly", "--day", date(day)) != 0)
        fail_msg("%s", output);
}

static void audit_is_clean(void)
{
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    assert_non_null(strstr(output, "everything adds up"));
}

/* The night of these days comes weeks late: what it makes says so, and payment is due from then on. */
static void what_is_made_late_says_so(void **state)
{
    static char text[OUTPUT_MAX];
    (void)state;
    charge_on(0, A, 50000, 1);
    charge_on(1, A, 50000, 2);
    char *before = strdup(sql("SELECT now()"));
    nights_until(1);
    snprintf(text, sizeof(text),
             "SELECT count(*), bool_and(made_at BETWEEN '%s'::timestamptz - interval '1 second' AND now()),"
             " bool_and(issue_date = (made_at AT TIME ZONE time_zone)::date),"
             " bool_and(due_date = issue_date + 30),"
             " bool_and(happened_at = made_at), bool_and(made_at > ends_at + interval '20 days')"
             " FROM invoice JOIN invoice_event USING (site_id, number)",
             before);
    assert_string_equal(sql(text), "2|t|t|t|t|t");
    snprintf(
        text, sizeof(text),
        "SELECT count(*), bool_and(c.made_at BETWEEN '%s'::timestamptz - interval '1 second' AND now()),"
        " bool_and(s.made_at = c.made_at), bool_and(c.due_at = ends_at + interval '61 minutes'),"
        " bool_and(s.due_at = c.due_at)"
        " FROM day_close c JOIN day_seal s USING (site_id, local_date) JOIN day USING (site_id, local_date)",
        before);
    assert_string_equal(sql(text), "2|t|t|t|t");
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-INV-2026-000002"), 0);
    const char *line =
        sql("SELECT format('Made       %sZ (scheduled %sZ)', left(instant_text(i.made_at), 19),"
            " left(instant_text(c.due_at), 19)) FROM invoice i"
            " JOIN day_close c USING (site_id, local_date) WHERE sequence = 2");
    if (!strstr(output, line))
        fail_msg("no \"%s\" in %s", line, output);
    free(before);
    audit_is_clean();
}

static void terms_are_billed(void **state)
{
    (void)state;
    charge_on(0, A, 50000, 1); /* makes the account */
    charge_on(0, B, 50000, 1);
    agree(A, TERMS, "'weekly', false, 1000000, 2, 0, 0, 'standard', 190000");
    agree(B, TERMS, "'monthly', true, 5000000, 0, 0, 0, 'reverse-charge', 0");
    sql_own("INSERT INTO agreement_tier VALUES (1, 3, 100000), (1, 5, 500000)");
    charge_on(1, A, 50000, 3);
    charge_on(3, A, 30000, 4);
    nights_until(3); /* Sunday, 2026-10-04 */
    assert_string_equal(
        sql("SELECT description, quantity, unit_price_micros FROM invoice_line JOIN invoice USING (site_id,"
            " number) WHERE agent = '" A "' ORDER BY line"),
        "all|4|30000\nall|4|50000\nall, included|-2|50000\n"
        "all, 10 % off from crawl 3 at 0.03|-2|3000\nall, 50 % off from crawl 5 at "
        "0.03|-2|15000\nFee|1|1000000");
    /* 0.20 + 0.12 - 0.10 - 0.006 - 0.03 + 1.00 = 1.184: net 1.18, 0.004 carried; 19 % of 1.18 is 0.2242. */
    assert_string_equal(
        sql("SELECT number, net_minor, tax_minor, total_minor, carried_out_micros, first_date,"
            " local_date, due_date - issue_date, entries FROM invoice"),
        "TEST-INV-2026-000001|118|22|140|4000|2026-10-01|2026-10-04|14|8");
    charge_on(10, B, 50000, 2);
    nights_until(30); /* the month's end: B pays the fee alone */
    assert_string_equal(sql("SELECT net_minor, tax_minor, tax_note <> '', entries, buyer_party ->> 'name',"
                            " local_date FROM invoice WHERE agent = '" B "'"),
                        "500|0|t|3|Crawler & Sons|2026-10-31");
    /* A's fee is due each week, also without crawls; what was carried is added: 1.004. */
    assert_string_equal(sql("SELECT net_minor, carried_in_micros, carried_out_micros, entries, first_date"
                            " FROM invoice WHERE agent = '" A "' AND sequence = 2"),
                        "100|4000|4000|0|2026-10-05");
    audit_is_clean();
}

/* Which crawls are the included ones, the ids say: not which was recorded first. */
static void included_crawls_are_the_first_by_their_ids(void **state)
{
    static const int64_t prices[] = {10000, 20000, 40000, 80000};
    (void)state;
    clock_set_offset_ms(noon(0) - clock_now_ms());
    struct writer *writer = writer_start_ready();
    for (int64_t i = 3; i >= 0; i--) {
        struct payment payment = payment_make(noon(0) + i, A, prices[i], PAGE);
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
        usleep(2000);
    }
    writer_stop(writer);
    clock_set_offset_ms(0);
    assert_string_equal(sql("SELECT string_agg(amount_micros::text, ' ' ORDER BY recorded_at) FROM charge"),
                        "80000 40000 20000 10000");
    agree(A, TERMS, "'daily', false, 0, 2, 0, 0, 'none', 0");
    sql_own("INSERT INTO agreement_tier VALUES (1, 2, 500000)"); /* half of the second that is not included */
    nights_until(0);
    assert_string_equal(sql("SELECT net_minor, entries FROM invoice"), "8|4");
    audit_is_clean();
}

static void minimums_carry_and_top_up(void **state)
{
    (void)state;
    charge_on(0, A, 20000, 1);
    charge_on(0, B, 20000, 1);
    agree(A, TERMS, "'daily', false, 0, 0, 0, 50000, 'none', 0");
    agree(B, TERMS, "'daily', false, 0, 0, 100000, 0, 'none', 0");
    charge_on(1, A, 20000, 1);
    charge_on(2, A, 20000, 1);
    nights_until(2);
    assert_string_equal(
        sql("SELECT local_date, net_minor, entries, first_date FROM invoice WHERE agent = '" A "'"),
        "2026-10-03|6|3|2026-10-01");
    assert_string_equal(sql("SELECT string_agg(net_minor::text, ' ') FROM invoice WHERE agent = '" B "'"),
                        "10 10 10");
    audit_is_clean();
}

/* A site that moves over the date line has no such day: the one before it is the month's last, and the next
 * one is in the next month. */
static void a_period_ends_though_its_last_date_is_skipped(void **state)
{
    (void)state;
    charge_on(0, A, 50000, 1);
    agree(A, TERMS, "'monthly', false, 1000000, 0, 0, 0, 'none', 0");
    charge_on(29, A, 70000, 1);
    charge_on(31, A, 30000, 1);
    sql("ALTER TABLE day DISABLE TRIGGER append_only;"
        "DELETE FROM day WHERE local_date = '2026-10-31';"
        "UPDATE day SET starts_at = '2026-10-31Z' WHERE local_date = '2026-11-01';"
        "ALTER TABLE day ENABLE ALWAYS TRIGGER append_only");
    nights_until(31);
    assert_string_equal(sql("SELECT first_date, local_date, net_minor, entries FROM invoice"),
                        "2026-10-01|2026-10-30|112|2");
    assert_string_equal(sql("SELECT local_date, carried_out_micros, period_end FROM crawler_day"
                            " ORDER BY close_number DESC LIMIT 1"),
                        "2026-11-01|30000|f");
    audit_is_clean();
}

/* Without a crawl, and to the micro-unit: a new version asks for no more than is carried. */
static void a_lower_minimum_bills_what_was_carried(void **state)
{
    (void)state;
    charge_on(0, A, 50000, 1);
    agree(A, TERMS, "'daily', false, 0, 0, 0, 100000, 'none', 0");
    sql_own(
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " buyer, settlement, due_days, " TERMS
        ") SELECT site_id, crawler_id, 2, valid_from + interval '1 day',"
        " recorded_at, actor, reason, status, buyer, settlement, due_days, cadence, subscription, fee_micros,"
        " included_crawls, minimum_fee_micros, 50000, tax_treatment, tax_rate_ppm FROM agreement");
    nights_until(2);
    assert_string_equal(sql("SELECT local_date, net_minor, entries FROM invoice"), "2026-10-02|5|1");
    audit_is_clean();
}

static enum adjustment_outcome adjust(const uint8_t *payment_id, int64_t at_ms, int64_t amount_micros)
{
    const struct adjustment_row row = {.kind = amount_micros > 0 ? "credit" : "reversal",
                                       .payment_id = payment_id,
                                       .amount_micros = amount_micros,
                                       .reason = "a page was empty",
                                       .actor = "test"};
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = "crawltab_operator",
                                                 .application = "test",
                                                 .connect_ms = 5000,
                                                 .timeout_ms = 5000});
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    assert_non_null(pg);
    assert_int_equal(adjustment_make(pg, &row, at_ms, &outcome, &made), ERR_OK);
    pg_close(pg);
    return outcome;
}

static void corrections_become_credit_notes(void **state)
{
    (void)state;
    uint8_t first[UUID_SIZE];
    charge_on(0, A, 50000, 1);
    agree(A, TERMS, "'daily', false, 0, 0, 0, 0, 'standard', 200000");
    charge_on(0, A, 50000, 1);
    memcpy(first, last_id, UUID_SIZE);
    nights_until(0); /* 0.10 net, 0.02 tax */
    assert_int_equal(adjust(first, noon(1), 15000), ADJUSTMENT_DONE);
    assert_int_equal(adjust(first, noon(1), 35001), ADJUSTMENT_TOO_MUCH);
    charge_on(1, A, 30000, 1);
    assert_int_equal(adjust(last_id, noon(1) + 1000, 0), ADJUSTMENT_DONE); /* not invoiced yet */
    nights_until(1);
    assert_non_null(strstr(output, " -0.01 USD\n")); /* what is taken back is no invoice */
    assert_string_equal(sql("SELECT number, corrects, subtotal_micros, net_minor, tax_minor, total_minor,"
                            " carried_out_micros FROM invoice WHERE kind = 'credit-note'"),
                        "TEST-CN-2026-000001|TEST-INV-2026-000001|15000|1|0|1|5000");
    /* The reversed crawl and its reversal come to nothing; what the credit note left is to A's credit. */
    assert_string_equal(sql("SELECT carried_out_micros, invoiced_micros FROM crawler_day WHERE local_date ="
                            " '2026-10-02'"),
                        "-5000|0");
    assert_int_equal(adjust(first, noon(2), 0), ADJUSTMENT_DONE); /* what is left: 0.035 */
    assert_int_equal(adjust(first, noon(2) + 1, 0), ADJUSTMENT_TOO_MUCH);
    charge_on(2, A, 40000, 1);
    nights_until(2);
    assert_string_equal(
        sql("SELECT number, kind, net_minor, tax_minor, carried_in_micros, carried_out_micros"
            " FROM invoice WHERE local_date = '2026-10-03' ORDER BY kind"),
        "TEST-CN-2026-000002|credit-note|3|1|0|5000\nTEST-INV-2026-000002|invoice|3|1|-10000|0");
    char id[UUID_TEXT_MAX];
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(first, id)), 0);
    char stands_on[80]; /* with its date of issue, which is that of this run */
    snprintf(stands_on, sizeof(stands_on), "Invoice     TEST-INV-2026-000001 of %s\n",
             sql("SELECT issue_date FROM invoice WHERE number = 'TEST-INV-2026-000001'"));
    assert_non_null(strstr(output, stands_on));
    assert_non_null(strstr(output, "0.015 USD, credit on 2026-10-02"));
    assert_non_null(strstr(output, "TEST-CN-2026-000001"));
    assert_non_null(strstr(output, "TEST-CN-2026-000002"));
    assert_int_equal(CRAWLTAB(output, "adjust", id, "--reversal", "--reason", "again"), 1);
    assert_non_null(strstr(output, "nothing is left to take back"));
    assert_int_equal(CRAWLTAB(output, "adjust", id, "--refund", "0.01"), 64);
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-CN-2026-000002"), 0);
    assert_non_null(strstr(output, "CREDIT NOTE"));
    assert_non_null(strstr(output, "TEST-INV-2026-000001"));
    audit_is_clean();
}

/* What was taken back before the invoice was made is not on it, and is not taken off it a second time. */
static void what_is_left_of_an_invoice(void **state)
{
    (void)state;
    uint8_t second[UUID_SIZE];
    charge_on(0, A, 1000000, 1);
    assert_int_equal(adjust(last_id, noon(0) + 1000, 0), ADJUSTMENT_DONE);
    charge_on(0, A, 1000000, 1);
    memcpy(second, last_id, UUID_SIZE);
    charge_on(0, B, 1000000, 1);
    assert_int_equal(adjust(last_id, noon(0) + 1000, 600000), ADJUSTMENT_DONE);
    nights_until(0);
    assert_string_equal(sql("SELECT agent, net_minor FROM invoice ORDER BY agent"), A "|100\n" B "|40");
    assert_int_equal(adjust(second, noon(1), 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(second, noon(1) + 1, 0), ADJUSTMENT_TOO_MUCH);
    assert_int_equal(CRAWLTAB(output, "invoice", "void", "TEST-INV-2026-000002", "--reason", "a mistake"), 0);
    assert_string_equal(sql("SELECT amount_micros FROM adjustment WHERE kind = 'void'"), "400000");
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", date(1), "--json"), 0);
    assert_non_null(strstr(output, "\"kind\": \"credit-note\""));
    assert_string_equal(sql("SELECT corrects, net_minor, carried_out_micros FROM invoice WHERE kind ="
                            " 'credit-note'"),
                        "TEST-INV-2026-000001|100|0");
    audit_is_clean();
}

/* What an agreement has taken off a crawl was never billed, and is not given back. */
static void what_was_not_billed_is_not_given_back(void **state)
{
    (void)state;
    uint8_t included[UUID_SIZE], whole[UUID_SIZE];
    charge_on(0, A, 100000, 1);
    memcpy(included, last_id, UUID_SIZE);
    charge_on(0, B, 100000, 1);
    agree(A, TERMS, "'weekly', false, 0, 1, 0, 0, 'none', 0");
    agree(B, TERMS, "'monthly', true, 5000000, 0, 0, 0, 'none', 0");
    sql_own("INSERT INTO agreement_tier VALUES (1, 2, 400000)");
    assert_int_equal(adjust(last_id, noon(0) + 1000, 0), ADJUSTMENT_TOO_MUCH); /* a subscription */
    nights_until(0);
    assert_int_equal(adjust(last_id, noon(1), 1), ADJUSTMENT_TOO_MUCH);
    assert_int_equal(adjust(included, noon(1), 1), ADJUSTMENT_TOO_MUCH);
    charge_on(1, A, 100000, 1);
    memcpy(whole, last_id, UUID_SIZE);
    charge_on(2, A, 100000, 1); /* the second that counts: 40 % off */
    assert_int_equal(adjust(whole, noon(2) + 1000, 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(last_id, noon(2) + 1000, 60001), ADJUSTMENT_TOO_MUCH);
    assert_int_equal(adjust(last_id, noon(2) + 2000, 50000), ADJUSTMENT_DONE);
    nights_until(3); /* Sunday */
    assert_int_equal(adjust(last_id, noon(4), 0), ADJUSTMENT_DONE);
    assert_string_equal(sql("SELECT string_agg(amount_micros::text, ' ' ORDER BY adjustment_id)"
                            " FROM adjustment"),
                        "100000 50000 10000");
    assert_string_equal(sql("SELECT net_minor FROM invoice WHERE agent = '" A "'"), "1");
    char id[UUID_TEXT_MAX];
    assert_int_equal(CRAWLTAB(output, "adjust", uuid_format(included, id), "--reversal", "--reason", "x"), 1);
    assert_non_null(strstr(output, "covered by the agreement"));
    nights_until(4);
    audit_is_clean();
}

/* A site's day is part of two UTC days, and the first of them may be archived. */
static void what_was_billed_is_known_without_the_archive(void **state)
{
    (void)state;
    uint8_t billed[UUID_SIZE];
    ledger_empty("Asia/Shanghai"); /* its 2 October begins on 1 October at 16:00 UTC */
    ledger_migrate();
    charge_at(noon(0) + NOON_MS / 2, A, 100000, 1);
    agree(A, TERMS, "'daily', false, 0, 1, 0, 0, 'none', 0");
    charge_on(1, A, 100000, 1); /* the second of the day, of which one is included */
    memcpy(billed, last_id, UUID_SIZE);
    charge_at(noon(1) + 1, A, 100000, 1);
    nights_until(1);
    assert_string_equal(sql("SELECT local_date, net_minor FROM invoice"), "2026-10-02|20");
    static char path[512];
    snprintf(path, sizeof(path), "%s/entries-%s.jsonl", ledger_config()->folder, date(0));
    unlink(path);
    if (CRAWLTAB(output, "archive", date(0), "--to", ledger_config()->folder) != 0)
        fail_msg("%s", output);
    assert_int_equal(adjust(billed, noon(2), 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(last_id, noon(2), 0), ADJUSTMENT_DONE);
    nights_until(2);
    assert_string_equal(sql("SELECT net_minor FROM invoice WHERE kind = 'credit-note'"), "20");
}

/* Runs `crawltab invoice` and returns the value of "status". */
static const char *status_after(int expected, const char *const *words)
{
    static char status[32];
    assert_int_equal(crawltab(output, words), expected);
    json_t *json = json_loads(output, 0, NULL);
    snprintf(status, sizeof(status), "%s", json ? json_string_value(json_object_get(json, "status")) : "");
    json_decref(json);
    return status;
}
#define STATUS(expected, ...)                                                                                \
    status_after(expected, (const char *const[]){"invoice", __VA_ARGS__, "--json", NULL})

static void payments_and_statement(void **state)
{
    (void)state;
    static const char one[] = "TEST-INV-2026-000001", two[] = "TEST-INV-2026-000002";
    charge_on(0, A, 10000000, 1);
    charge_on(1, A, 5000000, 1);
    nights_until(1);
    assert_string_equal(STATUS(0, "sent", one), "sent");
    assert_string_equal(STATUS(0, "paid", one, "--amount", "4.00", "--reference", "R1"), "part-paid");
    assert_string_equal(STATUS(0, "paid", one, "--amount", "4.00", "--reference", "R1"), "part-paid");
    STATUS(1, "paid", one, "--amount", "4.01", "--reference", "R1");
    STATUS(1, "paid", one, "--amount", "0.001", "--reference", "R2");
    STATUS(1, "paid", "TEST-INV-2026-000009", "--amount", "1", "--reference", "R2");
    STATUS(64, "paid", one, "--amount", "x", "--reference", "R2");
    STATUS(1, "void", one, "--reason", "a mistake");
    assert_string_equal(STATUS(0, "paid", one, "--amount", "7.00", "--reference", "R2"), "paid");
    assert_string_equal(sql("SELECT open_minor FROM invoice_state WHERE number = 'TEST-INV-2026-000001'"),
                        "-100");
    assert_string_equal(STATUS(0, "paid", one, "--amount", "-1.00", "--reference", "R3"), "paid");
    assert_string_equal(STATUS(0, "void", two, "--reason", "a mistake"), "void");
    STATUS(1, "void", two, "--reason", "a mistake");
    char id[UUID_TEXT_MAX];
    uuid_format(last_id, id);
    assert_int_equal(CRAWLTAB(output, "adjust", id, "--refund", "1", "--reason", "void already"), 1);
    assert_non_null(strstr(output, "is void"));
    assert_int_equal(CRAWLTAB(output, "invoice", "list", "--status", "void"), 0);
    assert_non_null(strstr(output, two));
    assert_null(strstr(output, one));
    assert_int_equal(CRAWLTAB(output, "statement", A, "--json", "--from", "2026-10-02"), 0);
    json_t *json = json_loads(output, 0, NULL);
    const json_t *account = json_array_get(json, 0);
    assert_int_equal(json_integer_value(json_object_get(account, "opening_minor")), 0); /* made today */
    assert_int_equal(json_integer_value(json_object_get(account, "closing_minor")), 500);
    assert_int_equal(json_array_size(json_object_get(account, "lines")), 5);
    json_decref(json);
    assert_int_equal(CRAWLTAB(output, "statement", A), 0);
    for (const char *line = output; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") <= 80);
    assert_int_equal(CRAWLTAB(output, "statement", "https://nobody.example"), 1);
    audit_is_clean();
}

/* --- tampering --- */

#define PARTITIONS(change)                                                                                   \
    "DO $$ DECLARE part regclass; BEGIN FOR part IN SELECT inhrelid FROM pg_inherits"                        \
    " WHERE inhparent = 'charge'::regclass LOOP EXECUTE format('" change "', part); END LOOP; END $$;"

/* As a superuser with the table's triggers switched off for the moment. */
static void tamper(const char *table, const char *command)
{
    static char text[2048];
    bool partitioned = strcmp(table, "charge") == 0;
    snprintf(text, sizeof(text),
             "SET session_replication_role = replica; ALTER TABLE %s DISABLE TRIGGER USER; %s %s; %s"
             " DO $$ DECLARE name text; BEGIN FOR name IN SELECT tgname FROM pg_trigger"
             " WHERE tgrelid = '%s'::regclass AND NOT tgisinternal LOOP"
             " EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %%I', name); END LOOP; END $$",
             table, partitioned ? PARTITIONS("ALTER TABLE %s DISABLE TRIGGER sealed") : "", command,
             partitioned ? PARTITIONS("ALTER TABLE %s ENABLE ALWAYS TRIGGER sealed") : "", table, table);
    sql(text);
}

/* Changes rows of the table, expects the audit to name what is said, and takes the change back. An audit
 * tells all that it finds, so that one at the end sees what was not. */
static void found(const char *table, const char *change, const char *undo, const char *named)
{
    tamper(table, change);
    if (CRAWLTAB(output, "audit") != 1)
        fail_msg("after %s: %s", change, output);
    if (!strstr(output, named))
        fail_msg("after %s the audit does not name \"%s\": %s", change, named, output);
    tamper(table, undo);
}

static void scene(void)
{
    uint8_t first[UUID_SIZE];
    charge_on(0, A, 50000, 2);
    memcpy(first, last_id, UUID_SIZE);
    charge_on(0, B, 50000, 2);
    agree(A, TERMS, "'daily', false, 1000000, 1, 0, 0, 'none', 0");
    nights_until(0);
    assert_int_equal(adjust(first, noon(1), 20000), ADJUSTMENT_DONE);
    charge_on(1, B, 50000, 3);
    nights_until(2);
    audit_is_clean();
    sql("CREATE SCHEMA keep; CREATE TABLE keep.charge AS SELECT * FROM charge;"
        " CREATE TABLE keep.day_close AS SELECT * FROM day_close;"
        " CREATE TABLE keep.spend AS SELECT * FROM spend");
}

#define ONE_CHARGE "payment_id = (SELECT min(payment_id::text)::uuid FROM keep.charge WHERE crawler_id = 1)"

static void changed_rows_are_named(void **state)
{
    (void)state;
    scene();
    found("charge", "UPDATE charge SET amount_micros = amount_micros + 1 WHERE " ONE_CHARGE,
          "UPDATE charge SET amount_micros = amount_micros - 1 WHERE " ONE_CHARGE,
          "crawler_day_line 2026-10-01 " A " \"all\" at 0.050001: says 0 crawls, its entries are 1");
    found("charge", "DELETE FROM charge WHERE " ONE_CHARGE,
          "INSERT INTO charge SELECT * FROM keep.charge WHERE " ONE_CHARGE,
          "crawler_day_line 2026-10-01 " A " \"all\" at 0.05: says 2 crawls, its entries are 1");
    /* A and B change places in the first entries of both: all counts and sums stay. */
    found("charge",
          "UPDATE charge SET crawler_id = 3 - crawler_id WHERE payment_id IN (SELECT "
          "min(payment_id::text)::uuid"
          " FROM keep.charge GROUP BY crawler_id)",
          "UPDATE charge SET crawler_id = 3 - crawler_id WHERE payment_id IN (SELECT "
          "min(payment_id::text)::uuid"
          " FROM keep.charge GROUP BY crawler_id)",
          "charge: one of the 256 entries of 2026-10-01 from number 0");
    found("invoice_line",
          "UPDATE invoice_line SET quantity = 3, amount_micros = 150000 WHERE number = "
          "'TEST-INV-2026-000001' AND "
          "line = 1",
          "UPDATE invoice_line SET quantity = 2, amount_micros = 100000 WHERE number = "
          "'TEST-INV-2026-000001' AND "
          "line = 1",
          "invoice TEST-INV-2026-000001: its lines come to");
    found("invoice",
          "UPDATE invoice SET number = 'TEST-INV-2026-000007' WHERE number = 'TEST-INV-2026-000002'",
          "UPDATE invoice SET number = 'TEST-INV-2026-000002' WHERE number = 'TEST-INV-2026-000007'",
          "invoice TEST-INV-2026-000007: has not the number 2 of series \"TEST-INV-2026-*\"");
    found("invoice", "UPDATE invoice SET sequence = 99 WHERE number = 'TEST-INV-2026-000002'",
          "UPDATE invoice SET sequence = 2 WHERE number = 'TEST-INV-2026-000002'",
          "follows number 1 of series");
    found("day_close", "DELETE FROM day_close WHERE local_date = '2026-10-02'",
          "INSERT INTO day_close SELECT * FROM keep.day_close WHERE local_date = '2026-10-02'",
          "day_close 2026-10-02: is missing");
    found("crawler_day",
          "UPDATE crawler_day SET invoiced_micros = 0, carried_out_micros = carried_out_micros + "
          "invoiced_micros"
          " WHERE crawler_id = 2 AND local_date = '2026-10-02'",
          "UPDATE crawler_day SET invoiced_micros = carried_out_micros, carried_out_micros = 0"
          " WHERE crawler_id = 2 AND local_date = '2026-10-02'",
          "crawler_day 2026-10-02 " B ": should be");
    found("adjustment", "UPDATE adjustment SET amount_micros = 30000",
          "UPDATE adjustment SET amount_micros = 20000", "crawler_day_line 2026-10-02 " A " credit");
    found("agreement", "UPDATE agreement SET fee_micros = 1", "UPDATE agreement SET fee_micros = 1000000",
          "fee \"\" 1 at 1.00 : is there and should not");
    found("spend", "DELETE FROM spend WHERE crawler_id = 2",
          "INSERT INTO spend SELECT * FROM keep.spend WHERE crawler_id = 2", "spend of " B);
    found("account_balance", "UPDATE account_balance SET owed_micros = owed_micros + 1 WHERE step = 2",
          "UPDATE account_balance SET owed_micros = owed_micros - 1 WHERE step = 2", "account_balance of " B);
    found("agreement",
          "INSERT INTO agreement OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(a, "
          "'{\"agreement_id\": 9,"
          " \"version\": 2, \"valid_from\": \"2099-01-01\"}')).* FROM agreement a",
          "DELETE FROM agreement WHERE agreement_id = 9",
          "number_series agreement: counts 1 versions, there are 2");
    found(
        "conflict",
        "INSERT INTO conflict SELECT payment_id, sha256(signature), site_id, crawler_id, amount_micros, rule,"
        " resource, recorded_at, thumbprint, signature, signature_base FROM charge WHERE " ONE_CHARGE,
        "DELETE FROM conflict", "by " A ": 1 attempts are kept, 0 were counted");
    found("day_seal", "UPDATE day_seal SET end_id = uuid_floor(instant(0)) WHERE local_date = '2026-10-02'",
          "UPDATE day_seal SET end_id = uuid_floor(ends_at) FROM day WHERE day.local_date = "
          "day_seal.local_date",
          "day_seal 2026-10-02");
    audit_is_clean();
}

static void missing_guards_are_named(void **state)
{
    (void)state;
    charge_on(0, A, 50000, 1);
    nights_until(0);
    sql("ALTER TABLE invoice DISABLE TRIGGER append_only");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table invoice: its trigger \"append_only\""));
    sql("ALTER TABLE invoice ENABLE TRIGGER append_only"); /* not always */
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    sql("ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only;"
        "ALTER TABLE invoice_payment DISABLE TRIGGER balance");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table invoice_payment: its trigger \"balance\""));
    sql("ALTER TABLE invoice_payment ENABLE ALWAYS TRIGGER balance; GRANT DELETE ON charge TO crawltab_gate");
    assert_int_equal(CRAWLTAB(output, "audit", "--json"), 1);
    assert_non_null(strstr(output, "role \\\"crawltab_gate\\\" may DELETE"));
    sql("REVOKE DELETE ON charge FROM crawltab_gate;" PARTITIONS("ALTER TABLE %s DISABLE TRIGGER sealed"));
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table charge_20261001: its trigger \"sealed\" does not fire always"));
    /* One that knows no seal. */
    sql(PARTITIONS("CREATE OR REPLACE TRIGGER sealed AFTER INSERT ON %1$s FOR EACH ROW WHEN (NEW.payment_id <"
                   " uuid_floor(instant(0))) EXECUTE FUNCTION refuse_sealed();"
                   " ALTER TABLE %1$s ENABLE ALWAYS TRIGGER sealed"));
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "table charge_20261001: its trigger \"sealed\" lets entries of sealed"));
    sql("SELECT guard_seals(inhrelid) FROM pg_inherits WHERE inhparent = 'charge'::regclass");
    audit_is_clean();
    sql("UPDATE number_series SET last_number = last_number + 1"
        " WHERE series LIKE 'TEST-INV%'");
    assert_int_equal(CRAWLTAB(output, "audit"), 1);
    assert_non_null(strstr(output, "number_series TEST-INV-2026-*: counts to 2, the last number is 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_made_late_says_so, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(terms_are_billed, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(included_crawls_are_the_first_by_their_ids, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(minimums_carry_and_top_up, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_period_ends_though_its_last_date_is_skipped, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_lower_minimum_bills_what_was_carried, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(corrections_become_credit_notes, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_is_left_of_an_invoice, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_was_not_billed_is_not_given_back, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_was_billed_is_known_without_the_archive, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(payments_and_statement, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(changed_rows_are_named, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(missing_guards_are_named, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
