/* Text that grows at the end of an arena. Between text_begin and text_end nothing else may be taken from the
 * arena. When the arena is full the text stays short and text_end says so. */
#ifndef LEDGER_BASE_TEXT_TEXT_H
#define LEDGER_BASE_TEXT_TEXT_H

#include "ledger/base/arena.h"

#include <stdint.h>

struct text {
    struct arena *arena;
    size_t start;
    size_t len; /* since then */
    bool full;
};

struct text text_begin(struct arena *arena);
void text_add(struct text *text, struct slice piece);
void text_char(struct text *text, char c);
void text_number(struct text *text, int64_t number);

/* The piece as it stands between the quotes of a JSON string. */
void text_json(struct text *text, struct slice piece);

/* The whole text, NUL-terminated behind its length; data is NULL if it did not fit, and then the arena is as
 * it was before. */
struct slice text_end(struct text *text);

/* The bytes in padded base64, NUL-terminated in the arena; NULL when that is full. */
const char *text_base64(struct arena *arena, struct slice bytes) __attribute__((warn_unused_result));

#endif
