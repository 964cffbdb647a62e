/* Credit: what each crawler has spent and owes at each site, as far as this gate knows, and whether it may
 * spend more. In memory; account.c reads from the ledger what others wrote. Thread-safe: no call does more
 * than look things up under a lock that is held for a moment.
 *
 * What counts is what was read from table "spend", and on top of it what this gate reserved: entries under
 * way, entries that it knows to be recorded but has not read back yet, and entries that may have been
 * recorded. So this gate alone never lets a crawler pass its limit, and counts nothing twice.
 *
 * Agents that are read may have names of accounts of before (ledger/base/http/agent.h): what
 * they spent and owe is the account's that they are now. */
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
};

/* NULL without memory. */
struct credit *credit_new(void);
void credit_free(struct credit *credit);

/* True if the site's billing day at this moment is known: without it nothing can be reserved. */
bool credit_knows(struct credit *credit, struct slice site, int64_t ms);

/* Reserves the charge's amount for its agent, and its origin, at the site, on the day of its payment id.
 * ERR_OK with *claim; ERR_CREDIT_LIMIT_REACHED: it would pass one of the limits, to reach one is fine;
 * ERR_LEDGER_UNAVAILABLE: the day is not known; ERR_OVERLOADED: no memory. */
enum err credit_reserve(struct credit *credit, struct slice site, const struct charge *charge,
                        const struct credit_limits *limits, struct credit_claim *claim) MUST_USE;

/* Tells what became of it; a charge that never got to the writer has an outcome too. Once for a claim; an
 * empty one is fine. */
void credit_settle(struct credit *credit, const struct credit_claim *claim, const struct charge *charge,
                   const struct charge_outcome *outcome);

/* --- What was read from the ledger ---
 * By one thread: credit_begin, then the reading, then credit_apply, or nothing if the reading failed. */

struct credit_mark {
    uint8_t writer_id[UUID_SIZE];
    int64_t sequence; /* batches up to this one were read */
};

struct credit_days {
    struct slice site;
    int64_t starts_ms;
    int64_t ends_ms;
};

/* Sums of batches: those of one writer with numbers above its mark, up to this one. */
struct credit_spend {
    uint8_t writer_id[UUID_SIZE];
    int64_t sequence;
    struct slice site;
    struct slice agent;
    int64_t day_ms; /* start of the billing day */
    int64_t amount_micros;
};

/* What remains of closed days. */
struct credit_balance {
    struct slice site;
    int64_t open_ms;    /* start of the site's first day that is not closed */
    struct slice agent; /* data is NULL: of the site alone */
    int64_t owed_micros;
};

struct credit_news {
    int64_t now_ms;
    uint64_t round; /* from credit_begin */
    const struct credit_days *days;
    size_t day_count;
    const uint8_t (*found)[UUID_SIZE]; /* of the doubtful ids, those that are recorded; read before `spend` */
    size_t found_count;
    const struct credit_balance *balances; /* NULL: not read this time; read before `spend` */
    size_t balance_count;
    const struct credit_spend *spend;
    size_t spend_count;
};

/* Before anything is read. */
uint64_t credit_begin(struct credit *credit);

/* For the reading thread until credit_apply: up to where each writer was read. */
const struct credit_mark *credit_marks(const struct credit *credit, size_t *count);

/* Copies up to `room` ids of entries that may have been recorded; returns how many. */
size_t credit_doubts(struct credit *credit, uint8_t (*ids)[UUID_SIZE], size_t room);

/* All of it or, with ERR_OVERLOADED, nothing. */
enum err credit_apply(struct credit *credit, const struct credit_news *news) MUST_USE;

#endif
