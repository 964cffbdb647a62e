/* Invariants: a charge is in the queue or in one worker's batch, never in two places, and leaves them through
 * answer(). A worker has a thread and a connection of its own; all share the queue. Only its thread touches a
 * worker. While the ledger is away, entries wait until their deadline for it to come back; a batch whose
 * outcome is unknown is sent again, which is safe because its ids are its keys. */
#include "ledger/entry/writer.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/entry/crawler.h"
#include "ledger/entry/entry.h"
#include "ledger/entry/receipt_cache.h"
#include "ledger/entry/session.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_MS        1000 /* how often an idle connection is looked at */
#define EXPIRE_MS      50   /* how often deadlines are looked at while there is no connection */
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define PUT_OFF_MS     20 /* between tries of a statement that the server put off */
#define RESERVE_MAX_MS 1000

struct worker {
    struct writer *writer;
    const struct config *config;
    pthread_t thread;
    struct session *session; /* NULL: no connection */
    struct crawler_cache *crawlers;
    struct entry_arrays *arrays;
    struct entry *batch;
    size_t count;
    size_t taken;          /* entries so far */
    int64_t connect_at_ms; /* monotonic */
    int64_t backoff_ms;
    struct log_repeats repeats; /* why it could not connect */
};

struct writer {
    const struct config *config;
    pthread_mutex_t mutex;
    pthread_cond_t work;        /* connected workers wait for this: an entry, or the end */
    pthread_cond_t end;         /* and the others for this */
    struct charge *head, *tail; /* under the mutex, like all up to stopping */
    size_t queued;
    size_t idle; /* workers that wait for work */
    bool stopping;
    atomic_size_t connected; /* workers that are */
    struct receipt_cache *receipts;
    struct worker *workers;
    size_t worker_count; /* whose threads run */
};

/* An entry must not slip into a day that is about to be closed. */
static bool too_late(const struct config *config, const struct charge *charge)
{
    int64_t latest_ms = clock_now_ms() + config->ledger_timeout_seconds * 1000;
    return latest_ms > uuid_ms(charge->payment_id) + ENTRY_LATEST_MS;
}

/* --- The queue
 * ---------------------------------------------------------------------------------------------- */

enum err writer_submit(struct writer *writer, struct charge *charge)
{
    if (!writer_ready(writer))
        return ERR_LEDGER_UNAVAILABLE;
    enum err err = ERR_OK;
    charge->next = NULL;
    charge->deadline_ms = clock_monotonic_ms() + writer->config->ledger_timeout_seconds * 1000;
    pthread_mutex_lock(&writer->mutex);
    assert(!writer->stopping);
    if (writer->queued >= (size_t)writer->config->ledger_queue_entries) {
        err = ERR_OVERLOADED;
    } else {
        if (writer->tail)
            writer->tail->next = charge;
        else
            writer->head = charge;
        writer->tail = charge;
        writer->queued++;
        if (writer->idle > 0)
            pthread_cond_signal(&writer->work);
    }
    pthread_mutex_unlock(&writer->mutex);
    return err;
}

bool writer_ready(const struct writer *writer)
{
    return atomic_load(&writer->connected) > 0;
}

/* Takes the first charge out of the queue; `until_ms`: only if its deadline is not after it. */
static struct charge *take(struct writer *writer, int64_t until_ms)
{
    pthread_mutex_lock(&writer->mutex);
    struct charge *charge = writer->head;
    if (charge && charge->deadline_ms > until_ms)
        charge = NULL;
    if (charge) {
        writer->head = charge->next;
        if (!writer->head)
            writer->tail = NULL;
        writer->queued--;
    }
    pthread_mutex_unlock(&writer->mutex);
    return charge;
}

/* Of what charge_compare compares, each part with its length. */
static void digest_content(const struct config *config, const struct charge *charge, uint8_t out[DIGEST_SIZE])
{
    struct slice site = slice_of(config->sites[charge->site].name);
    const uint64_t numbers[] = {(uint64_t)charge->amount_micros, site.len, charge->agent.len,
                                charge->resource.len};
    const struct slice parts[] = {slice_bytes((const uint8_t *)numbers, sizeof(numbers)), site, charge->agent,
                                  charge->resource};
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), out);
}

bool writer_recall(struct writer *writer, struct charge *charge)
{
    uint8_t content[DIGEST_SIZE];
    if (too_late(writer->config, charge))
        return false;
    digest_content(writer->config, charge, content);
    if (!receipt_cache_find(writer->receipts, charge->payment_id, content, &charge->recorded_at_ms))
        return false;
    charge->outcome = ERR_OK;
    charge->repeated = true;
    return true;
}

static void remember(struct writer *writer, const struct charge *charge)
{
    uint8_t content[DIGEST_SIZE];
    if (charge->outcome != ERR_OK)
        return;
    digest_content(writer->config, charge, content);
    receipt_cache_put(writer->receipts, charge->payment_id, content, charge->recorded_at_ms);
}

static void answer(struct charge *charge)
{
    charge->next = NULL;
    charge->done(charge); /* it may be gone after this */
}

static void refuse(struct charge *charge)
{
    charge->outcome = ERR_LEDGER_UNAVAILABLE;
    answer(charge);
}

/* Answers the entries of the batch that are decided, or whose deadline is `until_ms` or before. */
static void answer_batch(struct worker *worker, int64_t until_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < worker->count; i++) {
        struct entry *entry = &worker->batch[i];
        if (entry->decided) {
            remember(worker->writer, entry->charge);
            answer(entry->charge);
        } else if (entry->charge->deadline_ms <= until_ms) {
            refuse(entry->charge);
        } else {
            worker->batch[kept++] = *entry;
        }
    }
    worker->count = kept;
}

static void expire(struct worker *worker, int64_t until_ms)
{
    struct charge *charge;
    answer_batch(worker, until_ms);
    while ((charge = take(worker->writer, until_ms)))
        refuse(charge);
}

static void fill_batch(struct worker *worker)
{
    struct charge *charge;
    size_t room = (size_t)worker->config->ledger_batch_entries;
    while (worker->count < room && (charge = take(worker->writer, INT64_MAX))) {
        assert(charge->site < worker->config->site_count && uuid_is_v7(charge->payment_id));
        charge->repeated = false;
        worker->batch[worker->count] = (struct entry){.charge = charge, .order = worker->taken++};
        worker->count++;
    }
}

/* --- The connection
 * ----------------------------------------------------------------------------------------- */

static void lose(struct worker *worker)
{
    atomic_fetch_sub(&worker->writer->connected, 1);
    session_close(worker->session);
    worker->session = NULL;
    worker->backoff_ms = BACKOFF_MIN_MS;
    worker->connect_at_ms = clock_monotonic_ms();
}

/* Entries with less time left than this are not sent any more: a deadline too short for a commit would cost
 * the others their connection. */
static int64_t reserve_ms(const struct worker *worker)
{
    int64_t fifth = worker->config->ledger_timeout_seconds * 1000 / 5;
    return fifth < RESERVE_MAX_MS ? fifth : RESERVE_MAX_MS;
}

static int64_t first_deadline(const struct worker *worker)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < worker->count; i++)
        if (worker->batch[i].charge->deadline_ms < first)
            first = worker->batch[i].charge->deadline_ms;
    return first;
}

/* Who waits already is answered in time, however long connecting takes: new entries are taken only once there
 * is a connection. 0: nobody waits. */
static int64_t connect_deadline(struct worker *worker)
{
    struct writer *writer = worker->writer;
    expire(worker, clock_monotonic_ms() + reserve_ms(worker));
    int64_t first = first_deadline(worker);
    pthread_mutex_lock(&writer->mutex);
    if (writer->head && writer->head->deadline_ms < first)
        first = writer->head->deadline_ms;
    pthread_mutex_unlock(&writer->mutex);
    return first == INT64_MAX ? 0 : first;
}

static void connect_now(struct worker *worker)
{
    int64_t deadline_ms = connect_deadline(worker);
    log_repeats_begin(&worker->repeats);
    worker->session = session_open(worker->config, deadline_ms);
    log_repeats_end();
    if (worker->session) {
        worker->repeats = (struct log_repeats){0};
        receipt_cache_forget(worker->writer->receipts);
        crawler_cache_forget(worker->crawlers);
        atomic_fetch_add(&worker->writer->connected, 1);
        LOG(INFO, "ledger_ready", {"role", worker->config->ledger_gate_role});
        return;
    }
    worker->connect_at_ms = clock_monotonic_ms() + worker->backoff_ms;
    worker->backoff_ms = worker->backoff_ms * 2 < BACKOFF_MAX_MS ? worker->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* True if there is a session. */
static bool keep_connected(struct worker *worker)
{
    if (worker->session) {
        session_keep(worker->session, worker->config);
        if (!pg_alive(worker->session->pg))
            lose(worker);
    }
    if (!worker->session && clock_monotonic_ms() >= worker->connect_at_ms)
        connect_now(worker);
    return worker->session != NULL;
}

/* --- Writing
 * ------------------------------------------------------------------------------------------------ */

static enum err find_crawler(struct worker *worker, struct entry *entry)
{
    const struct charge *charge = entry->charge;
    const struct crawler_key key = {charge->agent, charge->thumbprint, charge->public_key,
                                    charge->directory_url, charge->snapshot};
    struct pg *pg = worker->session->pg;
    entry->site_id = worker->session->site_ids[charge->site];
    enum err err = crawler_find(worker->crawlers, pg, &key, clock_now_ms(), &entry->crawler_id);
    if (err == ERR_OK || pg_failure(pg) != PG_DATA)
        return err;
    entry->charge->outcome = ERR_INTERNAL;
    entry->decided = true;
    return ERR_OK;
}

/* Decides as many entries as it can. Safe to run again for those that it left. */
static enum err try_batch(struct worker *worker)
{
    struct pg *pg = worker->session->pg;
    enum err err = ERR_OK;
    for (size_t i = 0; i < worker->count; i++) {
        struct entry *entry = &worker->batch[i];
        entry->conflict = false;
        if (too_late(worker->config, entry->charge)) {
            entry->charge->outcome = ERR_LEDGER_UNAVAILABLE;
            entry->decided = true;
        } else {
            TRY(find_crawler(worker, entry));
        }
    }
    entry_sort(worker->batch, worker->count);
    TRY(entry_insert(worker->arrays, worker->session, worker->batch, worker->count));
    TRY(entry_compare(worker->arrays, pg, worker->batch, worker->count));
    TRY(entry_insert_conflicts(worker->arrays, worker->session, worker->batch, worker->count));
out:
    return err;
}

static void write_batch(struct worker *worker)
{
    expire(worker, clock_monotonic_ms() + reserve_ms(worker));
    if (worker->count == 0)
        return;
    struct pg *pg = worker->session->pg;
    pg_deadline(pg, first_deadline(worker));
    enum err err = try_batch(worker);
    enum pg_failure failure = pg_failure(pg);
    pg_deadline(pg, 0);
    answer_batch(worker, clock_monotonic_ms());
    if (err == ERR_OK && worker->count == 0)
        return;
    if (failure == PG_LOST) {
        lose(worker);
    } else if (err == ERR_OK || failure == PG_RETRY) {
        poll(NULL, 0, PUT_OFF_MS);
    } else {
        /* The ledger is not as it should be. Nobody is charged; the next session looks again. */
        answer_batch(worker, INT64_MAX);
        lose(worker);
        worker->connect_at_ms = clock_monotonic_ms() + BACKOFF_MAX_MS;
    }
}

/* --- The thread
 * --------------------------------------------------------------------------------------------- */

static void wait_until(struct writer *writer, pthread_cond_t *condition, int64_t monotonic_ms)
{
    struct timespec until = {monotonic_ms / 1000, monotonic_ms % 1000 * 1000000};
    pthread_cond_timedwait(condition, &writer->mutex, &until);
}

/* Waits for entries, or for the moment to look at the connection. False when stopped and nothing is left that
 * this worker could do. */
static bool wait_for_work(struct worker *worker)
{
    struct writer *writer = worker->writer;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&writer->mutex);
    bool pending = worker->count > 0 || writer->head;
    if (!writer->stopping && worker->session && !pending) {
        writer->idle++;
        wait_until(writer, &writer->work, now + IDLE_MS);
        writer->idle--;
    } else if (!writer->stopping && !worker->session && worker->connect_at_ms > now) {
        bool soon = pending && worker->connect_at_ms > now + EXPIRE_MS;
        wait_until(writer, &writer->end, soon ? now + EXPIRE_MS : worker->connect_at_ms);
    }
    bool go_on = !writer->stopping || (worker->session && (worker->count > 0 || writer->head));
    pthread_mutex_unlock(&writer->mutex);
    return go_on;
}

static void *run(void *context)
{
    struct worker *worker = context;
    while (wait_for_work(worker)) {
        expire(worker, clock_monotonic_ms());
        if (!keep_connected(worker))
            continue;
        fill_batch(worker);
        if (worker->count > 0)
            write_batch(worker);
    }
    answer_batch(worker, INT64_MAX);
    return NULL;
}

/* --- Start and stop
 * ----------------------------------------------------------------------------------------- */

static bool init_lock(struct writer *writer)
{
    pthread_condattr_t attributes;
    bool ok = pthread_mutex_init(&writer->mutex, NULL) == 0 && pthread_condattr_init(&attributes) == 0;
    if (!ok)
        return false;
    /* The clock of clock_monotonic_ms. */
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&writer->work, &attributes) == 0 &&
         pthread_cond_init(&writer->end, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

static bool start_worker(struct writer *writer, struct worker *worker)
{
    size_t room = (size_t)writer->config->ledger_batch_entries;
    *worker = (struct worker){.writer = writer, .config = writer->config, .backoff_ms = BACKOFF_MIN_MS};
    worker->crawlers = crawler_cache_new();
    worker->arrays = entry_arrays_new();
    worker->batch = calloc(room, sizeof(*worker->batch));
    return worker->crawlers && worker->arrays && worker->batch &&
           pthread_create(&worker->thread, NULL, run, worker) == 0;
}

static void release(struct writer *writer)
{
    for (size_t i = 0; writer->workers && i < (size_t)writer->config->ledger_writers; i++) {
        struct worker *worker = &writer->workers[i];
        crawler_cache_free(worker->crawlers);
        entry_arrays_free(worker->arrays);
        session_close(worker->session);
        free(worker->batch);
    }
    receipt_cache_free(writer->receipts);
    free(writer->workers);
    free(writer);
}

struct writer *writer_start(const struct config *config)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return NULL;
    writer->config = config;
    writer->workers = calloc((size_t)config->ledger_writers, sizeof(*writer->workers));
    writer->receipts = receipt_cache_new((size_t)config->ledger_replay_entries);
    if (!writer->workers || !writer->receipts || !init_lock(writer)) {
        release(writer);
        return NULL;
    }
    while (writer->worker_count < (size_t)config->ledger_writers) {
        if (!start_worker(writer, &writer->workers[writer->worker_count])) {
            writer_stop(writer);
            return NULL;
        }
        writer->worker_count++;
    }
    return writer;
}

void writer_stop(struct writer *writer)
{
    struct charge *left;
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_broadcast(&writer->work);
    pthread_cond_broadcast(&writer->end);
    pthread_mutex_unlock(&writer->mutex);
    for (size_t i = 0; i < writer->worker_count; i++)
        pthread_join(writer->workers[i].thread, NULL);
    while ((left = take(writer, INT64_MAX)))
        refuse(left);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->end);
    pthread_mutex_destroy(&writer->mutex);
    release(writer);
}
