/* One thread reads; what it makes is published in one step each: the view of agreements by a pointer under a
 * mutex, the counters by credit.c. A round has parts that stand by themselves: one that fails is told in the
 * log, keeps what was read last in use, and is tried again later and with more time, while the others go on.
 */
#include "ledger/credit/refresh.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/credit/reading.h"
#include "ledger/pg/schema.h"
#include "sql/rows/credit.h"
#include "sql/rows/token.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define HURRY_MS        50   /* between rounds that somebody waits for */
#define PRESS_MS        100  /* between rounds while crawlers come up to their limits */
#define BACKOFF_MAX_MS  2000 /* between tries to connect */
#define CONNECT_MAX_MS  2000
#define RETRY_MIN_MS    100 /* until a part that failed is tried again: twice as long each time */
#define RETRY_MAX_MS    60000
#define CALL_MAX_MS     60000 /* that a statement may take, after several that took too long */
#define ACCRUE_EVERY_MS 60000
#define NIGHTS_EVERY_MS 10000

/* The parts of a round, in the order in which they are read. */
#define PARTS(X)                                                                                             \
    X(AGREEMENTS, "agreements")                                                                              \
    X(TOKENS, "tokens")                                                                                      \
    X(DAYS, "days")                                                                                          \
    X(BALANCES, "balances")                                                                                  \
    X(SPEND, "spend")                                                                                        \
    X(ACCRUALS, "accruals")                                                                                  \
    X(NIGHTS, "nights")
#define AS_ENUM(name, text) PART_##name,
#define AS_TEXT(name, text) text,
enum part { PARTS(AS_ENUM) PART_COUNT };
static const char *const part_names[] = {PARTS(AS_TEXT)};

struct part_state {
    int64_t due_ms; /* monotonic */
    int64_t retry_ms;
    bool failing;
};

#define REFRESH_MAGIC 0xd5017ac4u

struct refresh {
    uint32_t magic;
    const struct config *config; /* of the start: the connection */
    struct credit *credit;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct agreements *view; /* under the mutex, like all up to stopping */
    struct tokens *tokens;
    struct pg_rows nights; /* of account_nights, as read last */
    struct refresh_audit audit;
    int64_t refresh_ms, timeout_ms;
    bool hurry, pressed;
    bool stopping;

    /* The thread's own. */
    struct reading *reading;
    struct pg *pg;
    struct part_state parts[PART_COUNT];
    int64_t agreements;  /* that the view was made from; -1: to be made */
    int64_t tokens_made; /* the same of the keys: how often they were changed */
    int64_t backoff_ms;
    int64_t call_ms; /* that a statement may take on the next connection */
    bool told_ready;
    size_t behind; /* sites */
    struct log_repeats repeats;
};

/* --- Agreements --- */

static void publish(struct refresh *book, struct agreements *view)
{
    assert(view);
    pthread_mutex_lock(&book->mutex);
    /* Only the pointer under the mutex: freeing a large view would hold requests up. */
    struct agreements *before = book->view;
    book->view = view;
    pthread_mutex_unlock(&book->mutex);
    agreements_free(before);
}

static enum err read_agreements(struct refresh *book)
{
    struct pg_rows rows = {0};
    struct agreements *view;
    enum err err;
    TRY(pg_run(book->pg, "account_agreement_count", NULL, &rows));
    /* Versions are only added: their number says whether there is anything new, for the price of a count. */
    int64_t count = account_agreement_count_row(&rows, 0).agreements;
    if (count == book->agreements)
        goto out;
    TRY(agreements_read(book->pg, clock_now_ms(), &view));
    publish(book, view);
    book->agreements = count; /* what came in between is seen in the next round */
out:
    pg_rows_free(&rows);
    return err;
}

/* --- Keys of resource servers --- */

static void publish_tokens(struct refresh *book, struct tokens *tokens)
{
    pthread_mutex_lock(&book->mutex);
    struct tokens *before = book->tokens;
    book->tokens = tokens;
    pthread_mutex_unlock(&book->mutex);
    tokens_free(before);
}

static enum err read_tokens(struct refresh *book)
{
    struct pg_rows rows = {0};
    struct tokens *tokens;
    enum err err;
    TRY(pg_run(book->pg, "token_count", NULL, &rows));
    /* As with agreements. A key that expires does so without being read again. */
    int64_t changes = token_count_row(&rows, 0).changes;
    if (changes == book->tokens_made)
        goto out;
    TRY(tokens_read(book->pg, clock_now_ms(), &tokens));
    publish_tokens(book, tokens);
    book->tokens_made = changes;
out:
    pg_rows_free(&rows);
    return err;
}

/* --- Parts --- */

static enum err read_accruals(struct refresh *book)
{
    bool more = true;
    enum err err = reading_accruals(book->reading, book->pg, &more);
    if (err == ERR_OK && !more)
        book->parts[PART_ACCRUALS].due_ms = clock_monotonic_ms() + ACCRUE_EVERY_MS;
    return err;
}

/* For whoever watches; two rows of an index for each site and one more, whatever the ledger's age. */
static enum err read_nights(struct refresh *book)
{
    struct pg_rows rows = {0}, audits = {0};
    struct refresh_audit audit = {0};
    enum err err;
    TRY(pg_run(book->pg, "account_nights", NULL, &rows));
    TRY(pg_run(book->pg, "account_audit", NULL, &audits));
    if (audits.count > 0) {
        const struct account_audit_row row = account_audit_row(&audits, 0);
        audit = (struct refresh_audit){row.happened_ms, row.findings};
    }
    pthread_mutex_lock(&book->mutex);
    struct pg_rows before = book->nights;
    book->nights = rows;
    book->audit = audit;
    pthread_mutex_unlock(&book->mutex);
    rows = before;
    book->parts[PART_NIGHTS].due_ms = clock_monotonic_ms() + NIGHTS_EVERY_MS;
out:
    pg_rows_free(&rows);
    pg_rows_free(&audits);
    return err;
}

static enum err read_part(struct refresh *book, enum part part)
{
    switch (part) {
    case PART_AGREEMENTS:
        return read_agreements(book);
    case PART_TOKENS:
        return read_tokens(book);
    case PART_DAYS:
        return reading_days(book->reading, book->pg);
    case PART_BALANCES:
        return reading_balances(book->reading, book->pg);
    case PART_SPEND:
        return reading_spend(book->reading, book->pg);
    case PART_ACCRUALS:
        return read_accruals(book);
    case PART_NIGHTS:
        return read_nights(book);
    case PART_COUNT:
        break;
    }
    assert(!"a part");
    return ERR_INTERNAL;
}

/* The next try has a new connection, on which statements may take longer. */
static void note_failure(struct refresh *book, enum part part)
{
    struct part_state *state = &book->parts[part];
    LOG(WARN, "accounts_not_read", {"part", part_names[part]},
        {"detail", "what was read of it last stays in use"}, {"hint", "it is tried again"});
    state->failing = true;
    state->retry_ms = state->retry_ms * 2 < RETRY_MIN_MS ? RETRY_MIN_MS : state->retry_ms * 2;
    state->retry_ms = state->retry_ms < RETRY_MAX_MS ? state->retry_ms : RETRY_MAX_MS;
    assert(state->retry_ms >= RETRY_MIN_MS && state->retry_ms <= RETRY_MAX_MS);
    state->due_ms = clock_monotonic_ms() + state->retry_ms;
    /* Time is what was lacking most likely; a server that is slow is not made faster by asking it again as
     * soon. */
    book->call_ms = book->call_ms * 2 < CALL_MAX_MS ? book->call_ms * 2 : CALL_MAX_MS;
}

static void note_success(struct refresh *book, enum part part)
{
    struct part_state *state = &book->parts[part];
    if (state->failing)
        LOG(INFO, "accounts_read_again", {"part", part_names[part]});
    state->failing = false;
    state->retry_ms = 0;
}

/* --- The connection --- */

static enum err connect_now(struct refresh *book)
{
    assert(!book->pg);
    enum err err = ERR_LEDGER_UNAVAILABLE;
    book->pg = pg_open(&(struct pg_options){
        .config = book->config,
        .role = book->config->ledger_gate_role,
        .application = "crawltabd accounts",
        .connect_ms = CONNECT_MAX_MS,
        .timeout_ms = book->call_ms,
        .limit_server = true,
    });
    if (book->pg)
        err = schema_check_gate(book->pg);
    /* Once, as it takes long: a schema does not change under a gate without a new start. */
    if (err == ERR_OK && !book->told_ready)
        err = pg_compare(book->pg);
    book->agreements = book->tokens_made = -1; /* another server may have as many, but others */
    reading_reconnected(book->reading);
    return err;
}

static void disconnect(struct refresh *book)
{
    pg_close(book->pg);
    book->pg = NULL;
}

/* --- The thread --- */

static bool knows_all(struct refresh *book, const struct config *config)
{
    for (size_t i = 0; i < config->site_count; i++)
        if (!credit_knows(book->credit, slice_of(config->sites[i].name), clock_now_ms()))
            return false;
    return true;
}

/* All parts that are due, until one fails. */
static bool read_all(struct refresh *book)
{
    for (enum part part = 0; part < PART_COUNT; part++) {
        /* In this order: what is spent is counted on days, and days close with balances. */
        if (clock_monotonic_ms() < book->parts[part].due_ms)
            continue;
        if (read_part(book, part) != ERR_OK) {
            note_failure(book, part);
            return false;
        }
        note_success(book, part);
    }
    return true;
}

/* Again when their number has changed. */
static void tell_behind(struct refresh *book)
{
    char since[INSTANT_TEXT_MAX];
    const char *site;
    int64_t open_ms;
    size_t count = 0, at = 0;
    while (reading_behind(book->reading, &at, &open_ms))
        count++;
    for (at = 0; count != book->behind && (site = reading_behind(book->reading, &at, &open_ms));)
        LOG(WARN, "accounts_behind", {"site", site}, {"since", instant_format(open_ms, since)},
            {"detail", "its days since then are not closed: payments are taken when they are added up"},
            {"hint", "is the site in the configuration of crawltab nightly?"});
    if (count == 0 && book->behind > 0)
        LOG(INFO, "accounts_caught_up", {"sites", LOG_NUMBER((int64_t)book->behind)});
    book->behind = count;
}

static void tell_ready(struct refresh *book)
{
    if (!book->told_ready)
        LOG(INFO, "accounts_ready", {"agreements", LOG_NUMBER(book->agreements)});
    book->told_ready = true;
}

static int64_t number_of(struct refresh *book, const int64_t *number)
{
    pthread_mutex_lock(&book->mutex);
    int64_t value = *number;
    pthread_mutex_unlock(&book->mutex);
    return value;
}

/* How long until a part that failed is due, and no longer than `most_ms`. */
static int64_t until_retry(const struct refresh *book, int64_t most_ms)
{
    for (enum part part = 0; part < PART_COUNT; part++) {
        int64_t left_ms = book->parts[part].due_ms - clock_monotonic_ms();
        if (book->parts[part].failing && left_ms < most_ms)
            most_ms = left_ms > HURRY_MS ? left_ms : HURRY_MS;
    }
    return most_ms;
}

/* After a round in which something failed. The other parts are read again, on a new connection, before that.
 */
static int64_t after_failure(struct refresh *book)
{
    disconnect(book);
    book->backoff_ms = book->backoff_ms * 2 < BACKOFF_MAX_MS ? book->backoff_ms * 2 : BACKOFF_MAX_MS;
    return until_retry(book, book->backoff_ms);
}

/* One round, and how long to wait for the next. */
static int64_t turn(struct refresh *book)
{
    int64_t start_ms = clock_monotonic_ms();
    log_repeats_begin(&book->repeats);
    bool done = (book->pg || connect_now(book) == ERR_OK) && read_all(book);
    log_repeats_end();
    metrics_add(done ? METRIC_REFRESHES_GOOD : METRIC_REFRESHES_FAILED, 1);
    if (!done)
        return after_failure(book);
    LOG(DEBUG, "accounts_read", {"ms", LOG_NUMBER(clock_monotonic_ms() - start_ms)});
    book->repeats = (struct log_repeats){0};
    book->backoff_ms = HURRY_MS;
    book->call_ms = number_of(book, &book->timeout_ms);
    tell_behind(book);
    if (!knows_all(book, book->config))
        return HURRY_MS; /* the writer registers sites and makes their days */
    tell_ready(book);
    return book->behind > 0 ? HURRY_MS : until_retry(book, number_of(book, &book->refresh_ms));
}

/* False when it is to end. */
static bool wait(struct refresh *book, int64_t ms)
{
    assert(ms > 0); /* a round without a pause would be a loop */
    int64_t start_ms = clock_monotonic_ms();
    pthread_mutex_lock(&book->mutex);
    for (;;) {
        /* What failed is not tried more often because crawlers pay. */
        bool pressed = book->pressed && book->pg;
        int64_t most_ms = book->hurry ? HURRY_MS : pressed ? PRESS_MS : ms;
        int64_t until_ms = start_ms + (most_ms < ms ? most_ms : ms);
        struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
        if (book->stopping || clock_monotonic_ms() >= until_ms)
            break;
        /* Looked at anew after each wake: who hurries may shorten the wait that is under way. */
        pthread_cond_timedwait(&book->wake, &book->mutex, &until);
    }
    book->hurry = book->pressed = false;
    bool go_on = !book->stopping;
    pthread_mutex_unlock(&book->mutex);
    return go_on;
}

static void *keep_reading(void *context)
{
    struct refresh *book = context;
    OBJECT_CHECK(book, REFRESH_MAGIC);
    while (wait(book, turn(book)))
        continue;
    disconnect(book);
    return NULL;
}

/* --- Start, stop and use --- */

static bool init_lock(struct refresh *book)
{
    pthread_condattr_t attributes;
    bool ok = pthread_mutex_init(&book->mutex, NULL) == 0 && pthread_condattr_init(&attributes) == 0;
    if (!ok)
        return false;
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&book->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct refresh *refresh_start(const struct config *config)
{
    struct refresh *book = calloc(1, sizeof(*book));
    if (!book)
        return NULL;
    OBJECT_MAKE(book, REFRESH_MAGIC);
    book->config = config;
    book->agreements = book->tokens_made = -1;
    book->backoff_ms = HURRY_MS;
    book->refresh_ms = config->ledger_refresh_seconds * 1000;
    book->call_ms = book->timeout_ms = config->ledger_timeout_seconds * 1000;
    /* Everything before the thread: it may look at all of it from its first step on. */
    book->credit = credit_new();
    book->reading = book->credit ? reading_new(book->credit) : NULL;
    if (book->reading && init_lock(book) && pthread_create(&book->thread, NULL, keep_reading, book) == 0)
        return book;
    reading_free(book->reading);
    credit_free(book->credit);
    free(book);
    return NULL;
}

void refresh_adopt(struct refresh *book, const struct config *config)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    book->refresh_ms = config->ledger_refresh_seconds * 1000;
    book->timeout_ms = config->ledger_timeout_seconds * 1000;
    book->hurry = true; /* the wait under way is as long as the former configuration wants */
    pthread_cond_signal(&book->wake);
    pthread_mutex_unlock(&book->mutex);
}

void refresh_stop(struct refresh *book)
{
    if (!book)
        return;
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    book->stopping = true;
    pthread_cond_signal(&book->wake);
    pthread_mutex_unlock(&book->mutex);
    pthread_join(book->thread, NULL);
    assert(!book->pg); /* the thread has closed it */
    OBJECT_END(book, REFRESH_MAGIC);
    pthread_cond_destroy(&book->wake);
    pthread_mutex_destroy(&book->mutex);
    agreements_free(book->view);
    tokens_free(book->tokens);
    pg_rows_free(&book->nights);
    reading_free(book->reading);
    credit_free(book->credit);
    free(book);
}

void refresh_press(struct refresh *book)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    bool woken = book->pressed;
    book->pressed = true;
    if (!woken)
        pthread_cond_signal(&book->wake);
    pthread_mutex_unlock(&book->mutex);
}

bool refresh_ready(struct refresh *book, const struct config *config)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    /* Asked by a health check, too, which is why it only looks, and does not wait. */
    pthread_mutex_lock(&book->mutex);
    bool read = book->view != NULL;
    pthread_mutex_unlock(&book->mutex);
    if (read && knows_all(book, config))
        return true;
    pthread_mutex_lock(&book->mutex);
    book->hurry = true;
    pthread_cond_signal(&book->wake);
    pthread_mutex_unlock(&book->mutex);
    return false;
}

struct agreements *refresh_take_agreements(struct refresh *book)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    struct agreements *view = agreements_share(book->view);
    pthread_mutex_unlock(&book->mutex);
    return view;
}

struct tokens *refresh_take_tokens(struct refresh *book)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    struct tokens *tokens = tokens_share(book->tokens);
    pthread_mutex_unlock(&book->mutex);
    return tokens;
}

bool refresh_night(struct refresh *book, struct slice site, struct refresh_night *night)
{
    bool found = false;
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    for (int i = 0; i < book->nights.count && !found; i++) {
        const struct account_nights_row row = account_nights_row(&book->nights, i);
        found = slice_eq(slice_of(row.site), site);
        *night = (struct refresh_night){row.sealed_ms, row.closed_ms};
    }
    pthread_mutex_unlock(&book->mutex);
    return found;
}

struct refresh_audit refresh_audit(struct refresh *book)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    pthread_mutex_lock(&book->mutex);
    struct refresh_audit audit = book->audit;
    pthread_mutex_unlock(&book->mutex);
    return audit;
}

struct credit *refresh_credit(struct refresh *book)
{
    OBJECT_CHECK(book, REFRESH_MAGIC);
    return book->credit;
}
