/* Entries come by a cursor, in the order of their ids, and are hashed as they come: a day of ten million
 * takes no more memory than one of ten thousand. The tiles in between make it possible to say where a
 * change lies without reading more than 256 entries again. */
#include "ledger/proof/day_tree.h"

#include "ledger/proof/leaf.h"
#include "sql/rows/proof.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define TELL_EVERY    65536
#define TILES_AT_ONCE 4096

struct version {
    int64_t agreement_id;
    int64_t version;
};

/* The pass over the entries. */
struct reading {
    const struct day_tree_order *order;
    struct day_tree *tree;
    struct version *versions;
    size_t version_count;
    struct merkle_tree day;  /* of tiles */
    struct merkle_tree tile; /* of the entries of the last one */
    size_t room;             /* for tiles */
    int64_t expected;
    struct leaf leaf;
    uint8_t bytes[LEAF_MAX];
};

static enum err read_of_day(struct pg *pg, const char *statement, const struct day_tree_order *order,
                            struct pg_rows *rows)
{
    struct pg_params params = {0};
    assert(order->site_id > 0);
    pg_params_number(&params, order->site_id);
    if (order->date)
        pg_params_text(&params, order->date);
    return pg_run(pg, statement, &params, rows);
}

static enum err read_facts(struct pg *pg, const struct day_tree_order *order, struct day_tree_facts *facts)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_of_day(pg, "day_facts", order, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_INTERNAL);
    const struct day_facts_row row = day_facts_row(&rows, 0);
    facts->site = strdup(row.site);
    facts->network = strdup(row.network);
    facts->currency = strdup(row.currency);
    facts->zone = strdup(row.time_zone);
    facts->starts_ms = row.starts_ms;
    facts->ends_ms = row.ends_ms;
    snprintf(facts->first_id, sizeof(facts->first_id), "%s", row.first_id);
    snprintf(facts->end_id, sizeof(facts->end_id), "%s", row.end_id);
    if (!facts->site || !facts->network || !facts->currency || !facts->zone)
        err = ERR_OVERLOADED;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err read_accounts(struct pg *pg, struct reading *reading)
{
    struct day_tree *tree = reading->tree;
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_of_day(pg, "day_accounts", reading->order, &rows));
    tree->accounts = calloc((size_t)rows.count + 1, sizeof(*tree->accounts));
    TRY(tree->accounts ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows.count; i++) {
        const struct day_accounts_row row = day_accounts_row(&rows, i);
        struct day_tree_account *account = &tree->accounts[i];
        account->crawler_id = row.crawler_id;
        account->agent = strdup(row.agent);
        account->line_entries = row.entries;
        account->line_micros = row.sum_micros;
        assert(i == 0 || account[-1].crawler_id <= account->crawler_id); /* account_of searches them */
        reading->expected += account->line_entries;
        tree->account_count++;
        TRY(account->agent ? ERR_OK : ERR_OVERLOADED);
    }
out:
    pg_rows_free(&rows);
    return err;
}

static enum err read_versions(struct pg *pg, struct reading *reading)
{
    const struct day_tree_order site = {.site_id = reading->order->site_id};
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_of_day(pg, "agreement_versions", &site, &rows));
    reading->versions = calloc((size_t)rows.count + 1, sizeof(*reading->versions));
    TRY(reading->versions ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < rows.count; i++) {
        const struct agreement_versions_row row = agreement_versions_row(&rows, i);
        assert(i == 0 || reading->versions[i - 1].agreement_id <= row.agreement_id);
        reading->versions[reading->version_count++] = (struct version){row.agreement_id, row.version};
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* Both structures start with the number that they are sorted by. */
static int by_number(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static struct day_tree_account *account_of(const struct day_tree *tree, int64_t crawler_id)
{
    return bsearch(&crawler_id, tree->accounts, tree->account_count, sizeof(*tree->accounts), by_number);
}

static int64_t version_of(const struct reading *reading, int64_t agreement_id)
{
    const struct version *found = bsearch(&agreement_id, reading->versions, reading->version_count,
                                          sizeof(*reading->versions), by_number);
    return found ? found->version : 0;
}

/* Ends the tile that is being filled, if it has entries. */
static void end_tile(struct reading *reading)
{
    struct day_tree *tree = reading->tree;
    if (reading->tile.size == 0)
        return;
    assert(reading->tile.size <= DAY_TREE_TILE && tree->tile_count < reading->room);
    struct day_tree_tile *tile = &tree->tiles[tree->tile_count++];
    tile->entries = (size_t)reading->tile.size;
    merkle_root(&reading->tile, tile->hash);
    merkle_add(&reading->day, tile->hash);
    assert(reading->day.size == tree->tile_count); /* its leaves are the tiles' roots */
    reading->tile.size = 0;
}

static bool start_tile(struct reading *reading, const uint8_t *first_id)
{
    struct day_tree *tree = reading->tree;
    assert(reading->tile.size == 0 && tree->tile_count <= reading->room);
    if (tree->tile_count == reading->room) {
        /* Doubling: a day's tiles are moved a few times, and not once for each. */
        size_t room = reading->room * 2 + 64;
        struct day_tree_tile *tiles = realloc(tree->tiles, room * sizeof(*tiles));
        if (!tiles)
            return false;
        tree->tiles = tiles;
        reading->room = room;
    }
    memcpy(tree->tiles[tree->tile_count].first_id, first_id, UUID_SIZE);
    return true;
}

/* A CHECK demands this length; in a ledger whose CHECKs were removed it must not be read beyond. */
static const uint8_t *thumbprint_of(const struct day_entries_row *entry)
{
    static const uint8_t none[DIGEST_SIZE];
    return entry->thumbprint.len == DIGEST_SIZE ? (const uint8_t *)entry->thumbprint.data : none;
}

/* The entry's leaf; false if it is billed and its crawler has no line. */
static bool count_entry(struct reading *reading, const struct day_entries_row *entry)
{
    struct day_tree *tree = reading->tree;
    struct leaf *leaf = &reading->leaf;
    struct day_tree_account *account = account_of(tree, entry->crawler_id);
    leaf->payment_id = (const uint8_t *)entry->payment_id.data;
    leaf->recorded_at_ms = entry->recorded_ms;
    leaf->amount_micros = entry->amount_micros;
    leaf->agreement_version = version_of(reading, entry->agreement_id);
    leaf->thumbprint = thumbprint_of(entry);
    leaf->agent = slice_of(account ? account->agent : "");
    leaf->rule = entry->rule;
    leaf->resource = entry->resource;
    leaf->signature = entry->signature;
    leaf->signature_base = entry->signature_base;
    tree->entries++;
    tree->sum_micros += leaf->amount_micros;
    /* What is not proven is in the tree, so that nobody can make it disappear, and in no line. */
    bool billed = entry->unproven.len == 0;
    tree->unproven += !billed;
    if (account && billed) {
        account->entries++;
        account->sum_micros += leaf->amount_micros;
    }
    return account || !billed;
}

static enum err read_entry(void *context, const struct pg_row *row)
{
    struct reading *reading = context;
    struct day_tree *tree = reading->tree;
    const struct day_entries_row entry = day_entries_row(row);
    uint8_t hash[DIGEST_SIZE];
    /* No error here: the day is read as it is, and what does not fit together is counted. */
    if (!count_entry(reading, &entry))
        tree->strangers++;
    if (reading->tile.size == 0 && !start_tile(reading, reading->leaf.payment_id))
        return ERR_OVERLOADED;
    struct slice leaf = slice_bytes(reading->bytes, leaf_write(&reading->leaf, reading->bytes));
    const struct day_tree_order *order = reading->order;
    enum err err = order->leaf ? order->leaf(order->context, reading->leaf.payment_id, leaf) : ERR_OK;
    merkle_leaf(leaf, hash);
    merkle_add(&reading->tile, hash);
    if (reading->tile.size == DAY_TREE_TILE)
        end_tile(reading);
    if (order->tell && tree->entries % TELL_EVERY == 0)
        order->tell(order->context, tree->entries, reading->expected);
    return err;
}

enum err day_tree_read(struct pg *pg, const struct day_tree_order *order, struct day_tree *tree)
{
    struct pg_params params = {0};
    enum err err = ERR_OVERLOADED;
    assert(order->date && !tree->tiles && tree->entries == 0); /* it starts as {0} */
    struct reading *reading = calloc(1, sizeof(*reading));
    if (!reading)
        goto out;
    reading->order = order;
    reading->tree = tree;
    TRY(read_facts(pg, order, &tree->facts));
    TRY(read_accounts(pg, reading));
    TRY(read_versions(pg, reading));
    reading->leaf.site = slice_of(tree->facts.site);
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->first_id ? order->first_id : tree->facts.first_id);
    pg_params_text(&params, order->end_id ? order->end_id : tree->facts.end_id);
    TRY(pg_stream(pg, "day_entries", &params, read_entry, reading));
    end_tile(reading);
    assert(tree->tile_count == (size_t)(tree->entries + DAY_TREE_TILE - 1) / DAY_TREE_TILE);
    merkle_root(&reading->day, tree->root);
    OBJECT_MAKE(tree, DAY_TREE_MAGIC);
    if (order->tell)
        order->tell(order->context, tree->entries, reading->expected);
out:
    if (reading)
        free(reading->versions);
    free(reading);
    return err;
}

void day_tree_free(struct day_tree *tree)
{
    for (size_t i = 0; i < tree->account_count; i++)
        free(tree->accounts[i].agent);
    free(tree->accounts);
    free(tree->tiles);
    free(tree->facts.site);
    free(tree->facts.network);
    free(tree->facts.currency);
    free(tree->facts.zone);
    /* One that could not be read whole has no magic number yet, and is freed all the same. */
    *tree = (struct day_tree){.entries = 0};
}

int64_t day_tree_mismatches(const struct day_tree *tree)
{
    OBJECT_CHECK(tree, DAY_TREE_MAGIC);
    int64_t count = tree->strangers;
    assert(tree->strangers >= 0 && tree->strangers <= tree->entries);
    for (size_t i = 0; i < tree->account_count; i++) {
        const struct day_tree_account *account = &tree->accounts[i];
        count += account->entries != account->line_entries || account->sum_micros != account->line_micros;
    }
    return count;
}

/* --- the stored tiles --- */

/* The columns of some tiles. */
struct tile_arrays {
    struct pg_array numbers, first_ids, entries, hashes;
};

static enum err insert_some(struct pg *pg, const struct day_tree_order *order, struct tile_arrays *arrays)
{
    struct pg_params params = {0};
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->date);
    bool ok = pg_params_array(&params, &arrays->numbers) && pg_params_array(&params, &arrays->first_ids) &&
              pg_params_array(&params, &arrays->entries) && pg_params_array(&params, &arrays->hashes);
    return ok ? pg_run(pg, "day_tiles_insert", &params, NULL) : ERR_OVERLOADED;
}

static void fill(struct tile_arrays *arrays, const struct day_tree *tree, size_t from, size_t to)
{
    assert(from < to && to <= tree->tile_count);
    pg_array_begin(&arrays->numbers, PG_TYPE_INT8);
    pg_array_begin(&arrays->first_ids, PG_TYPE_UUID);
    pg_array_begin(&arrays->entries, PG_TYPE_INT8);
    pg_array_begin(&arrays->hashes, PG_TYPE_BYTEA);
    for (size_t i = from; i < to; i++) {
        pg_array_number(&arrays->numbers, (int64_t)i);
        pg_array_bytes(&arrays->first_ids, slice_bytes(tree->tiles[i].first_id, UUID_SIZE));
        pg_array_number(&arrays->entries, (int64_t)tree->tiles[i].entries);
        pg_array_bytes(&arrays->hashes, slice_bytes(tree->tiles[i].hash, DIGEST_SIZE));
    }
}

enum err day_tree_insert(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree)
{
    struct tile_arrays arrays = {0};
    enum err err = ERR_OK;
    OBJECT_CHECK(tree, DAY_TREE_MAGIC);
    /* In pieces: a parameter may have a gigabyte at most, and a day may have more tiles than fit into that.
     */
    for (size_t from = 0; from < tree->tile_count; from += TILES_AT_ONCE) {
        size_t left = tree->tile_count - from;
        fill(&arrays, tree, from, from + (left < TILES_AT_ONCE ? left : TILES_AT_ONCE));
        TRY(insert_some(pg, order, &arrays));
    }
out:
    pg_array_free(&arrays.numbers);
    pg_array_free(&arrays.first_ids);
    pg_array_free(&arrays.entries);
    pg_array_free(&arrays.hashes);
    return err;
}

static bool same_tile(const struct day_tree_tile *tile, const struct day_tiles_read_row *stored)
{
    uint8_t hash[DIGEST_SIZE], first_id[UUID_SIZE];
    return uuid_parse(slice_of(stored->first_id), first_id) &&
           memcmp(first_id, tile->first_id, UUID_SIZE) == 0 && stored->entries == (int64_t)tile->entries &&
           pg_hex_bytes(stored->hash, hash, sizeof(hash)) == sizeof(hash) &&
           memcmp(hash, tile->hash, sizeof(hash)) == 0;
}

enum err day_tree_compare(struct pg *pg, const struct day_tree_order *order, const struct day_tree *tree,
                          int64_t *tile)
{
    struct pg_rows rows = {0};
    enum err err;
    int64_t at = 0;
    bool more = true, same = true;
    OBJECT_CHECK(tree, DAY_TREE_MAGIC);
    while (more && same) {
        struct pg_params params = {0};
        pg_params_number(&params, order->site_id);
        pg_params_text(&params, order->date);
        pg_params_number(&params, at);
        TRY(pg_run(pg, "day_tiles_read", &params, &rows));
        for (int i = 0; i < rows.count && same; i++) {
            const struct day_tiles_read_row stored = day_tiles_read_row(&rows, i);
            same =
                at < (int64_t)tree->tile_count && stored.tile == at && same_tile(&tree->tiles[at], &stored);
            at += same;
        }
        more = rows.count > 0;
        pg_rows_free(&rows);
    }
    assert(at <= (int64_t)tree->tile_count);
    *tile = same && at == (int64_t)tree->tile_count ? -1 : at;
out:
    pg_rows_free(&rows);
    return err;
}
