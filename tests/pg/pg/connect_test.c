/* Connecting has a deadline, also where the look-up of a host's name has none.
 * Tests ledger/pg/pg_connect.c, ledger/pg/pg_target.c */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry/session.h"
#include "ledger/pg/pg.h"

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define SILENT "silent.example"
#define AGENT  "https://crawler.example"
#define PAGE   "http://127.0.0.1:8402/a"

/* A name server that answers for SILENT only when it is told to. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answers = PTHREAD_COND_INITIALIZER;
static bool answering;
static atomic_int asked, hanging;

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || strcmp(name, SILENT) != 0)
        return real(name, service, hints, result);
    atomic_fetch_add(&asked, 1);
    atomic_fetch_add(&hanging, 1);
    pthread_mutex_lock(&mutex);
    while (!answering)
        pthread_cond_wait(&answers, &mutex);
    pthread_mutex_unlock(&mutex);
    atomic_fetch_sub(&hanging, 1);
    return EAI_FAIL;
}

static int setup(void **state)
{
    answering = false;
    return ledger_setup(state);
}

/* All look-ups return, and what was left to itself is gone. */
static int teardown(void **state)
{
    pthread_mutex_lock(&mutex);
    answering = true;
    pthread_cond_broadcast(&answers);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 1000 && atomic_load(&hanging) > 0; i++)
        poll(NULL, 0, 10);
    poll(NULL, 0, 50);
    return atomic_load(&hanging) == 0 ? ledger_teardown(state) : -1;
}

static void connect_to(const char *hosts)
{
    static char connection[256];
    snprintf(connection, sizeof(connection), "host=%s dbname=%s", hosts, ledger_database());
    ledger_config()->ledger_connection = connection;
}

static struct pg *open_gate(int64_t connect_ms)
{
    return pg_open(&(struct pg_options){
        .config = ledger_config(), .role = "crawltab_gate", .connect_ms = connect_ms, .timeout_ms = 2000});
}

static void a_silent_name_server_holds_nobody(void **state)
{
    (void)state;
    connect_to(SILENT);
    int64_t start = clock_monotonic_ms();
    assert_null(open_gate(500));
    assert_true(clock_monotonic_ms() - start >= 500);
    assert_true(clock_monotonic_ms() - start < 3000);
    assert_int_equal(atomic_load(&hanging), 1);
    /* Who waits for a receipt is told in time, and a gate can stop. */
    struct writer *writer = writer_start(ledger_config());
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_submit(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    while (atomic_load(&hanging) < 2)
        poll(NULL, 0, 1);
    start = clock_monotonic_ms();
    writer_stop(writer);
    assert_true(clock_monotonic_ms() - start < 4000);
}

static void the_next_server_is_tried(void **state)
{
    (void)state;
    connect_to(SILENT ",./pg");
    int64_t start = clock_monotonic_ms();
    struct pg *pg = open_gate(1000);
    assert_non_null(pg);
    assert_true(clock_monotonic_ms() - start >= 500); /* its share was a half */
    pg_close(pg);
}

static void look_ups_do_not_pile_up(void **state)
{
    (void)state;
    connect_to(SILENT ",./pg");
    for (int i = 0; i < 40; i++) {
        /* The first four wait half of it for a name; then nobody waits any more. */
        struct pg *pg = open_gate(2000);
        assert_non_null(pg); /* the other server is reached, however many hang */
        pg_close(pg);
    }
    assert_in_range(atomic_load(&hanging), 1, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_name_server_holds_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(the_next_server_is_tried, setup, teardown),
        cmocka_unit_test_setup_teardown(look_ups_do_not_pile_up, setup, teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
