/* Two statements insert a batch. The usual one takes for granted that no id is there, and costs the least;
 * where one is, the whole batch fails on its key, and is sent once more by the other, which passes over
 * what is there and says, row by row, what it has inserted: that decides who is charged. What was there is
 * then compared; equal is a repeat, and anything else a conflict that is kept as evidence. */
#include "ledger/entry/entry.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "ledger/base/metrics/metrics.h"
#include "sql/rows/entry.h"

#include <assert.h>
#include <stdlib.h>

/* After an id that was there already, batches are inserted by the statement that expects it, for so long: who
 * sends old ids on purpose makes one batch in this time be written twice, and one line of PostgreSQL's log.
 */
#define CAREFUL_MS 10000

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

/* What entries with the same of the first three add up to: a row of the table "spend". */
struct sum {
    int64_t site_id, crawler_id, quarter, entries, amount_micros;
};

enum sum_column { SUM_SITE, SUM_CRAWLER, SUM_QUARTER, SUM_ENTRIES, SUM_AMOUNT, SUM_COLUMN_COUNT };

struct entry_arrays {
    struct pg_array columns[COLUMN_COUNT];
    struct pg_array sum_columns[SUM_COLUMN_COUNT];
    struct sum *sums;
    int64_t now_ms; /* of the batch: when its entries are recorded */
};

struct entry_arrays *entry_arrays_new(void)
{
    return calloc(1, sizeof(struct entry_arrays));
}

void entry_arrays_free(struct entry_arrays *arrays)
{
    if (!arrays)
        return;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_free(&arrays->columns[i]);
    for (size_t i = 0; i < SUM_COLUMN_COUNT; i++)
        pg_array_free(&arrays->sum_columns[i]);
    free(arrays->sums);
    free(arrays);
}

static const uint8_t *id_of(const struct entry *entry)
{
    return entry->submission->charge->payment_id;
}

static int64_t cost_of(const struct entry *entry)
{
    return entry->free ? 0 : entry->submission->charge->amount_micros;
}

static int by_id(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    /* Entries of one id in the order of their coming: the first is charged, the others are its repeats. */
    int order = memcmp(id_of(a), id_of(b), UUID_SIZE);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* What `find` and `is_first` rely on. */
static bool is_sorted(const struct entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (by_id(&entries[i - 1], &entries[i]) > 0)
            return false;
    return true;
}

void entry_sort(struct entry *entries, size_t count)
{
    qsort(entries, count, sizeof(*entries), by_id);
}

static bool same_id(const struct entry *a, const struct entry *b)
{
    return memcmp(id_of(a), id_of(b), UUID_SIZE) == 0;
}

static void decide(struct entry *entry, enum err outcome)
{
    assert(!entry->decided);
    entry->submission->outcome.err = outcome;
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
    assert(entry->site_id > 0 && entry->crawler_id > 0);
    const struct charge *charge = entry->submission->charge;
    struct pg_array *columns = arrays->columns;
    /* In the order of the enum, which is that of the statement's parameters. */
    pg_array_bytes(&columns[ID], slice_bytes(charge->payment_id, UUID_SIZE));
    pg_array_number(&columns[SITE], entry->site_id);
    pg_array_number(&columns[CRAWLER], entry->crawler_id);
    pg_array_number(&columns[AMOUNT], cost_of(entry));
    pg_array_bytes(&columns[RULE], charge->rule);
    pg_array_bytes(&columns[RESOURCE], charge->resource);
    pg_array_bytes(&columns[THUMBPRINT], slice_bytes(charge->thumbprint, DIGEST_SIZE));
    pg_array_bytes(&columns[SIGNATURE], charge->signature);
    pg_array_bytes(&columns[BASE], charge->signature_base);
    pg_array_number(&columns[AGREEMENT], charge->agreement_id);
}

/* The clock, and what was added: the first parameters of the inserting statements. */
static enum err fill(struct entry_arrays *arrays, int64_t now_ms, struct pg_params *params)
{
    pg_params_number(params, now_ms);
    assert(params->count == 1); /* the clock is the first of the statement's parameters */
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
        if (memcmp(id_of(&entries[middle]), id, UUID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < count && memcmp(id_of(&entries[low]), id, UUID_SIZE) == 0;
    return found ? &entries[low] : NULL;
}

static bool may_be_recorded(const struct entry *entry)
{
    return !entry->decided && entry->submission->charge->unless_repeat == ERR_OK;
}

/* --- Inserting --- */

/* True for the first of its id that is to be inserted. */
static bool is_first(const struct entry *entries, size_t at)
{
    if (!may_be_recorded(&entries[at]))
        return false;
    /* Back to the first of its id, and no further: repeats in one batch are few. */
    for (size_t before = at; before > 0 && same_id(&entries[before - 1], &entries[at]); before--)
        if (may_be_recorded(&entries[before - 1]))
            return false;
    return true;
}

static bool may_be_there(const struct submission *submission)
{
    return submission->charge->doubtful || submission->outcome.unsure;
}

/* Adds those that are to be sent. True if one of them may be in the ledger already: it was sent before, or
 * ids that came lately were there. */
static bool add_first(struct entry_arrays *arrays, const struct session *session, struct entry *entries,
                      size_t count)
{
    bool careful = clock_monotonic_ms() < session->careful_until_ms;
    begin(arrays);
    for (size_t i = 0; i < count; i++) {
        entries[i].sent = is_first(entries, i);
        if (!entries[i].sent)
            continue;
        add(arrays, &entries[i]);
        careful = careful || may_be_there(entries[i].submission);
    }
    return careful;
}

static int by_account(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    int site = (a->site_id > b->site_id) - (a->site_id < b->site_id);
    int crawler = (a->crawler_id > b->crawler_id) - (a->crawler_id < b->crawler_id);
    int quarter = (a->quarter > b->quarter) - (a->quarter < b->quarter);
    return site ? site : crawler ? crawler : quarter;
}

static void add_sum(struct entry_arrays *arrays, const struct sum *sum)
{
    pg_array_number(&arrays->sum_columns[SUM_SITE], sum->site_id);
    pg_array_number(&arrays->sum_columns[SUM_CRAWLER], sum->crawler_id);
    pg_array_number(&arrays->sum_columns[SUM_QUARTER], sum->quarter);
    pg_array_number(&arrays->sum_columns[SUM_ENTRIES], sum->entries);
    pg_array_number(&arrays->sum_columns[SUM_AMOUNT], sum->amount_micros);
}

/* What was sent, summed up as charge_insert_absent does it: the further parameters of charge_insert. */
static enum err fill_sums(struct entry_arrays *arrays, const struct entry *entries, size_t count,
                          struct pg_params *params)
{
    size_t made = 0;
    struct sum *sums = realloc(arrays->sums, (count + 1) * sizeof(*sums));
    if (!sums)
        return ERR_OVERLOADED;
    arrays->sums = sums;
    for (size_t i = 0; i < count; i++)
        if (entries[i].sent)
            sums[made++] =
                (struct sum){entries[i].site_id, entries[i].crawler_id,
                             uuid_ms(id_of(&entries[i])) / ENTRY_QUARTER_MS, 1, cost_of(&entries[i])};
    assert(made > 0 && made <= count);
    /* Sorted, so that what belongs together stands together; and all gates lock rows in one order. */
    qsort(sums, made, sizeof(*sums), by_account);
    for (size_t i = 0; i < SUM_COLUMN_COUNT; i++)
        pg_array_begin(&arrays->sum_columns[i], PG_TYPE_INT8);
    for (size_t i = 0; i < made; i++) {
        if (i + 1 == made || by_account(&sums[i], &sums[i + 1]) != 0) {
            add_sum(arrays, &sums[i]);
            continue;
        }
        bool fits = amount_add(sums[i].amount_micros, sums[i + 1].amount_micros, &sums[i + 1].amount_micros);
        assert(fits); /* ids carry prices of 48 bits */
        sums[i + 1].entries += sums[i].entries;
    }
    for (size_t i = 0; i < SUM_COLUMN_COUNT; i++)
        if (!pg_params_array(params, &arrays->sum_columns[i]))
            return ERR_OVERLOADED;
    return ERR_OK;
}

/* As recorded by this batch; an earlier doubt stays. */
static void accept(struct entry *entry, const struct charge_outcome *as)
{
    assert(as->sequence > 0);
    struct charge_outcome *outcome = &entry->submission->outcome;
    outcome->repeated = false;
    outcome->recorded_at_ms = as->recorded_at_ms;
    outcome->amount_micros = cost_of(entry);
    outcome->sequence = as->sequence;
    memcpy(outcome->writer_id, as->writer_id, UUID_SIZE);
    decide(entry, ERR_OK);
}

/* charge_insert inserts all or nothing: what came back without a failure has come in whole. */
static void accept_sent(struct entry *entries, size_t count, const struct charge_outcome *as)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].sent)
            accept(&entries[i], as);
}

static void accept_rows(struct entry *entries, size_t count, const struct pg_rows *rows,
                        const struct charge_outcome *as)
{
    for (int row = 0; row < rows->count; row++) {
        uint8_t id[UUID_SIZE];
        bool parsed = uuid_parse(slice_of(charge_insert_absent_row(rows, row).payment_id), id);
        struct entry *entry = parsed ? find(entries, count, id) : NULL;
        while (entry && !entry->sent && entry + 1 < entries + count && same_id(entry, entry + 1))
            entry++;
        assert(entry && entry->sent); /* only what was sent comes back, and once */
        accept(entry, as);
    }
}

/* What was sent over a connection that is lost may have been recorded. */
static void doubt(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].sent)
            entries[i].submission->outcome.unsure = true;
}

/* Sends what add_first has added, as the writer's next batch. */
static enum err insert_sent(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                            size_t count, bool careful)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct charge_outcome as = {.recorded_at_ms = arrays->now_ms, .sequence = ++session->sequence};
    assert(session->pg && session->sequence > 0);
    enum err err;
    memcpy(as.writer_id, session->writer_id, UUID_SIZE);
    /* The number is used up, also when this fails: no reader ever takes two batches for one. */
    TRY(fill(arrays, as.recorded_at_ms, &params));
    pg_params_bytes(&params, slice_bytes(as.writer_id, UUID_SIZE));
    pg_params_number(&params, as.sequence);
    if (!careful)
        TRY(fill_sums(arrays, entries, count, &params));
    err = pg_run(session->pg, careful ? "charge_insert_absent" : "charge_insert", &params, &rows);
    if (err != ERR_OK && pg_failure(session->pg) == PG_LOST)
        doubt(entries, count);
    TRY(err);
    if (careful)
        accept_rows(entries, count, &rows, &as);
    else
        accept_sent(entries, count, &as);
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert_all(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                           size_t count)
{
    bool careful = add_first(arrays, session, entries, count);
    if (arrays->columns[ID].count == 0)
        return ERR_OK;
    enum err err = insert_sent(arrays, session, entries, count, careful);
    /* In a cluster the server that has the row says that it does, and the other one passes on its words
     * alone. */
    enum pg_failure failure = pg_failure(session->pg);
    if (err == ERR_OK || careful || (failure != PG_DUPLICATE && failure != PG_OTHER))
        return err;
    /* The same batch again, by the statement that passes over what is there, under a number of its own: the
     * first one was rolled back with all that it had written. */
    session->careful_until_ms = clock_monotonic_ms() + CAREFUL_MS;
    return insert_sent(arrays, session, entries, count, true);
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
    assert(count > 0);
    /* Which one it is the server does not say; in ten steps it is found among a thousand. */
    if (count == 1) {
        decide(&entries[0], ERR_INTERNAL);
        return ERR_OK;
    }
    TRY(insert_halving(insert, arrays, session, entries, count / 2));
    TRY(insert_halving(insert, arrays, session, entries + count / 2, count - count / 2));
out:
    return err;
}

enum err entry_insert(struct entry_arrays *arrays, struct session *session, int64_t now_ms,
                      struct entry *entries, size_t count)
{
    assert(is_sorted(entries, count));
    arrays->now_ms = now_ms;
    int64_t begun_ns = clock_monotonic_ns();
    enum err err = insert_halving(insert_all, arrays, session, entries, count);
    if (err != ERR_OK) {
        metrics_add(METRIC_COMMIT_FAILURES, 1);
        return err;
    }
    metrics_observe(HISTOGRAM_COMMIT, clock_monotonic_ns() - begun_ns);
    metrics_observe(HISTOGRAM_BATCH, (int64_t)count);
    return ERR_OK;
}

enum err entry_insert_conflicts(struct entry_arrays *arrays, struct session *session, struct entry *entries,
                                size_t count)
{
    return insert_halving(insert_conflicts, arrays, session, entries, count);
}

/* --- Handing over --- */

static bool is_to_be_handed(const struct entry *entry)
{
    const struct charge *charge = entry->submission->charge;
    assert(!charge->hands_over || charge->unless_repeat != ERR_OK);
    return !entry->decided && !entry->handed && charge->hands_over;
}

/* Before the site's own server hears of it, and not with the entry, which is made when it has answered: it
 * may have done what was asked without anybody hearing its answer, and RFC 9110 section 9.2.2 wants such a
 * request repeated by nobody in between. An id that was taken over a connection that is lost then stays
 * taken. */
static enum err hand_over(struct entry_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct pg_array *ids = &arrays->columns[ID], *sites = &arrays->columns[SITE];
    enum err err = ERR_OK;
    begin(arrays);
    for (size_t i = 0; i < count; i++) {
        if (!is_to_be_handed(&entries[i]))
            continue;
        pg_array_bytes(ids, slice_bytes(id_of(&entries[i]), UUID_SIZE));
        pg_array_number(sites, entries[i].site_id);
    }
    if (ids->count == 0)
        goto out;
    TRY(pg_params_array(&params, ids) && pg_params_array(&params, sites) ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_run(pg, "handover_insert", &params, &rows));
    for (int row = 0; row < rows.count; row++) {
        uint8_t id[UUID_SIZE];
        bool parsed = uuid_parse(slice_of(handover_insert_row(&rows, row).payment_id), id);
        struct entry *entry = parsed ? find(entries, count, id) : NULL;
        while (entry && !is_to_be_handed(entry) && entry + 1 < entries + count && same_id(entry, entry + 1))
            entry++;
        assert(entry && is_to_be_handed(entry)); /* only what was sent comes back, and once */
        entry->handed = true;
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* --- Comparing --- */

/* What becomes of an entry that may not be recorded, and was not. */
static enum err otherwise_of(const struct entry *entry)
{
    const struct charge *charge = entry->submission->charge;
    return charge->hands_over && !entry->handed ? ERR_REQUEST_REPEATED : charge->unless_repeat;
}

static void compare_stored(struct entry *entry, const struct charge_compare_row *stored)
{
    const struct charge *charge = entry->submission->charge;
    struct charge_outcome *outcome = &entry->submission->outcome;
    bool same = stored->site_id == entry->site_id && stored->crawler_id == entry->crawler_id &&
                stored->amount_micros <= charge_offered(charge) &&
                slice_eq(slice_of(stored->resource), charge->resource);
    /* All that is signed and billed. The rule's name may have changed since, and is ours. */
    if (!same) {
        entry->conflict = true;
        return;
    }
    /* Who has it for nothing has that copy, and no later one. */
    if (entry->stale && stored->amount_micros == 0 && !stored->undelivered) {
        decide(entry, ERR_PAGE_CHANGED);
        return;
    }
    outcome->repeated = !stored->undelivered;
    outcome->recorded_at_ms = stored->recorded_ms;
    outcome->amount_micros = stored->final_micros;
    decide(entry, stored->undelivered ? ERR_PAYMENT_UNDELIVERED : ERR_OK);
}

enum err entry_compare(struct entry_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    assert(is_sorted(entries, count));
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct pg_array *ids = &arrays->columns[ID];
    enum err err;
    TRY(hand_over(arrays, pg, entries, count));
    pg_array_begin(ids, PG_TYPE_UUID);
    for (size_t i = 0; i < count; i++)
        if (!entries[i].decided)
            pg_array_bytes(ids, slice_bytes(id_of(&entries[i]), UUID_SIZE));
    if (ids->count == 0)
        goto out;
    TRY(pg_params_array(&params, ids) ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_run(pg, "charge_compare", &params, &rows));
    for (int row = 0; row < rows.count; row++) {
        const struct charge_compare_row stored = charge_compare_row(&rows, row);
        uint8_t id[UUID_SIZE];
        bool parsed = uuid_parse(slice_of(stored.payment_id), id);
        struct entry *entry = parsed ? find(entries, count, id) : NULL;
        assert(entry);
        for (; entry < entries + count && memcmp(id_of(entry), id, UUID_SIZE) == 0; entry++)
            if (!entry->decided)
                compare_stored(entry, &stored);
    }
    for (size_t i = 0; i < count; i++) {
        enum err otherwise = otherwise_of(&entries[i]);
        if (!entries[i].decided && !entries[i].conflict && otherwise != ERR_OK)
            decide(&entries[i], otherwise);
    }
out:
    pg_rows_free(&rows);
    return err;
}
