/* What is bound is a claim, a UUID that anybody makes of day, site, crawler and identifier: its primary key
 * lets one of two at once win, and its partition leaves with the day's entries. It is written before the
 * entry, so that a payment is never made under a name that is taken; where the entry does not come about
 * then, as the ledger goes away, the same payment may be sent again. */
#include "ledger/entry/identifier.h"

#include "sql/rows/entry.h"

#include <assert.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define DAYS   3 /* in which another payment may have it: the day before, its own, the day after */

enum column { CLAIM, PAYMENT, PAYLOAD, BEFORE, AFTER, COLUMN_COUNT };

#define READ_COLUMNS BEFORE /* what is read is asked by those before it */

struct identifier_arrays {
    struct pg_array columns[COLUMN_COUNT];
};

struct identifier_arrays *identifier_arrays_new(void)
{
    return calloc(1, sizeof(struct identifier_arrays));
}

void identifier_arrays_free(struct identifier_arrays *arrays)
{
    for (size_t i = 0; arrays && i < COLUMN_COUNT; i++)
        pg_array_free(&arrays->columns[i]);
    free(arrays);
}

/* An account that was never seen has bound nothing. */
static bool is_named(const struct entry *entry)
{
    return !entry->decided && entry->crawler_id > 0 && entry->submission->charge->identifier.len > 0;
}

static bool is_to_be_bound(const struct entry *entry)
{
    return is_named(entry) && entry->submission->charge->unless_repeat == ERR_OK;
}

static void begin(struct identifier_arrays *arrays)
{
    static const enum pg_type types[] = {[CLAIM] = PG_TYPE_UUID,
                                         [PAYMENT] = PG_TYPE_UUID,
                                         [PAYLOAD] = PG_TYPE_BYTEA,
                                         [BEFORE] = PG_TYPE_UUID,
                                         [AFTER] = PG_TYPE_UUID};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        pg_array_begin(&arrays->columns[i], types[i]);
}

/* Of the day of the payment id, or so many days after it. */
static void add_claim(struct pg_array *column, const struct entry *entry, int days)
{
    const struct charge *charge = entry->submission->charge;
    const int64_t account[] = {entry->site_id, entry->crawler_id};
    const struct slice parts[] = {slice_bytes((const uint8_t *)account, sizeof(account)), charge->identifier};
    uint8_t hash[DIGEST_SIZE], claim[UUID_SIZE];
    digest_sha256(parts, sizeof(parts) / sizeof(*parts), hash);
    uuid_make((uuid_ms(charge->payment_id) / DAY_MS + days) * DAY_MS, hash, claim);
    pg_array_bytes(column, slice_bytes(claim, UUID_SIZE));
}

static void add(struct identifier_arrays *arrays, const struct entry *entry, int days)
{
    const struct charge *charge = entry->submission->charge;
    add_claim(&arrays->columns[CLAIM], entry, days);
    pg_array_bytes(&arrays->columns[PAYMENT], slice_bytes(charge->payment_id, UUID_SIZE));
    pg_array_bytes(&arrays->columns[PAYLOAD], slice_bytes(charge->payload, DIGEST_SIZE));
}

static enum err fill(struct identifier_arrays *arrays, size_t columns, struct pg_params *params)
{
    for (size_t i = 0; i < columns; i++)
        if (!pg_params_array(params, &arrays->columns[i]))
            return ERR_OVERLOADED;
    return ERR_OK;
}

static enum err bind(struct identifier_arrays *arrays, struct pg *pg, const struct entry *entries,
                     size_t count)
{
    struct pg_params params = {0};
    enum err err = ERR_OK;
    begin(arrays);
    for (size_t i = 0; i < count; i++) {
        if (!is_to_be_bound(&entries[i]))
            continue;
        add(arrays, &entries[i], 0);
        add_claim(&arrays->columns[BEFORE], &entries[i], -1);
        add_claim(&arrays->columns[AFTER], &entries[i], 1);
    }
    if (arrays->columns[CLAIM].count == 0)
        goto out;
    TRY(fill(arrays, COLUMN_COUNT, &params));
    TRY(pg_run(pg, "payment_identifier_insert", &params, NULL));
out:
    return err;
}

static void refuse(struct entry *entry)
{
    entry->submission->outcome.err = ERR_IDENTIFIER_CONFLICT;
    entry->decided = true;
}

enum err identifier_bind(struct identifier_arrays *arrays, struct pg *pg, struct entry *entries, size_t count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    TRY(bind(arrays, pg, entries, count));
    begin(arrays);
    for (size_t i = 0; i < count; i++)
        for (int days = -1; days <= 1 && is_named(&entries[i]); days++)
            add(arrays, &entries[i], days);
    if (arrays->columns[CLAIM].count == 0)
        goto out;
    /* By a statement of its own: what another gate is binding the first one's snapshot does not have. */
    TRY(fill(arrays, READ_COLUMNS, &params));
    TRY(pg_run(pg, "payment_identifier_read", &params, &rows));
    int64_t last = 0; /* place of the entry's last claim */
    int row = 0;
    for (size_t i = 0; i < count && row < rows.count; i++) {
        if (!is_named(&entries[i]))
            continue;
        last += DAYS;
        bool taken = false;
        for (; row < rows.count && payment_identifier_read_row(&rows, row).place <= last; row++)
            taken = true;
        if (taken)
            refuse(&entries[i]);
    }
    assert(row == rows.count);
out:
    pg_rows_free(&rows);
    return err;
}
