/* Accounts of before, whose names have queries: what a ledger makes of them when it is migrated, what the
 * gate counts, and what the operator sees.
 * Tests ledger/base/http/agent.c */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/http/agent.h"
#include "ledger/credit/refresh.h"

#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE       "https://shop.example/page"
#define WELL_KNOWN "https://a.example/.well-known/http-message-signatures-directory"

static char output[OUTPUT_MAX];

/* Makes the tables as they were before the migration whose name ends so. */
static void migrate_before(const char *name)
{
    static char text[OUTPUT_MAX + 1024];
    glob_t files;
    ledger_empty("UTC");
    ledger_migrate(); /* the database and the roles */
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;"
        "GRANT USAGE ON SCHEMA public TO PUBLIC");
    assert_true(sql_as("crawltab_owner",
                       "CREATE TABLE schema_version (version integer PRIMARY KEY, name text NOT NULL,"
                       " applied_at timestamptz NOT NULL)",
                       output));
    assert_int_equal(glob("sql/migrations/*.sql", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc && !strstr(files.gl_pathv[i], name); i++) {
        FILE *file = fopen(files.gl_pathv[i], "r");
        assert_non_null(file);
        int start = snprintf(text, sizeof(text),
                             "SET crawltab.owner_role = 'crawltab_owner';"
                             "SET crawltab.gate_role = 'crawltab_gate';"
                             "SET crawltab.operator_role = 'crawltab_operator';"
                             "INSERT INTO schema_version VALUES (%zu, 'before', now());",
                             i + 1);
        size_t len = fread(text + start, 1, sizeof(text) - (size_t)start, file);
        assert_true(len + (size_t)start < sizeof(text));
        text[(size_t)start + len] = '\0';
        fclose(file);
        if (!sql_as("crawltab_owner", text, output))
            fail_msg("%s", output);
    }
    globfree(&files);
}

/* An agreement of crawler `k` as it stands in the table, with one price and one tier. */
#define AGREE(k, version, valid, recorded, status, fee)                                                      \
    "WITH made AS (INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, "    \
    "reason, status, day_limit_micros, cadence, subscription, fee_micros, included_crawls, "                 \
    "minimum_fee_micros, minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement) " \
    "SELECT 1, crawler_id, " version ", now() + interval '" valid "', now() + interval '" recorded           \
    "', 'test', 'contract', '" status "', 500000, 'monthly', false, " fee                                    \
    ", 7, 0, 0, 'none', 0, 30, '{\"name\":\"Crawler GmbH\"}', '{}' FROM crawler WHERE agent = '" k           \
    "' RETURNING agreement_id), price AS (INSERT INTO agreement_price SELECT agreement_id, 1, 'all', NULL, " \
    "1234 FROM made) INSERT INTO agreement_tier SELECT agreement_id, 100, 50000 FROM made;"

/* What an account has at the site: its versions with what matters of them. */
static const char *agreements_of(const char *agent)
{
    static char query[1024];
    snprintf(query, sizeof(query),
             "SELECT version, status, fee_micros, day_limit_micros, buyer ->> 'name', p.price_micros, "
             "t.discount_ppm, valid_from > now() FROM agreement a JOIN crawler USING (crawler_id)"
             " JOIN agreement_price p USING (agreement_id) JOIN agreement_tier t USING (agreement_id)"
             " WHERE agent = '%s' ORDER BY version",
             agent);
    return sql(query);
}

static void fill(void)
{
    sql("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
        " VALUES ('example', 'USD', 2, 'UTC', 'example:402', 'The Example Gazette', now());"
        "INSERT INTO crawler (agent, first_seen_at) VALUES"
        " ('" WELL_KNOWN "?1', now() - interval '3 days'), ('" WELL_KNOWN "?2', now()),"
        " ('https://a.example/?3', now()), ('https://b.example/keys?x', now()),"
        " ('https://b.example/keys', now()), ('https://c.example', now()), ('https://d.example/keys?y', "
        "now());"
        "INSERT INTO spend SELECT gen_random_uuid(), 1, 1, crawler_id,"
        " floor(extract(epoch FROM now()) / 900), 1, 100000 + crawler_id FROM crawler");
    sql(AGREE(WELL_KNOWN "?1", "1", "-3 days", "-3 days", "active", "10000000"));
    sql(AGREE(WELL_KNOWN "?2", "1", "-2 days", "-2 days", "active", "0"));
    sql(AGREE(WELL_KNOWN "?2", "2", "-1 day", "-1 day", "suspended", "0"));
    sql(AGREE("https://b.example/keys?x", "1", "-1 day", "-1 day", "active", "5000000"));
    sql(AGREE("https://b.example/keys", "1", "-1 day", "-2 days", "active", "0"));
    sql(AGREE("https://d.example/keys?y", "1", "-9 days", "-9 days", "active", "0"));
    sql(AGREE("https://d.example/keys?y", "2", "-1 day", "-1 day", "active", "3000000"));
    sql(AGREE("https://d.example/keys?y", "3", "9 days", "-1 day", "active", "4000000"));
}

static void accounts_of_before_become_one(void **state)
{
    (void)state;
    migrate_before("-accounts.sql");
    fill();
    if (CRAWLTAB(output, "migrate", "--bootstrap", "--superuser", "postgres") != 0)
        fail_msg("%s", output);
    /* The old ones keep their rows; the present ones are there, since the first of them was seen. */
    assert_string_equal(sql("SELECT agent, crawler_id <= 7, first_seen_at < now() - interval '2 days'"
                            " FROM crawler ORDER BY crawler_id OFFSET 5"),
                        "https://c.example|t|f\nhttps://d.example/keys?y|t|f\n"
                        "https://a.example|f|t\nhttps://d.example/keys|f|f");
    assert_string_equal(sql("SELECT count(*), sum(amount_micros) FROM spend WHERE crawler_id <= 7"),
                        "7|700028");
    /* The one that was recorded last goes over, suspended as one of them is. */
    assert_string_equal(agreements_of("https://a.example"), "1|suspended|0|500000|Crawler GmbH|1234|50000|f");
    /* What is in force, and what comes later. */
    assert_string_equal(agreements_of("https://d.example/keys"),
                        "1|active|3000000|500000|Crawler GmbH|1234|50000|f\n"
                        "2|active|4000000|500000|Crawler GmbH|1234|50000|t");
    /* Who has an agreement of its own keeps it. */
    assert_string_equal(agreements_of("https://b.example/keys"),
                        "1|active|0|500000|Crawler GmbH|1234|50000|f");
    /* No fee is charged twice. */
    assert_string_equal(sql("SELECT agent, fee_micros FROM agreement a JOIN crawler USING (crawler_id)"
                            " WHERE agent LIKE '%?%' AND NOT EXISTS (SELECT FROM agreement n"
                            " WHERE n.crawler_id = a.crawler_id AND n.version > a.version"
                            " AND n.valid_from <= now()) ORDER BY agent, version"),
                        WELL_KNOWN "?1|0\n" WELL_KNOWN "?2|0\n"
                                   "https://b.example/keys?x|0\nhttps://d.example/keys?y|0");
    /* The same as what the gate computes. */
    static const char *const agents[] = {WELL_KNOWN "?1",          WELL_KNOWN,
                                         "https://a.example",      "https://a.example/",
                                         "https://a.example/?",    "http://localhost:8403/x?y/z",
                                         "https://a.example/a//b", WELL_KNOWN "/"};
    for (size_t i = 0; i < sizeof(agents) / sizeof(*agents); i++) {
        char query[256], expected[256];
        struct slice account = agent_account(slice_of(agents[i]));
        snprintf(query, sizeof(query), "SELECT crawler_account('%s')", agents[i]);
        snprintf(expected, sizeof(expected), "%.*s", (int)account.len, account.data);
        assert_string_equal(sql(query), expected);
    }
}

/* Under its own name, as the list shows it, an account of before shows what it has. */
static void the_operator_sees_both(void **state)
{
    (void)state;
    migrate_before("-accounts.sql");
    fill();
    if (CRAWLTAB(output, "migrate", "--bootstrap", "--superuser", "postgres") != 0)
        fail_msg("%s", output);
    if (CRAWLTAB(output, "crawler", "list") != 0)
        fail_msg("%s", output);
    size_t told = 0;
    for (const char *at = output;
         (at = strstr(at, "\n  keeps what it has; its account is https://a.example now\n")); at++)
        told++;
    assert_int_equal(told, 3);
    assert_non_null(strstr(output, "its account is https://b.example/keys now"));
    assert_null(strstr(output, "https://c.example now"));
    assert_int_equal(CRAWLTAB(output, "crawler", "show", "https://b.example/keys?x"), 0);
    assert_non_null(strstr(output, "CRAWLER https://b.example/keys?x\n"));
    assert_non_null(strstr(output, "its account is https://b.example/keys now"));
    assert_int_equal(CRAWLTAB(output, "crawler", "show", "b.example/keys?other"), 0);
    assert_non_null(strstr(output, "CRAWLER https://b.example/keys\n"));
    assert_int_equal(CRAWLTAB(output, "crawler", "list", "--json"), 0);
    assert_non_null(strstr(output, "\"agent\": \"https://b.example/keys?x\",\n    \"account\": "
                                   "\"https://b.example/keys\""));
    /* What is set from now on is set for the present account. */
    assert_int_equal(CRAWLTAB(output, "crawler", "suspend", "https://d.example/keys?y", "--reason", "x"), 0);
    assert_string_equal(sql("SELECT agent FROM agreement JOIN crawler USING (crawler_id)"
                            " ORDER BY agreement_id DESC LIMIT 1"),
                        "https://d.example/keys");
    assert_int_equal(CRAWLTAB(output, "agreement", "show", "https://d.example/keys?y"), 0);
    assert_non_null(strstr(output, "fee: \"0"));
}

/* What accounts of before spent today counts in the present one. */
static void the_gate_counts_what_they_spent(void **state)
{
    (void)state;
    migrate_before("-accounts.sql");
    fill();
    if (CRAWLTAB(output, "migrate", "--bootstrap", "--superuser", "postgres") != 0)
        fail_msg("%s", output);
    writer_stop(writer_start_ready()); /* makes the days */
    struct refresh *book = refresh_start(ledger_config());
    assert_non_null(book);
    int64_t give_up = clock_monotonic_ms() + 10000;
    while (!refresh_ready(book, ledger_config())) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 10);
    }
    /* The three of a.example have spent 100001, 100002 and 100003. */
    static const struct credit_limits limits = {{300006 + 10, CREDIT_NONE}, {300006 + 10, CREDIT_NONE}};
    for (int64_t amount = 10; amount <= 11; amount++) {
        struct payment payment = payment_make(clock_now_ms(), "https://a.example", amount, PAGE);
        struct credit_claim claim = {.account = NULL};
        const struct charge_outcome outcome = {.err = ERR_INTERNAL};
        enum err err =
            credit_reserve(refresh_credit(book), SLICE("example"), &payment.charge, &limits, &claim);
        credit_settle(refresh_credit(book), &claim, &payment.charge, &outcome);
        assert_int_equal(err, amount == 10 ? ERR_OK : ERR_CREDIT_LIMIT_REACHED);
    }
    refresh_stop(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(accounts_of_before_become_one, ledger_teardown),
        cmocka_unit_test_teardown(the_operator_sees_both, ledger_teardown),
        cmocka_unit_test_teardown(the_gate_counts_what_they_spent, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
