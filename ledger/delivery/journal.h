/* The journal of deliveries: a thread that every second writes what was delivered into the ledger's table
 * "delivery", by a connection of its own. No request ever waits for it. While the database is away they are
 * kept, as long as there is room. */
#ifndef LEDGER_DELIVERY_JOURNAL_H
#define LEDGER_DELIVERY_JOURNAL_H

#include "ledger/base/config/config.h"
#include "ledger/delivery/delivery.h"

struct journal;

/* Starts the thread. A missing database is no error. `config` must outlive the journal's stop: its connection
 * is used. NULL without memory or thread. */
struct journal *journal_start(const struct config *config);

/* One more user, who gives it back by journal_release: an answer may take longer than the gate that made it.
 */
struct journal *journal_take(struct journal *journal);
void journal_release(struct journal *journal);

/* Of files that it has read, or that its users have. */
struct file_digests *journal_files(struct journal *journal);

/* Copies the delivery, with its texts, and takes over its file. What there is no room for, and what comes
 * after the end, is counted as lost. From any thread. */
void journal_add(struct journal *journal, const struct delivery *delivery);

/* Writes what it has, if the database is there and takes it within ledger.timeout_seconds, ends the thread
 * and releases it. NULL is fine. */
void journal_stop(struct journal *journal);

#endif
