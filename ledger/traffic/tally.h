/* The counts of one HTTP thread since they were last collected. The thread adds, and waits at most for
 * another that exchanges a pointer. It has several users, of which the last one frees it: replies that are
 * still being sent may outlive the thread's handler and whoever collects. */
#ifndef LEDGER_TRAFFIC_TALLY_H
#define LEDGER_TRAFFIC_TALLY_H

#include "ledger/base/err.h"
#include "ledger/traffic/counts.h"

#define TALLY_ROWS 768 /* in an interval; 1.9 MB for each thread where all are in use */

/* What is counted, in two tables: who invents paths fills the rows of paths alone. */
struct tallied {
    struct counts *requests;
    struct counts *paths; /* of the requests whose paths are counted; without reasons */
};

/* Room for that many rows in each, as counts_new. False without memory. */
bool tallied_make(struct tallied *tallied, size_t rows) MUST_USE;
void tallied_free(struct tallied *tallied);

/* Forgets all. */
void tallied_clear(struct tallied *tallied);

struct tally;

/* For its first user. NULL without memory. */
struct tally *tally_new(void);

/* One more user, who gets it. */
struct tally *tally_take(struct tally *tally);

/* One user less. NULL is fine. */
void tally_release(struct tally *tally);

/* True if nobody but the caller uses it. */
bool tally_is_left(const struct tally *tally);

/* As counts_add, whatever the key's path; with path_counts also by path, where an empty one stands for other
 * paths. From any thread. */
void tally_add(struct tally *tally, const struct traffic_key *key, bool path_counts,
               const struct traffic_sums *sums);

/* Moves all that is in it to `tallied`. One thread at a time. */
void tally_collect(struct tally *tally, struct tallied *tallied);

#endif
