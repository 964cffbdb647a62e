/* What crawlers have spent, as the ledger counts it and as gates count it against limits.
 * Tests ledger/credit/agreements.c */
#include "tests/pg/support_days.h"

#include "ledger/credit/refresh.h"
#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/session.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define OTHER "https://other.example"
#define PAGE  "http://127.0.0.1:8402/a"
#define HOUR  3600000

/* True if the counters say what the entries say: by site, crawler and quarter. */
#define SPEND_IS_RIGHT                                                                                       \
    "SELECT NOT EXISTS (SELECT site_id, crawler_id, uuid_quarter(payment_id), count(*), sum(amount_micros)"  \
    " FROM charge GROUP BY 1, 2, 3 EXCEPT SELECT site_id, crawler_id, quarter, sum(entries),"                \
    " sum(amount_micros) FROM spend GROUP BY 1, 2, 3) AND"                                                   \
    " (SELECT coalesce(sum(amount_micros), 0) FROM spend) ="                                                 \
    " (SELECT coalesce(sum(amount_micros), 0) FROM charge)"

/* --- What writers count --- */

static void every_batch_is_summed_up(void **state)
{
    enum { COUNT = 300 };
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment *payments = calloc(COUNT, sizeof(*payments));
    for (int i = 0; i < COUNT; i++) {
        int64_t ms = clock_now_ms() - (i % 4) * HOUR / 5;
        payments[i] = payment_make(ms, i % 3 ? AGENT : OTHER, 1000 + i, PAGE);
        payments[i].charge.agreement_id = i % 2 ? 7 : 0;
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
        assert_true(payments[i].submission.outcome.sequence > 0);
        assert_false(payments[i].submission.outcome.unsure);
    }
    writer_stop(writer);
    assert_string_equal(sql(SPEND_IS_RIGHT), "t");
    assert_string_equal(sql("SELECT count(DISTINCT writer_id), min(sequence) FROM spend"), "1|1");
    assert_string_equal(sql("SELECT agreement_id, count(*) FROM charge GROUP BY 1 ORDER BY 1"),
                        "7|150\n|150");
    free(payments);
}

/* A batch as the writer sends it, and sends it again when a connection was lost. */
static void send_batch(struct session *session, struct payment *payments, size_t count)
{
    struct entry *entries = calloc(count, sizeof(*entries));
    struct entry_arrays *arrays = entry_arrays_new();
    for (size_t i = 0; i < count; i++) {
        payments[i].submission = submission_of(&payments[i].charge, NULL);
        entries[i] = (struct entry){.submission = &payments[i].submission,
                                    .site_id = session->site_ids[0],
                                    .crawler_id = 1,
                                    .order = i};
    }
    entry_sort(entries, count);
    assert_int_equal(entry_insert(arrays, session, entries, count), ERR_OK);
    assert_int_equal(entry_compare(arrays, session->pg, entries, count), ERR_OK);
    assert_int_equal(entry_insert_conflicts(arrays, session, entries, count), ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_true(entries[i].decided);
    entry_arrays_free(arrays);
    free(entries);
}

static void a_batch_sent_again_counts_once(void **state)
{
    (void)state;
    struct session *first = session_open(ledger_config(), 0);
    struct session *second = session_open(ledger_config(), 0);
    assert_non_null(first);
    assert_non_null(second);
    assert_memory_not_equal(first->writer_id, second->writer_id, UUID_SIZE);
    sql("INSERT INTO crawler (agent, first_seen_at) VALUES ('" AGENT "', now())");
    struct payment payments[10];
    for (int i = 0; i < 10; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    send_batch(first, payments, 6);
    send_batch(second, payments, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(payments[i].submission.outcome.repeated, i < 6);
    send_batch(second, payments, 10);
    assert_string_equal(sql("SELECT entries, amount_micros FROM spend ORDER BY writer_id"), "6|600\n4|400");
    assert_string_equal(sql(SPEND_IS_RIGHT), "t");
    session_close(first);
    session_close(second);
}

static void what_may_only_be_repeated_is_not_recorded(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    struct payment altered = payment_make(clock_now_ms(), AGENT, 2501, PAGE);
    payment.charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
    assert_int_equal(payment_pay(writer, &payment), ERR_CREDIT_LIMIT_REACHED);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "0");
    payment.charge.unless_repeat = ERR_OK;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    payment.charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    memcpy(altered.charge.payment_id, payment.charge.payment_id, UUID_SIZE);
    altered.charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
    assert_int_equal(payment_pay(writer, &altered), ERR_PAYMENT_CONFLICT);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "1");
    assert_string_equal(sql(SPEND_IS_RIGHT), "t");
}

/* Strangers who are at their limit leave nothing in the ledger, however many accounts they would have: unless
 * they use an id that is there. */
static void who_may_only_repeat_leaves_no_trace(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment paid = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &paid), ERR_OK);
    for (int i = 0; i < 3; i++) {
        char agent[64];
        snprintf(agent, sizeof(agent), "https://stranger.example/%d", i);
        struct payment payment = payment_make(clock_now_ms(), agent, 2500, PAGE);
        payment.charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
        assert_int_equal(payment_pay(writer, &payment), ERR_CREDIT_LIMIT_REACHED);
    }
    assert_string_equal(sql("SELECT agent FROM crawler"), AGENT);
    assert_string_equal(sql("SELECT count(*) FROM crawler_key"), "1");
    struct payment thief = payment_make(clock_now_ms(), "https://thief.example", 2500, PAGE);
    memcpy(thief.charge.payment_id, paid.charge.payment_id, UUID_SIZE);
    thief.charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
    assert_int_equal(payment_pay(writer, &thief), ERR_PAYMENT_CONFLICT);
    assert_string_equal(sql("SELECT agent FROM conflict JOIN crawler USING (crawler_id)"),
                        "https://thief.example");
    writer_stop(writer);
}

/* In one batch, in either order: one that may be recorded, and one with the same id that may not. */
static void a_repeat_beside_its_first_gets_the_receipt(void **state)
{
    (void)state;
    struct session *session = session_open(ledger_config(), 0);
    assert_non_null(session);
    sql("INSERT INTO crawler (agent, first_seen_at) VALUES ('" AGENT "', now())");
    for (size_t repeat = 0; repeat < 2; repeat++) {
        struct payment payments[2] = {payment_make(clock_now_ms(), AGENT, 100, PAGE)};
        payments[1] = payments[0];
        payments[repeat].charge.unless_repeat = ERR_CREDIT_LIMIT_REACHED;
        send_batch(session, payments, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
            assert_int_equal(payments[i].submission.outcome.repeated, i == repeat);
        }
    }
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
    session_close(session);
}

/* --- What gates read --- */

static struct refresh *start_ready(void)
{
    struct refresh *book = refresh_start(ledger_config());
    int64_t give_up = clock_monotonic_ms() + 10000;
    assert_non_null(book);
    while (!refresh_ready(book, ledger_config())) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 10);
    }
    return book;
}

/* True if one more micro-unit than the amount would pass the limit, and the amount itself does not. */
static bool leaves(struct refresh *book, const char *agent, const struct credit_limits *limits,
                   int64_t amount_micros)
{
    for (int64_t more = 0; more <= 1; more++) {
        struct payment payment = payment_make(clock_now_ms(), agent, amount_micros + more, PAGE);
        struct credit_claim claim = {.account = NULL};
        struct charge_outcome outcome = {.err = ERR_INTERNAL};
        enum err err =
            credit_reserve(refresh_credit(book), SLICE("example"), &payment.charge, limits, &claim);
        credit_settle(refresh_credit(book), &claim, &payment.charge, &outcome);
        if (err != (more ? ERR_CREDIT_LIMIT_REACHED : ERR_OK))
            return false;
    }
    return true;
}

static void wait_until_it_leaves(struct refresh *book, const struct credit_limits *limits, int64_t amount)
{
    int64_t give_up = clock_monotonic_ms() + 10000;
    while (!leaves(book, AGENT, limits, amount)) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 20);
    }
}

/* Two days that are closed: an invoice of 0.10 for the other, a carry of 0.0075 for the agent; and today. */
static void what_is_owed_is_invoices_carries_and_open_days(void **state)
{
    static const struct credit_limits balance = {{CREDIT_NONE, 1000000}, {CREDIT_NONE, CREDIT_NONE}},
                                      day = {{1000000, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    static char output[OUTPUT_MAX];
    (void)state;
    days_charge(3, AGENT, 2500, 3);
    days_charge(3, OTHER, 50000, 2);
    struct refresh *before = start_ready();
    assert_true(leaves(before, AGENT, &balance, 992500));
    assert_true(leaves(before, OTHER, &balance, 900000));
    refresh_stop(before);
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    struct writer *writer = writer_start_ready();
    struct payment today = payment_make(clock_now_ms(), AGENT, 30, PAGE);
    assert_int_equal(payment_pay(writer, &today), ERR_OK);
    writer_stop(writer);

    struct refresh *book = start_ready();
    assert_true(leaves(book, AGENT, &balance, 992500 - 30));
    assert_true(leaves(book, AGENT, &day, 1000000 - 30));
    assert_true(leaves(book, OTHER, &balance, 900000));
    assert_true(leaves(book, OTHER, &day, 1000000));
    refresh_stop(book);

    sql("INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at, "
        "actor)"
        " SELECT site_id, number, 'r', 4, local_date, now(), 'test' FROM invoice");
    book = start_ready();
    assert_true(leaves(book, OTHER, &balance, 940000));
    refresh_stop(book);
}

/* A gate that goes on for long reads what others write, each once, whichever connection it was written on. */
static void what_other_gates_record_is_read_once(void **state)
{
    static const struct credit_limits limits = {{1000, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct writer *first = writer_start_ready();
    struct refresh *book = start_ready();
    int64_t left = 1000;
    for (int round = 0; round < 4; round++) {
        struct writer *writer = round == 2 ? writer_start_ready() : first;
        for (int i = 0; i < 3; i++) {
            struct payment payment = payment_make(clock_now_ms(), AGENT, 1 << (3 * round + i) % 6, PAGE);
            assert_int_equal(payment_pay(writer, &payment), ERR_OK);
            left -= payment.charge.amount_micros;
        }
        if (writer != first)
            writer_stop(writer);
        wait_until_it_leaves(book, &limits, left);
    }
    server_crash();
    server_restart();
    writer_wait_ready(first, true);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(first, &payment), ERR_OK);
    wait_until_it_leaves(book, &limits, left - 100);
    refresh_stop(book);
    book = start_ready();
    assert_true(leaves(book, AGENT, &limits, left - 100));
    refresh_stop(book);
    writer_stop(first);
    assert_string_equal(sql(SPEND_IS_RIGHT), "t");
}

static bool is_suspended(struct refresh *book)
{
    struct agreements *view = refresh_take_agreements(book);
    const struct agreements_terms *terms =
        agreements_terms(view, SLICE("example"), slice_of(AGENT), clock_now_ms());
    bool suspended = terms && terms->suspended;
    agreements_free(view);
    return suspended;
}

/* Behind a lost connection there may be another server, with as many agreements, but others. */
static void another_servers_agreements_are_read(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    sql("INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"
        " tax_treatment, tax_rate_ppm, due_days, buyer, settlement)"
        " SELECT site_id, crawler_id, 1, instant(0), instant(0), 'test', 'test', 'active', 'daily', false, 0,"
        " 0, 0, 0, 'none', 0, 30, '{}', '{}' FROM site, crawler");
    struct refresh *book = start_ready();
    assert_false(is_suspended(book));
    sql("ALTER TABLE agreement DISABLE TRIGGER USER;"
        "UPDATE agreement SET status = 'suspended';"
        "ALTER TABLE agreement ENABLE ALWAYS TRIGGER append_only");
    wait_for_sql("SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity"
                 " WHERE application_name = 'crawltabd accounts' AND datname = current_database()");
    int64_t give_up = clock_monotonic_ms() + 10000;
    while (!is_suspended(book)) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 20);
    }
    refresh_stop(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_batch_is_summed_up, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_batch_sent_again_counts_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(who_may_only_repeat_leaves_no_trace, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_may_only_be_repeated_is_not_recorded, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_repeat_beside_its_first_gets_the_receipt, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_is_owed_is_invoices_carries_and_open_days, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_other_gates_record_is_read_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(another_servers_agreements_are_read, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
