/* Read as the sites behind the gate do, most of which are PHP's: a rule that sees another query than the site
 * would let through what it charges for. Where readers differ, the gate judges each way, and the dearest
 * holds. Nothing is allocated, as whoever asks chooses how long a query is. */
#include "server/rules/query.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/glob.h"

#include <assert.h>

#define NAME_MAX_BYTES  128
#define VALUE_MAX_BYTES 2048

/* Takes what is before the next one of the separators off the text, and the separator too. */
static struct slice take(struct slice *text, char separator, char other)
{
    assert(text->data || text->len == 0);
    size_t len = 0;
    while (len < text->len && text->data[len] != separator && text->data[len] != other)
        len++;
    struct slice part = {text->data, len};
    size_t gone = len < text->len ? len + 1 : len;
    *text = (struct slice){text->data + gone, text->len - gone};
    return part;
}

/* Percent-decoded as PHP does it: a plus is a space, and an escape that is none stays as it is. */
static struct slice decode(struct slice text, char *room, size_t size)
{
    size_t len = 0;
    /* What does not fit is cut off: a name that long is in no rule, and no value either. */
    for (size_t i = 0; i < text.len && len < size; i++) {
        uint8_t byte = (uint8_t)(text.data[i] == '+' ? ' ' : text.data[i]);
        if (byte == '%' && text.len - i > 2 && encoding_unhex(slice_bytes(text.data + i + 1, 2), &byte, 1))
            i += 2;
        room[len++] = (char)byte;
        assert(len <= size);
    }
    return (struct slice){room, len};
}

/* As the name of a PHP variable: without spaces before it, up to a NUL or a bracket (an array's), and with
 * underscores for what such a name cannot have. */
static struct slice variable(struct slice name, char *room)
{
    assert(name.data == room || name.len == 0);
    while (name.len > 0 && name.data[0] == ' ') {
        name.data++, name.len--;
        room++;
    }
    /* In place, since it only gets shorter. */
    size_t len = 0;
    while (len < name.len && name.data[len] != '\0' && (name.data[len] != '[' || len == 0)) {
        if (name.data[len] == ' ' || name.data[len] == '.' || name.data[len] == '[')
            room[len] = '_';
        len++;
    }
    return (struct slice){name.data, len};
}

/* As intval() and absint() read it; what does not begin with digits stays as it is. */
static struct slice number(struct slice value)
{
    size_t at = 0;
    while (at < value.len && (value.data[at] == ' ' || (value.data[at] >= '\t' && value.data[at] <= '\r')))
        at++;
    if (at < value.len && (value.data[at] == '+' || value.data[at] == '-'))
        at++;
    size_t end = at;
    while (end < value.len && value.data[end] >= '0' && value.data[end] <= '9')
        end++;
    assert(at <= end && end <= value.len);
    if (end == at)
        return value;
    while (at + 1 < end && value.data[at] == '0')
        at++;
    return (struct slice){value.data + at, end - at};
}

bool query_value(struct slice query, struct slice name, unsigned reading, char *room, size_t size,
                 struct slice *value)
{
    char name_room[NAME_MAX_BYTES];
    struct slice found = {NULL, 0};
    /* PHP takes the last of a name that stands several times, others the first. */
    while (query.len > 0 && !(found.data && reading & QUERY_FIRST)) {
        struct slice rest = take(&query, '&', reading & QUERY_SEMICOLONS ? ';' : '&');
        struct slice called =
            variable(decode(take(&rest, '=', '='), name_room, sizeof(name_room)), name_room);
        if (reading & QUERY_ANY_CASE ? slice_eq_nocase(called, name) : slice_eq(called, name))
            found = rest.data ? rest : SLICE("");
    }
    if (!found.data)
        return false;
    *value = decode(found, room, size);
    if (reading & QUERY_NUMBERS)
        *value = number(*value);
    return true;
}

static bool has_name(struct slice pattern, struct slice name)
{
    while (pattern.len > 0) {
        struct slice part = take(&pattern, '&', '&');
        if (slice_eq(take(&part, '=', '='), name))
            return true;
    }
    return false;
}

bool query_has_other(struct slice pattern, struct slice other)
{
    while (pattern.len > 0) {
        struct slice part = take(&pattern, '&', '&');
        if (!has_name(other, take(&part, '=', '=')))
            return true;
    }
    return false;
}

bool query_fits(struct slice query, struct slice pattern, unsigned reading)
{
    char room[VALUE_MAX_BYTES];
    while (pattern.len > 0) {
        struct slice glob = take(&pattern, '&', '&');
        bool any = slice_find(glob, '=') == glob.len;
        struct slice name = take(&glob, '=', '='), value;
        if (!query_value(query, name, reading, room, sizeof(room), &value))
            return false;
        if (!any && !glob_matches(glob, value))
            return false;
    }
    return true;
}
