/* The views of the console: one table says of each what is in it, where it comes from, and who may see it.
 * The page, the JSON, the CSV and the API's description are all made of it. */
#ifndef SERVER_CONSOLE_VIEW_VIEW_H
#define SERVER_CONSOLE_VIEW_VIEW_H

#include "server/console/base/role.h"

#include <jansson.h>
#include <stddef.h>

enum view_kind {
    VIEW_TEXT,
    VIEW_COUNT,   /* a whole number */
    VIEW_MONEY,   /* micro-units of the row's "currency" */
    VIEW_DATE,    /* YYYY-MM-DD */
    VIEW_INSTANT, /* RFC 3339 */
    VIEW_FLAG,
};

struct view_column {
    const char *name; /* in JSON and CSV */
    const char *title;
    enum view_kind kind;
    const char *link; /* "/invoice?site={site}&number={number}", of the row's members; NULL: none */
};

/* A table. */
struct view {
    const char *name;      /* "invoices" */
    const char *title;     /* above it */
    const char *empty;     /* a sentence, and what to do */
    enum role_right right; /* who may see it */
    const char *filters;   /* parameters that it takes, parted by spaces */
    const char *statement; /* its rows in SQL; or NULL: */
    const char *command;   /* ... in what this command prints, see child_words; or NULL: */
    const char *member;    /* ... in this list of the page's object */
    /* For rows of a command: makes the view's rows of its answer. */
    json_t *(*rows)(const json_t *answer, const json_t *given);
    bool paged; /* the statement pages by "after" and "limit"; else it is read whole and sorted here */
    const struct view_column *columns; /* ended by a NULL name */
};

extern const struct view views[]; /* ended by a NULL name */

const struct view *view_called(const char *name);

/* Whether `word` is among those of a list parted by spaces. */
bool view_lists(const char *words, const char *word);

/* Every parameter that a view may take, and what it is; for checks and the API's description. */
struct view_filter {
    const char *name;
    const char *what;
    const char *format; /* "date", "count", or "" */
    const char *label;
};
extern const struct view_filter view_filters[]; /* ended by a NULL name */

#endif
