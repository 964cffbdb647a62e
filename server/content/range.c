/* A range is charged like the whole page, so that any doubt is answered with the whole: what was paid for
 * is then there. Numbers may have any length and are compared as digits first. */
#include "server/content/range.h"

#include "ledger/base/http/message.h"

#include <assert.h>

/* One range as it stands: digits, of which either may be missing. */
struct spec {
    struct slice first;
    struct slice last;
};

static struct slice take_digits(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && text->data[len] >= '0' && text->data[len] <= '9')
        len++;
    struct slice digits = {text->data, len};
    *text = (struct slice){text->data + len, text->len - len};
    assert(slice_within(digits, (struct slice){digits.data, digits.len + text->len}));
    return digits;
}

static struct slice without_zeros(struct slice digits)
{
    while (digits.len > 0 && digits.data[0] == '0')
        digits = (struct slice){digits.data + 1, digits.len - 1};
    return digits;
}

/* Numbers of any length are compared by their digits. */
static bool is_less(struct slice a, struct slice b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    return a.len != b.len ? a.len < b.len : memcmp(a.data, b.data, a.len) < 0;
}

/* The number, or the largest there is: no page has so many bytes. */
static uint64_t number(struct slice digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint64_t digit = (uint64_t)(digits.data[i] - '0');
        assert(digit <= 9);
        if (value > (UINT64_MAX - digit) / 10)
            return UINT64_MAX;
        value = value * 10 + digit;
    }
    return value;
}

/* False for what is no range, or ends before it begins (section 14.1.1). */
static bool read_spec(struct slice text, struct spec *spec)
{
    const struct slice whole = text;
    spec->first = take_digits(&text);
    if (!slice_starts(text, SLICE("-")))
        return false;
    text = (struct slice){text.data + 1, text.len - 1};
    spec->last = take_digits(&text);
    if (text.len > 0 || (spec->first.len == 0 && spec->last.len == 0))
        return false;
    assert(slice_within(spec->first, whole) && slice_within(spec->last, whole));
    return spec->first.len == 0 || spec->last.len == 0 || !is_less(spec->last, spec->first);
}

/* Where the range lies in the page. False where it does not (section 14.1.2). */
static bool place(const struct spec *spec, uint64_t size, uint64_t *offset, uint64_t *length)
{
    if (spec->first.len == 0) {
        uint64_t suffix = number(spec->last);
        *length = suffix < size ? suffix : size;
        *offset = size - *length;
        return suffix > 0;
    }
    uint64_t last = spec->last.len > 0 ? number(spec->last) : UINT64_MAX;
    /* "first-" is to the end; read_spec has made sure that last is not before first. */
    *offset = number(spec->first);
    if (*offset >= size)
        return false;
    *length = (last < size ? last + 1 : size) - *offset;
    assert(*length > 0 && *length <= size - *offset);
    return true;
}

enum range range_judge(struct slice value, uint64_t size, uint64_t *offset, uint64_t *length)
{
    value = slice_trim(value);
    size_t equals = slice_find(value, '=');
    size_t count = 0; /* ranges, of which so many can be given; the last of these is */
    size_t given = 0;
    uint64_t given_offset = 0;
    uint64_t given_length = 0;
    if (equals == value.len || !slice_eq_nocase((struct slice){value.data, equals}, SLICE("bytes")))
        return RANGE_WHOLE;
    struct slice rest = {value.data + equals + 1, value.len - equals - 1};
    struct slice text;
    while (message_list_next(&rest, &text)) {
        struct spec spec;
        uint64_t spec_offset;
        uint64_t spec_length;
        if (text.len == 0)
            continue; /* section 5.6.1.2 */
        if (!read_spec(text, &spec))
            return RANGE_WHOLE;
        count++;
        if (!place(&spec, size, &spec_offset, &spec_length))
            continue;
        given++;
        given_offset = spec_offset;
        given_length = spec_length;
    }
    if (count > 0 && given == 0)
        return RANGE_OUTSIDE;
    /* The end of an empty page is there, but Content-Range could not say where. */
    if (given != 1 || given_length == 0)
        return RANGE_WHOLE;
    *offset = given_offset;
    *length = given_length;
    assert(*offset < size && *length <= size - *offset && given <= count);
    return RANGE_PART;
}
