/* What the refresh thread reads for the counters, in parts that stand by themselves: each goes on from where
 * its last reading came to, so that one that fails loses nothing, and keeps no other from being read. What is
 * read at the start is where things stand and what came after, whatever the ledger's age. */
#ifndef LEDGER_CREDIT_READING_H
#define LEDGER_CREDIT_READING_H

#include "ledger/credit/credit.h"
#include "ledger/pg/pg.h"

struct reading;

/* For this credit, which must outlive it. NULL without memory. */
struct reading *reading_new(struct credit *credit);
void reading_free(struct reading *reading);

/* The ledger may be another server now: what it says of balances is read from the start. */
void reading_reconnected(struct reading *reading);

/* The parts, in this order. Each in statements of its own, which all have the connection's time. */

/* The sites and their days; what was spent before them must be in balances, or is read as "spend". */
enum err reading_days(struct reading *reading, struct pg *pg) MUST_USE;

/* Where accounts stand; after the first time, how that has changed. */
enum err reading_balances(struct reading *reading, struct pg *pg) MUST_USE;

/* What was spent; at first from the first day on that is in no balance, later what came after. Halves what
 * it asks for at once after a failure. When this and the balances were read once, payments are taken on the
 * days that reading_days has read. */
enum err reading_spend(struct reading *reading, struct pg *pg) MUST_USE;

/* Adds days that are long over and not closed to the balances, for a while. *more: there are others. */
enum err reading_accruals(struct reading *reading, struct pg *pg, bool *more) MUST_USE;

/* The next site, after the one at *at, on which no payments are taken because too many of its days are not
 * closed, and where these begin. NULL: no other. Starts with *at = 0. Valid until reading_days. */
const char *reading_behind(const struct reading *reading, size_t *at, int64_t *open_ms);

#endif
