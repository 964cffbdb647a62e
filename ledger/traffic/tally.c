/* Two sets of counts that change places: an HTTP thread waits for as long as a pointer is exchanged, and not
 * while a few hundred rows are added to others. */
#include "ledger/traffic/tally.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define TALLY_MAGIC 0x7a11e9d3u

struct tally {
    uint32_t magic;
    atomic_uint users;
    pthread_mutex_t mutex;
    struct counts *counts; /* under the mutex */
    struct counts *spare;  /* empty; whoever collects has it */
};

struct tally *tally_new(void)
{
    struct tally *tally = calloc(1, sizeof(*tally));
    if (!tally)
        return NULL;
    tally->counts = counts_new(TALLY_ROWS);
    tally->spare = counts_new(TALLY_ROWS);
    if (!tally->counts || !tally->spare || pthread_mutex_init(&tally->mutex, NULL) != 0) {
        counts_free(tally->counts);
        counts_free(tally->spare);
        free(tally);
        return NULL;
    }
    OBJECT_MAKE(tally, TALLY_MAGIC);
    atomic_init(&tally->users, 1);
    return tally;
}

struct tally *tally_take(struct tally *tally)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    unsigned before = atomic_fetch_add(&tally->users, 1);
    assert(before > 0); /* whoever takes it for somebody has it */
    return tally;
}

void tally_release(struct tally *tally)
{
    if (!tally)
        return;
    OBJECT_CHECK(tally, TALLY_MAGIC);
    if (atomic_fetch_sub(&tally->users, 1) > 1)
        return;
    OBJECT_END(tally, TALLY_MAGIC);
    pthread_mutex_destroy(&tally->mutex);
    counts_free(tally->counts);
    counts_free(tally->spare);
    free(tally);
}

bool tally_is_left(const struct tally *tally)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    return atomic_load(&tally->users) == 1;
}

void tally_add(struct tally *tally, const struct traffic_key *key, const struct traffic_sums *sums)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    pthread_mutex_lock(&tally->mutex);
    counts_add(tally->counts, key, sums);
    pthread_mutex_unlock(&tally->mutex);
}

void tally_collect(struct tally *tally, struct counts *counts)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    assert(counts_rows(tally->spare) == 0);
    pthread_mutex_lock(&tally->mutex);
    struct counts *collected = tally->counts;
    tally->counts = tally->spare;
    pthread_mutex_unlock(&tally->mutex);
    tally->spare = collected;
    /* Without the lock: joining takes as long as there are rows, and no request may wait for it. */
    counts_join(counts, collected);
    counts_clear(collected);
}
