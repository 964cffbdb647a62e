#include "ledger/base/instant.h"

#include <stdio.h>
#include <time.h>

static struct tm split(int64_t ms)
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    time_t time = (time_t)seconds;
    struct tm parts;
    gmtime_r(&time, &parts);
    return parts;
}

const char *instant_format(int64_t ms, char out[INSTANT_TEXT_MAX])
{
    struct tm t = split(ms);
    char seconds[24];
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(out, INSTANT_TEXT_MAX, "%s.%03dZ", seconds, (int)((ms % 1000 + 1000) % 1000));
    return out;
}

const char *instant_format_http(int64_t ms, char out[INSTANT_TEXT_MAX])
{
    struct tm t = split(ms);
    strftime(out, INSTANT_TEXT_MAX, "%a, %d %b %Y %H:%M:%S GMT", &t);
    return out;
}

static int number(const char *digits, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -1;
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

bool instant_is_date(struct slice text)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
        return false;
    int year = number(text.data, 4);
    int month = number(text.data + 5, 2);
    int day = number(text.data + 8, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}
