/* What documents are rendered into: pure functions from JSON to the bytes of a file, one format a file. No
 * I/O, no clock: the same document gives the same bytes. */
#ifndef LEDGER_FORMAT_FORMAT_H
#define LEDGER_FORMAT_FORMAT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FORMAT_ERROR_MAX 240

/* Spaces in numbers: as wide as a digit, and as a point. */
#define FORMAT_PAD       "\xe2\x80\x87"
#define FORMAT_POINT_PAD "\xe2\x80\x88"

/* Start with {0}. `bytes` is the caller's to free. */
struct format_output {
    char *bytes;
    size_t len;
    char error[FORMAT_ERROR_MAX]; /* why there are no bytes: what, which invoice or field, what to do */
};

/* Sets the error and returns false, so that a renderer can return it. */
bool format_fail(struct format_output *out, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

/* printf into memory of its own, which the caller frees. NULL without memory. */
char *format_printed(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
char *format_vprinted(const char *pattern, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Ends the stream that open_memstream has opened on the output's bytes and len; false, and no bytes, if
 * anything could not be written. */
bool format_close(FILE *file, struct format_output *out);

/* A member by path, "seller.address.city". "" and 0 when it is not there or of another type. */
const char *format_text(const json_t *value, const char *path);
int64_t format_number(const json_t *value, const char *path);
const json_t *format_member(const json_t *value, const char *path);

#endif
