/* How fees are due within a period, and what becomes of invoices of which all is taken back, in parts or
 * because they went to the wrong party. Entries are made by a writer whose clock is days behind; the real
 * command closes those days. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/bill/adjustment.h"
#include "ledger/collect/event.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS  ((int64_t)86400000)
#define NOON_MS ((int64_t)43200000)
#define A       "https://a.example"
#define B       "https://b.example"
#define PAGE    "http://127.0.0.1:8402/a"

#define NUMBER(n) "TEST-INV-2026-00000" n

static char output[OUTPUT_MAX];
static uint8_t last_id[UUID_SIZE]; /* of the last payment of charge_on */

/* 2026-10-01 or later, so that the year's numbers, weeks and months are known: days from there on. */
static const int64_t first_day_ms = INT64_C(1790812800000); /* 2026-10-01, a Thursday */

static int64_t noon(int day)
{
    return first_day_ms + day * DAY_MS + NOON_MS;
}

static const char *date(int day)
{
    static char text[4][INSTANT_TEXT_MAX];
    static size_t next;
    char *out = text[next++ % 4];
    instant_format(noon(day), out);
    out[sizeof("2026-11-20") - 1] = '\0';
    return out;
}

static void charge_at(int64_t at_ms, const char *agent, int64_t amount_micros, size_t count)
{
    clock_set_offset_ms(at_ms - clock_now_ms());
    struct writer *writer = writer_start_ready();
    for (size_t i = 0; i < count; i++) {
        struct payment payment = payment_make(clock_now_ms(), agent, amount_micros, PAGE);
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
        memcpy(last_id, payment.charge.payment_id, UUID_SIZE);
    }
    writer_stop(writer);
    clock_set_offset_ms(0);
}

static void charge_on(int day, const char *agent, int64_t amount_micros, size_t count)
{
    charge_at(noon(day), agent, amount_micros, count);
}

/* An agreement of the crawler from the first day on; `terms` are columns and values beside the plain ones. */
static void agree(const char *agent, const char *columns, const char *values)
{
    static char text[2048];
    snprintf(text, sizeof(text),
             "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
             " status, day_limit_micros, balance_limit_micros, buyer, settlement, due_days, %s)"
             " SELECT 1, crawler_id, 1, instant(%lld), instant(%lld), 'test', 'test', 'active', NULL, NULL,"
             " '{\"name\": \"Crawler & Sons\"}', '{}', 14, %s FROM crawler WHERE agent = '%s'",
             columns, (long long)first_day_ms, (long long)first_day_ms, values, agent);
    sql_own(text);
}

#define TERMS                                                                                                \
    "cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"        \
    " tax_treatment, tax_rate_ppm"

static void nights_until(int day)
{
    if (CRAWLTAB(output, "nightly", "--day", date(day)) != 0)
        fail_msg("%s", output);
}

static void audit_is_clean(void)
{
    if (CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    assert_non_null(strstr(output, "everything adds up"));
}

static struct pg *operator_session(void)
{
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = "crawltab_operator",
                                                 .application = "test",
                                                 .connect_ms = 5000,
                                                 .timeout_ms = 5000});
    assert_non_null(pg);
    return pg;
}

static enum adjustment_outcome adjust(const uint8_t *payment_id, int64_t at_ms, int64_t amount_micros)
{
    const struct adjustment_row row = {.kind = amount_micros > 0 ? "credit" : "reversal",
                                       .payment_id = payment_id,
                                       .amount_micros = amount_micros,
                                       .reason = "a page was empty",
                                       .actor = "test"};
    struct pg *pg = operator_session();
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    assert_int_equal(adjustment_make(pg, &row, at_ms, &outcome, &made), ERR_OK);
    pg_close(pg);
    return outcome;
}

/* An agreement's version from an instant on, over a flat fee. */
static void version_of(const char *agent, int64_t from_ms, const char *status, const char *cadence,
                       int64_t fee_micros, const char *proration)
{
    static char text[2048];
    snprintf(
        text, sizeof(text),
        "INSERT INTO crawler (agent, first_seen_at) VALUES ('%s', now()) ON CONFLICT DO NOTHING;"
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason,"
        " status, buyer, settlement, due_days, subscription, included_crawls, minimum_fee_micros,"
        " minimum_invoice_micros, tax_treatment, tax_rate_ppm, cadence, fee_micros, fee_proration)"
        " SELECT 1, crawler_id, 1 + (SELECT count(*) FROM agreement a WHERE a.crawler_id ="
        " crawler.crawler_id), instant(%lld), instant(%lld), 'test', 'test', '%s', '{}', '{}', 14, false,"
        " 0, 0, 0, 'none', 0, '%s', %lld, '%s' FROM crawler WHERE agent = '%s'",
        agent, (long long)from_ms, (long long)from_ms, status, cadence, (long long)fee_micros, proration,
        agent);
    sql_own(text);
}

static const char *fees_of(const char *agent)
{
    char text[300];
    snprintf(text, sizeof(text),
             "SELECT description, amount_micros FROM invoice_line JOIN invoice USING (site_id, number)"
             " WHERE agent = '%s' ORDER BY local_date, line",
             agent);
    return sql(text);
}

/* October 2026 has 31 days. */
static void fees_by_the_day(void **state)
{
    static const char c[] = "https://c.example", d[] = "https://d.example", e[] = "https://e.example";
    const int64_t fee = 31000000;
    (void)state;
    charge_on(0, "https://z.example", 1, 1); /* makes the site */
    /* From the 11th on, suspended from the 21st to the 24th, and twice the fee from the 30th on. */
    version_of(A, noon(10), "active", "monthly", fee, "daily");
    version_of(A, noon(20), "suspended", "monthly", fee, "daily");
    version_of(A, noon(24), "active", "monthly", fee, "daily");
    version_of(A, noon(29), "active", "monthly", 2 * fee, "daily");
    /* Whole, though it began on the 20th and is suspended in the end. */
    version_of(B, noon(19), "active", "monthly", fee, "none");
    version_of(B, noon(25), "suspended", "monthly", fee, "none");
    /* Ended after the 15th, in both ways. */
    version_of(c, first_day_ms, "active", "monthly", fee, "daily");
    version_of(c, noon(15), "active", "monthly", 0, "daily");
    version_of(d, first_day_ms, "active", "monthly", fee, "none");
    version_of(d, noon(15), "active", "monthly", 0, "none");
    /* Weeks until the 14th, of which the second is not over, then months. */
    version_of(e, first_day_ms, "active", "weekly", 7000000, "daily");
    version_of(e, noon(14), "active", "monthly", 10000000, "daily");
    nights_until(31);
    assert_string_equal(fees_of(A),
                        "Fee, 2 of 31 days of 62.00|4000000\nFee, 15 of 31 days of 31.00|15000000");
    assert_string_equal(fees_of(B), "Fee|31000000");
    assert_string_equal(fees_of(c), "Fee, 15 of 31 days of 31.00|15000000");
    assert_string_equal(fees_of(d), "");
    assert_string_equal(fees_of(e), "Fee, 4 of 7 days of 7.00|4000000\nFee|7000000\n"
                                    "Fee, 3 of 7 days of 7.00|3000000\nFee, 17 of 31 days of 10.00|5483870");
    assert_string_equal(sql("SELECT count(*) FILTER (WHERE terms LIKE '%; fee 62.00 a period, by the days on "
                            "which it is in force"
                            " and not suspended; %'), count(*) FILTER (WHERE terms LIKE '%; fee 31.00 a "
                            "period, whole also for a"
                            " part of it; %') FROM invoice"),
                        "1|1");
    audit_is_clean();
}

/* What is in force just before a day's end bills it: not what begins with the next day. */
static void terms_begin_with_their_instant(void **state)
{
    (void)state;
    charge_on(0, B, 1, 1);
    version_of(A, first_day_ms, "active", "daily", 1000000, "none");
    version_of(A, first_day_ms + DAY_MS, "active", "daily", 2000000, "none");
    version_of(A, first_day_ms + 2 * DAY_MS - 1, "active", "daily", 4000000, "none");
    nights_until(2);
    assert_string_equal(sql("SELECT string_agg(net_minor::text, ' ' ORDER BY local_date) FROM invoice"),
                        "100 400 400");
    audit_is_clean();
}

/* What the terms took off on earlier days of a period counts against the minimum fee, too. */
static void minimums_know_what_was_taken_off_before(void **state)
{
    (void)state;
    charge_on(0, A, 300000, 3);
    agree(A, TERMS, "'weekly', false, 0, 2, 1000000, 0, 'none', 0");
    charge_on(2, A, 300000, 1);
    nights_until(3); /* Sunday: 4 crawls, two of them included */
    assert_string_equal(sql("SELECT description, amount_micros FROM invoice_line ORDER BY line"),
                        "all|1200000\nall, included|-600000\nUp to the minimum fee of 1.00|400000");
    audit_is_clean();
}

/* All of an invoice that was taken back, in however small parts, is credited: no cent of it stays open. */
/* What was free is no included crawl and on no tier, whichever day it was on; and is taken back as if it were
 * not there. */
static void free_crawls_count_for_nothing(void **state)
{
    (void)state;
    charge_on(0, A, 0, 2);
    agree(A, TERMS, "'weekly', false, 0, 2, 0, 0, 'none', 0");
    sql_own("INSERT INTO agreement_tier VALUES (1, 2, 500000)");
    charge_at(noon(0) + 1000, A, 100000, 1);
    charge_at(noon(1), A, 0, 3);
    nights_until(1);
    charge_at(noon(2), A, 100000, 1); /* the second that is included */
    charge_at(noon(2) + 1000, A, 0, 1);
    charge_at(noon(2) + 2000, A, 100000, 1);
    assert_int_equal(adjust(last_id, noon(2) + 3000, 100001), ADJUSTMENT_TOO_MUCH); /* it is paid in full */
    assert_int_equal(adjust(last_id, noon(2) + 4000, 0), ADJUSTMENT_DONE);
    charge_at(noon(2) + 5000, A, 100000, 1); /* on the tier */
    assert_int_equal(adjust(last_id, noon(2) + 6000, 50001), ADJUSTMENT_TOO_MUCH);
    nights_until(3); /* Sunday */
    assert_string_equal(
        sql("SELECT split_part(description, ' of payment', 1), quantity, unit_price_micros FROM invoice_line"
            " ORDER BY line"),
        "all|6|0\nall|4|100000\nall, included|-2|100000\n"
        "all, 50 % off from crawl 2 at 0.10|-1|50000\nReversal|-1|100000");
    assert_string_equal(sql("SELECT net_minor, entries FROM invoice"), "5|10");
    audit_is_clean();
}

static void what_is_fully_reversed_closes(void **state)
{
    static const char states[] = "SELECT number, status, open_minor FROM invoice JOIN invoice_state USING"
                                 " (site_id, number) WHERE kind = 'invoice' ORDER BY number";
    uint8_t ids[4][UUID_SIZE];
    (void)state;
    for (int i = 0; i < 2; i++) { /* two crawls of 0.015 on one invoice, each taken back on its own day */
        charge_on(0, A, 15000, 1);
        memcpy(ids[i], last_id, UUID_SIZE);
    }
    charge_on(0, B, 15000, 1); /* 0.01, and 0.005 that the next one has more */
    agree(A, TERMS, "'daily', false, 0, 0, 0, 0, 'standard', 190000");
    charge_on(1, B, 25000, 1);
    memcpy(ids[2], last_id, UUID_SIZE);
    charge_on(1, "https://c.example", 30000, 1);
    memcpy(ids[3], last_id, UUID_SIZE);
    nights_until(1);
    assert_int_equal(adjust(ids[0], noon(2), 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(ids[3], noon(2), 26000), ADJUSTMENT_DONE);
    nights_until(2);
    assert_string_equal(sql(states), "TEST-INV-2026-000001|issued|2\nTEST-INV-2026-000002|issued|1\n"
                                     "TEST-INV-2026-000003|issued|3\nTEST-INV-2026-000004|issued|1");
    assert_int_equal(adjust(ids[1], noon(3), 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(ids[2], noon(3), 0), ADJUSTMENT_DONE);
    assert_int_equal(adjust(ids[3], noon(3), 0), ADJUSTMENT_DONE); /* 0.004: less than a cent, but the last */
    nights_until(3);
    assert_string_equal(sql(states), "TEST-INV-2026-000001|credited|0\nTEST-INV-2026-000002|issued|1\n"
                                     "TEST-INV-2026-000003|credited|0\nTEST-INV-2026-000004|credited|0");
    /* What B had carried from the first day it owes as before. */
    assert_string_equal(
        sql("SELECT agent, carried_out_micros FROM crawler_day JOIN crawler USING (crawler_id)"
            " WHERE local_date = '2026-10-04' ORDER BY agent"),
        A "|0\n" B "|5000\nhttps://c.example|0");
    audit_is_clean();
}

static enum event_outcome cancel_on(int day, const char *number, bool reissue)
{
    const struct event_subject subject = {number, "example", "test", noon(day), false};
    const struct event_cancel cancel = {"wrong party", reissue};
    struct event_state became;
    enum event_outcome outcome;
    struct pg *pg = operator_session();
    assert_int_equal(event_void(pg, &subject, &cancel, &outcome, &became), ERR_OK);
    pg_close(pg);
    return outcome;
}

static void void_on(int day, const char *number, bool reissue)
{
    assert_int_equal(cancel_on(day, number, reissue), EVENT_DONE);
}

/* A void invoice is credited to its last cent, also after something was taken back of it. */
static void a_void_invoice_closes(void **state)
{
    uint8_t first[UUID_SIZE];
    (void)state;
    charge_on(0, A, 15000, 1);
    memcpy(first, last_id, UUID_SIZE);
    charge_on(0, A, 15000, 1);
    nights_until(0);
    assert_int_equal(adjust(first, noon(1), 0), ADJUSTMENT_DONE);
    nights_until(1);
    void_on(2, "TEST-INV-2026-000001", false);
    nights_until(2);
    assert_string_equal(
        sql("SELECT status, open_minor FROM invoice_state WHERE number = 'TEST-INV-2026-000001'"), "void|0");
    assert_string_equal(sql("SELECT string_agg(net_minor::text, ' ' ORDER BY sequence) FROM invoice"
                            " WHERE kind = 'credit-note'"),
                        "1 2");
    assert_string_equal(sql("SELECT carried_out_micros FROM crawler_day ORDER BY close_number DESC LIMIT 1"),
                        "0");
    audit_is_clean();
}

/* `text` ends with an invoice's number, to which its date of issue, that of the test's own run, is added. */
static const char *dated(const char *text)
{
    static char out[200];
    char query[200];
    snprintf(query, sizeof(query), "SELECT issue_date FROM invoice WHERE number = '%s'",
             strstr(text, "TEST-INV-"));
    snprintf(out, sizeof(out), "%s of %s\n", text, sql(query));
    return out;
}

/* The wrong party is billed the same crawls again under its right name, and each document names the other. */
static void what_was_billed_to_the_wrong_party(void **state)
{
    static const char one[] = NUMBER("1"), two[] = NUMBER("2"), three[] = NUMBER("3");
    uint8_t first[UUID_SIZE];
    char id[UUID_TEXT_MAX];
    (void)state;
    charge_on(0, A, 15000, 1);
    memcpy(first, last_id, UUID_SIZE);
    charge_on(0, A, 48000, 2);
    agree(A, TERMS, "'daily', false, 1000000, 0, 0, 0, 'none', 0");
    nights_until(0); /* 0.015 + 0.096 + 1.00 = 1.111 */
    assert_int_equal(adjust(first, noon(1), 4000), ADJUSTMENT_DONE);
    charge_on(1, A, 50000, 1);
    nights_until(1); /* what is left of the first is 1.11 - 0.004 */
    void_on(2, one, true);
    sql_own(
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"
        " tax_treatment, tax_rate_ppm, due_days, buyer, settlement) SELECT site_id, crawler_id, 2,"
        " valid_from + interval '60 hours', recorded_at, actor, reason, status, cadence, false, 0, 0, 0, 0,"
        " 'standard', 200000, 7, '{\"name\": \"Crawler Ltd\"}', '{}' FROM agreement WHERE version = 1");
    charge_on(2, A, 70000, 1);
    nights_until(2);
    assert_string_equal(
        sql("SELECT number, replaces, crawls_date, local_date, first_date, due_date - issue_date, net_minor,"
            " tax_minor,"
            " subtotal_micros, entries, buyer_party ->> 'name' FROM invoice WHERE kind = 'invoice' AND"
            " local_date = '2026-10-03' ORDER BY number"),
        "TEST-INV-2026-000003|||2026-10-03|2026-10-03|7|7|1|70000|1|Crawler Ltd\n"
        "TEST-INV-2026-000004|TEST-INV-2026-000001|2026-10-01|2026-10-03|2026-10-01|7|111|22|1111000|3|"
        "Crawler Ltd");
    assert_string_equal(sql("SELECT corrects, net_minor FROM invoice WHERE kind = 'credit-note'"),
                        "TEST-INV-2026-000001|111");
    assert_string_equal(sql("SELECT line, kind, amount_micros FROM invoice_line WHERE number ="
                            " 'TEST-INV-2026-000004' ORDER BY line"),
                        "1|crawls|15000\n2|crawls|96000\n3|fee|1000000");
    audit_is_clean();
    assert_int_equal(CRAWLTAB(output, "invoice", "show", one), 0);
    assert_non_null(strstr(output, dated("Replaced by TEST-INV-2026-000004")));
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "TEST-INV-2026-000004"), 0);
    assert_non_null(strstr(output, dated("Replaces   TEST-INV-2026-000001")));
    assert_non_null(strstr(output, "Crawler Ltd"));
    /* A crawl of it stands on the new one, and is taken back from there; it is made void and anew as well. */
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(first, id)), 0);
    assert_non_null(strstr(output, dated("Invoice     TEST-INV-2026-000004")));
    assert_int_equal(adjust(first, noon(3), 11001), ADJUSTMENT_TOO_MUCH);
    assert_int_equal(adjust(first, noon(3), 0), ADJUSTMENT_DONE);
    nights_until(3);
    assert_string_equal(sql("SELECT corrects, net_minor, tax_minor FROM invoice WHERE kind = 'credit-note'"
                            " ORDER BY number DESC LIMIT 1"),
                        "TEST-INV-2026-000004|1|0");
    void_on(4, "TEST-INV-2026-000004", true);
    void_on(4, two, true);
    void_on(4, three, false);
    nights_until(4);
    assert_string_equal(sql("SELECT number, replaces, crawls_date, entries, net_minor, status, open_minor"
                            " FROM invoice JOIN invoice_state USING (site_id, number) WHERE kind = 'invoice'"
                            " ORDER BY number"),
                        "TEST-INV-2026-000001|||3|111|void|0\nTEST-INV-2026-000002|||1|104|void|0\n"
                        "TEST-INV-2026-000003|||1|7|void|0\n"
                        "TEST-INV-2026-000004|TEST-INV-2026-000001|2026-10-01|3|111|void|0\n"
                        "TEST-INV-2026-000005|TEST-INV-2026-000002|2026-10-02|1|104|issued|125\n"
                        "TEST-INV-2026-000006|TEST-INV-2026-000004|2026-10-01|3|110|issued|132");
    for (int n = 1; n <= 6; n++) { /* each of them can be read */
        char number[] = "TEST-INV-2026-000000";
        number[19] = (char)('0' + n);
        assert_int_equal(CRAWLTAB(output, "invoice", "show", number), 0);
    }
    audit_is_clean();
}

/* A crawl each of 33 prices, so many lines. */
static int64_t charge_prices_on(int day, const char *agent)
{
    int64_t sum = 0;
    clock_set_offset_ms(noon(day) - clock_now_ms());
    struct writer *writer = writer_start_ready();
    for (int i = 0; i < 33; i++) {
        int64_t price = 41237 + 7919 * i;
        struct payment payment = payment_make(clock_now_ms(), agent, price, PAGE);
        assert_int_equal(payment_pay(writer, &payment), ERR_OK);
        memcpy(last_id, payment.charge.payment_id, UUID_SIZE);
        sum += price;
    }
    writer_stop(writer);
    clock_set_offset_ms(0);
    return sum;
}

/* What the crawler owes as gates count it, and as its documents and what it carries say: in micro-units. */
static const char *owed_by(const char *agent)
{
    static char text[1000];
    snprintf(text, sizeof(text),
             "SELECT b.owed_micros, d.micros + t.carried_out_micros"
             "  FROM crawler k"
             "  JOIN LATERAL (SELECT * FROM account_balance a WHERE a.crawler_id = k.crawler_id"
             "                 ORDER BY step DESC LIMIT 1) AS b ON true"
             "  JOIN LATERAL (SELECT sum(CASE kind WHEN 'invoice' THEN 1 ELSE -1 END * total_minor) * 10000"
             "                       AS micros FROM invoice i WHERE i.crawler_id = k.crawler_id) AS d ON true"
             "  JOIN LATERAL (SELECT * FROM crawler_day c WHERE c.crawler_id = k.crawler_id"
             "                 ORDER BY close_number DESC LIMIT 1) AS t ON true"
             " WHERE k.agent = '%s'",
             agent);
    return sql(text);
}

/* Billed again and again, with parts taken back in between, a crawler owes what it owed: nothing is counted
 * twice, and no remainder of a coin is lost or made. */
static void what_is_billed_again_and_again_stays_the_same(void **state)
{
    char number[] = "TEST-INV-2026-000001", expected[100];
    (void)state;
    int64_t owed = charge_prices_on(0, A);
    nights_until(0);
    for (int day = 1; day <= 7; day += 2) {
        /* Less than a coin of the last crawl, for its next invoice, or more, which is a credit note. */
        int64_t taken = day % 4 == 1 ? 3331 : 13331;
        snprintf(expected, sizeof(expected), "%lld|%lld", (long long)owed, (long long)owed);
        assert_string_equal(owed_by(A), expected);
        assert_int_equal(adjust(last_id, noon(day), taken), ADJUSTMENT_DONE);
        owed -= taken;
        nights_until(day);
        void_on(day + 1, number, true);
        nights_until(day + 1);
        number[19]++;
        assert_int_equal(CRAWLTAB(output, "invoice", "show", number), 0);
        audit_is_clean();
    }
    snprintf(expected, sizeof(expected), "%lld|%lld", (long long)owed, (long long)owed);
    assert_string_equal(owed_by(A), expected);
    /* All 33 prices, and what credit notes took back of them. */
    assert_string_equal(sql("SELECT number, count(*), sum(amount_micros) FROM invoice_line l JOIN invoice i"
                            " USING (site_id, number) WHERE i.kind = 'invoice' GROUP BY number"
                            " ORDER BY number"),
                        "TEST-INV-2026-000001|33|5542053\nTEST-INV-2026-000002|33|5542053\n"
                        "TEST-INV-2026-000003|34|5528722\nTEST-INV-2026-000004|34|5528722\n"
                        "TEST-INV-2026-000005|35|5515391");
    assert_string_equal(
        sql("SELECT number, status, open_minor FROM invoice_state WHERE number LIKE 'TEST-INV%'"
            " ORDER BY number"),
        "TEST-INV-2026-000001|void|0\nTEST-INV-2026-000002|void|0\nTEST-INV-2026-000003|void|0\n"
        "TEST-INV-2026-000004|void|0\nTEST-INV-2026-000005|issued|552");
}

/* Who forgot --reissue can still ask for it, once; and what is not a coin cannot be billed again. */
static void a_void_invoice_is_billed_again_later(void **state)
{
    static const char one[] = "TEST-INV-2026-000001";
    uint8_t small[UUID_SIZE];
    (void)state;
    charge_on(0, A, 1234567, 2);
    charge_on(0, B, 19000, 1);
    memcpy(small, last_id, UUID_SIZE);
    nights_until(0);
    void_on(1, one, false);
    nights_until(1);
    void_on(2, one, true);
    assert_int_equal(cancel_on(2, one, true), EVENT_VOID);
    assert_int_equal(cancel_on(2, one, false), EVENT_VOID);
    nights_until(2);
    assert_int_equal(cancel_on(3, one, true), EVENT_VOID);
    assert_string_equal(sql("SELECT number, replaces, entries, net_minor FROM invoice WHERE agent = '" A
                            "' AND kind = 'invoice' ORDER BY number"),
                        "TEST-INV-2026-000001||2|246\nTEST-INV-2026-000003|TEST-INV-2026-000001|2|246");
    assert_string_equal(owed_by(A), "2469134|2469134");
    assert_string_equal(sql("SELECT event, detail FROM invoice_event WHERE number = 'TEST-INV-2026-000001'"
                            " ORDER BY step"),
                        "issued|\nvoid|wrong party\nreissued|wrong party");
    assert_int_equal(adjust(small, noon(3), 9500), ADJUSTMENT_DONE); /* 0.01 were invoiced of 0.019 */
    assert_int_equal(cancel_on(3, "TEST-INV-2026-000002", true), EVENT_TOO_LITTLE);
    void_on(3, "TEST-INV-2026-000002", false);
    nights_until(3);
    /* What was void was 0.01, of which 0.0095 were taken back before; 0.009 had been carried forward. */
    assert_string_equal(owed_by(B), "9000|9000");
    audit_is_clean();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, ledger_setup, ledger_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(fees_by_the_day),
                                       TEST(terms_begin_with_their_instant),
                                       TEST(minimums_know_what_was_taken_off_before),
                                       TEST(free_crawls_count_for_nothing),
                                       TEST(what_is_fully_reversed_closes),
                                       TEST(a_void_invoice_closes),
                                       TEST(what_was_billed_to_the_wrong_party),
                                       TEST(what_is_billed_again_and_again_stays_the_same),
                                       TEST(a_void_invoice_is_billed_again_later)};
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
