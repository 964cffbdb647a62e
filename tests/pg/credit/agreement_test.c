/* Agreements in the ledger: versions, what is in force when, people who record at the same time, and that
 * nothing is changed. */
#include "tests/pg/support.h"

#include "ledger/terms/agreement.h"
#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/site/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGENT "https://crawler.example"
#define DAY   INSTANT_DAY_MS

static char output[OUTPUT_MAX];
static struct pg *pg;
static int64_t site_id, crawler_id;

static struct pg *connect_as(const char *role)
{
    struct pg *one = pg_open(&(struct pg_options){.config = ledger_config(),
                                                  .role = role,
                                                  .application = "agreement_test",
                                                  .connect_ms = 10000,
                                                  .timeout_ms = 10000});
    assert_non_null(one);
    return one;
}

/* A ledger with the site, a crawler, and a connection of the operator. */
static int setup(void **state)
{
    ledger_setup(state);
    struct pg *gate = connect_as("crawltab_gate");
    assert_int_equal(site_register(gate, &ledger_config()->sites[0], clock_now_ms(), &site_id), ERR_OK);
    pg_close(gate);
    assert_int_equal(CRAWLTAB(output, "crawler", "add", AGENT), 0);
    crawler_id = strtoll(sql("SELECT crawler_id FROM crawler"), NULL, 10);
    pg = connect_as("crawltab_operator");
    return 0;
}

static int teardown(void **state)
{
    pg_close(pg);
    return ledger_teardown(state);
}

static struct agreement_order order_from(int64_t from_ms)
{
    return (struct agreement_order){.site_id = site_id,
                                    .crawler_id = crawler_id,
                                    .currency = "USD",
                                    .actor = "ann",
                                    .reason = "as agreed",
                                    .from_ms = from_ms,
                                    .expect_version = -1,
                                    .errors = stderr};
}

static struct agreement_result change(const struct agreement_order *order, const char *text)
{
    struct agreement_result result;
    assert_int_equal(agreement_change(pg, order, &text, 1, &result), ERR_OK);
    return result;
}

static void changed(int64_t from_ms, const char *text, enum agreement_outcome outcome, int64_t version)
{
    struct agreement_order order = order_from(from_ms);
    struct agreement_result result = change(&order, text);
    assert_int_equal(result.outcome, outcome);
    assert_int_equal(result.version, version);
    agreement_result_free(&result);
}

static void status_set(const char *status, enum agreement_outcome outcome, int64_t version)
{
    struct agreement_order order = order_from(0);
    struct agreement_result result;
    assert_int_equal(agreement_set_status(pg, &order, status, &result), ERR_OK);
    assert_int_equal(result.outcome, outcome);
    assert_int_equal(result.version, version);
    agreement_result_free(&result);
}

/* Version in force at the instant, 0 for none, and its status. */
static void in_force(int64_t ms, int64_t version, const char *status)
{
    struct agreement_list list;
    assert_int_equal(agreement_read(pg, site_id, crawler_id, &list), ERR_OK);
    const struct agreement *agreement = agreement_at(&list, ms);
    assert_int_equal(agreement ? agreement->version : 0, version);
    if (agreement)
        assert_string_equal(agreement->terms->status, status);
    agreement_list_free(&list);
}

static void versions_follow_each_other(void **state)
{
    int64_t now = clock_now_ms();
    (void)state;
    in_force(now, 0, NULL);
    changed(0, "fee=10", AGREEMENT_RECORDED, 1);
    changed(0, "fee=10.00", AGREEMENT_UNCHANGED, 1);
    changed(0, "cadence=weekly", AGREEMENT_RECORDED, 2);
    changed(now + 9 * DAY, "buyer.name=Zo\u00eb", AGREEMENT_RECORDED, 3);
    changed(now + 8 * DAY, "fee=11", AGREEMENT_EARLY, 3);
    changed(0, "fee=11", AGREEMENT_EARLY, 3);
    changed(now - 1, "fee=11", AGREEMENT_PAST, 3);
    in_force(now - 1, 0, NULL);
    in_force(now + DAY, 2, "active");
    in_force(now + 9 * DAY - 1, 2, "active");
    in_force(now + 9 * DAY, 3, "active");
    assert_string_equal(
        sql("SELECT version, fee_micros, cadence, buyer ->> 'name', actor, reason FROM agreement"
            " ORDER BY version"),
        "1|10000000|daily||ann as crawltab_operator|as agreed\n"
        "2|10000000|weekly||ann as crawltab_operator|as agreed\n"
        "3|10000000|weekly|Zo\u00eb|ann as crawltab_operator|as agreed");
    assert_string_equal(sql("SELECT detail FROM operator_action WHERE action = 'agreement' ORDER BY action_id"
                            " LIMIT 1"),
                        "version 1 of site \"example\" and " AGENT ": as agreed");
}

/* Everything that can be said comes back from the ledger as it was. */
static void all_terms_are_stored(void **state)
{
    static const char text[] =
        "status: suspended\ncadence: monthly\nsubscription: false\nfee: \"12.345678\"\nincluded_crawls: "
        "1000\n"
        "minimum_fee: 5\nminimum_invoice: 2.5\ndue_days: 14\nlimits: {day: 100, balance: 100000000000}\n"
        "disputes: {window_days: 31, answer_days: 7, share: \"2.5\", limit: 1000.5}\n"
        "tax: {treatment: standard, rate: \"8.875\"}\n"
        "prices:\n  - {rule: all, price: 0}\n  - {paths: [/b, \"/a \\\"c\\\",{}\", /NULL], price: 0.000001}\n"
        "tiers:\n  - {from_crawl: 1001, discount: 10}\n  - {from_crawl: 10001, discount: 100}\n"
        "buyer: {name: \"O'Neil \\\\ Co\", street: a, street_2: b, postal_code: \"01\", city: c, region: d,"
        " country: US, tax_id: t, registration: r, email: a@b.example, purchase_order: p,"
        " endpoint: \"0088:7300010000001\"}\n"
        "settlement: {rail: ach, routing_number: \"011000015\", account: \"00-1\", kind: savings}\n";
    (void)state;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct terms *terms = terms_read(file, "text", "USD", stderr);
    fclose(file);
    assert_non_null(terms);
    struct agreement_order order = order_from(0);
    struct agreement_result result;
    struct agreement_list list;
    assert_int_equal(agreement_replace(pg, &order, terms, &result), ERR_OK);
    assert_int_equal(result.outcome, AGREEMENT_RECORDED);
    assert_int_equal(agreement_read(pg, site_id, crawler_id, &list), ERR_OK);
    assert_int_equal(list.count, 1);
    json_t *first = terms_json(terms), *second = terms_json(list.items[0].terms);
    assert_true(json_equal(first, second));
    assert_int_equal(terms_write_changes(terms, list.items[0].terms, stdout), 0);
    assert_string_equal(
        sql("SELECT fee_micros, tax_rate_ppm, day_limit_micros, balance_limit_micros, due_days"
            " FROM agreement"),
        "12345678|88750|100000000|100000000000000000|14");
    assert_string_equal(sql("SELECT dispute_window_days, dispute_answer_days, dispute_share_ppm,"
                            " dispute_limit_micros FROM agreement"),
                        "31|7|25000|1000500000");
    assert_string_equal(sql("SELECT position, rule, paths[2], price_micros FROM agreement_price"
                            " ORDER BY position"),
                        "1|all||0\n2||/a \"c\",{}|1");
    assert_string_equal(sql("SELECT from_crawl, discount_ppm FROM agreement_tier ORDER BY from_crawl"),
                        "1001|100000\n10001|1000000");
    json_decref(first);
    json_decref(second);
    agreement_list_free(&list);
    agreement_result_free(&result);
    terms_free(terms);
}

/* A suspension counts at once, and what is agreed for later is not lost by it. */
static void suspending_keeps_what_is_agreed_for_later(void **state)
{
    int64_t now = clock_now_ms();
    (void)state;
    status_set("active", AGREEMENT_UNCHANGED, 0);
    changed(0, "fee=1", AGREEMENT_RECORDED, 1);
    changed(now + 5 * DAY, "fee=2", AGREEMENT_RECORDED, 2);
    changed(now + 9 * DAY, "fee=3", AGREEMENT_RECORDED, 3);
    status_set("suspended", AGREEMENT_RECORDED, 6);
    status_set("suspended", AGREEMENT_UNCHANGED, 6);
    in_force(clock_now_ms(), 4, "suspended");
    in_force(now + 5 * DAY, 5, "suspended");
    in_force(now + 9 * DAY, 6, "suspended");
    status_set("active", AGREEMENT_RECORDED, 9);
    in_force(clock_now_ms(), 7, "active");
    in_force(now + 9 * DAY, 9, "active");
    assert_string_equal(sql("SELECT string_agg(version || ':' || fee_micros / 1000000, ' ' ORDER BY version)"
                            " FROM agreement"),
                        "1:1 2:2 3:3 4:1 5:2 6:3 7:1 8:2 9:3");
}

static void a_crawler_without_agreement_can_be_suspended(void **state)
{
    (void)state;
    status_set("suspended", AGREEMENT_RECORDED, 1);
    in_force(clock_now_ms(), 1, "suspended");
}

static void what_was_expected_is_compared(void **state)
{
    (void)state;
    struct agreement_order order = order_from(0);
    static const struct {
        int64_t expect;
        enum agreement_outcome outcome;
    } steps[] = {
        {1, AGREEMENT_OVERTAKEN}, {0, AGREEMENT_RECORDED}, {0, AGREEMENT_OVERTAKEN}, {1, AGREEMENT_RECORDED}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        char text[16];
        snprintf(text, sizeof(text), "fee=%zu", i);
        order.expect_version = steps[i].expect;
        struct agreement_result result = change(&order, text);
        assert_int_equal(result.outcome, steps[i].outcome);
        agreement_result_free(&result);
    }
}

static void a_dry_run_records_nothing(void **state)
{
    struct agreement_order order = order_from(0);
    struct agreement_result result;
    (void)state;
    order.dry_run = true;
    result = change(&order, "fee=5");
    assert_int_equal(result.outcome, AGREEMENT_RECORDED);
    agreement_result_free(&result);
    assert_int_equal(agreement_set_status(pg, &order, "suspended", &result), ERR_OK);
    assert_int_equal(result.outcome, AGREEMENT_RECORDED);
    agreement_result_free(&result);
    assert_string_equal(sql("SELECT count(*) FROM agreement"), "0");
    assert_string_equal(sql("SELECT count(*) FROM operator_action WHERE action = 'agreement'"), "0");
}

/* Twelve commands at once, each with another term and one with a suspension: every change is in the last
 * version, and versions have no gap. */
static void changes_at_the_same_time_are_all_kept(void **state)
{
    static const char *const changes[] = {
        "fee=1",        "included_crawls=2", "minimum_fee=3",    "minimum_invoice=4",
        "due_days=5",   "limits.day=6",      "limits.balance=7", "buyer.name=8",
        "buyer.city=9", "buyer.street=10",   "cadence=weekly"};
    enum { COUNT = sizeof(changes) / sizeof(*changes) };
    int pids[COUNT + 1];
    (void)state;
    for (int i = 0; i < COUNT; i++)
        pids[i] = crawltab_spawn(
            (const char *const[]){"agreement", "set", AGENT, "--reason", "race", changes[i], NULL});
    pids[COUNT] =
        crawltab_spawn((const char *const[]){"crawler", "suspend", AGENT, "--reason", "race", NULL});
    for (int i = 0; i <= COUNT; i++)
        assert_int_equal(run_wait(pids[i]), 0);
    assert_string_equal(
        sql("SELECT count(*), max(version), count(*) FILTER (WHERE reason = 'race') FROM agreement"),
        "12|12|12");
    assert_string_equal(
        sql("SELECT status, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"
            " due_days, day_limit_micros, balance_limit_micros, buyer ->> 'name', buyer ->> 'city',"
            " buyer ->> 'street', cadence FROM agreement ORDER BY version DESC LIMIT 1"),
        "suspended|1000000|2|3000000|4000000|5|6000000|7000000|8|9|10|weekly");
}

/* A version that is recorded between reading and writing: the command finds it not committed yet, and waits
 * for it when it writes its own. */
static void a_file_does_not_undo_what_it_has_not_seen(void **state)
{
    (void)state;
    changed(0, "fee=1", AGREEMENT_RECORDED, 1);
    struct pg *other = connect_as("crawltab_operator");
    assert_int_equal(pg_begin(other), ERR_OK);
    struct pg *mine = pg;
    pg = other;
    changed(0, "fee=2", AGREEMENT_RECORDED, 2);
    pg = mine;
    char path[512];
    snprintf(path, sizeof(path), "%s.terms", ledger_config_path());
    FILE *file = fopen(path, "w");
    fputs("fee: 3\n", file);
    fclose(file);
    int pid = crawltab_spawn(
        (const char *const[]){"agreement", "set", AGENT, "--reason", "all", "--file", path, NULL});
    int64_t give_up = clock_monotonic_ms() + 10000;
    while (strcmp(sql("SELECT count(*) FROM pg_locks WHERE NOT granted"), "0") == 0)
        assert_true(clock_monotonic_ms() < give_up);
    assert_int_equal(pg_commit(other), ERR_OK);
    pg_close(other);
    assert_int_equal(run_wait(pid), 75);
    assert_string_equal(sql("SELECT max(version), max(fee_micros) FROM agreement"), "2|2000000");
}

static void nothing_is_changed(void **state)
{
    static const char *const roles[] = {"crawltab_operator", "crawltab_gate", "crawltab_owner", "postgres"};
    static const char *const statements[] = {"UPDATE agreement SET reason = 'x'",
                                             "DELETE FROM agreement_price", "DELETE FROM agreement_tier",
                                             "TRUNCATE agreement CASCADE"};
    (void)state;
    changed(0, "prices=[{rule: all, price: 1}]", AGREEMENT_RECORDED, 1);
    for (size_t r = 0; r < sizeof(roles) / sizeof(*roles); r++)
        for (size_t s = 0; s < sizeof(statements) / sizeof(*statements); s++)
            assert_false(sql_as(roles[r], statements[s], output));
    assert_false(sql_as(
        "crawltab_gate",
        "INSERT INTO agreement_tier (agreement_id, from_crawl, discount_ppm) VALUES (1, 1, 1)", output));
    assert_non_null(strstr(output, "permission denied"));
}

static void what_another_program_wrote_is_told(void **state)
{
    struct agreement_list list;
    (void)state;
    sql_own(
        "INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,"
        " cadence, subscription, fee_micros, included_crawls, minimum_fee_micros, minimum_invoice_micros,"
        " tax_treatment, tax_rate_ppm, due_days, buyer, settlement) SELECT site_id, crawler_id, 1, now(), "
        "now(),"
        " 'x', 'x', 'active', 'daily', false, 0, 0, 0, 0, 'none', 0, 0, '{\"name\": 5}', '{}' FROM site, "
        "crawler");
    assert_int_equal(agreement_read(pg, site_id, crawler_id, &list), ERR_INTERNAL);
    assert_int_equal(list.count, 0);
    assert_int_equal(CRAWLTAB(output, "agreement", "show", AGENT), 1);
    assert_non_null(strstr(output, "agreement unreadable"));
}

/* Random histories: what is in force follows the definition, read from the rows. */
static void in_force_is_as_defined(void **state)
{
    int64_t base = clock_now_ms();
    (void)state;
    for (int64_t i = 1; i <= 40; i++) {
        char text[64];
        snprintf(text, sizeof(text), "due_days=%lld", (long long)i);
        struct agreement_order order = order_from(i % 3 == 0 ? base + i * DAY : 0);
        struct agreement_result result = change(&order, text);
        agreement_result_free(&result);
        if (i % 5 == 0) {
            assert_int_equal(agreement_set_status(pg, &order, i % 2 ? "suspended" : "active", &result),
                             ERR_OK);
            agreement_result_free(&result);
        }
    }
    for (int64_t i = -1; i <= 42; i++) {
        char query[200];
        struct agreement_list list;
        snprintf(query, sizeof(query),
                 "SELECT coalesce(max(version), 0) FROM agreement WHERE valid_from <= instant(%lld)",
                 (long long)(base + i * DAY));
        assert_int_equal(agreement_read(pg, site_id, crawler_id, &list), ERR_OK);
        const struct agreement *now = agreement_at(&list, base + i * DAY);
        assert_int_equal(now ? now->version : 0, strtoll(sql(query), NULL, 10));
        for (size_t k = 0; k < list.count; k++)
            if (agreement_is_pending(&list, k, base + i * DAY))
                assert_ptr_equal(agreement_at(&list, list.items[k].valid_from_ms), &list.items[k]);
        agreement_list_free(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_follow_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(all_terms_are_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(suspending_keeps_what_is_agreed_for_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crawler_without_agreement_can_be_suspended, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_expected_is_compared, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dry_run_records_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_at_the_same_time_are_all_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_does_not_undo_what_it_has_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_another_program_wrote_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(in_force_is_as_defined, setup, teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
