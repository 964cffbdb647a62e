/* What goes from the gate to the writer is checked where it is handed over. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"

static void finished(struct submission *submission)
{
    OBJECT_END(submission, SUBMISSION_MAGIC);
}

static void twice(struct submission *submission)
{
    submission->taken = true;
}

static void by_nobody(struct submission *submission)
{
    submission->done = NULL;
}

static void for_no_site(struct submission *submission)
{
    static struct charge charge;
    charge = *submission->charge;
    charge.site = SIZE_MAX;
    submission->charge = &charge;
}

static void at_no_time(struct submission *submission)
{
    static struct charge charge;
    charge = *submission->charge;
    charge.payment_id[6] = 0x40;
    submission->charge = &charge;
}

static void below_nothing(struct submission *submission)
{
    static struct charge charge;
    charge = *submission->charge;
    charge.amount_micros = -1;
    submission->charge = &charge;
}

static void as_it_is(struct submission *submission)
{
    (void)submission;
}

/* The signal that ends a process which hands over a submission that was changed so; 0: it went on. */
static int ends(struct writer *writer, void (*change)(struct submission *submission))
{
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        payment_bind(&payment);
        change(&payment.submission);
        _exit(writer_submit(writer, &payment.submission) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

/* Money hangs on it, so a mistake of the caller ends the program rather than the books. */
static void what_no_caller_may_hand_over_ends_the_program(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    assert_int_equal(ends(writer, as_it_is), 0);
    assert_int_equal(ends(writer, finished), SIGABRT);
    assert_int_equal(ends(writer, twice), SIGABRT);
    assert_int_equal(ends(writer, by_nobody), SIGABRT);
    assert_int_equal(ends(writer, for_no_site), SIGABRT);
    assert_int_equal(ends(writer, at_no_time), SIGABRT);
    assert_int_equal(ends(writer, below_nothing), SIGABRT);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "0");
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

/* Called by the writer's thread, which hangs in it until the test lets go. */
static void hang(struct submission *submission)
{
    (void)submission;
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
}

/* True as soon as all threads have turned; false if they have not after five times what an idle one takes. */
static bool turns(struct writer *writer)
{
    for (int i = 0; i < 500; i++) {
        if (writer_turned(writer))
            return true;
        poll(NULL, 0, 10);
    }
    return false;
}

static void one_writer_that_hangs_is_noticed(void **state)
{
    (void)state;
    ledger_config()->ledger_writers = 2;
    struct writer *writer = writer_start_ready();
    for (int i = 0; i < 3; i++)
        assert_true(turns(writer)); /* with nothing to do */
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    payment_bind(&payment);
    payment.submission.done = hang;
    pthread_mutex_lock(&held);
    assert_int_equal(writer_submit(writer, &payment.submission), ERR_OK);
    /* It turned when it took the entry: once more it may say so, and the other one goes on. */
    turns(writer);
    assert_false(turns(writer));
    pthread_mutex_unlock(&held);
    assert_true(turns(writer));
    writer_stop(writer);
}

/* A database that hangs is waited for, for so long and no longer: its gates must not be killed for it. */
static void a_database_that_hangs_is_no_writer_that_does(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    int backend = gate_backend();
    assert_int_equal(kill(backend, SIGSTOP), 0);
    assert_int_equal(payment_submit(writer, &payment), ERR_OK);
    for (int i = 0; i < 3; i++)
        assert_true(turns(writer));
    kill(backend, SIGCONT);
    payment_wait(&payment);
    writer_stop(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_no_caller_may_hand_over_ends_the_program, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(one_writer_that_hangs_is_noticed, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_database_that_hangs_is_no_writer_that_does, ledger_setup,
                                        ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
