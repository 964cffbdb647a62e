/* The set is cut into its members and entries here, and only then is each of them parsed: jansson refuses a
 * whole text for one number that is too large or one text that is not UTF-8. */
#include "ledger/verify/jwk_set.h"

#include <assert.h>

struct cursor {
    const char *at;
    const char *end;
};

static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static void skip_space(struct cursor *c)
{
    assert(c->at <= c->end);
    while (c->at < c->end && memchr(" \t\r\n", *c->at, 4))
        c->at++;
}

/* The byte, with white space around it. */
static bool take(struct cursor *c, char byte)
{
    skip_space(c);
    if (peek(c) != byte)
        return false;
    c->at++;
    skip_space(c);
    return true;
}

/* A string with its quotes. */
static bool take_string(struct cursor *c, struct slice *string)
{
    const char *start = c->at;
    if (peek(c) != '"')
        return false;
    for (c->at++; c->at < c->end && *c->at != '"'; c->at++)
        if (*c->at == '\\')
            c->at++;
    if (c->at >= c->end)
        return false;
    c->at++;
    *string = slice_bytes(start, (size_t)(c->at - start));
    assert(string->len >= 2);
    return true;
}

/* From bracket to bracket, whatever kinds they are: that is seen when the value is parsed. */
static bool take_bracketed(struct cursor *c)
{
    assert(peek(c) == '{' || peek(c) == '[');
    struct slice string;
    size_t depth = 0;
    do {
        char byte = peek(c);
        if (byte == '"') {
            if (!take_string(c, &string))
                return false;
            continue;
        }
        if (c->at >= c->end)
            return false;
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        c->at++;
    } while (depth > 0);
    return true;
}

/* Any value, of which only the extent is looked at. */
static bool take_value(struct cursor *c, struct slice *value)
{
    const char *start = c->at;
    char first = peek(c);
    if (first == '"')
        return take_string(c, value);
    if (first == '{' || first == '[') {
        if (!take_bracketed(c))
            return false;
    } else {
        while (c->at < c->end && !memchr(",]} \t\r\n", *c->at, 7))
            c->at++;
    }
    *value = slice_bytes(start, (size_t)(c->at - start));
    return value->len > 0;
}

/* A whole number that is too large for jansson is read as a real one: in a member that is not understood it
 * does no harm. */
static json_t *parse(struct slice value, json_error_t *error)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *json = json_loadb(value.data, value.len, flags, error);
    if (json || json_error_code(error) != json_error_numeric_overflow)
        return json;
    return json_loadb(value.data, value.len, flags | JSON_DECODE_INT_AS_REAL, error);
}

static bool is_named(struct slice string, const char *name)
{
    assert(string.len >= 2 && string.data[0] == '"');
    if (slice_find(string, '\\') == string.len)
        return slice_eq((struct slice){string.data + 1, string.len - 2}, slice_of(name));
    json_error_t error;
    json_t *text = parse(string, &error);
    bool named = json_is_string(text) &&
                 slice_eq(slice_bytes(json_string_value(text), json_string_length(text)), slice_of(name));
    json_decref(text);
    return named;
}

/* What jansson says, without its words for who calls it. */
static void tell_no_json(const json_error_t *error, char why[JWK_WHY_MAX])
{
    enum json_error_code code = json_error_code(error);
    const char *what = code == json_error_numeric_overflow   ? "a number in it is too large"
                       : code == json_error_duplicate_key    ? "a member of it stands twice"
                       : code == json_error_invalid_utf8     ? "a text in it is not UTF-8"
                       : code == json_error_null_byte_in_key ? "a member's name has a NUL"
                                                             : "it is no JSON";
    snprintf(why, JWK_WHY_MAX, "%s, at byte %d of it", what, error->position);
}

static void read_entry(struct slice value, struct jwk_set_entry *entry)
{
    json_error_t error = {.position = 0};
    size_t len;
    json_t *object = parse(value, &error);
    *entry = (struct jwk_set_entry){.verdict = JWK_NO_KEY};
    if (object)
        entry->verdict = jwk_read(object, &entry->jwk, entry->why);
    else
        tell_no_json(&error, entry->why);
    assert((entry->verdict == JWK_MAY_SIGN) == (entry->why[0] == '\0'));
    const char *kid = json_string_value(json_object_get(object, "kid"));
    entry->named =
        kid && encoding_unbase64url(slice_of(kid), entry->kid, DIGEST_SIZE, &len) && len == DIGEST_SIZE;
    json_decref(object);
}

static const char *read_entries(struct slice array, struct jwk_set *set)
{
    struct cursor c = {array.data, array.data + array.len};
    struct slice value;
    if (!take(&c, '['))
        return "its member keys is no array";
    for (bool more = peek(&c) != ']'; more; more = take(&c, ',')) {
        if (!take_value(&c, &value))
            return "it is no JSON: its member keys does not parse";
        if (set->count == JWK_SET_MAX)
            return "it has more than 64 keys";
        read_entry(value, &set->entries[set->count++]);
    }
    return take(&c, ']') && c.at == c.end ? NULL : "it is no JSON: its member keys does not parse";
}

/* The private half is out, wherever the key stands without it. */
static void spread_compromise(struct jwk_set *set)
{
    assert(set->count <= JWK_SET_MAX);
    for (size_t i = 0; i < set->count; i++) {
        const struct jwk_set_entry *bad = &set->entries[i];
        for (size_t k = 0; bad->verdict == JWK_COMPROMISED && k < set->count; k++) {
            struct jwk_set_entry *entry = &set->entries[k];
            if (entry->verdict == JWK_NO_KEY || entry->verdict == JWK_COMPROMISED ||
                memcmp(entry->jwk.thumbprint, bad->jwk.thumbprint, DIGEST_SIZE) != 0)
                continue;
            entry->verdict = JWK_COMPROMISED;
            memcpy(entry->why, bad->why, sizeof(entry->why));
        }
    }
}

/* The set's members: `keys`, and whether it looks like a bare key. */
static const char *read_members(struct slice json, struct slice *keys, bool *bare)
{
    assert(!keys->data);
    static const char no_json[] = "it is no JSON object";
    struct cursor c = {json.data, json.data + json.len};
    struct slice name, value;
    if (!take(&c, '{'))
        return no_json;
    for (bool more = peek(&c) != '}'; more; more = take(&c, ',')) {
        if (!take_string(&c, &name) || !take(&c, ':') || !take_value(&c, &value))
            return no_json;
        *bare = *bare || is_named(name, "kty");
        if (!is_named(name, "keys"))
            continue;
        if (keys->data)
            return "its member keys stands twice";
        *keys = value;
    }
    return take(&c, '}') && c.at == c.end ? NULL : no_json;
}

const char *jwk_set_parse(struct slice json, struct jwk_set *set)
{
    static const struct slice bom = SLICE("\xef\xbb\xbf"); /* RFC 8259 section 8.1 lets it be ignored */
    struct slice keys = {NULL, 0};
    bool bare = false;
    if (slice_starts(json, bom))
        json = (struct slice){json.data + bom.len, json.len - bom.len};
    set->count = 0;
    const char *why = read_members(json, &keys, &bare);
    if (!why && keys.data)
        why = read_entries(keys, set);
    else if (!why && bare)
        read_entry(json, &set->entries[set->count++]);
    else if (!why)
        why = "it has no member keys";
    if (why)
        set->count = 0;
    spread_compromise(set);
    assert(set->count <= JWK_SET_MAX && (!why || set->count == 0));
    return why;
}
