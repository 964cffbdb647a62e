/* One pass over the text, with a bound for how deep it goes; names of an object are sorted to see whether one
 * stands twice, so that no text costs more than n log n. */
#include "server/mcp/tree.h"

#include "server/mcp/units.h"

#include <assert.h>
#include <stdlib.h>

#define NODES_FIRST 64

struct reading {
    const char *at, *end;
    struct tree *tree;
    const char *fault;
    unsigned depth;
};

static bool fail(struct reading *reading, const char *fault)
{
    if (!reading->fault)
        reading->fault = fault;
    return false;
}

/* The index of a new node; 0 without memory, since the root is made first and is nobody's part. */
static uint32_t add_node(struct reading *reading)
{
    struct tree *tree = reading->tree;
    if (tree->count == tree->room) {
        size_t room = tree->room == 0 ? NODES_FIRST : tree->room * 2;
        struct tree_node *nodes = room < UINT32_MAX ? realloc(tree->nodes, room * sizeof(*nodes)) : NULL;
        if (!nodes) {
            fail(reading, "there is no memory to read it");
            return 0;
        }
        tree->nodes = nodes;
        tree->room = room;
    }
    tree->nodes[tree->count] = (struct tree_node){.kind = TREE_NULL};
    return (uint32_t)tree->count++;
}

static void skip_space(struct reading *reading)
{
    while (reading->at < reading->end &&
           (*reading->at == ' ' || *reading->at == '\t' || *reading->at == '\n' || *reading->at == '\r'))
        reading->at++;
}

static bool take(struct reading *reading, char c)
{
    if (reading->at == reading->end || *reading->at != c)
        return false;
    reading->at++;
    return true;
}

/* --- Strings --- */

static bool read_unicode(struct reading *reading)
{
    int32_t unit = units_hex(reading->at, reading->end);
    if (unit < 0)
        return fail(reading, "a \\u is without its four digits");
    if (unit == 0)
        return fail(reading, "it has U+0000, which not everybody reads");
    reading->at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    bool pair =
        unit <= 0xdbff && reading->end - reading->at >= 6 && reading->at[0] == '\\' && reading->at[1] == 'u';
    int32_t low = pair ? units_hex(reading->at + 2, reading->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return fail(reading, "it has half a surrogate pair");
    reading->at += 6;
    return true;
}

static bool read_escape(struct reading *reading)
{
    static const struct slice letters = {"\"\\/bfnrt", 8};
    if (take(reading, 'u'))
        return read_unicode(reading);
    if (reading->at == reading->end || slice_find(letters, *reading->at) == letters.len)
        return fail(reading, "a string has an escape that there is none of");
    reading->at++;
    return true;
}

/* One character of more than a byte (RFC 3629): the shortest form, no surrogate, nothing above U+10FFFF. */
static bool read_wide(struct reading *reading)
{
    const uint8_t *at = (const uint8_t *)reading->at;
    size_t left = (size_t)(reading->end - reading->at);
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint8_t low = 0x80, high = 0xbf;
    if (at[0] < 0xc2 || at[0] > 0xf4 || left < size)
        return fail(reading, "it is no UTF-8");
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return fail(reading, "it is no UTF-8");
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return fail(reading, "it is no UTF-8");
    reading->at += size;
    return true;
}

/* From its first quote to behind its last. */
static bool read_string(struct reading *reading)
{
    if (!take(reading, '"'))
        return fail(reading, "a string is missing");
    while (reading->at < reading->end) {
        uint8_t c = (uint8_t)*reading->at;
        if (c < 0x20)
            return fail(reading, "a string has a control character");
        if (c >= 0x80) {
            if (!read_wide(reading))
                return false;
            continue;
        }
        reading->at++;
        if (c == '"')
            return true;
        if (c == '\\' && !read_escape(reading))
            return false;
    }
    return fail(reading, "a string does not end");
}

/* --- Values --- */

static bool read_digits(struct reading *reading)
{
    const char *begin = reading->at;
    while (reading->at < reading->end && *reading->at >= '0' && *reading->at <= '9')
        reading->at++;
    return reading->at > begin || fail(reading, "a number lacks a digit");
}

static bool read_number(struct reading *reading)
{
    take(reading, '-');
    const char *begin = reading->at;
    if (!read_digits(reading))
        return false;
    if (*begin == '0' && reading->at - begin > 1)
        return fail(reading, "a number begins with a zero");
    if (take(reading, '.') && !read_digits(reading))
        return false;
    if (!take(reading, 'e') && !take(reading, 'E'))
        return true;
    if (!take(reading, '+'))
        take(reading, '-');
    return read_digits(reading);
}

static bool read_word(struct reading *reading, struct slice word)
{
    if ((size_t)(reading->end - reading->at) < word.len || memcmp(reading->at, word.data, word.len) != 0)
        return fail(reading, "a value is no JSON");
    reading->at += word.len;
    return true;
}

static uint32_t read_value(struct reading *reading);

static int by_name(const void *a, const void *b)
{
    return units_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* A member that stands twice is read in two ways by two readers. */
static bool names_differ(struct reading *reading, uint32_t object)
{
    const struct tree_node *nodes = reading->tree->nodes;
    size_t parts = nodes[object].parts, count = 0;
    if (parts < 2)
        return true;
    struct slice *names = malloc(parts * sizeof(*names));
    if (!names)
        return fail(reading, "there is no memory to read it");
    for (uint32_t i = nodes[object].first; i != 0; i = nodes[i].next)
        names[count++] = nodes[i].name;
    assert(count == parts);
    qsort(names, count, sizeof(*names), by_name);
    bool differ = true;
    for (size_t i = 1; i < count && differ; i++)
        differ = units_compare(names[i - 1], names[i]) != 0;
    free(names);
    return differ || fail(reading, "an object has two members of one name");
}

/* "name": of a member. */
static bool read_name(struct reading *reading, struct slice *name)
{
    const char *begin = reading->at;
    if (!read_string(reading))
        return false;
    *name = (struct slice){begin + 1, (size_t)(reading->at - begin) - 2};
    skip_space(reading);
    return take(reading, ':') || fail(reading, "a colon is missing");
}

/* Behind its bracket. */
static bool read_parts(struct reading *reading, uint32_t whole, bool named)
{
    const char end = named ? '}' : ']';
    uint32_t last = 0;
    skip_space(reading);
    if (take(reading, end))
        return true;
    do {
        struct slice name = {NULL, 0};
        skip_space(reading);
        if (named && !read_name(reading, &name))
            return false;
        uint32_t part = read_value(reading);
        if (part == 0)
            return false;
        struct tree_node *nodes = reading->tree->nodes; /* where they are now */
        nodes[part].name = name;
        if (last == 0)
            nodes[whole].first = part;
        else
            nodes[last].next = part;
        nodes[whole].parts++;
        last = part;
        skip_space(reading);
    } while (take(reading, ','));
    return take(reading, end) || fail(reading, "an array or object does not end");
}

static bool read_inside(struct reading *reading, uint32_t node)
{
    struct tree_node *nodes = reading->tree->nodes;
    char c = reading->at < reading->end ? *reading->at : '\0';
    switch (c) {
    case '{':
    case '[':
        reading->at++;
        nodes[node].kind = c == '{' ? TREE_OBJECT : TREE_ARRAY;
        return read_parts(reading, node, c == '{') && (c == '[' || names_differ(reading, node));
    case '"':
        nodes[node].kind = TREE_STRING;
        return read_string(reading);
    case 't':
        nodes[node].kind = TREE_TRUE;
        return read_word(reading, SLICE("true"));
    case 'f':
        nodes[node].kind = TREE_FALSE;
        return read_word(reading, SLICE("false"));
    case 'n':
        return read_word(reading, SLICE("null"));
    default:
        nodes[node].kind = TREE_NUMBER;
        return (c == '-' || (c >= '0' && c <= '9')) ? read_number(reading)
                                                    : fail(reading, "a value is no JSON");
    }
}

/* Its index. 0: it is the root, or it could not be read and the fault is told. */
static uint32_t read_value(struct reading *reading)
{
    skip_space(reading);
    const char *begin = reading->at;
    uint32_t node = add_node(reading);
    if (reading->fault)
        return 0;
    if (++reading->depth > TREE_DEPTH_MAX) {
        fail(reading, "it is deeper than 64 levels");
        return 0;
    }
    if (!read_inside(reading, node))
        return 0;
    reading->depth--;
    reading->tree->nodes[node].text = (struct slice){begin, (size_t)(reading->at - begin)};
    return node;
}

const char *tree_read(struct slice text, struct tree *tree)
{
    struct reading reading = {.at = text.data, .end = text.data + text.len, .tree = tree};
    *tree = (struct tree){.nodes = NULL};
    if (text.len == 0)
        return "it is empty";
    read_value(&reading);
    if (reading.fault)
        return reading.fault;
    skip_space(&reading);
    if (reading.at != reading.end)
        return "something stands behind its end";
    assert(tree->count > 0 && slice_within(tree->nodes[0].text, text));
    return NULL;
}

void tree_free(struct tree *tree)
{
    free(tree->nodes);
    *tree = (struct tree){.nodes = NULL};
}

/* --- What is in it --- */

const struct tree_node *tree_first(const struct tree *tree, const struct tree_node *node)
{
    return node && node->first != 0 ? &tree->nodes[node->first] : NULL;
}

const struct tree_node *tree_next(const struct tree *tree, const struct tree_node *node)
{
    return node->next != 0 ? &tree->nodes[node->next] : NULL;
}

static bool is_spelt(struct slice escaped, struct slice text)
{
    struct units units = {escaped.data, escaped.data + escaped.len, 0};
    char piece[4];
    while (units.at < units.end) {
        size_t size = units_write(units_point(&units), piece);
        if (size > text.len || memcmp(piece, text.data, size) != 0)
            return false;
        text = (struct slice){text.data + size, text.len - size};
    }
    return text.len == 0;
}

const struct tree_node *tree_member(const struct tree *tree, const struct tree_node *node, struct slice name)
{
    if (!node || node->kind != TREE_OBJECT)
        return NULL;
    for (node = tree_first(tree, node); node; node = tree_next(tree, node))
        if (is_spelt(node->name, name))
            return node;
    return NULL;
}

static struct slice inside(const struct tree_node *string)
{
    assert(string->kind == TREE_STRING && string->text.len >= 2);
    return (struct slice){string->text.data + 1, string->text.len - 2};
}

bool tree_is(const struct tree_node *node, struct slice text)
{
    return node && node->kind == TREE_STRING && is_spelt(inside(node), text);
}

size_t tree_decode(const struct tree_node *node, char *out)
{
    struct slice text = inside(node);
    struct units units = {text.data, text.data + text.len, 0};
    size_t len = 0;
    while (units.at < units.end)
        len += units_write(units_point(&units), out + len);
    assert(len <= text.len); /* no escape is shorter than what it stands for */
    return len;
}

/* As programs fold that compare names of members without case: U+017F is an s, and U+212A a k. */
static int32_t fold(int32_t unit)
{
    return unit == 0x17f ? 's' : unit == 0x212a ? 'k' : unit < 0x80 ? (int32_t)slice_lower((char)unit) : unit;
}

bool tree_name_resembles(const struct tree_node *node, struct slice name)
{
    struct units units = {node->name.data, node->name.data + node->name.len, 0};
    for (size_t i = 0; i < name.len; i++)
        if (fold(units_next(&units)) != fold((uint8_t)name.data[i]))
            return false;
    return units_next(&units) < 0 && !is_spelt(node->name, name);
}
