/* Exactly once, durable before the answer, and the first receipt for ever (promises P1, P2, P7).
 * Tests ledger/entry/crawler.c, ledger/entry/entry.c, ledger/entry/session.c, ledger/entry/snapshot.c,
 * ledger/pg/pg_params.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/session.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define PAGE  "http://127.0.0.1:8402/a"
#define DAY   86400000

static void repeat_gets_the_first_receipt(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_false(payment.submission.outcome.repeated);
    int64_t first = payment.submission.outcome.recorded_at_ms;
    poll(NULL, 0, 20);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    assert_int_equal(payment.submission.outcome.recorded_at_ms, first);
    writer_stop(writer);
    writer = writer_start_ready();
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    assert_int_equal(payment.submission.outcome.recorded_at_ms, first);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
    assert_string_equal(sql("SELECT count(*) FROM crawler_key"), "1");
}

static void other_content_is_a_conflict(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    struct payment others[] = {payment_make(0, AGENT, 2499, PAGE), payment_make(0, AGENT, 2500, PAGE "b"),
                               payment_make(0, "https://other.example", 2500, PAGE)};
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        memcpy(others[i].charge.payment_id, first.charge.payment_id, UUID_SIZE);
        others[i].charge.signature = (struct slice){"abc" + i, 1};
        assert_int_equal(payment_pay(writer, &others[i]), ERR_PAYMENT_CONFLICT);
        assert_int_equal(payment_pay(writer, &others[i]), ERR_PAYMENT_CONFLICT);
    }
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "1|2500");
    assert_string_equal(sql("SELECT count(*), count(DISTINCT signature) FROM conflict"), "3|3");
}

/* As many different signatures for a paid id as somebody likes to make. */
static void refused_attempts_are_counted_and_some_are_kept(void **state)
{
    enum { WRITERS = 2, ATTEMPTS = 60 };
    (void)state;
    struct writer *writers[WRITERS] = {writer_start_ready(), writer_start_ready()};
    struct payment paid = payment_make(clock_now_ms(), "https://paid.example", 2500, PAGE);
    struct payment *attempts = calloc(ATTEMPTS, sizeof(*attempts));
    static char signatures[ATTEMPTS][8];
    assert_int_equal(payment_pay(writers[0], &paid), ERR_OK);
    for (size_t i = 0; i < ATTEMPTS; i++) { /* two thirds of one crawler, a third of another */
        attempts[i] = payment_make(0, i % 3 ? AGENT : "https://other.example", 2500, PAGE);
        memcpy(attempts[i].charge.payment_id, paid.charge.payment_id, UUID_SIZE);
        attempts[i].charge.signature =
            (struct slice){signatures[i], (size_t)snprintf(signatures[i], sizeof(signatures[i]), "%zu", i)};
        assert_int_equal(payment_submit(writers[i % WRITERS], &attempts[i]), ERR_OK);
    }
    for (size_t i = 0; i < ATTEMPTS; i++) {
        payment_wait(&attempts[i]);
        assert_int_equal(attempts[i].submission.outcome.err, ERR_PAYMENT_CONFLICT);
    }
    assert_string_equal(
        sql("SELECT attempts, (SELECT count(*) FROM conflict c WHERE c.crawler_id = n.crawler_id)"
            " FROM conflict_count n JOIN crawler USING (crawler_id) ORDER BY agent"),
        "40|8\n20|8");
    /* One that is kept, again: nothing new. One that is not: who could tell. */
    const char *kept = sql("SELECT min(convert_from(signature, 'UTF8')::integer) FROM conflict");
    struct payment *again = &attempts[strtoul(kept, NULL, 10)];
    assert_int_equal(payment_pay(writers[0], again), ERR_PAYMENT_CONFLICT);
    assert_string_equal(sql("SELECT sum(attempts) FROM conflict_count"), "60");
    for (size_t i = 0; i < WRITERS; i++)
        writer_stop(writers[i]);
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "16");
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
    free(attempts);
}

/* Straight through the batch: three with one id, one of them different, and one of its own. */
static void one_batch_with_the_same_id(void **state)
{
    (void)state;
    struct session *session = session_open(ledger_config(), 0);
    struct entry_arrays *arrays = entry_arrays_new();
    assert_non_null(session);
    struct payment payments[] = {
        payment_make(clock_now_ms(), AGENT, 2500, PAGE), payment_make(clock_now_ms(), AGENT, 2500, PAGE),
        payment_make(clock_now_ms(), AGENT, 1, PAGE), payment_make(clock_now_ms(), AGENT, 2500, PAGE)};
    struct entry entries[4];
    const struct charge_outcome *outcomes[4];
    sql("INSERT INTO crawler (agent, first_seen_at) VALUES ('" AGENT "', now())");
    for (size_t i = 0; i < 4; i++) {
        outcomes[i] = &payments[i].submission.outcome;
        if (i < 3)
            memcpy(payments[i].charge.payment_id, payments[0].charge.payment_id, UUID_SIZE);
        payments[i].submission = submission_of(&payments[i].charge, NULL);
        entries[i] = (struct entry){.submission = &payments[i].submission,
                                    .site_id = session->site_ids[0],
                                    .crawler_id = 1,
                                    .order = i};
    }
    entry_sort(entries, 4);
    assert_int_equal(entry_insert(arrays, session, clock_now_ms(), entries, 4), ERR_OK);
    assert_int_equal(entry_compare(arrays, session->pg, entries, 4), ERR_OK);
    assert_int_equal(entry_insert_conflicts(arrays, session, entries, 4), ERR_OK);
    assert_int_equal(outcomes[0]->err, ERR_OK);
    assert_false(outcomes[0]->repeated);
    assert_int_equal(outcomes[1]->err, ERR_OK);
    assert_true(outcomes[1]->repeated);
    assert_int_equal(outcomes[1]->recorded_at_ms, outcomes[0]->recorded_at_ms);
    assert_int_equal(outcomes[2]->err, ERR_PAYMENT_CONFLICT);
    assert_int_equal(outcomes[3]->err, ERR_OK);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "2|5000");
    entry_arrays_free(arrays);
    session_close(session);
}

/* All of them in one batch, straight into the ledger. */
static void write_batch(struct session *session, struct payment *payments, size_t count)
{
    struct entry entries[8];
    struct entry_arrays *arrays = entry_arrays_new();
    assert_true(arrays && count <= 8);
    for (size_t i = 0; i < count; i++) {
        payments[i].submission = submission_of(&payments[i].charge, NULL);
        entries[i] = (struct entry){.submission = &payments[i].submission,
                                    .site_id = session->site_ids[0],
                                    .crawler_id = 1 + (int64_t)i % 2,
                                    .order = i};
    }
    entry_sort(entries, count);
    assert_int_equal(entry_insert(arrays, session, clock_now_ms(), entries, count), ERR_OK);
    assert_int_equal(entry_compare(arrays, session->pg, entries, count), ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
    entry_arrays_free(arrays);
}

/* An id that is there costs the new ones of its batch a second try, and only the first such batch; what is
 * spent counts once whichever way it was written. */
static void known_ids_among_new_ones(void **state)
{
    (void)state;
    struct session *session = session_open(ledger_config(), 0);
    struct payment payments[8];
    assert_non_null(session);
    sql("INSERT INTO crawler (agent, first_seen_at) SELECT 'https://c' || n, now() FROM generate_series(1, "
        "2) n");
    int64_t now_ms = clock_now_ms();
    for (int64_t i = 0; i < 8; i++) /* of two quarters of an hour */
        payments[i] = payment_make(now_ms - i / 4 * ENTRY_QUARTER_MS, AGENT, 100 + i, PAGE);
    write_batch(session, payments, 4);
    assert_int_equal(session->sequence, 1);
    assert_true(session->careful_until_ms == 0);
    write_batch(session, payments + 2, 4);
    assert_int_equal(session->sequence, 3);
    assert_true(payments[2].submission.outcome.repeated && payments[3].submission.outcome.repeated);
    assert_false(payments[4].submission.outcome.repeated || payments[5].submission.outcome.repeated);
    assert_int_equal(payments[5].submission.outcome.sequence, 3);
    assert_true(session->careful_until_ms > 0);
    session->careful_until_ms = INT64_MAX;
    write_batch(session, payments + 4, 3);
    assert_int_equal(session->sequence, 4);
    assert_true(payments[4].submission.outcome.repeated && !payments[6].submission.outcome.repeated);
    session->careful_until_ms = 0;
    payments[0].charge.doubtful = true; /* its connection was lost */
    write_batch(session, payments, 8);
    assert_int_equal(session->sequence, 5);
    assert_true(session->careful_until_ms == 0);
    session_close(session);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "8|828");
    assert_string_equal(
        sql("SELECT count(*) FROM (SELECT crawler_id, quarter, sum(entries) AS n,"
            "  sum(amount_micros) AS micros FROM spend GROUP BY 1, 2) AS spent"
            " FULL JOIN (SELECT crawler_id, uuid_quarter(payment_id) AS quarter, count(*) AS n,"
            "  sum(amount_micros) AS micros FROM charge GROUP BY 1, 2) AS made"
            " USING (crawler_id, quarter, n, micros)"),
        "4");
    assert_string_equal(sql("SELECT string_agg(DISTINCT sequence::text, ' ') FROM spend"), "1 3 4 5");
}

/* Spending is summed up by the gate, and by the database when it is audited. */
static void quarters_are_the_same_in_c_and_sql(void **state)
{
    static const int64_t quarters[] = {0, 1, 1961712, INT64_C(281474976710655) / ENTRY_QUARTER_MS - 1};
    char query[256], id[UUID_TEXT_MAX], expected[64];
    (void)state;
    assert_int_equal(strtoll(sql("SELECT quarter_ms()"), NULL, 10), ENTRY_QUARTER_MS);
    for (size_t i = 0; i < 3 * sizeof(quarters) / sizeof(*quarters); i++) {
        int64_t starts_ms = quarters[i / 3] * ENTRY_QUARTER_MS;
        int64_t ms = starts_ms + (int64_t[]){0, 1, ENTRY_QUARTER_MS - 1}[i % 3];
        struct payment payment = payment_make(ms, AGENT, 1, PAGE);
        uuid_format(payment.charge.payment_id, id);
        snprintf(query, sizeof(query), "SELECT q, instant_ms(quarter_start(q)) FROM uuid_quarter('%s') AS q",
                 id);
        snprintf(expected, sizeof(expected), "%" PRId64 "|%" PRId64,
                 uuid_ms(payment.charge.payment_id) / ENTRY_QUARTER_MS, starts_ms);
        assert_string_equal(sql(query), expected);
    }
}

static void a_burst_with_every_id_twice(void **state)
{
    enum { PAIRS = 500 };
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment *payments = calloc(2 * PAIRS, sizeof(*payments));
    for (size_t i = 0; i < PAIRS; i++)
        payments[i] = payments[i + PAIRS] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    for (size_t i = 0; i < 2 * PAIRS; i++)
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    for (size_t i = 0; i < 2 * PAIRS; i++)
        payment_wait(&payments[i]);
    writer_stop(writer);
    for (size_t i = 0; i < PAIRS; i++) {
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
        assert_int_equal(payments[i + PAIRS].submission.outcome.err, ERR_OK);
        assert_false(payments[i].submission.outcome.repeated);
        assert_true(payments[i + PAIRS].submission.outcome.repeated);
        assert_int_equal(payments[i].submission.outcome.recorded_at_ms,
                         payments[i + PAIRS].submission.outcome.recorded_at_ms);
    }
    free(payments);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "500");
}

/* Two writers get the same ids at the same moment, as two gates behind one address would, hundreds of times:
 * one of each pair is charged, and the other gets its receipt, or a conflict where the content differs. */
static void race_over_two_writers(size_t writers)
{
    enum { ROUNDS = 40, IDS = 20 };
    ledger_config()->ledger_writers = (int64_t)writers;
    struct writer *gates[2] = {writer_start_ready(), writer_start_ready()};
    static struct payment payments[2][IDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        bool differ = round % 2 == 1;
        for (size_t i = 0; i < IDS; i++) {
            payments[0][i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
            payments[1][i] = payments[0][i];
            if (differ)
                payments[1][i].charge.resource = slice_of(PAGE "b");
        }
        for (size_t i = 0; i < IDS; i++) /* in opposite orders */
            for (size_t side = 0; side < 2; side++)
                assert_int_equal(payment_submit(gates[side], &payments[side][side ? IDS - 1 - i : i]),
                                 ERR_OK);
        for (size_t i = 0; i < IDS; i++) {
            const struct charge_outcome *a = &payments[0][i].submission.outcome;
            const struct charge_outcome *b = &payments[1][i].submission.outcome;
            payment_wait(&payments[0][i]);
            payment_wait(&payments[1][i]);
            assert_int_equal(a->err == ERR_OK ? b->err : a->err, differ ? ERR_PAYMENT_CONFLICT : ERR_OK);
            assert_true(a->err == ERR_OK || b->err == ERR_OK);
            assert_true(differ || (a->repeated != b->repeated && a->recorded_at_ms == b->recorded_at_ms));
        }
    }
    writer_stop(gates[0]);
    writer_stop(gates[1]);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "800|80000");
    assert_string_equal(sql("SELECT count(*), count(DISTINCT payment_id) FROM conflict"), "400|400");
    assert_string_equal(sql("SELECT count(*) FROM charge JOIN conflict USING (payment_id)"
                            " WHERE charge.resource = conflict.resource OR charge.signature_base IS NULL"),
                        "0");
}

static void two_gates_race(void **state)
{
    (void)state;
    race_over_two_writers(1);
}

static void two_gates_of_three_writers_race(void **state)
{
    (void)state;
    race_over_two_writers(3);
}

/* One writer with several connections is as ready as the best of them, and loses none of what it took. */
static void a_lost_connection_leaves_the_others(void **state)
{
    enum { COUNT = 2000 };
    (void)state;
    ledger_config()->ledger_writers = 4;
    struct writer *writer = writer_start_ready();
    wait_for_sql("SELECT count(*) = 4 FROM pg_stat_activity WHERE application_name = 'crawltabd'"
                 " AND datname = current_database()");
    struct payment *payments = calloc(COUNT, sizeof(*payments));
    for (size_t i = 0; i < COUNT; i++) {
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
        if (i % 500 == 250)
            sql("SELECT pg_terminate_backend(min(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'crawltabd' AND datname = current_database()");
        assert_true(writer_ready(writer));
    }
    for (size_t i = 0; i < COUNT; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, ERR_OK);
    }
    wait_for_sql("SELECT count(*) = 4 FROM pg_stat_activity WHERE application_name = 'crawltabd'"
                 " AND datname = current_database()");
    writer_stop(writer);
    free(payments);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "2000|200000");
}

static void wait_for_blocked_writer(void)
{
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'crawltabd'"
                 " AND datname = current_database() AND wait_event_type = 'Lock'");
}

/* Also where the first one's batch is sent again, together with what came after it. */
static void of_two_with_one_id_the_first_wins(void **state)
{
    enum { COUNT = 4 };
    (void)state;
    int64_t now_ms = clock_now_ms();
    struct payment plug = payment_make(now_ms, AGENT, 1, PAGE), payments[COUNT];
    ledger_config()->ledger_timeout_seconds = 30;
    struct writer *writer = writer_start_ready();
    int holder = sql_spawn("BEGIN; LOCK TABLE charge IN EXCLUSIVE MODE; SELECT pg_sleep(300)");
    wait_for_sql("SELECT count(*) = 1 FROM pg_locks WHERE relation = 'charge'::regclass"
                 " AND mode = 'ExclusiveLock' AND granted");
    assert_int_equal(payment_submit(writer, &plug), ERR_OK);
    wait_for_blocked_writer();
    for (int64_t i = COUNT - 1; i >= 0; i--) {
        payments[i] = payment_make(now_ms + 1 + i, AGENT, 100, PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    int first = gate_backend();
    assert_int_equal(kill(first, SIGTERM), 0); /* now all of them are one batch */
    char gone[128];
    snprintf(gone, sizeof(gone), "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d)", first);
    wait_for_sql(gone);
    wait_for_blocked_writer();
    struct payment rival = payment_make(now_ms, AGENT, 99, PAGE);
    memcpy(rival.charge.payment_id, payments[0].charge.payment_id, UUID_SIZE);
    assert_int_equal(payment_submit(writer, &rival), ERR_OK);
    assert_int_equal(kill(gate_backend(), SIGTERM), 0);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE %'");
    payment_wait(&payments[0]);
    payment_wait(&rival);
    for (size_t i = 1; i < COUNT; i++)
        payment_wait(&payments[i]);
    payment_wait(&plug);
    writer_stop(writer);
    run_wait(holder);
    assert_int_equal(payments[0].submission.outcome.err, ERR_OK);
    assert_int_equal(rival.submission.outcome.err, ERR_PAYMENT_CONFLICT);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "5|401");
}

/* Behind a lost connection there may be another server: without the crawler that was recorded last, and with
 * another one under its number. */
static void numbers_of_crawlers_are_the_servers(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    int backend = gate_backend();
    char gone[128];
    snprintf(gone, sizeof(gone), "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d)", backend);
    sql("ALTER TABLE crawler DISABLE TRIGGER USER;"
        "UPDATE crawler SET agent = 'https://other.example';"
        "ALTER TABLE crawler ENABLE ALWAYS TRIGGER append_only");
    assert_int_equal(kill(backend, SIGTERM), 0);
    wait_for_sql(gone);
    wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity"
                 " WHERE application_name = 'crawltabd' AND datname = current_database()");
    writer_wait_ready(writer, true);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT agent, sum(amount_micros) FROM charge JOIN crawler USING (crawler_id)"
                            " JOIN crawler_key USING (crawler_id) GROUP BY agent ORDER BY agent"),
                        "https://crawler.example|100\nhttps://other.example|2500");
}

static void bad_text_costs_only_itself(void **state)
{
    enum { COUNT = 21 };
    (void)state;
    struct writer *writer = writer_start_ready();
    static struct payment payments[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, i == 7 ? PAGE "\xff" : PAGE);
        assert_int_equal(payment_submit(writer, &payments[i]), ERR_OK);
    }
    for (size_t i = 0; i < COUNT; i++) {
        payment_wait(&payments[i]);
        assert_int_equal(payments[i].submission.outcome.err, i == 7 ? ERR_INTERNAL : ERR_OK);
    }
    struct payment agent = payment_make(clock_now_ms(), "https://\xc3", 100, PAGE);
    assert_int_equal(payment_pay(writer, &agent), ERR_INTERNAL);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "20");
}

static void an_old_id_is_never_recorded(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms() - 3660 * 1000, AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "0");
}

static void a_site_keeps_its_terms(void **state)
{
    (void)state;
    writer_stop(writer_start_ready());
    ledger_config()->sites[0].time_zone = "Europe/Berlin";
    struct writer *writer = writer_start(ledger_config());
    poll(NULL, 0, 300);
    assert_false(writer_ready(writer));
    writer_stop(writer);
    ledger_config()->sites[0].time_zone = "UTC";
}

static void entries_lie_where_their_ids_say(void **state)
{
    (void)state;
    int64_t midnight = clock_now_ms() / DAY * DAY;
    clock_set_offset_ms(midnight + 30000 - clock_now_ms()); /* half a minute past midnight */
    struct writer *writer = writer_start_ready();
    struct payment before = payment_make(midnight - 1, AGENT, 100, PAGE);
    struct payment after = payment_make(midnight, AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &before), ERR_OK);
    assert_int_equal(payment_pay(writer, &after), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM (SELECT tableoid FROM charge GROUP BY 1) t"), "2");
    assert_string_equal(
        sql("SELECT bool_and(c.tableoid::regclass::text = 'charge_' ||"
            " to_char(uuid_instant(payment_id) AT TIME ZONE 'UTC', 'YYYYMMDD')) FROM charge c"),
        "t");
}

static void database_away_charges_nobody(void **state)
{
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    server_crash();
    int64_t start = clock_monotonic_ms();
    assert_int_equal(payment_pay(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - start < 3000);
    writer_wait_ready(writer, false);
    assert_int_equal(payment_submit(writer, &payment), ERR_LEDGER_UNAVAILABLE);
    server_restart();
    writer_wait_ready(writer, true);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    assert_true(payment.submission.outcome.repeated);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "1");
}

/* A server that hangs: answers come in time, the queue is bounded, and what was asked for is recorded once.
 */
static void hanging_database_answers_in_time(void **state)
{
    (void)state;
    ledger_config()->ledger_queue_entries = 1;
    struct writer *writer = writer_start_ready();
    struct payment payments[3];
    for (size_t i = 0; i < 3; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    int backend = gate_backend();
    assert_int_equal(kill(backend, SIGSTOP), 0);
    int64_t start = clock_monotonic_ms();
    assert_int_equal(payment_submit(writer, &payments[0]), ERR_OK);
    poll(NULL, 0, 100); /* it is on its way now */
    assert_int_equal(payment_submit(writer, &payments[1]), ERR_OK);
    assert_int_equal(payment_submit(writer, &payments[2]), ERR_OVERLOADED);
    payment_wait(&payments[0]);
    assert_int_equal(payments[0].submission.outcome.err, ERR_LEDGER_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - start < 2500); /* timeout_seconds is 2 */
    kill(backend, SIGCONT);
    payment_wait(&payments[1]);
    writer_wait_ready(writer, true);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(payment_pay(writer, &payments[i]), ERR_OK);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM charge"), "3");
}

/* The writer starts first, the database later; it stops while the database is away. */
static void writer_outlives_the_database(void **state)
{
    (void)state;
    server_crash();
    struct writer *writer = writer_start(ledger_config());
    poll(NULL, 0, 100);
    assert_false(writer_ready(writer));
    server_restart();
    writer_wait_ready(writer, true);
    server_crash();
    writer_stop(writer);
    server_restart();
}

/* Crashes while batches are under way: what was answered OK is there, once, and the rest can be sent again.
 */
static void crashes_lose_and_double_nothing(void **state)
{
    enum { COUNT = 3000, CRASHES = 3 };
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment *payments = calloc(COUNT, sizeof(*payments));
    size_t accepted = 0;
    for (size_t i = 0; i < COUNT; i++)
        payments[i] = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    for (int round = 0; accepted < COUNT; round++) {
        bool *submitted = calloc(COUNT, sizeof(*submitted));
        assert_true(round < 30);
        if (round > CRASHES)
            writer_wait_ready(writer, true);
        for (size_t i = 0; i < COUNT; i++) {
            if (round < CRASHES && i == 200)
                server_crash();
            if (payments[i].submission.outcome.err != ERR_OK ||
                payments[i].submission.outcome.recorded_at_ms == 0)
                submitted[i] = payment_submit(writer, &payments[i]) == ERR_OK;
        }
        if (round < CRASHES)
            server_restart();
        for (size_t i = 0; i < COUNT; i++) {
            if (!submitted[i])
                continue;
            payment_wait(&payments[i]);
            assert_true(payments[i].submission.outcome.err == ERR_OK ||
                        payments[i].submission.outcome.err == ERR_LEDGER_UNAVAILABLE);
            accepted += payments[i].submission.outcome.err == ERR_OK;
        }
        free(submitted);
        if (round < CRASHES)
            writer_wait_ready(writer, true);
    }
    writer_stop(writer);
    free(payments);
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM charge"), "3000|300000");
    assert_string_equal(sql("SELECT count(*) FROM conflict"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(repeat_gets_the_first_receipt, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(other_content_is_a_conflict, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(refused_attempts_are_counted_and_some_are_kept, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(one_batch_with_the_same_id, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(known_ids_among_new_ones, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(quarters_are_the_same_in_c_and_sql, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_burst_with_every_id_twice, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(two_gates_race, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(two_gates_of_three_writers_race, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_lost_connection_leaves_the_others, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(of_two_with_one_id_the_first_wins, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(numbers_of_crawlers_are_the_servers, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(bad_text_costs_only_itself, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_old_id_is_never_recorded, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_site_keeps_its_terms, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(entries_lie_where_their_ids_say, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(database_away_charges_nobody, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(hanging_database_answers_in_time, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(writer_outlives_the_database, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(crashes_lose_and_double_nothing, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
