/* What is counted by many threads, that come and go while others add up, is all there. */
#include "tests/unit/support.h"

#include "ledger/base/metrics/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 8
#define TIMES   20000

static struct metrics_sums sums_now(void)
{
    struct metrics_sums sums;
    metrics_read(&sums);
    return sums;
}

static void *count(void *context)
{
    (void)context;
    for (int i = 0; i < TIMES; i++) {
        metrics_add(METRIC_CONNECTIONS_TAKEN, 1);
        metrics_decided(1, ERR_OK);
        metrics_observe(HISTOGRAM_BATCH, 3);
    }
    metrics_add(METRIC_QUEUE_ENTRIES, 5);
    return NULL;
}

static atomic_bool counted;

/* Never less than before, whoever counts meanwhile. */
static void *add_up(void *context)
{
    int64_t before = 0;
    (void)context;
    while (!atomic_load(&counted)) {
        int64_t now = sums_now().numbers[METRIC_CONNECTIONS_TAKEN];
        if (now < before)
            return &counted; /* it has become less */
        before = now;
    }
    return NULL;
}

static void threads_count_without_losing_anything(void **state)
{
    (void)state;
    pthread_t threads[THREADS], reader;
    const struct metrics_sums before = sums_now();
    void *less;
    assert_int_equal(pthread_create(&reader, NULL, add_up, NULL), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    atomic_store(&counted, true);
    pthread_join(reader, &less);
    assert_null(less);
    const struct metrics_sums after = sums_now();
    const int64_t all = 3 * THREADS * TIMES;
    assert_int_equal(after.numbers[METRIC_CONNECTIONS_TAKEN] - before.numbers[METRIC_CONNECTIONS_TAKEN], all);
    assert_int_equal(after.decisions[1][ERR_OK] - before.decisions[1][ERR_OK], all);
    assert_int_equal(after.histograms[HISTOGRAM_BATCH].sum - before.histograms[HISTOGRAM_BATCH].sum, 3 * all);
    /* What one thread has put there another one takes back. */
    assert_int_equal(after.numbers[METRIC_QUEUE_ENTRIES] - before.numbers[METRIC_QUEUE_ENTRIES],
                     15 * THREADS);
    metrics_add(METRIC_QUEUE_ENTRIES, -15 * THREADS);
    assert_int_equal(sums_now().numbers[METRIC_QUEUE_ENTRIES], before.numbers[METRIC_QUEUE_ENTRIES]);
}

/* A value belongs to the first bucket whose bound it does not pass. */
static void values_fall_into_their_buckets(void **state)
{
    (void)state;
    const int64_t *bounds;
    const struct metrics_sums before = sums_now();
    size_t count = metrics_bounds(HISTOGRAM_VERIFY, &bounds);
    assert_int_equal(count, 16);
    for (size_t i = 1; i < count; i++)
        assert_true(bounds[i - 1] < bounds[i]);
    for (size_t i = 0; i < count; i++) {
        metrics_observe(HISTOGRAM_VERIFY, bounds[i]);
        metrics_observe(HISTOGRAM_VERIFY, bounds[i] + 1);
    }
    metrics_observe(HISTOGRAM_VERIFY, 0);
    const struct metrics_sums after = sums_now();
    for (size_t i = 0; i <= count; i++) {
        uint64_t more =
            after.histograms[HISTOGRAM_VERIFY].buckets[i] - before.histograms[HISTOGRAM_VERIFY].buckets[i];
        assert_int_equal(more, i == count ? 1 : 2);
    }
}

static void a_gauge_is_set(void **state)
{
    (void)state;
    metrics_set(METRIC_CONNECTIONS_IDLE, 7);
    metrics_set(METRIC_CONNECTIONS_IDLE, 3);
    assert_int_equal(sums_now().numbers[METRIC_CONNECTIONS_IDLE], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_count_without_losing_anything),
        cmocka_unit_test(values_fall_into_their_buckets),
        cmocka_unit_test(a_gauge_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
