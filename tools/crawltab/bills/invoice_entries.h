/* `crawltab invoice entries`: what an invoice or one of its lines is made of, item by item. */
#ifndef TOOLS_CRAWLTAB_BILLS_INVOICE_ENTRIES_H
#define TOOLS_CRAWLTAB_BILLS_INVOICE_ENTRIES_H

#include "tools/crawltab/frame/command.h"

struct invoice_entries {
    const char *number;
    const char *site; /* NULL: the only one that has the number */
    const char *line; /* NULL: all */
    bool csv, json;
    int64_t line_number; /* set by the check; 0: all */
};

/* True if the options fit; says what does not. */
bool invoice_entries_check(struct invoice_entries *entries);

/* Prints them, after the check. EXIT_FAILED also if they do not come to what is billed. */
enum exit_status invoice_entries_run(struct pg *pg, const struct invoice_entries *entries);

#endif
