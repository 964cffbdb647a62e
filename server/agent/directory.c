/* Times in here are of the monotonic clock, so that a step of the wall clock neither ages nor renews
 * anything; only keys' nbf and exp, and dates in answers, are of the wall clock. */
#include "server/agent/directory.h"

#include "ledger/base/clock.h"
#include "ledger/base/http/agent.h"
#include "ledger/base/log.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/base/crypto/random.h"
#include "server/agent/answer.h"
#include "server/agent/budget.h"
#include "server/agent/freshness.h"
#include "server/agent/head.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BUCKETS            1024
#define DIRECTORIES_MAX    4096
#define WAITERS_MAX        4096
#define RETRY_AFTER_MAX_MS 300000
#define SWEEP_MS           10000 /* between looks for what is too old */
#define REFRESH_PERCENT    80    /* of its life is behind a directory in use when it is fetched again */

#define DIRECTORY_MAGIC 0x4e9b27f1u
#define KNOWN_MAGIC     0xd6057ac8u

/* A validator of the last answer, to ask with. */
struct validator {
    size_t len;
    char text[HEAD_VALUE_MAX];
};

/* One directory. What it lists is replaced as a whole by a fetch that succeeded. */
struct known_directory {
    uint32_t magic;
    struct known_directory *next;
    struct directory *directory;
    struct listing *listing; /* NULL: never read */
    struct validator etag;
    struct validator last_modified;
    int64_t life_ms;  /* that the last answer had, clamped */
    int64_t read_ms;  /* when it came: its life starts */
    int64_t retry_ms; /* no fetch before this, after one that failed */
    int64_t early_ms; /* last fetch for a key that was not listed */
    int64_t used_ms;
    bool failing;              /* the last fetch failed */
    char failure[JWK_WHY_MAX]; /* and why */
    bool fetching;
    bool conditional; /* the fetch under way sent a validator */
    struct directory_wait *waiting;
    size_t waiting_count;
    size_t bytes; /* that it was counted with */
    size_t url_len;
    char url[]; /* NUL-terminated */
};

struct directory {
    uint32_t magic;
    const struct config *config;
    struct fetch *fetch;
    pthread_mutex_t lock; /* short: look-ups and swaps, never I/O or parsing */
    struct budget *budget;
    size_t count;
    size_t bytes; /* of all of them, at most directory.cache_bytes */
    int64_t swept_ms;
    struct known_directory *buckets[BUCKETS];
};

struct directory *directory_start(const struct config *config, struct fetch *fetch)
{
    struct directory *directory = calloc(1, sizeof(*directory));
    if (!directory)
        return NULL;
    OBJECT_MAKE(directory, DIRECTORY_MAGIC);
    directory->config = config;
    directory->fetch = fetch;
    directory->budget = budget_new(config->directory_client_fetches);
    if (!directory->budget) {
        free(directory);
        return NULL;
    }
    pthread_mutex_init(&directory->lock, NULL);
    return directory;
}

void directory_key_clear(struct directory_key *key)
{
    signature_key_free(key->key);
    snapshot_free(key->snapshot);
    key->key = NULL;
    key->snapshot = NULL;
}

static void free_known(struct known_directory *known)
{
    OBJECT_END(known, KNOWN_MAGIC);
    listing_free(known->listing);
    free(known);
}

void directory_stop(struct directory *directory)
{
    if (!directory)
        return;
    OBJECT_END(directory, DIRECTORY_MAGIC);
    for (size_t i = 0; i < BUCKETS; i++)
        while (directory->buckets[i]) {
            struct known_directory *known = directory->buckets[i];
            directory->buckets[i] = known->next;
            assert(!known->fetching && !known->waiting); /* fetch_stop has answered all */
            free_known(known);
        }
    metrics_add(METRIC_DIRECTORIES, -(int64_t)directory->count);
    metrics_add(METRIC_DIRECTORY_BYTES, -(int64_t)directory->bytes);
    budget_free(directory->budget);
    pthread_mutex_destroy(&directory->lock);
    free(directory);
}

static size_t bucket_of(struct slice url)
{
    return (size_t)(slice_hash(url) % BUCKETS);
}

static struct known_directory *find(struct directory *directory, struct slice url)
{
    OBJECT_CHECK(directory, DIRECTORY_MAGIC);
    for (struct known_directory *known = directory->buckets[bucket_of(url)]; known; known = known->next)
        if (slice_eq(slice_bytes(known->url, known->url_len), url))
            return known;
    return NULL;
}

/* With the lock held. */
static void note_size(struct directory *directory, int64_t more)
{
    assert(more >= 0 || (size_t)-more <= directory->bytes);
    directory->bytes += (size_t)more;
    metrics_add(METRIC_DIRECTORY_BYTES, more);
}

/* Takes it out of the table and frees it; *at becomes the next one. */
static void drop(struct directory *directory, struct known_directory **at)
{
    OBJECT_CHECK(*at, KNOWN_MAGIC);
    struct known_directory *known = *at;
    assert(!known->fetching && !known->waiting && known->bytes <= directory->bytes);
    *at = known->next;
    assert(directory->count > 0);
    directory->count--;
    note_size(directory, -(int64_t)known->bytes);
    metrics_add(METRIC_DIRECTORIES, -1);
    free_known(known);
}

/* Drops the directory that was used longest ago and that nobody waits for, but not `keep`. Rare: only when
 * the table is full. */
static bool drop_oldest(struct directory *directory, const struct known_directory *keep)
{
    struct known_directory **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct known_directory **at = &directory->buckets[i]; *at; at = &(*at)->next)
            if (!(*at)->fetching && *at != keep && (!oldest || (*at)->used_ms < (*oldest)->used_ms))
                oldest = at;
    if (oldest)
        drop(directory, oldest);
    return oldest != NULL;
}

/* Nothing that is known of it can be used any more. */
static bool is_over(const struct known_directory *known, int64_t now_ms)
{
    assert(known->life_ms >= 0);
    int64_t stale_ms = known->directory->config->directory_stale_seconds * 1000;
    return !known->fetching && now_ms >= known->retry_ms &&
           (!known->listing || now_ms - known->read_ms >= known->life_ms + stale_ms);
}

/* Drops what has become too old, now and then: strangers' directories are asked for once. */
static void sweep(struct directory *directory, int64_t now_ms)
{
    if (now_ms - directory->swept_ms < SWEEP_MS)
        return;
    size_t before = directory->count;
    directory->swept_ms = now_ms;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct known_directory **at = &directory->buckets[i]; *at;) {
            if (is_over(*at, now_ms))
                drop(directory, at);
            else
                at = &(*at)->next;
        }
    if (directory->count < before)
        LOG(DEBUG, "directories_dropped", {"count", LOG_NUMBER((int64_t)(before - directory->count))},
            {"left", LOG_NUMBER((int64_t)directory->count)},
            {"bytes", LOG_NUMBER((int64_t)directory->bytes)});
}

/* Counts what the directory takes now; others make room where that is more than all may. A single one that is
 * larger still stays until the next one comes: somebody waits for it. */
static void recount(struct known_directory *known)
{
    struct directory *directory = known->directory;
    assert(known->bytes <= directory->bytes);
    size_t before = known->bytes;
    known->bytes = sizeof(*known) + known->url_len + 1 + listing_bytes(known->listing);
    note_size(directory, (int64_t)known->bytes - (int64_t)before);
    /* One at a time, the oldest: the sum that is kept says when it is enough, without a walk over all. */
    while (directory->bytes > (size_t)directory->config->directory_cache_bytes &&
           drop_oldest(directory, known))
        continue;
}

static struct known_directory *add(struct directory *directory, struct slice url)
{
    if (directory->count >= DIRECTORIES_MAX && !drop_oldest(directory, NULL))
        return NULL;
    struct known_directory *known = calloc(1, sizeof(*known) + url.len + 1);
    if (!known)
        return NULL;
    OBJECT_MAKE(known, KNOWN_MAGIC);
    memcpy(known->url, url.data, url.len);
    assert(!find(directory, url)); /* two would share neither fetches nor waiters */
    known->url_len = url.len;
    known->directory = directory;
    known->used_ms = clock_monotonic_ms();
    known->next = directory->buckets[bucket_of(url)];
    directory->buckets[bucket_of(url)] = known;
    directory->count++;
    metrics_add(METRIC_DIRECTORIES, 1);
    recount(known);
    return known;
}

static void on_fetched(void *context, const struct fetch_answer *answer);

/* With the lock held. Nothing happens when one is under way or too much is queued. */
static void start_fetch(struct known_directory *known)
{
    OBJECT_CHECK(known, KNOWN_MAGIC);
    const struct directory *directory = known->directory;
    if (known->fetching)
        return;
    struct fetch_request request = {.url = {known->url, known->url_len}};
    /* A proof is over one answer, so a new one needs a whole answer. */
    if (known->listing && !directory->config->directory_require_proof) {
        request.etag = (struct slice){known->etag.text, known->etag.len};
        request.last_modified = (struct slice){known->last_modified.text, known->last_modified.len};
    }
    known->conditional = request.etag.len > 0 || request.last_modified.len > 0;
    assert(!known->conditional || known->listing); /* a 304 has something to stand for */
    known->fetching = fetch_get(directory->fetch, &request, on_fetched, known);
}

static bool is_fresh(const struct known_directory *known, int64_t now_ms)
{
    return known->listing && now_ms - known->read_ms < known->life_ms;
}

static bool may_fetch_early(const struct known_directory *known, int64_t now_ms)
{
    return known->early_ms == 0 ||
           now_ms - known->early_ms >= known->directory->config->directory_unknown_key_seconds * 1000;
}

/* A key that is listed: whether it is used as it is. *fetch: and its directory fetched in the background. */
static bool is_usable(const struct known_directory *known, int64_t now_ms, bool waited, bool *fetch)
{
    int64_t age_ms = now_ms - known->read_ms;
    int64_t stale_ms = known->directory->config->directory_stale_seconds * 1000;
    *fetch = false;
    if (is_fresh(known, now_ms))
        *fetch = now_ms >= known->retry_ms && age_ms >= known->life_ms / 100 * REFRESH_PERCENT;
    else if (known->failing && age_ms < known->life_ms + stale_ms)
        *fetch = now_ms >= known->retry_ms;
    else
        return waited && !known->failing;
    return true;
}

static enum directory_answer judge(struct known_directory *known, const struct listing_key *key,
                                   int64_t now_ms, bool waited)
{
    bool fetch = false;
    known->used_ms = now_ms;
    assert(!key || known->listing);
    if (key && is_usable(known, now_ms, waited, &fetch)) {
        if (fetch)
            start_fetch(known);
        return DIRECTORY_KEY;
    }
    /* The fetch under way, early or not, may bring the key: it serves all who ask meanwhile. */
    if (!waited && known->fetching)
        return DIRECTORY_ASK;
    if (!waited && now_ms >= known->retry_ms && (!is_fresh(known, now_ms) || may_fetch_early(known, now_ms)))
        return DIRECTORY_ASK;
    return known->listing && !known->failing ? DIRECTORY_NO_KEY : DIRECTORY_UNAVAILABLE;
}

enum directory_answer directory_find(struct directory *directory, struct slice url,
                                     const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms, bool waited,
                                     struct directory_key *out)
{
    OBJECT_CHECK(directory, DIRECTORY_MAGIC);
    enum directory_answer answer = waited ? DIRECTORY_UNAVAILABLE : DIRECTORY_ASK;
    int64_t monotonic_ms = clock_monotonic_ms();
    /* One lock over all of it: what is done under it is a look-up, and takes less than to choose among many.
     */
    pthread_mutex_lock(&directory->lock);
    sweep(directory, monotonic_ms);
    struct known_directory *known = find(directory, url);
    const struct listing_key *key = known ? listing_find(known->listing, thumbprint, now_ms) : NULL;
    if (known)
        answer = judge(known, key, monotonic_ms, waited);
    out->why[0] = '\0';
    if (answer == DIRECTORY_KEY)
        *out = (struct directory_key){.key = signature_key_share(key->key),
                                      .snapshot = snapshot_share(known->listing->snapshot),
                                      .jwk = key->listed.jwk};
    else if (answer == DIRECTORY_NO_KEY)
        listing_explain(known->listing, thumbprint, now_ms, out->why);
    else if (answer == DIRECTORY_UNAVAILABLE && known)
        snprintf(out->why, sizeof(out->why), "%s", known->failure);
    pthread_mutex_unlock(&directory->lock);
    return answer;
}

static void keep_validator(struct validator *validator, const struct message *head, struct slice name)
{
    const struct message_field *field = message_field(head, name);
    validator->len = 0;
    for (size_t i = 0; field && i < field->value.len; i++)
        if (field->value.data[i] < 0x20 || field->value.data[i] > 0x7e)
            field = NULL;
    /* It goes into a request of ours as it is: nothing that could end its line. */
    if (!field || field->value.len > sizeof(validator->text))
        return;
    memcpy(validator->text, field->value.data, field->value.len);
    validator->len = field->value.len;
}

/* What one answer comes to. */
struct outcome {
    struct listing *listing; /* new; NULL with `good`: the old one still holds */
    bool good;
    const char *failure; /* if it is not: why */
    int64_t now_ms;      /* wall clock */
    int64_t retry_ms;    /* for how long not to ask again, if it is not good */
};

/* A failed directory is left alone for a while, and not by all gates to the same moment. */
static int64_t retry_after(const struct config *config, const struct fetch_answer *answer, int64_t now_ms)
{
    /* A random share of two fifths: gates that failed together must not all come back in the same second. */
    uint32_t chance;
    random_bytes(&chance, sizeof(chance));
    int64_t base_ms = config->directory_retry_seconds * 1000;
    int64_t wait_ms = base_ms * 4 / 5 + (int64_t)(chance % (uint32_t)(base_ms * 2 / 5 + 1));
    int64_t asked_ms = freshness_retry_seconds(&answer->head, now_ms / 1000) * 1000;
    if (asked_ms > RETRY_AFTER_MAX_MS)
        asked_ms = RETRY_AFTER_MAX_MS;
    assert(wait_ms >= base_ms * 4 / 5 && wait_ms <= base_ms * 6 / 5 && asked_ms <= RETRY_AFTER_MAX_MS);
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

static struct answer_question question_of(const struct known_directory *known)
{
    const char *path = strchr(strstr(known->url, "://") + 3, '/'); /* the URL is normalised: it has one */
    assert(path);
    return (struct answer_question){
        .conditional = known->conditional,
        .well_known = slice_eq(slice_bytes(path, strcspn(path, "?")), SLICE(AGENT_WELL_KNOWN)),
    };
}

static struct outcome judge_answer(const struct known_directory *known, const struct fetch_answer *answer)
{
    const struct config *config = known->directory->config;
    struct outcome outcome = {.now_ms = clock_now_ms()};
    struct slice url = {known->url, known->url_len};
    const struct listing_terms terms = {outcome.now_ms, config->directory_require_proof};
    outcome.failure =
        answer->failure ? answer->failure : answer_refusal(answer->status, &answer->head, question_of(known));
    if (!outcome.failure && answer->status == 200)
        outcome.listing = listing_read(url, answer, &terms, &outcome.failure);
    outcome.good = outcome.listing || !outcome.failure;
    assert(!outcome.listing || !outcome.failure);
    metrics_add(!outcome.good     ? METRIC_FETCHES_FAILED
                : outcome.listing ? METRIC_FETCHES_NEW
                                  : METRIC_FETCHES_UNCHANGED,
                1);
    if (outcome.good) {
        LOG(INFO, "directory_fetched", {"url", known->url}, {"status", LOG_NUMBER(answer->status)},
            {"keys", outcome.listing ? LOG_NUMBER((int64_t)outcome.listing->good) : NULL});
    } else {
        outcome.retry_ms = retry_after(config, answer, outcome.now_ms);
        LOG(WARN, "directory_failed", {"url", known->url}, {"status", LOG_NUMBER(answer->status)},
            {"detail", outcome.failure}, {"retry_ms", LOG_NUMBER(outcome.retry_ms)});
    }
    return outcome;
}

static void start_life(struct known_directory *known, const struct fetch_answer *answer, int64_t now_ms)
{
    const struct config *config = known->directory->config;
    int64_t seconds = freshness_seconds(&answer->head, now_ms / 1000);
    known->read_ms = clock_monotonic_ms();
    if (answer->status == 304 && !freshness_stated(&answer->head))
        return;
    if (seconds < config->directory_min_fresh_seconds)
        seconds = config->directory_min_fresh_seconds;
    if (seconds > config->directory_max_fresh_seconds)
        seconds = config->directory_max_fresh_seconds;
    known->life_ms = seconds * 1000;
    assert(known->life_ms > 0);
}

/* With the lock held. Returns the listing that has gone out of use. */
static struct listing *settle(struct known_directory *known, const struct fetch_answer *answer,
                              struct outcome *outcome)
{
    assert(outcome->good == (outcome->failure == NULL));
    struct listing *old = NULL;
    known->failing = !outcome->good;
    known->retry_ms = outcome->good ? 0 : clock_monotonic_ms() + outcome->retry_ms;
    if (!outcome->good) {
        snprintf(known->failure, sizeof(known->failure), answer->failure ? "%s" : "%s (status %ld)",
                 outcome->failure, answer->status);
        return NULL;
    }
    start_life(known, answer, outcome->now_ms);
    assert(outcome->listing || known->listing); /* only what is known is asked with a validator */
    if (!outcome->listing)
        return NULL;
    old = known->listing;
    known->listing = outcome->listing;
    recount(known);
    assert(known->listing == outcome->listing); /* recount does not drop what it counts */
    keep_validator(&known->etag, &answer->head, SLICE("etag"));
    keep_validator(&known->last_modified, &answer->head, SLICE("last-modified"));
    /* The same body is the same evidence: the writer need not look at it again. */
    if (old && memcmp(old->snapshot->digest, known->listing->snapshot->digest, DIGEST_SIZE) == 0) {
        snapshot_free(known->listing->snapshot);
        known->listing->snapshot = snapshot_share(old->snapshot);
    }
    return old;
}

static void on_fetched(void *context, const struct fetch_answer *answer)
{
    OBJECT_CHECK((struct known_directory *)context, KNOWN_MAGIC);
    struct known_directory *known = context;
    struct directory *directory = known->directory;
    /* Parsed before the lock is taken: a key set may take milliseconds, and every request waits for the lock.
     */
    struct outcome outcome = judge_answer(known, answer);
    pthread_mutex_lock(&directory->lock);
    struct listing *old = settle(known, answer, &outcome);
    known->used_ms = clock_monotonic_ms(); /* who waits must still find it */
    assert(known->fetching && known->waiting_count <= WAITERS_MAX);
    struct directory_wait *waiting = known->waiting;
    known->waiting = NULL;
    known->waiting_count = 0;
    known->fetching = false;
    /* From here on `known` may be dropped: what is left to do does not touch it. */
    pthread_mutex_unlock(&directory->lock);
    listing_free(old);
    while (waiting) {
        struct directory_wait *next = waiting->next;
        OBJECT_END(waiting, DIRECTORY_WAIT_MAGIC);
        waiting->ready(waiting);
        waiting = next;
    }
}

/* With the lock held: makes sure that a fetch is under way. */
static enum err ensure_fetch(struct directory *directory, struct slice url,
                             const struct exchange_client *client, struct known_directory **known)
{
    int64_t now_ms = clock_monotonic_ms();
    *known = find(directory, url);
    if (*known && (*known)->fetching)
        return ERR_OK;
    if (!budget_take(directory->budget, client, now_ms))
        return ERR_RATE_LIMITED;
    if (!*known)
        *known = add(directory, url);
    if (!*known)
        return ERR_OVERLOADED;
    if (is_fresh(*known, now_ms))
        (*known)->early_ms = now_ms;
    /* Marked before it is known to work: a directory that cannot be fetched is not asked for at every
     * request. */
    start_fetch(*known);
    return (*known)->fetching ? ERR_OK : ERR_OVERLOADED;
}

enum err directory_await(struct directory *directory, struct slice url, struct directory_wait *wait)
{
    OBJECT_CHECK(directory, DIRECTORY_MAGIC);
    assert(wait->ready && url.len > 0);
    enum err err;
    struct known_directory *known;
    pthread_mutex_lock(&directory->lock);
    TRY(ensure_fetch(directory, url, &wait->client, &known));
    if (known->waiting_count >= WAITERS_MAX) {
        err = ERR_OVERLOADED;
        goto out;
    }
    assert(known->fetching); /* or nobody would ever call it */
    OBJECT_MAKE(wait, DIRECTORY_WAIT_MAGIC);
    wait->next = known->waiting;
    known->waiting = wait;
    known->waiting_count++;
out:
    pthread_mutex_unlock(&directory->lock);
    return err;
}
