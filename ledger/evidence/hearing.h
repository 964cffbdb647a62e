/* The judgement of many entries: one thread reads them from the ledger, the others judge, one for each core
 * that this process may use. */
#ifndef LEDGER_EVIDENCE_HEARING_H
#define LEDGER_EVIDENCE_HEARING_H

#include "ledger/evidence/judge.h"

#define EVIDENCE_REASON_MAX   32
#define EVIDENCE_FINDINGS_MAX 65536 /* about as many as are kept before they are handed on */

/* Told from time to time how many entries were judged. */
typedef void evidence_tell(void *context, int64_t entries);

struct evidence_order {
    const struct evidence_book *book; /* evidence_book_read for this range, or a larger one */
    int64_t site_id;
    const char *first_id, *end_id; /* entries from the one id to before the other */
    size_t threads;                /* that judge; 0: one for each core */
    evidence_tell *tell;           /* NULL: nobody is told */
    void *context;
};

/* An entry that is not proven, or is listed in the table "unproven". */
struct evidence_finding {
    uint8_t payment_id[UUID_SIZE];
    int64_t crawler_id;
    int64_t amount_micros;
    enum evidence_check failed;       /* EVIDENCE_CHECKS: none, it is proven */
    char listed[EVIDENCE_REASON_MAX]; /* the reason there; "": it is not listed */
};

struct evidence_hearing {
    int64_t entries;                   /* that were judged */
    struct evidence_finding *findings; /* in the order of their ids */
    size_t count, room;
    bool more; /* it stopped because there are many findings: go on from here */
    char next_id[UUID_TEXT_MAX];
};

/* Judges the entries of a range inside the open transaction, in memory that does not grow with their number.
 * *hearing starts as {0}; freed with evidence_hearing_free, whatever comes back. */
enum err evidence_hear(struct pg *pg, const struct evidence_order *order,
                       struct evidence_hearing *hearing) MUST_USE;
void evidence_hearing_free(struct evidence_hearing *hearing);

#endif
