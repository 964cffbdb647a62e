/* What the publisher's gate has recorded of the delivery, as its day has sealed it. That it is so sealed is
 * proven; what it says is the publisher's own word. */
#include "ledger/bundle/claims.h"

#include "ledger/bundle/json.h"
#include "ledger/delivery/delivery.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS_MAX   2
#define TILE_MAX   256
#define LINE_BYTES (UUID_SIZE + DIGEST_SIZE)

/* The root that the day has sealed: a row of day_delivery. */
struct sealed {
    uint8_t root[DIGEST_SIZE];
    int64_t tiles;
};

static bool read_sealed(struct bundle_trial *trial, struct sealed *sealed)
{
    const struct bundle_fact *fact = bundle_fact_of(&trial->facts, "day_delivery");
    if (!fact || fact->day != trial->entry.place.day)
        return false;
    struct slice root = bundle_hex(&trial->arena, bundle_fact_text(fact, "root"));
    sealed->tiles = bundle_fact_number(fact, "tiles");
    if (root.len == DIGEST_SIZE)
        memcpy(sealed->root, root.data, DIGEST_SIZE);
    return root.len == DIGEST_SIZE && sealed->tiles > 0;
}

static bool lists_row(struct slice tile, const uint8_t id[UUID_SIZE], const char *row)
{
    uint8_t digest[DIGEST_SIZE];
    const struct slice text = slice_of(row);
    digest_sha256(&text, 1, digest);
    for (size_t at = 0; at + LINE_BYTES <= tile.len; at += LINE_BYTES)
        if (memcmp(tile.data + at, id, UUID_SIZE) == 0 &&
            memcmp(tile.data + at + UUID_SIZE, digest, DIGEST_SIZE) == 0)
            return true;
    return false;
}

/* That the tile is where it says among those of the day. */
static bool is_placed(const json_t *json, struct slice tile, const struct sealed *sealed)
{
    uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE], hash[DIGEST_SIZE];
    const json_t *list = json_object_get(json, "path");
    size_t steps = json_array_size(list);
    int64_t index;
    if (!json_is_array(list) || steps > MERKLE_HEIGHT_MAX || !bundle_number(json, "index", &index))
        return false;
    for (size_t i = 0; i < steps; i++)
        if (!bundle_hash(json_array_get(list, i), path[i]))
            return false;
    merkle_leaf(tile, hash);
    const struct merkle_claim claim = {.index = (uint64_t)index,
                                       .count = (uint64_t)sealed->tiles,
                                       .path = (const uint8_t(*)[DIGEST_SIZE])path,
                                       .steps = steps};
    return merkle_includes(&claim, hash, sealed->root);
}

/* Its row as JSON; NULL: it is not what was sealed. */
static json_t *read_one(struct bundle_trial *trial, const json_t *json, const struct sealed *sealed)
{
    const struct bundle_fact *site = bundle_fact_of(&trial->facts, "site");
    const char *text = bundle_text(json, "row");
    struct slice tile = bundle_bytes(&trial->arena, json, "tile");
    if (!BUNDLE_HAS(json, "row", "tile", "index", "path") || !text || !tile.data || !site ||
        tile.len % LINE_BYTES != 0 || tile.len > TILE_MAX * LINE_BYTES || !is_placed(json, tile, sealed) ||
        !lists_row(tile, trial->entry.id, text))
        return NULL;
    json_t *row = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *id = bundle_text(row, "payment_id");
    int64_t site_id;
    if (row && id && strcmp(id, trial->entry.id_text) == 0 && bundle_number(row, "site_id", &site_id) &&
        site_id == bundle_fact_number(site, "site_id"))
        return row;
    json_decref(row);
    return NULL;
}

static void tell(struct bundle_trial *trial, const json_t *row)
{
    char status[32] = "", bytes[32] = "", digest[80] = "";
    const char *ended = bundle_text(row, "ended"), *at = bundle_text(row, "ended_at");
    const char *body = bundle_text(row, "body_digest");
    int64_t number;
    if (bundle_number(row, "status", &number))
        snprintf(status, sizeof(status), "; status %" PRId64, number);
    if (bundle_number(row, "sent_bytes", &number))
        snprintf(bytes, sizeof(bytes), ", %" PRId64 " bytes", number);
    if (body && strlen(body) == 2 + 2 * DIGEST_SIZE)
        snprintf(digest, sizeof(digest), ", SHA-256 %s", body + 2);
    bundle_proven(trial->report,
                  "The publisher's gate has recorded of the delivery%s: %s%s%s%s, at %.19sZ (sealed on %s).",
                  json_is_true(json_object_get(row, "repeated")) ? ", once more" : "",
                  delivery_end_sentence(ended ? ended : ""), status, bytes, digest, at ? at : "",
                  trial->entry.place.day->date);
}

bool bundle_check_deliveries(struct bundle_trial *trial)
{
    const json_t *list = json_object_get(trial->bundle, "deliveries");
    size_t count = json_array_size(list);
    bool told[2] = {false, false};
    struct sealed sealed;
    if (!list && !bundle_fact_of(&trial->facts, "day_delivery")) {
        bundle_unproven(trial->report, "What was delivered: the file has no record of it, which says "
                                       "nothing.");
        return true;
    }
    if (!json_is_array(list) || count == 0 || count > ROWS_MAX || !read_sealed(trial, &sealed))
        return bundle_wrong(trial->report, "what was delivered is not what the day of the entry has sealed");
    for (size_t i = 0; i < count; i++) {
        json_t *row = read_one(trial, json_array_get(list, i), &sealed);
        bool *again = &told[json_is_true(json_object_get(row, "repeated"))];
        if (!row || *again) {
            json_decref(row);
            return bundle_wrong(trial->report,
                                "what was delivered, record %zu, is not what its day has sealed", i + 1);
        }
        *again = true;
        tell(trial, row);
        json_decref(row);
    }
    bundle_unproven(trial->report, "That this is what the crawler got: what was delivered is the publisher's "
                                   "own record, of what its gate handed to the network.");
    return true;
}
