/* The audit of a day's judgement: each entry is judged again, and what the night has billed, or not, is what
 * it should have. */
#ifndef LEDGER_AUDIT_JUDGEMENT_H
#define LEDGER_AUDIT_JUDGEMENT_H

#include "ledger/evidence/hearing.h"

/* Told of each finding: which row, and what is wrong with it. */
typedef void judgement_tell(void *context, const char *row, const char *problem);

struct judgement_order {
    struct evidence_book *book;
    int64_t site_id;
    const char *first_id, *end_id; /* of the day */
    judgement_tell *tell;
    void *context;
};

/* Inside a transaction. Of a day at most 20 are told. */
enum err judgement_check(struct pg *pg, const struct judgement_order *order, int64_t *entries) MUST_USE;

#endif
