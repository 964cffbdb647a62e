/* A collection that falls on a holiday is refused or moved by the bank, and then comes on another day than
 * the payer was told. Holidays are computed and not listed: a list ends some year, and nobody would notice.
 */
#include "ledger/format/bank/banking_day.h"

#include "ledger/base/instant.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct date {
    int year, month, day; /* from 1 */
};

static struct date read_date(const char *text)
{
    assert(instant_is_date(slice_of(text)));
    return (struct date){(int)strtol(text, NULL, 10), (int)strtol(text + 5, NULL, 10),
                         (int)strtol(text + 8, NULL, 10)};
}

static int days_in(int year, int month)
{
    assert(month >= 1 && month <= 12);
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since the last 31 December. */
static int day_of_year(struct date date)
{
    int days = date.day;
    for (int month = 1; month < date.month; month++)
        days += days_in(date.year, month);
    return days;
}

/* 0 for Sunday. Years before this one have 365 days and their leap days; 1 January of year 1 was a Monday. */
static int weekday(struct date date)
{
    assert(date.year >= 1);
    int before = date.year - 1;
    return (before * 365 + before / 4 - before / 100 + before / 400 + day_of_year(date)) % 7;
}

/* Easter Sunday as a day of its year, by the algorithm of Meeus, Jones and Butcher: the Gregorian tables of
 * golden numbers and epacts in whole numbers. */
static int easter(int year)
{
    int golden = year % 19, century = year / 100, of_century = year % 100;
    int sun_moon = century - (century + 8) / 25 + 1;
    int epact = (19 * golden + century - century / 4 - sun_moon / 3 + 15) % 30;
    int to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    int late = (golden + 11 * epact + 22 * to_sunday) / 451;
    int from_march = epact + to_sunday - 7 * late + 114;
    assert(from_march / 31 == 3 || from_march / 31 == 4); /* 22 March to 25 April */
    return day_of_year((struct date){year, from_march / 31, from_march % 31 + 1});
}

static bool is_day(struct date date, int month, int day)
{
    return date.month == month && date.day == day;
}

static bool is_target_holiday(struct date date)
{
    /* Good Friday and Easter Monday move with the moon; the other four are fixed. */
    int from_easter = day_of_year(date) - easter(date.year);
    return from_easter == -2 || from_easter == 1 || is_day(date, 1, 1) || is_day(date, 5, 1) ||
           is_day(date, 12, 25) || is_day(date, 12, 26);
}

/* A day of the week that is the `nth` of its month, -1 for the last. */
static bool is_nth(struct date date, int month, int of_week, int nth)
{
    bool last = date.day + 7 > days_in(date.year, month);
    return date.month == month && weekday(date) == of_week &&
           (nth < 0 ? last : (date.day - 1) / 7 + 1 == nth);
}

/* What falls on a Sunday is kept on the Monday after; what falls on a Saturday is not kept on the Friday
 * before, unlike in federal offices. */
static bool is_kept(struct date date, int month, int day)
{
    return is_day(date, month, day) || (weekday(date) == 1 && is_day(date, month, day + 1));
}

static bool is_fed_holiday(struct date date)
{
    return is_kept(date, 1, 1) ||    /* New Year's Day */
           is_nth(date, 1, 1, 3) ||  /* Martin Luther King, Jr. Day */
           is_nth(date, 2, 1, 3) ||  /* Washington's Birthday */
           is_nth(date, 5, 1, -1) || /* Memorial Day */
           is_kept(date, 6, 19) ||   /* Juneteenth */
           is_kept(date, 7, 4) ||    /* Independence Day */
           is_nth(date, 9, 1, 1) ||  /* Labor Day */
           is_nth(date, 10, 1, 2) || /* Columbus Day */
           is_kept(date, 11, 11) ||  /* Veterans Day */
           is_nth(date, 11, 4, 4) || /* Thanksgiving Day */
           is_kept(date, 12, 25);    /* Christmas Day */
}

static bool moves(enum banking_calendar calendar, struct date date)
{
    int day = weekday(date);
    if (calendar == BANKING_ANY)
        return true;
    return day != 0 && day != 6 &&
           !(calendar == BANKING_TARGET ? is_target_holiday(date) : is_fed_holiday(date));
}

static struct date next_day(struct date date)
{
    if (++date.day > days_in(date.year, date.month)) {
        date.day = 1;
        date.month++;
    }
    return date.month > 12 ? (struct date){date.year + 1, 1, 1} : date;
}

bool banking_day_is(enum banking_calendar calendar, const char *date)
{
    return moves(calendar, read_date(date));
}

const char *banking_day_from(enum banking_calendar calendar, const char *date, char out[BANKING_DATE_MAX])
{
    struct date day = read_date(date);
    /* A few steps: no calendar has more than four such days one after the other. */
    while (!moves(calendar, day))
        day = next_day(day);
    assert(day.year <= 9999); /* no holidays end that year */
    snprintf(out, BANKING_DATE_MAX, "%04d-%02d-%02d", (unsigned)day.year % 10000, (unsigned)day.month % 100,
             (unsigned)day.day % 100);
    return out;
}
