/* The counts of one HTTP thread since they were last collected. The thread adds, and waits at most for
 * another that exchanges a pointer. It has several users, of which the last one frees it: replies that are
 * still being sent may outlive the thread's handler and whoever collects. */
#ifndef LEDGER_TRAFFIC_TALLY_H
#define LEDGER_TRAFFIC_TALLY_H

#include "ledger/traffic/counts.h"

#define TALLY_ROWS 768 /* in an interval; 0.9 MB for each thread where all are in use */

struct tally;

/* For its first user. NULL without memory. */
struct tally *tally_new(void);

/* One more user, who gets it. */
struct tally *tally_take(struct tally *tally);

/* One user less. NULL is fine. */
void tally_release(struct tally *tally);

/* True if nobody but the caller uses it. */
bool tally_is_left(const struct tally *tally);

/* As counts_add. From any thread. */
void tally_add(struct tally *tally, const struct traffic_key *key, const struct traffic_sums *sums);

/* Moves all that is in it to `counts`. One thread at a time. */
void tally_collect(struct tally *tally, struct counts *counts);

#endif
