/* The characters of what stands between the quotes of a JSON string that has been read, one UTF-16 unit after
 * the other, as RFC 8785 compares them. Pure. */
#ifndef SERVER_MCP_UNITS_H
#define SERVER_MCP_UNITS_H

#include "ledger/base/slice.h"

struct units {
    const char *at, *end;
    uint32_t low; /* the second half of a pair that is due; 0: none */
};

/* The four digits behind "\u"; -1: there are none. Also of a text that is being read. */
int32_t units_hex(const char *at, const char *end);

/* The next unit; -1 at the end. */
int32_t units_next(struct units *units);

/* The next character, of one unit or two; not at the end. */
uint32_t units_point(struct units *units);

/* A character in UTF-8, of at most four bytes; how many. */
size_t units_write(uint32_t point, char *out);

/* Below, above or equal: the order of members in canonical form. */
int units_compare(struct slice a, struct slice b);

#endif
