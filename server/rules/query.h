/* What a rule says about a request's query. There is no one way to read a query: programs differ in which of
 * two values of a name counts, in what parts them, and in more. So a query has several readings, PHP's first,
 * and whoever judges by it judges each of them, and keeps the dearest. Pure. */
#ifndef SERVER_RULES_QUERY_H
#define SERVER_RULES_QUERY_H

#include "ledger/base/slice.h"

#include <stdbool.h>

/* Readings are the numbers below QUERY_READINGS; each bit is a way in which it is not PHP's. */
enum query_reading {
    QUERY_FIRST = 1,      /* of several values of a name the first counts, not the last */
    QUERY_SEMICOLONS = 2, /* semicolons part them too */
    QUERY_ANY_CASE = 4,   /* names are compared without case */
    QUERY_NUMBERS = 8,    /* values that begin with a number are that number: 01 is 1 */
    QUERY_READINGS = 16
};

/* True if each part of the pattern is in the query. The pattern is "name=glob" or "name", for any value, or
 * several of them with & between; not encoded. `query` is as in the target, without its question mark. */
bool query_fits(struct slice query, struct slice pattern, unsigned reading);

/* True if the pattern looks at a name that the other one does not look at. */
bool query_has_other(struct slice pattern, struct slice other);

/* The value of the name by this reading, in `room`, cut off at its end. False: there is none. */
bool query_value(struct slice query, struct slice name, unsigned reading, char *room, size_t size,
                 struct slice *value);

#endif
