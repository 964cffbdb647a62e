/* Case is that of ASCII alone, whatever the locale: names of fields, schemes and hosts know no other. */
#include "ledger/base/slice.h"

#include <assert.h>

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    assert(a.len == 0 || (a.data && b.data));
    for (size_t i = 0; i < a.len; i++)
        if (slice_lower(a.data[i]) != slice_lower(b.data[i]))
            return false;
    return true;
}

bool slice_starts(struct slice text, struct slice prefix)
{
    assert(text.data || text.len == 0);
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

size_t slice_find(struct slice text, char byte)
{
    const char *at = text.len > 0 ? memchr(text.data, byte, text.len) : NULL;
    assert(!at || slice_within((struct slice){at, 1}, text));
    return at ? (size_t)(at - text.data) : text.len;
}

bool slice_contains_nocase(struct slice text, struct slice needle)
{
    for (size_t at = 0; at + needle.len <= text.len; at++)
        if (slice_eq_nocase((struct slice){text.data + at, needle.len}, needle))
            return true;
    return false;
}

uint64_t slice_hash_on(uint64_t hash, struct slice text)
{
    assert(text.data || text.len == 0);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211ULL;
    return hash;
}

uint64_t slice_hash(struct slice text)
{
    return slice_hash_on(14695981039346656037ULL, text);
}

struct slice slice_trim(struct slice text)
{
    const struct slice whole = text;
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct slice){text.data + 1, text.len - 1};
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    assert(slice_within(text, whole));
    return text;
}
