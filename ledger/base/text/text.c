/* The text is made where it will stay, at the end of the arena, as nobody knows its length beforehand. That
 * is why nothing else may be taken meanwhile, and why one that did not fit gives back all that it had. */
#include "ledger/base/text/text.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>

struct text text_begin(struct arena *arena)
{
    assert(arena->used <= arena->size);
    return (struct text){.arena = arena, .start = arena->used};
}

void text_add(struct text *text, struct slice piece)
{
    assert(text->full || text->arena->used == text->start + text->len); /* nobody took from it meanwhile */
    char *room = text->full ? NULL : arena_bytes(text->arena, piece.len);
    if (!room)
        text->full = true;
    else if (piece.len > 0)
        memcpy(room, piece.data, piece.len);
    text->len += room ? piece.len : 0;
}

void text_char(struct text *text, char c)
{
    text_add(text, (struct slice){&c, 1});
}

void text_number(struct text *text, int64_t number)
{
    char digits[ENCODING_DECIMAL_MAX];
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    if (number < 0)
        text_char(text, '-');
    text_add(text, slice_bytes(digits, encoding_decimal(size, 1, digits)));
}

void text_json(struct text *text, struct slice piece)
{
    size_t start = 0;
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.data[i];
        bool control = c < ' ';
        if (c != '"' && c != '\\' && !control)
            continue;
        text_add(text, (struct slice){piece.data + start, i - start});
        text_add(text, control ? SLICE("\\u00") : SLICE("\\"));
        start = control ? i + 1 : i;
        if (control) {
            char digits[3];
            text_add(text, slice_of(encoding_hex(&c, 1, digits)));
        }
    }
    text_add(text, (struct slice){piece.data + start, piece.len - start});
}

struct slice text_end(struct text *text)
{
    text_char(text, '\0'); /* with it the text may be given to whoever wants a C string, without a copy */
    if (text->full) {
        text->arena->used = text->start;
        return (struct slice){NULL, 0};
    }
    return (struct slice){text->arena->memory + text->start, text->len - 1};
}

const char *text_base64(struct arena *arena, struct slice bytes)
{
    char *text = arena_bytes(arena, ENCODING_BASE64_LEN(bytes.len) + 1);
    if (text)
        text[encoding_base64(bytes.data, bytes.len, text)] = '\0';
    return text;
}
