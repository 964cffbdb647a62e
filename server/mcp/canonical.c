/* RFC 8785, but for numbers: to write one as ECMAScript does it would have to be taken for a double, which a
 * number of 64 bits is not. Who writes JSON by JSON.stringify has written it so already. */
#include "server/mcp/tree.h"

#include "server/mcp/units.h"

#include <assert.h>
#include <stdlib.h>

static struct slice inside(const struct tree_node *string)
{
    assert(string->kind == TREE_STRING && string->text.len >= 2);
    return (struct slice){string->text.data + 1, string->text.len - 2};
}

/* Pieces of it on their way into the digest. */
struct canonical {
    char *text;
    size_t len, room;
};

static void put(struct canonical *canonical, struct slice piece)
{
    assert(canonical->len + piece.len <= canonical->room);
    if (piece.len > 0)
        memcpy(canonical->text + canonical->len, piece.data, piece.len);
    canonical->len += piece.len;
}

/* RFC 8785 section 3.2.2.2: what need not be escaped is not. */
static void put_string(struct canonical *canonical, struct slice escaped)
{
    static const char digits[] = "0123456789abcdef";
    static const char controls[] = "btn\0fr"; /* from U+0008 on */
    struct units units = {escaped.data, escaped.data + escaped.len, 0};
    char piece[6];
    put(canonical, SLICE("\""));
    while (units.at < units.end) {
        uint32_t point = units_point(&units);
        bool quoted = point == '"' || point == '\\';
        bool lettered = point >= 8 && point <= 13 && point != 11;
        if (quoted || lettered) {
            piece[0] = '\\';
            piece[1] = quoted ? (char)point : controls[point - 8];
            put(canonical, slice_bytes(piece, 2));
        } else if (point < 0x20) {
            memcpy(piece, "\\u00", 4);
            piece[4] = digits[point >> 4];
            piece[5] = digits[point & 15];
            put(canonical, slice_bytes(piece, 6));
        } else {
            put(canonical, slice_bytes(piece, units_write(point, piece)));
        }
    }
    put(canonical, SLICE("\""));
}

static int by_member(const void *a, const void *b)
{
    return units_compare((*(const struct tree_node *const *)a)->name,
                         (*(const struct tree_node *const *)b)->name);
}

static bool put_value(struct canonical *canonical, const struct tree *tree, const struct tree_node *node);

static bool put_parts(struct canonical *canonical, const struct tree *tree, const struct tree_node *node)
{
    bool named = node->kind == TREE_OBJECT, ok = true;
    const struct tree_node **parts = malloc((node->parts + 1) * sizeof(*parts));
    size_t count = 0;
    if (!parts)
        return false;
    for (const struct tree_node *part = tree_first(tree, node); part; part = tree_next(tree, part))
        parts[count++] = part;
    assert(count == node->parts);
    if (named)
        qsort(parts, count, sizeof(*parts), by_member);
    put(canonical, named ? SLICE("{") : SLICE("["));
    for (size_t i = 0; i < count && ok; i++) {
        if (i > 0)
            put(canonical, SLICE(","));
        if (named) {
            put_string(canonical, parts[i]->name);
            put(canonical, SLICE(":"));
        }
        ok = put_value(canonical, tree, parts[i]);
    }
    put(canonical, named ? SLICE("}") : SLICE("]"));
    free(parts);
    return ok;
}

static bool put_value(struct canonical *canonical, const struct tree *tree, const struct tree_node *node)
{
    if (node->kind == TREE_OBJECT || node->kind == TREE_ARRAY)
        return put_parts(canonical, tree, node);
    if (node->kind == TREE_STRING)
        put_string(canonical, inside(node));
    else
        put(canonical, node->text);
    return true;
}

bool tree_digest(const struct tree *tree, const struct tree_node *node, uint8_t digest[DIGEST_SIZE])
{
    struct canonical canonical = {.room = node ? node->text.len : 2};
    canonical.text = malloc(canonical.room);
    if (!canonical.text)
        return false;
    bool ok = true;
    if (node)
        ok = put_value(&canonical, tree, node); /* never longer than what was written */
    else
        put(&canonical, SLICE("{}"));
    const struct slice part = {canonical.text, canonical.len};
    if (ok)
        digest_sha256(&part, 1, digest);
    free(canonical.text);
    return ok;
}
