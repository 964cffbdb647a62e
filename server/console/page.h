/* The pages of the console, as HTML. */
#ifndef SERVER_CONSOLE_PAGE_H
#define SERVER_CONSOLE_PAGE_H

#include "server/console/seat.h"
#include "server/console/view/view_page.h"

/* A page with its tables and forms; `object` is its own, or NULL. */
struct page_content {
    const struct view_page *page;
    json_t *object;
    const struct view *views[8]; /* those that are shown */
    struct view_rows rows[8];
    size_t count;
};

void page_write(FILE *out, const struct seat *seat, const struct caller *caller, const struct asked *ask,
                const struct page_content *content);

/* The page where a key is shown; `wrong` is what was wrong with the last one, or NULL. */
void page_write_login(FILE *out, const char *wrong);

/* What went wrong, as a page. `caller` may be nobody. */
void page_write_problem(FILE *out, const struct caller *caller, const struct reply_problem *problem);

/* What came of a deed that is not seen on the page that it leads to. */
void page_write_done(FILE *out, const struct caller *caller, const char *title, const json_t *answer,
                     const char *back);

#endif
