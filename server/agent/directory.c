#include "server/agent/directory.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS     1024
#define ENTRIES_MAX 4096
#define WAITERS_MAX 4096

/* One directory. The keys are replaced as a whole by a fetch that succeeded. */
struct entry {
    struct entry *next;
    struct directory *directory;
    struct directory_key *keys;
    size_t key_count;
    int64_t fetched_ms; /* last success, wall clock; 0: never */
    int64_t tried_ms;   /* last end of a fetch */
    int64_t used_ms;
    bool fetching;
    struct directory_wait *waiting;
    size_t waiting_count;
    size_t url_len;
    char url[]; /* NUL-terminated */
};

struct directory {
    const struct config *config;
    struct fetch *fetch;
    pthread_mutex_t lock; /* short: look-ups and swaps, never I/O or parsing */
    size_t count;
    struct entry *buckets[BUCKETS];
};

struct directory *directory_start(const struct config *config, struct fetch *fetch)
{
    struct directory *directory = calloc(1, sizeof(*directory));
    if (!directory)
        return NULL;
    directory->config = config;
    directory->fetch = fetch;
    pthread_mutex_init(&directory->lock, NULL);
    return directory;
}

static void free_keys(struct directory_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        signature_key_free(keys[i].key);
    free(keys);
}

static void free_entry(struct entry *entry)
{
    free_keys(entry->keys, entry->key_count);
    free(entry);
}

void directory_stop(struct directory *directory)
{
    if (!directory)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (directory->buckets[i]) {
            struct entry *entry = directory->buckets[i];
            directory->buckets[i] = entry->next;
            free_entry(entry);
        }
    pthread_mutex_destroy(&directory->lock);
    free(directory);
}

/* FNV-1a. */
static size_t bucket_of(struct slice url)
{
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < url.len; i++)
        hash = (hash ^ (unsigned char)url.data[i]) * 1099511628211ULL;
    return (size_t)(hash % BUCKETS);
}

static struct entry *find(struct directory *directory, struct slice url)
{
    for (struct entry *entry = directory->buckets[bucket_of(url)]; entry; entry = entry->next)
        if (slice_eq(slice_bytes(entry->url, entry->url_len), url))
            return entry;
    return NULL;
}

/* Drops the entry that was used longest ago and that nobody waits for. Rare: only when the table is full. */
static bool evict(struct directory *directory)
{
    struct entry **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **at = &directory->buckets[i]; *at; at = &(*at)->next)
            if (!(*at)->fetching && (!oldest || (*at)->used_ms < (*oldest)->used_ms))
                oldest = at;
    if (!oldest)
        return false;
    struct entry *entry = *oldest;
    *oldest = entry->next;
    directory->count--;
    free_entry(entry);
    return true;
}

static struct entry *add(struct directory *directory, struct slice url)
{
    if (directory->count >= ENTRIES_MAX && !evict(directory))
        return NULL;
    struct entry *entry = calloc(1, sizeof(*entry) + url.len + 1);
    if (!entry)
        return NULL;
    memcpy(entry->url, url.data, url.len);
    entry->url_len = url.len;
    entry->directory = directory;
    entry->next = directory->buckets[bucket_of(url)];
    directory->buckets[bucket_of(url)] = entry;
    directory->count++;
    return entry;
}

static const struct directory_key *key_in(const struct entry *entry, const uint8_t thumbprint[DIGEST_SIZE])
{
    for (size_t i = 0; i < entry->key_count; i++)
        if (memcmp(entry->keys[i].jwk.thumbprint, thumbprint, DIGEST_SIZE) == 0)
            return &entry->keys[i];
    return NULL;
}

static bool in_force(const struct jwk *jwk, int64_t now_ms)
{
    return jwk->not_before <= now_ms / 1000 && now_ms / 1000 < jwk->expires;
}

static enum directory_answer judge(struct entry *entry, const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms,
                                   bool waited, struct directory_key *out)
{
    const struct config *config = entry->directory->config;
    const struct directory_key *key = key_in(entry, thumbprint);
    int64_t cached_ms = config->directory_max_fresh_seconds * 1000;
    bool fresh = entry->fetched_ms > 0 && now_ms - entry->fetched_ms < cached_ms;
    bool tried =
        waited || (entry->tried_ms > 0 && now_ms - entry->tried_ms < config->directory_retry_seconds * 1000);
    entry->used_ms = now_ms;
    if (!tried && !(fresh && key))
        return DIRECTORY_ASK;
    if (key && !in_force(&key->jwk, now_ms))
        return DIRECTORY_NO_KEY;
    if (key) {
        *out = (struct directory_key){signature_key_share(key->key), key->jwk};
        return DIRECTORY_KEY;
    }
    return entry->fetched_ms > 0 && entry->fetched_ms == entry->tried_ms ? DIRECTORY_NO_KEY
                                                                         : DIRECTORY_UNAVAILABLE;
}

enum directory_answer directory_find(struct directory *directory, struct slice url,
                                     const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms, bool waited,
                                     struct directory_key *key)
{
    pthread_mutex_lock(&directory->lock);
    struct entry *entry = find(directory, url);
    enum directory_answer answer = entry    ? judge(entry, thumbprint, now_ms, waited, key)
                                   : waited ? DIRECTORY_UNAVAILABLE
                                            : DIRECTORY_ASK;
    pthread_mutex_unlock(&directory->lock);
    return answer;
}

/* The keys of a directory's answer, ready for use. NULL with *count 0 when there is none. */
static struct directory_key *read_keys(struct slice body, size_t *count)
{
    struct jwk *found = calloc(JWK_SET_MAX, sizeof(*found));
    struct directory_key *keys = calloc(JWK_SET_MAX, sizeof(*keys));
    size_t found_count = 0;
    *count = 0;
    if (found && keys && jwk_set_parse(body, found, &found_count) == ERR_OK) {
        for (size_t i = 0; i < found_count; i++) {
            keys[*count].key = signature_key_from_jwk(&found[i]);
            keys[*count].jwk = found[i];
            if (keys[*count].key)
                ++*count;
        }
        free(found);
        return keys;
    }
    free(found);
    free(keys);
    return NULL;
}

static void on_fetched(void *context, long status, struct slice body)
{
    struct entry *entry = context;
    struct directory *directory = entry->directory;
    size_t count = 0;
    struct directory_key *keys = status == 200 ? read_keys(body, &count) : NULL;
    int64_t now_ms = clock_now_ms();
    if (!keys)
        LOG(WARN, "directory_failed", {"url", entry->url}, {"status", LOG_NUMBER(status)},
            {"detail", status == 200 ? "not a JSON key set" : NULL});
    else
        LOG(INFO, "directory_fetched", {"url", entry->url}, {"keys", LOG_NUMBER((int64_t)count)});
    pthread_mutex_lock(&directory->lock);
    struct directory_key *old_keys = keys ? entry->keys : NULL;
    size_t old_count = keys ? entry->key_count : 0;
    if (keys) {
        entry->keys = keys;
        entry->key_count = count;
        entry->fetched_ms = now_ms;
    }
    entry->tried_ms = now_ms;
    struct directory_wait *waiting = entry->waiting;
    entry->waiting = NULL;
    entry->waiting_count = 0;
    entry->fetching = false;
    pthread_mutex_unlock(&directory->lock);
    free_keys(old_keys, old_count);
    while (waiting) {
        struct directory_wait *next = waiting->next;
        waiting->ready(waiting);
        waiting = next;
    }
}

enum err directory_await(struct directory *directory, struct slice url, struct directory_wait *wait)
{
    enum err err = ERR_OVERLOADED;
    pthread_mutex_lock(&directory->lock);
    struct entry *entry = find(directory, url);
    if (!entry)
        entry = add(directory, url);
    if (entry && !entry->fetching)
        entry->fetching = fetch_get(directory->fetch, url, on_fetched, entry);
    if (entry && entry->fetching && entry->waiting_count < WAITERS_MAX) {
        wait->next = entry->waiting;
        entry->waiting = wait;
        entry->waiting_count++;
        err = ERR_OK;
    }
    pthread_mutex_unlock(&directory->lock);
    return err;
}
