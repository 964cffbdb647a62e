#include "ledger/delivery/day_deliveries.h"

#include "ledger/proof/merkle.h"
#include "sql/rows/delivery.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct merkle_tree tree;
    int64_t deliveries;
};

static enum err read_tile(void *context, const struct pg_row *row)
{
    struct reading *reading = context;
    const struct day_delivery_leaves_row tile = day_delivery_leaves_row(row);
    uint8_t hash[DIGEST_SIZE] = {0};
    if (tile.digest.len == DIGEST_SIZE)
        memcpy(hash, tile.digest.data, DIGEST_SIZE);
    merkle_add(&reading->tree, hash);
    reading->deliveries += tile.deliveries;
    return ERR_OK;
}

static enum err read_tree(struct pg *pg, int64_t site_id, const char *date, struct reading *reading)
{
    struct pg_params params = {0};
    *reading = (struct reading){.deliveries = 0};
    pg_params_number(&params, site_id);
    pg_params_text(&params, date);
    return pg_stream(pg, "day_delivery_leaves", &params, read_tile, reading);
}

enum err day_deliveries_seal(struct pg *pg, int64_t site_id, const char *date)
{
    struct pg_params day = {0}, sealed = {0};
    struct reading reading;
    uint8_t root[DIGEST_SIZE];
    enum err err;
    pg_params_number(&day, site_id);
    pg_params_text(&day, date);
    TRY(pg_run(pg, "day_delivery_tiles", &day, NULL));
    TRY(read_tree(pg, site_id, date, &reading));
    if (reading.deliveries == 0)
        goto out;
    merkle_root(&reading.tree, root);
    pg_params_number(&sealed, site_id);
    pg_params_text(&sealed, date);
    pg_params_number(&sealed, reading.deliveries);
    pg_params_number(&sealed, (int64_t)reading.tree.size);
    pg_params_bytes(&sealed, slice_bytes(root, DIGEST_SIZE));
    TRY(pg_run(pg, "day_delivery_insert", &sealed, NULL));
out:
    return err;
}

/* All of a day's: 32 bytes for 256 deliveries. */
struct hashes {
    uint8_t (*items)[DIGEST_SIZE];
    size_t count, room;
};

static enum err keep_hash(void *context, const struct pg_row *row)
{
    struct hashes *hashes = context;
    const struct day_delivery_leaves_row tile = day_delivery_leaves_row(row);
    if (hashes->count == hashes->room) {
        size_t room = hashes->room * 2 + 64;
        void *items = realloc(hashes->items, room * sizeof(*hashes->items));
        if (!items)
            return ERR_OVERLOADED;
        hashes->items = items;
        hashes->room = room;
    }
    memset(hashes->items[hashes->count], 0, DIGEST_SIZE);
    if (tile.digest.len == DIGEST_SIZE)
        memcpy(hashes->items[hashes->count], tile.digest.data, DIGEST_SIZE);
    hashes->count++;
    return ERR_OK;
}

enum err day_deliveries_path(struct pg *pg, int64_t site_id, const char *date, uint64_t number,
                             struct day_deliveries_path *path)
{
    struct pg_params day = {0};
    struct hashes hashes = {.count = 0};
    enum err err = ERR_OVERLOADED;
    *path = (struct day_deliveries_path){calloc(MERKLE_HEIGHT_MAX, DIGEST_SIZE), 0};
    pg_params_number(&day, site_id);
    pg_params_text(&day, date);
    TRY(path->hashes ? ERR_OK : ERR_OVERLOADED);
    TRY(pg_stream(pg, "day_delivery_leaves", &day, keep_hash, &hashes));
    if (number < hashes.count)
        path->steps =
            merkle_path((const uint8_t(*)[DIGEST_SIZE])hashes.items, hashes.count, number, path->hashes);
out:
    free(hashes.items);
    return err;
}

enum err day_deliveries_check(struct pg *pg, int64_t site_id, const char *date, bool *holds)
{
    struct pg_params day = {0};
    struct pg_rows rows = {0};
    struct reading reading;
    uint8_t root[DIGEST_SIZE], sealed[DIGEST_SIZE];
    enum err err;
    pg_params_number(&day, site_id);
    pg_params_text(&day, date);
    TRY(pg_run(pg, "day_delivery_read", &day, &rows));
    TRY(read_tree(pg, site_id, date, &reading));
    if (rows.count == 0) {
        *holds = reading.deliveries == 0;
        goto out;
    }
    const struct day_delivery_read_row row = day_delivery_read_row(&rows, 0);
    merkle_root(&reading.tree, root);
    *holds = pg_hex_bytes(row.root, sealed, DIGEST_SIZE) == DIGEST_SIZE &&
             reading.deliveries == row.deliveries && (int64_t)reading.tree.size == row.tiles &&
             memcmp(root, sealed, DIGEST_SIZE) == 0;
out:
    pg_rows_free(&rows);
    return err;
}
