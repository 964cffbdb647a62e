/* Strict: a parameter that is not understood is refused and not passed over, since an account that was
 * narrowed by a misspelt date would look whole. */
#include "ledger/account/inquiry.h"

#include "ledger/base/instant.h"
#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <string.h>

enum parameter { FROM = 1, TO = 2, AFTER = 4, LIMIT = 8 };

static const struct part {
    struct slice path; /* below INQUIRY_PATH */
    enum inquiry_topic topic;
    unsigned parameters;
} parts[] = {
    {SLICE(""), INQUIRY_SUMMARY, 0},
    {SLICE("/entries"), INQUIRY_ENTRIES, FROM | TO | AFTER | LIMIT},
};

bool inquiry_asked(const struct message *message)
{
    struct slice path = message_path(message);
    size_t len = INQUIRY_PATH.len;
    return slice_starts(path, INQUIRY_PATH) && (path.len == len || path.data[len] == '/');
}

static const struct part *part_of(struct slice below)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (slice_eq(below, parts[i].path))
            return &parts[i];
    return NULL;
}

static bool read_limit(struct slice value, int64_t *limit)
{
    int64_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || number > INQUIRY_LIMIT_MAX)
            return false;
        number = 10 * number + (value.data[i] - '0');
    }
    *limit = number;
    return number >= 1 && number <= INQUIRY_LIMIT_MAX;
}

static bool read_date(struct arena *arena, struct slice value, const char **date)
{
    *date = instant_is_date(value) ? arena_copy(arena, value) : NULL;
    return *date;
}

static bool read_parameter(struct arena *arena, struct slice name, struct slice value, unsigned *seen,
                           struct inquiry *inquiry)
{
    static const struct {
        struct slice name;
        enum parameter parameter;
    } known[] = {{SLICE("from"), FROM}, {SLICE("to"), TO}, {SLICE("after"), AFTER}, {SLICE("limit"), LIMIT}};
    unsigned which = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_eq(name, known[i].name))
            which = known[i].parameter;
    bool new = which != 0 && (*seen & which) == 0;
    *seen |= which;
    switch (new ? which : 0) {
    case FROM:
        return read_date(arena, value, &inquiry->from);
    case TO:
        return read_date(arena, value, &inquiry->to);
    case AFTER:
        inquiry->has_after = uuid_parse(value, inquiry->after);
        return inquiry->has_after;
    case LIMIT:
        return read_limit(value, &inquiry->limit);
    default:
        return false;
    }
}

/* `query` is without its '?'. Dates, numbers and ids need no escapes, so none are known. */
static bool read_query(struct arena *arena, struct slice query, unsigned allowed, struct inquiry *inquiry)
{
    unsigned seen = 0;
    while (query.len > 0) {
        size_t end = slice_find(query, '&');
        struct slice pair = {query.data, end};
        query = end < query.len ? (struct slice){query.data + end + 1, query.len - end - 1} : SLICE("");
        size_t equals = slice_find(pair, '=');
        if (equals == pair.len)
            return false;
        struct slice value = {pair.data + equals + 1, pair.len - equals - 1};
        if (!read_parameter(arena, (struct slice){pair.data, equals}, value, &seen, inquiry))
            return false;
    }
    return (seen & ~allowed) == 0 &&
           (!inquiry->from || !inquiry->to || strcmp(inquiry->from, inquiry->to) <= 0);
}

enum err inquiry_read(struct arena *arena, const struct message *message, struct inquiry *inquiry)
{
    assert(inquiry_asked(message));
    struct slice path = message_path(message), query = message_query(message);
    const struct part *part =
        part_of((struct slice){path.data + INQUIRY_PATH.len, path.len - INQUIRY_PATH.len});
    *inquiry = (struct inquiry){.limit = INQUIRY_LIMIT};
    if (!part)
        return ERR_ACCOUNT_PATH_UNKNOWN;
    if (!slice_eq(message->method, SLICE("GET")))
        return ERR_METHOD_NOT_ALLOWED;
    inquiry->topic = part->topic;
    if (query.len > 0)
        query = (struct slice){query.data + 1, query.len - 1};
    return read_query(arena, query, part->parameters, inquiry) ? ERR_OK : ERR_MALFORMED_QUERY;
}
