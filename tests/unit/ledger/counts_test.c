/* What is counted, in memory that does not grow whoever asks.
 * Tests ledger/traffic/counts.c, ledger/traffic/pages.c, ledger/traffic/tally.c */
#include "tests/unit/support.h"

#include "ledger/traffic/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define EACH    20000

static struct traffic_key key_of(const char *crawler, enum traffic_outcome outcome)
{
    return (struct traffic_key){.period_ms = 900000,
                                .site = SLICE("example"),
                                .crawler = slice_of(crawler),
                                .rule = SLICE("rest"),
                                .outcome = outcome,
                                .reason = SLICE("")};
}

static int bits_of(const struct pages *pages)
{
    int bits = 0;
    for (size_t i = 0; i < PAGES_BYTES; i++)
        bits += __builtin_popcount(pages->bits[i]);
    return bits;
}

static void a_page_counts_once(void **state)
{
    struct pages pages = {{0}}, other = {{0}}, both;
    (void)state;
    pages_add(&pages, SLICE("/a"));
    both = pages;
    pages_add(&pages, SLICE("/a"));
    assert_memory_equal(&pages, &both, sizeof(pages));
    assert_int_equal(bits_of(&pages), 1);
    pages_add(&other, SLICE("/b"));
    pages_join(&pages, &other);
    assert_int_equal(bits_of(&pages), 2);
    pages_add(&both, SLICE("/b"));
    assert_memory_equal(&pages, &both, sizeof(pages));
    /* The bit of a name is for ever: sketches of years are joined. */
    assert_int_equal(other.bits[294], 0x80);
}

/* Each register is as likely as the others, and each rank half as likely as the one before. */
static void pages_are_spread_evenly(void **state)
{
    int registers[PAGES_REGISTERS] = {0}, ranks[PAGES_RANKS] = {0};
    char name[32];
    (void)state;
    for (int i = 0; i < 128 * 1000; i++) {
        struct pages one = {{0}};
        snprintf(name, sizeof(name), "/page/%d.html", i);
        pages_add(&one, slice_of(name));
        int bit = 0;
        while (!(one.bits[bit / 8] & 0x80 >> bit % 8))
            bit++;
        registers[bit / PAGES_RANKS]++;
        ranks[bit % PAGES_RANKS]++;
    }
    for (int i = 0; i < PAGES_REGISTERS; i++)
        assert_in_range(registers[i], 800, 1200);
    for (int i = 0; i < 5; i++)
        assert_in_range(ranks[i], (64000 >> i) * 9 / 10, (64000 >> i) * 11 / 10);
}

static void rows_are_by_site_crawler_rule_and_outcome(void **state)
{
    struct counts *counts = counts_new(64, false);
    struct traffic_sums sums = {.requests = 1, .bytes = 100, .amount_micros = 2500};
    const struct traffic_sums *found;
    struct traffic_key key = key_of("GPTBot", TRAFFIC_PAID), read;
    (void)state;
    assert_non_null(counts);
    counts_add(counts, &key, &sums);
    counts_add(counts, &key, &sums);
    assert_int_equal(counts_rows(counts), 1);
    counts_row(counts, 0, &read, &found);
    assert_slice(read.site, "example");
    assert_slice(read.crawler, "GPTBot");
    assert_slice(read.rule, "rest");
    assert_slice(read.reason, "");
    assert_int_equal(read.outcome, TRAFFIC_PAID);
    assert_int_equal(found->requests, 2);
    assert_int_equal(found->bytes, 200);
    assert_int_equal(found->amount_micros, 5000);
    /* Each part of the key makes a row of its own, also where all texts together are the same. */
    struct traffic_key others[] = {key, key, key, key, key, key, key};
    others[0].period_ms = 1800000;
    others[1].site = SLICE("exampleG"), others[1].crawler = SLICE("PTBot");
    others[2].crawler = SLICE("GPTBotrest"), others[2].rule = SLICE("");
    others[3].rule = SLICE(""), others[3].reason = SLICE("rest");
    others[4].verified = true;
    others[5].outcome = TRAFFIC_FREE;
    others[6].reason = SLICE("404");
    for (size_t i = 0; i < 7; i++) {
        counts_add(counts, &others[i], &sums);
        assert_int_equal(counts_rows(counts), 2 + i);
        counts_row(counts, 1 + i, &read, &found);
        assert_int_equal(read.period_ms, others[i].period_ms);
        assert_int_equal(read.verified, others[i].verified);
        assert_true(slice_eq(read.site, others[i].site) && slice_eq(read.crawler, others[i].crawler));
        assert_true(slice_eq(read.rule, others[i].rule) && slice_eq(read.reason, others[i].reason));
        assert_int_equal(found->requests, 1);
    }
    counts_clear(counts);
    assert_int_equal(counts_rows(counts), 0);
    counts_free(counts);
    counts_free(NULL);
}

/* The sum of all rows is what was counted, whatever names were made up. */
static int64_t requests_in(const struct counts *counts, const char *crawler)
{
    int64_t requests = 0;
    for (size_t i = 0; i < counts_rows(counts); i++) {
        struct traffic_key key;
        const struct traffic_sums *sums;
        counts_row(counts, i, &key, &sums);
        requests += !crawler || slice_eq(key.crawler, slice_of(crawler)) ? sums->requests : 0;
    }
    return requests;
}

static void what_finds_no_room_is_others(void **state)
{
    enum { LIMIT = 64, NAMES = 100000 };
    struct counts *counts = counts_new(LIMIT, false), *joined = counts_new(LIMIT / 2, false);
    struct traffic_sums sums = {.requests = 1};
    char name[2000];
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "https://evil.example/%d", i);
        struct traffic_key key = key_of(name, i % 2 ? TRAFFIC_OFFERED : TRAFFIC_REFUSED);
        counts_add(counts, &key, &sums);
    }
    assert_in_range(counts_rows(counts), LIMIT, LIMIT + 2);
    assert_int_equal(requests_in(counts, NULL), NAMES);
    assert_int_equal(requests_in(counts, TRAFFIC_OTHERS), NAMES - LIMIT);
    counts_join(joined, counts);
    assert_int_equal(requests_in(joined, NULL), NAMES);
    assert_int_equal(requests_in(joined, TRAFFIC_OTHERS), NAMES - LIMIT / 2);
    counts_clear(counts);
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    struct traffic_key long_key = key_of(name, TRAFFIC_FREE);
    counts_add(counts, &long_key, &sums);
    assert_int_equal(requests_in(counts, TRAFFIC_OTHERS), 1);
    /* Others have room for many periods, but not for any number: what is lost then is told. */
    for (int i = 0; i < NAMES; i++) {
        struct traffic_key key = key_of("GPTBot", TRAFFIC_FREE);
        key.period_ms = (int64_t)i * TRAFFIC_PERIOD_MS;
        counts_add(counts, &key, &sums);
    }
    assert_true(counts_lost(counts) > 0);
    assert_int_equal(requests_in(counts, NULL) + counts_lost(counts), NAMES + 1);
    counts_free(counts);
    counts_free(joined);
}

/* A flood of paths takes the rows of paths alone: crawler, rule and outcome stay right, and so do all rows of
 * the requests. */
static void a_path_that_finds_no_room_is_another_one(void **state)
{
    enum { PATHS = 5000 };
    struct tally *tally = tally_new();
    struct tallied tallied;
    struct traffic_sums sums = {.requests = 1, .amount_micros = 2500};
    struct traffic_key key = key_of("GPTBot", TRAFFIC_OFFERED), read;
    const struct traffic_sums *found;
    int64_t other_paths = 0, requests = 0;
    char path[64];
    (void)state;
    assert_true(tallied_make(&tallied, TALLY_ROWS));
    key.reason = SLICE("why"); /* paths are counted without it */
    for (int i = 0; i < PATHS; i++) {
        snprintf(path, sizeof(path), "/%d", i);
        key.path = slice_of(path);
        tally_add(tally, &key, true, &sums);
    }
    key.outcome = TRAFFIC_FREE;
    tally_add(tally, &key, false, &sums); /* its path does not count */
    tally_collect(tally, &tallied);
    assert_int_equal(counts_rows(tallied.requests), 2);
    assert_in_range(counts_rows(tallied.paths), TALLY_ROWS, TALLY_ROWS + 1);
    for (size_t i = 0; i < counts_rows(tallied.paths); i++) {
        counts_row(tallied.paths, i, &read, &found);
        assert_slice(read.crawler, "GPTBot");
        assert_slice(read.rule, "rest");
        assert_slice(read.reason, "");
        assert_int_equal(read.outcome, TRAFFIC_OFFERED);
        assert_int_equal(found->amount_micros, 2500 * found->requests);
        requests += found->requests;
        other_paths += read.path.len == 0 ? found->requests : 0;
    }
    assert_int_equal(requests, PATHS);
    assert_int_equal(other_paths, PATHS - TALLY_ROWS);
    tally_release(tally);
    tallied_free(&tallied);
}

static void *add_many(void *context)
{
    struct tally *tally = context;
    struct traffic_key key = key_of("GPTBot", TRAFFIC_OFFERED);
    const struct traffic_sums sums = {.requests = 1};
    for (int i = 0; i < EACH; i++)
        tally_add(tally, &key, false, &sums);
    tally_release(tally);
    return NULL;
}

/* While some add, another collects: nothing is lost, and nothing counted twice. */
static void a_tally_is_collected_while_it_is_added_to(void **state)
{
    pthread_t threads[THREADS];
    struct tally *tally = tally_new();
    struct tallied tallied;
    (void)state;
    assert_true(tallied_make(&tallied, 64));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, tally_take(tally)), 0);
    for (bool left = false; !left;) {
        left = tally_is_left(tally);
        tally_collect(tally, &tallied);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(requests_in(tallied.requests, NULL), THREADS * EACH);
    assert_int_equal(counts_rows(tallied.requests), 1);
    assert_int_equal(counts_rows(tallied.paths), 0);
    tally_release(tally);
    tally_release(NULL);
    tallied_free(&tallied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_counts_once),
        cmocka_unit_test(pages_are_spread_evenly),
        cmocka_unit_test(rows_are_by_site_crawler_rule_and_outcome),
        cmocka_unit_test(what_finds_no_room_is_others),
        cmocka_unit_test(a_path_that_finds_no_room_is_another_one),
        cmocka_unit_test(a_tally_is_collected_while_it_is_added_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
