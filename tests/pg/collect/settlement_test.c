/* What is collected of whom: what is open and nothing else, once, also when payments, voids and changes of
 * the rail come at the same time; and credit pays first, with an event.
 *
 * Tests ledger/collect/settlement.c, ledger/collect/overpayment.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/bill/adjustment.h"
#include "ledger/collect/event.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS    INT64_C(86400000)
#define FIRST_DAY INT64_C(1790812800000) /* 2026-10-01 */
#define A         "https://a.example"
#define B         "https://b.example"

static char output[OUTPUT_MAX];
static struct pg *pg;

static int teardown(void **state)
{
    pg_close(pg);
    pg = NULL;
    return ledger_teardown(state);
}

/* A fee of ten a day, and how it is paid; each call is another version. */
static void agree(const char *agent, const char *settlement)
{
    static char text[2048];
    snprintf(text, sizeof(text),
             "INSERT INTO crawler (agent, first_seen_at) VALUES ('%s', now()) ON CONFLICT DO NOTHING;"
             "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
             " status, cadence, subscription, fee_micros, included_crawls, minimum_fee_micros,"
             " minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement)"
             " SELECT 1, crawler_id, 1 + (SELECT count(*) FROM agreement a WHERE a.crawler_id ="
             " crawler.crawler_id), instant(0), now(), 'test', 'test', 'active', 'daily', false, 10000000, 0,"
             " 0, 0, 'none', 0, 14, '{\"name\": \"Crawler\"}', '%s' FROM crawler WHERE agent = '%s'",
             agent, settlement, agent);
    sql_own(text);
}

#define CARD "{\"rail\": \"card\"}"
#define X402                                                                                                 \
    "{\"rail\": \"x402\", \"network\": \"eip155:8453\", \"asset\": \"0x83\", \"pay_to\": \"0x20\","          \
    " \"decimals\": 6}"

/* A ledger that begins on the first of October, with a crawl of A over 2.00, whose id it gives. */
static void begin(uint8_t id[UUID_SIZE])
{
    clock_set_offset_ms(FIRST_DAY + DAY_MS / 2 - clock_now_ms());
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 2000000, "http://127.0.0.1:8402/a");
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    memcpy(id, payment.charge.payment_id, UUID_SIZE);
    writer_stop(writer);
    clock_set_offset_ms(0);
    pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                      .role = "crawltab_operator",
                                      .application = "test",
                                      .connect_ms = 5000,
                                      .timeout_ms = 10000});
    assert_non_null(pg);
}

static void nights_until(const char *date)
{
    if (CRAWLTAB(output, "nightly", "--day", date) != 0)
        fail_msg("%s", output);
}

static void pay(const char *number, const char *amount)
{
    if (CRAWLTAB(output, "invoice", "paid", number, "--amount", amount, "--reference", amount) != 0)
        fail_msg("%s", output);
}

/* What `crawltab settle` with one more word tells. */
static json_t *settle(const char *word)
{
    if (CRAWLTAB(output, "settle", "--json", "--out", ledger_config()->folder, word) != 0)
        fail_msg("%s", output);
    json_t *batches = json_loads(output, 0, NULL);
    assert_true(json_is_array(batches));
    return batches;
}

static void settle_nothing(void)
{
    json_t *batches = settle(NULL);
    assert_int_equal(json_array_size(batches), 0);
    json_decref(batches);
}

static const char collected[] =
    "SELECT number, rail, attempt, amount_minor FROM settlement ORDER BY number, attempt";

static void credit_pays_first(void **state)
{
    uint8_t id[UUID_SIZE];
    (void)state;
    begin(id);
    agree(A, CARD);
    agree(B, CARD);
    nights_until("2026-10-03"); /* A: 1, 3, 5; B: 2, 4, 6; each 10.00, and the first 12.00 */
    pay("TEST-INV-2026-000001", "15.50");
    pay("TEST-INV-2026-000003", "12.25");
    pay("TEST-INV-2026-000002", "4.00");
    json_t *dry = settle("--dry-run"), *batches = settle(NULL);
    assert_string_equal(sql(collected), "TEST-INV-2026-000002|card|1|600\nTEST-INV-2026-000004|card|1|1000\n"
                                        "TEST-INV-2026-000005|card|1|425\nTEST-INV-2026-000006|card|1|1000");
    const json_t *planned = json_array_get(dry, 0), *made = json_array_get(batches, 0);
    assert_int_equal(json_array_size(batches), 1);
    assert_int_equal(json_integer_value(json_object_get(made, "total_minor")), 3025);
    assert_true(json_equal(json_object_get(planned, "total_minor"), json_object_get(made, "total_minor")));
    assert_true(json_equal(json_object_get(planned, "applied"), json_object_get(made, "applied")));
    assert_int_equal(json_array_size(json_object_get(made, "applied")), 2);
    json_decref(dry);
    json_decref(batches);
    assert_string_equal(sql("SELECT number, event, detail FROM invoice_event WHERE detail LIKE '%USD%' ORDER "
                            "BY number, step"),
                        "TEST-INV-2026-000001|credit-applied|3.50 USD to TEST-INV-2026-000005\n"
                        "TEST-INV-2026-000003|credit-applied|2.25 USD to TEST-INV-2026-000005\n"
                        "TEST-INV-2026-000005|credit-applied|3.50 USD from TEST-INV-2026-000001\n"
                        "TEST-INV-2026-000005|credit-applied|2.25 USD from TEST-INV-2026-000003\n"
                        "TEST-INV-2026-000005|part-paid|2.25 USD from TEST-INV-2026-000003");
    assert_string_equal(sql("SELECT number, status, paid_minor, applied_minor, open_minor FROM invoice_state"
                            " WHERE applied_minor <> 0 ORDER BY number"),
                        "TEST-INV-2026-000001|paid|1550|-350|0\nTEST-INV-2026-000003|paid|1225|-225|0\n"
                        "TEST-INV-2026-000005|part-paid|0|575|425");
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-INV-2026-000005"), 0);
    assert_non_null(strstr(output, "Credit from TEST-INV-2026-000001 USD            3.50"));
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-INV-2026-000001"), 0);
    assert_non_null(strstr(output, "Credit used for TEST-INV-2026-000005 USD           -3.50"));
    settle_nothing();
    assert_false(sql_as("crawltab_operator", "UPDATE applied_credit SET amount_minor = 1", output));
    /* What is in a batch is not paid by credit meanwhile, unless somebody says that the attempt has failed.
     */
    pay("TEST-INV-2026-000001", "4.25");
    settle_nothing();
    batches = settle("--again=TEST-INV-2026-000005");
    assert_int_equal(json_array_size(batches), 1);
    assert_null(json_object_get(json_array_get(batches, 0), "batch"));
    assert_int_equal(json_array_size(json_object_get(json_array_get(batches, 0), "applied")), 1);
    json_decref(batches);
    assert_string_equal(
        sql("SELECT status, open_minor FROM invoice_state WHERE number = 'TEST-INV-2026-000005'"), "paid|0");
    assert_int_equal(CRAWLTAB(output, "invoice", "void", "TEST-INV-2026-000005", "--reason", "x"), 1);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* A credit note for what was paid is credit as well; one that has not been made yet is none. */
static void what_was_taken_back_is_credit(void **state)
{
    uint8_t id[UUID_SIZE];
    char text[UUID_TEXT_MAX];
    (void)state;
    begin(id);
    agree(A, CARD);
    nights_until("2026-10-01");
    pay("TEST-INV-2026-000001", "12.00");
    const struct adjustment_row row = {
        .kind = "reversal", .payment_id = id, .reason = "the page was empty", .actor = "test"};
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    assert_int_equal(adjustment_make(pg, &row, FIRST_DAY + DAY_MS + DAY_MS / 2, &outcome, &made), ERR_OK);
    assert_int_equal(outcome, ADJUSTMENT_DONE);
    settle_nothing();
    nights_until("2026-10-02");
    json_decref(settle(NULL));
    assert_string_equal(sql(collected), "TEST-INV-2026-000002|card|1|800");
    assert_string_equal(sql("SELECT number, from_number, step, amount_minor FROM applied_credit"),
                        "TEST-INV-2026-000002|TEST-INV-2026-000001|1|200");
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-INV-2026-000001"), 0);
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(id, text)), 0);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* A void invoice is open until its credit note is made, and nobody owes it. */
static void a_void_invoice_is_not_collected(void **state)
{
    uint8_t id[UUID_SIZE];
    (void)state;
    begin(id);
    agree(A, CARD);
    nights_until("2026-10-02");
    assert_int_equal(CRAWLTAB(output, "invoice", "void", "TEST-INV-2026-000001", "--reason", "a mistake"), 0);
    assert_string_equal(
        sql("SELECT status, open_minor FROM invoice_state WHERE number = 'TEST-INV-2026-000001'"),
        "void|1200");
    json_decref(settle(NULL));
    assert_string_equal(sql(collected), "TEST-INV-2026-000002|card|1|1000");
    settle_nothing();
    assert_int_equal(CRAWLTAB(output, "settle", "--again", "TEST-INV-2026-000001"), 1);
}

static int spawn_settle(void)
{
    return crawltab_spawn((const char *const[]){"settle", "--json", "--out", ledger_config()->folder, NULL});
}

static void wait_for_locked(int count)
{
    char text[160];
    snprintf(text, sizeof(text),
             "SELECT count(*) = %d FROM pg_stat_activity WHERE application_name = 'crawltab settle' AND"
             " wait_event_type = 'Lock'",
             count);
    wait_for_sql(text);
}

/* A payment that is being booked when the run begins is not collected again. */
static void a_payment_at_the_same_time(void **state)
{
    uint8_t id[UUID_SIZE];
    (void)state;
    begin(id);
    agree(A, CARD);
    nights_until("2026-10-01");
    const struct event_subject subject = {"TEST-INV-2026-000001", "example", "test", clock_now_ms(), true};
    const struct event_money money = {.amount_micros = 11000000, .reference = "R1"};
    struct event_invoice invoice;
    struct event_state was;
    enum event_outcome outcome;
    assert_int_equal(pg_begin(pg), ERR_OK);
    assert_int_equal(event_begin(pg, &subject, &invoice, &outcome), ERR_OK);
    assert_int_equal(outcome, EVENT_DONE);
    assert_int_equal(event_pay(pg, &invoice, &money, &outcome, &was), ERR_OK);
    int run = spawn_settle();
    wait_for_locked(1);
    assert_int_equal(pg_commit(pg), ERR_OK);
    assert_int_equal(run_wait(run), 0);
    assert_string_equal(sql(collected), "TEST-INV-2026-000001|card|1|100");
}

/* Two runs, one of which began before the rail was changed, collect once. */
static void a_change_of_rail_at_the_same_time(void **state)
{
    uint8_t id[UUID_SIZE];
    (void)state;
    begin(id);
    agree(A, CARD);
    agree(B, X402);
    nights_until("2026-10-01");
    assert_int_equal(pg_begin(pg), ERR_OK);
    assert_int_equal(adjustment_lock(pg, 1), ERR_OK);
    int one = spawn_settle();
    wait_for_locked(1);
    agree(A, X402);
    agree(B, CARD);
    int other = spawn_settle();
    wait_for_locked(2);
    assert_int_equal(pg_commit(pg), ERR_OK);
    assert_int_equal(run_wait(one), 0);
    assert_int_equal(run_wait(other), 0);
    assert_string_equal(sql("SELECT number, count(*) FROM settlement GROUP BY number ORDER BY number"),
                        "TEST-INV-2026-000001|1\nTEST-INV-2026-000002|1");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, ledger_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credit_pays_first), TEST(what_was_taken_back_is_credit), TEST(a_void_invoice_is_not_collected),
        TEST(a_payment_at_the_same_time), TEST(a_change_of_rail_at_the_same_time)};
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
