/* What crawlers have spent, as the ledger counts it and as gates count it against limits.
 * Tests ledger/credit/agreements.c and ledger/credit/reading.c */
#include "tests/pg/support_days.h"

#include "ledger/credit/refresh.h"
#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/session.h"

#include <poll.h>
#include <signal.h>
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
    assert_int_equal(entry_insert(arrays, session, clock_now_ms(), entries, count), ERR_OK);
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
    struct payment altered = payment_make(clock_now_ms(), AGENT, 2499, PAGE);
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
    int64_t give_up = clock_monotonic_ms() + 20000;
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

static void wait_until_it_leaves(struct refresh *book, const char *agent, const struct credit_limits *limits,
                                 int64_t amount)
{
    int64_t give_up = clock_monotonic_ms() + 20000;
    while (!leaves(book, agent, limits, amount)) {
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

    /* The gate of before had accrued those days; closing them has taken that back. */
    assert_string_equal(sql("SELECT count(*) > 0, (SELECT sum(amount_micros) FROM crawler_accrual)"
                            " FROM day_accrual"),
                        "t|107500");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);

    struct refresh *book = start_ready();
    assert_true(leaves(book, AGENT, &balance, 992500 - 30));
    assert_true(leaves(book, AGENT, &day, 1000000 - 30));
    assert_true(leaves(book, OTHER, &balance, 900000));
    assert_true(leaves(book, OTHER, &day, 1000000));
    refresh_stop(book);

    sql_own(
        "INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at, "
        "actor)"
        " SELECT site_id, number, 'r', 4, local_date, now(), 'test' FROM invoice");
    book = start_ready();
    assert_true(leaves(book, OTHER, &balance, 940000));
    /* A gate that goes on sees it, too: what is paid, and what is paid back. */
    sql_own(
        "INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at, "
        "actor)"
        " SELECT site_id, number, 'x' || n, 8 * n - 12, local_date, now(), 'test' FROM invoice,"
        " generate_series(1, 2) AS n");
    wait_until_it_leaves(book, OTHER, &balance, 940000);
    sql_own(
        "INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at, "
        "actor)"
        " SELECT site_id, number, 'y', 5, local_date, now(), 'test' FROM invoice");
    wait_until_it_leaves(book, OTHER, &balance, 990000);
    refresh_stop(book);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* Nights that close days while a gate runs and crawlers pay. */
static void days_are_closed_under_a_running_gate(void **state)
{
    static const struct credit_limits balance = {{CREDIT_NONE, 1000000}, {CREDIT_NONE, CREDIT_NONE}};
    static char output[OUTPUT_MAX];
    (void)state;
    days_charge(2, AGENT, 50000, 3);
    days_charge(1, AGENT, 20000, 1);
    struct writer *writer = writer_start_ready();
    struct refresh *book = start_ready();
    assert_true(leaves(book, AGENT, &balance, 830000));
    struct payment today = payment_make(clock_now_ms(), AGENT, 30, PAGE);
    assert_int_equal(payment_pay(writer, &today), ERR_OK);
    wait_until_it_leaves(book, AGENT, &balance, 829970);
    assert_int_equal(CRAWLTAB(output, "nightly", "--day", days_date(2)), 0);
    wait_for_sql("SELECT count(*) >= 1 FROM day_close");
    poll(NULL, 0, 2500); /* two rounds of reading */
    assert_true(leaves(book, AGENT, &balance, 829970));
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    poll(NULL, 0, 2500);
    assert_true(leaves(book, AGENT, &balance, 829970));
    refresh_stop(book);
    book = start_ready();
    assert_true(leaves(book, AGENT, &balance, 829970));
    refresh_stop(book);
    writer_stop(writer);
}

/* A year of days that nobody closes, of this site and of one that the gate does not serve: the gate adds them
 * up day by day, once, and takes payments when its own site's are. */
#define YEAR_OF_DAYS                                                                                         \
    "INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"        \
    " VALUES ('old', 'USD', 2, 'UTC', 'old:402', 'Old', now());"                                             \
    "INSERT INTO day SELECT site_id, at::date, at, at + interval '1 day', 'UTC' FROM site, LATERAL"          \
    " (SELECT coalesce(min(starts_at), date_trunc('day', now())) AS known FROM day d"                        \
    "   WHERE d.site_id = site.site_id) k, generate_series(known - interval '365 days',"                     \
    " known - interval '1 day', '1 day') AS at;"                                                             \
    "INSERT INTO crawler (agent, first_seen_at) VALUES ('" AGENT "', now());"                                \
    "INSERT INTO spend SELECT gen_random_uuid(), 1, site_id, 1, extract(epoch FROM starts_at)::bigint / 900" \
    " + 40, 1, 100 * site_id FROM day WHERE ends_at < now()"

static void an_unclosed_year_is_added_up_day_by_day(void **state)
{
    static const struct credit_limits balance = {{CREDIT_NONE, 100000}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    writer_stop(writer_start_ready());
    sql(YEAR_OF_DAYS);
    struct refresh *book = start_ready();
    assert_string_equal(sql("SELECT max(ends_at) > now() - interval '3 days', count(*) > 360,"
                            " min(a.local_date) = (SELECT min(local_date) FROM day WHERE site_id = 1)"
                            " FROM day_accrual a JOIN day USING (site_id, local_date) WHERE site_id = 1"),
                        "t|t|t");
    int64_t spent = strtoll(sql("SELECT sum(amount_micros) FROM spend WHERE site_id = 1"), NULL, 10);
    assert_true(spent >= 36500);
    assert_true(leaves(book, AGENT, &balance, 100000 - spent));
    /* The other site's follow while the gate runs. */
    /* Yesterday may go on for slow gates, by the time of day. */
    wait_for_sql("SELECT count(*) >= 364 FROM day_accrual WHERE site_id = 2");
    assert_true(leaves(book, AGENT, &balance, 100000 - spent));
    refresh_stop(book);
    /* Once: the next start adds nothing up. */
    const char *before = sql("SELECT count(*) FROM account_balance");
    char kept[32];
    strncpy(kept, before, sizeof(kept) - 1);
    kept[sizeof(kept) - 1] = '\0';
    book = start_ready();
    assert_true(leaves(book, AGENT, &balance, 100000 - spent));
    refresh_stop(book);
    assert_string_equal(sql("SELECT count(*) FROM account_balance"), kept);
}

/* A part that cannot be read keeps what was read of it last, and no other part from being read. */
static void a_part_that_fails_keeps_no_other_from_being_read(void **state)
{
    static const struct credit_limits limits = {{1000, 5000}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct writer *writer = writer_start_ready();
    struct refresh *book = start_ready();
    struct payment first = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    struct payment second = payment_make(clock_now_ms(), AGENT, 200, PAGE);
    struct payment third = payment_make(clock_now_ms(), AGENT, 400, PAGE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    wait_until_it_leaves(book, AGENT, &limits, 900);
    sql("REVOKE SELECT ON account_balance FROM crawltab_gate");
    assert_int_equal(payment_pay(writer, &second), ERR_OK);
    wait_until_it_leaves(book, AGENT, &limits, 700);
    sql("GRANT SELECT ON account_balance TO crawltab_gate; REVOKE SELECT ON spend FROM crawltab_gate");
    assert_int_equal(payment_pay(writer, &third), ERR_OK);
    sql("SELECT change_balances('{1}', '{1}', '{4500}')");
    wait_until_it_leaves(book, AGENT, &limits, 200); /* 5000 - 4500 - 300; the third is not seen */
    sql("GRANT SELECT ON spend TO crawltab_gate");
    poll(NULL, 0, 100);
    sql("SELECT change_balances('{1}', '{1}', '{-4500}')");
    wait_until_it_leaves(book, AGENT, &limits, 300);
    refresh_stop(book);
    writer_stop(writer);
}

/* A statement that takes too long at the start: there is more time for the next one, and what was read before
 * is not read again. */
static void a_slow_start_comes_to_its_end(void **state)
{
    static const struct credit_limits limits = {{1000, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    ledger_config()->ledger_timeout_seconds = 1;
    struct writer *writer = writer_start_ready();
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    /* Each look at a row of spending takes 0.7 s from now on, and it is looked at more than once. */
    sql("CREATE FUNCTION slowly() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_sleep(0.7) IS NOT "
        "NULL';"
        "CREATE POLICY slow ON spend FOR SELECT USING (slowly());"
        "CREATE POLICY quick ON spend FOR INSERT WITH CHECK (true);"
        "ALTER TABLE spend ENABLE ROW LEVEL SECURITY");
    int64_t begun_ms = clock_monotonic_ms();
    struct refresh *book = start_ready();
    assert_true(leaves(book, AGENT, &limits, 900));
    assert_true(clock_monotonic_ms() - begun_ms > 1000); /* one look has failed */
    refresh_stop(book);
}

/* A gate whose clock was ahead goes by marks of quarters that are yet to come. */
static void a_clock_that_is_set_back_loses_nothing(void **state)
{
    static const struct credit_limits limits = {{1000, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct writer *writer = writer_start_ready();
    struct payment before = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(writer, &before), ERR_OK);
    clock_set_offset_ms(2 * DAY_MS);
    struct refresh *book = start_ready();
    clock_set_offset_ms(0);
    struct payment after = payment_make(clock_now_ms(), AGENT, 200, PAGE);
    assert_int_equal(payment_pay(writer, &after), ERR_OK);
    wait_until_it_leaves(book, AGENT, &limits, 700);
    refresh_stop(book);
    writer_stop(writer);
    assert_string_equal(sql("SELECT count(*) FROM day_accrual WHERE local_date >= current_date"), "0");
}

/* The connection is lost before the answer: what was reserved stays so, until it is known. */
static void what_may_have_been_recorded_stays_reserved(void **state)
{
    static const struct credit_limits limits = {{1000, CREDIT_NONE}, {CREDIT_NONE, CREDIT_NONE}};
    (void)state;
    struct writer *writer = writer_start_ready();
    struct refresh *book = start_ready();
    struct credit *credit = refresh_credit(book);
    struct payment first = payment_make(clock_now_ms(), AGENT, 50, PAGE);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    struct credit_claim claim = {.account = NULL};
    /* The crawler is known then, and the entry the next that is sent. */
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    wait_until_it_leaves(book, AGENT, &limits, 950);
    assert_int_equal(credit_reserve(credit, SLICE("example"), &payment.charge, &limits, &claim), ERR_OK);
    assert_int_equal(kill(gate_backend(), SIGSTOP), 0);
    assert_int_equal(payment_submit(writer, &payment), ERR_OK);
    poll(NULL, 0, 200); /* it is sent */
    server_kill();
    payment_wait(&payment);
    assert_int_equal(payment.submission.outcome.err, ERR_LEDGER_UNAVAILABLE);
    assert_true(payment.submission.outcome.unsure);
    credit_settle(credit, &claim, &payment.charge, &payment.submission.outcome);
    assert_true(leaves(book, AGENT, &limits, 850));
    server_restart();
    writer_wait_ready(writer, true);
    claim = (struct credit_claim){.account = NULL};
    assert_int_equal(credit_reserve(credit, SLICE("example"), &payment.charge, &limits, &claim), ERR_OK);
    assert_true(claim.doubtful);
    payment.charge.doubtful = true;
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    credit_settle(credit, &claim, &payment.charge, &payment.submission.outcome);
    assert_true(leaves(book, AGENT, &limits, 850));
    poll(NULL, 0, 2500);
    assert_true(leaves(book, AGENT, &limits, 850));
    refresh_stop(book);
    writer_stop(writer);
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
        wait_until_it_leaves(book, AGENT, &limits, left);
    }
    server_crash();
    server_restart();
    writer_wait_ready(first, true);
    struct payment payment = payment_make(clock_now_ms(), AGENT, 100, PAGE);
    assert_int_equal(payment_pay(first, &payment), ERR_OK);
    wait_until_it_leaves(book, AGENT, &limits, left - 100);
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
        cmocka_unit_test_setup_teardown(days_are_closed_under_a_running_gate, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_unclosed_year_is_added_up_day_by_day, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_part_that_fails_keeps_no_other_from_being_read, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(a_slow_start_comes_to_its_end, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_loses_nothing, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_may_have_been_recorded_stays_reserved, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(what_other_gates_record_is_read_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(another_servers_agreements_are_read, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
