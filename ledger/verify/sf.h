/* Structured field values for HTTP (RFC 9651): parsing and serialisation. Pure; everything parsed lives in
 * the arena or points into the text that was parsed. */
#ifndef LEDGER_VERIFY_SF_H
#define LEDGER_VERIFY_SF_H

#include "ledger/base/text/text.h"

enum sf_kind {
    SF_INTEGER,
    SF_DECIMAL,
    SF_STRING,
    SF_TOKEN,
    SF_BYTES,
    SF_BOOLEAN,
    SF_DATE,
    SF_DISPLAY,
    SF_INNER
};

/* A bare item (section 3.3). */
struct sf_bare {
    enum sf_kind kind;
    int64_t number;    /* integer, seconds of a date, thousandths of a decimal, 0 or 1 of a boolean */
    struct slice text; /* string, token, display string (decoded, UTF-8) or raw bytes */
};

struct sf_parameter {
    struct slice key; /* first, for sf_keys.h */
    struct sf_bare value;
    struct sf_parameter *next;
};

/* An item, or with kind SF_INNER an inner list, as a member of a list or dictionary or by itself. */
struct sf_member {
    struct slice key; /* of a dictionary's member, else empty; first, for sf_keys.h */
    struct sf_bare value;
    struct sf_member *items; /* of an inner list */
    struct sf_parameter *parameters;
    bool parameter_repeated; /* a key stood twice; the last one won (section 3.1.2) */
    struct sf_member *next;
};

struct sf_list {
    struct sf_member *first;
    size_t count;
    bool key_repeated; /* a dictionary key stood twice; the last one won (section 3.2) */
};

/* Parse a whole field value (section 4.2): all lines of the field joined with ", ". One pass, in time and
 * arena linear in the text. False when it does not parse strictly or the arena is full. */
bool sf_parse_item(struct arena *arena, struct slice text, struct sf_member *item);
bool sf_parse_list(struct arena *arena, struct slice text, struct sf_list *list);
bool sf_parse_dictionary(struct arena *arena, struct slice text, struct sf_list *dictionary);

/* The member with the key, or NULL. */
const struct sf_member *sf_find(const struct sf_list *dictionary, struct slice key);

/* The parameter with the key, or NULL. */
const struct sf_parameter *sf_parameter(const struct sf_member *member, struct slice key);

/* Append the canonical serialisation (section 4.1). The values come from the parser, so nothing can fail but
 * the room in the arena. */
void sf_write_bare(struct text *out, const struct sf_bare *value);
void sf_write_parameters(struct text *out, const struct sf_parameter *parameters);
/* An item or inner list with its parameters, without the key. */
void sf_write_member(struct text *out, const struct sf_member *member);
void sf_write_list(struct text *out, const struct sf_list *list);
void sf_write_dictionary(struct text *out, const struct sf_list *dictionary);

#endif
