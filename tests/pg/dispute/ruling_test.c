/* What comes of disputes: by rules, by a person, whole and in part, before the invoice and after it; and that
 * whatever is decided, entries are invoices and what is carried, less what was given back (promise P4).
 * Tests ledger/dispute/rules.c, ledger/dispute/ruling.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/dispute/opening.h"
#include "ledger/dispute/ruling.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A     "https://a.example"
#define B     "https://b.example"
#define PAGE  "http://127.0.0.1:8402/a"
#define PRICE INT64_C(2345678)

static char output[OUTPUT_MAX];
static struct pg *pg;
static struct offer_keys keys;
static struct evidence_book book;
static const struct dispute_caps no_caps = {1000000, -1};

static int setup(void **state)
{
    ledger_setup(state);
    pg = NULL;
    book = (struct evidence_book){.sites = NULL};
    keys = (struct offer_keys){.items = NULL};
    return 0;
}

static int teardown(void **state)
{
    evidence_book_close(&book);
    offer_keys_free(&keys);
    pg_close(pg);
    return ledger_teardown(state);
}

static struct pg *connection(void)
{
    if (!pg)
        pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                          .role = "crawltab_operator",
                                          .application = "ruling_test",
                                          .connect_ms = 10000,
                                          .timeout_ms = 30000});
    assert_non_null(pg);
    return pg;
}

/* Noon of the day, by which everything here is done; `hours` later. */
static int64_t noon(int day, int hours)
{
    return days_base_ms() - day * DAY_MS + DAY_MS / 2 + hours * INT64_C(3600000);
}

static void run_nights(int day)
{
    if (CRAWLTAB(output, "nightly", "--day", days_date(day)) != 0)
        fail_msg("%s", output);
}

/* A signed payment; `above`: so much more is charged than it names. Returns its id, static for the next few.
 */
static const char *pay(int64_t at_ms, const char *agent, int64_t above, uint8_t copy)
{
    static char ids[8][UUID_TEXT_MAX];
    static size_t next;
    char *id = ids[next++ % 8];
    clock_set_offset_ms(at_ms - clock_now_ms());
    struct writer *writer = writer_start_ready();
    static struct payment payment;
    payment = payment_make(clock_now_ms(), agent, PRICE, PAGE);
    payment_sign(&payment);
    payment.charge.amount_micros += above;
    payment.charge.recrawl_ms = copy ? 1 : 0;
    payment.charge.validated = payment.charge.whole = copy != 0;
    memset(payment.charge.copy, copy, DIGEST_SIZE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    clock_set_offset_ms(0);
    return uuid_format(payment.charge.payment_id, id);
}

static const char *open_at(int64_t at_ms, const char *reason, const struct dispute_subject *subjects,
                           size_t count)
{
    static char ids[8][UUID_TEXT_MAX];
    static size_t next;
    char *id = ids[next++ % 8];
    const struct dispute_opening opening = {1, reason, "why", subjects, count, 60, 14};
    const struct dispute_publisher publisher = {.actor = "test"};
    struct dispute_opened opened;
    assert_int_equal(dispute_open(connection(), &opening, &publisher, at_ms, &opened), ERR_OK);
    if (opened.outcome != DISPUTE_OPENED)
        fail_msg("%s", json_dumps(opened.answer, 0));
    json_decref(opened.answer);
    snprintf(id, UUID_TEXT_MAX, "%s", opened.id);
    return id;
}

static const char *open_payment(int64_t at_ms, const char *payment_id)
{
    struct dispute_subject subject = {.number = NULL};
    snprintf(subject.payment_id, sizeof(subject.payment_id), "%.36s", payment_id);
    return open_at(at_ms, "other", &subject, 1);
}

/* "status findings/crawls upheld", static. */
static const char *told(const struct ruling *ruling)
{
    static char text[100];
    snprintf(text, sizeof(text), "%s %lld/%lld %lld", ruling->status, (long long)ruling->findings,
             (long long)ruling->crawls, (long long)ruling->upheld_micros);
    return text;
}

static const char *rules_say(const char *dispute_id, int64_t at_ms, const struct dispute_caps *caps)
{
    struct config_rule rule = {.name = "all", .free_recrawl = "24h"};
    struct config_site site = {.rules = &rule, .rule_count = 1};
    struct ruling ruling;
    if (!book.sites) {
        assert_true(offer_keys_read(ledger_config(), &keys));
        assert_int_equal(evidence_book_open(connection(), ledger_config(), &keys, &book), ERR_OK);
    }
    const struct dispute_court court = {
        .pg = connection(), .site = &site, .site_id = 1, .crawler_id = 1, .book = &book};
    assert_int_equal(ruling_by_rules(&court, dispute_id, caps, at_ms, &ruling), ERR_OK);
    if (ruling.outcome != RULING_DONE)
        return ruling.outcome == RULING_DECIDED ? "decided" : "unknown";
    return told(&ruling);
}

static struct ruling decide(const struct ruling_order *order, int64_t at_ms)
{
    struct ruling ruling;
    assert_int_equal(ruling_by_person(connection(), order, at_ms, &ruling), ERR_OK);
    return ruling;
}

/* P4, from the entries and what was written down of corrections and invoices, without the night's own sums:
 * for each crawler, to the micro-unit. What is not taken up by a closed day yet counts for neither side. */
static void nothing_is_lost(void)
{
    assert_string_equal(
        sql("SELECT count(*) FROM crawler k WHERE"
            "  (SELECT coalesce(sum(c.amount_micros), 0) FROM charge c WHERE c.crawler_id = k.crawler_id"
            "      AND NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id)"
            "      AND c.payment_id < (SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1))"
            "  - (SELECT coalesce(sum(a.amount_micros), 0) FROM adjustment a WHERE a.crawler_id = "
            "k.crawler_id"
            "        AND a.adjustment_id < (SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1)"
            "        AND NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = a.payment_id))"
            "  <> (SELECT coalesce(sum(CASE i.kind WHEN 'invoice' THEN i.net_micros ELSE -i.net_micros END), "
            "0)"
            "        FROM invoice i WHERE i.crawler_id = k.crawler_id)"
            "   + coalesce((SELECT d.carried_out_micros FROM crawler_day d WHERE d.crawler_id = k.crawler_id"
            "                ORDER BY d.close_number DESC LIMIT 1), 0)"),
        "0");
    /* Each finding is its adjustment's, and no crawl was given back twice, or more than it cost. */
    assert_string_equal(
        sql("SELECT count(*) FROM dispute_finding f LEFT JOIN adjustment a USING (adjustment_id)"
            " WHERE f.amount_micros <> coalesce(a.amount_micros, 0)"
            " OR a.payment_id <> f.payment_id"),
        "0");
    assert_string_equal(sql("SELECT count(*) FROM (SELECT sum(a.amount_micros) AS taken, max(c.amount_micros)"
                            " AS paid FROM adjustment a JOIN charge c USING (payment_id)"
                            " GROUP BY payment_id) AS t WHERE taken > paid"),
                        "0");
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
}

static void lose(const char *payment_id, int status)
{
    char text[300];
    snprintf(text, sizeof(text), "SELECT note_undelivered('%s', %d, 10, 100, 'log', gen_random_uuid(), 1)",
             payment_id, status);
    assert_true(sql_as("crawltab_operator", text, output));
}

static void each_rule_gives_back(void **state)
{
    const int64_t later = noon(5, 3);
    char ids[7][UUID_TEXT_MAX], disputes[7][UUID_TEXT_MAX];
    (void)state;
    for (int i = 0; i < 7; i++)
        snprintf(ids[i], UUID_TEXT_MAX, "%s",
                 pay(noon(5, 0) + i * 60000, A, i == 1 ? 700000 : 0, i == 4 || i == 5 ? 7 : 0));
    lose(ids[2], 502);
    lose(ids[3], 200);
    char forged[200];
    snprintf(forged, sizeof(forged), "SELECT tableoid::regclass FROM charge WHERE payment_id = '%s'", ids[0]);
    char table[64];
    snprintf(table, sizeof(table), "%s", sql(forged));
    snprintf(forged, sizeof(forged), "ALTER TABLE %s DISABLE TRIGGER append_only", table);
    sql(forged);
    snprintf(forged, sizeof(forged),
             "UPDATE %s SET signature = sha256('') || sha256('x') WHERE payment_id = '%s'", table, ids[0]);
    sql(forged);
    snprintf(forged, sizeof(forged), "ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only", table);
    sql(forged);
    static const char *const expected[] = {"upheld 1/1 2345678", "upheld 1/1 700000", "upheld 1/1 2345678",
                                           "upheld 1/1 2345678", "referred 0/1 0",    "upheld 1/1 2345678",
                                           "referred 0/1 0"};
    for (int i = 0; i < 7; i++) {
        snprintf(disputes[i], UUID_TEXT_MAX, "%s", open_payment(later, ids[i]));
        assert_string_equal(rules_say(disputes[i], later, &no_caps), expected[i]);
        assert_string_equal(rules_say(disputes[i], later, &no_caps), "decided");
    }
    assert_string_equal(sql("SELECT string_agg(rule, ' ' ORDER BY payment_id) FROM dispute_finding"),
                        "evidence price origin_error undelivered repeat");
    snprintf(forged, sizeof(forged),
             "SELECT string_agg(event || ' ' || actor, ', ' ORDER BY step) FROM dispute_event"
             " WHERE dispute_id = '%s'",
             disputes[0]);
    assert_string_equal(sql(forged), "opened test as crawltab_operator, upheld rules");
    assert_string_equal(rules_say("01890000-0000-7000-8000-000000000001", later, &no_caps), "unknown");
    /* The night bills neither what was forged nor what is above the signed price, whatever was given back;
     * and it gives back once what was not delivered. */
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(4)), 3);
    assert_string_equal(sql("SELECT count(*) FROM unproven"), "2");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM adjustment"), "5|10082712");
    nothing_is_lost();
}

/* As the gate has recorded them, where nothing else was told. A connection that ended, whosever doing it was,
 * is for a person; what was given once more, whole, is not lost. */
static void what_was_recorded_of_the_delivery_counts(void **state)
{
    static const struct {
        const char *ended;
        bool again; /* and then given whole */
        const char *says;
    } deliveries[] = {{"broken", false, "upheld 1/1 2345678"},
                      {"whole", false, "referred 0/1 0"},
                      {"cut", false, "referred 0/1 0"},
                      {"broken", true, "referred 0/1 0"}};
    const struct dispute_caps caps = {1000000, -1};
    (void)state;
    for (size_t i = 0; i < sizeof(deliveries) / sizeof(*deliveries); i++) {
        struct dispute_subject subject = {.number = NULL};
        char query[512];
        snprintf(subject.payment_id, UUID_TEXT_MAX, "%s", pay(noon(5, 0) + (int64_t)i * 10000, A, 0, 0));
        snprintf(query, sizeof(query),
                 "INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended, status)"
                 " SELECT '%s', again, 1, now(), CASE WHEN again THEN 'whole' ELSE '%s' END, 200"
                 " FROM generate_series(0, %d) AS n, LATERAL (SELECT n = 1) AS v (again)",
                 subject.payment_id, deliveries[i].ended, deliveries[i].again);
        sql_own(query);
        const char *dispute = open_at(noon(5, 2), "service_not_delivered", &subject, 1);
        assert_string_equal(rules_say(dispute, noon(5, 2), &caps), deliveries[i].says);
    }
    assert_string_equal(sql("SELECT string_agg(rule, ' ') FROM dispute_finding"), "undelivered");
}

/* Above the caps a person decides; caps are of the last thirty days, and the agreement's go before. */
static void caps_hold(void **state)
{
    struct dispute_subject subjects[4] = {{.number = NULL}};
    const struct dispute_caps half = {500000, -1}, low = {1000000, 2 * PRICE};
    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *id = pay(noon(5, 0) + i * 10000, A, 0, 0);
        lose(id, 500);
        snprintf(subjects[i].payment_id, UUID_TEXT_MAX, "%s", id);
    }
    /* What was not delivered is no charge of the last thirty days. */
    for (int i = 0; i < 4; i++)
        pay(noon(5, 1) + i * 10000, A, 0, 0);
    const char *dispute = open_at(noon(5, 2), "service_not_delivered", subjects, 3);
    assert_string_equal(rules_say(dispute, noon(5, 2), &half), "referred 2/3 4691356");
    assert_string_equal(sql("SELECT detail FROM dispute_event WHERE event = 'referred'"),
                        "the rules uphold 2 of 3 crawls, and more than may be given back without a person");
    const char *second = open_at(noon(5, 2), "service_not_delivered", subjects + 3, 1);
    assert_string_equal(rules_say(second, noon(5, 2), &low), "referred 0/1 0");
    const struct ruling_order order = {
        .dispute_id = dispute, .uphold = true, .reason = "seen", .actor = "ann"};
    struct ruling ruling = decide(&order, noon(5, 3));
    assert_string_equal(told(&ruling), "upheld 3/3 7037034");
    run_nights(4);
    /* The one that nobody upheld was not delivered all the same. */
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM adjustment"), "4|9382712");
    nothing_is_lost();
}

/* Of an invoice: a line, payments of it, parts; credit notes of the next close. */
static void people_decide_after_the_invoice(void **state)
{
    char first[UUID_TEXT_MAX], second[UUID_TEXT_MAX], number[64];
    struct dispute_subject line = {.line = 1};
    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *id = pay(noon(9, 0) + i * 10000, A, 0, 0);
        snprintf(i == 0 ? first : second, UUID_TEXT_MAX, "%s", id);
    }
    pay(noon(8, 0), A, 500, 0); /* not proven: more than was signed */
    pay(noon(9, 1), B, 0, 0);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(8)), 3);
    snprintf(number, sizeof(number), "%s", sql("SELECT number FROM invoice WHERE agent = '" A "'"));
    line.number = number;
    const char *dispute = open_at(noon(7, 0), "overcharge", &line, 1);
    assert_string_equal(rules_say(dispute, noon(7, 0), &no_caps), "referred 0/4 0");
    assert_int_equal(CRAWLTAB(output, "invoice", "show", number), 0);
    assert_non_null(strstr(output, "Disputed        9.382712"));
    const char *const some[] = {first, "01890000-0000-7000-8000-000000000001"};
    struct ruling_order order = {.dispute_id = dispute,
                                 .uphold = true,
                                 .payments = some,
                                 .payment_count = 2,
                                 .reason = "the page was empty",
                                 .actor = "ann"};
    assert_int_equal(decide(&order, noon(7, 1)).outcome, RULING_FOREIGN);
    order.payment_count = 1;
    order.amount_micros = PRICE + 1;
    struct ruling ruling = decide(&order, noon(7, 1));
    assert_int_equal(ruling.outcome, RULING_TOO_MUCH);
    assert_int_equal(ruling.left_micros, PRICE);
    assert_string_equal(sql("SELECT count(*) FROM adjustment"), "0"); /* nothing stays of what was not done */
    order.amount_micros = 1000000;
    ruling = decide(&order, noon(7, 1));
    assert_string_equal(told(&ruling), "part_upheld 1/4 1000000");
    assert_int_equal(decide(&order, noon(7, 2)).outcome, RULING_DECIDED);
    assert_int_equal(CRAWLTAB(output, "invoice", "show", number), 0);
    assert_null(strstr(output, "Disputed"));
    run_nights(7);
    assert_string_equal(sql("SELECT net_micros, (SELECT description FROM invoice_line l WHERE l.number ="
                            " i.number) LIKE '%dispute %the page was empty' FROM invoice i"
                            " WHERE kind = 'credit-note'"),
                        "1000000|t");
    nothing_is_lost();
    /* It was decided: what is disputed again is known to be. */
    assert_int_equal(CRAWLTAB(output, "dispute", "open", second, "--reason", "other"), 1);
    assert_non_null(strstr(output, "it is disputed already, or was"));
    assert_non_null(strstr(output, dispute));
}

static void all_of_a_line_and_none(void **state)
{
    char number[64];
    struct dispute_subject line = {.line = 1};
    (void)state;
    for (int i = 0; i < 3; i++)
        pay(noon(9, 0) + i * 10000, A, 0, 0);
    const char *other = pay(noon(9, 1), B, 0, 0);
    run_nights(8);
    snprintf(number, sizeof(number), "%s", sql("SELECT number FROM invoice WHERE agent = '" A "'"));
    line.number = number;
    const char *whole = open_at(noon(7, 0), "service_defective", &line, 1);
    const char *none = open_payment(noon(7, 0), other);
    struct ruling_order order = {.dispute_id = none, .reason = "it was delivered", .actor = "ann"};
    struct ruling ruling = decide(&order, noon(7, 1));
    assert_string_equal(told(&ruling), "rejected 0/1 0");
    order.dispute_id = whole;
    order.uphold = true;
    ruling = decide(&order, noon(7, 1));
    assert_string_equal(told(&ruling), "upheld 3/3 7037034");
    run_nights(7);
    assert_string_equal(sql("SELECT status FROM invoice_state JOIN invoice USING (site_id, number)"
                            " WHERE agent = '" A "' AND kind = 'invoice'"),
                        "credited");
    nothing_is_lost();
    /* Proofs of what was rejected go out with it. */
    char folder[200], proof[300];
    snprintf(folder, sizeof(folder), "%s/proofs", server_path());
    assert_int_equal(CRAWLTAB(output, "dispute", "show", none, "--proof", folder), 0);
    snprintf(proof, sizeof(proof), "%s/%s.json", folder, other);
    assert_int_equal(CRAWLTAB(output, "verify", proof), 0);
}

/* Killed when all has been written but the last event: nothing of it is there, and told again it is done. */
static void a_decision_is_made_or_not(void **state)
{
    char dispute[UUID_TEXT_MAX], insert[300], output2[OUTPUT_MAX];
    (void)state;
    const char *id = pay(noon(3, 0), A, 0, 0);
    snprintf(dispute, sizeof(dispute), "%s", open_payment(clock_now_ms(), id));
    snprintf(insert, sizeof(insert),
             "BEGIN; INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor)"
             " VALUES ('%s', 2, 1, 'referred', now(), 'x'); SELECT pg_sleep(60)",
             dispute);
    int other = sql_spawn(insert);
    wait_for_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"
                 " AND wait_event = 'PgSleep')");
    int command = crawltab_spawn(
        (const char *const[]){"dispute", "decide", dispute, "--uphold", "--reason", "seen", NULL});
    wait_for_sql("SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                 " WHERE NOT l.granted AND a.application_name = 'crawltab dispute')");
    kill(command, SIGKILL);
    assert_int_equal(run_wait(command), 128 + SIGKILL);
    kill(other, SIGKILL);
    run_wait(other);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"
        " AND pid <> pg_backend_pid()");
    wait_for_sql(
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'crawltab dispute')");
    assert_string_equal(sql("SELECT count(*) FROM adjustment"), "0");
    assert_string_equal(sql("SELECT status FROM dispute_state"), "opened");
    for (int i = 0; i < 2; i++)
        assert_int_equal(CRAWLTAB(output2, "dispute", "decide", dispute, "--uphold", "--reason", "seen"), 0);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM adjustment"), "1|2345678");
    assert_int_equal(CRAWLTAB(output2, "dispute", "decide", dispute, "--reject", "--reason", "no"), 1);
    assert_non_null(strstr(output2, "this dispute is decided already"));
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_rule_gives_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_recorded_of_the_delivery_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(caps_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(people_decide_after_the_invoice, setup, teardown),
        cmocka_unit_test_setup_teardown(all_of_a_line_and_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_decision_is_made_or_not, setup, teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
