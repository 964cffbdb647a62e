/* RFC 9651 section 4.2, in its order: one pass from left to right. */
#include "ledger/verify/sf.h"

#include "ledger/base/text/encoding.h"
#include "ledger/verify/sf_keys.h"
#include "ledger/verify/utf8.h"

#include <assert.h>

struct cursor {
    const char *at;
    const char *end;
    struct arena *arena;
};

static bool done(const struct cursor *c)
{
    return c->at == c->end;
}

static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static bool take(struct cursor *c, char expected)
{
    assert(c->at <= c->end);
    if (done(c) || *c->at != expected)
        return false;
    c->at++;
    return true;
}

static void skip_sp(struct cursor *c)
{
    while (take(c, ' ')) {
    }
}

static void skip_ows(struct cursor *c)
{
    while (take(c, ' ') || take(c, '\t')) {
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
    return is_lower(slice_lower(c));
}

/* Section 4.2.3.3. */
static bool parse_key(struct cursor *c, struct slice *key)
{
    const char *start = c->at;
    if (!is_lower(peek(c)) && peek(c) != '*')
        return false;
    while (!done(c) && (is_lower(*c->at) || is_digit(*c->at) || memchr("_-.*", *c->at, 4)))
        c->at++;
    *key = slice_bytes(start, (size_t)(c->at - start));
    assert(key->len > 0);
    return true;
}

/* Section 4.2.4. A decimal is kept in thousandths. */
static bool parse_number(struct cursor *c, struct sf_bare *value)
{
    bool negative = take(c, '-');
    int64_t number = 0;
    int digits = 0;
    int decimals = -1;
    if (!is_digit(peek(c)))
        return false;
    for (; !done(c); c->at++) {
        if (is_digit(*c->at)) {
            if (++digits > 15 || (decimals >= 0 && ++decimals > 3))
                return false;
            number = number * 10 + (*c->at - '0');
        } else if (*c->at == '.' && decimals < 0) {
            if (digits > 12)
                return false;
            decimals = 0;
        } else {
            break;
        }
    }
    if (decimals == 0)
        return false;
    for (int i = decimals; decimals > 0 && i < 3; i++)
        number *= 10;
    assert(number >= 0 && number <= INT64_C(999999999999999)); /* section 3.3.1: fifteen digits */
    *value = (struct sf_bare){.kind = decimals > 0 ? SF_DECIMAL : SF_INTEGER,
                              .number = negative ? -number : number};
    return true;
}

/* The rest of a string that has escapes, from its start on. */
static bool parse_escaped(struct cursor *c, const char *start, struct sf_bare *value)
{
    assert(*c->at == '\\' && start <= c->at);
    struct text text = text_begin(c->arena);
    text_add(&text, slice_bytes(start, (size_t)(c->at - start)));
    while (!done(c)) {
        char byte = *c->at++;
        if (byte == '"') {
            *value = (struct sf_bare){.kind = SF_STRING, .text = text_end(&text)};
            return value->text.data != NULL;
        }
        if (byte == '\\') {
            if (peek(c) != '"' && peek(c) != '\\')
                return false;
            byte = *c->at++;
        } else if (byte < 0x20 || byte > 0x7e) {
            return false;
        }
        text_char(&text, byte);
    }
    return false;
}

/* Section 4.2.5. A string without escapes stays where it is. */
static bool parse_string(struct cursor *c, struct sf_bare *value)
{
    assert(*c->at == '"');
    const char *start = ++c->at;
    for (; !done(c); c->at++) {
        if (*c->at == '"') {
            *value =
                (struct sf_bare){.kind = SF_STRING, .text = slice_bytes(start, (size_t)(c->at++ - start))};
            return true;
        }
        if (*c->at == '\\')
            return parse_escaped(c, start, value);
        if (*c->at < 0x20 || *c->at > 0x7e)
            return false;
    }
    return false;
}

/* Section 4.2.6. */
static bool parse_token(struct cursor *c, struct sf_bare *value)
{
    const char *start = c->at;
    while (!done(c) && (is_alpha(*c->at) || is_digit(*c->at) || memchr("!#$%&'*+-.^_`|~:/", *c->at, 17)))
        c->at++;
    *value = (struct sf_bare){.kind = SF_TOKEN, .text = slice_bytes(start, (size_t)(c->at - start))};
    assert(value->text.len > 0);
    return true;
}

/* Section 4.2.7. */
static bool parse_bytes(struct cursor *c, struct sf_bare *value)
{
    assert(*c->at == ':');
    const char *start = ++c->at;
    const char *colon = memchr(start, ':', (size_t)(c->end - start));
    if (!colon)
        return false;
    size_t digits = (size_t)(colon - start);
    /* As much as any padding could make of them: what is not used stays in the arena, a few bytes. */
    size_t room = digits / 4 * 3 + 3;
    uint8_t *bytes = (uint8_t *)arena_bytes(c->arena, room);
    size_t len;
    if (!bytes || !encoding_unbase64(slice_bytes(start, digits), true, bytes, room, &len))
        return false;
    *value = (struct sf_bare){.kind = SF_BYTES, .text = slice_bytes(bytes, len)};
    assert(len <= room);
    c->at = colon + 1;
    return true;
}

/* Section 4.2.8. */
static bool parse_boolean(struct cursor *c, struct sf_bare *value)
{
    c->at++;
    *value = (struct sf_bare){.kind = SF_BOOLEAN, .number = peek(c) == '1'};
    return take(c, '0') || take(c, '1');
}

/* Section 4.2.9. */
static bool parse_date(struct cursor *c, struct sf_bare *value)
{
    c->at++;
    if (!parse_number(c, value) || value->kind != SF_INTEGER)
        return false;
    value->kind = SF_DATE;
    return true;
}

/* Section 4.2.10. */
static bool parse_display(struct cursor *c, struct sf_bare *value)
{
    struct text text = text_begin(c->arena);
    c->at++;
    if (!take(c, '"'))
        return false;
    while (!done(c)) {
        char byte = *c->at++;
        if (byte == '"') {
            *value = (struct sf_bare){.kind = SF_DISPLAY, .text = text_end(&text)};
            return value->text.data && utf8_valid(value->text);
        }
        if (byte < 0x20 || byte > 0x7e)
            return false;
        if (byte == '%') {
            uint8_t decoded;
            struct slice hex = slice_bytes(c->at, 2);
            if (c->end - c->at < 2 || hex.data[0] != slice_lower(hex.data[0]) ||
                hex.data[1] != slice_lower(hex.data[1]) || !encoding_unhex(hex, &decoded, 1))
                return false;
            byte = (char)decoded;
            c->at += 2;
        }
        text_char(&text, byte);
    }
    return false;
}

/* Section 4.2.3.1. */
static bool parse_bare(struct cursor *c, struct sf_bare *value)
{
    char first = peek(c);
    if (first == '-' || is_digit(first))
        return parse_number(c, value);
    if (first == '"')
        return parse_string(c, value);
    if (first == '*' || is_alpha(first))
        return parse_token(c, value);
    if (first == ':')
        return parse_bytes(c, value);
    if (first == '?')
        return parse_boolean(c, value);
    if (first == '@')
        return parse_date(c, value);
    return first == '%' && parse_display(c, value);
}

/* The place for the parameter: the earlier one's if the key stood there before, which keeps its position. */
static struct sf_parameter *parameter_place(struct cursor *c, struct sf_member *member, struct sf_keys *keys,
                                            struct sf_parameter ***tail, struct slice key)
{
    struct sf_parameter *place = (struct sf_parameter *)sf_keys_find(keys, key);
    if (place) {
        member->parameter_repeated = true;
        return place;
    }
    place = arena_alloc(c->arena, sizeof(*place));
    if (!place)
        return NULL;
    place->key = key;
    **tail = place;
    *tail = &place->next;
    return sf_keys_add(keys, c->arena, &place->key) ? place : NULL;
}

/* Section 4.2.3.2. */
static bool parse_parameters(struct cursor *c, struct sf_member *member)
{
    struct sf_keys keys = {.root = NULL};
    struct sf_parameter **tail = &member->parameters;
    while (take(c, ';')) {
        struct slice key;
        struct sf_bare value = {.kind = SF_BOOLEAN, .number = 1};
        skip_sp(c);
        if (!parse_key(c, &key) || (take(c, '=') && !parse_bare(c, &value)))
            return false;
        struct sf_parameter *place = parameter_place(c, member, &keys, &tail, key);
        if (!place)
            return false;
        place->value = value;
    }
    return true;
}

static bool parse_item(struct cursor *c, struct sf_member *member)
{
    return parse_bare(c, &member->value) && parse_parameters(c, member);
}

/* Section 4.2.1.2. */
static bool parse_inner(struct cursor *c, struct sf_member *member)
{
    struct sf_member **tail = &member->items;
    assert(*c->at == '(');
    c->at++;
    member->value.kind = SF_INNER;
    while (!done(c)) {
        skip_sp(c);
        if (take(c, ')'))
            return parse_parameters(c, member);
        struct sf_member *item = arena_alloc(c->arena, sizeof(*item));
        if (!item || !parse_item(c, item) || (peek(c) != ' ' && peek(c) != ')'))
            return false;
        *tail = item;
        tail = &item->next;
    }
    return false;
}

static bool parse_member(struct cursor *c, struct sf_member *member)
{
    return peek(c) == '(' ? parse_inner(c, member) : parse_item(c, member);
}

static struct cursor start(struct arena *arena, struct slice text)
{
    assert(text.data || text.len == 0);
    struct cursor c = {text.data, text.data + text.len, arena};
    skip_sp(&c);
    return c;
}

/* Behind a member: the end, or a comma with something behind it (section 4.2.1). */
static bool more(struct cursor *c, bool *again)
{
    skip_ows(c);
    *again = !done(c);
    if (!*again)
        return true;
    if (!take(c, ','))
        return false;
    skip_ows(c);
    return !done(c);
}

bool sf_parse_item(struct arena *arena, struct slice text, struct sf_member *item)
{
    struct cursor c = start(arena, text);
    *item = (struct sf_member){.key = {NULL, 0}};
    if (!parse_item(&c, item))
        return false;
    skip_sp(&c);
    assert(c.at <= c.end);
    return done(&c);
}

bool sf_parse_list(struct arena *arena, struct slice text, struct sf_list *list)
{
    struct cursor c = start(arena, text);
    struct sf_member **tail = &list->first;
    *list = (struct sf_list){.first = NULL};
    for (bool again = !done(&c); again;) {
        struct sf_member *member = arena_alloc(arena, sizeof(*member));
        if (!member || !parse_member(&c, member) || !more(&c, &again))
            return false;
        *tail = member;
        tail = &member->next;
        list->count++;
    }
    assert(done(&c));
    return true;
}

/* The place for the member: the earlier one's if the key stood there before, which keeps its position. */
static struct sf_member *member_place(struct arena *arena, struct sf_list *dictionary, struct sf_keys *keys,
                                      struct sf_member ***tail, struct slice key)
{
    struct sf_member *place = (struct sf_member *)sf_keys_find(keys, key);
    if (place) {
        /* Wiped, or the parameters and items of the first would stay with the value of the second. */
        *place = (struct sf_member){.key = place->key, .next = place->next};
        dictionary->key_repeated = true;
        return place;
    }
    place = arena_alloc(arena, sizeof(*place));
    if (!place)
        return NULL;
    place->key = key;
    **tail = place;
    *tail = &place->next;
    dictionary->count++;
    return sf_keys_add(keys, arena, &place->key) ? place : NULL;
}

bool sf_parse_dictionary(struct arena *arena, struct slice text, struct sf_list *dictionary)
{
    struct cursor c = start(arena, text);
    struct sf_member **tail = &dictionary->first;
    struct sf_keys keys = {.root = NULL};
    *dictionary = (struct sf_list){.first = NULL};
    for (bool again = !done(&c); again;) {
        struct slice key;
        if (!parse_key(&c, &key))
            return false;
        struct sf_member *member = member_place(arena, dictionary, &keys, &tail, key);
        if (!member)
            return false;
        /* The place first, the value then: that the last of two wins is section 3.2's, and so is its
         * position. */
        if (take(&c, '=')) {
            if (!parse_member(&c, member))
                return false;
        } else {
            member->value = (struct sf_bare){.kind = SF_BOOLEAN, .number = 1};
            if (!parse_parameters(&c, member))
                return false;
        }
        if (!more(&c, &again))
            return false;
    }
    assert(done(&c));
    return true;
}

const struct sf_member *sf_find(const struct sf_list *dictionary, struct slice key)
{
    for (const struct sf_member *member = dictionary->first; member; member = member->next)
        if (slice_eq(member->key, key))
            return member;
    return NULL;
}

const struct sf_parameter *sf_parameter(const struct sf_member *member, struct slice key)
{
    for (const struct sf_parameter *parameter = member->parameters; parameter; parameter = parameter->next)
        if (slice_eq(parameter->key, key))
            return parameter;
    return NULL;
}
