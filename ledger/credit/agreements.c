/* The texts stay where libpq put them: the view owns the rows. It is never changed, so that any number of
 * requests may look into it without a lock; a new one takes its place, and the last owner frees the old. */
#include "ledger/credit/agreements.h"
#include "ledger/base/object.h"

#include "sql/rows/credit.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BACK_MS 86400000 /* a clock that is set back by no more than this still finds its version */

#define AGREEMENTS_MAGIC 0x1c96ba45u

struct agreements {
    uint32_t magic;
    atomic_size_t owners;
    struct pg_rows rows;
    struct agreements_terms *terms; /* by site, agent, version */
    size_t count;
    struct agreements_price *prices;
    size_t price_count;
    const char **globs;
    size_t glob_count;
};

static void add_terms(struct agreements *view, const struct account_agreements_row *row)
{
    assert(view->count < (size_t)view->rows.count); /* room for each row */
    view->terms[view->count++] = (struct agreements_terms){
        .site = slice_of(row->site),
        .agent = slice_of(row->agent),
        .agreement_id = row->agreement_id,
        .valid_from_ms = row->valid_from_ms,
        .suspended = row->suspended,
        .day_limit_micros = row->day_limit_micros_null ? -1 : row->day_limit_micros,
        .balance_limit_micros = row->balance_limit_micros_null ? -1 : row->balance_limit_micros,
        .prices = &view->prices[view->price_count],
    };
}

static void add_price(struct agreements *view, const struct account_agreements_row *row)
{
    assert(view->count > 0 && view->price_count < (size_t)view->rows.count);
    view->prices[view->price_count++] = (struct agreements_price){
        .rule = row->rule,
        .paths = &view->globs[view->glob_count],
        .price_micros = row->price_micros,
    };
    view->terms[view->count - 1].price_count++;
}

/* A row for each path of each price of each version: what is as in the row before was added with it. */
static void add_rows(struct agreements *view)
{
    struct account_agreements_row before = {0};
    for (int i = 0; i < view->rows.count; i++) {
        const struct account_agreements_row row = account_agreements_row(&view->rows, i);
        bool same_terms = i > 0 && row.agreement_id == before.agreement_id;
        bool same_price = same_terms && row.position == before.position;
        if (!same_terms)
            add_terms(view, &row);
        if (!row.position_null && !same_price)
            add_price(view, &row);
        if (!row.position_null && row.glob) {
            view->globs[view->glob_count++] = row.glob;
            assert(view->glob_count <= (size_t)view->rows.count && view->price_count > 0);
            view->prices[view->price_count - 1].path_count++;
        }
        before = row;
    }
}

enum err agreements_read(struct pg *pg, int64_t now_ms, struct agreements **view)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, now_ms - BACK_MS);
    TRY(pg_run(pg, "account_agreements", &params, &rows));
    struct agreements *made = calloc(1, sizeof(*made));
    size_t room = (size_t)rows.count + 1;
    if (!made) {
        pg_rows_free(&rows);
        return ERR_OVERLOADED;
    }
    OBJECT_MAKE(made, AGREEMENTS_MAGIC);
    made->rows = rows;
    atomic_init(&made->owners, 1);
    /* As many of each as there are rows: too many by far, and never moved, as others point into them. */
    made->terms = calloc(room, sizeof(*made->terms));
    made->prices = calloc(room, sizeof(*made->prices));
    made->globs = calloc(room, sizeof(*made->globs));
    if (!made->terms || !made->prices || !made->globs) {
        agreements_free(made);
        return ERR_OVERLOADED;
    }
    add_rows(made);
    *view = made;
out:
    return err;
}

struct agreements *agreements_share(struct agreements *view)
{
    if (view)
        OBJECT_CHECK(view, AGREEMENTS_MAGIC);
    if (view)
        /* Relaxed: whoever shares it has it, and saw it made. */
        atomic_fetch_add_explicit(&view->owners, 1, memory_order_relaxed);
    return view;
}

void agreements_free(struct agreements *view)
{
    if (!view)
        return;
    OBJECT_CHECK(view, AGREEMENTS_MAGIC);
    size_t before = atomic_fetch_sub(&view->owners, 1);
    assert(before > 0);
    if (before > 1)
        return;
    OBJECT_END(view, AGREEMENTS_MAGIC);
    pg_rows_free(&view->rows);
    free(view->terms);
    free(view->prices);
    free(view->globs);
    free(view);
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

const struct agreements_terms *agreements_terms(const struct agreements *view, struct slice site,
                                                struct slice agent, int64_t now_ms)
{
    OBJECT_CHECK(view, AGREEMENTS_MAGIC);
    /* To behind the last version of this pair, and from there back to the one that is in force. */
    size_t low = 0, high = view->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct agreements_terms *terms = &view->terms[middle];
        int order = compare(terms->site, site);
        if ((order ? order : compare(terms->agent, agent)) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low > 0; low--) {
        assert(low <= view->count);
        const struct agreements_terms *terms = &view->terms[low - 1];
        if (!slice_eq(terms->site, site) || !slice_eq(terms->agent, agent))
            return NULL;
        if (terms->valid_from_ms <= now_ms)
            return terms;
    }
    return NULL;
}
