/* What came in: the movements of a bank's file, booked on the invoices of one site. What is not sure is left
 * for a person, with the reason; nothing is dropped. */
#ifndef LEDGER_COLLECT_INTAKE_H
#define LEDGER_COLLECT_INTAKE_H

#include "ledger/pg/pg.h"

#include <jansson.h>

#define INTAKE_TOLD_MAX 320

struct intake {
    struct pg *pg;
    int64_t site_id;
    const char *site;
    const char *currency;
    const char *account; /* whose movements are the site's, without spaces; "" if it is not known */
    const char *actor;
    bool dry_run;    /* everything is done in one transaction, which intake_close rolls back */
    json_t *numbers; /* of the site's invoices, by intake_open */
};

enum intake_kind {
    INTAKE_BOOKED,   /* on the invoice */
    INTAKE_RETURNED, /* what had come in went back: the invoice is open again */
    INTAKE_BEFORE,   /* booked before: nothing was changed */
    INTAKE_LEFT,     /* for a person */
    INTAKE_NONE      /* it concerns no invoice: money that went out, or that the bank has not booked */
};

struct intake_result {
    enum intake_kind kind;
    const char *number;         /* the invoice, or NULL; valid while it is told */
    const char *amount;         /* what of the movement went to it, a decimal */
    char told[INTAKE_TOLD_MAX]; /* what was done or why not, a clause */
};

/* Called once for each movement, or once for each invoice of a collection that a movement pays. */
typedef void intake_tell(void *context, const json_t *movement, const struct intake_result *result);

/* Reads which invoices there are. intake_close is due also after an error. */
enum err intake_open(struct intake *intake) MUST_USE;
void intake_close(struct intake *intake);

/* Takes one movement of ledger/format/bank/movement.h. What is done to one invoice is one transaction: killed
 * anywhere, the file can be given again. */
enum err intake_take(const struct intake *intake, const json_t *movement, intake_tell *tell,
                     void *context) MUST_USE;

#endif
