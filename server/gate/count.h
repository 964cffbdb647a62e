/* Counts what came of a request, for `crawltab traffic` and for the metrics. */
#ifndef SERVER_GATE_COUNT_H
#define SERVER_GATE_COUNT_H

#include "server/gate/crawl.h"

/* Counts it in the thread's tally, once, when its reply is ready; the bytes of a body that comes piece by
 * piece are counted when the last one has been sent. Returns what it was counted as. */
enum traffic_outcome count_outcome(const struct gate_thread *thread, struct crawl *crawl, enum err outcome);

/* A request that could not be read, and so has no site: in the metrics alone. */
void count_refused(enum err err);

#endif
