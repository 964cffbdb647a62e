/* The audit: everything that was made of the entries is made of them again and compared, row by row. Whatever
 * somebody changed behind the ledger's back, with rights that no program of ours has, is found and named. */
#ifndef LEDGER_AUDIT_AUDIT_H
#define LEDGER_AUDIT_AUDIT_H

#include "ledger/evidence/book.h"
#include "ledger/proof/log_check.h"
#include "ledger/pg/pg.h"

/* Told of each finding: the site, or "" when it concerns the database; which row; what is wrong with it. */
typedef void audit_tell(void *context, const char *site, const char *row, const char *problem);

struct audit_order {
    const struct config *config; /* roles */
    const char *site;            /* NULL: all */
    const struct log_trust *trust;
    const struct log_kept *kept; /* a checkpoint that was kept elsewhere; NULL: none */
    struct evidence_book *book;  /* by which entries are judged again; NULL: no offer key is at hand */
    audit_tell *tell;
    void *context;
};

struct audit_result {
    int64_t sites;
    int64_t days;
    int64_t away;        /* of these, with entries in files, which were not read */
    int64_t bare;        /* days that were closed before rows beside the entries were sealed, too */
    char bare_until[16]; /* the last of them; "": there is none */
    int64_t findings;
    int64_t judged;         /* entries */
    int64_t unjudged;       /* days with entries that the night has judged, and nobody could again */
    int64_t unproven;       /* entries that are not billed, as they are not what was signed */
    int64_t conflicts;      /* attempts to use a payment id again, which were refused */
    int64_t conflicts_kept; /* of these, in full; the rest is a number */
    bool compared;          /* the log of what was kept was found, and held beside it */
    struct log_kept_result kept;
    bool busy; /* a night is at work: its site was not audited */
};

/* The first part of it alone, which does not grow with history: whether what keeps rows from being changed is
 * as this version makes it. Of the order counts configuration and tell. */
enum err audit_guards(struct pg *pg, const struct audit_order *order, struct audit_result *result) MUST_USE;

/* Keeps the night out of a site while that is audited. Of each kind of finding at most 20 are told. */
enum err audit_run(struct pg *pg, const struct audit_order *order, struct audit_result *result) MUST_USE;

#endif
