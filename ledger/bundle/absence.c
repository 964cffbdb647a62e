/* The entries of a day are sealed in the order of their ids, so that two that are next to each other leave no
 * room between them. */
#include "ledger/bundle/claims.h"

#include "ledger/base/instant.h"
#include "ledger/bundle/json.h"

#include <inttypes.h>

#define LEAF_VERSION 0x01

/* A leaf's first bytes: its version, and the id. */
static bool read_neighbour(struct bundle_trial *trial, const json_t *json, struct bundle_place *place,
                           uint8_t id[UUID_SIZE])
{
    struct slice leaf = bundle_bytes(&trial->arena, json, "leaf");
    uint8_t hash[DIGEST_SIZE];
    if (!BUNDLE_HAS(json, "leaf", "log", "day", "index", "path") || leaf.len < 1 + UUID_SIZE ||
        leaf.data[0] != LEAF_VERSION)
        return false;
    memcpy(id, leaf.data + 1, UUID_SIZE);
    merkle_leaf(leaf, hash);
    return bundle_place_read(&trial->logs, json, false, hash, place);
}

/* Before the first, behind the last, or between two that follow each other. */
static bool leaves_no_room(struct bundle_trial *trial, const uint8_t id[UUID_SIZE],
                           const struct bundle_day *day)
{
    const json_t *list = json_object_get(trial->bundle, "neighbours");
    size_t count = json_array_size(list);
    struct bundle_place places[2];
    uint8_t ids[2][UUID_SIZE], nothing[DIGEST_SIZE];
    if (!json_is_array(list) || count > 2)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_neighbour(trial, json_array_get(list, i), &places[i], ids[i]) || places[i].day != day)
            return false;
    if (count == 0) {
        digest_sha256(NULL, 0, nothing);
        return day->entries == 0 && memcmp(day->root, nothing, DIGEST_SIZE) == 0;
    }
    bool below = memcmp(ids[0], id, UUID_SIZE)<0, above = memcmp(ids[count - 1], id, UUID_SIZE)> 0;
    if (count == 2)
        return below && above && places[1].index == places[0].index + 1;
    return below ? places[0].index + 1 == day->entries : above && places[0].index == 0;
}

bool bundle_check_absence(struct bundle_trial *trial)
{
    const char *text = bundle_text(trial->bundle, "payment_id");
    char at[INSTANT_TEXT_MAX];
    uint8_t id[UUID_SIZE];
    const struct bundle_day *day =
        bundle_day_of(&trial->logs, bundle_text(trial->bundle, "log"), bundle_text(trial->bundle, "day"));
    if (!BUNDLE_HAS(trial->bundle, "format", "claim", "payment_id", "log", "day", "neighbours", "logs") ||
        !bundle_uuid(text, id) || !day)
        return bundle_wrong(trial->report, "the file has not the members of a proof that there is no entry");
    instant_format(uuid_ms(id), at);
    if (strcmp(at, day->starts) < 0 || strcmp(at, day->ends) >= 0)
        return bundle_wrong(trial->report, "payment %s is of another day than %s", text, day->date);
    if (!leaves_no_room(trial, id, day))
        return bundle_wrong(trial->report,
                            "the file does not show that payment %s is none of the entries of %s", text,
                            day->date);
    bundle_proven(trial->report,
                  "None of the %" PRIu64 " entries of %s (%s) in the log \"%s\" has the payment id "
                  "%s, of %s: where it would stand, nothing does.",
                  day->entries, day->date, day->zone, day->log, text, at);
    bundle_unproven(trial->report,
                    "That the day's other entries stand in the order of their ids, as the format "
                    "demands: who has all of them can tell, such as an auditor of the publisher.");
    bundle_unproven(trial->report, "That nothing was charged by other means than this log.");
    return true;
}
