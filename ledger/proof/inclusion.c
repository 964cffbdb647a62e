/* A tile is a whole subtree of the day's tree, or the one at its right edge: so a path within a tile, and
 * from there one over the tiles, is a path of RFC 6962. Nothing here is checked: who gets a path computes the
 * root.
 */
#include "ledger/proof/inclusion.h"

#include "sql/rows/proof.h"

#include <assert.h>
#include <stdlib.h>

/* --- the tiles --- */

static bool add_tile(struct inclusion_day *day, const struct day_tiles_read_row *stored)
{
    if (day->tiles == day->room) {
        size_t room = day->room * 2 + 64;
        void *hashes = realloc(day->hashes, room * sizeof(*day->hashes));
        day->hashes = hashes ? hashes : day->hashes;
        void *ids = realloc(day->first_ids, room * sizeof(*day->first_ids));
        day->first_ids = ids ? ids : day->first_ids;
        if (!hashes || !ids)
            return false;
        day->room = room;
    }
    /* What is no hash or id leads to no root. */
    memset(day->hashes[day->tiles], 0, DIGEST_SIZE);
    memset(day->first_ids[day->tiles], 0, UUID_SIZE);
    (void)pg_hex_bytes(stored->hash, day->hashes[day->tiles], DIGEST_SIZE);
    if (!uuid_parse(slice_of(stored->first_id), day->first_ids[day->tiles]))
        return false;
    day->entries += (uint64_t)stored->entries;
    day->tiles++;
    return true;
}

enum err inclusion_day_read(struct pg *pg, int64_t site_id, const char *date, struct inclusion_day *day)
{
    struct pg_rows rows = {0};
    enum err err;
    assert(day->tiles == 0 && site_id > 0);
    day->site_id = site_id;
    snprintf(day->date, sizeof(day->date), "%s", date);
    do {
        struct pg_params params = {0};
        pg_rows_free(&rows);
        pg_params_number(&params, site_id);
        pg_params_text(&params, date);
        pg_params_number(&params, (int64_t)day->tiles);
        TRY(pg_run(pg, "day_tiles_read", &params, &rows));
        for (int i = 0; i < rows.count; i++) {
            const struct day_tiles_read_row stored = day_tiles_read_row(&rows, i);
            TRY(add_tile(day, &stored) ? ERR_OK : ERR_OVERLOADED);
        }
    } while (rows.count > 0);
out:
    pg_rows_free(&rows);
    return err;
}

void inclusion_day_free(struct inclusion_day *day)
{
    free(day->hashes);
    free(day->first_ids);
    *day = (struct inclusion_day){.site_id = 0};
}

/* --- the entries of one tile --- */

struct tile {
    uint8_t hashes[DAY_TREE_TILE][DIGEST_SIZE];
    uint8_t ids[DAY_TREE_TILE][UUID_SIZE];
    size_t count;
    struct inclusion_entry *entry; /* gets the leaf of the entry `wanted`; NULL: none is */
    size_t wanted;
};

static enum err take_leaf(void *context, const uint8_t *payment_id, struct slice leaf)
{
    struct tile *tile = context;
    if (tile->count == DAY_TREE_TILE)
        return ERR_INTERNAL; /* more than were sealed */
    if (tile->entry && tile->count == tile->wanted) {
        assert(leaf.len <= sizeof(tile->entry->leaf));
        memcpy(tile->entry->leaf, leaf.data, leaf.len);
        tile->entry->len = leaf.len;
    }
    memcpy(tile->ids[tile->count], payment_id, UUID_SIZE);
    merkle_leaf(leaf, tile->hashes[tile->count++]);
    return ERR_OK;
}

static enum err read_tile(struct pg *pg, const struct inclusion_day *day, size_t number, struct tile *tile)
{
    char first_id[UUID_TEXT_MAX], end_id[UUID_TEXT_MAX];
    struct day_tree tree = {.entries = 0};
    bool last = number + 1 == day->tiles;
    assert(number < day->tiles);
    uuid_format(day->first_ids[number], first_id);
    if (!last)
        uuid_format(day->first_ids[number + 1], end_id);
    const struct day_tree_order order = {.site_id = day->site_id,
                                         .date = day->date,
                                         .first_id = first_id,
                                         .end_id = last ? NULL : end_id,
                                         .leaf = take_leaf,
                                         .context = tile};
    enum err err = day_tree_read(pg, &order, &tree);
    day_tree_free(&tree);
    return err;
}

/* The last tile that begins at or before the id; the first one if none does. */
static size_t tile_of(const struct inclusion_day *day, const uint8_t id[UUID_SIZE])
{
    size_t low = 0, high = day->tiles;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(day->first_ids[middle], id, UUID_SIZE) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

enum err inclusion_search(struct pg *pg, const struct inclusion_day *day, const uint8_t id[UUID_SIZE],
                          uint64_t *index)
{
    enum err err = ERR_OVERLOADED;
    size_t at = 0, number = tile_of(day, id);
    *index = 0;
    if (day->tiles == 0)
        return ERR_OK;
    struct tile *tile = calloc(1, sizeof(*tile));
    TRY(tile ? ERR_OK : ERR_OVERLOADED);
    TRY(read_tile(pg, day, number, tile));
    while (at < tile->count && memcmp(tile->ids[at], id, UUID_SIZE) < 0)
        at++;
    *index = (uint64_t)number * DAY_TREE_TILE + at;
out:
    free(tile);
    return err;
}

enum err inclusion_entry_read(struct pg *pg, const struct inclusion_day *day, uint64_t index,
                              struct inclusion_entry *entry)
{
    size_t number = (size_t)(index / DAY_TREE_TILE), within = (size_t)(index % DAY_TREE_TILE);
    enum err err;
    assert(index < day->entries);
    *entry = (struct inclusion_entry){.at = {.index = index}};
    struct tile *tile = calloc(1, sizeof(*tile));
    TRY(tile ? ERR_OK : ERR_OVERLOADED);
    tile->entry = entry;
    tile->wanted = within;
    TRY(read_tile(pg, day, number, tile));
    TRY(within < tile->count ? ERR_OK : ERR_NOT_FOUND); /* it was taken away since */
    size_t steps =
        merkle_path((const uint8_t(*)[DIGEST_SIZE])tile->hashes, tile->count, within, entry->at.path);
    uint8_t over[MERKLE_HEIGHT_MAX][DIGEST_SIZE];
    size_t more = merkle_path((const uint8_t(*)[DIGEST_SIZE])day->hashes, day->tiles, number, over);
    assert(steps + more <= MERKLE_HEIGHT_MAX);
    memcpy(entry->at.path[steps], over, more * DIGEST_SIZE);
    entry->at.steps = steps + more;
out:
    free(tile);
    return err;
}

/* --- facts --- */

static enum err add_fact(void *context, const struct pg_row *row)
{
    struct inclusion_facts *facts = context;
    const struct day_facts_read_row fact = day_facts_read_row(row);
    if (facts->count == facts->room) {
        size_t room = facts->room * 2 + 256;
        void *hashes = realloc(facts->hashes, room * sizeof(*facts->hashes));
        if (!hashes)
            return ERR_OVERLOADED;
        facts->hashes = hashes;
        facts->room = room;
    }
    memset(facts->hashes[facts->count], 0, DIGEST_SIZE);
    if (fact.digest.len == DIGEST_SIZE)
        memcpy(facts->hashes[facts->count], fact.digest.data, DIGEST_SIZE);
    facts->count++;
    return ERR_OK;
}

enum err inclusion_facts_read(struct pg *pg, int64_t site_id, const char *date, struct inclusion_facts *facts)
{
    struct pg_params params = {0};
    if (facts->site_id == site_id && strcmp(facts->date, date) == 0)
        return ERR_OK;
    facts->count = 0;
    facts->site_id = site_id;
    snprintf(facts->date, sizeof(facts->date), "%s", date);
    pg_params_number(&params, site_id);
    pg_params_text(&params, date);
    return pg_stream(pg, "day_facts_read", &params, add_fact, facts);
}

void inclusion_facts_free(struct inclusion_facts *facts)
{
    free(facts->hashes);
    *facts = (struct inclusion_facts){.site_id = 0};
}

bool inclusion_fact(const struct inclusion_facts *facts, const uint8_t hash[DIGEST_SIZE],
                    struct inclusion *at)
{
    size_t index = 0;
    while (index < facts->count && memcmp(facts->hashes[index], hash, DIGEST_SIZE) != 0)
        index++;
    if (index == facts->count)
        return false;
    *at = (struct inclusion){.index = index};
    at->steps = merkle_path((const uint8_t(*)[DIGEST_SIZE])facts->hashes, facts->count, index, at->path);
    return true;
}
