/* Rows of a view written out: as a table of a page, as JSON, as CSV. */
#ifndef SERVER_CONSOLE_VIEW_WRITE_H
#define SERVER_CONSOLE_VIEW_WRITE_H

#include "server/console/view/read.h"

#include <stdio.h>

/* An HTML table with what leads on: more rows, sorting, CSV and JSON. `address` is that of its page, such as
 * "/invoices", and `given` what the page is asked to show this table alone. */
void write_table(FILE *out, const struct view *view, const struct view_rows *rows, const char *address,
                 const json_t *given);

/* {"rows": [...], "next": ...} with the view's columns alone, and the currency. */
json_t *write_json(const struct view *view, const struct view_rows *rows);

/* RFC 4180, with a head; amounts are decimals. Text that a spreadsheet would take for a formula gets an
 * apostrophe in front. */
void write_csv(FILE *out, const struct view *view, const struct view_rows *rows);

/* What of `given` is a query: "site=a&from=b", without the parameter `less`. */
void write_query(FILE *out, const json_t *given, const char *less);

#endif
