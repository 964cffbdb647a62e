/* Paid pages that were not delivered whole: the site's own server broke off after the entry was there. The
 * fact is recorded once; the payment's id opens nothing from then on, and the night takes the charge back.
 * Or they were, and their server says what is billed in the end: the night takes back what is above it. Of a
 * payment there is one such end. */
#ifndef LEDGER_ENTRY_UNDELIVERED_H
#define LEDGER_ENTRY_UNDELIVERED_H

#include "ledger/entry/session.h"

enum undelivered_outcome {
    UNDELIVERED_RECORDED,
    UNDELIVERED_KNOWN,     /* it was recorded before */
    UNDELIVERED_DIFFERS,   /* it has another end, or its entry is of no more than the final amount */
    UNDELIVERED_NO_CHARGE, /* nobody has paid with this id */
    UNDELIVERED_SEALED,    /* the payment's day takes nothing any more: it is for `crawltab adjust` */
};

struct undelivered {
    uint8_t payment_id[UUID_SIZE];
    unsigned status;      /* of the answer; 0: there was none */
    int64_t sent_bytes;   /* that the crawler got, at most */
    int64_t length_bytes; /* that it should have got; -1: not known */
    const char *told_by;  /* "gate", "front", "log" or "server" */
    int64_t final_micros; /* that are billed all the same, less than the entry's amount; 0: it was not
                             delivered */
};

/* Records it in the ledger, as the session's next batch. */
enum err undelivered_record(struct session *session, const struct undelivered *fact,
                            enum undelivered_outcome *outcome) MUST_USE;

/* As a batch of nobody else's: for who has no gate's session. */
enum err undelivered_record_alone(struct pg *pg, const struct undelivered *fact,
                                  enum undelivered_outcome *outcome) MUST_USE;

#define REPORT_MAGIC 0x7e90a2f4u

/* One on its way to the writer and back. Begins as report_of makes it. */
struct undelivered_report {
    uint32_t magic;
    struct undelivered fact;
    int64_t deadline_ms;                             /* clock_monotonic_ms; 0: as long as it takes */
    enum err err;                                    /* ERR_OK: recorded, or not, as the outcome says */
    enum undelivered_outcome outcome;                /* with ERR_OK */
    void (*done)(struct undelivered_report *report); /* on a writer's thread; the report may end in it */
    struct undelivered_report *next;                 /* the writer's */
};

static inline struct undelivered_report report_of(const struct undelivered *fact,
                                                  void (*done)(struct undelivered_report *report))
{
    return (struct undelivered_report){.magic = REPORT_MAGIC, .fact = *fact, .done = done};
}

#endif
