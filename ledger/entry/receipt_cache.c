/* Sets of four places, chosen by the random bits of the id. An id is a clock: the lowest of a set is the one
 * that can be paid with for the shortest time, so it gives way. */
#include "ledger/entry/receipt_cache.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WAYS  4
#define LOCKS 64

struct place {
    uint8_t id[UUID_SIZE];
    uint8_t content[DIGEST_SIZE];
    struct receipt receipt;
    uint64_t generation; /* of another one than the cache's: free */
};

#define CACHE_MAGIC 0x946b0ed3u

struct receipt_cache {
    uint32_t magic;
    pthread_mutex_t locks[LOCKS];
    atomic_uint_fast64_t generation;
    size_t sets;
    struct place *places;
};

struct receipt_cache *receipt_cache_new(size_t receipts)
{
    struct receipt_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    OBJECT_MAKE(cache, CACHE_MAGIC);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    atomic_init(&cache->generation, 1);
    cache->sets = (receipts + WAYS - 1) / WAYS;
    assert(cache->sets * WAYS >= receipts);
    cache->places = calloc(cache->sets * WAYS + 1, sizeof(*cache->places));
    if (!cache->places) {
        receipt_cache_free(cache);
        return NULL;
    }
    return cache;
}

void receipt_cache_free(struct receipt_cache *cache)
{
    if (!cache)
        return;
    OBJECT_END(cache, CACHE_MAGIC);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    free(cache->places);
    free(cache);
}

static size_t set_of(const struct receipt_cache *cache, const uint8_t id[UUID_SIZE])
{
    assert(cache->sets > 0);
    uint32_t chance;
    memcpy(&chance, &id[UUID_SIZE - sizeof(chance)], sizeof(chance));
    return chance % cache->sets;
}

void receipt_cache_put(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                       const uint8_t content[DIGEST_SIZE], const struct receipt *receipt)
{
    OBJECT_CHECK(cache, CACHE_MAGIC);
    assert(uuid_is_v7(id)); /* zeros are what is free */
    if (cache->sets == 0)
        return;
    size_t set = set_of(cache, id);
    struct place *places = &cache->places[set * WAYS], *chosen = NULL;
    uint64_t generation = atomic_load(&cache->generation);
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS; i++) {
        struct place *place = &places[i];
        if (place->generation != generation)
            memset(place->id, 0, UUID_SIZE); /* lower than every id */
        if (memcmp(place->id, id, UUID_SIZE) == 0) {
            chosen = place;
            break;
        }
        /* The oldest id gives way, also to one that is older still: that one is asked for as rarely. */
        if (!chosen || memcmp(place->id, chosen->id, UUID_SIZE) < 0)
            chosen = place;
    }
    assert(chosen);
    struct receipt known = memcmp(chosen->id, id, UUID_SIZE) == 0 ? chosen->receipt : *receipt;
    chosen->generation = generation;
    chosen->receipt = *receipt;
    chosen->receipt.undelivered = receipt->undelivered || known.undelivered;
    if (known.amount_micros < receipt->amount_micros)
        chosen->receipt.amount_micros = known.amount_micros;
    memcpy(chosen->id, id, UUID_SIZE);
    memcpy(chosen->content, content, DIGEST_SIZE);
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
}

bool receipt_cache_find(struct receipt_cache *cache, const uint8_t id[UUID_SIZE],
                        const uint8_t content[DIGEST_SIZE], struct receipt *receipt)
{
    OBJECT_CHECK(cache, CACHE_MAGIC);
    bool found = false;
    if (cache->sets == 0)
        return false;
    /* The content, too: the same id over something else is a conflict, which only the ledger may tell. */
    size_t set = set_of(cache, id);
    const struct place *places = &cache->places[set * WAYS];
    uint64_t generation = atomic_load(&cache->generation);
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        found = places[i].generation == generation && memcmp(places[i].id, id, UUID_SIZE) == 0 &&
                memcmp(places[i].content, content, DIGEST_SIZE) == 0;
        if (found)
            *receipt = places[i].receipt;
    }
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
    return found;
}

/* What is remembered of the id, if anything, is undelivered (final_micros 0), or billed at so much at most.
 */
static void end(struct receipt_cache *cache, const uint8_t id[UUID_SIZE], int64_t final_micros)
{
    OBJECT_CHECK(cache, CACHE_MAGIC);
    if (cache->sets == 0)
        return;
    size_t set = set_of(cache, id);
    struct place *places = &cache->places[set * WAYS];
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS; i++) {
        struct receipt *receipt = &places[i].receipt;
        if (memcmp(places[i].id, id, UUID_SIZE) != 0)
            continue;
        receipt->undelivered = receipt->undelivered || final_micros == 0;
        if (final_micros > 0 && final_micros < receipt->amount_micros)
            receipt->amount_micros = final_micros;
    }
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
}

void receipt_cache_kill(struct receipt_cache *cache, const uint8_t id[UUID_SIZE])
{
    end(cache, id, 0);
}

void receipt_cache_lower(struct receipt_cache *cache, const uint8_t id[UUID_SIZE], int64_t final_micros)
{
    assert(final_micros > 0);
    end(cache, id, final_micros);
}

void receipt_cache_forget(struct receipt_cache *cache)
{
    OBJECT_CHECK(cache, CACHE_MAGIC);
    /* By number and not by wiping: a megabyte under a lock would hold all who wait for their receipts. */
    atomic_fetch_add(&cache->generation, 1);
}
