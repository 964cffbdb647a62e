#define _GNU_SOURCE /* memmem */
#include "ledger/proof/day_seal.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/leaf.h"
#include "sql/rows/proof.h"

#include <stdio.h>
#include <stdlib.h>

/* The day's stored tiles, and the one that the id falls into. */
struct place {
    struct merkle_tree day;
    uint8_t hash[DIGEST_SIZE]; /* of no entries, if the day has no tiles */
    int64_t entries;
    int64_t tile;
    char first_id[UUID_TEXT_MAX]; /* "": the day's beginning */
    char end_id[UUID_TEXT_MAX];   /* "": its end */
};

static enum err state_of(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE], struct day_seal *seal)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    TRY(pg_run(pg, "day_seal_state", &params, &rows));
    if (rows.count == 0)
        goto out;
    const struct day_seal_state_row day = day_seal_state_row(&rows, 0);
    snprintf(seal->date, sizeof(seal->date), "%s", day.local_date);
    if (day.closed)
        seal->state = !day.has_checkpoint ? DAY_SEAL_NONE : day.archived ? DAY_SEAL_AWAY : DAY_SEAL_HOLDS;
out:
    pg_rows_free(&rows);
    return err;
}

/* One more tile, in order. What comes before the first tile belongs to it: nothing can stand there. */
static void pass(struct place *place, const uint8_t id[UUID_SIZE], const struct day_tiles_read_row *stored)
{
    uint8_t first[UUID_SIZE] = {0}, hash[DIGEST_SIZE] = {0};
    bool whole = uuid_parse(slice_of(stored->first_id), first) &&
                 pg_hex_bytes(stored->hash, hash, sizeof(hash)) == sizeof(hash);
    if (!whole)
        memset(hash, 0, sizeof(hash)); /* a tile that is none leads to no root */
    merkle_add(&place->day, hash);
    if (place->tile < 0 || memcmp(first, id, UUID_SIZE) <= 0) {
        snprintf(place->first_id, sizeof(place->first_id), "%s", place->tile < 0 ? "" : stored->first_id);
        place->end_id[0] = '\0';
        memcpy(place->hash, hash, sizeof(hash));
        place->entries = stored->entries;
        place->tile = stored->tile;
    } else if (place->end_id[0] == '\0') {
        snprintf(place->end_id, sizeof(place->end_id), "%s", stored->first_id);
    }
}

static enum err find_place(struct pg *pg, int64_t site_id, const char *date, const uint8_t id[UUID_SIZE],
                           struct place *place)
{
    struct pg_rows rows = {0};
    enum err err;
    *place = (struct place){.tile = -1};
    merkle_root(&place->day, place->hash);
    do {
        struct pg_params params = {0};
        pg_rows_free(&rows);
        pg_params_number(&params, site_id);
        pg_params_text(&params, date);
        pg_params_number(&params, (int64_t)place->day.size);
        TRY(pg_run(pg, "day_tiles_read", &params, &rows));
        for (int i = 0; i < rows.count; i++) {
            const struct day_tiles_read_row stored = day_tiles_read_row(&rows, i);
            pass(place, id, &stored);
        }
    } while (rows.count > 0);
out:
    pg_rows_free(&rows);
    return err;
}

/* True if the tiles lead to the root that the day's leaf in the log names (ledger/proof/leaf.h). */
static bool leads_to(const struct place *place, const struct checkpoint_read_row *signed_day)
{
    uint8_t root[DIGEST_SIZE], stored[DIGEST_SIZE], leaf[LEAF_DAY_MAX];
    char line[sizeof("\nroot \n") + ENCODING_BASE64_LEN(DIGEST_SIZE)];
    char base64[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    merkle_root(&place->day, root);
    base64[encoding_base64(root, sizeof(root), base64)] = '\0';
    size_t end = (size_t)snprintf(line, sizeof(line), "\nroot %s\n", base64);
    size_t len = pg_hex_bytes(signed_day->leaf, leaf, sizeof(leaf));
    return pg_hex_bytes(signed_day->day_root, stored, sizeof(stored)) == sizeof(stored) &&
           memcmp(root, stored, sizeof(root)) == 0 && len <= sizeof(leaf) && memmem(leaf, len, line, end);
}

static void broken(struct day_seal *seal, const char *problem)
{
    seal->state = DAY_SEAL_BROKEN;
    seal->problem = problem;
}

static enum err check_tile(struct pg *pg, int64_t site_id, const struct place *place, struct day_seal *seal)
{
    const struct day_tree_order order = {.site_id = site_id,
                                         .date = seal->date,
                                         .first_id = place->first_id[0] ? place->first_id : NULL,
                                         .end_id = place->end_id[0] ? place->end_id : NULL};
    struct day_tree tree = {.entries = 0};
    enum err err;
    TRY(day_tree_read(pg, &order, &tree));
    if (tree.entries != place->entries || memcmp(tree.root, place->hash, sizeof(tree.root)) != 0)
        broken(seal, "the entries here are not those that were sealed");
out:
    day_tree_free(&tree);
    return err;
}

static enum err check_day(struct pg *pg, int64_t site_id, const struct place *place, struct day_seal *seal)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_text(&params, seal->date);
    TRY(pg_run(pg, "checkpoint_read", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_INTERNAL);
    const struct checkpoint_read_row signed_day = checkpoint_read_row(&rows, 0);
    if (!leads_to(place, &signed_day))
        broken(seal, "the day's tree does not lead to its sealed root");
out:
    pg_rows_free(&rows);
    return err;
}

enum err day_seal_check(struct pg *pg, int64_t site_id, const uint8_t id[UUID_SIZE],
                        const struct log_trust *trust, struct day_seal *seal)
{
    struct checkpoint_finding finding;
    struct place place;
    enum err err;
    *seal = (struct day_seal){.state = DAY_SEAL_OPEN};
    TRY(pg_begin(pg));
    TRY(state_of(pg, site_id, id, seal));
    if (seal->state == DAY_SEAL_HOLDS) {
        TRY(find_place(pg, site_id, seal->date, id, &place));
        TRY(check_tile(pg, site_id, &place, seal));
    }
    if (seal->state == DAY_SEAL_HOLDS)
        TRY(check_day(pg, site_id, &place, seal));
    if (seal->state == DAY_SEAL_HOLDS && trust->key_count == 0 && !trust->verifier) {
        seal->state = DAY_SEAL_BY_WHOM;
    } else if (seal->state == DAY_SEAL_HOLDS) {
        TRY(log_check(pg, site_id, trust, &finding));
        if (finding.problem) {
            broken(seal, finding.problem);
            snprintf(seal->date, sizeof(seal->date), "%s", finding.date);
        }
    }
out:
    pg_rollback(pg); /* it was only read */
    return err;
}
