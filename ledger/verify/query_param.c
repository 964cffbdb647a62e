/* As section 2.2.8 of RFC 9421 has it: both names and values decoded as a form's and encoded anew, so that
 * signer and verifier agree however each of them has written the query. A parameter that stands twice is
 * refused: which of the two is meant, receivers differ about. */
#include "ledger/verify/query_param.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/verify/utf8.h"

#include <assert.h>

/* What stands up to `end`; the text goes on behind it. */
static struct slice take_until(struct slice *text, char end)
{
    size_t at = slice_find(*text, end);
    struct slice part = {text->data, at};
    size_t used = at < text->len ? at + 1 : at;
    *text = (struct slice){text->data + used, text->len - used};
    return part;
}

/* The bytes that are meant. A '%' that does not lead an escape stands for itself. */
static struct slice decode(struct arena *arena, struct slice part)
{
    struct text text = text_begin(arena);
    for (size_t i = 0; i < part.len; i++) {
        uint8_t byte = (uint8_t)part.data[i];
        if (byte == '+')
            byte = ' ';
        else if (byte == '%' && part.len - i > 2 &&
                 encoding_unhex((struct slice){part.data + i + 1, 2}, &byte, 1))
            i += 2;
        text_char(&text, (char)byte);
    }
    return text_end(&text);
}

static bool stays(char c)
{
    char lower = slice_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '*' || c == '-' || c == '.' ||
           c == '_';
}

static enum err wrong(const char **why, const char *sentence)
{
    *why = sentence;
    return ERR_MALFORMED_SIGNATURE;
}

static enum err rewrite(struct arena *arena, struct slice part, struct slice *out, const char **why)
{
    static const char digits[] = "0123456789ABCDEF";
    struct slice decoded = decode(arena, part);
    if (!decoded.data)
        return ERR_REQUEST_TOO_LARGE;
    if (!utf8_valid(decoded))
        return wrong(why, "the query is not UTF-8");
    struct text text = text_begin(arena);
    for (size_t i = 0; i < decoded.len; i++) {
        unsigned char c = (unsigned char)decoded.data[i];
        if (stays(decoded.data[i])) {
            text_char(&text, decoded.data[i]);
        } else {
            text_char(&text, '%');
            text_char(&text, digits[c >> 4]);
            text_char(&text, digits[c & 15]);
        }
    }
    *out = text_end(&text);
    assert(!out->data || out->len <= 3 * decoded.len);
    return out->data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

/* One "name=value". What was not wanted is given back to the arena. */
static enum err read_pair(struct arena *arena, struct slice pair, struct slice name, struct slice *value,
                          const char **why)
{
    enum err err;
    size_t before = arena->used;
    struct slice rewritten;
    struct slice this_name = take_until(&pair, '=');
    struct slice this_value;
    TRY(rewrite(arena, this_name, &rewritten, why));
    TRY(rewrite(arena, pair, &this_value, why));
    assert(arena->used > before);
    if (!slice_eq(rewritten, name))
        arena->used = before;
    else if (value->data)
        err = wrong(why, "the query has this parameter more than once");
    else
        *value = this_value;
out:
    return err;
}

enum err query_param_value(struct arena *arena, struct slice query, struct slice name, struct slice *value,
                           const char **why)
{
    enum err err = ERR_OK;
    *value = (struct slice){NULL, 0};
    while (query.len > 0) {
        struct slice pair = take_until(&query, '&');
        if (pair.len > 0)
            TRY(read_pair(arena, pair, name, value, why));
    }
    if (!value->data)
        err = wrong(why, "the query does not have this parameter");
out:
    return err;
}
