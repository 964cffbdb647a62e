/* Values as people and programs read them. */
#ifndef TOOLS_CRAWLTAB_FRAME_SHOW_H
#define TOOLS_CRAWLTAB_FRAME_SHOW_H

#include "ledger/pg/pg.h"

#include <jansson.h>
#include <stdio.h>

/* Prints text that came from outside: no control character reaches the terminal. */
void show_text(FILE *out, const char *text);

/* Prints it in `width` columns at least; on a terminal cut with "..." if it is longer. */
void show_column(FILE *out, const char *text, int width);

#define SHOW_MONEY_MAX 48

/* "0.0025 USD" and "12.34 USD". Returns `out`. */
const char *show_micros(int64_t micros, const char *currency, char out[SHOW_MONEY_MAX]);
const char *show_minor(int64_t minor, int64_t decimals, const char *currency, char out[SHOW_MONEY_MAX]);

#define SHOW_INSTANT_MAX 32

/* "2026-11-19T00:00:00Z", with milliseconds only where there are any. Returns `out`. */
const char *show_instant(int64_t ms, char out[SHOW_INSTANT_MAX]);

/* A bytea of a row in base64 or base64url; the caller frees. NULL without memory. */
char *show_base64(struct pg_hex bytes);
char *show_base64url(struct pg_hex bytes);

/* A bytea as it is, with a NUL behind it; the caller frees. NULL without memory. */
char *show_raw(struct pg_hex bytes, size_t *len);

/* A bytea that is text, as JSON: a string, or {"base64": ...} if it is not UTF-8. */
json_t *show_json_bytes(struct pg_hex bytes);

/* JSON null for NULL. */
json_t *show_json_text(const char *text);

/* Writes the value and a line feed, and drops the reference. False without memory or when writing fails. */
bool show_json(json_t *value, size_t flags);

#endif
