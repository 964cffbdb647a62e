#include "ledger/entry.h"

#include "ledger/base/clock.h"

#include <assert.h>
#include <stdlib.h>

enum column {
    ID,
    SITE,
    CRAWLER,
    AMOUNT,
    RULE,
    RESOURCE,
    THUMBPRINT,
    SIGNATURE,
    BASE,
    AGREEMENT,
    COLUMN_COUNT
};

struct entry_arrays {
    struct pg_array columns[COLUMN_COUNT];
};

struct entry_arrays *entry_arrays_new(void)
{
    return calloc(1, sizeof(struct entry_arrays));
}

void entry_arrays_free(struct entry_arrays *arrays)
{
    for (size_t i = 0; arrays && i < COLUMN_COUNT; i++)
        pg_array_free(&arrays->columns[i]);
    free(arrays);
}

static int by_id(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = memcmp(a->charge->payment_id, b->charge->payment_id, UUID_SIZE);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

void entry_sort(struct entry *entries, size_t count)
{
    qsort(entries, count, sizeof(*entries), by_id);
}

static bool same_id(const struct entry *a, const struct entry *b)
{
    return memcmp(a->charge->payment_id, b->charge->payment_id, UUID_SIZE) == 0;
}

static void decide(struct entry *entry, enum err outcome)
{
    assert(!entry->decided);
    entry->charge->outcome = outcome;
    entry->decided = true;
}

static void begin(struct entry_arrays *arrays)
{
    static const enum pg_type types[] = {
        [ID] = PG_TYPE_UUID,          [SITE] = PG_TYPE_INT8,       [CRAWLER] = PG_TYPE_INT8,
        [AMOUNT] = PG_TYPE_INT8,      [RULE] = PG_TYPE_TEXT,       [RESOURCE] = PG_TYPE_TEXT,
        [THUMBPRINT] = PG_TYPE_BYTEA, [SIGNATURE] = PG_TYPE_BYTEA, [BASE] = PG_TYPE_BYTEA,
        [AGREEMENT] = PG_TYPE_INT8,
    };
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_begin(&arrays->columns[i], types[i]);
}

static void add(struct entry_arrays *arrays, const struct entry *entry)
{
    const struct charge *charge = entry->charge;
    struct pg_array *columns = arrays->columns;
    pg_array_bytes(&columns[ID], slice_bytes(charge->payment_id, UUID_SIZE));
    pg_array_number(&columns[SITE], entry->site_id);
    pg_array_number(&columns[CRAWLER], entry->crawler_id);
    pg_array_number(&columns[AMOUNT], charge->amount_micros);
    pg_array_bytes(&columns[RULE], charge->rule);
    pg_array_bytes(&columns[RESOURCE], charge->resource);
    pg_array_bytes(&columns[THUMBPRINT], slice_bytes(charge->thumbprint, DIGEST_SIZE));
    pg_array_bytes(&columns[SIGNATURE], charge->signature);
    pg_array_bytes(&columns[BASE], charge->signature_base);
    pg_array_number(&columns[AGREEMENT], charge->agreement_id);
}

/* The clock, and what was added: the first parameters of charge_insert and conflict_insert. */
static enum err fill(struct entry_arrays *arrays, int64_t now_ms, struct pg_params *params)
{
    pg_params_number(params, now_ms);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (!pg_params_array(params, &arrays->columns[i]))
            return ERR_OVERLOADED;
    return ERR_OK;
}

/* The first entry with this id, decided or not, or NULL. */
static struct entry *find(struct entry *entries, size_t count, const uint8_t id[UUID_SIZE])
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(entries[middle].charge->payment_id, id, UUID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < count && memcmp(entries[low].charge->payment_id, id, UUID_SIZE) == 0;
    return found ? &entries[low] : NULL;
}

static bool may_be_recorded(const struct entry *entry)
{
    return !entry->decided && !entry->charge->repeat_only;
}

/* True for the first of its id that is to be inserted. */
static bool is_first(const struct entry *entries, size_t at)
{
    if (!may_be_recorded(&entries[at]))
        return false;
    for (size_t before = at; before > 0 && same_id(&entries[before - 1], &entries[at]); before--)
        if (may_be_recorded(&entries[before - 1]))
            return false;
    return true;
}

static void accept_new(struct entry *entries, size_t count, const struct pg_rows *rows,
                       const struct charge *as)
{
    for (int row = 0; row < rows->count; row++) {
        uint8_t id[UUID_SIZE];
        bool parsed = uuid_parse(slice_of(pg_text(rows, row, 0)), id);
        struct entry *entry = parsed ? find(entries, count, id) : NULL;
        while (entry && !may_be_recorded(entry) && entry + 1 < entries + count && same_id(entry, entry + 1))
            entry++;
        assert(entry && may_be_recorded(entry)); /* only what was sent comes back, and once */
        entry->charge->repeated = false;
        entry->charge->recorded_at_ms = as->recorded_at_ms;
        entry->charge->sequence = as->sequence;
        memcpy(entry->charge->writer_id, as->writer_id, UUID_SIZE);
        decide(entry, ERR_OK);
    }
}

/* What was sent over a connection that is lost may have been recorded. */
static void doubt(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_first(entries, i))
            entries[i].charge->unsure = true;
}

static enum err insert_all(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                           size_t count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct charge as = {.recorded_at_ms = clock_now_ms(), .sequence = session->sequence + 1};
    enum err err = ERR_OK;
    memcpy(as.writer_id, session->writer_id, UUID_SIZE);
    begin(arrays);
    for (size_t i = 0; i < count; i++)
        if (is_first(entries, i))
            add(arrays, &entries[i]);
    if (arrays->columns[ID].count == 0)
        goto out;
    session->sequence = as.sequence;
    TRY(fill(arrays, as.recorded_at_ms, &params));
    pg_params_bytes(&params, slice_bytes(as.writer_id, UUID_SIZE));
    pg_params_number(&params, as.sequence);
    err = pg_run(session->pg, "charge_insert", &params, &rows);
    if (err != ERR_OK && pg_failure(session->pg) == PG_LOST)
        doubt(entries, count);
    TRY(err);
    accept_new(entries, count, &rows, &as);
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert_conflicts(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                                 size_t count)
{
    struct pg_params params = {0};
    enum err err = ERR_OK;
    begin(arrays);
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided && entries[i].conflict)
            add(arrays, &entries[i]);
    if (arrays->columns[ID].count == 0)
        goto out;
    TRY(fill(arrays, clock_now_ms(), &params));
    TRY(pg_run(session->pg, "conflict_insert", &params, NULL));
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided && entries[i].conflict)
            decide(&entries[i], ERR_PAYMENT_CONFLICT);
out:
    return err;
}

typedef enum err insert_some(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                             size_t count);

/* One entry whose values do not fit must not cost the others their receipts. Depth: log2 of the batch. */
static enum err insert_halving(insert_some *insert, struct entry_arrays *arrays, struct session *session,
                               struct entry *entries, size_t count)
{
    enum err err = insert(arrays, session, entries, count);
    if (err == ERR_OK || pg_failure(session->pg) != PG_DATA)
        return err;
    if (count == 1) {
        decide(&entries[0], ERR_INTERNAL);
        return ERR_OK;
    }
    TRY(insert_halving(insert, arrays, session, entries, count / 2));
    TRY(insert_halving(insert, arrays, session, entries + count / 2, count - count / 2));
out:
    return err;
}

enum err entry_insert(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                      size_t count)
{
    return insert_halving(insert_all, arrays, session, entries, count);
}

enum err entry_insert_conflicts(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                                size_t count)
{
    return insert_halving(insert_conflicts, arrays, session, entries, count);
}

/* Columns of charge_compare. */
static void compare_row(struct entry *entry, const struct pg_rows *rows, int row)
{
    struct charge *charge = entry->charge;
    bool same = pg_number(rows, row, 1) == entry->site_id && pg_number(rows, row, 2) == entry->crawler_id &&
                pg_number(rows, row, 3) == charge->amount_micros &&
                slice_eq(slice_of(pg_text(rows, row, 4)), charge->resource);
    if (!same) {
        entry->conflict = true;
        return;
    }
    charge->repeated = true;
    charge->recorded_at_ms = pg_number(rows, row, 5);
    decide(entry, ERR_OK);
}

enum err entry_compare(struct entry_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct pg_array *ids = &arrays->columns[ID];
    enum err err = ERR_OK;
    pg_array_begin(ids, PG_TYPE_UUID);
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided)
            pg_array_bytes(ids, slice_bytes(entries[i].charge->payment_id, UUID_SIZE));
    if (ids->count == 0)
        goto out;
    TRY(pg_params_array(&params, ids) ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_run(pg, "charge_compare", &params, &rows));
    for (int row = 0; row < rows.count; row++) {
        uint8_t id[UUID_SIZE];
        bool parsed = uuid_parse(slice_of(pg_text(&rows, row, 0)), id);
        struct entry *entry = parsed ? find(entries, count, id) : NULL;
        assert(entry);
        for (; entry < entries + count && memcmp(entry->charge->payment_id, id, UUID_SIZE) == 0; entry++)
            if (!entry->decided)
                compare_row(entry, &rows, row);
    }
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided && !entries[i].conflict && entries[i].charge->repeat_only)
            decide(&entries[i], ERR_CREDIT_LIMIT_REACHED);
out:
    pg_rows_free(&rows);
    return err;
}
