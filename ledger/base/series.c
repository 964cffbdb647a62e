#include "ledger/base/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool harmless(const char *text)
{
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
    long count = strtol(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || count < 1 || count > 12 || *end != '}')
        return false;
    int len =
        year_at
            ? snprintf(series->before, sizeof(series->before), "%.*s%.4s%.*s", (int)(year_at - pattern),
                       pattern, date, (int)(at - year_at) - (int)sizeof(year) + 1, year_at + sizeof(year) - 1)
            : snprintf(series->before, sizeof(series->before), "%.*s", (int)(at - pattern), pattern);
    snprintf(series->after, sizeof(series->after), "%s", end + 1);
    snprintf(series->name, sizeof(series->name), "%s*%s", series->before, series->after);
    series->digits = (int)count;
    return len < SERIES_TEXT_MAX && harmless(series->before) && harmless(series->after);
}
