/* Spending is read in two ways. Into quarters of an hour that are long over nobody writes any more: they are
 * summed up once, some at a time, and what failed is asked for again. Into the last ones many may write at
 * once, and commit in any order: there each writer is followed by the numbers of its batches. */
#include "ledger/credit/reading.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "sql/rows/credit.h"

#include <assert.h>
#include <stdlib.h>

#define CLOCK_SPREAD_MS 3600000   /* how far gates' clocks may differ, generously */
#define PAST_MS         259200000 /* days that are not closed and not accrued are read from so long ago */
#define ACCRUE_AFTER_MS 10800000  /* a day's last entry has come, by any clock, and a night has had time */
#define ACCRUE_FOR_MS   300       /* at once, so that the other parts have their turn */
#define WINDOW_MAX      96        /* quarters asked for at once */
#define PAGE            10000     /* accounts, or changes of a site, asked for at once */
#define DOUBTS_MAX      4096      /* ids looked for in one round */
#define QUARTER(ms)     ((ms) / ENTRY_QUARTER_MS)

/* Up to where a site's balances were read. */
struct step {
    int64_t site_id, step, crawler_id;
};

struct reading {
    struct credit *credit;

    struct pg_rows days; /* as read last */
    bool *waits;         /* of each of them: its site was behind when the balances were read last */
    int64_t from_ms;     /* spending was read from here on; 0: not yet */
    bool taken;          /* payments are taken on those days, but for sites that are behind */

    bool balances_begun, balances_read;
    int64_t page_site, page_crawler; /* the last account of the last page */
    struct step *steps;
    size_t step_count;

    bool spend_read;       /* once; then from first_quarter on */
    int64_t past_quarter;  /* the next one that is summed up */
    int64_t first_quarter; /* of the last round: marks begin here */
    int64_t read_ms;       /* wall clock before the last round */
    int64_t window;
};

struct reading *reading_new(struct credit *credit)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (!reading)
        return NULL;
    reading->credit = credit;
    reading->window = WINDOW_MAX;
    return reading;
}

void reading_free(struct reading *reading)
{
    if (!reading)
        return;
    pg_rows_free(&reading->days);
    free(reading->waits);
    free(reading->steps);
    free(reading);
}

void reading_reconnected(struct reading *reading)
{
    reading->balances_begun = false;
}

/* --- Days --- */

/* Where a site's uncounted spending begins; INT64_MAX: it has none. */
static int64_t open_of(const struct account_days_row *day)
{
    return day->open_ms_null ? INT64_MAX : day->open_ms;
}

static bool is_behind(const struct reading *reading, const struct account_days_row *day)
{
    return open_of(day) < reading->from_ms;
}

static enum err tell_days(struct reading *reading)
{
    const struct pg_rows *rows = &reading->days;
    assert(reading->waits || rows->count == 0);
    struct credit_day *days = calloc((size_t)rows->count + 1, sizeof(*days));
    if (!days)
        return ERR_OVERLOADED;
    for (int i = 0; i < rows->count; i++) {
        const struct account_days_row day = account_days_row(rows, i);
        reading->waits[i] = reading->waits[i] || is_behind(reading, &day);
        days[i] = (struct credit_day){.site = slice_of(day.site),
                                      .starts_ms = day.starts_ms,
                                      .ends_ms = day.ends_ms,
                                      .sealed = day.sealed,
                                      .counted_ms = day.counted_ms,
                                      .taken = reading->taken && !reading->waits[i]};
    }
    /* All days at once: a site's day without the next would refuse payments at midnight. */
    enum err err = credit_apply_days(reading->credit, days, (size_t)rows->count);
    free(days);
    return err;
}

/* From the first open day of any site on, but not from for ever ago: a site that is open longer has to wait
 * until its days are accrued. */
static void begin_spend(struct reading *reading, int64_t now_ms)
{
    int64_t from_ms = now_ms;
    for (int i = 0; i < reading->days.count; i++) {
        const struct account_days_row day = account_days_row(&reading->days, i);
        from_ms = open_of(&day) < from_ms ? open_of(&day) : from_ms;
    }
    reading->from_ms = from_ms > now_ms - PAST_MS ? from_ms : now_ms - PAST_MS;
    reading->past_quarter = QUARTER(reading->from_ms);
    assert(reading->from_ms <= now_ms && reading->from_ms >= now_ms - PAST_MS);
}

/* Whether a site waits. The rows of both readings are in the order of their sites, of which none goes: `*at`
 * is where the last one that was asked for stood, so that all of them cost one walk. */
static bool waits(const struct reading *reading, const char *site, int *at)
{
    int found = *at;
    while (found < reading->days.count && strcmp(account_days_row(&reading->days, found).site, site) != 0)
        found++;
    if (found == reading->days.count)
        return false; /* a site that came since */
    *at = found;
    bool waiting = false;
    for (int i = found; i < reading->days.count && !waiting; i++) {
        if (strcmp(account_days_row(&reading->days, i).site, site) != 0)
            break;
        waiting = reading->waits[i];
    }
    return waiting;
}

/* Takes the rows over. A site that was behind waits still, if its days have been added up meanwhile: the
 * balances that they were added to are read after this. */
static enum err take_days(struct reading *reading, struct pg_rows *rows)
{
    bool *still = calloc((size_t)rows->count + 1, sizeof(*still));
    if (!still)
        return ERR_OVERLOADED;
    /* By name and not by position: sites come between two readings, and days come and go. */
    int at = 0;
    for (int i = 0; i < rows->count; i++)
        still[i] = waits(reading, account_days_row(rows, i).site, &at);
    pg_rows_free(&reading->days);
    free(reading->waits);
    reading->days = *rows;
    reading->waits = still;
    *rows = (struct pg_rows){0};
    return ERR_OK;
}

/* The balances have been read: only who is behind by the days of before goes on waiting. */
static enum err end_waits(struct reading *reading)
{
    bool changed = false;
    for (int i = 0; i < reading->days.count; i++) {
        const struct account_days_row day = account_days_row(&reading->days, i);
        bool ended = reading->waits[i] && !is_behind(reading, &day);
        reading->waits[i] = reading->waits[i] && !ended;
        changed = changed || ended;
    }
    return changed ? tell_days(reading) : ERR_OK;
}

enum err reading_days(struct reading *reading, struct pg *pg)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    int64_t now_ms = clock_now_ms();
    enum err err;
    pg_params_number(&params, now_ms);
    TRY(pg_run(pg, "account_days", &params, &rows));
    TRY(take_days(reading, &rows));
    if (reading->from_ms == 0 && reading->days.count > 0)
        begin_spend(reading, now_ms);
    TRY(tell_days(reading));
out:
    pg_rows_free(&rows);
    return err;
}

const char *reading_behind(const struct reading *reading, size_t *at, int64_t *open_ms)
{
    const struct pg_rows *rows = &reading->days;
    assert(*at <= (size_t)rows->count);
    const char *before = *at > 0 ? account_days_row(rows, (int)*at - 1).site : "";
    for (int i = (int)*at; i < rows->count; i++) {
        const struct account_days_row day = account_days_row(rows, i);
        *at = (size_t)i + 1;
        if (!is_behind(reading, &day) || strcmp(day.site, before) == 0)
            continue;
        *open_ms = day.open_ms;
        return day.site;
    }
    return NULL;
}

/* --- Balances --- */

static enum err tell_balances(struct reading *reading, const struct pg_rows *rows)
{
    struct credit_balance *balances = calloc((size_t)rows->count + 1, sizeof(*balances));
    if (!balances)
        return ERR_OVERLOADED;
    for (int i = 0; i < rows->count; i++) {
        const struct account_balance_row row = account_balance_row(rows, i);
        balances[i] = (struct credit_balance){.site = slice_of(row.site),
                                              .agent = slice_of(row.agent),
                                              .owed_micros = row.owed_micros,
                                              .counted_ms = row.counted_ms};
    }
    enum err err = credit_apply_balances(reading->credit, balances, (size_t)rows->count);
    free(balances);
    return err;
}

/* Before the accounts: what changes while they are read is read once more as a change, and says the same. */
static enum err begin_balances(struct reading *reading, struct pg *pg)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(pg, "account_steps", NULL, &rows));
    struct step *steps = calloc((size_t)rows.count + 1, sizeof(*steps));
    TRY(steps ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows.count; i++) {
        const struct account_steps_row row = account_steps_row(&rows, i);
        assert(i == 0 || steps[i - 1].site_id < row.site_id);
        steps[i] = (struct step){row.site_id, row.step, INT64_MAX};
    }
    free(reading->steps);
    reading->steps = steps;
    reading->step_count = (size_t)rows.count;
    reading->page_site = reading->page_crawler = 0;
    reading->balances_begun = true;
    reading->balances_read = false;
out:
    pg_rows_free(&rows);
    return err;
}

/* *more: there are accounts after the page. */
static enum err read_page(struct reading *reading, struct pg *pg, bool *more)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, reading->page_site);
    pg_params_number(&params, reading->page_crawler);
    pg_params_number(&params, PAGE);
    TRY(pg_run(pg, "account_balances", &params, &rows));
    TRY(tell_balances(reading, &rows));
    /* By the last account and not by a number of rows: accounts that come meanwhile move no page. */
    *more = rows.count == PAGE;
    if (rows.count > 0) {
        const struct account_balance_row last = account_balance_row(&rows, rows.count - 1);
        reading->page_site = last.site_id;
        reading->page_crawler = last.crawler_id;
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* The mark of a site, or a new one at its beginning; NULL without memory. They are in the order of sites. */
static struct step *step_of(struct reading *reading, int64_t site_id)
{
    size_t low = 0, high = reading->step_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reading->steps[middle].site_id < site_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < reading->step_count && reading->steps[low].site_id == site_id)
        return &reading->steps[low];
    /* A site that was added since: from its first step on. */
    struct step *steps = realloc(reading->steps, (reading->step_count + 1) * sizeof(*steps));
    if (!steps)
        return NULL;
    reading->steps = steps;
    memmove(&steps[low + 1], &steps[low], (reading->step_count - low) * sizeof(*steps));
    reading->step_count++;
    steps[low] = (struct step){.site_id = site_id};
    return &steps[low];
}

/* In the order of the rows, so that the last one of each site stays. */
static enum err move_steps(struct reading *reading, const struct pg_rows *rows)
{
    for (int i = 0; i < rows->count; i++) {
        const struct account_balance_row row = account_balance_row(rows, i);
        struct step *step = step_of(reading, row.site_id);
        if (!step)
            return ERR_OVERLOADED; /* what was told is told again, and says the same */
        step->step = row.step;
        step->crawler_id = row.crawler_id;
    }
    return ERR_OK;
}

static enum err run_changes(struct reading *reading, struct pg *pg, struct pg_rows *rows)
{
    struct pg_params params = {0};
    struct pg_array sites = {0}, steps = {0}, crawlers = {0};
    enum err err = ERR_OVERLOADED;
    pg_array_begin(&sites, PG_TYPE_INT8);
    pg_array_begin(&steps, PG_TYPE_INT8);
    pg_array_begin(&crawlers, PG_TYPE_INT8);
    for (size_t i = 0; i < reading->step_count; i++) {
        pg_array_number(&sites, reading->steps[i].site_id);
        pg_array_number(&steps, reading->steps[i].step);
        pg_array_number(&crawlers, reading->steps[i].crawler_id);
    }
    /* Three arrays side by side, a row of each site: one round trip, however many sites there are. */
    bool filled = pg_params_array(&params, &sites) && pg_params_array(&params, &steps) &&
                  pg_params_array(&params, &crawlers);
    pg_params_number(&params, PAGE);
    if (filled)
        err = pg_run(pg, "account_changes", &params, rows);
    pg_array_free(&sites);
    pg_array_free(&steps);
    pg_array_free(&crawlers);
    return err;
}

/* *more: perhaps there are others. */
static enum err read_changes(struct reading *reading, struct pg *pg, bool *more)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(run_changes(reading, pg, &rows));
    TRY(tell_balances(reading, &rows));
    TRY(move_steps(reading, &rows));
    *more = rows.count >= PAGE;
out:
    pg_rows_free(&rows);
    return err;
}

enum err reading_balances(struct reading *reading, struct pg *pg)
{
    enum err err;
    bool more = true;
    if (!reading->balances_begun)
        TRY(begin_balances(reading, pg));
    while (!reading->balances_read) {
        TRY(read_page(reading, pg, &more));
        reading->balances_read = !more;
    }
    /* At least once, also right after the accounts: what changed while they were read is among it. */
    for (more = true; more;)
        TRY(read_changes(reading, pg, &more));
    TRY(end_waits(reading));
out:
    return err;
}

/* --- Spending that is over --- */

static enum err tell_past(struct reading *reading, const struct pg_rows *rows)
{
    struct credit_spend *spend = calloc((size_t)rows->count + 1, sizeof(*spend));
    if (!spend)
        return ERR_OVERLOADED;
    for (int i = 0; i < rows->count; i++) {
        const struct account_spend_past_row row = account_spend_past_row(rows, i);
        spend[i] = (struct credit_spend){.site = slice_of(row.site),
                                         .agent = slice_of(row.agent),
                                         .day_ms = row.day_ms,
                                         .amount_micros = row.amount_micros};
    }
    enum err err = credit_apply_past(reading->credit, spend, (size_t)rows->count);
    free(spend);
    return err;
}

/* All quarters before this one. */
static enum err read_past(struct reading *reading, struct pg *pg, int64_t end_quarter)
{
    enum err err = ERR_OK;
    while (reading->past_quarter < end_quarter) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        int64_t next = reading->past_quarter + reading->window;
        next = next < end_quarter ? next : end_quarter;
        assert(reading->window > 0 && reading->window <= WINDOW_MAX && next > reading->past_quarter);
        pg_params_number(&params, reading->past_quarter);
        pg_params_number(&params, next);
        /* Told before the mark moves: what failed in between is asked for again, and was not counted. */
        err = pg_run(pg, "account_spend_past", &params, &rows);
        err = err == ERR_OK ? tell_past(reading, &rows) : err;
        pg_rows_free(&rows);
        if (err != ERR_OK) {
            /* Half as much next time: it took too long, and the deadline stays. */
            reading->window = reading->window > 1 ? reading->window / 2 : 1;
            return err;
        }
        reading->past_quarter = next;
    }
    reading->window = WINDOW_MAX;
    return err;
}

/* --- Spending that goes on --- */

/* Which of the entries that may have been recorded are. */
static enum err read_found(struct reading *reading, struct pg *pg, uint8_t (*found)[UUID_SIZE],
                           size_t *found_count)
{
    struct pg_params params = {0};
    struct pg_array ids = {0};
    struct pg_rows rows = {0};
    enum err err = ERR_OVERLOADED;
    size_t count = credit_doubts(reading->credit, found, DOUBTS_MAX);
    assert(count <= DOUBTS_MAX && *found_count == 0);
    /* Before the spending is read: an entry that comes in between is found by both, and released once. */
    pg_array_begin(&ids, PG_TYPE_UUID);
    for (size_t i = 0; i < count; i++)
        pg_array_bytes(&ids, slice_bytes(found[i], UUID_SIZE));
    TRY(pg_params_array(&params, &ids) ? ERR_OK : ERR_OVERLOADED);
    if (count > 0)
        TRY(pg_run(pg, "account_found", &params, &rows));
    for (int row = 0; row < rows.count; row++) {
        assert(*found_count < DOUBTS_MAX); /* never more rows than ids that were asked for */
        if (uuid_parse(slice_of(account_found_row(&rows, row).payment_id), found[*found_count]))
            ++*found_count;
    }
out:
    pg_rows_free(&rows);
    pg_array_free(&ids);
    return err;
}

static enum err run_spend(struct reading *reading, struct pg *pg, int64_t first_quarter, struct pg_rows *rows)
{
    struct pg_params params = {0};
    struct pg_array quarters = {0}, writers = {0}, sequences = {0};
    enum err err = ERR_OVERLOADED;
    size_t count;
    const struct credit_mark *marks = credit_marks(reading->credit, &count);
    pg_array_begin(&quarters, PG_TYPE_INT8);
    pg_array_begin(&writers, PG_TYPE_UUID);
    pg_array_begin(&sequences, PG_TYPE_INT8);
    for (size_t i = 0; i < count; i++) {
        pg_array_number(&quarters, marks[i].quarter);
        pg_array_bytes(&writers, slice_bytes(marks[i].writer_id, UUID_SIZE));
        pg_array_number(&sequences, marks[i].sequence);
    }
    pg_params_number(&params, first_quarter);
    if (pg_params_array(&params, &quarters) && pg_params_array(&params, &writers) &&
        pg_params_array(&params, &sequences))
        err = pg_run(pg, "account_spend", &params, rows);
    pg_array_free(&quarters);
    pg_array_free(&writers);
    pg_array_free(&sequences);
    return err;
}

static enum err list_spend(const struct pg_rows *rows, struct credit_spend *spend)
{
    enum err err = ERR_OK;
    for (int i = 0; i < rows->count; i++) {
        const struct account_spend_row row = account_spend_row(rows, i);
        spend[i] = (struct credit_spend){.site = slice_of(row.site),
                                         .agent = slice_of(row.agent),
                                         .day_ms = row.day_ms,
                                         .amount_micros = row.amount_micros};
        struct credit_mark *mark = &spend[i].mark;
        mark->quarter = row.quarter;
        mark->sequence = row.sequence;
        TRY(uuid_parse(slice_of(row.writer_id), mark->writer_id) ? ERR_OK : ERR_INTERNAL);
    }
out:
    return err;
}

/* In the order that credit_news asks for. */
static enum err read_round(struct reading *reading, struct pg *pg, int64_t first_quarter, int64_t now_ms)
{
    struct credit_news news = {
        .round = credit_begin(reading->credit), .now_ms = now_ms, .first_quarter = first_quarter};
    uint8_t(*found)[UUID_SIZE] = calloc(DOUBTS_MAX, sizeof(*found));
    struct credit_spend *spend = NULL;
    struct pg_rows rows = {0};
    enum err err;
    TRY(found ? ERR_OK : ERR_OVERLOADED);
    TRY(read_found(reading, pg, found, &news.found_count));
    TRY(run_spend(reading, pg, first_quarter, &rows));
    TRY((spend = calloc((size_t)rows.count + 1, sizeof(*spend))) ? ERR_OK : ERR_OVERLOADED);
    TRY(list_spend(&rows, spend));
    news.found = (const uint8_t(*)[UUID_SIZE])found;
    news.spend = spend;
    news.spend_count = (size_t)rows.count;
    TRY(credit_apply_spend(reading->credit, &news));
    reading->first_quarter = first_quarter;
    reading->read_ms = now_ms;
out:
    pg_rows_free(&rows);
    free(spend);
    free(found);
    return err;
}

/* The first quarter that anybody may still write into, or has written into since the last round. */
static int64_t first_quarter(const struct reading *reading, int64_t now_ms)
{
    int64_t since_ms = reading->spend_read && reading->read_ms < now_ms ? reading->read_ms : now_ms;
    return QUARTER(since_ms - ENTRY_LATEST_MS - CLOCK_SPREAD_MS);
}

/* A clock that was set back makes ids of quarters whose marks are dropped: so all is read anew. */
static void begin_again(struct reading *reading, int64_t now_ms)
{
    LOG(WARN, "clock_set_back", {"detail", "what crawlers have spent is read again from the start"});
    credit_forget_spend(reading->credit);
    reading->spend_read = false;
    reading->taken = false;
    begin_spend(reading, now_ms);
}

enum err reading_spend(struct reading *reading, struct pg *pg)
{
    enum err err = ERR_OK;
    int64_t now_ms = clock_now_ms();
    if (reading->from_ms == 0)
        return ERR_OK; /* no site has a day yet */
    int64_t first = first_quarter(reading, now_ms);
    if (reading->spend_read && first < reading->first_quarter) {
        begin_again(reading, now_ms);
        TRY(tell_days(reading));
        first = first_quarter(reading, now_ms);
    }
    if (!reading->spend_read) {
        TRY(read_past(reading, pg, first));
        first = reading->past_quarter > first ? first : reading->past_quarter;
    }
    /* What is summed up and what is followed by marks meet: a quarter in neither would be spent for nothing.
     */
    assert(first <= reading->past_quarter || reading->spend_read);
    TRY(read_round(reading, pg, first, now_ms));
    reading->spend_read = true;
    if (!reading->taken && reading->balances_read) {
        reading->taken = true;
        TRY(tell_days(reading));
    }
out:
    return err;
}

/* --- Days that nobody closes --- */

enum err reading_accruals(struct reading *reading, struct pg *pg, bool *more)
{
    int64_t end_ms = clock_monotonic_ms() + ACCRUE_FOR_MS;
    enum err err;
    (void)reading;
    *more = true;
    do {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_number(&params, clock_now_ms() - ACCRUE_AFTER_MS);
        TRY(pg_run(pg, "account_accrue", &params, &rows));
        *more = account_accrue_row(&rows, 0).days > 0;
        pg_rows_free(&rows);
    } while (*more && clock_monotonic_ms() < end_ms);
out:
    return err;
}
