/* The reader: one thread with a connection of its own, which answers crawlers' inquiries about their
 * accounts, one after the other. However slow they are, no payment and no other request waits for them. It
 * connects when it is first asked something, and lets the connection go when nobody has asked for a while. */
#ifndef LEDGER_ACCOUNT_READER_H
#define LEDGER_ACCOUNT_READER_H

#include "ledger/account/reading.h"

struct reader;

/* Starts the thread. `config` must outlive it. NULL without memory or thread. */
struct reader *reader_start(const struct config *config);

/* Answers what is queued with ERR_ACCOUNT_UNAVAILABLE, ends the thread, and frees. NULL is fine. */
void reader_stop(struct reader *reader);

/* Takes the reading, from any thread. ERR_OK: `done` will be called, once, and may have been already.
 * ERR_OVERLOADED: too many wait; it stays the caller's.
 *
 * What comes of it: ERR_OK with a body; ERR_ACCOUNT_UNKNOWN: the site has no account of this agent;
 * ERR_ACCOUNT_UNAVAILABLE: the ledger did not answer in time (ledger.timeout_seconds); ERR_INTERNAL; or what
 * the inquiry's topic says. */
enum err reader_submit(struct reader *reader, struct reading *reading) MUST_USE;

#endif
