/* Reports of what was not delivered, on their way into the ledger: a bounded list that any thread may add to.
 * A report stays in it until it is written, so that its payment id is known to be dead all the while. */
#ifndef LEDGER_ENTRY_REPORTS_H
#define LEDGER_ENTRY_REPORTS_H

#include "ledger/entry/receipt_cache.h"
#include "ledger/entry/undelivered.h"

struct reports;

/* NULL without memory. */
struct reports *reports_new(void) MUST_USE;
/* It must be empty (reports_expire). NULL is fine. */
void reports_free(struct reports *reports);

/* False: too many wait, the report stays the caller's. */
bool reports_put(struct reports *reports, struct undelivered_report *report);

/* Whether this payment's page is reported as undelivered, and not in the ledger yet. */
bool reports_has(struct reports *reports, const uint8_t payment_id[UUID_SIZE]);

/* Whether there is one that no thread is writing. */
bool reports_wait(struct reports *reports);

/* Writes some of them, each within `timeout_ms`, and makes the cache know that they are. False: the
 * session is of no use any more. One thread at a time does something, others return at once. */
bool reports_write(struct reports *reports, struct session *session, struct receipt_cache *receipts,
                   int64_t timeout_ms);

/* Answers those at the front whose deadline is `until_ms` or before; INT64_MAX: all. */
void reports_expire(struct reports *reports, int64_t until_ms);

#endif
