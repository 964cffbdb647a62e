/* Paid pages that did not arrive whole: each is recorded once, its id opens nothing any more, the credit is
 * back, and the close of its day bills nothing for it.
 * Tests ledger/entry/undelivered.c, ledger/entry/reports.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/entry/undelivered.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define A    "https://a.example"
#define B    "https://b.example"
#define PAGE "http://127.0.0.1:8402/a"

static char output[OUTPUT_MAX];

struct told {
    struct undelivered_report report;
    atomic_int answers;
};

static void on_told(struct undelivered_report *report)
{
    struct told *told = (struct told *)(void *)report;
    atomic_fetch_add(&told->answers, 1);
}

static struct undelivered fact_of(const uint8_t id[UUID_SIZE], int64_t sent, int64_t length)
{
    struct undelivered fact = {.status = 200, .sent_bytes = sent, .length_bytes = length, .told_by = "gate"};
    memcpy(fact.payment_id, id, UUID_SIZE);
    return fact;
}

static void wait_told(struct told *told)
{
    for (int i = 0; i < 6000 && atomic_load(&told->answers) == 0; i++)
        poll(NULL, 0, 10);
    assert_int_equal(atomic_load(&told->answers), 1);
}

static enum undelivered_outcome tell(struct writer *writer, const struct undelivered *fact)
{
    struct told told = {.report = report_of(fact, on_told)};
    assert_int_equal(writer_report(writer, &told.report), ERR_OK);
    wait_told(&told);
    assert_int_equal(told.report.err, ERR_OK);
    return told.report.outcome;
}

static enum undelivered_outcome report(struct writer *writer, const uint8_t id[UUID_SIZE])
{
    const struct undelivered fact = fact_of(id, 1000, 5000);
    return tell(writer, &fact);
}

/* As a server that sells by itself: so much is billed in the end. */
static enum undelivered_outcome settle(struct writer *writer, const uint8_t id[UUID_SIZE], int64_t micros)
{
    struct undelivered fact = {.length_bytes = -1, .told_by = "server", .final_micros = micros};
    memcpy(fact.payment_id, id, UUID_SIZE);
    return tell(writer, &fact);
}

/* As days_charge leaves the clock: on the noon of that many days ago. */
static struct writer *writer_on(int days)
{
    clock_set_offset_ms(days_base_ms() - days * (int64_t)86400000 + 43200000 - clock_now_ms());
    return writer_start_ready();
}

static void end(struct writer *writer)
{
    writer_stop(writer);
    clock_set_offset_ms(0);
}

static void night_and_audit(void)
{
    if (CRAWLTAB(output, "nightly") != 0)
        fail_msg("%s", output);
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
}

static void recorded_once_and_the_id_is_dead(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 50000, PAGE);
    payment_bind(&payment);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    struct charge_outcome outcome = {.err = ERR_INTERNAL};
    assert_true(writer_recall(writer, &payment.charge, &outcome));
    assert_int_equal(outcome.err, ERR_OK);
    assert_int_equal(report(writer, payment.charge.payment_id), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, payment.charge.payment_id), UNDELIVERED_KNOWN);
    assert_string_equal(sql("SELECT status, sent_bytes, length_bytes, told_by FROM undelivered"),
                        "200|1000|5000|gate");
    assert_string_equal(sql("SELECT sum(entries), sum(amount_micros), count(DISTINCT (writer_id, sequence))"
                            " FROM spend"),
                        "0|0|2");
    /* Without asking the ledger; and a gate that has not heard of it asks once. */
    assert_true(writer_recall(writer, &payment.charge, &outcome));
    assert_int_equal(outcome.err, ERR_PAYMENT_UNDELIVERED);
    assert_int_equal(payment_pay(writer, &payment), ERR_PAYMENT_UNDELIVERED);
    struct payment other = payment_make(clock_now_ms(), A, 1, PAGE);
    assert_int_equal(report(writer, other.charge.payment_id), UNDELIVERED_NO_CHARGE);
    writer_stop(writer);
    writer = writer_start_ready(); /* another gate, or this one after a restart */
    assert_false(writer_recall(writer, &payment.charge, &outcome));
    assert_int_equal(report(writer, payment.charge.payment_id), UNDELIVERED_KNOWN);
    assert_int_equal(payment_pay(writer, &payment), ERR_PAYMENT_UNDELIVERED);
    assert_true(writer_recall(writer, &payment.charge, &outcome));
    assert_int_equal(outcome.err, ERR_PAYMENT_UNDELIVERED);
    writer_stop(writer);
}

/* Once per id, never more than the entry, and the id goes on opening its page. */
static void one_final_amount(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 12500000, PAGE);
    payment_bind(&payment);
    const uint8_t *id = payment.charge.payment_id;
    struct charge_outcome outcome = {.err = ERR_INTERNAL};
    assert_int_equal(settle(writer, id, 7000000), UNDELIVERED_NO_CHARGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_int_equal(settle(writer, id, 12500000), UNDELIVERED_DIFFERS);
    assert_int_equal(settle(writer, id, 12500001), UNDELIVERED_DIFFERS);
    assert_int_equal(settle(writer, id, 7000000), UNDELIVERED_RECORDED);
    assert_int_equal(settle(writer, id, 7000000), UNDELIVERED_KNOWN);
    assert_int_equal(settle(writer, id, 6999999), UNDELIVERED_DIFFERS);
    assert_int_equal(settle(writer, id, 0), UNDELIVERED_DIFFERS);
    assert_int_equal(report(writer, id), UNDELIVERED_DIFFERS);
    assert_string_equal(sql("SELECT count(*), min(final_micros), min(told_by) FROM undelivered"),
                        "1|7000000|server");
    assert_string_equal(sql("SELECT sum(entries), sum(amount_micros) FROM spend"), "1|7000000");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
        assert_true(writer_recall(writer, &payment.charge, &outcome));
        assert_int_equal(outcome.err, ERR_OK);
        assert_int_equal(outcome.amount_micros, 7000000);
        writer_stop(writer);
        writer = writer_start_ready(); /* another gate, or this one after a restart */
    }
    writer_stop(writer);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_int_equal(CRAWLTAB(output, "undelivered"), 0);
    assert_non_null(strstr(output, "delivered; final amount 7.00 USD, told by the server"));
}

/* Without the ledger a report waits; its id is dead at once. */
static void kept_until_the_ledger_is_back(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 50000, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    server_kill();
    writer_wait_ready(writer, false);
    const struct undelivered fact = fact_of(payment.charge.payment_id, 0, -1);
    struct told told = {.report = report_of(&fact, on_told)}, late = {.report = report_of(&fact, on_told)};
    late.report.deadline_ms = clock_monotonic_ms() + 100;
    assert_int_equal(writer_report(writer, &late.report), ERR_OK);
    wait_told(&late);
    assert_int_equal(late.report.err, ERR_LEDGER_UNAVAILABLE);
    assert_int_equal(writer_report(writer, &told.report), ERR_OK);
    struct charge_outcome outcome = {.err = ERR_OK};
    assert_true(writer_recall(writer, &payment.charge, &outcome));
    assert_int_equal(outcome.err, ERR_PAYMENT_UNDELIVERED);
    assert_int_equal(atomic_load(&told.answers), 0);
    server_restart();
    wait_told(&told);
    assert_int_equal(told.report.err, ERR_OK);
    assert_string_equal(sql("SELECT count(*), max(length_bytes) IS NULL FROM undelivered"), "1|t");
    writer_stop(writer);
}

static void whoever_waits_is_told_at_the_end(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 50000, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    server_kill();
    writer_wait_ready(writer, false);
    const struct undelivered fact = fact_of(payment.charge.payment_id, 0, -1);
    struct told told = {.report = report_of(&fact, on_told)};
    assert_int_equal(writer_report(writer, &told.report), ERR_OK);
    writer_stop(writer);
    assert_int_equal(atomic_load(&told.answers), 1);
    assert_int_equal(told.report.err, ERR_LEDGER_UNAVAILABLE);
    server_restart();
}

/* Twelve pages at 1.25, two of which did not arrive; the next day is billed whole. */
static void nothing_is_billed_for_it(void **state)
{
    (void)state;
    uint8_t lost[2][UUID_SIZE];
    memcpy(lost[0], days_charge(3, A, 1250000, 5), UUID_SIZE);
    memcpy(lost[1], days_charge(3, A, 1250000, 7), UUID_SIZE);
    days_charge(3, B, 1250000, 2);
    days_charge(2, A, 1250000, 4);
    struct writer *writer = writer_on(3);
    assert_int_equal(report(writer, lost[0]), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, lost[1]), UNDELIVERED_RECORDED);
    end(writer);
    assert_int_equal(CRAWLTAB(output, "nightly", "--dry-run"), 0);
    assert_string_equal(sql("SELECT count(*) FROM adjustment"), "0");
    assert_non_null(strstr(output, "12.50 USD"));
    night_and_audit();
    assert_string_equal(sql("SELECT agent, total_minor FROM invoice ORDER BY number"),
                        A "|1250\n" B "|250\n" A "|500");
    assert_string_equal(
        sql("SELECT count(*), min(amount_micros), bool_and(kind = 'reversal'), min(reason),"
            " bool_and(adjustment_id = undelivered_adjustment(site_id, payment_id)),"
            " bool_and(uuid_instant(adjustment_id)::date = uuid_instant(payment_id)::date) FROM adjustment"),
        "2|1250000|t|not delivered: 1000 of 5000 bytes, as the gate tells|t|t");
    char id[UUID_TEXT_MAX];
    assert_int_equal(CRAWLTAB(output, "adjust", uuid_format(lost[0], id), "--reversal", "--reason", "x"), 1);
    assert_int_equal(CRAWLTAB(output, "undelivered"), 0);
    assert_non_null(strstr(output, "1000 of 5000 bytes, status 200, told by the gate"));
    assert_non_null(strstr(output, "taken back"));
}

static void nth_paid(int n, uint8_t id[UUID_SIZE])
{
    char text[128];
    snprintf(text, sizeof(text), "SELECT payment_id FROM charge ORDER BY payment_id OFFSET %d LIMIT 1", n);
    assert_true(uuid_parse(slice_of(sql(text)), id));
}

/* A crawler that asks twice at once for what it pays once: the site breaks off one answer, and the other
 * comes whole. Only a body is a delivery. */
static void what_came_whole_for_another_request_is_billed(void **state)
{
    (void)state;
    char text[512], id[UUID_TEXT_MAX];
    uint8_t whole[UUID_SIZE], head[UUID_SIZE];
    days_charge(3, A, 1250000, 3);
    nth_paid(0, whole);
    nth_paid(1, head);
    struct writer *writer = writer_on(3);
    assert_int_equal(report(writer, whole), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, head), UNDELIVERED_RECORDED);
    end(writer);
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof(text),
                 "INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended, status, sent_bytes)"
                 " VALUES ('%s', true, 1, now(), 'whole', 200, %d)",
                 uuid_format(i ? head : whole, id), i ? 0 : 5000);
        if (!sql_as("crawltab_gate", text, output))
            fail_msg("%s", output);
    }
    night_and_audit();
    snprintf(text, sizeof(text), "SELECT payment_id = '%s', amount_micros FROM adjustment",
             uuid_format(head, id));
    assert_string_equal(sql(text), "t|1250000");
    assert_string_equal(sql("SELECT total_minor FROM invoice"), "250");
}

/* What a person has taken back already, and what the terms have covered, is not given back twice. */
static void never_more_than_was_billed(void **state)
{
    (void)state;
    uint8_t included[UUID_SIZE], tier[UUID_SIZE], partly[UUID_SIZE], covered[UUID_SIZE];
    char id[UUID_TEXT_MAX];
    days_charge(4, A, 100000, 4);
    nth_paid(0, included);
    nth_paid(2, tier); /* of the three that count the second: 40 % off */
    nth_paid(3, partly);
    memcpy(covered, days_charge(4, B, 100000, 1), UUID_SIZE);
    sql_own(
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " buyer, settlement, due_days, cadence, subscription, fee_micros, included_crawls, "
        "minimum_fee_micros,"
        " minimum_invoice_micros, tax_treatment, tax_rate_ppm)"
        " SELECT 1, crawler_id, 1, now() - interval '60 days', now(), 'test', 'test', 'active',"
        " '{\"name\": \"Crawler\"}', '{}', 14, 'daily', agent = '" B "', CASE agent WHEN '" B
        "' THEN 5000000 ELSE 0 END, CASE agent WHEN '" A "' THEN 1 ELSE 0 END, 0, 0, 'none', 0 FROM crawler");
    sql_own("INSERT INTO agreement_tier SELECT agreement_id, 2, 400000 FROM agreement JOIN crawler"
            " USING (crawler_id) WHERE agent = '" A "'");
    struct writer *writer = writer_on(4);
    assert_int_equal(report(writer, included), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, tier), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, partly), UNDELIVERED_RECORDED);
    assert_int_equal(report(writer, covered), UNDELIVERED_RECORDED);
    end(writer);
    assert_int_equal(CRAWLTAB(output, "adjust", uuid_format(partly, id), "--credit", "0.01", "--reason", "x"),
                     0);
    night_and_audit();
    assert_string_equal(sql("SELECT string_agg(amount_micros::text, ' ' ORDER BY amount_micros)"
                            " FROM adjustment"),
                        "10000 50000 60000");
    /* A subscription of five for each day that the night closed, whatever time of day it is now. */
    assert_string_equal(sql("SELECT agent, CASE agent WHEN '" B "' THEN (sum(l.amount_micros)"
                            " / (SELECT count(*) FROM day_close))::bigint ELSE sum(l.amount_micros) END"
                            " FROM invoice JOIN invoice_line l USING (site_id, number)"
                            " GROUP BY agent ORDER BY agent"),
                        A "|110000\n" B "|5000000");
}

/* Whatever the terms are, what is left is what an entry of the final amount would have cost: twelve crawls at
 * 12.50 of which every third costs 3.333333 in the end; two are included, and from the fifth on 15 % are off.
 */
static void the_night_bills_final_amounts(void **state)
{
    (void)state;
    enum { CRAWLS = 12, FINAL = 3333333, PRICE = 12500000 };
    uint8_t id[UUID_SIZE];
    char text[UUID_TEXT_MAX];
    int64_t expected = 0;
    days_charge(4, A, PRICE, CRAWLS);
    days_charge_at(days_base_ms() - 4 * DAY_MS + DAY_MS / 2 + 3600000, B, PRICE, 2); /* ids after those */
    days_charge(3, A, PRICE, 1);
    sql_own("INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
            " status, buyer, settlement, due_days, cadence, subscription, fee_micros, included_crawls,"
            " minimum_fee_micros, minimum_invoice_micros, tax_treatment, tax_rate_ppm)"
            " SELECT 1, crawler_id, 1, now() - interval '60 days', now(), 'test', 'test', 'active',"
            " '{\"name\": \"Crawler\"}', '{}', 14, 'daily', false, 0, 2, 0, 0, 'none', 0 FROM crawler"
            " WHERE agent = '" A "'");
    sql_own("INSERT INTO agreement_tier SELECT agreement_id, 3, 150000 FROM agreement");
    struct writer *writer = writer_on(4);
    for (int i = 0; i < CRAWLS; i++) {
        int64_t amount = i % 3 == 0 ? FINAL : PRICE;
        nth_paid(i, id);
        if (i % 3 == 0)
            assert_int_equal(settle(writer, id, FINAL), UNDELIVERED_RECORDED);
        /* Two are included, two are whole, the others cost 85 %, whose discount is rounded down. */
        if (i >= 2)
            expected += amount - (i >= 4 ? amount * 15 / 100 : 0);
    }
    nth_paid(CRAWLS, id); /* of B, who has no terms */
    assert_int_equal(settle(writer, id, FINAL), UNDELIVERED_RECORDED);
    end(writer);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    night_and_audit();
    char all[128];
    snprintf(all, sizeof(all), A "|%lld\n" B "|%lld", (long long)expected, (long long)PRICE + FINAL);
    assert_string_equal(sql("SELECT agent, sum(l.amount_micros) FROM invoice i JOIN invoice_line l USING"
                            " (site_id, number) JOIN day d ON d.site_id = i.site_id AND d.local_date ="
                            " i.local_date WHERE d.local_date = (SELECT min(local_date) FROM day_close"
                            " WHERE entries > 0) GROUP BY agent ORDER BY agent"),
                        all);
    assert_string_equal(sql("SELECT count(*), count(DISTINCT payment_id), min(reason) FROM adjustment"),
                        "4|4|final amount 3.333333 of 12.50, as the server tells");
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(id, text)), 0);
    assert_non_null(strstr(output, "3.333333 USD, told by the server on"));
    assert_non_null(strstr(output, "9.166667"));
    assert_int_equal(CRAWLTAB(output, "undelivered", "--json"), 0);
    assert_non_null(strstr(output, "\"final_micros\": 3333333"));
    assert_int_equal(CRAWLTAB(output, "export", "adjustments", "--from", days_date(5), "--to", days_date(3)),
                     0);
    assert_non_null(strstr(output, "final amount 3.333333 of 12.50"));
}

/* A sealed day takes no more of them, and the roles cannot write the table themselves. */
static void a_seal_ends_it(void **state)
{
    (void)state;
    uint8_t before[UUID_SIZE], after[UUID_SIZE];
    char text[512], id[UUID_TEXT_MAX];
    memcpy(before, days_charge(3, A, 1250000, 1), UUID_SIZE);
    memcpy(after, days_charge(3, A, 1250000, 1), UUID_SIZE);
    struct writer *writer = writer_on(3);
    assert_int_equal(report(writer, before), UNDELIVERED_RECORDED);
    night_and_audit();
    assert_int_equal(report(writer, after), UNDELIVERED_SEALED);
    assert_int_equal(report(writer, before), UNDELIVERED_KNOWN);
    assert_int_equal(settle(writer, after, 1), UNDELIVERED_SEALED);
    end(writer);
    static const char *const roles[] = {"crawltab_gate", "crawltab_operator"};
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof(text),
                 "INSERT INTO undelivered (payment_id, site_id, status, sent_bytes, told_by)"
                 " VALUES ('%s', 1, 200, 0, 'gate')",
                 uuid_format(after, id));
        assert_false(sql_as(roles[i], text, output));
        assert_non_null(strstr(output, "permission denied"));
    }
    /* A reversal in a sealed day is for what was not delivered, and only before that day is closed. */
    snprintf(text, sizeof(text),
             "INSERT INTO adjustment SELECT undelivered_adjustment(1, payment_id), 1, crawler_id, 'reversal',"
             " payment_id, NULL, 1, 'x', 'x', now() FROM charge WHERE payment_id = '%s'",
             uuid_format(after, id));
    assert_false(sql_as("crawltab_operator", text, output));
    assert_non_null(strstr(output, "is sealed"));
}

/* A report that has begun before the seal is in the close, whatever waits for what. */
static void a_report_on_its_way_is_waited_for(void **state)
{
    (void)state;
    char text[512], id[UUID_TEXT_MAX];
    const uint8_t *lost = days_charge(3, A, 1250000, 2);
    snprintf(
        text, sizeof(text),
        "SET SESSION AUTHORIZATION crawltab_gate; BEGIN; SELECT note_undelivered('%s', 200, 5, NULL, 'gate',"
        " '0190a000-0000-7000-8000-000000000001', 1); SELECT pg_sleep(1); COMMIT",
        uuid_format(lost, id));
    int reporter = sql_spawn(text);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    night_and_audit();
    run_wait(reporter);
    assert_string_equal(sql("SELECT total_minor FROM invoice"), "125");
}

/* What a front's log tells. */
static void lines_of_a_log(void **state)
{
    (void)state;
    uint8_t lost[3][UUID_SIZE];
    char id[UUID_TEXT_MAX], path[] = "/tmp/crawltab-log-XXXXXX";
    for (int i = 0; i < 3; i++)
        memcpy(lost[i], days_charge(3, A, 1250000, 1), UUID_SIZE);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "127.0.0.1 - GET / crawltab=- status=200 bytes=3 length=4\n");
    dprintf(fd, "crawltab=%s status=200 bytes=5000 length=5000\n", uuid_format(lost[0], id));
    dprintf(fd, "x crawltab=%s status=200 bytes=4999 length=5000\n", uuid_format(lost[1], id));
    dprintf(fd, "\"crawltab=%s status=200 bytes=1 length=2\"\n", uuid_format(lost[0], id)); /* no word */
    dprintf(fd,
            "{\"level\":\"info\",\"status\":502,\"size\":160,\"resp_headers\":{\"payment-response\":"
            "[\"scheme=\\\"deferred\\\", id=\\\"%s\\\", timestamp=1\"]}}\n",
            uuid_format(lost[2], id));
    dprintf(fd,
            "{\"level\":\"info\",\"status\":200,\"size\":5,\"resp_headers\":{\"Content-Length\":[\"5\"],"
            "\"Payment-Response\":[\"scheme=\\\"deferred\\\", id=\\\"%s\\\"\"]}}\n",
            uuid_format(lost[0], id));
    dprintf(fd, "{\"no\": \"access\"}\n{broken\n");
    dprintf(fd, "crawltab=%s status=504 bytes=160 length=-", uuid_format(lost[2], id));
    close(fd);
    assert_int_equal(CRAWLTAB(output, "undelivered", "--log", path), 0);
    assert_non_null(strstr(output, "9 lines: 2 recorded, 1 recorded before, 0 with problems"));
    assert_int_equal(CRAWLTAB(output, "undelivered", "--log", path), 0);
    assert_non_null(strstr(output, "0 recorded, 3 recorded before"));
    assert_string_equal(sql("SELECT string_agg(concat(status, ' ', sent_bytes, ' ', told_by), ','"
                            " ORDER BY status) FROM undelivered"),
                        "200 4999 log,502 160 log");
    FILE *file = fopen(path, "w");
    fprintf(file,
            "crawltab=%s status=two bytes=1\ncrawltab=not-an-id status=200 bytes=1\n"
            "crawltab=0190a000-0000-7000-8000-000000000001 status=500 bytes=0 length=0\n",
            uuid_format(lost[0], id));
    fclose(file);
    assert_int_equal(CRAWLTAB(output, "undelivered", "--log", path), 1);
    assert_non_null(strstr(output, ":1: names a payment"));
    assert_non_null(strstr(output, ":2: names a payment"));
    assert_non_null(strstr(output, ":3: nobody has paid with this id here"));
    night_and_audit();
    assert_string_equal(sql("SELECT total_minor FROM invoice"), "125");
    unlink(path);
    assert_int_equal(CRAWLTAB(output, "undelivered", "--log", path), 1);
    assert_non_null(strstr(output, "No such file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_setup, ledger_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_final_amount),
        TEST(the_night_bills_final_amounts),
        TEST(recorded_once_and_the_id_is_dead),
        TEST(kept_until_the_ledger_is_back),
        TEST(whoever_waits_is_told_at_the_end),
        TEST(nothing_is_billed_for_it),
        TEST(what_came_whole_for_another_request_is_billed),
        TEST(never_more_than_was_billed),
        TEST(a_seal_ends_it),
        TEST(a_report_on_its_way_is_waited_for),
        TEST(lines_of_a_log),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
