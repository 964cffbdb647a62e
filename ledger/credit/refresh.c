/* One thread reads; everything it makes is published in one step each: the view by a pointer under a mutex,
 * the counters by credit_apply. A round that fails publishes nothing and is made again. */
#include "ledger/credit/refresh.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "ledger/pg/schema.h"
#include "sql/rows/credit.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define HURRY_MS        50   /* between rounds that somebody waits for */
#define BACKOFF_MAX_MS  2000 /* between tries to connect */
#define CONNECT_MAX_MS  2000
#define FIRST_MAX_MS    60000   /* for the first round, which reads all open days */
#define BALANCES_EVERY  10      /* rounds: closed days and invoices change by the operator's commands alone */
#define DOUBTS_MAX      4096    /* looked for in one round */
#define CLOCK_SPREAD_MS 3600000 /* how far gates' clocks may differ, generously */

struct refresh {
    const struct config *config;
    struct credit *credit;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct agreements *view; /* under the mutex, like the next two */
    bool hurry;
    bool stopping;

    /* The thread's own. */
    struct pg *pg;
    int64_t agreements; /* that the view was made from; -1: to be made */
    uint64_t rounds;    /* that succeeded */
    int64_t read_ms;    /* wall clock before the last of them; quarters before it were read */
    int64_t open_ms;    /* where the first open day of any site begins */
    int64_t backoff_ms;
    struct log_repeats repeats;
};

/* What one round reads. The texts belong to the rows. */
struct round {
    struct credit_news news;
    struct pg_rows days, balances, spend;
    struct credit_days *day_list;
    struct credit_balance *balance_list;
    struct credit_spend *spend_list;
    uint8_t (*found)[UUID_SIZE];
};

static void round_free(struct round *round)
{
    pg_rows_free(&round->days);
    pg_rows_free(&round->balances);
    pg_rows_free(&round->spend);
    free(round->day_list);
    free(round->balance_list);
    free(round->spend_list);
    free(round->found);
}

/* --- Reading --- */

static void publish(struct refresh *book, struct agreements *view)
{
    pthread_mutex_lock(&book->mutex);
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

static enum err read_days(struct refresh *book, struct round *round)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, round->news.now_ms);
    TRY(pg_run(book->pg, "account_days", &params, &round->days));
    round->day_list = calloc((size_t)round->days.count + 1, sizeof(*round->day_list));
    TRY(round->day_list ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < round->days.count; i++) {
        const struct account_days_row day = account_days_row(&round->days, i);
        round->day_list[i] = (struct credit_days){slice_of(day.site), day.starts_ms, day.ends_ms};
    }
    round->news.days = round->day_list;
    round->news.day_count = (size_t)round->days.count;
out:
    return err;
}

/* Which of the entries that may have been recorded are. */
static enum err read_found(struct refresh *book, struct round *round)
{
    struct pg_params params = {0};
    struct pg_array ids = {0};
    struct pg_rows rows = {0};
    enum err err = ERR_OVERLOADED;
    round->found = calloc(DOUBTS_MAX, sizeof(*round->found));
    size_t count = round->found ? credit_doubts(book->credit, round->found, DOUBTS_MAX) : 0;
    pg_array_begin(&ids, PG_TYPE_UUID);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(&ids, slice_bytes(round->found[i], UUID_SIZE));
    if (!round->found || !pg_params_array(&params, &ids))
        goto out;
    err = count > 0 ? pg_run(book->pg, "account_found", &params, &rows) : ERR_OK;
    TRY(err);
    for (int row = 0; row < rows.count; row++)
        if (uuid_parse(slice_of(account_found_row(&rows, row).payment_id),
                       round->found[round->news.found_count]))
            round->news.found_count++;
    round->news.found = (const uint8_t(*)[UUID_SIZE])round->found;
out:
    pg_rows_free(&rows);
    pg_array_free(&ids);
    return err;
}

static enum err read_balances(struct refresh *book, struct round *round)
{
    enum err err;
    TRY(pg_run(book->pg, "account_balances", NULL, &round->balances));
    const struct pg_rows *rows = &round->balances;
    int64_t open_ms = rows->count > 0 ? INT64_MAX : 0;
    round->balance_list = calloc((size_t)rows->count + 1, sizeof(*round->balance_list));
    TRY(round->balance_list ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows->count; i++) {
        const struct account_balances_row row = account_balances_row(rows, i);
        struct credit_balance *balance = &round->balance_list[i];
        *balance = (struct credit_balance){
            .site = slice_of(row.site), .open_ms = row.open_ms, .owed_micros = row.owed_micros};
        if (row.agent)
            balance->agent = slice_of(row.agent);
        open_ms = row.open_ms < open_ms ? row.open_ms : open_ms;
    }
    book->open_ms = open_ms;
    round->news.balances = round->balance_list;
    round->news.balance_count = (size_t)rows->count;
out:
    return err;
}

/* What is written from now on belongs to no earlier quarter. At first, all that is not closed. */
static int64_t first_quarter(const struct refresh *book, int64_t now_ms)
{
    if (book->rounds == 0)
        return book->open_ms / ENTRY_QUARTER_MS;
    int64_t since_ms = book->read_ms < now_ms ? book->read_ms : now_ms;
    return (since_ms - ENTRY_LATEST_MS - CLOCK_SPREAD_MS) / ENTRY_QUARTER_MS;
}

static enum err run_spend(struct refresh *book, struct round *round)
{
    struct pg_params params = {0};
    struct pg_array writers = {0}, sequences = {0};
    enum err err = ERR_OVERLOADED;
    size_t count;
    const struct credit_mark *marks = credit_marks(book->credit, &count);
    pg_array_begin(&writers, PG_TYPE_UUID);
    pg_array_begin(&sequences, PG_TYPE_INT8);
    for (size_t i = 0; i < count; i++) {
        pg_array_bytes(&writers, slice_bytes(marks[i].writer_id, UUID_SIZE));
        pg_array_number(&sequences, marks[i].sequence);
    }
    pg_params_number(&params, first_quarter(book, round->news.now_ms));
    if (pg_params_array(&params, &writers) && pg_params_array(&params, &sequences))
        err = pg_run(book->pg, "account_spend", &params, &round->spend);
    pg_array_free(&writers);
    pg_array_free(&sequences);
    return err;
}

static enum err read_spend(struct refresh *book, struct round *round)
{
    enum err err;
    TRY(run_spend(book, round));
    const struct pg_rows *rows = &round->spend;
    round->spend_list = calloc((size_t)rows->count + 1, sizeof(*round->spend_list));
    TRY(round->spend_list ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows->count; i++) {
        const struct account_spend_row row = account_spend_row(rows, i);
        struct credit_spend *spend = &round->spend_list[i];
        *spend = (struct credit_spend){.sequence = row.sequence,
                                       .site = slice_of(row.site),
                                       .agent = slice_of(row.agent),
                                       .day_ms = row.day_ms,
                                       .amount_micros = row.amount_micros};
        TRY(uuid_parse(slice_of(row.writer_id), spend->writer_id) ? ERR_OK : ERR_INTERNAL);
    }
    round->news.spend = round->spend_list;
    round->news.spend_count = (size_t)rows->count;
out:
    return err;
}

/* In the order that credit_news asks for. */
static enum err read_all(struct refresh *book)
{
    struct round round = {.news = {.now_ms = clock_now_ms(), .round = credit_begin(book->credit)}};
    enum err err;
    TRY(read_agreements(book));
    TRY(read_days(book, &round));
    TRY(read_found(book, &round));
    if (book->rounds % BALANCES_EVERY == 0)
        TRY(read_balances(book, &round));
    TRY(read_spend(book, &round));
    TRY(credit_apply(book->credit, &round.news));
    book->read_ms = round.news.now_ms;
    book->rounds++;
out:
    round_free(&round);
    return err;
}

/* --- The connection --- */

static enum err connect_now(struct refresh *book)
{
    enum err err = ERR_LEDGER_UNAVAILABLE;
    book->pg = pg_open(&(struct pg_options){
        .config = book->config,
        .role = book->config->ledger_gate_role,
        .application = "crawltabd accounts",
        .connect_ms = CONNECT_MAX_MS,
        .timeout_ms = FIRST_MAX_MS,
        .limit_server = true,
    });
    if (book->pg)
        err = schema_check(book->pg);
    if (err == ERR_OK && book->rounds == 0)
        err = pg_compare(book->pg);
    book->agreements = -1; /* another server may have as many, but others */
    return err;
}

static void disconnect(struct refresh *book)
{
    pg_close(book->pg);
    book->pg = NULL;
}

static enum err refresh(struct refresh *book)
{
    enum err err = ERR_OK;
    if (!book->pg)
        TRY(connect_now(book));
    pg_deadline(book->pg,
                book->rounds == 0 ? 0 : clock_monotonic_ms() + book->config->ledger_timeout_seconds * 1000);
    TRY(read_all(book));
out:
    return err;
}

/* --- The thread --- */

static bool knows_all(struct refresh *book, const struct config *config)
{
    for (size_t i = 0; i < config->site_count; i++)
        if (!credit_knows(book->credit, slice_of(config->sites[i].name), clock_now_ms()))
            return false;
    return true;
}

/* One round, and how long to wait for the next. */
static int64_t turn(struct refresh *book, bool *told)
{
    log_repeats_begin(&book->repeats);
    enum err err = refresh(book);
    log_repeats_end();
    if (err != ERR_OK) {
        disconnect(book);
        book->backoff_ms = book->backoff_ms * 2 < BACKOFF_MAX_MS ? book->backoff_ms * 2 : BACKOFF_MAX_MS;
        return book->backoff_ms;
    }
    book->repeats = (struct log_repeats){0};
    book->backoff_ms = HURRY_MS;
    if (!*told && !knows_all(book, book->config))
        return HURRY_MS; /* the writer registers sites and makes their days */
    if (!*told)
        LOG(INFO, "accounts_ready", {"agreements", LOG_NUMBER(book->agreements)});
    *told = true;
    return book->config->ledger_refresh_seconds * 1000;
}

/* False when it is to end. */
static bool wait(struct refresh *book, int64_t ms)
{
    int64_t start_ms = clock_monotonic_ms();
    pthread_mutex_lock(&book->mutex);
    for (;;) {
        int64_t until_ms = start_ms + (book->hurry && ms > HURRY_MS ? HURRY_MS : ms);
        struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
        if (book->stopping || clock_monotonic_ms() >= until_ms)
            break;
        pthread_cond_timedwait(&book->wake, &book->mutex, &until);
    }
    book->hurry = false;
    bool go_on = !book->stopping;
    pthread_mutex_unlock(&book->mutex);
    return go_on;
}

static void *keep_reading(void *context)
{
    struct refresh *book = context;
    bool told = false;
    while (wait(book, turn(book, &told)))
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
    book->config = config;
    book->agreements = -1;
    book->backoff_ms = HURRY_MS;
    book->credit = credit_new();
    if (book->credit && init_lock(book) && pthread_create(&book->thread, NULL, keep_reading, book) == 0)
        return book;
    credit_free(book->credit);
    free(book);
    return NULL;
}

void refresh_stop(struct refresh *book)
{
    if (!book)
        return;
    pthread_mutex_lock(&book->mutex);
    book->stopping = true;
    pthread_cond_signal(&book->wake);
    pthread_mutex_unlock(&book->mutex);
    pthread_join(book->thread, NULL);
    pthread_cond_destroy(&book->wake);
    pthread_mutex_destroy(&book->mutex);
    agreements_free(book->view);
    credit_free(book->credit);
    free(book);
}

bool refresh_ready(struct refresh *book, const struct config *config)
{
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
    pthread_mutex_lock(&book->mutex);
    struct agreements *view = agreements_share(book->view);
    pthread_mutex_unlock(&book->mutex);
    return view;
}

struct credit *refresh_credit(struct refresh *book)
{
    return book->credit;
}
