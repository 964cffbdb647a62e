/* What the database puts off is tried again, with the same batch and the same result; what waits too long is
 * answered for in time (promises P1, P2, P7). Tests ledger/entry/writer.c, ledger/entry/queue.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"

/* Runs SQL in a transaction of its own that stays open, and returns when it is waiting as said. */
static int hold(const char *text, const char *name, const char *wait_event)
{
    static char script[4096], condition[512];
    snprintf(script, sizeof(script),
             "SET application_name = '%s'; SET deadlock_timeout = '1min'; BEGIN; %s"
             " SELECT pg_sleep(60)",
             name, text);
    int pid = sql_spawn(script);
    snprintf(condition, sizeof(condition),
             "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '%s' AND wait_event = '%s'",
             name, wait_event);
    wait_for_sql(condition);
    return pid;
}

/* Ends it: what it did is rolled back. */
static void drop(int pid, const char *name)
{
    static char text[256];
    snprintf(text, sizeof(text),
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '%s'", name);
    sql(text);
    run_wait(pid);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, UUID_SIZE); /* payment_id is a charge's first member */
}

/* Queues them while the server's process stands still, so that they come in one batch. */
static void submit_together(struct writer *writer, struct payment *payments, size_t count)
{
    static struct payment before;
    int backend = gate_backend();
    before = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(kill(backend, SIGSTOP), 0);
    assert_int_equal(payment_submit(writer, &before), ERR_OK);
    poll(NULL, 0, 50); /* it is on its way; if not, all come in one batch all the same */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    kill(backend, SIGCONT);
    payment_wait(&before);
    assert_int_equal(before.submission.outcome.err, ERR_OK);
}

/* The writer holds the first id and wants the third, another transaction the other way round. That the writer
 * comes last to the deadlock, and so is the one to be rolled back, takes a third that holds the second. */
static void a_deadlock_is_tried_again(void **state)
{
    static char text[2048];
    (void)state;
    sql("ALTER ROLE crawltab_gate SET deadlock_timeout = '10ms'");
    ledger_config()->ledger_timeout_seconds = 20;
    struct writer *writer = writer_start_ready();
    struct payment payments[3];
    for (size_t i = 0; i < 3; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    qsort(payments, 3, sizeof(*payments), by_id);
    int second = hold(payment_sql(&payments[1]), "second", "PgSleep");
    submit_together(writer, payments, 3);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'crawltabd'"
                 " AND wait_event_type = 'Lock'");
    snprintf(text, sizeof(text), "%s", payment_sql(&payments[2]));
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", payment_sql(&payments[0]));
    int third = hold(text, "third", "transactionid");
    drop(second, "second");
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'third'"
                 " AND wait_event = 'PgSleep'"); /* the writer gave way */
    drop(third, "third");
    for (size_t i = 0; i < 3; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
        assert_false(payments[i].submission.outcome.repeated);
    }
    writer_stop(writer);
    sql("ALTER ROLE crawltab_gate RESET deadlock_timeout");
    wait_for_sql("SELECT deadlocks = 1 FROM pg_stat_database WHERE datname = current_database()");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "4|400");
}

/* PostgreSQL says 40001 to READ COMMITTED hardly ever; a trigger says it here, three times. */
static void a_serialization_failure_is_tried_again(void **state)
{
    (void)state;
    sql("CREATE SEQUENCE tries;"
        "CREATE FUNCTION fail_at_first() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " IF nextval('public.tries') <= 3 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '40001'; END IF;"
        " RETURN NULL; END $$;"
        "CREATE TRIGGER fail AFTER INSERT ON charge FOR EACH STATEMENT EXECUTE FUNCTION fail_at_first()");
    struct writer *writer = writer_start_ready();
    struct payment payments[20];
    for (size_t i = 0; i < 20; i++) {
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    for (size_t i = 0; i < 20; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
        assert_false(payments[i].submission.outcome.repeated);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "20");
    assert_string_equal(sql("SELECT last_value > 3 FROM tries"), "t");
}

/* Another gate's transaction has the id and does not end: refused in time, and then decided by how it ends.
 */
static void an_id_that_another_holds_is_answered_in_time(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    int holder = hold(payment_sql(&payment), "holder", "PgSleep");
    int64_t start = clock_monotonic_ms();
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - start < 2600); /* timeout_seconds is 2 */
    drop(holder, "holder");
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|100");
}

/* What is committed after its request was answered is the payment: the retry gets its receipt. */
static void a_late_commit_is_the_payment(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment first = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    int backend = gate_backend();
    int64_t before = clock_now_ms();
    assert_int_equal(kill(backend, SIGSTOP), 0);
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    int64_t after = clock_now_ms();
    kill(backend, SIGCONT);
    wait_for_sql("SELECT count(*) = 2 FROM charge");
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    assert_true(payment.submission.outcome.recorded_at_ms >= before &&
                payment.submission.outcome.recorded_at_ms < after);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deadlock_is_tried_again, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_serialization_failure_is_tried_again, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(an_id_that_another_holds_is_answered_in_time, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_late_commit_is_the_payment, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
