/* Patterns of document numbers, such as "INV-{year}-{number:6}": a series for each text of everything but the
 * number. */
#ifndef LEDGER_BASE_IDENTIFIER_SERIES_H
#define LEDGER_BASE_IDENTIFIER_SERIES_H

#include <stdbool.h>

#define SERIES_TEXT_MAX 32

struct series {
    char name[2 * SERIES_TEXT_MAX]; /* "INV-2026-*" */
    char before[SERIES_TEXT_MAX];   /* "INV-2026-" */
    char after[SERIES_TEXT_MAX];
    int digits; /* the number has at least so many */
};

/* The series of a day, a date "YYYY-MM-DD". False if the pattern is none: it has letters, digits, "-", "_",
 * "." and "/" and, once, "{number:DIGITS}" with 1 to 12 digits; "{year}" may stand before that. */
bool series_read(const char *pattern, const char *date, struct series *series);

#endif
