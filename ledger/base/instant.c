/* Calendar dates are the Gregorian calendar's and in UTC; what a local date is, and when it begins, only
 * PostgreSQL says, which has the time zones' history. */
#include "ledger/base/instant.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

/* Years of four digits, which is what the forms below have. A file system may hold others. */
#define YEAR_1000_MS (INT64_C(-30610224000) * 1000)
#define YEAR_9999_MS (INT64_C(253402300799) * 1000)

static struct tm split(int64_t ms)
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    time_t time = (time_t)seconds;
    struct tm parts;
    struct tm *known = gmtime_r(&time, &parts);
    assert(known); /* 64 bits of milliseconds are years that an int holds */
    return parts;
}

const char *instant_format(int64_t ms, char out[INSTANT_TEXT_MAX])
{
    struct tm t = split(ms);
    char seconds[INSTANT_TEXT_MAX - sizeof(".000Z") + 1];
    size_t len = strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &t);
    assert(len >= sizeof("1-01-01T00:00:00") - 1); /* 0: it does not fit */
    snprintf(out, INSTANT_TEXT_MAX, "%s.%03dZ", seconds, (int)((ms % 1000 + 1000) % 1000));
    return out;
}

const char *instant_format_http(int64_t ms, char out[INSTANT_TEXT_MAX])
{
    ms = ms < YEAR_1000_MS ? YEAR_1000_MS : ms > YEAR_9999_MS ? YEAR_9999_MS : ms;
    struct tm t = split(ms);
    size_t len = strftime(out, INSTANT_TEXT_MAX, "%a, %d %b %Y %H:%M:%S GMT", &t);
    assert(len == sizeof("Fri, 20 Nov 2026 11:07:16 GMT") - 1);
    return out;
}

static int number(const char *digits, size_t count)
{
    int value = 0;
    assert(count < 10); /* ten digits may be more than an int */
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -1;
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

/* `month` counts from 1. */
static int days_of(int year, int month)
{
    assert(month >= 1 && month <= 12);
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool instant_is_date(struct slice text)
{
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
        return false;
    int year = number(text.data, 4);
    int month = number(text.data + 5, 2);
    int day = number(text.data + 8, 2);
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days_of(year, month);
}

int64_t instant_of_date(const char *date)
{
    assert(instant_is_date(slice_of(date)));
    struct tm tm = {
        .tm_year = number(date, 4) - 1900, .tm_mon = number(date + 5, 2) - 1, .tm_mday = number(date + 8, 2)};
    return (int64_t)timegm(&tm) * 1000;
}

/* The takers below read a text from its front. */
static bool take(struct slice *text, const char *literal)
{
    size_t len = strlen(literal);
    if (!slice_starts(*text, (struct slice){literal, len}))
        return false;
    *text = (struct slice){text->data + len, text->len - len};
    return true;
}

/* One of the names; *index is which. */
static bool take_name(struct slice *text, const char *const *names, int count, int *index)
{
    for (*index = 0; *index < count; ++*index)
        if (take(text, names[*index]))
            return true;
    return false;
}

static bool take_number(struct slice *text, size_t digits, int *value)
{
    *value = text->len < digits ? -1 : number(text->data, digits);
    if (*value < 0)
        return false;
    *text = (struct slice){text->data + digits, text->len - digits};
    return true;
}

static bool take_month(struct slice *text, struct tm *tm)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return take_name(text, names, 12, &tm->tm_mon);
}

static bool take_time(struct slice *text, struct tm *tm)
{
    return take(text, " ") && take_number(text, 2, &tm->tm_hour) && take(text, ":") &&
           take_number(text, 2, &tm->tm_min) && take(text, ":") && take_number(text, 2, &tm->tm_sec);
}

/* ", 06 Nov 1994 08:49:37 GMT", or ", 06-Nov-94 08:49:37 GMT" with a dash and two digits. */
static bool take_date(struct slice text, const char *between, size_t digits, struct tm *tm)
{
    return take(&text, ", ") && take_number(&text, 2, &tm->tm_mday) && take(&text, between) &&
           take_month(&text, tm) && take(&text, between) && take_number(&text, digits, &tm->tm_year) &&
           take_time(&text, tm) && take(&text, " GMT") && text.len == 0;
}

/* " Nov  6 08:49:37 1994". */
static bool take_asctime(struct slice text, struct tm *tm)
{
    return take(&text, " ") && take_month(&text, tm) && take(&text, " ") &&
           (take(&text, " ") ? take_number(&text, 1, &tm->tm_mday) : take_number(&text, 2, &tm->tm_mday)) &&
           take_time(&text, tm) && take(&text, " ") && take_number(&text, 4, &tm->tm_year) && text.len == 0;
}

/* The full year of two digits: the latest that is at most fifty years ahead. */
static int full_year(int digits, int64_t now)
{
    int year = split(now * 1000).tm_year + 1900;
    int full = year - year % 100 + 100 + digits;
    while (full > year + 50)
        full -= 100;
    assert(full > year - 50 && full <= year + 50);
    return full;
}

bool instant_parse_http(struct slice text, int64_t now, int64_t *seconds)
{
    static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    struct tm tm = {.tm_year = 0};
    int day;
    if (take_name(&text, long_days, 7, &day)) {
        if (!take_date(text, "-", 2, &tm))
            return false;
        tm.tm_year = full_year(tm.tm_year, now);
    } else if (!take_name(&text, days, 7, &day) ||
               !(take_date(text, " ", 4, &tm) || take_asctime(text, &tm))) {
        return false;
    }
    /* timegm would carry a 31st of June over into July, so the calendar is asked first. */
    /* A leap second may be told. */
    if (tm.tm_year < 1 || tm.tm_mday < 1 || tm.tm_mday > days_of(tm.tm_year, tm.tm_mon + 1) ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    assert(tm.tm_mon >= 0 && tm.tm_mon < 12 && tm.tm_year <= 9999);
    tm.tm_year -= 1900;
    *seconds = (int64_t)timegm(&tm);
    return true;
}
