/* The writer: takes charges from the HTTP threads through a bounded queue and commits everything that has
 * queued meanwhile as one transaction (group commit). One or more threads (ledger.writers), each with
 * a connection, share the queue. A charge is answered exactly once, and with ERR_OK only after its entry
 * is durable (promise P1). */
#ifndef LEDGER_ENTRY_WRITER_H
#define LEDGER_ENTRY_WRITER_H

#include "ledger/base/config/config.h"
#include "ledger/entry/charge.h"
#include "ledger/entry/undelivered.h"

struct writer;

/* Starts the threads. They connect when they can and as often as they must: a missing database is no error.
 * `config` must outlive the writer. NULL without memory or thread. */
struct writer *writer_start(const struct config *config);

/* True if this very entry (id, site, account, amount and resource) is remembered as recorded: the outcome is
 * set as of a repeated one, and there is nothing to submit. No statement and no waiting. */
bool writer_recall(struct writer *writer, const struct charge *charge, struct charge_outcome *outcome);

/* Queues the submission. ERR_OK: `done` will be called once. ERR_OVERLOADED: the queue is full,
 * ERR_LEDGER_UNAVAILABLE: there is no connection; the submission stays the caller's and `done` is not called.
 * Never waits. */
enum err writer_submit(struct writer *writer, struct submission *submission) MUST_USE;

/* Queues what was not delivered. From then on its payment id counts as such here, also before it is written.
 * ERR_OK: `done` will be called once, with ERR_LEDGER_UNAVAILABLE after the report's deadline, or when the
 * writer stops without a connection. ERR_OVERLOADED: too many wait; the report stays the caller's. Never
 * waits. */
enum err writer_report(struct writer *writer, struct undelivered_report *report) MUST_USE;

/* True while there is at least one connection whose schema fits. */
bool writer_ready(const struct writer *writer);

/* True while there is none and the last try to make one failed. */
bool writer_refused(const struct writer *writer);

/* True if every thread has gone through its loop since this said so last: none hangs. A thread that waits for
 * work turns each second. One caller. */
bool writer_turned(struct writer *writer);

/* Commits what is queued, or answers ERR_LEDGER_UNAVAILABLE if there is no connection; ends the threads and
 * frees. No other thread may use the writer any more. NULL is fine. */
void writer_stop(struct writer *writer);

#endif
