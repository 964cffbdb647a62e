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
    struct tallied counts; /* under the mutex */
    struct tallied spare;  /* empty; whoever collects has it */
};

bool tallied_make(struct tallied *tallied, size_t rows)
{
    *tallied = (struct tallied){counts_new(rows, false), counts_new(rows, true)};
    if (tallied->requests && tallied->paths)
        return true;
    tallied_free(tallied);
    return false;
}

void tallied_free(struct tallied *tallied)
{
    counts_free(tallied->requests);
    counts_free(tallied->paths);
    *tallied = (struct tallied){NULL, NULL};
}

void tallied_clear(struct tallied *tallied)
{
    counts_clear(tallied->requests);
    counts_clear(tallied->paths);
}

struct tally *tally_new(void)
{
    struct tally *tally = calloc(1, sizeof(*tally));
    if (!tally)
        return NULL;
    if (!tallied_make(&tally->counts, TALLY_ROWS) || !tallied_make(&tally->spare, TALLY_ROWS) ||
        pthread_mutex_init(&tally->mutex, NULL) != 0) {
        tallied_free(&tally->counts);
        tallied_free(&tally->spare);
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
    tallied_free(&tally->counts);
    tallied_free(&tally->spare);
    free(tally);
}

bool tally_is_left(const struct tally *tally)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    return atomic_load(&tally->users) == 1;
}

void tally_add(struct tally *tally, const struct traffic_key *key, bool path_counts,
               const struct traffic_sums *sums)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    struct traffic_key any_path = *key, any_reason = *key;
    any_path.path = SLICE("");
    any_reason.reason = SLICE("");
    pthread_mutex_lock(&tally->mutex);
    counts_add(tally->counts.requests, &any_path, sums);
    if (path_counts)
        counts_add(tally->counts.paths, &any_reason, sums);
    pthread_mutex_unlock(&tally->mutex);
}

void tally_collect(struct tally *tally, struct tallied *tallied)
{
    OBJECT_CHECK(tally, TALLY_MAGIC);
    assert(counts_rows(tally->spare.requests) == 0 && counts_rows(tally->spare.paths) == 0);
    pthread_mutex_lock(&tally->mutex);
    struct tallied collected = tally->counts;
    tally->counts = tally->spare;
    pthread_mutex_unlock(&tally->mutex);
    tally->spare = collected;
    /* Without the lock: joining takes as long as there are rows, and no request may wait for it. */
    counts_join(tallied->requests, collected.requests);
    counts_join(tallied->paths, collected.paths);
    tallied_clear(&collected);
}
