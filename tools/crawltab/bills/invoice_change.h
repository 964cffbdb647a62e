/* The subcommands of `crawltab invoice` that record what happens to an invoice. */
#ifndef TOOLS_CRAWLTAB_BILLS_INVOICE_CHANGE_H
#define TOOLS_CRAWLTAB_BILLS_INVOICE_CHANGE_H

#include "tools/crawltab/frame/command.h"

struct invoice_change {
    const char *number;
    const char *site;      /* NULL: the only one that has the number */
    const char *amount;    /* of "paid" */
    const char *reference; /* of "paid" */
    const char *date;      /* of "paid"; NULL: today */
    const char *reason;    /* of "void" and "write-off" */
    bool reissue;          /* of "void" */
    bool json;
    int64_t amount_micros; /* set by the check */
};

/* True if what the verb, "paid", "sent", "void" or "write-off", needs is there; says what is missing. */
bool invoice_change_check(const char *verb, struct invoice_change *change);

/* Does it, after the check. */
enum exit_status invoice_change_run(struct pg *pg, const char *verb, const struct invoice_change *change);

#endif
