/* The log of a program that must not wait for whoever reads it: lines are put into memory, and a thread of
 * their own writes them to standard error. Where the reader does not keep up for long, lines are lost, and a
 * line says how many. */
#ifndef LEDGER_BASE_LOG_QUEUE_H
#define LEDGER_BASE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on lines are queued. False without memory or thread: they are written at once, as before. */
bool log_queue_start(void);

/* Queues a whole line with its newline, or loses it. False when nothing is queued: the caller writes it. */
bool log_queue_put(const char *line, size_t len);

/* How many lines were lost so far. */
int64_t log_queue_lost(void);

/* Writes what is queued, for a second at most if nobody reads it; from then on lines are written at once.
 * When no other thread logs. */
void log_queue_stop(void);

#endif
