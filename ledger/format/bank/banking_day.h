/* On which days banks move money. Pure: holidays are computed, for every year of the Gregorian calendar. */
#ifndef LEDGER_FORMAT_BANK_BANKING_DAY_H
#define LEDGER_FORMAT_BANK_BANKING_DAY_H

#include <stdbool.h>

#define BANKING_DATE_MAX 11

enum banking_calendar {
    BANKING_ANY,    /* every day: no bank takes part */
    BANKING_TARGET, /* TARGET, the Eurosystem's: SEPA */
    BANKING_FED     /* the US Federal Reserve: ACH */
};

/* Whether money moves on a date "2026-11-30". Asserts that it is one. */
bool banking_day_is(enum banking_calendar calendar, const char *date);

/* The date itself if money moves on it, or the next on which it does; in `out`, which is returned. */
const char *banking_day_from(enum banking_calendar calendar, const char *date, char out[BANKING_DATE_MAX]);

#endif
