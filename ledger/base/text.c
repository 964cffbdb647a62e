#include "ledger/base/text.h"

#include "ledger/base/encoding.h"

struct text text_begin(struct arena *arena)
{
    return (struct text){arena, arena->used, false};
}

void text_add(struct text *text, struct slice piece)
{
    char *room = text->full ? NULL : arena_bytes(text->arena, piece.len);
    if (!room)
        text->full = true;
    else if (piece.len > 0)
        memcpy(room, piece.data, piece.len);
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

struct slice text_end(struct text *text)
{
    text_char(text, '\0');
    if (text->full) {
        text->arena->used = text->start;
        return (struct slice){NULL, 0};
    }
    return (struct slice){text->arena->memory + text->start, text->arena->used - text->start - 1};
}
