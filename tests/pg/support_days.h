/* Days that are over: entries made by a writer whose clock is days behind, for the real command on the real
 * clock to close. */
#ifndef TESTS_PG_SUPPORT_DAYS_H
#define TESTS_PG_SUPPORT_DAYS_H

#include "tests/pg/support.h"

#define DAY_MS ((int64_t)86400000)

/* Midnight UTC of the day from which the tests count back: the one on which this program started, or, in the
 * first days of a year, one of the year before, since invoice numbers start anew with the year. */
int64_t days_base_ms(void);

/* The date `days` before the base day; of an instant. Static, for the next few calls. */
const char *days_date(int days);
const char *days_date_of(int64_t ms);

/* `count` payments of the agent at noon UTC, `days` before the base day. Returns the last one's id, static.
 */
const uint8_t *days_charge(int days, const char *agent, int64_t amount_micros, size_t count);

/* The same from an instant on. */
const uint8_t *days_charge_at(int64_t at_ms, const char *agent, int64_t amount_micros, size_t count);

#endif
