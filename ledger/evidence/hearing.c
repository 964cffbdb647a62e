/* Batches go round in a ring, are judged in any order and collected in the order in which they were read, so
 * that what comes out depends on the entries alone. The reader waits when the ring is full: it is far ahead
 * of those who judge, since a signature costs some fifty times what reading its entry does. */
#include "ledger/evidence/hearing.h"

#include "ledger/base/cores.h"
#include "sql/rows/evidence.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX   256
#define BATCH_ENTRIES 64
#define BATCH_BYTES   262144 /* it is handed over when it has so many, whatever its number of entries */
#define TELL_EVERY    16384

struct item {
    struct evidence_finding finding; /* with what is to be told of the entry */
    uint8_t thumbprint[DIGEST_SIZE];
    int64_t recorded_ms;
    size_t at, resource_len, signature_len, base_len; /* one after the other in the batch's bytes */
};

enum batch_state { BATCH_FREE, BATCH_FULL, BATCH_TAKEN, BATCH_DONE };

struct batch {
    enum batch_state state; /* under the lock; the rest is of whoever has the batch */
    size_t count;
    struct item items[BATCH_ENTRIES];
    char *bytes;
    size_t len, room;
};

#define BENCH_MAGIC 0x7a0c52e9

struct bench {
    uint32_t magic;
    const struct evidence_order *order;
    struct evidence_hearing *hearing;
    pthread_mutex_t lock;
    pthread_cond_t submitted, judged;
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
    struct batch *ring;
    size_t ring_size;
    uint64_t filling, taking; /* numbers of batches, which are in the ring at their remainders */
    bool ending, failed;      /* failed: a judge had no memory */
    int64_t read;
};

static struct batch *batch_of(struct bench *bench, uint64_t number)
{
    return &bench->ring[number % bench->ring_size];
}

/* --- those who judge --- */

static void judge_batch(struct evidence_judge *judge, struct batch *batch)
{
    assert(batch->count <= BATCH_ENTRIES);
    for (size_t i = 0; i < batch->count; i++) {
        struct item *item = &batch->items[i];
        const char *at = batch->bytes + item->at;
        assert(item->at + item->resource_len + item->signature_len + item->base_len <= batch->len);
        const struct evidence_entry entry = {
            .payment_id = item->finding.payment_id,
            .thumbprint = item->thumbprint,
            .crawler_id = item->finding.crawler_id,
            .amount_micros = item->finding.amount_micros,
            .recorded_ms = item->recorded_ms,
            .resource = {at, item->resource_len},
            .signature = {at + item->resource_len, item->signature_len},
            .signature_base = {at + item->resource_len + item->signature_len, item->base_len},
        };
        struct evidence_verdict verdict;
        evidence_judge(judge, &entry, false, &verdict);
        item->finding.failed = verdict.failed;
    }
}

/* The next batch that is to be judged; NULL: there will be none. Under the lock. */
static struct batch *take(struct bench *bench)
{
    while (batch_of(bench, bench->taking)->state != BATCH_FULL) {
        if (bench->ending)
            return NULL;
        pthread_cond_wait(&bench->submitted, &bench->lock);
    }
    struct batch *batch = batch_of(bench, bench->taking++);
    batch->state = BATCH_TAKEN;
    return batch;
}

static void *sit(void *context)
{
    struct bench *bench = context;
    struct batch *batch;
    OBJECT_CHECK(bench, BENCH_MAGIC);
    struct evidence_judge *judge = evidence_judge_new(bench->order->book);
    pthread_mutex_lock(&bench->lock);
    while ((batch = take(bench))) {
        pthread_mutex_unlock(&bench->lock);
        /* Without a judge batches are taken all the same, or whoever reads would wait for them for ever. */
        if (judge)
            judge_batch(judge, batch);
        pthread_mutex_lock(&bench->lock);
        bench->failed |= !judge;
        assert(batch->state == BATCH_TAKEN); /* by this thread alone */
        batch->state = BATCH_DONE;
        pthread_cond_signal(&bench->judged);
    }
    pthread_mutex_unlock(&bench->lock);
    evidence_judge_free(judge);
    return NULL;
}

/* --- who reads --- */

static bool add_finding(struct evidence_hearing *hearing, const struct evidence_finding *finding)
{
    const struct evidence_finding *last = hearing->count > 0 ? &hearing->findings[hearing->count - 1] : NULL;
    /* The ring has kept the order in which they were read: whoever hears on goes on behind the last one. */
    assert(!last || memcmp(last->payment_id, finding->payment_id, UUID_SIZE) <= 0);
    if (hearing->count == hearing->room) {
        size_t room = hearing->room * 2 + 64;
        struct evidence_finding *findings = realloc(hearing->findings, room * sizeof(*findings));
        if (!findings)
            return false;
        hearing->findings = findings;
        hearing->room = room;
    }
    hearing->findings[hearing->count++] = *finding;
    return true;
}

/* Waits until the batch of that number, if there was one a round before, is judged, and takes down what is to
 * be told of it. False without memory. */
static bool collect(struct bench *bench, uint64_t number)
{
    struct batch *batch = batch_of(bench, number);
    bool ok = true;
    pthread_mutex_lock(&bench->lock);
    while (batch->state == BATCH_FULL || batch->state == BATCH_TAKEN)
        pthread_cond_wait(&bench->judged, &bench->lock);
    bool done = batch->state == BATCH_DONE;
    batch->state = BATCH_FREE;
    ok = !bench->failed;
    pthread_mutex_unlock(&bench->lock);
    assert(done || batch->count == 0); /* what was not handed over is free, and empty */
    for (size_t i = 0; i < batch->count && done && ok; i++) {
        const struct evidence_finding *finding = &batch->items[i].finding;
        if (finding->failed < EVIDENCE_CHECKS || finding->listed[0])
            ok = add_finding(bench->hearing, finding);
    }
    bench->hearing->entries += done ? (int64_t)batch->count : 0;
    batch->count = batch->len = 0;
    return ok;
}

/* Hands the batch over that is being filled, and makes the next one free. */
static bool submit(struct bench *bench)
{
    struct batch *batch = batch_of(bench, bench->filling);
    assert(batch->state == BATCH_FREE && batch->count > 0);
    pthread_mutex_lock(&bench->lock);
    batch->state = BATCH_FULL;
    pthread_cond_signal(&bench->submitted);
    pthread_mutex_unlock(&bench->lock);
    return collect(bench, ++bench->filling);
}

static char *put(char *at, struct slice bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

static bool add_entry(struct batch *batch, const struct evidence_entries_row *row)
{
    size_t len = row->resource.len + row->signature.len + row->signature_base.len;
    /* Grown for what is there, and kept for the next round: a base is some hundred bytes, and may be 64 KB.
     */
    if (batch->room - batch->len < len) {
        size_t room = batch->len + len + BATCH_BYTES;
        char *bytes = realloc(batch->bytes, room);
        if (!bytes)
            return false;
        batch->bytes = bytes;
        batch->room = room;
    }
    assert(batch->count < BATCH_ENTRIES); /* a full one has been handed over */
    struct item *item = &batch->items[batch->count++];
    *item = (struct item){.finding = {.crawler_id = row->crawler_id, .amount_micros = row->amount_micros},
                          .recorded_ms = row->recorded_ms,
                          .at = batch->len,
                          .resource_len = row->resource.len,
                          .signature_len = row->signature.len,
                          .base_len = row->signature_base.len};
    memcpy(item->finding.payment_id, row->payment_id.data, UUID_SIZE);
    snprintf(item->finding.listed, sizeof(item->finding.listed), "%.*s", (int)row->unproven.len,
             row->unproven.len > 0 ? row->unproven.data : "");
    /* A CHECK demands this length; of another one there is no key: zeros are no key's thumbprint. */
    if (row->thumbprint.len == DIGEST_SIZE)
        memcpy(item->thumbprint, row->thumbprint.data, DIGEST_SIZE);
    char *end = put(put(put(batch->bytes + batch->len, row->resource), row->signature), row->signature_base);
    batch->len += len;
    assert(end == batch->bytes + batch->len && batch->len <= batch->room);
    return true;
}

static enum err read_entry(void *context, const struct pg_row *row)
{
    struct bench *bench = context;
    struct evidence_hearing *hearing = bench->hearing;
    const struct evidence_entries_row entry = evidence_entries_row(row);
    struct batch *batch = batch_of(bench, bench->filling);
    OBJECT_CHECK(bench, BENCH_MAGIC);
    /* Before the entry that is one too many, so that it is the first of the next hearing. */
    if (hearing->count >= EVIDENCE_FINDINGS_MAX) {
        hearing->more = true;
        uuid_format((const uint8_t *)entry.payment_id.data, hearing->next_id);
        return ERR_OVERLOADED;
    }
    if (!add_entry(batch, &entry))
        return ERR_OVERLOADED;
    if ((batch->count == BATCH_ENTRIES || batch->len >= BATCH_BYTES) && !submit(bench))
        return ERR_OVERLOADED;
    if (bench->order->tell && ++bench->read % TELL_EVERY == 0)
        bench->order->tell(bench->order->context, hearing->entries);
    return ERR_OK;
}

/* --- the bench --- */

static bool convene(struct bench *bench)
{
    size_t wanted = bench->order->threads ? bench->order->threads : cores_usable();
    wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->submitted, NULL);
    pthread_cond_init(&bench->judged, NULL);
    OBJECT_MAKE(bench, BENCH_MAGIC);
    assert(wanted > 0);
    /* One that is judged and one that waits for each thread; one is being filled, and one may be collected.
     */
    bench->ring_size = 2 * wanted + 2;
    bench->ring = calloc(bench->ring_size, sizeof(*bench->ring));
    /* As many as can be had: with one the night takes longer, and comes to the same. */
    while (bench->ring && bench->thread_count < wanted &&
           pthread_create(&bench->threads[bench->thread_count], NULL, sit, bench) == 0)
        bench->thread_count++;
    return bench->thread_count > 0;
}

static void dismiss(struct bench *bench)
{
    pthread_mutex_lock(&bench->lock);
    bench->ending = true;
    pthread_cond_broadcast(&bench->submitted);
    pthread_mutex_unlock(&bench->lock);
    for (size_t i = 0; i < bench->thread_count; i++)
        pthread_join(bench->threads[i], NULL);
    for (size_t i = 0; bench->ring && i < bench->ring_size; i++)
        free(bench->ring[i].bytes);
    free(bench->ring);
    pthread_cond_destroy(&bench->submitted);
    pthread_cond_destroy(&bench->judged);
    pthread_mutex_destroy(&bench->lock);
    OBJECT_END(bench, BENCH_MAGIC);
}

/* The batch that is not full yet, and all that were not collected. */
static bool finish(struct bench *bench)
{
    bool ok = batch_of(bench, bench->filling)->count == 0 || submit(bench);
    for (size_t i = 0; i < bench->ring_size && ok; i++)
        ok = collect(bench, bench->filling + i);
    assert(!ok || bench->taking == bench->filling); /* none that was handed over was left out */
    return ok;
}

enum err evidence_hear(struct pg *pg, const struct evidence_order *order, struct evidence_hearing *hearing)
{
    struct pg_params params = {0};
    enum err err = ERR_OVERLOADED;
    struct bench *bench = calloc(1, sizeof(*bench));
    if (!bench)
        return ERR_OVERLOADED;
    OBJECT_CHECK(order->book, EVIDENCE_BOOK_MAGIC);
    assert(order->book->site && order->book->site->site_id == order->site_id);
    bench->order = order;
    bench->hearing = hearing;
    hearing->count = 0;
    hearing->more = false;
    if (!convene(bench))
        goto out;
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->first_id);
    pg_params_text(&params, order->end_id);
    err = pg_stream(pg, "evidence_entries", &params, read_entry, bench);
    /* Stopped by read_entry for the number of findings, which is no failure: what was read is judged. */
    if (err == ERR_OK || hearing->more)
        err = finish(bench) ? ERR_OK : ERR_OVERLOADED;
    assert(err != ERR_OK || !hearing->more || *hearing->next_id);
    if (order->tell && err == ERR_OK)
        order->tell(order->context, hearing->entries);
out:
    dismiss(bench);
    free(bench);
    return err;
}

void evidence_hearing_free(struct evidence_hearing *hearing)
{
    free(hearing->findings);
    *hearing = (struct evidence_hearing){.entries = 0};
}
