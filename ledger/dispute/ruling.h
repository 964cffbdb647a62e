/* Deciding disputes: by rules, as far as these go and up to the agreed caps, and by a person. What is upheld
 * is an adjustment, which the close of its day turns into a credit note or a line of the next invoice. A
 * decision is one transaction: killed anywhere, it was made or it was not. */
#ifndef LEDGER_DISPUTE_RULING_H
#define LEDGER_DISPUTE_RULING_H

#include "ledger/base/identifier/uuid.h"
#include "ledger/dispute/rules.h"

/* What the configuration says where no agreement does. */
struct dispute_caps {
    int64_t share_ppm;    /* of what was charged within 30 days */
    int64_t limit_micros; /* within 30 days; -1: any */
};

enum ruling_outcome {
    RULING_DONE,
    RULING_UNKNOWN,   /* there is no such dispute */
    RULING_DECIDED,   /* it was decided before: `status` says how */
    RULING_FOREIGN,   /* `payment_id` is none of the crawls that it is about */
    RULING_TOO_MUCH,  /* more than is left of `payment_id`: `left_micros` */
    RULING_INCOMPLETE /* entries of its lines are archived */
};

struct ruling {
    enum ruling_outcome outcome;
    char status[16];       /* what the dispute is now */
    int64_t crawls;        /* that it is about */
    int64_t findings;      /* of them upheld, by this ruling and before */
    int64_t upheld_micros; /* in all */
    int64_t capped;        /* that rules would uphold, and the caps do not let them */
    char payment_id[UUID_TEXT_MAX];
    int64_t left_micros;
    char currency[8];
};

/* Lets the rules look at one dispute that none has looked at yet: what they give back is upheld, and if that
 * is not all of it the dispute is referred to a person. Of any other the outcome is RULING_DECIDED. */
enum err ruling_by_rules(const struct dispute_court *court, const char *dispute_id,
                         const struct dispute_caps *caps, int64_t now_ms, struct ruling *ruling) MUST_USE;

/* Told of each. */
typedef void ruling_tell(const char *dispute_id, const struct ruling *ruling, void *context);

/* The same for all disputes of the site that no rule has looked at yet, each in a transaction of its own; the
 * court's crawler is that of each. */
enum err ruling_on_pending(struct dispute_court *court, const struct dispute_caps *caps, int64_t now_ms,
                           ruling_tell *tell, void *context) MUST_USE;

/* A person's. */
struct ruling_order {
    const char *dispute_id;
    bool uphold;                 /* false: reject what is not upheld yet */
    const char *const *payments; /* upheld are these alone, and the rest is rejected; UUIDs */
    size_t payment_count;        /* 0: all */
    int64_t amount_micros;       /* of each; 0: all that is left */
    const char *reason;          /* stands on the credit note, or is why it was rejected */
    const char *actor;
};

enum err ruling_by_person(struct pg *pg, const struct ruling_order *order, int64_t now_ms,
                          struct ruling *ruling) MUST_USE;

#endif
