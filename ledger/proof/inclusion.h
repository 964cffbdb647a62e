/* Where an entry or a fact of a closed day is in the day's tree, and the audit path from there to the root. A
 * day has millions of entries: only the tiles' hashes are read, and the entries of the tile in question. */
#ifndef LEDGER_PROOF_INCLUSION_H
#define LEDGER_PROOF_INCLUSION_H

#include "ledger/proof/day_tree.h"
#include "ledger/proof/leaf.h"

struct inclusion {
    uint64_t index;
    uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE];
    size_t steps;
};

/* A closed day's tiles as they were stored. */
struct inclusion_day {
    int64_t site_id;
    char date[16];
    uint8_t (*hashes)[DIGEST_SIZE];
    uint8_t (*first_ids)[UUID_SIZE];
    size_t tiles, room;
    uint64_t entries;
};

/* Starts as {0}; freed with inclusion_day_free, whatever comes back. Inside a transaction, as all of these.
 */
enum err inclusion_day_read(struct pg *pg, int64_t site_id, const char *date,
                            struct inclusion_day *day) MUST_USE;
void inclusion_day_free(struct inclusion_day *day);

/* The number of the first entry whose id is `id` or above; day->entries if there is none. */
enum err inclusion_search(struct pg *pg, const struct inclusion_day *day, const uint8_t id[UUID_SIZE],
                          uint64_t *index) MUST_USE;

/* An entry by its number, with its leaf. */
struct inclusion_entry {
    struct inclusion at;
    uint8_t leaf[LEAF_MAX];
    size_t len;
};
enum err inclusion_entry_read(struct pg *pg, const struct inclusion_day *day, uint64_t index,
                              struct inclusion_entry *entry) MUST_USE;

/* The hashes of a day's facts, in the order of their tree. */
struct inclusion_facts {
    int64_t site_id; /* of the day */
    char date[16];
    uint8_t (*hashes)[DIGEST_SIZE];
    size_t count, room;
};

/* Starts as {0}, or as what was read before: that is kept if it is this day. Freed with inclusion_facts_free.
 */
enum err inclusion_facts_read(struct pg *pg, int64_t site_id, const char *date,
                              struct inclusion_facts *facts) MUST_USE;
void inclusion_facts_free(struct inclusion_facts *facts);

/* Where the fact with this hash is. False if the day has none. */
bool inclusion_fact(const struct inclusion_facts *facts, const uint8_t hash[DIGEST_SIZE],
                    struct inclusion *at) MUST_USE;

#endif
