/* Corrections of charges: rows of their own, which the close of their day turns into credit notes, or into
 * lines of the next invoice while the charge stands on none. */
#ifndef LEDGER_BILL_ADJUSTMENT_H
#define LEDGER_BILL_ADJUSTMENT_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/pg/pg.h"

/* One row. */
struct adjustment_row {
    int64_t site_id;
    int64_t crawler_id;
    const char *kind;          /* "reversal", "refund", "credit" or "void" */
    const uint8_t *payment_id; /* UUID_SIZE; NULL with "void" */
    const char *number;        /* with "void" */
    int64_t amount_micros;
    const char *reason;
    const char *actor;
};

/* Inside a transaction: what is checked from here on stays true until it ends. */
enum err adjustment_lock(struct pg *pg, int64_t site_id) MUST_USE;

/* Inserts the row under a new id of `now_ms`, which `id` gets unless it is NULL. */
enum err adjustment_insert(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                           uint8_t id[UUID_SIZE]) MUST_USE;

enum adjustment_outcome {
    ADJUSTMENT_DONE,
    ADJUSTMENT_NO_CHARGE, /* no entry has this payment id */
    ADJUSTMENT_TOO_MUCH,  /* more than what is left of what was billed for it, or of its invoice */
    ADJUSTMENT_VOID,      /* the charge's invoice is void: all of it was taken back */
    ADJUSTMENT_UNPROVEN   /* the close of its day found the entry not proven: it is never billed */
};

/* What was made, or what stood in its way. */
struct adjustment_made {
    uint8_t id[UUID_SIZE];
    int64_t site_id, crawler_id; /* the charge's */
    int64_t amount_micros;
    int64_t left_micros;     /* with ADJUSTMENT_TOO_MUCH: the most that can be taken back */
    int64_t discount_micros; /* what the agreement takes off the charge */
    char currency[8];
    char invoice[64]; /* on which the charge stands; "": on none yet */
};

/* The same in parts, inside a transaction that holds adjustment_lock of the charge's site. adjustment_look:
 * what would come of it, without doing it. */
enum err adjustment_look(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                         enum adjustment_outcome *outcome, struct adjustment_made *made) MUST_USE;
enum err adjustment_apply(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                          enum adjustment_outcome *outcome, struct adjustment_made *made) MUST_USE;

/* Corrects a charge: `row` with payment id, kind, reason and actor; amount 0 takes back all that is left.
 * What the agreement covers or discounts was not billed, and is not given back. */
enum err adjustment_make(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                         enum adjustment_outcome *outcome, struct adjustment_made *made) MUST_USE;

#endif
