/* The door to time. Nothing else in the programs asks the system what time it is. */
#ifndef LEDGER_BASE_CLOCK_H
#define LEDGER_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Wall clock, milliseconds since 1970-01-01 UTC, moved by the offset. */
int64_t clock_now_ms(void);

/* The same without the offset: what this machine takes for the time. */
int64_t clock_system_ms(void);

/* Moves the wall clock of this process by `offset_ms`, for demonstrations. Call before threads start. */
void clock_set_offset_ms(int64_t offset_ms);

/* The offset in force. */
int64_t clock_offset_ms(void);

/* Reads the offset of a command line, in seconds, at most ten years. False if it is none. */
bool clock_read_offset(const char *seconds, int64_t *offset_ms);

/* Milliseconds from an arbitrary point that never jump: for deadlines. */
int64_t clock_monotonic_ms(void);

/* The same in nanoseconds: to measure by. */
int64_t clock_monotonic_ns(void);

/* Milliseconds since this machine started, in which it may have slept. */
int64_t clock_since_boot_ms(void);

#endif
