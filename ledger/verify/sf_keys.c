#include "ledger/verify/sf_keys.h"

#include <assert.h>

/* Tells two subtrees apart by one bit of one byte; above it in the tree stand lower positions only, and all
 * keys below it agree up to that bit. `key` is any key of the side, and the only one if `node` is NULL. */
struct sf_key_node {
    size_t byte;
    unsigned mask; /* the one bit */
    struct sf_key_node *node[2];
    struct slice *key[2];
};

/* Behind its end a key has zeros, which no key contains: a prefix differs from what it begins. */
static unsigned byte_at(struct slice key, size_t at)
{
    return at < key.len ? (unsigned char)key.data[at] : 0;
}

static int side_of(const struct sf_key_node *node, struct slice key)
{
    return (byte_at(key, node->byte) & node->mask) != 0;
}

/* The key that `key` equals if any does, else one that shares with it as many leading bits as any. Below a
 * node that looks behind the end of `key`, all keys go on together there and none is equal. */
static struct slice *nearest(struct sf_keys *keys, struct slice key)
{
    struct slice *found = keys->only;
    for (struct sf_key_node *node = keys->root; node && node->byte <= key.len;) {
        int side = side_of(node, key);
        assert(!node->node[side] || node->node[side]->byte > node->byte ||
               (node->node[side]->byte == node->byte && node->node[side]->mask < node->mask));
        found = node->key[side];
        node = node->node[side];
        keys->steps++;
    }
    return found;
}

struct slice *sf_keys_find(struct sf_keys *keys, struct slice key)
{
    struct slice *found = nearest(keys, key);
    return found && slice_eq(*found, key) ? found : NULL;
}

/* The highest bit set in `difference`, which is not 0. */
static unsigned highest(unsigned difference)
{
    assert(difference > 0 && difference <= 0xff);
    unsigned mask = 0x80;
    while (!(difference & mask))
        mask >>= 1;
    return mask;
}

bool sf_keys_add(struct sf_keys *keys, struct arena *arena, struct slice *key)
{
    assert(key->len > 0);
    struct slice *near = nearest(keys, *key);
    if (!near) {
        keys->only = key;
        return true;
    }
    struct sf_key_node *new = arena_alloc(arena, sizeof(*new));
    if (!new)
        return false;
    while (byte_at(*near, new->byte) == byte_at(*key, new->byte))
        new->byte++;
    assert(new->byte < near->len || new->byte < key->len); /* one of them has not ended: they differ */
    keys->steps += new->byte + 1;
    new->mask = highest(byte_at(*near, new->byte) ^ byte_at(*key, new->byte));
    int side = side_of(new, *key);
    new->key[side] = key;
    new->key[!side] = keys->only;
    struct sf_key_node **place = &keys->root;
    while (*place &&
           ((*place)->byte < new->byte || ((*place)->byte == new->byte && (*place)->mask > new->mask))) {
        int way = side_of(*place, *key);
        new->key[!side] = (*place)->key[way];
        place = &(*place)->node[way];
        keys->steps++;
    }
    new->node[!side] = *place;
    *place = new;
    return true;
}
