/* The night: closing a site's days, in order. A day is sealed first, in a short transaction, so that nobody
 * can write into it any more; then one transaction makes all that follows from its entries. What it writes
 * depends on the ledger alone and not on when it is run: the times in it are the instant at which the day
 * became due. */
#ifndef LEDGER_NIGHT_DAY_H
#define LEDGER_NIGHT_DAY_H

#include "ledger/proof/day_tree.h"
#include "ledger/bill/invoice.h"
#include "ledger/night/unproven.h"
#include "ledger/proof/note.h"

#define DAY_DATE_MAX 16

/* What is to be closed, by whom. */
struct day_order {
    int64_t site_id;
    const struct invoice_seller *seller;
    const char *last_date;      /* "YYYY-MM-DD": no day after it; NULL: every day that is due */
    const char *actor;          /* for the log of operators' actions */
    int64_t now_ms;             /* which days are due, and the time of the operator's action */
    bool dry_run;               /* days are made, nothing is sealed, all else is done and then rolled back */
    const struct note_key *key; /* signs the checkpoints; may be NULL in a dry run */
    struct evidence_book *book; /* by which entries are judged; NULL: they are not, and all are billed */
    bool unknown_offers;        /* a day is closed even if no entry's id is of an offer key that is known */
    day_tree_tell *progress;    /* NULL: nobody is told */
    void *progress_context;
};

struct day_closed {
    char date[DAY_DATE_MAX];
    int64_t entries;
    int64_t sum_micros;
    int64_t invoices;
    int64_t invoiced_micros;
    struct unproven_sum unproven; /* of the day's entries, beside those; none are if none were judged */
};

/* Told after each day: when it is committed or, in a dry run, before everything is rolled back, so that `pg`
 * can be asked for details. */
typedef enum err day_tell(struct pg *pg, const struct day_closed *closed, void *context);

/* Closes every due day of the order. `busy` is set if another run is at this site's days: then nothing was
 * done. Killed at any point it leaves whole days, and the next run goes on with the same results. */
enum err day_close_due(struct pg *pg, const struct day_order *order, day_tell *tell, void *context,
                       bool *busy) MUST_USE;

struct day_status {
    bool known;
    bool closed;
    int64_t due_ms; /* from then on it can be closed; with `known` */
};

enum err day_read(struct pg *pg, int64_t site_id, const char *date, struct day_status *status) MUST_USE;

#endif
