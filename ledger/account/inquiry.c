/* Strict: a parameter that is not understood is refused and not passed over, since an account that was
 * narrowed by a misspelt date would look whole. */
#include "ledger/account/inquiry.h"

#include "ledger/base/instant.h"
#include "ledger/verify/utf8.h"

#include <assert.h>
#include <string.h>

enum parameter { FROM = 1, TO = 2, AFTER = 4, LIMIT = 8 };
#define PAGE (AFTER | LIMIT)

/* What stands behind `after`. */
enum key { KEY_ID, KEY_NUMBER, KEY_SIZE };

static const struct part {
    struct slice path; /* below INQUIRY_PATH; * is one name */
    enum inquiry_topic topic;
    unsigned parameters;
    enum key key;
} parts[] = {
    {SLICE(""), INQUIRY_SUMMARY, 0, KEY_ID},
    {SLICE("/entries"), INQUIRY_ENTRIES, FROM | TO | PAGE, KEY_ID},
    {SLICE("/statement"), INQUIRY_STATEMENT, FROM | TO, KEY_ID},
    {SLICE("/invoices"), INQUIRY_INVOICES, FROM | TO | PAGE, KEY_NUMBER},
    {SLICE("/invoices/*"), INQUIRY_INVOICE, 0, KEY_ID},
    {SLICE("/invoices/*/entries"), INQUIRY_INVOICE_ENTRIES, PAGE, KEY_ID},
    {SLICE("/proofs/*"), INQUIRY_PROOF, 0, KEY_ID},
    {SLICE("/checkpoints"), INQUIRY_CHECKPOINTS, PAGE, KEY_SIZE},
    {SLICE("/disputes"), INQUIRY_DISPUTES, PAGE, KEY_ID},
    {SLICE("/disputes/*"), INQUIRY_DISPUTE, 0, KEY_ID},
};

/* By POST. */
static const struct part opening = {SLICE("/disputes"), INQUIRY_DISPUTE_OPENING, 0, KEY_ID};

bool inquiry_asked(const struct message *message)
{
    struct slice path = message_path(message);
    size_t len = INQUIRY_PATH.len;
    return slice_starts(path, INQUIRY_PATH) && (path.len == len || path.data[len] == '/');
}

static struct slice behind(struct slice text, size_t len)
{
    assert(len <= text.len);
    return (struct slice){text.data + len, text.len - len};
}

/* *name: what the * of the pattern is. */
static bool fits(struct slice pattern, struct slice below, struct slice *name)
{
    size_t star = slice_find(pattern, '*');
    struct slice before = {pattern.data, star};
    if (star == pattern.len)
        return slice_eq(pattern, below);
    if (!slice_starts(below, before))
        return false;
    struct slice rest = behind(below, star);
    size_t len = slice_find(rest, '/');
    *name = (struct slice){rest.data, len};
    return len > 0 && slice_eq(behind(rest, len), behind(pattern, star + 1));
}

static const struct part *part_of(struct slice below, struct slice *name)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (fits(parts[i].path, below, name))
            return &parts[i];
    return NULL;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = slice_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text as a URL has it: %-escapes are taken back. NULL for what is no text that the ledger could have. */
static const char *decode(struct arena *arena, struct slice text)
{
    char *out = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        int high = i + 2 < text.len ? nibble(text.data[i + 1]) : -1;
        int low = high >= 0 ? nibble(text.data[i + 2]) : -1;
        if (text.data[i] == '%' && low < 0)
            return NULL;
        char c = text.data[i] == '%' ? (char)(high << 4 | low) : text.data[i];
        i += text.data[i] == '%' ? 2 : 0;
        if (c == '\0')
            return NULL;
        out[len++] = c;
    }
    if (!out || !utf8_valid((struct slice){out, len}))
        return NULL;
    out[len] = '\0';
    return out;
}

static bool read_number(struct slice value, int64_t most, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        *number = 10 * *number + (value.data[i] - '0');
        if (*number > most)
            return false;
    }
    return value.len > 0;
}

static bool read_date(struct arena *arena, struct slice value, const char **date)
{
    *date = instant_is_date(value) ? arena_copy(arena, value) : NULL;
    return *date;
}

static bool read_after(struct arena *arena, enum key key, struct slice value, const char **after)
{
    uint8_t uuid[UUID_SIZE];
    char *text = arena_bytes(arena, UUID_TEXT_MAX);
    int64_t size;
    if (key == KEY_NUMBER) {
        *after = decode(arena, value);
        return *after && **after;
    }
    if (key == KEY_SIZE) {
        *after = read_number(value, INT64_MAX / 100, &size) ? arena_copy(arena, value) : NULL;
        return *after;
    }
    if (!text || !uuid_parse(value, uuid))
        return false;
    *after = uuid_format(uuid, text);
    return true;
}

/* What the parameters are read for. */
struct reading_of {
    struct arena *arena;
    const struct part *part;
    struct inquiry *inquiry;
    unsigned seen;
};

static bool read_parameter(struct reading_of *of, struct slice name, struct slice value)
{
    static const struct {
        struct slice name;
        enum parameter parameter;
    } known[] = {{SLICE("from"), FROM}, {SLICE("to"), TO}, {SLICE("after"), AFTER}, {SLICE("limit"), LIMIT}};
    struct inquiry *inquiry = of->inquiry;
    unsigned which = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_eq(name, known[i].name))
            which = known[i].parameter;
    bool fresh = (of->part->parameters & which) != 0 && (of->seen & which) == 0;
    of->seen |= which;
    switch (fresh ? which : 0) {
    case FROM:
        return read_date(of->arena, value, &inquiry->from);
    case TO:
        return read_date(of->arena, value, &inquiry->to);
    case AFTER:
        return read_after(of->arena, of->part->key, value, &inquiry->after);
    case LIMIT:
        return read_number(value, INQUIRY_LIMIT_MAX, &inquiry->limit) && inquiry->limit > 0;
    default:
        return false;
    }
}

/* `query` is without its '?'. Dates, numbers and ids need no escapes. */
static bool read_query(struct reading_of *of, struct slice query)
{
    const struct inquiry *inquiry = of->inquiry;
    while (query.len > 0) {
        size_t end = slice_find(query, '&');
        struct slice pair = {query.data, end};
        query = end < query.len ? behind(query, end + 1) : SLICE("");
        size_t equals = slice_find(pair, '=');
        if (equals == pair.len)
            return false;
        if (!read_parameter(of, (struct slice){pair.data, equals}, behind(pair, equals + 1)))
            return false;
    }
    return !inquiry->from || !inquiry->to || strcmp(inquiry->from, inquiry->to) <= 0;
}

/* "INV-2026-000123.pdf": by its end the format, if it is one; else all of it is the number. */
static bool take_format(struct arena *arena, struct inquiry *inquiry)
{
    const char *dot = strrchr(inquiry->name, '.');
    inquiry->format = rendering_called("json");
    for (const struct rendering *rendering = renderings; dot && rendering->name; rendering++)
        if (strcmp(rendering->extension, dot + 1) == 0) {
            inquiry->format = rendering;
            inquiry->name = arena_copy(arena, slice_bytes(inquiry->name, (size_t)(dot - inquiry->name)));
            break;
        }
    return inquiry->name && *inquiry->name;
}

static enum err read_name(struct arena *arena, struct slice name, struct inquiry *inquiry)
{
    uint8_t uuid[UUID_SIZE];
    char *text = arena_bytes(arena, UUID_TEXT_MAX);
    inquiry->name = decode(arena, name);
    if (!text)
        return ERR_REQUEST_TOO_LARGE;
    if (inquiry->topic == INQUIRY_PROOF || inquiry->topic == INQUIRY_DISPUTE) {
        if (!inquiry->name || !uuid_parse(slice_of(inquiry->name), uuid))
            return inquiry->topic == INQUIRY_PROOF ? ERR_ENTRY_UNKNOWN : ERR_DISPUTE_UNKNOWN;
        inquiry->name = uuid_format(uuid, text);
        return ERR_OK;
    }
    bool good = inquiry->name && (inquiry->topic != INQUIRY_INVOICE || take_format(arena, inquiry));
    return good ? ERR_OK : ERR_INVOICE_UNKNOWN;
}

enum err inquiry_read(struct arena *arena, const struct message *message, struct inquiry *inquiry)
{
    assert(inquiry_asked(message));
    struct slice path = message_path(message), query = message_query(message);
    struct slice name = SLICE("");
    const struct part *part = part_of(behind(path, INQUIRY_PATH.len), &name);
    *inquiry = (struct inquiry){.limit = INQUIRY_LIMIT, .path = arena_copy(arena, path)};
    enum err err = ERR_OK;
    if (!part)
        return ERR_ACCOUNT_PATH_UNKNOWN;
    if (!inquiry->path)
        return ERR_REQUEST_TOO_LARGE;
    if (slice_eq(message->method, SLICE("POST")) && part->topic == INQUIRY_DISPUTES)
        part = &opening;
    else if (!slice_eq(message->method, SLICE("GET")))
        return ERR_METHOD_NOT_ALLOWED;
    inquiry->topic = part->topic;
    struct reading_of of = {.arena = arena, .part = part, .inquiry = inquiry};
    if (!read_query(&of, query.len > 0 ? behind(query, 1) : query))
        return ERR_MALFORMED_QUERY;
    if (name.len > 0)
        err = read_name(arena, name, inquiry);
    return err;
}

static bool is_opening(const struct message *message)
{
    struct slice below = behind(message_path(message), INQUIRY_PATH.len);
    return slice_eq(below, opening.path);
}

size_t inquiry_body_room(const struct message *message)
{
    return is_opening(message) && slice_eq(message->method, SLICE("POST")) ? INQUIRY_BODY_MAX : 0;
}

const char *inquiry_methods(const struct message *message)
{
    return is_opening(message) ? "GET, POST" : "GET";
}
