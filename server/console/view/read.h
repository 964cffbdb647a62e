/* Rows of a view: read from the ledger or from a command, sorted, and cut into pages. */
#ifndef SERVER_CONSOLE_VIEW_READ_H
#define SERVER_CONSOLE_VIEW_READ_H

#include "ledger/pg/pg.h"
#include "server/console/base/child.h"
#include "server/console/view/view.h"

/* From where. */
struct view_source {
    struct pg *pg;
    const struct child_program *program;
    const char *actor;    /* for whom */
    const json_t *prices; /* of rules, by site and rule, in micro-units */
    json_t *told;         /* what commands have printed for this request, by their words: each is run once */
};

/* What went wrong, for a problem; status 0: nothing. */
struct view_fault {
    unsigned status;
    char detail[CHILD_SENTENCE_MAX];
    char hint[CHILD_SENTENCE_MAX];
};

/* Sets it, once. */
void view_fail(struct view_fault *fault, unsigned status, const char *detail, const char *hint);

/* Some rows of a view. Free with view_rows_free. */
struct view_rows {
    json_t *rows; /* an array of objects */
    char *next;   /* what "after" has to be for those that follow; NULL: there are none */
};
void view_rows_free(struct view_rows *rows);

/* Whether what is given can be: names that somebody takes (`allowed` lists them), dates that exist, numbers
 * in their bounds. */
bool view_given_check(const json_t *given, const char *allowed, struct view_fault *fault);

/* Reads the rows that `given` asks for; `object` is the page's, or NULL. */
bool view_read(const struct view_source *source, const struct view *view, const json_t *given,
               const json_t *object, struct view_rows *rows, struct view_fault *fault);

/* Runs a command that prints JSON; a new reference. NULL after a fault: the command's own sentence. Some say
 * no by their exit status and print all the same: then that is the answer. */
json_t *view_command(const struct view_source *source, const char *command, const json_t *given,
                     struct view_fault *fault);

#endif
