/* The number is the last part that varies: what stands before it is the series, so that a pattern with the
 * year starts anew each year by itself, and gaps within a series can be looked for by its name. */
#include "ledger/base/identifier/series.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool harmless(const char *text)
{
    /* A number is a file's name, too, and stands in XML and in bank files: without anything that would have
     * to be quoted there. */
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    return text[strspn(text, allowed)] == '\0';
}

bool series_read(const char *pattern, const char *date, struct series *series)
{
    static const char number[] = "{number:", year[] = "{year}";
    const char *at = strstr(pattern, number);
    const char *year_at = strstr(pattern, year);
    char *end;
    if (!at || (year_at && year_at > at) || strlen(pattern) >= SERIES_TEXT_MAX)
        return false;
    const char *digits = at + sizeof(number) - 1;
    /* Twelve digits at the most: a number of the ledger's has no more. */
    long count = strtol(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || count < 1 || count > 12 || *end != '}')
        return false;
    int len =
        year_at
            ? snprintf(series->before, sizeof(series->before), "%.*s%.4s%.*s", (int)(year_at - pattern),
                       pattern, date, (int)(at - year_at) - (int)sizeof(year) + 1, year_at + sizeof(year) - 1)
            : snprintf(series->before, sizeof(series->before), "%.*s", (int)(at - pattern), pattern);
    snprintf(series->after, sizeof(series->after), "%s", end + 1);
    int name_len = snprintf(series->name, sizeof(series->name), "%s*%s", series->before, series->after);
    assert(name_len > 0 && (size_t)name_len < sizeof(series->name));
    series->digits = (int)count;
    return len < SERIES_TEXT_MAX && harmless(series->before) && harmless(series->after);
}
