/* What crawlers have spent, as the ledger counts it and as gates count it against limits. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry.h"
#include "ledger/session.h"

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

/* --- What writers count
 * ------------------------------------------------------------------------------------- */

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
        assert_int_equal(payments[i].charge.outcome, ERR_OK);
        assert_true(payments[i].charge.sequence > 0);
        assert_false(payments[i].charge.unsure);
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
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct entry){
            .charge = &payments[i].charge, .site_id = session->site_ids[0], .crawler_id = 1, .order = i};
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
        assert_int_equal(payments[i].charge.repeated, i < 6);
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
    payment.charge.repeat_only = true;
    assert_int_equal(payment_pay(writer, &payment), ERR_CREDIT_LIMIT_REACHED);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "0");
    payment.charge.repeat_only = false;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    payment.charge.repeat_only = true;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.charge.repeated);
    memcpy(altered.charge.payment_id, payment.charge.payment_id, UUID_SIZE);
    altered.charge.repeat_only = true;
    assert_int_equal(payment_pay(writer, &altered), ERR_PAYMENT_CONFLICT);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "1");
    assert_string_equal(sql(SPEND_IS_RIGHT), "t");
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
        payments[repeat].charge.repeat_only = true;
        send_batch(session, payments, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(payments[i].charge.outcome, ERR_OK);
            assert_int_equal(payments[i].charge.repeated, i == repeat);
        }
    }
    assert_string_equal(sql("SELECT count(*) FROM charge"), "2");
    session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_batch_is_summed_up, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_batch_sent_again_counts_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_may_only_be_repeated_is_not_recorded, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_repeat_beside_its_first_gets_the_receipt, ledger_setup,
                                        ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
