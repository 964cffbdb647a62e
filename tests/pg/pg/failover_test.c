/* Several servers: a silent one takes no other's time, one that takes no entries is left, and when the
 * primary dies the promoted standby has every entry that was answered, once (promises P1, P2, P7).
 * Tests ledger/pg/pg.c, ledger/pg/pg_hosts.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/pg/pg.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"

/* A socket in the folder `name` that takes connections and never says a word. */
static int silent_server(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[80];
    assert_true(snprintf(path, sizeof(path), "%s/%s", ledger_config()->folder, name) < (int)sizeof(path));
    mkdir(path, 0755);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static void connect_to(const char *hosts)
{
    static char connection[256];
    snprintf(connection, sizeof(connection), "host=%s dbname=%s", hosts, sql("SELECT current_database()"));
    ledger_config()->ledger_connection = connection;
}

static struct pg *open_gate(int64_t connect_ms)
{
    return pg_open(&(struct pg_options){
        .config = ledger_config(), .role = "crawltab_gate", .connect_ms = connect_ms, .timeout_ms = 2000});
}

static void a_silent_server_takes_no_others_time(void **state)
{
    (void)state;
    int silent = silent_server("silent");
    connect_to("./silent,./nowhere,./pg");
    int64_t start = clock_monotonic_ms();
    struct pg *pg = open_gate(3000);
    assert_non_null(pg);
    assert_true(clock_monotonic_ms() - start >= 900); /* its share was a third */
    assert_true(clock_monotonic_ms() - start < 2500);
    pg_close(pg);
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    connect_to("./silent,./silent,./silent");
    start = clock_monotonic_ms();
    assert_null(open_gate(600));
    assert_true(clock_monotonic_ms() - start >= 550);
    assert_true(clock_monotonic_ms() - start < 2000);
    close(silent);
}

static void ports_and_hosts_must_pair(void **state)
{
    (void)state;
    connect_to("./pg,./pg port=5432,5432,5432");
    assert_null(open_gate(1000));
    connect_to("./nowhere,./pg port=5433,5432");
    struct pg *pg = open_gate(1000);
    assert_non_null(pg);
    pg_close(pg);
}

static void a_server_that_turned_read_only_is_left(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    sql("ALTER SYSTEM SET default_transaction_read_only = on");
    sql("SELECT pg_reload_conf()");
    wait_for_sql("SELECT current_setting('default_transaction_read_only') = 'on'");
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    assert_false(writer_ready(writer));
    sql("ALTER SYSTEM RESET default_transaction_read_only");
    sql("SELECT pg_reload_conf()");
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_false(payment.submission.outcome.repeated);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
}

/* Cancelled while it waits for the standby, a commit is reported as done though only this server has it. */
static void what_the_standby_does_not_have_is_not_believed(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    standby_pause("standby", true);
    assert_int_equal(payment_submit(writer, &payment), ERR_OK);
    wait_for_sql("SELECT count(CASE WHEN wait_event = 'SyncRep' AND application_name = 'crawltabd'"
                 " THEN pg_cancel_backend(pid) END) > 0 FROM pg_stat_activity");
    wait_for_sql("SELECT count(*) = 2 FROM charge");
    payment_wait(&payment);
    assert_int_equal(payment.submission.outcome.err, ERR_LEDGER_UNAVAILABLE);
    /* It can be read now, but is still on one server alone. */
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    standby_pause("standby", false);
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
}

enum { COUNT = 2000 };

/* Submits what is not recorded yet and waits for the answers. Returns how many were recorded. */
static size_t pay_all(struct writer *writer, struct payment *payments, size_t kill_at)
{
    size_t recorded = 0;
    bool submitted[COUNT] = {false};
    for (size_t i = 0; i < COUNT; i++) {
        if (i == kill_at)
            server_kill();
        if (payments[i].submission.outcome.recorded_at_ms == 0)
            submitted[i] = payment_submit(writer, &payments[i]) == ERR_OK;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (submitted[i])
            payment_wait(&payments[i]);
        recorded += payments[i].submission.outcome.recorded_at_ms != 0;
    }
    return recorded;
}

static void the_primary_dies_and_the_standby_goes_on(void **state)
{
    static struct payment payments[COUNT];
    static int64_t receipts[COUNT];
    (void)state;
    connect_to("./pg,./standby");
    ledger_config()->ledger_writers = 2;
    struct writer *writer = writer_start_ready();
    for (size_t i = 0; i < COUNT; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    size_t before = pay_all(writer, payments, COUNT / 2);
    assert_true(before > 0);
    for (size_t i = 0; i < COUNT; i++)
        receipts[i] = payments[i].submission.outcome.recorded_at_ms;
    standby_promote("standby");
    for (int round = 0; pay_all(writer, payments, COUNT) < COUNT; round++) {
        assert_true(round < 10);
        writer_wait_ready(writer, true);
    }
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "2000|200000");
    /* Every receipt from before the failover is the receipt for ever, also from a gate that starts now. */
    struct writer *other = writer_start_ready();
    for (size_t i = 0; i < COUNT; i += 37) {
        int64_t receipt = receipts[i] ? receipts[i] : payments[i].submission.outcome.recorded_at_ms;
        assert_int_equal(payment_pay(other, &payments[i]), ERR_OK);
        assert_true(payments[i].submission.outcome.repeated);
        assert_int_equal(payments[i].submission.outcome.recorded_at_ms, receipt);
    }
    writer_stop(other);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2000");
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "0");
}

static int start_servers(void **state)
{
    if (server_start_whole(state) != 0)
        return -1;
    ledger_setup(state);
    standby_start("standby");
    return ledger_teardown(state);
}

static int stop_servers(void **state)
{
    standby_stop("standby");
    return server_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_server_takes_no_others_time, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(ports_and_hosts_must_pair, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_server_that_turned_read_only_is_left, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_the_standby_does_not_have_is_not_believed, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(the_primary_dies_and_the_standby_goes_on, ledger_setup,
                                        ledger_teardown),
    };
    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
