/* The night that a gate starts by itself (`nightly.at`): at its times it runs the `crawltab nightly` that
 * lies beside the gate's own program, and between them `crawltab checkpoint interim`, one after the other.
 * They share the ledger and never call each other, so that is all: a program is started and its end is
 * logged. Of several gates the first one closes the days, the others find it busy. */
#ifndef SERVER_RUN_SCHEDULE_H
#define SERVER_RUN_SCHEDULE_H

#include "ledger/base/config/config.h"

struct schedule;

/* Starts the thread. `file`, the configuration for the command, must outlive it; the times, "HH:MM", are
 * copied; `interim_ms` is the time between two, 0: open days are not signed. NULL without memory or thread,
 * after logging; also, silently, when no time is configured: there is nothing to do then. */
struct schedule *schedule_start(const char *file, const struct config_list *times, int64_t interim_ms);

/* Ends the thread, and a night that is under way: it goes on at the next run. NULL is fine. */
void schedule_stop(struct schedule *schedule);

#endif
