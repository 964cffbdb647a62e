/* Behind a real PgBouncer in transaction mode: every program works, and every transaction makes its own
 * settings, whatever else uses the server's connections (promise P1). */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"
#define DAY   86400000

static char output[OUTPUT_MAX];

/* Two writers with four connections each, and each id sent to both. */
static void pay_twice(size_t count)
{
    struct payment *payments = calloc(2 * count, sizeof(*payments));
    ledger_config()->ledger_writers = 4;
    ledger_config()->ledger_batch_entries = 20;
    struct writer *writers[2] = {writer_start_ready(), writer_start_ready()};
    for (size_t i = 0; i < 2 * count; i++) {
        payments[i] = i < count ? payment_make(clock_now_ms(), AGENT, 100, PAGE) : payments[i - count];
        assert_int_equal(payment_submit(writers[i / count], &payments[i]), ERR_OK);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(payments[i].submission.outcome.recorded_at_ms,
                         payments[i + count].submission.outcome.recorded_at_ms);
        assert_true(payments[i].submission.outcome.repeated !=
                    payments[i + count].submission.outcome.repeated);
    }
    struct payment other = payments[0];
    other.charge.amount_micros--;
    assert_int_equal(payment_pay(writers[1], &other), ERR_PAYMENT_CONFLICT);
    writer_stop(writers[0]);
    writer_stop(writers[1]);
    free(payments);
}

/* Roles whose own settings are the worst that they could be, and a witness of what each transaction has. */
static void settings_hold_in_every_transaction(void **state)
{
    (void)state;
    sql("CREATE TABLE witness (pid integer, settings text);"
        "CREATE FUNCTION bear_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " INSERT INTO public.witness VALUES (pg_backend_pid(), concat_ws(' ',"
        "  current_setting('synchronous_commit'), current_setting('TimeZone'), current_setting('DateStyle'),"
        "  current_setting('bytea_output'), current_setting('transaction_isolation'),"
        "  current_setting('statement_timeout')));"
        " RETURN NULL; END $$;"
        "CREATE TRIGGER witness AFTER INSERT ON charge FOR EACH STATEMENT EXECUTE FUNCTION bear_witness();"
        "ALTER ROLE crawltab_gate SET synchronous_commit = off;"
        "ALTER ROLE crawltab_gate SET TimeZone = 'Asia/Tokyo';"
        "ALTER ROLE crawltab_gate SET DateStyle = 'SQL, DMY';"
        "ALTER ROLE crawltab_gate SET bytea_output = 'escape';"
        "ALTER ROLE crawltab_gate SET search_path = 'pg_catalog';"
        "ALTER ROLE crawltab_gate SET default_transaction_isolation = 'serializable'");
    pooler_stop(SIGTERM); /* its connections are made anew */
    pooler_start();
    pay_twice(400);
    sql("ALTER ROLE crawltab_gate RESET ALL");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "400|40000");
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "1");
    assert_string_equal(sql("SELECT DISTINCT settings FROM witness"),
                        "on UTC ISO, YMD hex read committed 2s");
    assert_string_equal(sql("SELECT count(DISTINCT pid) FROM witness"), "3");
}

/* From the roles to the invoice. That ledger_setup has migrated through the pooler is part of it. */
static void the_commands_work(void **state)
{
    char id[UUID_TEXT_MAX];
    (void)state;
    int64_t now = clock_now_ms();
    clock_set_offset_ms(-2 * DAY);
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(now - 2 * DAY, AGENT, 2500000, PAGE);
    payment_sign(&payment);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    clock_set_offset_ms(0);
    assert_int_equal(CRAWLTAB(output, "migrate"), 0);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(payment.charge.payment_id, id)), 0);
    assert_non_null(strstr(output, AGENT));
    assert_int_equal(CRAWLTAB(output, "invoice", "list"), 0);
    assert_non_null(strstr(output, "https://crawler.e"));
    assert_string_equal(sql("SELECT sum(total_minor) FROM invoice"), "250");
}

/* A session's settings and prepared statements do not hold behind a pooler: that must not go unnoticed. */
static void a_pooler_that_is_not_told_of_is_refused(void **state)
{
    (void)state;
    ledger_config()->ledger_pooler = "none";
    struct writer *writer = writer_start(ledger_config());
    poll(NULL, 0, 300);
    assert_false(writer_ready(writer));
    writer_stop(writer);
}

/* The answer to a COMMIT is lost: it may be recorded, and here it is. */
static void what_was_lost_at_commit_is_unsure(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    sql("CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1);"
        " RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON spend DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION linger()");
    assert_int_equal(payment_submit(writer, &payment), ERR_OK);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity"
                 " WHERE wait_event = 'PgSleep' AND query = 'COMMIT'");
    pooler_stop(SIGKILL);
    payment_wait(&payment);
    assert_int_equal(payment.submission.outcome.err, ERR_LEDGER_UNAVAILABLE);
    assert_true(payment.submission.outcome.unsure);
    sql("DROP TRIGGER linger ON spend");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
    pooler_start();
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
}

static void a_pooler_may_crash(void **state)
{
    enum { COUNT = 600 };
    static struct payment payments[COUNT];
    (void)state;
    ledger_config()->ledger_batch_entries = 50;
    struct writer *writer = writer_start_ready();
    for (size_t i = 0; i < COUNT; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    size_t recorded = 0;
    for (int round = 0; recorded < COUNT; round++) {
        bool submitted[COUNT] = {false};
        assert_true(round < 10);
        writer_wait_ready(writer, true);
        for (size_t i = 0; i < COUNT; i++) {
            if (round < 2 && i == COUNT / 2)
                pooler_stop(SIGKILL);
            if (payments[i].submission.outcome.recorded_at_ms == 0)
                submitted[i] = payment_submit(writer, &payments[i]) == ERR_OK;
        }
        if (round < 2)
            pooler_start();
        recorded = 0;
        for (size_t i = 0; i < COUNT; i++) {
            if (submitted[i])
                payment_wait(&payments[i]);
            recorded += payments[i].submission.outcome.recorded_at_ms != 0;
        }
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "600|60000");
}

static int start_both(void **state)
{
    if (server_start(state) != 0)
        return -1;
    pooler_start();
    ledger_through("./pool", "transaction");
    return 0;
}

static int stop_both(void **state)
{
    pooler_stop(SIGTERM);
    return server_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_hold_in_every_transaction, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(the_commands_work, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_pooler_that_is_not_told_of_is_refused, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_was_lost_at_commit_is_unsure, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_pooler_may_crash, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, start_both, stop_both);
}
