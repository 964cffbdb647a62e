#include "ledger/base/text.h"

#include <inttypes.h>
#include <stdio.h>

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
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, number);
    text_add(text, (struct slice){digits, (size_t)len});
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
