/* What `crawltab invoice entries` tells comes to what is billed: over several days and pages, with included
 * crawls, tiers, fees and corrections, of credit notes, and after entries went to the archive.
 * Tests ledger/bill/invoice_entries.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/bill/adjustment.h"
#include "ledger/bill/invoice_entries.h"
#include "ledger/collect/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"
#define B "https://b.example"

#define PAGE 4000 /* rows of invoice_entries_page */

static char output[OUTPUT_MAX];
static struct pg *pg;

static int setup(void **state)
{
    ledger_judged(false);
    ledger_setup(state);
    pg = NULL;
    return 0;
}

static int teardown(void **state)
{
    pg_close(pg);
    return ledger_teardown(state);
}

static void run_nights(int days)
{
    if (CRAWLTAB(output, "nightly", "--day", days_date(days)) != 0)
        fail_msg("%s", output);
}

static void terms_of(const char *agent, const char *columns, const char *values)
{
    char text[1500];
    snprintf(
        text, sizeof(text),
        "INSERT INTO crawler (agent, first_seen_at) VALUES ('%s', now()) ON CONFLICT DO NOTHING;"
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
        " status, buyer, settlement, due_days, tax_treatment, tax_rate_ppm, minimum_invoice_micros, %s)"
        " SELECT 1, crawler_id, 1, instant(%lld), now(), 'test', 'test', 'active', '{}', '{}', 14, 'none',"
        " 0, 0, %s FROM crawler WHERE agent = '%s'",
        agent, columns, (long long)(days_base_ms() - 60 * DAY_MS), values, agent);
    sql_own(text);
}

static struct pg *connection(void)
{
    if (!pg)
        pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                          .role = "crawltab_operator",
                                          .application = "entries_test",
                                          .connect_ms = 10000,
                                          .timeout_ms = 30000});
    assert_non_null(pg);
    return pg;
}

/* What was told. */
struct told {
    int64_t items, crawls, away, sum, last_crawl;
    bool numbered; /* crawls of the period come one after the other */
    char last_id[UUID_TEXT_MAX];
};

static bool count(const struct invoice_entry *entry, void *context)
{
    struct told *told = context;
    told->items++;
    told->sum += entry->amount_micros;
    if (entry->form == INVOICE_ENTRY_AWAY && strcmp(entry->kind, "crawls") == 0)
        told->away += entry->quantity;
    if (entry->form != INVOICE_ENTRY_CRAWL)
        return true;
    told->crawls++;
    told->numbered = told->numbered && strcmp(entry->payment_id, told->last_id) > 0 &&
                     (told->last_crawl == 0 || entry->crawl == told->last_crawl + 1 || entry->crawl == 1);
    told->last_crawl = entry->crawl;
    snprintf(told->last_id, sizeof(told->last_id), "%s", entry->payment_id);
    return true;
}

static struct told read_line(const char *number, int64_t line)
{
    struct told told = {.numbered = true};
    struct invoice_entries_sum sum;
    const struct invoice_entries_order order = {1, number, line, count, &told};
    assert_int_equal(invoice_entries_read(connection(), &order, &sum), ERR_OK);
    assert_true(sum.line_known);
    assert_int_equal(sum.wrong_line, 0);
    assert_int_equal(sum.told_micros, told.sum);
    assert_int_equal(sum.items, told.items);
    assert_int_equal(sum.archived, told.away);
    return told;
}

/* A number of the invoice, or of a line of it. */
static int64_t number_in(const char *what, const char *number, int64_t line)
{
    char text[400];
    snprintf(text, sizeof(text), "SELECT %s WHERE number = '%s' AND %lld IN (0, line)", what, number,
             (long long)line);
    return strtoll(sql(text), NULL, 10);
}

/* Of each line, and of all, what is told is what the ledger's rows say. Returns that of all. */
static struct told all_add_up(const char *number)
{
    int64_t lines = number_in("count(*) FROM invoice_line", number, 0);
    assert_true(lines > 0);
    for (int64_t line = 1; line <= lines; line++) {
        struct told told = read_line(number, line);
        assert_int_equal(told.sum, number_in("amount_micros FROM invoice_line", number, line));
        assert_true(told.items > 0);
    }
    struct told told = read_line(number, 0);
    assert_int_equal(
        told.sum,
        number_in("max(subtotal_micros) FROM invoice JOIN invoice_line USING (site_id, number)", number, 0));
    assert_true(told.numbered);
    return told;
}

static const char *number_of(const char *condition)
{
    static char number[64];
    char text[300];
    snprintf(text, sizeof(text), "SELECT number FROM invoice WHERE %s ORDER BY local_date DESC LIMIT 1",
             condition);
    snprintf(number, sizeof(number), "%s", sql(text));
    return number;
}

static void take_back(const char *id, int64_t at_ms, int64_t amount_micros)
{
    uint8_t payment_id[UUID_SIZE];
    const struct adjustment_row row = {.kind = amount_micros > 0 ? "refund" : "reversal",
                                       .payment_id = payment_id,
                                       .amount_micros = amount_micros,
                                       .reason = "half of it",
                                       .actor = "test"};
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    assert_true(uuid_parse(slice_of(id), payment_id));
    assert_int_equal(adjustment_make(connection(), &row, at_ms, &outcome, &made), ERR_OK);
    assert_int_equal(outcome, ADJUSTMENT_DONE);
}

/* A week's invoice: three days, the middle one of more than a page, amounts above one, three included, tiers
 * from the fifth and the four-thousandth, a fee, and a correction before it is made. */
static void terms_days_and_pages(void **state)
{
    const int64_t first_ms = days_base_ms() - 40 * DAY_MS;
    /* The three days are of one week, whatever today is: Tuesday to Thursday. 1970-01-01 was a Thursday. */
    int day = 40;
    char id[UUID_TEXT_MAX];
    (void)state;
    while ((first_ms / DAY_MS + (40 - day)) % 7 != 5)
        day--;
    days_charge(day, B, 10000, 2);
    terms_of(A, "cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, fee_proration",
             "'weekly', false, 7500000, 3, 0, 'none'");
    sql_own("INSERT INTO agreement_tier SELECT agreement_id, 2, 125000 FROM agreement;"
            "INSERT INTO agreement_tier SELECT agreement_id, 4000, 333333 FROM agreement");
    days_charge(day, A, 1234567, 4);
    days_charge(day - 1, A, 50001, PAGE + 3);
    uuid_format(days_charge(day - 2, A, 2500000, 5), id);
    run_nights(day);
    take_back(id, days_base_ms() - (day - 3) * DAY_MS, 500000);
    run_nights(day - 6);
    const char *number = number_of("agent = '" A "' AND kind = 'invoice'");
    struct told told = all_add_up(number);
    assert_int_equal(told.crawls, PAGE + 3 + 4 + 5);
    assert_int_equal(told.last_crawl, told.crawls);
    assert_string_equal(sql("SELECT string_agg(l.kind, ' ' ORDER BY line) FROM invoice_line l JOIN invoice"
                            " USING (site_id, number) WHERE agent = '" A "'"),
                        "crawls crawls crawls included tier tier tier fee refund");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    /* An entry that is gone is missed by its line. */
    char gone[300], table[32];
    snprintf(table, sizeof(table), "charge_%.4s%.2s%.2s", days_date(day - 2), days_date(day - 2) + 5,
             days_date(day - 2) + 8);
    snprintf(gone, sizeof(gone), "ALTER TABLE %s DISABLE TRIGGER ALL; DELETE FROM %s WHERE payment_id = '%s'",
             table, table, id);
    sql(gone);
    assert_int_equal(CRAWLTAB(output, "invoice", "entries", number, "--line", "3", "--csv"), 1);
    assert_non_null(strstr(output, "the entries do not come to what is billed"));
    assert_non_null(strstr(output, "line 3"));
}

/* The same crawls are told after their entries went to a file, as sums; and what credit notes give back. */
static void archives_and_credit_notes(void **state)
{
    char id[UUID_TEXT_MAX], number[64], folder[300], credit[64];
    (void)state;
    days_charge(9, B, 10000, 1);
    terms_of(A, "cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, fee_proration",
             "'daily', false, 0, 2, 20000000, 'none'");
    days_charge(8, A, 1500000, 4);
    uuid_format(days_charge_at(days_base_ms() - 7 * DAY_MS - 1000, A, 3250000, 3), id);
    run_nights(8);
    snprintf(number, sizeof(number), "%s", number_of("agent = '" A "'"));
    assert_int_equal(all_add_up(number).crawls, 7);
    /* Taken back of one that is billed: a credit note of a day later. */
    take_back(id, days_base_ms() - 7 * DAY_MS, 250000);
    run_nights(7);
    snprintf(credit, sizeof(credit), "%s", number_of("kind = 'credit-note'"));
    assert_int_equal(all_add_up(credit).sum, 250000);
    assert_int_equal(CRAWLTAB(output, "invoice", "entries", credit), 0);
    assert_non_null(strstr(output, id));
    assert_non_null(strstr(output, "half of it"));
    assert_int_equal(CRAWLTAB(output, "invoice", "entries", number, "--json"), 0);
    json_t *json = json_loads(output, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_array_size(json_object_get(json, "entries")), 8); /* and the minimum fee */
    assert_int_equal(json_integer_value(json_object_get(json, "sum_micros")), 20000000);
    assert_non_null(strstr(output, "crawl 2 of the period under agreement version 1; included"));
    assert_non_null(strstr(output, "of which 0.25 was taken back"));
    assert_non_null(strstr(output, "Up to the minimum fee of 20.00"));
    json_decref(json);
    snprintf(folder, sizeof(folder), "%s", server_path());
    if (CRAWLTAB(output, "archive", days_date(8), "--to", folder) != 0)
        fail_msg("%s", output);
    struct told told = all_add_up(number);
    assert_int_equal(told.crawls, 0);
    assert_int_equal(told.away, 7);
    assert_int_equal(CRAWLTAB(output, "invoice", "entries", number, "--line", "1"), 0);
    assert_non_null(strstr(output, "all: 4 crawls of "));
    assert_non_null(
        strstr(output, "6.00 USD, as the line says\n4 crawls are archived: crawltab archive restore"));
    assert_int_equal(all_add_up(credit).sum, 250000);
    assert_int_equal(CRAWLTAB(output, "invoice", "entries", number, "--line", "9"), 1);
    assert_non_null(strstr(output, "the invoice has no such line"));
}

/* A billing day of another zone lies in two days of UTC, of which one is archived: what is left is numbered
 * as it was, and the rest is a sum. A subscription covers its crawls; a void invoice is billed again. */
static void parts_of_days_are_archived(void **state)
{
    char number[64];
    (void)state;
    ledger_empty("America/New_York");
    ledger_migrate();
    days_charge(19, B, 10000, 1);
    terms_of(A, "cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, fee_proration",
             "'daily', false, 0, 3, 0, 'none'");
    sql_own("INSERT INTO agreement_tier SELECT agreement_id, 3, 500000 FROM agreement");
    /* Noon UTC is the morning of that day there; the next 02:00 UTC its evening. */
    days_charge_at(days_base_ms() - 18 * DAY_MS + DAY_MS / 2, A, 2000000, 4);
    days_charge_at(days_base_ms() - 17 * DAY_MS + DAY_MS / 12, A, 2000000, 5);
    run_nights(16);
    snprintf(number, sizeof(number), "%s", number_of("agent = '" A "'"));
    struct told told = all_add_up(number);
    assert_int_equal(told.crawls, 9);
    /* Three included, two at the price, four at the half. */
    assert_int_equal(told.sum, 8000000);
    if (CRAWLTAB(output, "archive", days_date(18), "--to", server_path()) != 0)
        fail_msg("%s", output);
    told = all_add_up(number);
    assert_int_equal(told.crawls, 5);
    assert_int_equal(told.away, 4);
    assert_int_equal(told.last_crawl, 9);
    const struct event_subject subject = {number, NULL, "test", days_base_ms() - 15 * DAY_MS + DAY_MS / 2,
                                          false};
    const struct event_cancel cancel = {"wrong party", true};
    enum event_outcome outcome;
    struct event_state became;
    assert_int_equal(event_void(connection(), &subject, &cancel, &outcome, &became), ERR_OK);
    assert_int_equal(outcome, EVENT_DONE);
    run_nights(15);
    assert_int_equal(all_add_up(number_of("replaces IS NOT NULL")).sum, 8000000);
    assert_int_equal(all_add_up(number_of("kind = 'credit-note'")).sum, 8000000);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(terms_days_and_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(archives_and_credit_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_of_days_are_archived, setup, teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
