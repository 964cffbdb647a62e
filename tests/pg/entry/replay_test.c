/* The same request again costs the database nothing, and answers what is in the ledger and nothing else. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"

/* With the server's process stopped, no statement could be answered; the log's end says that nothing was
 * written. */
static void a_million_replays_cost_no_statement_and_no_write(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_false(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    int64_t first = payment.submission.outcome.recorded_at_ms;
    pid_t backend = gate_backend();
    char end[64];
    sql("ALTER SYSTEM SET autovacuum = off"); /* it writes when it likes */
    sql("SELECT pg_reload_conf()");
    wait_for_sql("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum%'");
    snprintf(end, sizeof(end), "%s", sql("SELECT pg_current_wal_insert_lsn()"));
    assert_int_equal(kill(backend, SIGSTOP), 0);
    for (int i = 0; i < 1000000; i++) {
        payment.submission.outcome.recorded_at_ms = 0;
        payment.submission.outcome.err = ERR_INTERNAL;
        payment.submission.outcome.repeated = false;
        if (!writer_recall(writer, &payment.charge, &payment.submission.outcome) ||
            payment.submission.outcome.err != ERR_OK || !payment.submission.outcome.repeated ||
            payment.submission.outcome.recorded_at_ms != first)
            fail_msg("replay %d", i);
    }
    assert_string_equal(sql("SELECT pg_current_wal_insert_lsn()"), end);
    kill(backend, SIGCONT);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
}

static void what_differs_goes_to_the_ledger(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    const struct payment first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    struct payment payment = first;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    struct payment others[3] = {first, first, first};
    others[0].charge.amount_micros = 2499; /* less than is recorded was never offered */
    others[1].charge.resource = slice_of(PAGE "b");
    others[2].charge.agent = slice_of("https://other.example");
    for (size_t i = 0; i < 3; i++) {
        others[i].charge.signature = (struct slice){"abc" + i, 1};
        assert_false(writer_recall(writer, &others[i].charge, &others[i].submission.outcome));
        assert_int_equal(payment_pay(writer, &others[i]), ERR_PAYMENT_CONFLICT);
        assert_false(writer_recall(writer, &others[i].charge,
                                   &others[i].submission.outcome)); /* a refusal is not remembered */
    }
    payment = first;
    assert_true(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
    /* Both sides of the evidence: who signed first, and who came after. */
    assert_string_equal(sql("SELECT count(*), count(DISTINCT c.signature) FROM charge a JOIN conflict c"
                            " USING (payment_id) WHERE a.signature <> c.signature"),
                        "3|3");
}

static void only_what_is_recorded_is_remembered(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    server_crash();
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    assert_false(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    server_restart();
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    /* While the ledger is away, a receipt of before is given again. */
    server_crash();
    writer_wait_ready(writer, false);
    assert_true(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    /* A server that comes back may be another one, without the last entries: it is asked again. */
    server_restart();
    writer_wait_ready(writer, true);
    assert_false(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    assert_true(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    /* Past the time of its offer it is as unknown as any other. */
    clock_set_offset_ms(ENTRY_LATEST_MS);
    assert_false(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    clock_set_offset_ms(0);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
}

/* Another gate has another cache, and asks the ledger once. */
static void another_gate_gives_the_same_receipt(void **state)
{
    (void)state;
    struct writer *writers[3] = {writer_start_ready(), writer_start_ready(), NULL};
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writers[0], &payment), ERR_OK);
    int64_t first = payment.submission.outcome.recorded_at_ms;
    poll(NULL, 0, 5); /* so that a wrong time would differ */
    writers[2] = writer_start_ready();
    for (size_t i = 1; i < 3; i++) {
        assert_false(writer_recall(writers[i], &payment.charge, &payment.submission.outcome));
        assert_int_equal(payment_pay(writers[i], &payment), ERR_OK);
        assert_true(payment.submission.outcome.repeated);
        assert_int_equal(payment.submission.outcome.recorded_at_ms, first);
        payment.submission.outcome.recorded_at_ms = 0;
        assert_true(writer_recall(writers[i], &payment.charge, &payment.submission.outcome));
        assert_int_equal(payment.submission.outcome.recorded_at_ms, first);
    }
    for (size_t i = 0; i < 3; i++)
        writer_stop(writers[i]);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
}

static void it_can_be_turned_off(void **state)
{
    (void)state;
    ledger_config()->ledger_replay_entries = 0;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_false(writer_recall(writer, &payment.charge, &payment.submission.outcome));
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    writer_stop(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_million_replays_cost_no_statement_and_no_write, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_differs_goes_to_the_ledger, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(only_what_is_recorded_is_remembered, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(another_gate_gives_the_same_receipt, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(it_can_be_turned_off, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
