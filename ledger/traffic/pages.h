/* How many different pages there were, in 384 bytes whatever their number: a sketch after Flajolet and Martin
 * ("Probabilistic counting", 1985). Two sketches are joined by OR, so that the database joins any number of
 * them with bit_or(); its function distinct_pages says how many they stand for, give or take 7 %. Pure. */
#ifndef LEDGER_TRAFFIC_PAGES_H
#define LEDGER_TRAFFIC_PAGES_H

#include "ledger/base/slice.h"

#include <stdint.h>

#define PAGES_REGISTERS 128
#define PAGES_RANKS     24 /* up to 128 * 2^23 pages */
#define PAGES_BYTES     (PAGES_REGISTERS * PAGES_RANKS / 8)

/* Starts as {0}: none. The first bit is the highest one of the first byte, as in PostgreSQL's bit(3072). */
struct pages {
    uint8_t bits[PAGES_BYTES];
};

/* One more page; nothing changes if it was there. The same name gives the same bit at every gate, for ever:
 * sketches of years are joined. */
void pages_add(struct pages *pages, struct slice name);

/* Adds what is in the other one. */
void pages_join(struct pages *pages, const struct pages *other);

/* About how many there are, give or take 7 %. */
int64_t pages_count(const struct pages *pages);

#endif
