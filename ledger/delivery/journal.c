/* What comes in is a list; what is being sent is another, which stays the same until the ledger has it: after
 * a lost connection nobody knows whether it was committed, and the same row twice is taken once. */
#include "ledger/delivery/journal.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/pg/schema.h"
#include "sql/rows/delivery.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_MAGIC 0x91c3e05du

#define WAITING_MAX    65536 /* that wait for the database: 25 MB at most */
#define FILES_MAX      256   /* of them with an open file that is still to be read */
#define BATCH_MAX      2000
#define INTERVAL_MS    1000
#define CONNECT_MAX_MS 2000
#define CALL_MAX_MS    20000

enum column { ID, REPEATED, SITE, ENDED_MS, ENDED, STATUS, SENT, DIGEST, CLIENT, AGENT, COLUMN_COUNT };

struct item {
    struct item *next;
    struct delivery delivery;
    char texts[]; /* the site's name, and the User-Agent */
};

struct list {
    struct item *first, **end;
    size_t count;
};

struct journal {
    uint32_t magic;
    atomic_size_t users;
    const struct config *config;
    struct file_digests *files;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct list waiting; /* under the mutex, like all up to stopping */
    size_t open_files;
    int64_t lost;
    bool stopping, stopped;

    /* The thread's own. */
    struct pg *pg;
    struct list sending;
    bool refused; /* the ledger has not taken what is being sent once */
    struct pg_array columns[COLUMN_COUNT];
    struct log_repeats repeats;
};

/* --- The list --- */

static void list_add(struct list *list, struct item *item)
{
    item->next = NULL;
    if (!list->first)
        list->end = &list->first;
    *list->end = item;
    list->end = &item->next;
    list->count++;
}

static struct item *list_take(struct list *list)
{
    struct item *item = list->first;
    assert((item == NULL) == (list->count == 0));
    if (item) {
        list->first = item->next;
        list->count--;
    }
    return item;
}

static void item_free(struct item *item)
{
    if (item->delivery.fd >= 0)
        close(item->delivery.fd);
    free(item);
}

static void list_clear(struct list *list)
{
    for (struct item *item; (item = list_take(list));)
        item_free(item);
}

/* --- From the gate's threads --- */

static struct slice put(char *at, struct slice text)
{
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    return (struct slice){at, text.len};
}

static struct item *item_of(const struct delivery *delivery)
{
    struct item *item = malloc(sizeof(*item) + delivery->site.len + delivery->user_agent.len);
    if (!item)
        return NULL;
    item->delivery = *delivery;
    item->delivery.site = put(item->texts, delivery->site);
    item->delivery.user_agent = put(item->texts + delivery->site.len, delivery->user_agent);
    return item;
}

void journal_add(struct journal *journal, const struct delivery *delivery)
{
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    assert(uuid_is_v7(delivery->payment_id) && delivery->site.len > 0);
    assert(delivery->user_agent.len <= DELIVERY_AGENT_MAX && delivery->end < DELIVERY_ENDS_COUNT);
    struct item *item = item_of(delivery);
    int unread = item ? -1 : delivery->fd;
    pthread_mutex_lock(&journal->mutex);
    bool room = item && !journal->stopped && journal->waiting.count < WAITING_MAX;
    if (room && item->delivery.fd >= 0 && journal->open_files >= FILES_MAX) {
        unread = item->delivery.fd;
        item->delivery.fd = -1;
    }
    if (room) {
        list_add(&journal->waiting, item);
        journal->open_files += item->delivery.fd >= 0;
        if (journal->waiting.count == BATCH_MAX || journal->open_files == FILES_MAX / 4)
            pthread_cond_signal(&journal->wake);
    } else {
        journal->lost++;
    }
    pthread_mutex_unlock(&journal->mutex);
    if (!room && item)
        item_free(item);
    if (unread >= 0)
        close(unread);
}

struct file_digests *journal_files(struct journal *journal)
{
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    return journal->files;
}

/* --- Writing --- */

/* What comes first: other lists may have filled up meanwhile. Their files are read here, where nobody waits.
 */
static void take_batch(struct journal *journal)
{
    assert(journal->sending.count == 0);
    pthread_mutex_lock(&journal->mutex);
    while (journal->sending.count < BATCH_MAX && journal->waiting.first)
        list_add(&journal->sending, list_take(&journal->waiting));
    pthread_mutex_unlock(&journal->mutex);
    size_t closed = 0;
    for (struct item *item = journal->sending.first; item; item = item->next) {
        struct delivery *delivery = &item->delivery;
        if (delivery->fd < 0)
            continue;
        delivery->digested = file_digests_find(journal->files, &delivery->file, delivery->digest) ||
                             file_digest_read(delivery->fd, &delivery->file, delivery->digest);
        if (delivery->digested)
            file_digests_keep(journal->files, &delivery->file, delivery->digest);
        close(delivery->fd);
        delivery->fd = -1;
        closed++;
    }
    pthread_mutex_lock(&journal->mutex);
    assert(closed <= journal->open_files);
    journal->open_files -= closed;
    pthread_mutex_unlock(&journal->mutex);
}

static void fill(struct journal *journal)
{
    static const enum pg_type types[COLUMN_COUNT] = {
        [ID] = PG_TYPE_UUID,      [REPEATED] = PG_TYPE_INT8, [SITE] = PG_TYPE_TEXT, [ENDED_MS] = PG_TYPE_INT8,
        [ENDED] = PG_TYPE_TEXT,   [STATUS] = PG_TYPE_INT8,   [SENT] = PG_TYPE_INT8, [DIGEST] = PG_TYPE_BYTEA,
        [CLIENT] = PG_TYPE_BYTEA, [AGENT] = PG_TYPE_TEXT};
    struct pg_array *columns = journal->columns;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_begin(&columns[i], types[i]);
    for (const struct item *item = journal->sending.first; item; item = item->next) {
        const struct delivery *delivery = &item->delivery;
        pg_array_bytes(&columns[ID], slice_bytes(delivery->payment_id, UUID_SIZE));
        pg_array_number(&columns[REPEATED], delivery->repeated);
        pg_array_bytes(&columns[SITE], delivery->site);
        pg_array_number(&columns[ENDED_MS], delivery->ended_ms);
        pg_array_bytes(&columns[ENDED], slice_of(delivery_end_name(delivery->end)));
        pg_array_number(&columns[STATUS], delivery->status);
        pg_array_number(&columns[SENT], delivery->sent_bytes);
        pg_array_bytes(&columns[DIGEST],
                       delivery->digested ? slice_bytes(delivery->digest, DIGEST_SIZE) : SLICE(""));
        pg_array_bytes(&columns[CLIENT], slice_bytes(delivery->client, CLIENT_TAG_SIZE));
        pg_array_bytes(&columns[AGENT], delivery->user_agent);
    }
}

static void disconnect(struct journal *journal)
{
    pg_close(journal->pg);
    journal->pg = NULL;
}

static enum err connect_now(struct journal *journal)
{
    journal->pg = pg_open(&(struct pg_options){
        .config = journal->config,
        .role = journal->config->ledger_gate_role,
        .application = "crawltabd deliveries",
        .connect_ms = CONNECT_MAX_MS,
        .timeout_ms = CALL_MAX_MS,
        .limit_server = true,
    });
    return journal->pg ? schema_check_gate(journal->pg) : ERR_LEDGER_UNAVAILABLE;
}

static enum err insert(struct journal *journal)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool ok = true;
    enum err err;
    fill(journal);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        ok = ok && pg_params_array(&params, &journal->columns[i]);
    if (!ok)
        return ERR_INTERNAL;
    TRY(pg_run(journal->pg, "delivery_insert", &params, &rows));
out:
    pg_rows_free(&rows);
    return err;
}

/* A day may be sealed while a batch is under way to it, which the next try leaves out. What the ledger does
 * not take twice is given up, or nothing would be written after it. */
static void after_failure(struct journal *journal)
{
    bool data = journal->pg && pg_failure(journal->pg) == PG_DATA;
    if (data && journal->refused) {
        pthread_mutex_lock(&journal->mutex);
        journal->lost += (int64_t)journal->sending.count;
        pthread_mutex_unlock(&journal->mutex);
        list_clear(&journal->sending);
    }
    journal->refused = data && !journal->refused;
    disconnect(journal);
}

/* False: it is tried again in the next round. */
static bool send_one(struct journal *journal)
{
    enum err err = ERR_OK;
    if (!journal->pg)
        TRY(connect_now(journal));
    pg_deadline(journal->pg, clock_monotonic_ms() + journal->config->ledger_timeout_seconds * 1000);
    TRY(insert(journal));
    journal->refused = false;
    list_clear(&journal->sending);
out:
    if (err != ERR_OK)
        after_failure(journal);
    return err == ERR_OK;
}

static bool has_more(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    bool more = journal->waiting.first != NULL;
    pthread_mutex_unlock(&journal->mutex);
    return more;
}

/* False: something is left that the ledger did not take. */
static bool write_all(struct journal *journal)
{
    log_repeats_begin(&journal->repeats);
    bool ok = journal->sending.count == 0 || send_one(journal);
    while (ok && has_more(journal)) {
        take_batch(journal);
        ok = send_one(journal);
    }
    log_repeats_end();
    if (ok)
        journal->repeats = (struct log_repeats){0};
    return ok;
}

static void tell_lost(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    int64_t lost = journal->lost;
    journal->lost = 0;
    pthread_mutex_unlock(&journal->mutex);
    if (lost == 0)
        return;
    metrics_add(METRIC_DELIVERIES_LOST, lost);
    LOG(WARN, "deliveries_lost", {"payments", LOG_NUMBER(lost)},
        {"detail", "what was delivered for them is not recorded; payments are not affected"});
}

/* --- The thread --- */

/* For a second, or, unless the ledger is away, until there is much to do. False when it is to end. */
static bool wait(struct journal *journal, bool away)
{
    int64_t until_ms = clock_monotonic_ms() + INTERVAL_MS;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&journal->mutex);
    while (!journal->stopping && clock_monotonic_ms() < until_ms &&
           (away || (journal->waiting.count < BATCH_MAX && journal->open_files < FILES_MAX / 4)))
        pthread_cond_timedwait(&journal->wake, &journal->mutex, &until);
    bool go_on = !journal->stopping;
    pthread_mutex_unlock(&journal->mutex);
    return go_on;
}

static void *record(void *context)
{
    struct journal *journal = context;
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    bool go_on, ok = true;
    /* Once more when it is to end: what came since the last round is written, too. */
    do {
        go_on = wait(journal, !ok);
        ok = write_all(journal);
        tell_lost(journal);
    } while (go_on);
    disconnect(journal);
    return NULL;
}

/* --- Start and stop --- */

static bool init_lock(struct journal *journal)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&journal->mutex, NULL) != 0 || pthread_condattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&journal->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct journal *journal_take(struct journal *journal)
{
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    size_t before = atomic_fetch_add_explicit(&journal->users, 1, memory_order_relaxed);
    assert(before > 0);
    return journal;
}

void journal_release(struct journal *journal)
{
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    size_t before = atomic_fetch_sub(&journal->users, 1);
    assert(before > 0);
    if (before > 1)
        return;
    assert(!journal->pg); /* its thread has closed it */
    OBJECT_END(journal, JOURNAL_MAGIC);
    list_clear(&journal->waiting);
    list_clear(&journal->sending);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_free(&journal->columns[i]);
    file_digests_free(journal->files);
    pthread_cond_destroy(&journal->wake);
    pthread_mutex_destroy(&journal->mutex);
    free(journal);
}

struct journal *journal_start(const struct config *config)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return NULL;
    OBJECT_MAKE(journal, JOURNAL_MAGIC);
    atomic_init(&journal->users, 1);
    journal->config = config;
    journal->files = file_digests_new();
    if (journal->files && init_lock(journal) && pthread_create(&journal->thread, NULL, record, journal) == 0)
        return journal;
    file_digests_free(journal->files);
    free(journal);
    return NULL;
}

void journal_stop(struct journal *journal)
{
    if (!journal)
        return;
    OBJECT_CHECK(journal, JOURNAL_MAGIC);
    pthread_mutex_lock(&journal->mutex);
    journal->stopping = true;
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->mutex);
    pthread_join(journal->thread, NULL);
    pthread_mutex_lock(&journal->mutex);
    journal->stopped = true;
    pthread_mutex_unlock(&journal->mutex);
    journal_release(journal);
}
