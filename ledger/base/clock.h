/* The door to time. Nothing else in the programs asks the system what time it is. */
#ifndef LEDGER_BASE_CLOCK_H
#define LEDGER_BASE_CLOCK_H

#include <stdint.h>

/* Wall clock, milliseconds since 1970-01-01 UTC, moved by the offset. */
int64_t clock_now_ms(void);

/* Moves the wall clock of this process by `offset_ms`, for demonstrations. Call before threads start. */
void clock_set_offset_ms(int64_t offset_ms);

/* Milliseconds from an arbitrary point that never jump: for deadlines. */
int64_t clock_monotonic_ms(void);

#endif
