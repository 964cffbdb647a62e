/* The gate's view of accounts: agreements, what crawlers have spent and owe, and keys of resource servers. A
 * thread with a connection of its own reads every ledger.refresh_seconds what has changed in the
 * ledger. While the ledger is away, or a part of it cannot be read, what was read last stays in use. */
#ifndef LEDGER_CREDIT_REFRESH_H
#define LEDGER_CREDIT_REFRESH_H

#include "ledger/credit/agreements.h"
#include "ledger/credit/credit.h"
#include "ledger/token/tokens.h"

struct refresh;

/* Starts the thread. A missing database is no error. `config` must outlive the book: its connection is used,
 * and its sites are waited for at first. NULL without memory or thread. */
struct refresh *refresh_start(const struct config *config);

/* From now on with the times of this configuration: ledger.refresh_seconds and ledger.timeout_seconds. What
 * was read and what is reserved stays. */
void refresh_adopt(struct refresh *book, const struct config *config);

/* Ends the thread and frees. Waits for a reading that is under way. NULL is fine. */
void refresh_stop(struct refresh *book);

/* The next reading is to come soon, though not before a tenth of a second has gone by since the last. */
void refresh_press(struct refresh *book);

/* True if agreements were read, and the days of all these sites are known. If not, they are read at once and
 * not only at the next time. */
bool refresh_ready(struct refresh *book, const struct config *config);

/* The agreements as read last; the caller calls agreements_free. NULL before they were read for the first
 * time: what anything costs is not known then. */
struct agreements *refresh_take_agreements(struct refresh *book);

/* The keys of resource servers as read last; the caller calls tokens_free. NULL before the first time. */
struct tokens *refresh_take_tokens(struct refresh *book);

/* When nights have worked last on a site, by the wall clock; 0: never yet. */
struct refresh_night {
    int64_t sealed_ms; /* its newest sealed day */
    int64_t closed_ms; /* its newest closed day: the last night that got so far */
};

/* False while it is not known, or the ledger has no such site. */
bool refresh_night(struct refresh *book, struct slice site, struct refresh_night *night);

/* The last audit of the ledger that a night did not keep from any of it. */
struct refresh_audit {
    int64_t happened_ms; /* by the wall clock; 0: never yet, or not known */
    int64_t findings;
};

struct refresh_audit refresh_audit(struct refresh *book);

/* The counters; live as long as the book. */
struct credit *refresh_credit(struct refresh *book);

#endif
