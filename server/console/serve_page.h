/* Answers with a page, as HTML, JSON or CSV. */
#ifndef SERVER_CONSOLE_SERVE_PAGE_H
#define SERVER_CONSOLE_SERVE_PAGE_H

#include "server/console/seat.h"
#include "server/console/view/view_page.h"

void serve_page(const struct seat *seat, const struct asked *ask, const struct caller *caller,
                const struct view_page *page);

#endif
