/* The logs that a bundle speaks of: all their leaves by hash, the days that matter whole, the newest
 * checkpoint and what changed its key. */
#ifndef LEDGER_BUNDLE_LOGS_H
#define LEDGER_BUNDLE_LOGS_H

#include "ledger/bundle/bundle.h"

#include "ledger/base/arena.h"
#include "ledger/proof/leaf.h"

/* A closed day, as its leaf says. The texts are in the arena. */
struct bundle_day {
    uint64_t number; /* in the log, from 0 on */
    const char *log, *date, *starts, *ends, *zone, *currency;
    uint64_t entries, facts;
    uint8_t root[DIGEST_SIZE], facts_root[DIGEST_SIZE];
};

/* A change of the key that signs a log (ledger/proof/key_change.h), read back. */
struct bundle_change {
    const char *old_key, *new_key;
    bool agreed; /* the old key has signed it, too */
};

/* What a witness has cosigned last. */
struct bundle_witness {
    const char *key;
    uint64_t size; /* of the log, as it was then */
    int64_t seconds;
};

#define BUNDLE_WITNESSES_MAX 16

struct bundle_log {
    const char *origin, *signed_by;
    struct slice checkpoint;
    uint8_t (*leaves)[DIGEST_SIZE];
    size_t size;
    struct bundle_day *days;
    size_t day_count;
    struct bundle_change *changes;
    size_t change_count;
    struct bundle_witness witnesses[BUNDLE_WITNESSES_MAX];
    size_t witness_count;
};

struct bundle_logs {
    struct bundle_log items[BUNDLE_LOGS_MAX];
    size_t count;
};

/* Reads them, and checks that the days are the logs'. False after telling what is wrong. */
bool bundle_logs_read(struct arena *arena, const json_t *list, const struct bundle_order *order,
                      struct bundle_logs *logs, struct bundle_report *report) MUST_USE;

/* Checks who has signed and cosigned them, and that they have grown from the checkpoint that was kept. */
bool bundle_logs_signed(const struct bundle_logs *logs, const struct bundle_order *order,
                        struct bundle_report *report) MUST_USE;

/* The root over the first leaves of a log. */
void bundle_log_root(const struct bundle_log *log, uint64_t size, uint8_t root[DIGEST_SIZE]);

/* Reads the member "witnesses" of a log whose leaves and keys are read. False if one does not hold. */
bool bundle_witnesses_read(const json_t *list, note_verifies *verifies, struct bundle_log *log) MUST_USE;

/* Tells who has cosigned the log, and how far. False after telling that the one who must have has not
 * cosigned each day of the log that the file names. */
bool bundle_witnesses_tell(const struct bundle_log *log, const struct bundle_order *order,
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
