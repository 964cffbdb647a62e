/* One parameter of a query (RFC 9421 section 2.2.8): read as application/x-www-form-urlencoded, written anew
 * with everything escaped that such a form escapes, a space as %20. Pure. */
#ifndef LEDGER_VERIFY_QUERY_PARAM_H
#define LEDGER_VERIFY_QUERY_PARAM_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"

/* The value of the parameter whose name, written anew, is `name`; `query` is without its '?'.
 * ERR_MALFORMED_SIGNATURE with *why, static, when there is none, more than one, or anything in the query is
 * not UTF-8, since then readers differ about what it says. ERR_REQUEST_TOO_LARGE when the arena is full. */
enum err query_param_value(struct arena *arena, struct slice query, struct slice name, struct slice *value,
                           const char **why) MUST_USE;

#endif
