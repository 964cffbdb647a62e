/* Repeats at no price: decided by the ledger, by ids and copies alone, and once for an id. Tests
 * ledger/entry/recrawl.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"

#include <stdio.h>
#include <string.h>

#define A      "https://a.example"
#define B      "https://b.example"
#define PAGE   "http://127.0.0.1:8402/a"
#define HOUR   3600000
#define PRICE  2500000
#define NUMBER 64

/* A payment that is given the copy of that number. */
static struct payment copy_of(int64_t ms, const char *agent, uint8_t copy)
{
    struct payment payment = payment_make(ms, agent, PRICE, PAGE);
    payment.charge.recrawl_ms = 24 * HOUR;
    payment.charge.validated = true;
    payment.charge.whole = true;
    memset(payment.charge.copy, copy, DIGEST_SIZE);
    return payment;
}

/* What it costs. */
static int64_t cost(struct writer *writer, struct payment *payment)
{
    assert_int_equal(payment_pay(writer, payment), ERR_OK);
    return payment->submission.outcome.amount_micros;
}

static int64_t cost_at(struct writer *writer, int64_t ms, const char *agent, uint8_t copy)
{
    struct payment payment = copy_of(ms, agent, copy);
    return cost(writer, &payment);
}

static void the_same_copy_is_paid_once_a_day(void **state)
{
    (void)state;
    int64_t now = clock_now_ms();
    struct writer *writer = writer_start_ready();
    struct payment first = copy_of(now, A, 1);
    assert_int_equal(cost(writer, &first), PRICE);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(cost_at(writer, now + i, A, 1), 0);
    assert_int_equal(cost_at(writer, now + 4, A, 2), PRICE); /* it has changed */
    assert_int_equal(cost_at(writer, now + 5, B, 1), PRICE); /* somebody else */
    assert_int_equal(cost_at(writer, now + 6, B, 1), 0);
    struct payment plain = payment_make(now + 7, A, PRICE, PAGE); /* no such rule */
    assert_int_equal(cost(writer, &plain), PRICE);
    struct payment weak = copy_of(now + 8, A, 1);
    weak.charge.validated = false;
    assert_int_equal(cost(writer, &weak), PRICE);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "9|12500000");
    assert_string_equal(sql("SELECT sum(entries), sum(amount_micros) FROM spend"), "9|12500000");
    assert_string_equal(
        sql("SELECT count(*), count(DISTINCT repeats) FROM page_copy WHERE repeats IS NOT NULL"
            " AND repeats IN (SELECT payment_id FROM charge WHERE amount_micros > 0)"),
        "4|2");
}

/* The ids say how long it was, to the millisecond, whenever the entries are made. */
static void time_is_that_of_the_ids(void **state)
{
    (void)state;
    int64_t then = clock_now_ms() - 24 * HOUR;
    clock_set_offset_ms(-24 * HOUR);
    struct writer *writer = writer_start_ready();
    assert_int_equal(cost_at(writer, then, A, 1), PRICE);
    clock_set_offset_ms(0);
    assert_int_equal(cost_at(writer, then + 24 * HOUR, A, 1), 0);
    assert_int_equal(cost_at(writer, then + 24 * HOUR + 1, A, 1), PRICE); /* repeats make nothing free */
    assert_int_equal(cost_at(writer, then + 24 * HOUR + 2, A, 1), 0);
    writer_stop(writer);
}

static void an_id_opens_the_copy_that_was_free(void **state)
{
    (void)state;
    int64_t now = clock_now_ms();
    struct writer *writer = writer_start_ready();
    struct payment paid = copy_of(now, A, 1), repeat = copy_of(now + 1, A, 1);
    assert_int_equal(cost(writer, &paid), PRICE);
    assert_int_equal(cost(writer, &repeat), 0);
    for (int gate = 0; gate < 2; gate++) {
        struct payment again = repeat, changed = repeat, lost = repeat, bought = paid;
        assert_int_equal(cost(writer, &again), 0);
        assert_true(again.submission.outcome.repeated);
        memset(changed.charge.copy, 2, DIGEST_SIZE);
        assert_int_equal(payment_pay(writer, &changed), ERR_PAGE_CHANGED);
        lost.charge.validated = false;
        memset(lost.charge.copy, 0, DIGEST_SIZE);
        assert_int_equal(payment_pay(writer, &lost), ERR_PAGE_CHANGED);
        /* Whoever has paid gets the page as it is, as ever. */
        memset(bought.charge.copy, 2, DIGEST_SIZE);
        assert_int_equal(cost(writer, &bought), PRICE);
        writer_stop(writer);
        writer = writer_start_ready();
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros), (SELECT count(*) FROM conflict)"
                            " FROM charge"),
                        "2|2500000|0");
}

/* A copy that was never recorded as paid makes nothing free: as after a crash between the two statements. */
static void without_an_entry_it_means_nothing(void **state)
{
    (void)state;
    int64_t now = clock_now_ms();
    struct writer *writer = writer_start_ready();
    struct payment other = copy_of(now, A, 9), part = copy_of(now + 1, A, 3);
    assert_int_equal(cost(writer, &other), PRICE);
    sql("INSERT INTO page_copy SELECT uuid_floor(now() - interval '1 minute'), site_id, crawler_id,"
        " decode(repeat('01', 32), 'hex'), true, NULL FROM page_copy");
    assert_int_equal(cost_at(writer, now + 2, A, 1), PRICE);
    part.charge.whole = false;
    assert_int_equal(cost(writer, &part), PRICE);
    assert_int_equal(cost_at(writer, now + 3, A, 3), PRICE);
    struct payment range = copy_of(now + 4, A, 3);
    range.charge.whole = false;
    assert_int_equal(cost(writer, &range), 0);
    writer_stop(writer);
    char output[OUTPUT_MAX];
    assert_false(sql_as("crawltab_gate", "DELETE FROM page_copy", output));
    assert_false(sql_as("postgres", "UPDATE page_copy SET repeats = NULL", output));
}

/* Each of a batch gets its own answer, between entries that have nothing to do with it. */
static void many_at_once(void **state)
{
    static struct payment payments[3 * NUMBER];
    (void)state;
    int64_t now = clock_now_ms();
    struct writer *writer = writer_start_ready();
    for (uint8_t i = 0; i < NUMBER; i += 2)
        assert_int_equal(cost_at(writer, now, A, i), PRICE);
    for (size_t i = 0; i < NUMBER; i++) {
        payments[i] = copy_of(now, A, (uint8_t)i);
        payments[NUMBER + i] = payment_make(now, A, PRICE, PAGE);
        payments[2 * NUMBER + i] = copy_of(now, B, (uint8_t)i);
    }
    for (size_t i = 0; i < 3 * NUMBER; i++)
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    for (size_t i = 0; i < 3 * NUMBER; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
        assert_int_equal(payments[i].submission.outcome.amount_micros, i < NUMBER && i % 2 == 0 ? 0 : PRICE);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT sum(entries), sum(amount_micros) FROM spend"), "224|480000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_copy_is_paid_once_a_day, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(time_is_that_of_the_ids, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_id_opens_the_copy_that_was_free, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(without_an_entry_it_means_nothing, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(many_at_once, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
