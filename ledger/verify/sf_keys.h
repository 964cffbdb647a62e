/* The keys of one dictionary or of one item's parameters, so that a key that stands twice is found in time
 * linear in the bytes of the keys, whatever they are: a crit-bit tree, whose depth is bounded by the length
 * of the key sought. A hash table would do as well on average, but somebody who chooses the keys chooses the
 * collisions. Used by the parser of structured fields alone. */
#ifndef LEDGER_VERIFY_SF_KEYS_H
#define LEDGER_VERIFY_SF_KEYS_H

#include "ledger/base/arena.h"

struct sf_key_node;

/* Starts out as zeros. The keys are of the alphabet of RFC 9651 section 4.2.3.3: no zero byte among them. */
struct sf_keys {
    struct slice *only;       /* while there is but one */
    struct sf_key_node *root; /* from the second one on */
    size_t steps;             /* nodes and bytes looked at so far: what the tests of linearity count */
};

/* The key equal to `key` that was added earlier, or NULL. */
struct slice *sf_keys_find(struct sf_keys *keys, struct slice key);

/* Adds a key that was not found; it stays where it is as long as `keys` is used. False when the arena is
 * full. */
bool sf_keys_add(struct sf_keys *keys, struct arena *arena, struct slice *key);

#endif
