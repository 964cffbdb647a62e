/* What can be done in the console: one table of operations, each of which is a command of `crawltab` with its
 * checks and its record, done for whoever asks. */
#ifndef SERVER_CONSOLE_DEED_H
#define SERVER_CONSOLE_DEED_H

#include "server/console/base/role.h"
#include "server/console/view/read.h"

struct deed_field {
    const char *name, *label;
    bool needed;
    const char *type;  /* of its input: "text", "date", "checkbox", "hidden", "select", "area", "file" */
    const char *words; /* of a select, parted by spaces */
};

#define DEED_FIELDS_MAX 8

struct deed {
    const char *path;  /* "/invoice/void" */
    const char *title; /* on its button */
    const char *what;  /* a sentence: what comes of it */
    enum role_right right;
    const char *command; /* see child_words */
    const char *input;   /* the field that goes to its standard input; NULL: none */
    const char *page;    /* where its form is, and where it leads afterwards, with these ... */
    const char *keeps;   /* ... parameters, parted by spaces */
    bool matches;        /* If-Match holds the version that is to be changed */
    struct deed_field fields[DEED_FIELDS_MAX];
};

extern const struct deed deeds[]; /* ended by a NULL path */

const struct deed *deed_at(const char *path);

/* What it is to be done with. */
struct deed_order {
    const json_t *given;
    struct slice file; /* data NULL: none */
};

/* Fields that the deed does not have, or lacks. */
bool deed_check(const struct deed *deed, const struct deed_order *order, struct view_fault *fault);

bool deed_takes_file(const struct deed *deed);

/* Does it. The answer is what the command prints, as JSON, or {"said": ...} where that is none; NULL after a
 * fault. */
json_t *deed_do(const struct view_source *source, const struct deed *deed, const struct deed_order *order,
                struct view_fault *fault);

/* Asked with an Idempotency-Key: whether it is done now (true), or what to answer instead: its answer of
 * before, or a fault. */
struct deed_once {
    const char *name, *key; /* of the token, and the key; NULL: none was given */
    uint8_t request[32];    /* digest of what was asked */
    unsigned status;        /* of the answer of before */
    char *answer;           /* of before; the caller frees */
};
bool deed_begin(struct pg *pg, struct deed_once *once, struct view_fault *fault);
/* Keeps the answer. */
void deed_end(struct pg *pg, const struct deed_once *once, unsigned status, const char *answer);

#endif
