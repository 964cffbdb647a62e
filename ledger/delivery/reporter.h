/* Whom to tell what was not delivered: the writer of the configuration that serves. An answer, and a call of
 * a tool, may take longer than the configuration under which it began, and its writer has gone with it. */
#ifndef LEDGER_DELIVERY_REPORTER_H
#define LEDGER_DELIVERY_REPORTER_H

#include "ledger/entry/writer.h"

struct reporter;

/* Without a writer as yet. NULL without memory. */
struct reporter *reporter_new(void) MUST_USE;

/* Nobody may have a use for it any more. NULL is fine. */
void reporter_free(struct reporter *reporter);

/* From now on it is this one, which must not stop before reporter_leave. */
void reporter_use(struct reporter *reporter, struct writer *writer);

/* Whether it is this one, and no other has followed it. */
bool reporter_uses(struct reporter *reporter, const struct writer *writer);

/* The writer is about to stop: if it is this one, nobody is told any more. */
void reporter_leave(struct reporter *reporter, const struct writer *writer);

/* As writer_report; ERR_LEDGER_UNAVAILABLE where there is no writer: the report stays the caller's. From any
 * thread, never waits. */
enum err reporter_report(struct reporter *reporter, struct undelivered_report *report) MUST_USE;

#endif
