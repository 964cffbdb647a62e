/* One lock for all: calls of tools are thousands a second at most, and what is done under it is short. */
#include "server/mcp/calls.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "server/mcp/underway.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define BUCKETS     4096
#define KEPT_MS     600000 /* longer than an id and what commits to it hold: who comes later pays anew */
#define CALLS_MAGIC 0x6d0c31f7u
#define CALL_MAGIC  0x83ba52e9u

struct call {
    uint32_t magic;
    struct call_key key;
    size_t users; /* who holds it, the table among them */
    bool listed;  /* in the table */
    bool ended, charged, delivered;
    enum err err;         /* when it has ended without a result */
    int64_t final_micros; /* when it has ended with one: what is billed of it; -1: all that was charged */
    char *result;         /* when it has ended with one */
    size_t result_len;
    int64_t ended_ms;
    struct call_wait *waits;
    struct call *next;          /* in its bucket */
    struct call *older, *newer; /* of those with a result, in the order of their ending */
};

struct calls {
    uint32_t magic;
    pthread_mutex_t mutex;
    struct underway *underway;
    struct reporter *reporter;
    size_t kept_bytes, kept_bytes_max;
    struct call *oldest, *newest;
    struct call *buckets[BUCKETS];
    uint8_t (*left)[UUID_SIZE]; /* by a process that died, until there is a writer */
    size_t left_count;
};

/* A report, and which calls it is of. */
struct taking_back {
    struct undelivered_report report; /* first */
    struct calls *calls;
};

static struct call **bucket_of(struct calls *calls, const struct call_key *key)
{
    return &calls->buckets[slice_hash(slice_bytes(key->id, UUID_SIZE)) % BUCKETS];
}

/* --- What is taken back --- */

/* On a writer's thread. Written or not, by now the ledger knows, or somebody reads the log. */
static void on_reported(struct undelivered_report *report)
{
    struct taking_back *back = (struct taking_back *)(void *)report;
    struct calls *calls = back->calls;
    char id[UUID_TEXT_MAX];
    bool sealed = report->err == ERR_OK && report->outcome == UNDELIVERED_SEALED;
    if (report->err == ERR_OK) {
        pthread_mutex_lock(&calls->mutex);
        underway_end(calls->underway, report->fact.payment_id);
        pthread_mutex_unlock(&calls->mutex);
    }
    if (sealed)
        LOG(ERROR, "undelivered", {"payment", uuid_format(report->fact.payment_id, id)},
            {"detail", "the day of the payment is sealed"},
            {"hint", "it is not in the ledger: take it back with crawltab adjust"});
    else if (report->err == ERR_OK && report->outcome == UNDELIVERED_RECORDED)
        LOG(INFO, report->fact.final_micros > 0 ? "final_amount" : "undelivered",
            {"payment", uuid_format(report->fact.payment_id, id)},
            {"micros", report->fact.final_micros > 0 ? LOG_NUMBER(report->fact.final_micros) : NULL});
    OBJECT_END(report, REPORT_MAGIC);
    free(back);
}

/* Under the lock. What is billed of it is 0 or less than was charged. What cannot be told now stays in the
 * file, and is taken back by the next process: it knows no amount, and rather bills nothing. */
static void take_back(struct calls *calls, const uint8_t id[UUID_SIZE], int64_t final_micros)
{
    struct undelivered fact = {.length_bytes = -1, .told_by = "gate", .final_micros = final_micros};
    struct taking_back *back = malloc(sizeof(*back));
    memcpy(fact.payment_id, id, UUID_SIZE);
    if (!back)
        return;
    back->report = report_of(&fact, on_reported);
    back->calls = calls;
    if (reporter_report(calls->reporter, &back->report) != ERR_OK)
        free(back);
}

static void note_left(void *context, const uint8_t id[UUID_SIZE])
{
    struct calls *calls = context;
    uint8_t(*left)[UUID_SIZE] = realloc(calls->left, (calls->left_count + 1) * UUID_SIZE);
    if (!left)
        return;
    calls->left = left;
    memcpy(left[calls->left_count++], id, UUID_SIZE);
}

/* --- The table --- */

/* Under the lock. What was paid for and has not arrived when nobody can have it any more is taken back. */
static void let_go(struct calls *calls, struct call *call)
{
    assert(call->users > 0);
    if (--call->users > 0)
        return;
    assert(!call->listed && !call->waits);
    if (call->charged && !call->delivered)
        take_back(calls, call->key.id, 0);
    OBJECT_END(call, CALL_MAGIC);
    free(call->result);
    free(call);
}

/* Under the lock. */
static void unlist(struct calls *calls, struct call *call)
{
    struct call **at = bucket_of(calls, &call->key);
    assert(call->listed);
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    call->listed = false;
    if (call->result) {
        *(call->older ? &call->older->newer : &calls->oldest) = call->newer;
        *(call->newer ? &call->newer->older : &calls->newest) = call->older;
        assert(calls->kept_bytes >= call->result_len);
        calls->kept_bytes -= call->result_len;
    }
    let_go(calls, call);
}

/* Makes room for so many bytes more, and lets go what is old. */
static void make_room(struct calls *calls, size_t bytes)
{
    int64_t until_ms = clock_monotonic_ms() - KEPT_MS;
    while (calls->oldest &&
           (calls->oldest->ended_ms < until_ms || calls->kept_bytes + bytes > calls->kept_bytes_max))
        unlist(calls, calls->oldest);
}

static void tell(struct call_wait *wait)
{
    while (wait) {
        struct call_wait *next = wait->next; /* it may be gone once it is told */
        wait->ready(wait);
        wait = next;
    }
}

struct calls *calls_new(const struct config *config, struct reporter *reporter)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    if (!calls)
        return NULL;
    OBJECT_MAKE(calls, CALLS_MAGIC);
    calls->reporter = reporter;
    pthread_mutex_init(&calls->mutex, NULL);
    calls->kept_bytes_max = (size_t)config->mcp_kept_bytes;
    calls->underway = underway_open(config->mcp_calls_file, note_left, calls);
    if (calls->underway)
        return calls;
    calls_free(calls);
    return NULL;
}

void calls_free(struct calls *calls)
{
    if (!calls)
        return;
    OBJECT_END(calls, CALLS_MAGIC);
    for (size_t i = 0; i < BUCKETS; i++)
        while (calls->buckets[i])
            unlist(calls, calls->buckets[i]);
    underway_close(calls->underway);
    pthread_mutex_destroy(&calls->mutex);
    free(calls->left);
    free(calls);
}

void calls_tell_left(struct calls *calls)
{
    pthread_mutex_lock(&calls->mutex);
    for (size_t i = 0; i < calls->left_count; i++)
        take_back(calls, calls->left[i], 0);
    calls->left_count = 0;
    pthread_mutex_unlock(&calls->mutex);
}

void calls_end(struct calls *calls)
{
    pthread_mutex_lock(&calls->mutex);
    while (calls->oldest)
        unlist(calls, calls->oldest);
    pthread_mutex_unlock(&calls->mutex);
}

/* Under the lock. */
static struct call *find(struct calls *calls, const struct call_key *key)
{
    struct call *call = *bucket_of(calls, key);
    while (call && memcmp(call->key.id, key->id, UUID_SIZE) != 0)
        call = call->next;
    return call;
}

static struct call *begin(struct calls *calls, const struct call_key *key)
{
    struct call *call = calloc(1, sizeof(*call));
    struct call **bucket = bucket_of(calls, key);
    if (!call || !underway_begin(calls->underway, key->id)) {
        free(call);
        return NULL;
    }
    OBJECT_MAKE(call, CALL_MAGIC);
    call->key = *key;
    call->users = 2; /* the table and who makes it */
    call->listed = true;
    call->next = *bucket;
    *bucket = call;
    return call;
}

static enum calls_place place_of(struct calls *calls, const struct call_key *key, struct call_wait *wait,
                                 struct call **call)
{
    *call = find(calls, key);
    if (!*call) {
        *call = begin(calls, key);
        return *call ? CALLS_FIRST : CALLS_REFUSED;
    }
    if (memcmp((*call)->key.thumbprint, key->thumbprint, DIGEST_SIZE) != 0) {
        *call = NULL;
        return CALLS_APART;
    }
    (*call)->users++;
    if ((*call)->ended)
        return CALLS_ENDED;
    wait->next = (*call)->waits;
    (*call)->waits = wait;
    return CALLS_LATER;
}

enum calls_place calls_enter(struct calls *calls, const struct call_key *key, struct call_wait *wait,
                             struct call **call)
{
    OBJECT_CHECK(calls, CALLS_MAGIC);
    pthread_mutex_lock(&calls->mutex);
    make_room(calls, 0);
    enum calls_place place = place_of(calls, key, wait, call);
    pthread_mutex_unlock(&calls->mutex);
    return place;
}

void calls_let_go(struct calls *calls, struct call *call)
{
    pthread_mutex_lock(&calls->mutex);
    OBJECT_CHECK(call, CALL_MAGIC);
    let_go(calls, call);
    pthread_mutex_unlock(&calls->mutex);
}

void calls_charged(struct call *call)
{
    OBJECT_CHECK(call, CALL_MAGIC);
    call->charged = true; /* only who makes it says so, before it ends */
}

bool calls_finish(struct calls *calls, struct call *call, struct slice result, int64_t final_micros)
{
    char *copy = malloc(result.len + 1);
    if (copy)
        memcpy(copy, result.data, result.len);
    pthread_mutex_lock(&calls->mutex);
    OBJECT_CHECK(call, CALL_MAGIC);
    assert(!call->ended && call->listed);
    struct call_wait *waits = call->waits;
    call->waits = NULL;
    call->ended = true;
    call->err = ERR_REQUEST_REPEATED;
    call->final_micros = final_micros;
    call->ended_ms = clock_monotonic_ms();
    make_room(calls, result.len);
    bool kept = copy && result.len <= calls->kept_bytes_max;
    if (kept) {
        call->result = copy;
        call->result_len = result.len;
        calls->kept_bytes += result.len;
        call->older = calls->newest;
        *(calls->newest ? &calls->newest->newer : &calls->oldest) = call;
        calls->newest = call;
    } else {
        free(copy);
        unlist(calls, call);
    }
    pthread_mutex_unlock(&calls->mutex);
    tell(waits);
    return kept;
}

void calls_delivered(struct calls *calls, struct call *call)
{
    pthread_mutex_lock(&calls->mutex);
    assert(call->ended);
    if (!call->delivered && call->final_micros >= 0)
        take_back(calls, call->key.id, call->final_micros);
    else if (!call->delivered)
        underway_end(calls->underway, call->key.id);
    call->delivered = true;
    pthread_mutex_unlock(&calls->mutex);
}

void calls_fail(struct calls *calls, struct call *call, enum err err)
{
    struct call_wait *waits = NULL;
    pthread_mutex_lock(&calls->mutex);
    OBJECT_CHECK(call, CALL_MAGIC);
    if (!call->ended) {
        waits = call->waits;
        call->waits = NULL;
        call->ended = true;
        call->err = err;
        if (!call->charged)
            underway_end(calls->underway, call->key.id);
        unlist(calls, call);
    }
    pthread_mutex_unlock(&calls->mutex);
    tell(waits);
}

struct slice calls_result(const struct call *call, enum err *err)
{
    assert(call->ended);
    *err = call->result ? ERR_OK : call->err;
    return call->result ? (struct slice){call->result, call->result_len} : (struct slice){NULL, 0};
}
