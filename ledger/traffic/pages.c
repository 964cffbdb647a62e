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

/* round(-128 * ln(1 - n / 128)): so many pages there are likely to be where n registers of 128 are not empty.
 */
static const uint8_t few[] = {0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  12,  13,  14,  15,
                              16,  17,  18,  19,  21,  22,  23,  24,  25,  27,  28,  29,  30,  32,  33,
                              34,  35,  37,  38,  40,  41,  42,  44,  45,  47,  48,  49,  51,  52,  54,
                              55,  57,  59,  60,  62,  63,  65,  67,  68,  70,  72,  74,  75,  77,  79,
                              81,  83,  85,  87,  89,  91,  93,  95,  97,  99,  101, 104, 106, 108, 110,
                              113, 115, 118, 120, 123, 126, 128, 131, 134, 137, 140, 143, 146, 149, 152};

#define ONE ((int64_t)1 << 30) /* of fixed point numbers */

/* Two to the power of n / 128, as a fixed point number; n is 3072 at most. */
static int64_t power(unsigned n)
{
    /* The roots of two: the second, the fourth, and so on up to the 128th. */
    static const int64_t roots[] = {1518500250, 1276901417, 1170923762, 1121280436,
                                    1097253708, 1085434106, 1079572136};
    int64_t fraction = ONE;
    for (unsigned i = 0; i < 7; i++)
        if (n & (64u >> i))
            fraction = fraction * roots[i] / ONE;
    return fraction << n / 128;
}

/* As the database's distinct_pages does it, but a thousand times as fast: reports have thousands of them. */
int64_t pages_count(const struct pages *pages)
{
    unsigned seen = 0, ranks = 0; /* registers with any bit; ones from each one's start on, of all together */
    for (size_t i = 0; i < PAGES_REGISTERS; i++) {
        const uint8_t *bytes = pages->bits + i * (PAGES_RANKS / 8);
        uint32_t bits = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8;
        seen += bits != 0;
        for (; bits & 0x80000000; bits <<= 1)
            ranks++;
    }
    static_assert(PAGES_REGISTERS == 128 && PAGES_RANKS == 24, "as the numbers here are made for");
    assert(ranks <= PAGES_REGISTERS * PAGES_RANKS);
    if (seen < sizeof(few))
        return few[seen];
    /* 128 / 0.77351 times 2^r - 2^(-1.75 r), where r is the mean of the ranks. */
    int64_t less =
        ranks * 7 / 4 <= 2560 ? (int64_t)((uint64_t)ONE * ONE / (uint64_t)power(ranks * 7 / 4)) : 0;
    int64_t mean = power(ranks) - less;
    return (mean / 1024 * 165480 + ONE * 1000 / 2048) / (ONE / 1024 * 1000);
}
