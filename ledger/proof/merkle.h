/* Hash trees of RFC 6962 section 2.1: SHA-256, leaves and nodes told apart by their first byte, split at the
 * largest power of two, no leaf doubled. Pure. */
#ifndef LEDGER_PROOF_MERKLE_H
#define LEDGER_PROOF_MERKLE_H

#include "ledger/base/crypto/digest.h"

/* A tree of 2^63 leaves is as high as this. */
#define MERKLE_HEIGHT_MAX 64

/* The hash of a leaf. */
void merkle_leaf(struct slice entry, uint8_t out[DIGEST_SIZE]);

/* The hash of a node over its two children. */
void merkle_node(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE], uint8_t out[DIGEST_SIZE]);

/* A tree that grows to the right and remembers only the roots of its full subtrees. Starts as {0}. */
struct merkle_tree {
    uint64_t size;
    uint8_t full[MERKLE_HEIGHT_MAX][DIGEST_SIZE]; /* [k]: of 2^k leaves, where bit k of `size` is set */
};

/* Adds the next leaf by its hash. Instead of leaves, the hashes of full subtrees of one size may be added;
 * only the last one may be of fewer leaves. The root is the same. */
void merkle_add(struct merkle_tree *tree, const uint8_t hash[DIGEST_SIZE]);

/* The root; of no leaves, the hash of nothing. */
void merkle_root(const struct merkle_tree *tree, uint8_t out[DIGEST_SIZE]);

/* The audit path of leaf `index` (RFC 6962 section 2.1.1) in the tree over `count` hashes, from the leaf's
 * sibling upwards. Returns how many hashes were written to `path`. */
size_t merkle_path(const uint8_t (*hashes)[DIGEST_SIZE], uint64_t count, uint64_t index,
                   uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE]);

/* True if the path of `steps` hashes leads from the leaf's hash at `index` to the root of a tree of `count`
 * leaves (RFC 9162 section 2.1.3.2). */
struct merkle_claim {
    uint64_t index, count;
    const uint8_t (*path)[DIGEST_SIZE];
    size_t steps;
};
bool merkle_includes(const struct merkle_claim *claim, const uint8_t leaf[DIGEST_SIZE],
                     const uint8_t root[DIGEST_SIZE]);

/* The consistency proof (RFC 6962 section 2.1.2) that the tree over the `first` first hashes, one at least,
 * has grown into the one over all `count`. Returns how many hashes were written to `proof`. */
size_t merkle_consistency(const uint8_t (*hashes)[DIGEST_SIZE], uint64_t count, uint64_t first,
                          uint8_t proof[MERKLE_HEIGHT_MAX][DIGEST_SIZE]);

/* True if the proof shows that the tree of `first` leaves with one root has grown into that of `second`
 * leaves with the other (RFC 9162 section 2.1.4.2). */
struct merkle_growth {
    uint64_t first, second;
    const uint8_t (*proof)[DIGEST_SIZE];
    size_t steps;
};
bool merkle_grew(const struct merkle_growth *growth, const uint8_t first_root[DIGEST_SIZE],
                 const uint8_t second_root[DIGEST_SIZE]);

#endif
