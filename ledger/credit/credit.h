/* Credit: what each crawler has spent and owes at each site, as far as this gate knows, and whether it may
 * spend more. In memory; refresh.c reads from the ledger what others wrote. Thread-safe: no call does more
 * than look things up under a lock that is held for a moment.
 *
 * What counts is what was read from table "spend", and on top of it what this gate reserved: entries under
 * way, entries that it knows to be recorded but has not read back yet, and entries that may have been
 * recorded. So this gate alone never lets a crawler pass its limit, and counts nothing twice.
 *
 * What was spent may be read under names of accounts of before (ledger/base/http/agent.h): it is the
 * account's that they are now. Balances are read of present accounts alone, with what those of before owe in
 * them. */
#ifndef LEDGER_CREDIT_CREDIT_H
#define LEDGER_CREDIT_CREDIT_H

#include "ledger/entry/charge.h"

#define CREDIT_NONE (-1) /* no limit */

struct credit;
struct credit_account;

struct credit_limit {
    int64_t day_micros;     /* in one billing day of the site; or CREDIT_NONE */
    int64_t balance_micros; /* entries not invoiced and invoices not paid; or CREDIT_NONE */
};

/* An origin may have many accounts, a path each: whoever has it makes as many as it likes. */
struct credit_limits {
    struct credit_limit account;
    struct credit_limit origin; /* of all the accounts of the charge's origin together */
};

/* What was reserved. Starts as {NULL}. */
struct credit_claim {
    struct credit_account *account;
    int64_t day_ms;
    bool doubtful; /* an earlier try may have recorded it: what that one reserved is reserved now */
    bool pressing; /* a good part of what was left is held: what others took is to be read soon */
};

/* NULL without memory. */
struct credit *credit_new(void);
void credit_free(struct credit *credit);

/* True if the site's billing day at this moment is known: without it nothing can be reserved. */
bool credit_knows(struct credit *credit, struct slice site, int64_t ms);

/* When the site's billing day at this moment ends, if it is sealed already; else 0. Who wants to pay on it
 * has to wait until then. */
int64_t credit_sealed_until(struct credit *credit, struct slice site, int64_t ms);

/* Reserves the price that was offered for the charge, for its agent, and its origin, at the site, on the day
 * of its payment id. ERR_OK with *claim; ERR_CREDIT_LIMIT_REACHED: it would pass one of the limits, to reach
 * one is fine; ERR_LEDGER_UNAVAILABLE: the day is not known, or sealed; ERR_OVERLOADED: no memory. */
enum err credit_reserve(struct credit *credit, struct slice site, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim) MUST_USE;

/* Where an account stands, as reservations see it. */
struct credit_standing {
    int64_t spent_micros; /* on the site's billing day at the moment */
    int64_t owed_micros;  /* entries not invoiced and invoices not paid */
    int64_t left_micros;  /* that may still be spent; CREDIT_NONE: any amount */
};

/* Of the agent at the site, now. False: the day is not known. */
bool credit_stand(struct credit *credit, struct slice site, struct slice agent, int64_t now_ms,
                  const struct credit_limits *limits, struct credit_standing *standing) MUST_USE;

/* Tells what became of it: what the entry's amount is less than the price is free again. A charge that never
 * got to the writer has an outcome too. Once for a claim; an empty one is fine. */
void credit_settle(struct credit *credit, const struct credit_claim *claim, const struct charge *charge,
                   const struct charge_outcome *outcome);

/* --- What was read from the ledger ---
 * By one thread. Each of these functions takes all that it is given or, with ERR_OVERLOADED, nothing. */

/* A billing day of a site that payment ids of now can belong to. */
struct credit_day {
    struct slice site;
    int64_t starts_ms;
    int64_t ends_ms;
    int64_t counted_ms; /* what was spent before is in the site's balances, for accounts that have none too */
    bool taken;  /* payments are; false: what was spent is still being read, and the day as if not known */
    bool sealed; /* it takes no entry any more */
};

/* These are the days, those of a site together; what was told before is none any more. Tell them before
 * anything else that is read of their sites. */
enum err credit_apply_days(struct credit *credit, const struct credit_day *days, size_t count) MUST_USE;

/* Where an account stands. */
struct credit_balance {
    struct slice site;
    struct slice agent;
    int64_t owed_micros; /* less than nothing: the crawler has it to its credit */
    int64_t counted_ms;  /* what was spent before this moment is in it */
};

enum err credit_apply_balances(struct credit *credit, const struct credit_balance *balances,
                               size_t count) MUST_USE;

/* Up to where a writer was read in one quarter of an hour, or where a batch stands. */
struct credit_mark {
    int64_t quarter; /* since 1970, of the payment ids */
    uint8_t writer_id[UUID_SIZE];
    int64_t sequence; /* batches up to this one were read */
};

/* What an account spent on one billing day: as the batches say that the mark is about, those of one writer in
 * one quarter above its former mark; or, without a mark, in quarters that nobody writes into any more. */
struct credit_spend {
    struct slice site;
    struct slice agent;
    int64_t day_ms; /* start of the billing day */
    int64_t amount_micros;
    struct credit_mark mark; /* sequence 0: none */
};

/* What was spent in quarters that nobody writes into any more; each is told once. */
enum err credit_apply_past(struct credit *credit, const struct credit_spend *spend, size_t count) MUST_USE;

/* One round of reading what writers add. Balances are told before it when both are read: a day is then in
 * one of them, and in both only for a moment, which is the safe side. */
struct credit_news {
    uint64_t round;                    /* from credit_begin */
    int64_t now_ms;                    /* before it was read */
    int64_t first_quarter;             /* quarters before were not asked for, and never will be again */
    const uint8_t (*found)[UUID_SIZE]; /* of the doubtful ids, those that are recorded; read before `spend` */
    size_t found_count;
    const struct credit_spend *spend;
    size_t spend_count;
};

/* Before a round; then it reads, and tells with credit_apply_spend, or does not if the reading failed. */
uint64_t credit_begin(struct credit *credit);
enum err credit_apply_spend(struct credit *credit, const struct credit_news *news) MUST_USE;

/* Forgets all that credit_apply_past and credit_apply_spend were told, to be told it again from the start.
 * What is reserved stays so. */
void credit_forget_spend(struct credit *credit);

/* For the reading thread until credit_apply_spend: up to where each writer was read. */
const struct credit_mark *credit_marks(const struct credit *credit, size_t *count);

/* Copies up to `room` ids of entries that may have been recorded, in turn; returns how many. */
size_t credit_doubts(struct credit *credit, uint8_t (*ids)[UUID_SIZE], size_t room);

#endif
