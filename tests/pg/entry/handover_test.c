/* What is taken before anything is recorded: an id, once for ever, by a request that changes something; and a
 * payer's own identifier by the first payment that comes with it. Whether an id was used can be asked without
 * recording anything. Tests ledger/entry/entry.c, ledger/entry/identifier.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry/undelivered.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define A    "https://a.example"
#define PAGE "http://127.0.0.1:8402/a"

static struct payment asking(const struct payment *of, bool hands_over)
{
    struct payment payment = *of;
    payment.charge.unless_repeat = ERR_NOT_FOUND;
    payment.charge.hands_over = hands_over;
    return payment;
}

static enum err ask(struct writer *writer, const struct payment *of, bool hands_over)
{
    struct payment payment = asking(of, hands_over);
    return payment_pay(writer, &payment);
}

static void asking_records_nothing(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 2500000, PAGE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(writer, &payment, false), ERR_NOT_FOUND);
    assert_string_equal(sql("SELECT (SELECT count(*) FROM charge), (SELECT count(*) FROM crawler),"
                            " (SELECT count(*) FROM handover)"),
                        "0|0|0");
    struct payment paid = payment;
    assert_int_equal(payment_pay(writer, &paid), ERR_OK);
    struct payment again = asking(&payment, false);
    assert_int_equal(payment_pay(writer, &again), ERR_OK);
    assert_true(again.submission.outcome.repeated);
    assert_int_equal(again.submission.outcome.amount_micros, 2500000);
    writer_stop(writer);
}

static void an_id_is_taken_once(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 2500000, PAGE);
    assert_int_equal(ask(writer, &payment, true), ERR_NOT_FOUND);
    assert_int_equal(ask(writer, &payment, true), ERR_REQUEST_REPEATED);
    /* Who only reads may have the id all the same: it was not paid with. */
    assert_int_equal(ask(writer, &payment, false), ERR_NOT_FOUND);
    struct payment other = payment_make(clock_now_ms(), A, 50000, PAGE);
    assert_int_equal(ask(writer, &other, true), ERR_NOT_FOUND);
    writer_stop(writer);
    writer = writer_start_ready(); /* another gate */
    assert_int_equal(ask(writer, &payment, true), ERR_REQUEST_REPEATED);
    struct payment paid = payment;
    assert_int_equal(payment_pay(writer, &paid), ERR_OK);
    struct payment again = asking(&payment, true);
    assert_int_equal(payment_pay(writer, &again), ERR_OK); /* which says more: it was charged */
    assert_true(again.submission.outcome.repeated);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), count(DISTINCT site_id) FROM handover"), "2|1");
}

/* Many at once, some with the same id, between entries that have nothing to do with it. */
static void of_many_at_once_one_gets_it(void **state)
{
    enum { IDS = 40, EACH = 5 };
    static struct payment payments[IDS * EACH], entries[IDS];
    (void)state;
    struct writer *writer = writer_start_ready();
    for (size_t i = 0; i < IDS; i++) {
        payments[i * EACH] = payment_make(clock_now_ms(), A, 50000, PAGE);
        for (size_t j = 0; j < EACH; j++)
            payments[i * EACH + j] = asking(&payments[i * EACH], true);
        entries[i] = payment_make(clock_now_ms(), A, 2500, PAGE);
    }
    for (size_t j = 0; j < EACH; j++)
        for (size_t i = 0; i < IDS; i++)
            assert_int_equal(payment_submit(writer, &payments[i * EACH + j]), ERR_OK);
    for (size_t i = 0; i < IDS; i++)
        assert_int_equal(payment_submit(writer, &entries[i]), ERR_OK);
    for (size_t i = 0; i < IDS; i++) {
        size_t got = 0;
        payment_wait(&entries[i]);
        assert_int_equal(entries[i].submission.outcome.err, ERR_OK);
        for (size_t j = 0; j < EACH; j++) {
            struct payment *payment = &payments[i * EACH + j];
            payment_wait(payment);
            got += payment->submission.outcome.err == ERR_NOT_FOUND;
            assert_true(payment->submission.outcome.err == ERR_NOT_FOUND ||
                        payment->submission.outcome.err == ERR_REQUEST_REPEATED);
        }
        assert_int_equal(got, 1);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT (SELECT count(*) FROM handover), (SELECT count(*) FROM charge)"),
                        "40|40");
}

/* Nothing is taken without the ledger, and what may have been taken is. */
static void without_the_ledger(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), A, 50000, PAGE);
    server_crash();
    assert_int_equal(ask(writer, &payment, true), ERR_LEDGER_UNAVAILABLE);
    server_restart();
    writer_wait_ready(writer, true);
    assert_int_equal(ask(writer, &payment, true), ERR_NOT_FOUND);
    writer_stop(writer);
    char output[OUTPUT_MAX];
    assert_false(sql_as("crawltab_gate", "DELETE FROM handover", output));
    assert_false(sql_as("postgres", "UPDATE handover SET site_id = site_id", output));
}

static struct payment named(const struct payment *of, const char *identifier, uint8_t payload)
{
    struct payment payment = *of;
    payment.charge.identifier = slice_of(identifier);
    memset(payment.charge.payload, payload, DIGEST_SIZE);
    return payment;
}

static enum err pay_named(struct writer *writer, const struct payment *of, const char *identifier,
                          uint8_t payload)
{
    struct payment payment = named(of, identifier, payload);
    return payment_pay(writer, &payment);
}

static void an_identifier_is_bound_to_one_payment(void **state)
{
    static const char name[] = "pay_0123456789abcdef";
    (void)state;
    struct writer *writer = writer_start_ready();
    int64_t now_ms = clock_now_ms();
    struct payment first = payment_make(now_ms, A, 50000, PAGE),
                   second = payment_make(now_ms, A, 50000, PAGE);
    struct payment stranger = payment_make(now_ms, "https://b.example", 50000, PAGE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pay_named(writer, &first, name, 1), ERR_OK);
        assert_int_equal(pay_named(writer, &first, name, 2), ERR_IDENTIFIER_CONFLICT); /* signed otherwise */
        assert_int_equal(pay_named(writer, &second, name, 1), ERR_IDENTIFIER_CONFLICT);
        struct payment asked = named(&second, name, 1);
        assert_int_equal(ask(writer, &asked, false), ERR_IDENTIFIER_CONFLICT);
        assert_int_equal(pay_named(writer, &stranger, name, 1), ERR_OK);
        writer_stop(writer);
        writer = writer_start_ready(); /* another gate */
    }
    /* The day after; and not for ever, as a day leaves the ledger when it is archived. */
    for (int day = 1; day <= 2; day++) {
        clock_set_offset_ms(day * INT64_C(86400000));
        struct payment later = payment_make(clock_now_ms(), A, 50000, PAGE);
        assert_int_equal(pay_named(writer, &later, name, 1), day == 1 ? ERR_IDENTIFIER_CONFLICT : ERR_OK);
    }
    clock_set_offset_ms(0);
    /* What is paid fills nothing under other names, and others may have them. */
    assert_int_equal(pay_named(writer, &first, "pay_another_name_of_it", 1), ERR_OK);
    assert_int_equal(pay_named(writer, &second, "pay_another_name_of_it", 1), ERR_OK);
    writer_stop(writer);
    assert_string_equal(
        sql("SELECT (SELECT count(*) FROM charge), (SELECT count(*) FROM payment_identifier)"), "4|4");
}

/* Of payments that come at once under one identifier one is made. */
static void of_many_named_alike_one_is_made(void **state)
{
    enum { COUNT = 60 };
    static struct payment payments[COUNT];
    (void)state;
    struct writer *writers[] = {writer_start_ready(), writer_start_ready()};
    int64_t now_ms = clock_now_ms();
    for (size_t i = 0; i < COUNT; i++) {
        payments[i] = payment_make(now_ms, A, 50000, PAGE);
        payments[i].charge.identifier = i % 2 ? SLICE("one_name_for_them") : SLICE("another_for_them");
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(payment_submit(writers[i / 2 % 2], &payments[i]), ERR_OK);
    size_t made = 0;
    for (size_t i = 0; i < COUNT; i++) {
        payment_wait(&payments[i]);
        enum err err = payments[i].submission.outcome.err;
        assert_true(err == ERR_OK || err == ERR_IDENTIFIER_CONFLICT);
        made += err == ERR_OK;
    }
    assert_int_equal(made, 2);
    for (size_t i = 0; i < 2; i++)
        writer_stop(writers[i]);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asking_records_nothing, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_id_is_taken_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(of_many_at_once_one_gets_it, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_identifier_is_bound_to_one_payment, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(of_many_named_alike_one_is_made, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(without_the_ledger, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
