/* Instants: milliseconds since 1970-01-01 UTC, and their text. Time zones are PostgreSQL's business. */
#ifndef LEDGER_BASE_INSTANT_H
#define LEDGER_BASE_INSTANT_H

#include "ledger/base/slice.h"

#include <stdint.h>

#define INSTANT_TEXT_MAX 32
#define INSTANT_DAY_MS   ((int64_t)86400000)

/* "2026-11-20T11:07:16.123Z" in `out`, which is returned. */
const char *instant_format(int64_t ms, char out[INSTANT_TEXT_MAX]);

/* "Fri, 20 Nov 2026 11:07:16 GMT" (RFC 9110 section 5.6.7) in `out`, which is returned. */
const char *instant_format_http(int64_t ms, char out[INSTANT_TEXT_MAX]);

/* Reads an HTTP date in any of its three forms (RFC 9110 section 5.6.7), in seconds since 1970. The year of
 * two digits in the oldest form is the one that is at most fifty years ahead of `now` (seconds). False for
 * anything else, also for a day that the calendar does not have. */
bool instant_parse_http(struct slice text, int64_t now, int64_t *seconds);

/* True if the text is a real calendar date "YYYY-MM-DD". */
bool instant_is_date(struct slice text);

/* The beginning of such a date in UTC, in milliseconds. */
int64_t instant_of_date(const char *date);

#endif
