/* The order is the promise: sealed first, in a transaction of a moment, and from then on no entry can come
 * into the day whatever happens; then all that follows from the entries is made and checked in one
 * transaction. Killed anywhere, the next run finds either an open day, or a sealed one that it makes from
 * the same entries to the same bytes. The lines are made by SQL's sums and proved by a second reading of
 * each entry here, which shares no code with them. */
#include "ledger/night/day.h"

#include "ledger/base/instant.h"
#include "ledger/bill/adjustment.h"
#include "ledger/delivery/day_deliveries.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/entry/entry.h"
#include "ledger/site/site.h"
#include "sql/rows/night.h"
#include "sql/rows/site.h"

#include <assert.h>
#include <stdio.h>

/* Each waits for the lock_timeout of seal_day. */
#define SEAL_TRIES 20

/* The open day that is closed now. */
struct open_day {
    char date[DAY_DATE_MAX];
    int64_t due_ms; /* when it could be closed first */
    int64_t close_number;
    bool sealed;
};

enum err day_read(struct pg *pg, int64_t site_id, const char *date, struct day_status *status)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *status = (struct day_status){0};
    pg_params_number(&params, site_id);
    pg_params_text(&params, date);
    pg_params_number(&params, ENTRY_LATEST_MS);
    TRY(pg_run(pg, "day_read", &params, &rows));
    if (rows.count > 0)
        *status = (struct day_status){true, day_read_row(&rows, 0).closed, day_read_row(&rows, 0).due_ms};
out:
    pg_rows_free(&rows);
    return err;
}

/* Locks the site's days and finds the oldest open one that is due; `date` is empty if there is none. */
static enum err find_due(struct pg *pg, const struct day_order *order, struct open_day *day)
{
    assert(!order->last_date || instant_is_date(slice_of(order->last_date)));
    struct pg_params guard = {0}, params = {0};
    struct pg_rows number = {0}, rows = {0};
    enum err err;
    *day = (struct open_day){0};
    /* The lock first: what is read before it may be another night's by the time that it is had. */
    pg_params_number(&guard, order->site_id);
    TRY(pg_run(pg, "series_lock", &guard, &number));
    assert(number.count == 1);
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->last_date);
    pg_params_number(&params, ENTRY_LATEST_MS);
    TRY(pg_run(pg, "day_next", &params, &rows));
    if (rows.count == 0 || day_next_row(&rows, 0).due_ms > order->now_ms)
        goto out;
    const struct day_next_row next = day_next_row(&rows, 0);
    int len = snprintf(day->date, sizeof(day->date), "%s", next.local_date);
    assert(len > 0 && (size_t)len < sizeof(day->date)); /* what was cut would be another day */
    day->due_ms = next.due_ms;
    day->sealed = next.sealed;
    day->close_number = series_lock_row(&number, 0).last_number + 1;
out:
    pg_rows_free(&number);
    pg_rows_free(&rows);
    return err;
}

/* When the day's lines are made, by which it is known what the terms take off a crawl, and before anything is
 * billed. The seal has fixed what was not delivered. */
static enum err reverse_undelivered(struct pg *pg, const struct day_order *order, const struct open_day *day)
{
    struct pg_params which = {0}, reverse = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&which, order->site_id);
    pg_params_text(&which, day->date);
    TRY(pg_run(pg, "undelivered_any", &which, &rows));
    assert(rows.count == 1);
    if (!undelivered_any_row(&rows, 0).found)
        goto out;
    /* A correction of the same charge by a person must not come between; not locked for a show, which is long
     * and keeps nothing. */
    if (!order->dry_run)
        TRY(adjustment_lock(pg, order->site_id));
    pg_params_number(&reverse, order->site_id);
    pg_params_text(&reverse, day->date);
    pg_params_text(&reverse, order->actor);
    TRY(pg_run(pg, "undelivered_reverse", &reverse, NULL));
out:
    pg_rows_free(&rows);
    return err;
}

/* Before the lines are made, which are of what is proven. */
static enum err judge(struct pg *pg, const struct day_order *order, const struct open_day *day,
                      struct day_closed *closed)
{
    const struct unproven_order unproven = {.site_id = order->site_id,
                                            .date = day->date,
                                            .book = order->book,
                                            .unknown_offers = order->unknown_offers,
                                            .tell = order->progress,
                                            .context = order->progress_context};
    return order->book ? unproven_note(pg, &unproven, &closed->unproven) : ERR_OK;
}

static enum err total_up(struct pg *pg, const struct day_order *order, const struct open_day *day,
                         struct day_closed *closed)
{
    assert(day->date[0] && day->close_number > 0);
    const struct invoice_order invoices = {order->site_id, day->date,    day->close_number,
                                           order->seller,  order->actor, order->now_ms};
    struct pg_params lines = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&lines, order->site_id);
    pg_params_text(&lines, day->date);
    /* In this order: a reversal is of what a line has charged, an invoice is of lines and reversals. */
    TRY(pg_run(pg, "day_lines_insert", &lines, NULL));
    TRY(reverse_undelivered(pg, order, day));
    TRY(invoice_make(pg, &invoices));
    TRY(pg_run(pg, "day_totals", &lines, &rows));
    assert(rows.count == 1);
    const struct day_totals_row totals = day_totals_row(&rows, 0);
    closed->entries = totals.entries;
    closed->sum_micros = totals.sum_micros;
    closed->invoices = totals.invoices;
    closed->invoiced_micros = totals.invoiced_micros;
    snprintf(closed->date, sizeof(closed->date), "%s", day->date);
out:
    pg_rows_free(&rows);
    return err;
}

/* Promise P4, checked before anything is committed. */
static enum err demand_none(const struct open_day *day, int64_t mismatches, const char *detail)
{
    char crawlers[LOG_NUMBER_MAX];
    if (mismatches == 0)
        return ERR_OK;
    LOG(ERROR, "day_does_not_add_up", {"day", day->date}, {"crawlers", log_number(mismatches, crawlers)},
        {"detail", detail}, {"hint", "this is a fault in crawltab or in its tables: please report it"});
    return ERR_INTERNAL;
}

static enum err check_invoices(struct pg *pg, const struct day_order *order, const struct open_day *day)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, day->date);
    TRY(pg_run(pg, "day_mismatches", &params, &rows));
    assert(rows.count == 1);
    err = demand_none(day, day_mismatches_row(&rows, 0).crawlers,
                      "totals and invoices differ; the day stays open and nothing was changed");
out:
    pg_rows_free(&rows);
    return err;
}

static enum err log_action(struct pg *pg, const struct day_order *order, const char *date)
{
    struct pg_params action = {0};
    char detail[128];
    int len = snprintf(detail, sizeof(detail), "closed day %s of site number %lld", date,
                       (long long)order->site_id);
    assert(len > 0 && (size_t)len < sizeof(detail));
    pg_params_number(&action, order->now_ms);
    pg_params_text(&action, order->actor);
    pg_params_text(&action, "nightly");
    pg_params_text(&action, detail);
    return pg_run(pg, "operator_action_insert", &action, NULL);
}

static enum err insert_close(struct pg *pg, const struct day_order *order, const struct open_day *day,
                             const struct day_closed *closed)
{
    assert(strcmp(closed->date, day->date) == 0);
    assert(day->sealed || order->dry_run); /* nothing can come into it any more */
    struct pg_params close = {0}, number = {0};
    enum err err;
    pg_params_number(&close, order->site_id);
    pg_params_text(&close, day->date);
    pg_params_number(&close, day->close_number);
    pg_params_number(&close, closed->entries);
    pg_params_number(&close, closed->sum_micros);
    pg_params_number(&close, day->due_ms);
    pg_params_number(&close, order->now_ms);
    if (order->book)
        pg_params_number(&close, closed->unproven.entries);
    else
        pg_params_text(&close, NULL);
    TRY(pg_run(pg, "day_close_insert", &close, NULL));
    pg_params_number(&number, order->site_id);
    pg_params_text(&number, "day");
    pg_params_number(&number, 1);
    TRY(pg_run(pg, "series_take", &number, NULL));
    TRY(log_action(pg, order, day->date));
out:
    return err;
}

/* The second, independent pass over the entries, which proves the lines: what is billed and what is not
 * proven are all entries that there are. What was made of it is signed: last, so that all rows that the close
 * has made are under the signature. */
static enum err prove(struct pg *pg, const struct day_order *order, const struct open_day *day,
                      const struct day_closed *closed)
{
    assert(order->dry_run || order->key);
    const struct day_tree_order tree_order = {.site_id = order->site_id,
                                              .date = day->date,
                                              .tell = order->progress,
                                              .context = order->progress_context};
    struct day_tree tree = {.entries = 0};
    struct fact_tree facts;
    enum err err;
    TRY(day_tree_read(pg, &tree_order, &tree));
    bool whole = tree.entries == closed->entries + tree.unproven &&
                 (!order->book || tree.unproven == closed->unproven.entries);
    TRY(demand_none(day, day_tree_mismatches(&tree) + !whole,
                    "entries and totals differ; the day stays open and nothing was changed"));
    TRY(insert_close(pg, order, day, closed));
    if (!order->dry_run) {
        TRY(day_tree_insert(pg, &tree_order, &tree));
        TRY(day_deliveries_seal(pg, order->site_id, day->date));
        TRY(fact_tree_seal(pg, &tree_order));
        TRY(fact_tree_read(pg, &tree_order, &facts));
        TRY(checkpoint_add(pg, &tree_order, &tree, &facts, order->key));
    }
out:
    day_tree_free(&tree);
    return err;
}

/* Inside a transaction. `date` of `closed` is empty if no day was due. */
static enum err close_next(struct pg *pg, const struct day_order *order, struct day_closed *closed)
{
    struct open_day day;
    enum err err;
    *closed = (struct day_closed){.date = ""};
    TRY(find_due(pg, order, &day));
    /* Not sealed: another run has closed the day that this one sealed, and goes on. */
    if (!day.date[0] || (!day.sealed && !order->dry_run))
        goto out;
    TRY(judge(pg, order, &day, closed));
    TRY(total_up(pg, order, &day, closed));
    TRY(check_invoices(pg, order, &day));
    TRY(prove(pg, order, &day, closed));
out:
    return err;
}

/* The counter row that is the lock. Outside the transaction, or a second run would wait for it. */
static enum err make_guard(struct pg *pg, const struct day_order *order)
{
    struct pg_params params = {0};
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, "day");
    return pg_run(pg, "series_insert", &params, NULL);
}

/* Before a day is closed with them. A site that the configuration does not know keeps what it has. */
static enum err record_terms(struct pg *pg, const struct day_order *order)
{
    const struct config_site *site = order->seller->site;
    return site ? site_record_terms(pg, order->site_id, site, order->actor, order->now_ms) : ERR_OK;
}

/* In a transaction that is committed at once, since gates wait for what it locks. */
static enum err try_to_seal(struct pg *pg, const struct day_order *order, struct open_day *day)
{
    struct pg_params params = {0};
    enum err err;
    TRY(pg_begin(pg));
    TRY(find_due(pg, order, day));
    if (day->date[0] && !day->sealed) {
        pg_params_number(&params, order->site_id);
        pg_params_text(&params, day->date);
        pg_params_number(&params, day->due_ms);
        pg_params_number(&params, order->now_ms);
        TRY(pg_run(pg, "day_seal", &params, NULL));
    }
    TRY(pg_commit(pg));
out:
    return err;
}

/* Seals the next due day. A transaction that keeps its entries open for long is waited for in several tries,
 * between which other entries get through. */
static enum err seal_next(struct pg *pg, const struct day_order *order)
{
    struct open_day day = {.date = ""};
    enum err err = ERR_OK;
    for (int tries = 0; tries < SEAL_TRIES; tries++) {
        err = try_to_seal(pg, order, &day);
        bool waited = err != ERR_OK && pg_failure(pg) == PG_LOCKED && day.date[0];
        if (!waited)
            return err;
        pg_rollback(pg);
    }
    LOG(ERROR, "day_not_sealed", {"day", day.date},
        {"detail", "a transaction has written entries into the partitions of this day and does not end"},
        {"hint", "find it in pg_locks and end it, then run again"});
    return ERR_LEDGER_UNAVAILABLE;
}

static enum err close_for_good(struct pg *pg, const struct day_order *order, day_tell *tell, void *context)
{
    assert(!order->dry_run);
    struct day_closed closed;
    enum err err;
    do {
        TRY(seal_next(pg, order));
        TRY(pg_begin(pg));
        TRY(close_next(pg, order, &closed));
        TRY(pg_commit(pg));
        if (closed.date[0])
            TRY(tell(pg, &closed, context));
    } while (closed.date[0]);
out:
    return err;
}

/* All days in one transaction, because what one carries forward the next one carries in. */
static enum err close_for_show(struct pg *pg, const struct day_order *order, day_tell *tell, void *context)
{
    assert(order->dry_run);
    struct day_closed closed;
    enum err err;
    TRY(pg_begin(pg));
    TRY(make_guard(pg, order));
    TRY(record_terms(pg, order));
    do {
        TRY(close_next(pg, order, &closed));
        if (closed.date[0])
            TRY(tell(pg, &closed, context));
    } while (closed.date[0]);
out:
    return err;
}

enum err day_close_due(struct pg *pg, const struct day_order *order, day_tell *tell, void *context,
                       bool *busy)
{
    assert(order->seller && order->actor && tell);
    assert(order->dry_run || order->key); /* before anything is sealed for good */
    enum err err;
    *busy = false;
    /* Also for a dry run, and not in its long transaction: gates make the same days, and would wait. */
    TRY(site_make_days(pg, order->site_id, order->now_ms));
    if (order->dry_run) {
        err = close_for_show(pg, order, tell, context);
    } else {
        TRY(make_guard(pg, order));
        TRY(record_terms(pg, order));
        err = close_for_good(pg, order, tell, context);
    }
    if (err != ERR_OK && pg_failure(pg) == PG_LOCKED) {
        *busy = true;
        err = ERR_OK;
    }
out:
    pg_rollback(pg);
    return err;
}
