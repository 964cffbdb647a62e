/* Judged before anything is charged: a crawler that has the page already is told so for nothing. Dates
 * count only where there is no tag (RFC 9110 section 13.2.2), as a page may change twice in a second. */
#include "server/content/precondition.h"

#include "ledger/base/instant.h"

#include <assert.h>

/* The value of a field that may stand once. data is NULL where it is absent, or stands several times: then it
 * is no date, and section 13.1 wants what is none ignored. */
static struct slice only_value(const struct message *message, struct slice name)
{
    const struct message_field *field = message_field(message, name);
    if (!field || message_field_next(message, field))
        return (struct slice){NULL, 0};
    return slice_trim(field->value);
}

/* The date that the field gives. False where it gives none. */
static bool date_of(const struct message *message, const char *name, const struct precondition_page *page,
                    int64_t *date)
{
    struct slice value = only_value(message, slice_of(name));
    return value.data && instant_parse_http(value, page->now, date);
}

/* Section 8.8.3: what may stand between the quotes. */
static bool in_tag(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/* True if the list's member is the tag. A weak one is only where `weak` allows it. */
static bool member_is(struct slice member, struct slice tag, bool weak)
{
    if (weak && slice_starts(member, SLICE("W/")))
        member = (struct slice){member.data + 2, member.len - 2};
    return slice_eq(member, tag);
}

/* The length of the list's first member, to its comma or to the end: one inside quotes does not end it. */
static size_t member_len(struct slice list)
{
    bool quoted = false;
    size_t len = 0;
    for (; len < list.len && (quoted || list.data[len] != ','); len++) {
        if (list.data[len] == '"')
            quoted = !quoted;
        else if (quoted && !in_tag(list.data[len]))
            quoted = false; /* no tag: go on with the next member */
    }
    assert(len <= list.len);
    return len;
}

static bool line_lists(struct slice line, struct slice tag, bool weak)
{
    while (line.len > 0) {
        size_t len = member_len(line);
        if (member_is(slice_trim((struct slice){line.data, len}), tag, weak))
            return true;
        size_t used = len < line.len ? len + 1 : len;
        assert(used > 0 && used <= line.len);
        line = (struct slice){line.data + used, line.len - used};
    }
    return false;
}

/* Whether the field, over all its lines, lists the page's tag, or is a star, which stands alone. */
static bool lists(const struct message *message, const struct message_field *field,
                  const struct precondition_page *page, bool weak)
{
    assert(page->etag.len > 2 && page->etag.data[0] == '"');
    struct slice only = only_value(message, field->name);
    if (only.data && slice_eq(only, SLICE("*")))
        return true;
    for (; field; field = message_field_next(message, field))
        if (line_lists(field->value, page->etag, weak))
            return true;
    return false;
}

enum precondition precondition_judge(const struct message *message, const struct precondition_page *page)
{
    assert(page->modified <= page->now);
    const struct message_field *match = message_field(message, SLICE("if-match"));
    const struct message_field *none_match = message_field(message, SLICE("if-none-match"));
    int64_t date;
    if (match) {
        if (!lists(message, match, page, false))
            return PRECONDITION_FAILED;
    } else if (date_of(message, "if-unmodified-since", page, &date) && page->modified > date) {
        return PRECONDITION_FAILED;
    }
    if (none_match)
        return lists(message, none_match, page, true) ? PRECONDITION_NOT_MODIFIED : PRECONDITION_MET;
    if (date_of(message, "if-modified-since", page, &date) && page->modified <= date)
        return PRECONDITION_NOT_MODIFIED;
    return PRECONDITION_MET;
}

bool precondition_range_counts(const struct message *message, const struct precondition_page *page)
{
    int64_t date;
    assert(page->etag.len > 2 && page->etag.data[0] == '"'); /* strong: a weak one would never be equal */
    if (!message_field(message, SLICE("if-range")))
        return true;
    struct slice value = only_value(message, SLICE("if-range"));
    if (value.data && slice_eq(value, page->etag))
        return true;
    /* A date is a strong validator only once its second is over: until then the page may change again without
     * a change of the date (section 8.8.2.2). */
    return date_of(message, "if-range", page, &date) && date == page->modified && date < page->now;
}
