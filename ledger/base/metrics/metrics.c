/* A number on a sheet is written by one thread alone: to load it and to store it again is enough, without the
 * locked addition that costs a request more than all the rest of its counting. */
#include "ledger/base/metrics/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sheet {
    struct sheet *next; /* made before this one */
    bool taken;         /* under the mutex */
    _Atomic int64_t numbers[METRIC_COUNT];
    _Atomic int64_t decisions[METRICS_OUTCOMES_MAX][ERR_COUNT];
    _Atomic int64_t buckets[HISTOGRAM_COUNT][METRICS_BUCKETS_MAX];
    _Atomic int64_t values[HISTOGRAM_COUNT]; /* sums */
};

#define BOUND(bound, text) bound,
static const int64_t seconds_bounds[] = {METRICS_SECONDS(BOUND)};
static const int64_t entries_bounds[] = {METRICS_ENTRIES(BOUND)};
#undef BOUND
#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))
static_assert(LENGTH_OF(seconds_bounds) < METRICS_BUCKETS_MAX &&
                  LENGTH_OF(entries_bounds) < METRICS_BUCKETS_MAX,
              "the rest needs a bucket too");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sheet *sheets; /* under the mutex; none is ever freed: as many as threads were there at once */
static pthread_key_t key;    /* whose end gives a thread's sheet back */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct sheet *own;

static void give_back(void *sheet)
{
    pthread_mutex_lock(&mutex);
    ((struct sheet *)sheet)->taken = false;
    pthread_mutex_unlock(&mutex);
}

static void make_key(void)
{
    int failed = pthread_key_create(&key, give_back);
    assert(!failed); /* the programs have no others */
}

/* NULL without memory. */
static struct sheet *take(void)
{
    pthread_once(&once, make_key);
    pthread_mutex_lock(&mutex);
    struct sheet *sheet = sheets;
    while (sheet && sheet->taken)
        sheet = sheet->next;
    if (!sheet) {
        sheet = calloc(1, sizeof(*sheet));
        if (sheet) {
            sheet->next = sheets;
            sheets = sheet;
        }
    }
    if (sheet)
        sheet->taken = true;
    pthread_mutex_unlock(&mutex);
    pthread_setspecific(key, sheet);
    return sheet;
}

static struct sheet *mine(void)
{
    if (!own)
        own = take();
    return own;
}

static void add(_Atomic int64_t *number, int64_t more)
{
    int64_t now = atomic_load_explicit(number, memory_order_relaxed);
    atomic_store_explicit(number, now + more, memory_order_relaxed);
}

void metrics_add(enum metric metric, int64_t number)
{
    struct sheet *sheet = mine();
    if (sheet)
        add(&sheet->numbers[metric], number);
}

void metrics_set(enum metric metric, int64_t number)
{
    struct sheet *sheet = mine();
    if (sheet)
        atomic_store_explicit(&sheet->numbers[metric], number, memory_order_relaxed);
}

void metrics_decided(unsigned outcome, enum err err)
{
    struct sheet *sheet = mine();
    assert(outcome < METRICS_OUTCOMES_MAX && err < ERR_COUNT);
    if (sheet)
        add(&sheet->decisions[outcome][err], 1);
}

size_t metrics_bounds(enum histogram histogram, const int64_t **bounds)
{
    static const struct {
        const int64_t *bounds;
        size_t count;
    } units[] = {
#define SECONDS                                seconds_bounds, LENGTH_OF(seconds_bounds)
#define ENTRIES                                entries_bounds, LENGTH_OF(entries_bounds)
#define OF_HISTOGRAM(name, unit, family, what) {unit},
        METRICS_HISTOGRAMS(OF_HISTOGRAM)
#undef OF_HISTOGRAM
#undef SECONDS
#undef ENTRIES
    };
    *bounds = units[histogram].bounds;
    return units[histogram].count;
}

void metrics_observe(enum histogram histogram, int64_t value)
{
    struct sheet *sheet = mine();
    const int64_t *bounds;
    size_t count = metrics_bounds(histogram, &bounds);
    size_t bucket = 0;
    assert(value >= 0);
    while (bucket < count && value > bounds[bucket])
        bucket++;
    if (!sheet)
        return;
    add(&sheet->buckets[histogram][bucket], 1);
    add(&sheet->values[histogram], value);
}

static int64_t read(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void add_sheet(struct metrics_sums *sums, const struct sheet *sheet)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        sums->numbers[i] += read(&sheet->numbers[i]);
    for (size_t i = 0; i < METRICS_OUTCOMES_MAX; i++)
        for (size_t j = 0; j < ERR_COUNT; j++)
            sums->decisions[i][j] += (uint64_t)read(&sheet->decisions[i][j]);
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        for (size_t j = 0; j < METRICS_BUCKETS_MAX; j++)
            sums->histograms[i].buckets[j] += (uint64_t)read(&sheet->buckets[i][j]);
        sums->histograms[i].sum += (uint64_t)read(&sheet->values[i]);
    }
}

void metrics_read(struct metrics_sums *sums)
{
    memset(sums, 0, sizeof(*sums));
    pthread_mutex_lock(&mutex);
    for (const struct sheet *sheet = sheets; sheet; sheet = sheet->next)
        add_sheet(sums, sheet);
    pthread_mutex_unlock(&mutex);
}
