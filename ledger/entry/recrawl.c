/* The copy is known only when the page is at hand, and who pays only when its signature holds, so this is
 * decided where the entry is made, by two statements for a whole batch; batches without such a rule cost
 * none. What is looked at is one place of one index. The row stands before its entry: a page that was never
 * paid must not make others free, so a row counts only with the entry that it is for. */
#include "ledger/entry/recrawl.h"

#include "sql/rows/entry.h"

#include <assert.h>
#include <stdlib.h>

enum column { ID, SITE, CRAWLER, COPY, WITHIN, WHOLE, COLUMN_COUNT };

struct recrawl_arrays {
    struct pg_array columns[COLUMN_COUNT];
};

struct recrawl_arrays *recrawl_arrays_new(void)
{
    return calloc(1, sizeof(struct recrawl_arrays));
}

void recrawl_arrays_free(struct recrawl_arrays *arrays)
{
    for (size_t i = 0; arrays && i < COLUMN_COUNT; i++)
        pg_array_free(&arrays->columns[i]);
    free(arrays);
}

/* Under such a rule. */
static bool may_repeat(const struct entry *entry)
{
    return !entry->decided && entry->crawler_id > 0 && entry->submission->charge->recrawl_ms > 0;
}

static bool is_new_copy(const struct entry *entry)
{
    const struct charge *charge = entry->submission->charge;
    return may_repeat(entry) && charge->unless_repeat == ERR_OK && charge->validated;
}

static void begin(struct recrawl_arrays *arrays)
{
    static const enum pg_type types[] = {
        [ID] = PG_TYPE_UUID,    [SITE] = PG_TYPE_INT8,   [CRAWLER] = PG_TYPE_INT8,
        [COPY] = PG_TYPE_BYTEA, [WITHIN] = PG_TYPE_INT8, [WHOLE] = PG_TYPE_INT8};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_begin(&arrays->columns[i], types[i]);
}

static void add(struct recrawl_arrays *arrays, const struct entry *entry)
{
    const struct charge *charge = entry->submission->charge;
    pg_array_bytes(&arrays->columns[ID], slice_bytes(charge->payment_id, UUID_SIZE));
    pg_array_number(&arrays->columns[SITE], entry->site_id);
    pg_array_number(&arrays->columns[CRAWLER], entry->crawler_id);
    pg_array_bytes(&arrays->columns[COPY], slice_bytes(charge->copy, DIGEST_SIZE));
    pg_array_number(&arrays->columns[WITHIN], charge->recrawl_ms);
    pg_array_number(&arrays->columns[WHOLE], charge->whole);
}

static enum err insert(struct recrawl_arrays *arrays, struct pg *pg, const struct entry *entries,
                       size_t count)
{
    struct pg_params params = {0};
    begin(arrays);
    for (size_t i = 0; i < count; i++)
        if (is_new_copy(&entries[i]))
            add(arrays, &entries[i]);
    if (arrays->columns[ID].count == 0)
        return ERR_OK;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (!pg_params_array(&params, &arrays->columns[i]))
            return ERR_OVERLOADED;
    return pg_run(pg, "page_copy_insert", &params, NULL);
}

static void judge(struct entry *entry, bool same)
{
    const struct charge *charge = entry->submission->charge;
    if (same && charge->validated)
        entry->free = true;
    else
        entry->stale = true;
}

static enum err read(struct recrawl_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err = ERR_OK;
    begin(arrays);
    for (size_t i = 0; i < count; i++)
        if (may_repeat(&entries[i]))
            add(arrays, &entries[i]);
    if (arrays->columns[ID].count == 0)
        return ERR_OK;
    TRY(pg_params_array(&params, &arrays->columns[ID]) &&
                pg_params_array(&params, &arrays->columns[CRAWLER]) &&
                pg_params_array(&params, &arrays->columns[COPY])
            ? ERR_OK
            : ERR_OVERLOADED);
    TRY(pg_run(pg, "page_copy_read", &params, &rows));
    int64_t place = 0; /* of the entry in the arrays, which have those that may repeat */
    int row = 0;
    for (size_t i = 0; i < count && row < rows.count; i++) {
        if (!may_repeat(&entries[i]) || ++place < page_copy_read_row(&rows, row).place)
            continue;
        judge(&entries[i], page_copy_read_row(&rows, row).same);
        row++;
    }
    assert(row == rows.count);
out:
    pg_rows_free(&rows);
    return err;
}

enum err recrawl_price(struct recrawl_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    enum err err;
    for (size_t i = 0; i < count; i++) {
        entries[i].free = false;
        entries[i].stale = false;
    }
    TRY(insert(arrays, pg, entries, count));
    /* By a statement of its own: of ids that were there already, and of those that another gate is writing,
     * the first one's snapshot has no rows. */
    TRY(read(arrays, pg, entries, count));
out:
    return err;
}
