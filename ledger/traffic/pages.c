#include "ledger/traffic/pages.h"

#include <assert.h>

_Static_assert(PAGES_BYTES * 8 == 3072, "the ledger's column is bit(3072), and distinct_pages reads it so");

/* FNV-1a, and the finish of MurmurHash3, since the bits of FNV alone are not even enough. Whoever crawls
 * could make up names that fall into one register: then fewer pages are counted than he has asked for. */
static uint64_t hash_of(struct slice name)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * 0x100000001b3;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

/* A register is chosen by chance, and in it a bit: the first of half of the pages, the second of a quarter.
 */
void pages_add(struct pages *pages, struct slice name)
{
    uint64_t hash = hash_of(name);
    unsigned rank = 0;
    for (uint64_t rest = hash / PAGES_REGISTERS; rank < PAGES_RANKS - 1 && !(rest & 1); rest >>= 1)
        rank++;
    size_t bit = (size_t)(hash % PAGES_REGISTERS) * PAGES_RANKS + rank;
    assert(bit < 8 * sizeof(pages->bits));
    pages->bits[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

void pages_join(struct pages *pages, const struct pages *other)
{
    for (size_t i = 0; i < PAGES_BYTES; i++)
        pages->bits[i] |= other->bits[i];
}
