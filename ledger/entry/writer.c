/* Invariants: a submission is in the queue or in one thread's batch, never in two places, and leaves them
 * through answer(). Each of the writer's threads has a connection of its own; all share the queue. What is in
 * a struct writer_thread only that thread touches. While the ledger is away, entries wait until their
 * deadline for it to come back; a batch whose outcome is unknown is sent again, which is safe because its ids
 * are its keys. */
#include "ledger/entry/writer.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/entry/crawler.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/identifier.h"
#include "ledger/entry/queue.h"
#include "ledger/entry/receipt_cache.h"
#include "ledger/entry/recrawl.h"
#include "ledger/entry/reports.h"
#include "ledger/entry/session.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define PUT_OFF_MS     20 /* between tries of a statement that the server put off */
#define RESERVE_MAX_MS 1000

#define WRITER_MAGIC 0x5bd1e995u
#define THREAD_MAGIC 0xa3c47f12u

struct writer_thread {
    uint32_t magic;
    struct writer *writer;
    const struct config *config;
    pthread_t id;
    struct session *session; /* NULL: no connection */
    struct crawler_cache *crawlers;
    struct entry_arrays *arrays;
    struct recrawl_arrays *recrawls;
    struct identifier_arrays *identifiers;
    struct entry *batch;
    size_t count;
    size_t taken;          /* entries so far */
    int64_t connect_at_ms; /* monotonic */
    int64_t backoff_ms;
    struct log_repeats repeats; /* why it could not connect */
    atomic_bool turned;         /* since writer_turned looked */
};

struct writer {
    uint32_t magic;
    const struct config *config;
    struct queue *queue;
    atomic_size_t connected; /* threads that are */
    atomic_bool refused;     /* the last try to connect failed */
    struct receipt_cache *receipts;
    struct reports *reports;
    struct writer_thread *threads;
    size_t thread_count; /* that run */
};

/* An entry must not slip into a day that is about to be closed, nor be dated before its offer by a clock that
 * was set back while it waited: the night would not bill it. */
static bool out_of_time(const struct config *config, const struct charge *charge, int64_t now_ms)
{
    int64_t age_ms = now_ms - uuid_ms(charge->payment_id);
    return age_ms + config->ledger_timeout_seconds * 1000 > ENTRY_LATEST_MS || age_ms < -ENTRY_LATEST_MS;
}

/* --- Taking --- */

/* What the ledger could not make sense of must not get this far. */
static void check_charge(const struct writer *writer, const struct charge *charge)
{
    assert(charge->site < writer->config->site_count && uuid_is_v7(charge->payment_id));
    assert(charge->amount_micros >= 0 && charge->let_off_micros >= 0 && charge->agent.len > 0);
}

enum err writer_submit(struct writer *writer, struct submission *submission)
{
    OBJECT_CHECK(writer, WRITER_MAGIC);
    OBJECT_CHECK(submission, SUBMISSION_MAGIC);
    assert(!submission->taken && submission->done); /* twice would be two answers to one request */
    check_charge(writer, submission->charge);
    if (!writer_ready(writer))
        return ERR_LEDGER_UNAVAILABLE;
    /* The deadline is of the request and not of a try: whoever waits is answered by then. */
    submission->deadline_ms = clock_monotonic_ms() + writer->config->ledger_timeout_seconds * 1000;
    return queue_put(writer->queue, submission);
}

enum err writer_report(struct writer *writer, struct undelivered_report *report)
{
    OBJECT_CHECK(writer, WRITER_MAGIC);
    if (!reports_put(writer->reports, report))
        return ERR_OVERLOADED;
    queue_wake(writer->queue);
    return ERR_OK;
}

bool writer_ready(const struct writer *writer)
{
    OBJECT_CHECK(writer, WRITER_MAGIC);
    return atomic_load(&writer->connected) > 0;
}

bool writer_refused(const struct writer *writer)
{
    OBJECT_CHECK(writer, WRITER_MAGIC);
    return atomic_load(&writer->refused) && !writer_ready(writer);
}

/* Of what charge_compare compares, each part with its length. The price and not the amount: a repeat may be
 * let off more or less than the first one was, and gets that one's receipt. An identifier that came with
 * another payment only the ledger knows. */
static void digest_content(const struct config *config, const struct charge *charge, uint8_t out[DIGEST_SIZE])
{
    struct slice site = slice_of(config->sites[charge->site].name);
    const uint64_t numbers[] = {(uint64_t)charge_offered(charge), site.len, charge->agent.len,
                                charge->resource.len, charge->identifier.len};
    struct slice copy = slice_bytes(charge->copy, charge->recrawl_ms > 0 ? DIGEST_SIZE : 0);
    struct slice payload = slice_bytes(charge->payload, charge->identifier.len > 0 ? DIGEST_SIZE : 0);
    const struct slice parts[] = {slice_bytes((const uint8_t *)numbers, sizeof(numbers)),
                                  site,
                                  charge->agent,
                                  charge->resource,
                                  charge->identifier,
                                  payload,
                                  copy};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), out);
}

bool writer_recall(struct writer *writer, const struct charge *charge, struct charge_outcome *outcome)
{
    OBJECT_CHECK(writer, WRITER_MAGIC);
    uint8_t content[DIGEST_SIZE];
    if (out_of_time(writer->config, charge, clock_now_ms()))
        return false;
    if (reports_has(writer->reports, charge->payment_id)) {
        outcome->err = ERR_PAYMENT_UNDELIVERED;
        return true;
    }
    digest_content(writer->config, charge, content);
    struct receipt receipt;
    if (!receipt_cache_find(writer->receipts, charge->payment_id, content, &receipt))
        return false;
    *outcome = (struct charge_outcome){.err = receipt.undelivered ? ERR_PAYMENT_UNDELIVERED : ERR_OK,
                                       .repeated = !receipt.undelivered,
                                       .recorded_at_ms = receipt.recorded_at_ms,
                                       .amount_micros = receipt.amount_micros};
    return true;
}

static void remember(struct writer *writer, const struct submission *submission)
{
    const struct charge *charge = submission->charge;
    const struct charge_outcome *outcome = &submission->outcome;
    const struct receipt receipt = {outcome->recorded_at_ms, outcome->amount_micros,
                                    outcome->err == ERR_PAYMENT_UNDELIVERED};
    uint8_t content[DIGEST_SIZE];
    if (outcome->err != ERR_OK && !receipt.undelivered)
        return;
    digest_content(writer->config, charge, content);
    receipt_cache_put(writer->receipts, charge->payment_id, content, &receipt);
}

/* As charge.h promises it to whoever waits: credit is settled by it. */
static void check_outcome(const struct charge *charge, const struct charge_outcome *outcome)
{
    bool recorded = outcome->err == ERR_OK;
    assert(recorded || outcome->err == ERR_PAYMENT_CONFLICT || outcome->err == ERR_LEDGER_UNAVAILABLE ||
           outcome->err == ERR_INTERNAL || outcome->err == ERR_PAYMENT_UNDELIVERED ||
           outcome->err == charge->unless_repeat || outcome->err == ERR_REQUEST_REPEATED ||
           outcome->err == ERR_PAGE_CHANGED || outcome->err == ERR_IDENTIFIER_CONFLICT);
    /* Only what may be recorded is, and then by a batch that the table "spend" has. */
    assert(!recorded || outcome->repeated || (charge->unless_repeat == ERR_OK && outcome->sequence > 0));
    assert(!recorded || outcome->amount_micros <= charge_offered(charge));
}

static void answer(struct submission *submission)
{
    OBJECT_CHECK(submission, SUBMISSION_MAGIC);
    assert(submission->taken);
    check_outcome(submission->charge, &submission->outcome);
    submission->next = NULL;
    submission->taken = false;
    submission->done(submission); /* it may be gone after this */
}

static void refuse(struct submission *submission)
{
    submission->outcome.err = ERR_LEDGER_UNAVAILABLE;
    answer(submission);
}

/* Answers the entries of the batch that are decided, or whose deadline is `until_ms` or before. */
static void answer_batch(struct writer_thread *thread, int64_t until_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < thread->count; i++) {
        struct entry *entry = &thread->batch[i];
        /* What is not decided stays, to be tried again: safe, since the batch's ids are its keys. */
        if (entry->decided) {
            remember(thread->writer, entry->submission);
            answer(entry->submission);
        } else if (entry->submission->deadline_ms <= until_ms) {
            refuse(entry->submission);
        } else {
            thread->batch[kept++] = *entry;
        }
    }
    thread->count = kept;
    assert(until_ms < INT64_MAX || thread->count == 0); /* then nobody is left who waits */
}

static void expire(struct writer_thread *thread, int64_t until_ms)
{
    struct submission *submission;
    answer_batch(thread, until_ms);
    while ((submission = queue_take(thread->writer->queue, until_ms)))
        refuse(submission);
}

static void fill_batch(struct writer_thread *thread)
{
    OBJECT_CHECK(thread, THREAD_MAGIC);
    assert(thread->session); /* others may have one: what this thread takes they cannot */
    struct submission *submission;
    size_t room = (size_t)thread->config->ledger_batch_entries;
    while (thread->count < room && (submission = queue_take(thread->writer->queue, INT64_MAX))) {
        thread->batch[thread->count] = (struct entry){.submission = submission, .order = thread->taken++};
        thread->count++;
    }
}

/* --- The connection --- */

static void lose(struct writer_thread *thread)
{
    assert(thread->session);
    size_t connected = atomic_fetch_sub(&thread->writer->connected, 1);
    assert(connected > 0);
    metrics_add(METRIC_LEDGER_LOST, 1);
    session_close(thread->session);
    thread->session = NULL;
    /* At once, and only then with pauses: most losses are a restart or a failover. */
    thread->backoff_ms = BACKOFF_MIN_MS;
    thread->connect_at_ms = clock_monotonic_ms();
}

/* Entries with less time left than this are not sent any more: a deadline too short for a commit would cost
 * the others their connection. */
static int64_t reserve_ms(const struct writer_thread *thread)
{
    int64_t fifth = thread->config->ledger_timeout_seconds * 1000 / 5;
    return fifth < RESERVE_MAX_MS ? fifth : RESERVE_MAX_MS;
}

static int64_t first_deadline(const struct writer_thread *thread)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < thread->count; i++)
        if (thread->batch[i].submission->deadline_ms < first)
            first = thread->batch[i].submission->deadline_ms;
    return first;
}

/* Who waits already is answered in time, however long connecting takes: new entries are taken only once there
 * is a connection. 0: nobody waits. */
static int64_t connect_deadline(struct writer_thread *thread)
{
    expire(thread, clock_monotonic_ms() + reserve_ms(thread));
    int64_t first = first_deadline(thread), queued = queue_deadline(thread->writer->queue);
    if (queued < first)
        first = queued;
    return first == INT64_MAX ? 0 : first;
}

static void connect_now(struct writer_thread *thread)
{
    assert(!thread->session);
    int64_t deadline_ms = connect_deadline(thread);
    log_repeats_begin(&thread->repeats);
    thread->session = session_open(thread->config, deadline_ms);
    log_repeats_end();
    if (thread->session) {
        thread->repeats = (struct log_repeats){0};
        /* It may be another server, which lacks what the last one had said was done. */
        receipt_cache_forget(thread->writer->receipts);
        crawler_cache_forget(thread->crawlers);
        atomic_store(&thread->writer->refused, false);
        size_t connected = atomic_fetch_add(&thread->writer->connected, 1);
        assert(connected < (size_t)thread->config->ledger_writers);
        LOG(INFO, "ledger_ready", {"role", thread->config->ledger_gate_role});
        return;
    }
    atomic_store(&thread->writer->refused, true);
    thread->connect_at_ms = clock_monotonic_ms() + thread->backoff_ms;
    thread->backoff_ms = thread->backoff_ms * 2 < BACKOFF_MAX_MS ? thread->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* True if there is a session. */
static bool keep_connected(struct writer_thread *thread)
{
    if (thread->session) {
        session_keep(thread->session, thread->config);
        if (!pg_alive(thread->session->pg))
            lose(thread);
    }
    if (!thread->session && clock_monotonic_ms() >= thread->connect_at_ms)
        connect_now(thread);
    return thread->session != NULL;
}

/* --- Writing --- */

/* `record`: the account, its key and the evidence for it, if they are not there. */
static enum err find_crawler(struct writer_thread *thread, struct entry *entry, bool record)
{
    assert(!entry->decided && thread->session);
    const struct charge *charge = entry->submission->charge;
    const struct crawler_key key = {charge->agent, charge->thumbprint, charge->public_key,
                                    charge->directory_url, charge->snapshot};
    struct pg *pg = thread->session->pg;
    entry->site_id = thread->session->site_ids[charge->site];
    enum err err = record ? crawler_find(thread->crawlers, pg, &key, clock_now_ms(), &entry->crawler_id)
                          : crawler_seek(thread->crawlers, pg, &key, &entry->crawler_id);
    if (err == ERR_OK || pg_failure(pg) != PG_DATA)
        return err;
    entry->submission->outcome.err = ERR_INTERNAL;
    entry->decided = true;
    return ERR_OK;
}

/* An id that is there, sent by whom the ledger does not know, or did not when it was asked: with an account
 * it is compared again, and told about. */
static enum err compare_strangers(struct writer_thread *thread)
{
    enum err err = ERR_OK;
    bool any = false;
    for (size_t i = 0; i < thread->count; i++) {
        struct entry *entry = &thread->batch[i];
        if (entry->decided || !entry->conflict || entry->crawler_id != 0)
            continue;
        TRY(find_crawler(thread, entry, true));
        /* Its values may be refused: then it has been decided there, and has no account to be compared by. */
        entry->conflict = false;
        any = true;
    }
    if (any)
        TRY(entry_compare(thread->arrays, thread->session->pg, thread->batch, thread->count));
out:
    return err;
}

/* Decides as many entries as it can. Safe to run again for those that it left. */
static enum err try_batch(struct writer_thread *thread)
{
    enum err err = ERR_OK;
    int64_t now_ms = clock_now_ms(); /* the instant that is judged is the one that is recorded */
    for (size_t i = 0; i < thread->count; i++) {
        struct entry *entry = &thread->batch[i];
        entry->conflict = false;
        assert(!entry->decided); /* answer_batch has taken those away */
        entry->decided = out_of_time(thread->config, entry->submission->charge, now_ms);
        if (entry->decided)
            entry->submission->outcome.err = ERR_LEDGER_UNAVAILABLE;
        else
            TRY(find_crawler(thread, entry, entry->submission->charge->unless_repeat == ERR_OK));
    }
    entry_sort(thread->batch, thread->count);
    TRY(identifier_bind(thread->identifiers, thread->session->pg, thread->batch, thread->count));
    TRY(recrawl_price(thread->recrawls, thread->session->pg, thread->batch, thread->count));
    TRY(entry_insert(thread->arrays, thread->session, now_ms, thread->batch, thread->count));
    TRY(entry_compare(thread->arrays, thread->session->pg, thread->batch, thread->count));
    TRY(compare_strangers(thread));
    TRY(entry_insert_conflicts(thread->arrays, thread->session, thread->batch, thread->count));
out:
    return err;
}

static void write_batch(struct writer_thread *thread)
{
    expire(thread, clock_monotonic_ms() + reserve_ms(thread));
    if (thread->count == 0)
        return;
    assert(thread->count <= (size_t)thread->config->ledger_batch_entries);
    /* The deadline is the first one's: beyond it nobody waits for the commit. */
    struct pg *pg = thread->session->pg;
    pg_deadline(pg, first_deadline(thread));
    enum err err = try_batch(thread);
    enum pg_failure failure = pg_failure(pg);
    pg_deadline(pg, 0);
    answer_batch(thread, clock_monotonic_ms());
    if (err == ERR_OK && thread->count == 0)
        return;
    if (failure == PG_LOST) {
        lose(thread);
    } else if (err == ERR_OK || failure == PG_RETRY) {
        poll(NULL, 0, PUT_OFF_MS);
    } else {
        /* The ledger is not as it should be. Nobody is charged; the next session looks again. */
        answer_batch(thread, INT64_MAX);
        lose(thread);
        thread->connect_at_ms = clock_monotonic_ms() + BACKOFF_MAX_MS;
    }
}

/* --- The thread --- */

/* Waits for entries, or for the moment to look at the connection. False when stopped and nothing is left that
 * this thread could do. */
static bool wait_for_work(struct writer_thread *thread)
{
    const struct queue_waiter waiter = {.connected = thread->session != NULL,
                                        .holds = thread->count > 0,
                                        .reports = thread->writer->reports,
                                        .connect_at_ms = thread->connect_at_ms};
    return queue_wait(thread->writer->queue, &waiter);
}

static void *write_entries(void *context)
{
    OBJECT_CHECK((struct writer_thread *)context, THREAD_MAGIC);
    struct writer_thread *thread = context;
    while (wait_for_work(thread)) {
        atomic_store(&thread->turned, true);
        expire(thread, clock_monotonic_ms());
        reports_expire(thread->writer->reports, clock_monotonic_ms());
        if (!keep_connected(thread))
            continue;
        fill_batch(thread);
        if (thread->count > 0)
            write_batch(thread);
        if (thread->session &&
            !reports_write(thread->writer->reports, thread->session, thread->writer->receipts,
                           thread->config->ledger_timeout_seconds * 1000))
            lose(thread);
    }
    answer_batch(thread, INT64_MAX);
    return NULL;
}

/* --- Start and stop --- */

static bool start_thread(struct writer *writer, struct writer_thread *thread)
{
    size_t room = (size_t)writer->config->ledger_batch_entries;
    *thread = (struct writer_thread){
        .magic = THREAD_MAGIC, .writer = writer, .config = writer->config, .backoff_ms = BACKOFF_MIN_MS};
    thread->crawlers = crawler_cache_new();
    thread->arrays = entry_arrays_new();
    thread->recrawls = recrawl_arrays_new();
    thread->identifiers = identifier_arrays_new();
    thread->batch = calloc(room, sizeof(*thread->batch));
    return thread->crawlers && thread->arrays && thread->recrawls && thread->identifiers && thread->batch &&
           pthread_create(&thread->id, NULL, write_entries, thread) == 0;
}

static void release(struct writer *writer)
{
    OBJECT_END(writer, WRITER_MAGIC);
    for (size_t i = 0; writer->threads && i < (size_t)writer->config->ledger_writers; i++) {
        struct writer_thread *thread = &writer->threads[i];
        assert(thread->count == 0);
        crawler_cache_free(thread->crawlers);
        entry_arrays_free(thread->arrays);
        recrawl_arrays_free(thread->recrawls);
        identifier_arrays_free(thread->identifiers);
        session_close(thread->session);
        free(thread->batch);
    }
    receipt_cache_free(writer->receipts);
    reports_free(writer->reports);
    queue_free(writer->queue);
    free(writer->threads);
    free(writer);
}

struct writer *writer_start(const struct config *config)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return NULL;
    assert(config->ledger_writers > 0 && config->ledger_batch_entries > 0 &&
           config->ledger_queue_entries > 0);
    OBJECT_MAKE(writer, WRITER_MAGIC);
    writer->config = config;
    writer->threads = calloc((size_t)config->ledger_writers, sizeof(*writer->threads));
    writer->receipts = receipt_cache_new((size_t)config->ledger_replay_entries);
    writer->reports = reports_new();
    writer->queue = queue_new((size_t)config->ledger_queue_entries);
    if (!writer->threads || !writer->receipts || !writer->reports || !writer->queue) {
        release(writer);
        return NULL;
    }
    while (writer->thread_count < (size_t)config->ledger_writers) {
        if (!start_thread(writer, &writer->threads[writer->thread_count])) {
            writer_stop(writer);
            return NULL;
        }
        writer->thread_count++;
    }
    return writer;
}

bool writer_turned(struct writer *writer)
{
    size_t i = 0;
    OBJECT_CHECK(writer, WRITER_MAGIC);
    while (i < writer->thread_count && atomic_load(&writer->threads[i].turned))
        i++;
    bool all = i == writer->thread_count;
    /* Only then, or those that are quick would have to turn again while one is slow. */
    while (all && i > 0)
        atomic_store(&writer->threads[--i].turned, false);
    return all;
}

void writer_stop(struct writer *writer)
{
    struct submission *left;
    if (!writer)
        return;
    OBJECT_CHECK(writer, WRITER_MAGIC);
    queue_stop(writer->queue);
    for (size_t i = 0; i < writer->thread_count; i++)
        pthread_join(writer->threads[i].id, NULL);
    while ((left = queue_take(writer->queue, INT64_MAX)))
        refuse(left);
    reports_expire(writer->reports, INT64_MAX);
    release(writer);
}
