/* RFC 6962's tree and no other, since there are verifiers of it everywhere. Leaves and nodes are hashed
 * under different first bytes, or a node could be shown as a leaf; no leaf is doubled, or two lists of
 * entries would have one root. */
#include "ledger/proof/merkle.h"

#include <assert.h>

void merkle_leaf(struct slice entry, uint8_t out[DIGEST_SIZE])
{
    const struct slice parts[] = {{"\x00", 1}, entry};
    digest_sha256(parts, 2, out);
}

void merkle_node(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE], uint8_t out[DIGEST_SIZE])
{
    const struct slice parts[] = {
        {"\x01", 1}, slice_bytes(left, DIGEST_SIZE), slice_bytes(right, DIGEST_SIZE)};
    digest_sha256(parts, 3, out);
}

void merkle_add(struct merkle_tree *tree, const uint8_t hash[DIGEST_SIZE])
{
    uint8_t sum[DIGEST_SIZE];
    size_t height = 0;
    memcpy(sum, hash, DIGEST_SIZE);
    /* As a carry in a binary number: two subtrees of one height become one of the next. */
    for (; tree->size >> height & 1; height++)
        merkle_node(tree->full[height], sum, sum);
    assert(height < MERKLE_HEIGHT_MAX);
    memcpy(tree->full[height], sum, DIGEST_SIZE);
    tree->size++;
    assert(tree->size >> height & 1);
}

void merkle_root(const struct merkle_tree *tree, uint8_t out[DIGEST_SIZE])
{
    size_t height = 0;
    if (tree->size == 0) {
        digest_sha256(NULL, 0, out);
        return;
    }
    while (!(tree->size >> height & 1))
        height++;
    memcpy(out, tree->full[height], DIGEST_SIZE);
    for (height++; height < MERKLE_HEIGHT_MAX; height++)
        if (tree->size >> height & 1)
            merkle_node(tree->full[height], out, out);
}

/* The root over `count` hashes. */
static void root_of(const uint8_t (*hashes)[DIGEST_SIZE], uint64_t count, uint8_t out[DIGEST_SIZE])
{
    struct merkle_tree tree = {.size = 0};
    assert(count > 0);
    for (uint64_t i = 0; i < count; i++)
        merkle_add(&tree, hashes[i]);
    merkle_root(&tree, out);
}

/* The largest power of two below `count`, which is 2 or more. */
static uint64_t split_of(uint64_t count)
{
    uint64_t split = 1;
    assert(count >= 2);
    while (split < count - split)
        split *= 2;
    assert(split < count && count - split <= split);
    return split;
}

static void turn_round(uint8_t (*hashes)[DIGEST_SIZE], size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        uint8_t other[DIGEST_SIZE];
        memcpy(other, hashes[i], DIGEST_SIZE);
        memcpy(hashes[i], hashes[count - 1 - i], DIGEST_SIZE);
        memcpy(hashes[count - 1 - i], other, DIGEST_SIZE);
    }
}

size_t merkle_path(const uint8_t (*hashes)[DIGEST_SIZE], uint64_t count, uint64_t index,
                   uint8_t path[MERKLE_HEIGHT_MAX][DIGEST_SIZE])
{
    size_t steps = 0;
    assert(index < count);
    /* From the root down; the siblings' order is turned round at the end. */
    while (count > 1) {
        assert(steps < MERKLE_HEIGHT_MAX);
        uint64_t split = split_of(count);
        bool left = index < split;
        root_of(left ? hashes + split : hashes, left ? count - split : split, path[steps++]);
        hashes += left ? 0 : split;
        index -= left ? 0 : split;
        count = left ? split : count - split;
    }
    assert(count == 1 && index == 0);
    turn_round(path, steps);
    return steps;
}

bool merkle_includes(const struct merkle_claim *claim, const uint8_t leaf[DIGEST_SIZE],
                     const uint8_t root[DIGEST_SIZE])
{
    uint8_t sum[DIGEST_SIZE];
    uint64_t at = claim->index;
    uint64_t last = claim->count - 1;
    assert(claim->path || claim->steps == 0);
    /* The steps of RFC 9162 section 2.1.3.2: `last` is the tree's last leaf as `at` is ours, and both climb.
     * A path that is too long or too short is refused, or a shorter one could be made of the same hashes. */
    if (claim->index >= claim->count)
        return false;
    memcpy(sum, leaf, DIGEST_SIZE);
    for (size_t i = 0; i < claim->steps; i++) {
        if (last == 0)
            return false;
        if ((at & 1) || at == last) {
            merkle_node(claim->path[i], sum, sum);
            for (; !(at & 1) && at != 0; last >>= 1)
                at >>= 1;
        } else {
            merkle_node(sum, claim->path[i], sum);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(sum, root, DIGEST_SIZE) == 0;
}

size_t merkle_consistency(const uint8_t (*hashes)[DIGEST_SIZE], uint64_t count, uint64_t first,
                          uint8_t proof[MERKLE_HEIGHT_MAX][DIGEST_SIZE])
{
    size_t steps = 0;
    bool whole = true; /* the old tree ends at a subtree of its own, whose root the verifier has */
    assert(first > 0 && first <= count);
    while (first < count) {
        assert(steps < MERKLE_HEIGHT_MAX);
        uint64_t split = split_of(count);
        bool left = first <= split;
        root_of(left ? hashes + split : hashes, left ? count - split : split, proof[steps++]);
        hashes += left ? 0 : split;
        first -= left ? 0 : split;
        count = left ? split : count - split;
        whole = whole && left;
    }
    if (!whole)
        root_of(hashes, count, proof[steps++]);
    turn_round(proof, steps);
    return steps;
}

bool merkle_grew(const struct merkle_growth *growth, const uint8_t first_root[DIGEST_SIZE],
                 const uint8_t second_root[DIGEST_SIZE])
{
    uint8_t old[DIGEST_SIZE], new[DIGEST_SIZE];
    uint64_t at = growth->first - 1, last = growth->second - 1;
    size_t step = 0;
    if (growth->first == 0 || growth->first > growth->second)
        return false;
    if (growth->first == growth->second)
        return growth->steps == 0 && memcmp(first_root, second_root, DIGEST_SIZE) == 0;
    /* The steps of RFC 9162 section 2.1.4.2. */
    for (; at & 1; at >>= 1)
        last >>= 1;
    if (at != 0 && growth->steps == 0)
        return false;
    memcpy(old, at == 0 ? first_root : growth->proof[step++], DIGEST_SIZE);
    memcpy(new, old, DIGEST_SIZE);
    for (; step < growth->steps && last != 0; step++) {
        if ((at & 1) || at == last) { /* the old tree has it too */
            merkle_node(growth->proof[step], old, old);
            merkle_node(growth->proof[step], new, new);
            for (; !(at & 1) && at != 0; last >>= 1)
                at >>= 1;
        } else {
            merkle_node(new, growth->proof[step], new);
        }
        at >>= 1;
        last >>= 1;
    }
    return step == growth->steps && last == 0 && memcmp(old, first_root, DIGEST_SIZE) == 0 &&
           memcmp(new, second_root, DIGEST_SIZE) == 0;
}
