/* Invariants: a charge is in the queue or in the batch, never in both, and leaves them through answer(). Only
 * the thread touches what is below `thread's own`. While the ledger is away, entries wait until their
 * deadline for it to come back; a batch whose outcome is unknown is sent again, which is safe because its ids
 * are its keys. */
#include "ledger/writer.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/crawler.h"
#include "ledger/entry.h"
#include "ledger/session.h"

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

struct writer {
    const struct config *config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct charge *head, *tail; /* under the mutex, like queued and stopping */
    size_t queued;
    bool stopping;
    atomic_bool ready;

    /* thread's own */
    struct session *session;
    struct crawler_cache *crawlers;
    struct entry_arrays *arrays;
    struct entry *batch;
    size_t count;
    int64_t connect_at_ms; /* monotonic */
    int64_t backoff_ms;
    bool told; /* that there is no connection */
};

/* --- The queue
 * ---------------------------------------------------------------------------------------------- */

enum err writer_submit(struct writer *writer, struct charge *charge)
{
    if (!atomic_load(&writer->ready))
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
        if (writer->queued++ == 0)
            pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->mutex);
    return err;
}

bool writer_ready(const struct writer *writer)
{
    return atomic_load(&writer->ready);
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
static void answer_batch(struct writer *writer, int64_t until_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < writer->count; i++) {
        struct entry *entry = &writer->batch[i];
        if (entry->decided)
            answer(entry->charge);
        else if (entry->charge->deadline_ms <= until_ms)
            refuse(entry->charge);
        else
            writer->batch[kept++] = *entry;
    }
    writer->count = kept;
}

static void expire(struct writer *writer, int64_t until_ms)
{
    struct charge *charge;
    answer_batch(writer, until_ms);
    while ((charge = take(writer, until_ms)))
        refuse(charge);
}

static void fill_batch(struct writer *writer)
{
    struct charge *charge;
    size_t room = (size_t)writer->config->ledger_batch_entries;
    size_t before = writer->count;
    while (writer->count < room && (charge = take(writer, INT64_MAX))) {
        assert(charge->site < writer->config->site_count && uuid_is_v7(charge->payment_id));
        charge->repeated = false;
        writer->batch[writer->count] = (struct entry){.charge = charge};
        writer->count++;
    }
    /* What is left of an earlier try came earlier. */
    for (size_t i = before; i < writer->count; i++)
        writer->batch[i].order = before ? writer->batch[i - 1].order + 1 : i;
}

/* --- The connection
 * ----------------------------------------------------------------------------------------- */

static void lose(struct writer *writer)
{
    atomic_store(&writer->ready, false);
    session_close(writer->session);
    writer->session = NULL;
    writer->backoff_ms = BACKOFF_MIN_MS;
    writer->connect_at_ms = clock_monotonic_ms();
    writer->told = false;
}

static void connect_now(struct writer *writer)
{
    writer->session = session_open(writer->config, writer->told);
    if (writer->session) {
        writer->told = false;
        atomic_store(&writer->ready, true);
        LOG(INFO, "ledger_ready", {"role", writer->config->ledger_gate_role});
        return;
    }
    writer->told = true;
    writer->connect_at_ms = clock_monotonic_ms() + writer->backoff_ms;
    writer->backoff_ms = writer->backoff_ms * 2 < BACKOFF_MAX_MS ? writer->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* True if there is a session. */
static bool keep_connected(struct writer *writer)
{
    if (writer->session) {
        session_keep(writer->session, writer->config);
        if (!pg_alive(writer->session->pg))
            lose(writer);
    }
    if (!writer->session && clock_monotonic_ms() >= writer->connect_at_ms)
        connect_now(writer);
    return writer->session != NULL;
}

/* --- Writing
 * ------------------------------------------------------------------------------------------------ */

/* An entry must not slip into a day that is about to be closed. */
static bool too_late(const struct writer *writer, const struct charge *charge)
{
    int64_t latest_ms = clock_now_ms() + writer->config->ledger_timeout_seconds * 1000;
    return latest_ms > uuid_ms(charge->payment_id) + ENTRY_LATEST_MS;
}

static enum err find_crawler(struct writer *writer, struct entry *entry)
{
    const struct charge *charge = entry->charge;
    const struct crawler_key key = {charge->agent, charge->thumbprint, charge->public_key,
                                    charge->directory_url, charge->snapshot};
    struct pg *pg = writer->session->pg;
    entry->site_id = writer->session->site_ids[charge->site];
    enum err err = crawler_find(writer->crawlers, pg, &key, clock_now_ms(), &entry->crawler_id);
    if (err == ERR_OK || pg_failure(pg) != PG_DATA)
        return err;
    entry->charge->outcome = ERR_INTERNAL;
    entry->decided = true;
    return ERR_OK;
}

/* Decides as many entries as it can. Safe to run again for those that it left. */
static enum err try_batch(struct writer *writer)
{
    struct pg *pg = writer->session->pg;
    enum err err = ERR_OK;
    for (size_t i = 0; i < writer->count; i++) {
        struct entry *entry = &writer->batch[i];
        entry->conflict = false;
        if (too_late(writer, entry->charge)) {
            entry->charge->outcome = ERR_LEDGER_UNAVAILABLE;
            entry->decided = true;
        } else {
            TRY(find_crawler(writer, entry));
        }
    }
    entry_sort(writer->batch, writer->count);
    TRY(entry_insert(writer->arrays, pg, writer->batch, writer->count));
    TRY(entry_compare(writer->arrays, pg, writer->batch, writer->count));
    TRY(entry_insert_conflicts(writer->arrays, pg, writer->batch, writer->count));
out:
    return err;
}

/* Entries with less time left than this are not sent any more: a deadline too short for a commit would cost
 * the others their connection. */
static int64_t reserve_ms(const struct writer *writer)
{
    int64_t fifth = writer->config->ledger_timeout_seconds * 1000 / 5;
    return fifth < RESERVE_MAX_MS ? fifth : RESERVE_MAX_MS;
}

static int64_t first_deadline(const struct writer *writer)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < writer->count; i++)
        if (writer->batch[i].charge->deadline_ms < first)
            first = writer->batch[i].charge->deadline_ms;
    return first;
}

static void write_batch(struct writer *writer)
{
    expire(writer, clock_monotonic_ms() + reserve_ms(writer));
    if (writer->count == 0)
        return;
    struct pg *pg = writer->session->pg;
    pg_deadline(pg, first_deadline(writer));
    enum err err = try_batch(writer);
    enum pg_failure failure = pg_failure(pg);
    pg_deadline(pg, 0);
    answer_batch(writer, clock_monotonic_ms());
    if (err == ERR_OK && writer->count == 0)
        return;
    if (failure == PG_LOST) {
        lose(writer);
    } else if (err == ERR_OK || failure == PG_RETRY) {
        poll(NULL, 0, PUT_OFF_MS);
    } else {
        /* The ledger is not as it should be. Nobody is charged; the next session looks again. */
        answer_batch(writer, INT64_MAX);
        lose(writer);
        writer->connect_at_ms = clock_monotonic_ms() + BACKOFF_MAX_MS;
    }
}

/* --- The thread
 * --------------------------------------------------------------------------------------------- */

static void wait_until(struct writer *writer, int64_t monotonic_ms)
{
    struct timespec until = {monotonic_ms / 1000, monotonic_ms % 1000 * 1000000};
    pthread_cond_timedwait(&writer->wake, &writer->mutex, &until);
}

/* Waits for entries, or for the moment to look at the connection. False when stopped and nothing is left. */
static bool wait_for_work(struct writer *writer)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&writer->mutex);
    bool pending = writer->count > 0 || writer->head;
    if (!writer->stopping && writer->session && !pending)
        wait_until(writer, now + IDLE_MS);
    else if (!writer->stopping && !writer->session && writer->connect_at_ms > now)
        wait_until(writer, pending && writer->connect_at_ms > now + EXPIRE_MS ? now + EXPIRE_MS
                                                                              : writer->connect_at_ms);
    bool go_on = !writer->stopping || (writer->session && (writer->count > 0 || writer->head));
    pthread_mutex_unlock(&writer->mutex);
    return go_on;
}

static void *run(void *context)
{
    struct writer *writer = context;
    while (wait_for_work(writer)) {
        expire(writer, clock_monotonic_ms());
        if (!keep_connected(writer))
            continue;
        fill_batch(writer);
        if (writer->count > 0)
            write_batch(writer);
    }
    expire(writer, INT64_MAX);
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
         pthread_cond_init(&writer->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

static void release(struct writer *writer)
{
    crawler_cache_free(writer->crawlers);
    entry_arrays_free(writer->arrays);
    session_close(writer->session);
    free(writer->batch);
    free(writer);
}

struct writer *writer_start(const struct config *config)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return NULL;
    writer->config = config;
    writer->backoff_ms = BACKOFF_MIN_MS;
    writer->crawlers = crawler_cache_new();
    writer->arrays = entry_arrays_new();
    writer->batch = calloc((size_t)config->ledger_batch_entries, sizeof(*writer->batch));
    bool ok = writer->crawlers && writer->arrays && writer->batch && init_lock(writer) &&
              pthread_create(&writer->thread, NULL, run, writer) == 0;
    if (!ok) {
        release(writer);
        return NULL;
    }
    return writer;
}

void writer_stop(struct writer *writer)
{
    if (!writer)
        return;
    atomic_store(&writer->ready, false);
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->mutex);
    release(writer);
}
