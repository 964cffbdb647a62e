/* Which time it is for a night. Closing a day cannot be undone, and a clock that is ahead would close days
 * that gates still write into: so the night's clock must agree with the database's, and the slowest gate's
 * clock decides which days are over. */
#ifndef LEDGER_NIGHT_CLOCKS_H
#define LEDGER_NIGHT_CLOCKS_H

#include "ledger/pg/pg.h"

/* How far clocks may differ, milliseconds. */
#define CLOCKS_MAX_MS 60000

/* *close_by_ms gets the time by which days are over: clock_now_ms, or less by as much as the slowest gate
 * that has reported lately is behind. Entries of a time to come are told. ERR_INTERNAL, after telling the
 * operator, if this machine's clock and the database's are more than CLOCKS_MAX_MS apart. The offset of
 * clock_set_offset_ms is no fault of a clock. */
enum err clocks_agree(struct pg *pg, int64_t *close_by_ms) MUST_USE;

#endif
