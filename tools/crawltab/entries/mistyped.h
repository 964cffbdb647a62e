/* What a payment id that is in no entry may have meant. With an offer key at hand one wrong, missing,
 * superfluous or swapped character is found for certain, paid or not; without one, among the entries. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_MISTYPED_H
#define TOOLS_CRAWLTAB_ENTRIES_MISTYPED_H

#include "tools/crawltab/entries/opener.h"

#define MISTYPED_MAX       8  /* as many as are named */
#define MISTYPED_TEXT_MAX  72 /* of an id as it was given, with its NUL */
#define MISTYPED_TEXT_FROM 60 /* shorter is no mistyped id */

/* An id as the operator gave it, without the spaces around it and in it. */
struct mistyped_given {
    char text[MISTYPED_TEXT_MAX];
    bool is_id;   /* 64 characters: `raw` holds */
    bool is_uuid; /* as in exports: the first 16 bytes of `raw` hold */
    uint8_t raw[PAYMENT_ID_SIZE];
};

/* False for what is not even a mistyped id. */
bool mistyped_read(const char *word, struct mistyped_given *given) MUST_USE;

struct mistyped_meant {
    char id[PAYMENT_ID_TEXT + 1]; /* as in the offer; "" if only the UUID is known */
    char payment_id[UUID_TEXT_MAX];
    bool paid;
    char *site, *currency;
    char *resource; /* NULL if it was not paid */
    int64_t amount_micros;
};

struct mistyped_list {
    struct mistyped_meant items[MISTYPED_MAX];
    size_t count;
};

/* Start with {0}; freed with mistyped_free, whatever comes back. */
enum err mistyped_find(struct pg *pg, const struct opener *opener, const struct mistyped_given *given,
                       struct mistyped_list *list) MUST_USE;
void mistyped_free(struct mistyped_list *list);

#endif
