/* What is collected is added to `collected`; when nothing is under way that becomes `sending`, with an id of
 * its own, and stays the same until the ledger has it: after a lost connection nobody knows whether the batch
 * was committed, and the same id twice is taken once. */
#include "ledger/traffic/recorder.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/base/log.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/pg/schema.h"
#include "sql/rows/traffic.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RECORDER_MAGIC 0x4e8cb217u

#define ROWS_MAX       8192 /* that wait for the database: a day and more of a site with twenty crawlers */
#define TALLIES_MAX    256  /* threads of two generations, and those whose replies are being sent */
#define CONNECT_MAX_MS 2000
#define KEEP_EVERY_MS  300000 /* partitions are made an hour ahead */
#define KEEP_MAX_MS    20000

enum column {
    SITE,
    PERIOD,
    CRAWLER,
    VERIFIED,
    RULE,
    OUTCOME,
    REASON,
    REQUESTS,
    BYTES,
    AMOUNT,
    PAGES,
    COLUMN_COUNT
};

enum path_column {
    PATH_SITE,
    PATH_PERIOD,
    PATH_PATH,
    PATH_CRAWLER,
    PATH_VERIFIED,
    PATH_RULE,
    PATH_OUTCOME,
    PATH_REQUESTS,
    PATH_BYTES,
    PATH_AMOUNT,
    PATH_COLUMN_COUNT
};

struct recorder {
    uint32_t magic;
    const struct config *config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct tally *tallies[TALLIES_MAX]; /* under the mutex, like all up to stopping */
    size_t tally_count;
    int64_t interval_ms;
    bool stopping;

    /* The thread's own. */
    struct pg *pg;
    int64_t kept_ms; /* monotonic: when partitions were made last on this connection; 0: not yet */
    struct tallied collected, sending;
    uint8_t batch[UUID_SIZE]; /* of what is being sent */
    struct pg_array columns[COLUMN_COUNT], paths[PATH_COLUMN_COUNT];
    struct log_repeats repeats;
};

/* --- Collecting --- */

/* Whether a tally is left is asked before it is collected: the other way round, what its thread has added in
 * between would be lost. */
static void collect(struct recorder *recorder)
{
    size_t kept = 0;
    pthread_mutex_lock(&recorder->mutex);
    for (size_t i = 0; i < recorder->tally_count; i++) {
        struct tally *tally = recorder->tallies[i];
        /* Those that nobody adds to any more are let go, once they are empty. */
        bool left = tally_is_left(tally);
        tally_collect(tally, &recorder->collected);
        if (left)
            tally_release(tally);
        else
            recorder->tallies[kept++] = tally;
    }
    assert(kept <= recorder->tally_count && recorder->tally_count <= TALLIES_MAX);
    recorder->tally_count = kept;
    pthread_mutex_unlock(&recorder->mutex);
}

static void tell_lost(struct counts *counts)
{
    int64_t lost = counts_lost(counts);
    metrics_add(METRIC_TRAFFIC_LOST, lost);
    if (lost > 0)
        LOG(WARN, "traffic_lost", {"requests", LOG_NUMBER(lost)},
            {"detail", "there was no room left to count them; payments are not affected"});
}

/* --- Writing --- */

static void fill(struct recorder *recorder)
{
    static const enum pg_type types[COLUMN_COUNT] = {
        [SITE] = PG_TYPE_TEXT,  [PERIOD] = PG_TYPE_INT8,  [CRAWLER] = PG_TYPE_TEXT, [VERIFIED] = PG_TYPE_INT8,
        [RULE] = PG_TYPE_TEXT,  [OUTCOME] = PG_TYPE_TEXT, [REASON] = PG_TYPE_TEXT,  [REQUESTS] = PG_TYPE_INT8,
        [BYTES] = PG_TYPE_INT8, [AMOUNT] = PG_TYPE_INT8,  [PAGES] = PG_TYPE_BYTEA};
    struct pg_array *columns = recorder->columns;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_begin(&columns[i], types[i]);
    for (size_t i = 0; i < counts_rows(recorder->sending.requests); i++) {
        struct traffic_key key;
        const struct traffic_sums *sums;
        counts_row(recorder->sending.requests, i, &key, &sums);
        pg_array_bytes(&columns[SITE], key.site);
        pg_array_number(&columns[PERIOD], key.period_ms);
        pg_array_bytes(&columns[CRAWLER], key.crawler);
        pg_array_number(&columns[VERIFIED], key.verified);
        pg_array_bytes(&columns[RULE], key.rule);
        pg_array_bytes(&columns[OUTCOME], slice_of(traffic_outcome_name(key.outcome)));
        pg_array_bytes(&columns[REASON], key.reason);
        pg_array_number(&columns[REQUESTS], sums->requests);
        pg_array_number(&columns[BYTES], sums->bytes);
        pg_array_number(&columns[AMOUNT], sums->amount_micros);
        pg_array_bytes(&columns[PAGES], slice_bytes(sums->pages.bits, PAGES_BYTES));
    }
}

static void fill_paths(struct recorder *recorder)
{
    static const enum pg_type types[PATH_COLUMN_COUNT] = {
        [PATH_SITE] = PG_TYPE_TEXT,    [PATH_PERIOD] = PG_TYPE_INT8,   [PATH_PATH] = PG_TYPE_TEXT,
        [PATH_CRAWLER] = PG_TYPE_TEXT, [PATH_VERIFIED] = PG_TYPE_INT8, [PATH_RULE] = PG_TYPE_TEXT,
        [PATH_OUTCOME] = PG_TYPE_TEXT, [PATH_REQUESTS] = PG_TYPE_INT8, [PATH_BYTES] = PG_TYPE_INT8,
        [PATH_AMOUNT] = PG_TYPE_INT8};
    struct pg_array *columns = recorder->paths;
    for (size_t i = 0; i < PATH_COLUMN_COUNT; i++)
        pg_array_begin(&columns[i], types[i]);
    for (size_t i = 0; i < counts_rows(recorder->sending.paths); i++) {
        struct traffic_key key;
        const struct traffic_sums *sums;
        counts_row(recorder->sending.paths, i, &key, &sums);
        pg_array_bytes(&columns[PATH_SITE], key.site);
        pg_array_number(&columns[PATH_PERIOD], key.period_ms);
        pg_array_bytes(&columns[PATH_PATH], key.path);
        pg_array_bytes(&columns[PATH_CRAWLER], key.crawler);
        pg_array_number(&columns[PATH_VERIFIED], key.verified);
        pg_array_bytes(&columns[PATH_RULE], key.rule);
        pg_array_bytes(&columns[PATH_OUTCOME], slice_of(traffic_outcome_name(key.outcome)));
        pg_array_number(&columns[PATH_REQUESTS], sums->requests);
        pg_array_number(&columns[PATH_BYTES], sums->bytes);
        pg_array_number(&columns[PATH_AMOUNT], sums->amount_micros);
    }
}

/* The writer of entries registers sites; at the first start that may take longer than until here. */
static enum err know_sites(struct recorder *recorder, bool *known)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err = ERR_INTERNAL;
    if (!pg_params_array(&params, &recorder->columns[SITE]))
        return err;
    TRY(pg_run(recorder->pg, "traffic_sites_missing", &params, &rows));
    assert(rows.count == 1);
    *known = traffic_sites_missing_row(&rows, 0).missing == 0;
out:
    pg_rows_free(&rows);
    return err;
}

static bool add_arrays(struct pg_params *params, struct pg_array *arrays, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = ok && pg_params_array(params, &arrays[i]);
    return ok;
}

/* Paths first: that the batch has been written already is told by its other rows. */
static enum err insert_paths(struct recorder *recorder)
{
    struct pg_params params = {0};
    if (counts_rows(recorder->sending.paths) == 0)
        return ERR_OK;
    fill_paths(recorder);
    pg_params_bytes(&params, slice_bytes(recorder->batch, UUID_SIZE));
    if (!add_arrays(&params, recorder->paths, PATH_COLUMN_COUNT))
        return ERR_INTERNAL;
    return pg_run(recorder->pg, "traffic_count_paths", &params, NULL);
}

/* As one transaction; after a failure the connection is closed, which undoes it. */
static enum err insert(struct recorder *recorder)
{
    struct pg_params params = {0};
    bool known = false;
    enum err err;
    fill(recorder);
    TRY(know_sites(recorder, &known));
    if (!known)
        return ERR_LEDGER_UNAVAILABLE;
    pg_params_bytes(&params, slice_bytes(recorder->batch, UUID_SIZE));
    if (!add_arrays(&params, recorder->columns, COLUMN_COUNT))
        return ERR_INTERNAL;
    TRY(pg_begin(recorder->pg));
    TRY(insert_paths(recorder));
    TRY(pg_run(recorder->pg, "traffic_insert", &params, NULL));
    TRY(pg_commit(recorder->pg));
out:
    return err;
}

static void disconnect(struct recorder *recorder)
{
    pg_close(recorder->pg);
    recorder->pg = NULL;
    recorder->kept_ms = 0;
}

static enum err connect_now(struct recorder *recorder)
{
    recorder->pg = pg_open(&(struct pg_options){
        .config = recorder->config,
        .role = recorder->config->ledger_gate_role,
        .application = "crawltabd traffic",
        .connect_ms = CONNECT_MAX_MS,
        .timeout_ms = KEEP_MAX_MS,
        .limit_server = true,
    });
    return recorder->pg ? schema_check_gate(recorder->pg) : ERR_LEDGER_UNAVAILABLE;
}

/* Makes the partitions, and adds up those of hours that are over. Whoever reads for long is in its way, and
 * then it is tried again later: that there is none to write to is another failure, which ends the connection.
 */
static enum err keep_partitions(struct recorder *recorder)
{
    int64_t now_ms = clock_monotonic_ms();
    if (recorder->kept_ms > 0 && now_ms - recorder->kept_ms < KEEP_EVERY_MS)
        return ERR_OK;
    enum err err = pg_run(recorder->pg, "traffic_keep", NULL, NULL);
    recorder->kept_ms = now_ms;
    return pg_failure(recorder->pg) == PG_LOCKED ? ERR_OK : err;
}

/* What the ledger will never take is given up, or nothing would be written after it. */
static void after_failure(struct recorder *recorder)
{
    if (recorder->pg && pg_failure(recorder->pg) == PG_DATA) {
        LOG(ERROR, "traffic_lost", {"rows", LOG_NUMBER((int64_t)counts_rows(recorder->sending.requests))},
            {"detail", "the ledger does not take what was counted"});
        tallied_clear(&recorder->sending);
    }
    disconnect(recorder);
}

/* False: it is tried again in the next round. */
static bool send_one(struct recorder *recorder)
{
    enum err err;
    if (!recorder->pg)
        TRY(connect_now(recorder));
    pg_deadline(recorder->pg, 0);
    TRY(keep_partitions(recorder));
    pg_deadline(recorder->pg, clock_monotonic_ms() + recorder->config->ledger_timeout_seconds * 1000);
    TRY(insert(recorder));
    tell_lost(recorder->sending.requests);
    tallied_clear(&recorder->sending);
out:
    if (err != ERR_OK)
        after_failure(recorder);
    return err == ERR_OK;
}

static void begin_batch(struct recorder *recorder)
{
    uint8_t chance[10];
    struct tallied empty = recorder->sending;
    assert(counts_rows(empty.requests) == 0 && counts_rows(empty.paths) == 0);
    recorder->sending = recorder->collected;
    recorder->collected = empty;
    random_bytes(chance, sizeof(chance));
    uuid_make(clock_now_ms(), chance, recorder->batch);
}

/* What failed before, and then what has come meanwhile. */
static void write_all(struct recorder *recorder)
{
    log_repeats_begin(&recorder->repeats);
    bool ok = counts_rows(recorder->sending.requests) == 0 || send_one(recorder);
    if (ok && counts_rows(recorder->collected.requests) > 0) {
        begin_batch(recorder);
        ok = send_one(recorder);
    }
    log_repeats_end();
    if (ok)
        recorder->repeats = (struct log_repeats){0};
}

/* --- The thread --- */

/* False when it is to end. */
static bool wait(struct recorder *recorder)
{
    int64_t start_ms = clock_monotonic_ms();
    pthread_mutex_lock(&recorder->mutex);
    for (;;) {
        int64_t until_ms = start_ms + recorder->interval_ms;
        struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
        if (recorder->stopping || clock_monotonic_ms() >= until_ms)
            break;
        pthread_cond_timedwait(&recorder->wake, &recorder->mutex, &until);
    }
    bool go_on = !recorder->stopping;
    pthread_mutex_unlock(&recorder->mutex);
    return go_on;
}

static void *record(void *context)
{
    struct recorder *recorder = context;
    OBJECT_CHECK(recorder, RECORDER_MAGIC);
    bool go_on;
    /* Once more when it is to end: what was counted since the last round is written, too. */
    do {
        go_on = wait(recorder);
        collect(recorder);
        write_all(recorder);
    } while (go_on);
    disconnect(recorder);
    return NULL;
}

/* --- Start and stop --- */

static bool init_lock(struct recorder *recorder)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&recorder->mutex, NULL) != 0 || pthread_condattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&recorder->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

static void release(struct recorder *recorder)
{
    OBJECT_END(recorder, RECORDER_MAGIC);
    assert(!recorder->pg); /* its thread has closed it */
    for (size_t i = 0; i < recorder->tally_count; i++)
        tally_release(recorder->tallies[i]);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_free(&recorder->columns[i]);
    for (size_t i = 0; i < PATH_COLUMN_COUNT; i++)
        pg_array_free(&recorder->paths[i]);
    tallied_free(&recorder->collected);
    tallied_free(&recorder->sending);
    free(recorder);
}

struct recorder *recorder_start(const struct config *config)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder)
        return NULL;
    OBJECT_MAKE(recorder, RECORDER_MAGIC);
    recorder->config = config;
    recorder->interval_ms = config->traffic_write_seconds * 1000;
    if (tallied_make(&recorder->collected, ROWS_MAX) && tallied_make(&recorder->sending, ROWS_MAX) &&
        init_lock(recorder) && pthread_create(&recorder->thread, NULL, record, recorder) == 0)
        return recorder;
    release(recorder);
    return NULL;
}

void recorder_adopt(struct recorder *recorder, const struct config *config)
{
    OBJECT_CHECK(recorder, RECORDER_MAGIC);
    pthread_mutex_lock(&recorder->mutex);
    recorder->interval_ms = config->traffic_write_seconds * 1000;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->mutex);
}

struct tally *recorder_tally(struct recorder *recorder)
{
    OBJECT_CHECK(recorder, RECORDER_MAGIC);
    struct tally *tally = tally_new();
    pthread_mutex_lock(&recorder->mutex);
    bool room = recorder->tally_count < TALLIES_MAX;
    /* Two users from the start: the thread, and the list, which collects it once more when the thread is
     * gone. */
    if (tally && room)
        recorder->tallies[recorder->tally_count++] = tally_take(tally);
    pthread_mutex_unlock(&recorder->mutex);
    if (room)
        return tally;
    tally_release(tally);
    return NULL;
}

void recorder_stop(struct recorder *recorder)
{
    if (!recorder)
        return;
    OBJECT_CHECK(recorder, RECORDER_MAGIC);
    pthread_mutex_lock(&recorder->mutex);
    recorder->stopping = true;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->mutex);
    pthread_join(recorder->thread, NULL);
    pthread_cond_destroy(&recorder->wake);
    pthread_mutex_destroy(&recorder->mutex);
    release(recorder);
}
