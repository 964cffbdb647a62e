/* Money where it is made: the night over random histories, whose instants lie on the edges of days, periods
 * and versions, against a second opinion (support_oracle.h) that knows nothing of the product. Every invoice
 * and credit note to the minor unit, every account to the micro-unit.
 *
 * SEED=… plays another history, HISTORIES=… that many, each a new one; make test plays one.
 * Tests ledger/bill/invoice.c */
#define _GNU_SOURCE /* asprintf */
#include "tests/pg/support_oracle.h"
#include "tests/pg/support.h"

#include "ledger/base/identifier/uuid.h"
#include "ledger/night/day.h"
#include "ledger/verify/signature.h"
#include "sql/rows/credit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRAWLERS   5
#define ENTRIES    200
#define FIRST_DATE "2026-03-20"
#define CLOSED     13 /* over the start of summer time, two Sundays and the end of a month */
#define HOUR_MS    INT64_C(3600000)
#define TEXT_MAX   65536

/* `skips` are dates that its days leave out, as a change of zone does: the last of a week and of a month. */
struct place {
    const char *name, *zone, *currency;
    int decimals;
    const char *skips;
};

static const struct place places[] = {{"berlin", "Europe/Berlin", "EUR", 2, ""},
                                      {"newyork", "America/New_York", "JPY", 0, ""},
                                      {"kuwait", "Asia/Kuwait", "KWD", 3, ""},
                                      {"apia", "Pacific/Apia", "UYW", 4, "2026-03-22 2026-03-31"}};
#define PLACES (sizeof(places) / sizeof(*places))

static uint64_t seed;
static struct oracle oracles[PLACES];
static struct pg *superuser, *operator;
static char text[TEXT_MAX];
static size_t text_len;
static size_t payment_count;

/* --- chance --- */

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(2685821657736338717);
}

static int64_t below(int64_t limit)
{
    return (int64_t)(next_random() >> 1) % limit;
}

static bool chance(int64_t part, int64_t of)
{
    return below(of) < part;
}

#define PICK(...) pick((const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
static int64_t pick(const int64_t *values, size_t count)
{
    return values[below((int64_t)count)];
}

/* An instant of one of the days: half of them are their first and last milliseconds, and those beside. */
static int64_t instant_of(const struct oracle *oracle, size_t first, size_t count)
{
    const struct oracle_day *day = &oracle->days[first + (size_t)below((int64_t)count)];
    return chance(1, 2) ? PICK(day->starts_ms, day->starts_ms + 1, day->ends_ms - 1, day->ends_ms)
                        : day->starts_ms + below(day->ends_ms - day->starts_ms);
}

/* An id of the instant; where it can be, the lowest that there is, on which days begin. */
static const char *id_of(int64_t at_ms)
{
    static int64_t taken[8192];
    static size_t count;
    static char id[UUID_TEXT_MAX];
    uint8_t bytes[UUID_SIZE], random[10] = {0};
    bool lowest = count < sizeof(taken) / sizeof(*taken);
    for (size_t i = 0; i < count && lowest; i++)
        lowest = taken[i] != at_ms;
    if (lowest)
        taken[count++] = at_ms;
    for (size_t i = 0; i < sizeof(random); i++)
        random[i] = (uint8_t)next_random();
    uuid_make(at_ms, random, bytes);
    if (lowest)
        memset(bytes + 6, 0, UUID_SIZE - 6);
    return uuid_format(bytes, id);
}

/* --- what is in the ledger --- */

__attribute__((format(printf, 1, 2))) static void add(const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    text_len += (size_t)vsnprintf(text + text_len, sizeof(text) - text_len, pattern, arguments);
    va_end(arguments);
    assert_true(text_len < sizeof(text));
}

static void run(void)
{
    if (text_len > 0)
        assert_int_equal(pg_script(superuser, "history", text), ERR_OK);
    text_len = 0;
}

static struct pg *open_as(const char *role)
{
    struct pg *pg = pg_open(&(struct pg_options){.config = ledger_config(),
                                                 .role = role,
                                                 .application = "test",
                                                 .connect_ms = 10000,
                                                 .timeout_ms = 60000});
    assert_non_null(pg);
    return pg;
}

static void make_days(struct oracle *oracle, size_t number)
{
    const struct place *place = &places[number];
    add("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at) "
        "VALUES"
        " ('%s', '%s', %d, '%s', 'example:402', 'The Example Gazette', instant(0));"
        "INSERT INTO day SELECT %zu, at, ends_before, ends_at, '%s' FROM (SELECT at::date,"
        "  lag((at + interval '1 day') AT TIME ZONE '%s') OVER (ORDER BY at) AS ends_before,"
        "  (at + interval '1 day') AT TIME ZONE '%s' AS ends_at"
        " FROM generate_series(timestamp '" FIRST_DATE "' - interval '1 day', timestamp '" FIRST_DATE "'"
        "  + interval '%d days', interval '1 day') AS at WHERE strpos('%s', at::date::text) = 0) AS d"
        " WHERE ends_before IS NOT NULL;",
        place->name, place->currency, place->decimals, place->zone, number + 1, place->zone, place->zone,
        place->zone, CLOSED + 3, place->skips);
    run();
    char query[256];
    snprintf(query, sizeof(query),
             "SELECT local_date, instant_ms(starts_at), instant_ms(ends_at) FROM day WHERE site_id = %zu"
             " ORDER BY local_date",
             number + 1);
    const char *line = sql(query);
    oracle->days = calloc(CLOSED + 4, sizeof(*oracle->days));
    for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        struct oracle_day *day = &oracle->days[oracle->day_count++];
        assert_int_equal(
            sscanf(line, "%10[-0-9]|%" SCNd64 "|%" SCNd64, day->date, &day->starts_ms, &day->ends_ms), 3);
    }
    assert_true(oracle->day_count > CLOSED);
}

static struct oracle_terms random_terms(const struct oracle *oracle)
{
    const int64_t minor = oracle->minor;
    struct oracle_terms terms = {.from_ms = instant_of(oracle, 0, CLOSED),
                                 .cadence = (enum oracle_cadence)below(3),
                                 .subscription = chance(1, 7),
                                 .fee = PICK(0, 0, 250 * minor, 999 * minor + minor / 3),
                                 .minimum_fee = PICK(0, 0, 100 * minor, 700 * minor, 900 * minor - 1),
                                 .minimum_invoice = PICK(0, 0, minor, 60 * minor, 200 * minor + 1),
                                 .included = PICK(0, 0, 1, 5, 12),
                                 .tax_ppm = PICK(0, 190000, 77500, 1000000),
                                 .due_days = PICK(0, 14, 60)};
    int64_t from = 0;
    for (terms.tier_count = (size_t)below(ORACLE_TIERS_MAX + 1); terms.tier_count > 0; terms.tier_count--)
        if (!terms.subscription)
            break;
    for (size_t i = 0; i < terms.tier_count; i++) {
        from += 1 + below(8);
        terms.tiers[i] = (struct oracle_tier){from, PICK(0, 50000, 333333, 999999, 1000000)};
    }
    return terms;
}

static void agree(struct oracle *oracle, size_t number, size_t crawler)
{
    static const char *const cadences[] = {"daily", "weekly", "monthly"};
    struct oracle_account *account = &oracle->accounts[crawler];
    account->terms_count = (size_t)below(4);
    account->terms = calloc(account->terms_count + 1, sizeof(*account->terms));
    for (size_t i = 0; i < account->terms_count; i++) {
        account->terms[i] = random_terms(oracle);
        const struct oracle_terms *terms = &account->terms[i];
        add("WITH made AS (INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, "
            "actor,"
            " reason, status, cadence, subscription, fee_micros, included_crawls, minimum_fee_micros,"
            " minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer, settlement) VALUES (%zu, "
            "%zu,"
            " %zu, instant(%" PRId64 "), instant(0), 'test', 'test', 'active', '%s', %s, %" PRId64
            ", %" PRId64 ", %" PRId64 ", %" PRId64 ", '%s', %" PRId64 ", %" PRId64
            ", '{\"name\": \"Crawler & Sons\"}', '{}') RETURNING *)",
            number + 1, crawler + 1, i + 1, terms->from_ms, cadences[terms->cadence],
            terms->subscription ? "true" : "false", terms->fee, terms->included, terms->minimum_fee,
            terms->minimum_invoice, terms->tax_ppm > 0 ? "standard" : "none", terms->tax_ppm,
            terms->due_days);
        add(" INSERT INTO agreement_tier SELECT agreement_id, tier[1], tier[2] FROM made CROSS JOIN (VALUES");
        for (size_t k = 0; k < terms->tier_count; k++)
            add(" (ARRAY[%" PRId64 ", %" PRId64 "]),", terms->tiers[k].from, terms->tiers[k].ppm);
        add(" (NULL::bigint[])) AS t (tier) WHERE tier IS NOT NULL;");
    }
}

static int by_id(const void *left, const void *right)
{
    const struct oracle_entry *a = left, *b = right;
    return strcmp(a->id, b->id);
}

/* Entries of the days that are closed and of the next. They are recorded up to an hour after their ids, in
 * any order. */
static void crawl(struct oracle *oracle, size_t number)
{
    const int64_t minor = oracle->minor;
    oracle->entries = calloc(ENTRIES, sizeof(*oracle->entries));
    for (oracle->entry_count = 0; oracle->entry_count < ENTRIES; oracle->entry_count++) {
        struct oracle_entry *entry = &oracle->entries[oracle->entry_count];
        entry->at_ms = instant_of(oracle, 0, CLOSED + 1);
        entry->crawler = (size_t)below(CRAWLERS);
        entry->amount =
            PICK(0, 1, minor / 2, minor, 3 * minor + 1, 17 * minor / 3, 333 * minor + minor / 7, 250 * minor);
        entry->invoice = ORACLE_NONE;
        snprintf(entry->id, sizeof(entry->id), "%s", id_of(entry->at_ms));
    }
    qsort(oracle->entries, ENTRIES, sizeof(*oracle->entries), by_id);
    add("INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, "
        "recorded_at,"
        " thumbprint, signature, signature_base)"
        " SELECT id, get_byte(uuid_send(id), 15), %zu, crawler, amount, rule, '/', instant(at), sha256(''), "
        "'',"
        " '' FROM (VALUES ",
        number + 1);
    for (size_t i = 0; i < ENTRIES; i++) {
        const struct oracle_entry *entry = &oracle->entries[i];
        add("%s(uuid '%s', %zu, %" PRId64 ", '%s', %" PRId64 ")", i > 0 ? "," : "", entry->id,
            entry->crawler + 1, entry->amount, chance(1, 2) ? "articles" : "rest",
            entry->at_ms + below(HOUR_MS));
    }
    add(") AS v (id, crawler, amount, rule, at)");
    run();
}

static void make_history(void)
{
    static const struct oracle none = {0};
    for (size_t crawler = 0; crawler < CRAWLERS; crawler++)
        add("INSERT INTO crawler (agent, first_seen_at) VALUES ('https://crawler%zu.example', instant(0));",
            crawler);
    add("SELECT charge_partitions(date '" FIRST_DATE "' - 2, date '" FIRST_DATE "' + %d);", CLOSED + 4);
    run();
    for (size_t i = 0; i < PLACES; i++) {
        struct oracle *oracle = &oracles[i];
        *oracle = none;
        oracle->minor = 1000000;
        for (int k = 0; k < places[i].decimals; k++)
            oracle->minor /= 10;
        oracle->account_count = CRAWLERS;
        oracle->accounts = calloc(CRAWLERS, sizeof(*oracle->accounts));
        make_days(oracle, i);
        for (size_t crawler = 0; crawler < CRAWLERS; crawler++)
            agree(oracle, i, crawler);
        run();
        crawl(oracle, i);
    }
}

/* --- what happens in the course of days --- */

/* At the edges of the day that is closed next, and the first instant of the one after it. */
static struct oracle_adjustment *take_back(struct oracle *oracle, size_t crawler, int64_t amount)
{
    oracle->adjustments =
        realloc(oracle->adjustments, (oracle->adjustment_count + 1) * sizeof(*oracle->adjustments));
    assert_non_null(oracle->adjustments);
    struct oracle_adjustment *adjustment = &oracle->adjustments[oracle->adjustment_count++];
    *adjustment = (struct oracle_adjustment){.at_ms = instant_of(oracle, oracle->closed, 1),
                                             .crawler = crawler,
                                             .entry = ORACLE_NONE,
                                             .invoice = ORACLE_NONE,
                                             .amount = amount,
                                             .day = ORACLE_NONE};
    return adjustment;
}

static void correct(struct oracle *oracle, size_t number)
{
    size_t known = 0;
    while (known < oracle->entry_count && oracle->entries[known].at_ms < oracle->days[oracle->closed].ends_ms)
        known++;
    for (int64_t count = known > 0 ? below(6) : 0; count > 0; count--) {
        size_t index = (size_t)below((int64_t)known);
        struct oracle_entry *entry = &oracle->entries[index];
        int64_t left = entry->amount - entry->taken;
        if (left <= 0)
            continue;
        int64_t amount = chance(1, 2) ? left : 1 + below(left);
        struct oracle_adjustment *adjustment = take_back(oracle, entry->crawler, amount);
        adjustment->entry = index;
        entry->taken += amount;
        add("INSERT INTO adjustment VALUES ('%s', %zu, %zu, 'credit', '%s', NULL, %" PRId64
            ", 'test', 'test', instant(%" PRId64 "));",
            id_of(adjustment->at_ms), number + 1, entry->crawler + 1, entry->id, amount, adjustment->at_ms);
    }
}

/* An invoice made so far, or ORACLE_NONE. */
static size_t some_invoice(const struct oracle *oracle)
{
    size_t index = oracle->document_count > 0 ? (size_t)below((int64_t)oracle->document_count) : 0;
    return index < oracle->document_count && !oracle->documents[index].credit_note ? index : ORACLE_NONE;
}

/* The rows of the invoice: a crawler has one of a day at most. */
static void add_invoice(const struct oracle *oracle, size_t number, size_t index)
{
    const struct oracle_document *invoice = &oracle->documents[index];
    add(" FROM invoice WHERE kind = 'invoice' AND site_id = %zu AND crawler_id = %zu AND local_date = '%s';",
        number + 1, invoice->crawler + 1, oracle->days[invoice->day].date);
}

static void void_one(struct oracle *oracle, size_t number)
{
    size_t index = some_invoice(oracle);
    int64_t left = index == ORACLE_NONE ? 0 : oracle_left(oracle, index);
    if (left <= 0)
        return;
    struct oracle_adjustment *adjustment = take_back(oracle, oracle->documents[index].crawler, left);
    adjustment->invoice = index;
    add("INSERT INTO adjustment SELECT '%s', site_id, crawler_id, 'void', NULL, number, %" PRId64
        ", 'test', 'test', instant(%" PRId64 ")",
        id_of(adjustment->at_ms), left, adjustment->at_ms);
    add_invoice(oracle, number, index);
}

/* In part, in full, too much, or back. */
static void pay(struct oracle *oracle, size_t number)
{
    size_t index = some_invoice(oracle);
    if (index == ORACLE_NONE)
        return;
    struct oracle_document *invoice = &oracle->documents[index];
    int64_t minor = PICK(invoice->total_minor, invoice->total_minor - 1, invoice->total_minor + 1, 1, -1);
    if (minor == 0)
        return;
    invoice->paid_minor += minor;
    add("INSERT INTO invoice_payment SELECT site_id, number, 'payment %zu', %" PRId64
        ", local_date, instant(0), 'test'",
        ++payment_count, minor);
    add_invoice(oracle, number, index);
}

static enum err count_day(struct pg *pg, const struct day_closed *closed, void *context)
{
    (void)pg;
    (void)closed;
    ++*(size_t *)context;
    return ERR_OK;
}

static void close_next(struct oracle *oracle, size_t number, const struct invoice_seller *seller)
{
    const struct oracle_day *day = &oracle->days[oracle->closed];
    struct note_key key = {.signs = signature_sign_ed25519};
    size_t closed = 0;
    bool busy;
    assert_true(signature_public_ed25519(key.seed, key.public_key));
    const struct day_order order = {.site_id = (int64_t)number + 1,
                                    .seller = seller,
                                    .last_date = day->date,
                                    .actor = "test",
                                    .now_ms = day->ends_ms + 2 * HOUR_MS,
                                    .key = &key};
    assert_int_equal(day_close_due(operator, & order, count_day, &closed, &busy), ERR_OK);
    assert_false(busy);
    assert_int_equal(closed, 1);
    oracle_close(oracle);
}

/* --- comparing --- */

static const char documents[] =
    "SELECT line FROM (SELECT concat_ws('|', i.name, i.local_date, i.kind, o.local_date, i.entries, "
    "i.carried_in_micros,"
    "  i.subtotal_micros, i.net_micros, i.carried_out_micros, l.lines, i.net_minor, i.tax_minor, "
    "i.total_minor,"
    "  coalesce(i.due_date - i.issue_date, 0), s.open_minor) AS line"
    " FROM (SELECT *, 'crawler' || crawler_id - 1 AS name FROM invoice WHERE site_id = %zu) AS i"
    " JOIN invoice_state s USING (site_id, number)"
    " LEFT JOIN invoice o ON o.site_id = i.site_id AND o.number = i.corrects"
    " CROSS JOIN LATERAL (SELECT string_agg(coalesce(sum, 0)::text, '|' ORDER BY kinds.at) AS lines"
    "  FROM unnest(ARRAY['crawls', 'included', 'tier', 'subscription', 'fee', 'minimum', 'credit'])"
    "   WITH ORDINALITY AS kinds (kind, at) LEFT JOIN (SELECT CASE kind WHEN 'void' THEN 'credit' ELSE kind "
    "END"
    "    AS kind, sum(amount_micros) FROM invoice_line n WHERE n.site_id = i.site_id AND n.number = i.number"
    "    GROUP BY 1) AS found USING (kind)) AS l) AS found ORDER BY line COLLATE \"C\"";

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static char *document_text(const struct oracle *oracle, const struct oracle_document *document)
{
    char corrected[16] = "", *out;
    if (document->credit_note)
        snprintf(corrected, sizeof(corrected), "%s|",
                 oracle->days[oracle->documents[document->corrects].day].date);
    int64_t open = document->credit_note
                       ? 0
                       : document->total_minor - document->paid_minor - document->credited_total_minor;
    assert_true(asprintf(&out,
                         "crawler%zu|%s|%s|%s%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64
                         "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64
                         "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64,
                         document->crawler, oracle->days[document->day].date,
                         document->credit_note ? "credit-note" : "invoice", corrected, document->entries,
                         document->carried_in, document->subtotal, document->net, document->carried_out,
                         document->crawls, document->included, document->tiers, document->subscription,
                         document->fees, document->minimums, document->corrected, document->net_minor,
                         document->tax_minor, document->total_minor, document->due_days, open) > 0);
    return out;
}

static void compare_documents(const struct oracle *oracle, size_t number)
{
    static char query[sizeof(documents) + 32];
    char **own = calloc(oracle->document_count + 1, sizeof(*own));
    snprintf(query, sizeof(query), documents, number + 1);
    const char *line = sql(query);
    for (size_t i = 0; i < oracle->document_count; i++)
        own[i] = document_text(oracle, &oracle->documents[i]);
    qsort(own, oracle->document_count, sizeof(*own), by_text);
    for (size_t i = 0; i < oracle->document_count; i++) {
        size_t len = strcspn(line, "\n");
        if (len != strlen(own[i]) || memcmp(line, own[i], len) != 0)
            fail_msg("%s: the ledger has\n  %.*s\nand should have\n  %s", places[number].name, (int)len, line,
                     own[i]);
        line += len + (line[len] == '\n');
        free(own[i]);
    }
    assert_string_equal(line, ""); /* no document that should not be */
    free(own);
}

/* What gates count against limits on balances. */
static void compare_balances(void)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    size_t compared = 0;
    pg_params_number(&params, 0);
    pg_params_number(&params, 0);
    pg_params_number(&params, 10000);
    assert_int_equal(pg_run(operator, "account_balances", &params, &rows), ERR_OK);
    for (int row = 0; row < rows.count; row++) {
        const struct account_balance_row balance = account_balance_row(&rows, row);
        size_t number = 0, crawler;
        while (strcmp(places[number].name, balance.site) != 0)
            number++;
        assert_int_equal(sscanf(balance.agent, "https://crawler%zu", &crawler), 1);
        assert_int_equal(balance.owed_micros, oracle_owed(&oracles[number], crawler));
        compared++;
    }
    assert_true(compared > 0);
    pg_rows_free(&rows);
}

static void forget(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->account_count; i++)
        free(oracle->accounts[i].terms);
    free(oracle->accounts);
    free(oracle->days);
    free(oracle->entries);
    free(oracle->adjustments);
    free(oracle->documents);
}

static void play(void)
{
    struct invoice_seller seller;
    uint64_t played = seed;
    size_t notes = 0, invoices = 0;
    ledger_setup(NULL);
    superuser = open_as("postgres");
    operator= open_as("crawltab_operator");
    assert_true(invoice_seller_init(&seller, ledger_config(), "nowhere"));
    make_history();
    printf("# SEED=%" PRIu64 "\n", played);
    for (size_t day = 0; day < CLOSED; day++)
        for (size_t i = 0; i < PLACES; i++) {
            correct(&oracles[i], i);
            if (chance(1, 3))
                void_one(&oracles[i], i);
            pay(&oracles[i], i);
            run();
            close_next(&oracles[i], i, &seller);
        }
    for (size_t i = 0; i < PLACES; i++) {
        compare_documents(&oracles[i], i);
        for (size_t k = 0; k < oracles[i].document_count; k++)
            ++*(oracles[i].documents[k].credit_note ? &notes : &invoices);
    }
    compare_balances();
    assert_true(invoices > 80 && notes > 15); /* a history in which nothing happens tests nothing */
    for (size_t i = 0; i < PLACES; i++)
        forget(&oracles[i]);
    invoice_seller_free(&seller);
    pg_close(operator);
    pg_close(superuser);
    ledger_teardown(NULL);
}

static void random_histories_are_billed_to_the_minor_unit(void **state)
{
    const char *asked = getenv("SEED"), *histories = getenv("HISTORIES");
    (void)state;
    seed = asked ? strtoull(asked, NULL, 10) : 20260320;
    for (long i = histories ? strtol(histories, NULL, 10) : 1; i > 0; i--)
        play();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_histories_are_billed_to_the_minor_unit)};
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
