/* A slice: bytes that somebody else owns, with their length. Not NUL-terminated unless said so. */
#ifndef LEDGER_BASE_SLICE_H
#define LEDGER_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data;
    size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline struct slice slice_bytes(const void *data, size_t len)
{
    return (struct slice){(const char *)data, len};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Equal when ASCII letters are compared without case. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* True if `text` starts with `prefix`. */
bool slice_starts(struct slice text, struct slice prefix);
/* True if the part lies inside the whole, as what a parser returns of its input does. An empty one lies
 * anywhere. */
static inline bool slice_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.data >= whole.data && part.len <= whole.len &&
                             (size_t)(part.data - whole.data) <= whole.len - part.len);
}

/* Position of `byte` in `text`, or text.len. */
size_t slice_find(struct slice text, char byte);

/* True if `needle` stands anywhere in `text`, ASCII letters compared without case. An empty needle is found.
 */
bool slice_contains_nocase(struct slice text, struct slice needle);

/* For hash tables (FNV-1a). slice_hash_on goes on from the hash of what stands before. */
uint64_t slice_hash(struct slice text);
uint64_t slice_hash_on(uint64_t hash, struct slice text);

/* The text without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3). */
struct slice slice_trim(struct slice text);

/* ASCII lower case of one byte; other bytes as they are. */
static inline char slice_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
