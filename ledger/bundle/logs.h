/* The logs that a bundle speaks of: all their leaves by hash, the days that matter whole, the newest
 * checkpoint and what changed its key. */
#ifndef LEDGER_BUNDLE_LOGS_H
#define LEDGER_BUNDLE_LOGS_H

#include "ledger/bundle/bundle.h"

#include "ledger/base/arena.h"
#include "ledger/proof/leaf.h"

/* A closed day, as its leaf says. The texts are in the arena. */
struct bundle_day {
    const char *log, *date, *starts, *ends, *zone, *currency;
    uint64_t entries, facts;
    uint8_t root[DIGEST_SIZE], facts_root[DIGEST_SIZE];
};

/* A change of the key that signs a log (ledger/proof/key_change.h), read back. */
struct bundle_change {
    const char *old_key, *new_key;
    bool agreed; /* the old key has signed it, too */
};

struct bundle_log {
    const char *origin, *signed_by;
    struct slice checkpoint;
    uint8_t (*leaves)[DIGEST_SIZE];
    size_t size;
    struct bundle_day *days;
    size_t day_count;
    struct bundle_change *changes;
    size_t change_count;
};

struct bundle_logs {
    struct bundle_log items[BUNDLE_LOGS_MAX];
    size_t count;
};

/* Reads them, and checks that the days are the logs'. False after telling what is wrong. */
bool bundle_logs_read(struct arena *arena, const json_t *list, const struct bundle_order *order,
                      struct bundle_logs *logs, struct bundle_report *report) MUST_USE;

/* Checks who has signed them, and that they have grown from the checkpoint that was kept. */
bool bundle_logs_signed(const struct bundle_logs *logs, const struct bundle_order *order,
                        struct bundle_report *report) MUST_USE;

/* Where an entry or a fact is: the members log, day, index and path of `place`. */
struct bundle_place {
    const struct bundle_day *day;
    uint64_t index;
};

/* Reads them, and checks that the path leads from the hash to the root of the day's entries or, with `fact`,
 * of its facts. */
bool bundle_place_read(const struct bundle_logs *logs, const json_t *place, bool fact,
                       const uint8_t hash[DIGEST_SIZE], struct bundle_place *found) MUST_USE;

/* The day of a log, or NULL. */
const struct bundle_day *bundle_day_of(const struct bundle_logs *logs, const char *origin, const char *date);

#endif
