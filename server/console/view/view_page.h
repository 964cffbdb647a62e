/* The addresses of the console, and which views each shows. */
#ifndef SERVER_CONSOLE_VIEW_VIEW_PAGE_H
#define SERVER_CONSOLE_VIEW_VIEW_PAGE_H

#include "server/console/view/view.h"

/* An address: an object, tables, or both. */
struct view_page {
    const char *path;  /* "/invoice" */
    const char *title; /* {name} in it is a parameter */
    const char *menu;  /* its name in the menu; NULL: it is not there */
    enum role_right right;
    const char *needs;    /* parameters that must be given, parted by spaces */
    const char *object;   /* a command that prints an object; NULL: none */
    const char *views[8]; /* names; the first is what CSV has. Those that a role may not see are left out */
    const char *about;    /* what one sees there, a sentence; NULL: none */
};

extern const struct view_page view_pages[]; /* ended by a NULL path */

/* The one at the path; NULL: there is none. */
const struct view_page *view_page_at(const char *path);

#endif
