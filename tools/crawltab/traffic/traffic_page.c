#include "tools/crawltab/traffic/traffic_page.h"

#include "tools/crawltab/frame/csv.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_WIDTH   16
#define LINE_WIDTH  80
#define PATHS_SHOWN 100 /* in a table */
#define HOUR_LEN    16  /* "2026-11-29T14:00" */

const char *traffic_page_number(int64_t number, int64_t plain_below, char out[LOG_NUMBER_MAX])
{
    static const char units[] = "KMGTPE";
    int64_t unit = 1;
    const char *name = units - 1;
    assert(plain_below >= 1000);
    if (number < plain_below) {
        snprintf(out, LOG_NUMBER_MAX, "%" PRId64, number);
        return out;
    }
    for (; number / unit >= 1000 && name < units + 5; name++)
        unit *= 1000;
    int64_t tenths = number / (unit / 10);
    if (tenths < 100)
        snprintf(out, LOG_NUMBER_MAX, "%" PRId64 ".%" PRId64 "%c", tenths / 10, tenths % 10, *name);
    else
        snprintf(out, LOG_NUMBER_MAX, "%" PRId64 "%c", tenths / 10, *name);
    return out;
}

const char *traffic_page_change(int64_t now, int64_t before, char out[TRAFFIC_CHANGE_MAX])
{
    if (before == 0) {
        snprintf(out, TRAFFIC_CHANGE_MAX, "%s", now > 0 ? "new" : "");
        return out;
    }
    if (now / before >= 10) {
        snprintf(out, TRAFFIC_CHANGE_MAX, "x%d", now / before < 9999 ? (int)(now / before) : 9999);
        return out;
    }
    assert(now >= 0 && before > 0 && now / before < 10);
    /* What is left over is less than `before`: nothing overflows that could be counted in years. */
    int percent = (int)(now / before) * 100 + (int)(((now % before) * 100 + before / 2) / before) - 100;
    snprintf(out, TRAFFIC_CHANGE_MAX, "%+d%%", percent);
    return out;
}

/* As it is where it fits. */
static void print_number(int64_t number, int width)
{
    char text[LOG_NUMBER_MAX];
    int64_t below = 1;
    for (int i = 0; i < width && i < 6; i++)
        below *= 10;
    printf(" %*s", width, traffic_page_number(number, below, text));
}

const char *traffic_page_amount(int64_t micros, char out[AMOUNT_TEXT_MAX])
{
    return micros < 1000000000 ? amount_format(micros, out) : amount_format_minor(micros / 10000, 2, out);
}

static void print_columns(const struct traffic_report *report, const struct traffic_figures *figures,
                          int64_t pages)
{
    char text[LOG_NUMBER_MAX], amount[AMOUNT_TEXT_MAX];
    print_number(figures->requests, report->compared ? 6 : 8);
    print_number(figures->offered, 7);
    print_number(figures->paid, report->compared ? 5 : 6);
    print_number(figures->refused, 7);
    if (!report->compared)
        print_number(figures->free, 6);
    print_number(pages, report->compared ? 5 : 6);
    printf(" %5s", traffic_page_number(figures->bytes, 1000, text));
    printf(" %10s", traffic_page_amount(traffic_figures_micros(report, figures), amount));
}

static void print_line(const struct traffic_report *report, const struct traffic_figures *figures,
                       int64_t pages, const struct traffic_earlier earlier[TRAFFIC_EARLIER])
{
    print_columns(report, figures, pages);
    for (int i = 0; i < TRAFFIC_EARLIER && report->compared; i++) {
        char change[TRAFFIC_CHANGE_MAX];
        printf(" %5s", traffic_page_change(figures->requests, earlier[i].requests, change));
    }
    putchar('\n');
}

/* A name that is too long for its column has a line of its own: cut, it would be somebody else's. */
static void print_key(const char *by, const char *key)
{
    if (strcmp(by, "hour") == 0 && strlen(key) > HOUR_LEN) {
        printf("%.10s %.5s", key, key + 11); /* without its distance from UTC */
        return;
    }
    if (strlen(key) > KEY_WIDTH) {
        show_text(stdout, key);
        printf("\n%*s", KEY_WIDTH, "");
        return;
    }
    show_column(stdout, key, KEY_WIDTH);
}

/* Why, and how often: what the table's columns do not say. */
static void print_parts(const struct traffic_report *report, const struct traffic_group *group)
{
    int column = 0;
    char text[160];
    for (int i = 0; i < group->count; i++) {
        const struct traffic_report_row part = traffic_report_part(report, group, i);
        if (!*part.reason && strcmp(part.outcome, "repeated") != 0 && strcmp(part.outcome, "observed") != 0)
            continue;
        int len = snprintf(text, sizeof(text), "%.16s%s%.64s %" PRId64, part.outcome, *part.reason ? " " : "",
                           part.reason, part.requests);
        if (column > 0 && column + 2 + len > LINE_WIDTH) {
            fputs(",\n", stdout);
            column = 0;
        }
        fputs(column == 0 ? "    " : ", ", stdout);
        column += (column == 0 ? 4 : 2) + len;
        show_text(stdout, text);
    }
    if (column > 0)
        putchar('\n');
}

static void print_head(const struct traffic_report *report)
{
    const struct traffic_spans_row *span = report->span;
    char title[KEY_WIDTH + 1];
    if (report->compared)
        printf("TODAY at %s\n%s until %s (%s), in %s\n\n", span->site, span->first_date, span->now,
               span->time_zone, span->currency);
    else
        printf("TRAFFIC of %s\n%s to %s (%s), in %s\n\n", span->site, span->first_date, span->last_date,
               span->time_zone, span->currency);
    if (report->count == 0)
        return;
    if (report->would)
        printf("%*s\n", report->compared ? LINE_WIDTH - 12 : LINE_WIDTH - 2, "would have");
    snprintf(title, sizeof(title), "By %s", report->by);
    show_column(stdout, title, KEY_WIDTH);
    fputs(report->compared ? "  asked offered  paid refused pages bytes     earned yest.  week\n"
                           : " requests offered   paid refused   free  pages bytes     earned\n",
          stdout);
}

/* What the figures are held against, and money. */
static void print_earlier(const struct traffic_report *report)
{
    char yesterday[AMOUNT_TEXT_MAX], week[AMOUNT_TEXT_MAX];
    const struct traffic_earlier *earlier = report->earlier;
    printf("\nyest., week: requests against those of yesterday and of this day a week ago\n"
           "until %s: %" PRId64 " and %" PRId64 ", which %s %s and %s.\n",
           report->span->until, earlier[TRAFFIC_YESTERDAY].requests, earlier[TRAFFIC_LAST_WEEK].requests,
           report->would ? "would have earned" : "earned",
           amount_format(traffic_earlier_micros(report, &earlier[TRAFFIC_YESTERDAY]), yesterday),
           amount_format(traffic_earlier_micros(report, &earlier[TRAFFIC_LAST_WEEK]), week));
}

void traffic_page_print(const struct traffic_report *report)
{
    char money[SHOW_MONEY_MAX];
    bool named = false, by_path = strcmp(report->by, "path") == 0;
    print_head(report);
    if (report->count == 0) {
        puts("nothing was counted");
        return;
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct traffic_group *group = &report->groups[i];
        if (by_path && i == PATHS_SHOWN)
            break;
        named = named || (!group->verified && strcmp(group->key, "others") != 0);
        print_key(report->by, traffic_group_name(report, group));
        print_line(report, &group->figures, group->pages, group->earlier);
        print_parts(report, group);
    }
    if (by_path && report->count > PATHS_SHOWN)
        printf("(%zu more: --csv and --json have them)\n", report->count - PATHS_SHOWN);
    print_key("", "Total");
    print_line(report, &report->all, report->pages, report->earlier);
    if (report->compared)
        print_earlier(report);
    if (report->all.would_micros > 0)
        printf("\nIn observe mode, where nothing was charged, would have been earned: %s\n",
               show_micros(report->all.would_micros, report->span->currency, money));
    if (named && strcmp(report->by, "crawler") == 0)
        puts("\nCrawlers with an address have signed. A name is what anybody can say.");
}

static json_t *part_json(const struct traffic_group *group, const struct traffic_report_row *part)
{
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I}", "outcome", part->outcome, "reason", part->reason,
                     "requests", part->requests, "bytes", part->bytes, "amount_micros", part->amount_micros,
                     "pages", traffic_report_pages(group, part));
}

static json_t *earlier_json(const struct traffic_earlier *earlier)
{
    return json_pack("{s:I,s:I,s:I}", "requests", earlier->requests, "earned_micros", earlier->earned_micros,
                     "would_have_earned_micros", earlier->would_micros);
}

static void add_earlier(json_t *object, const struct traffic_earlier earlier[TRAFFIC_EARLIER])
{
    json_object_set_new(object, "yesterday", earlier_json(&earlier[TRAFFIC_YESTERDAY]));
    json_object_set_new(object, "week_ago", earlier_json(&earlier[TRAFFIC_LAST_WEEK]));
}

static json_t *group_json(const struct traffic_report *report, const struct traffic_group *group)
{
    json_t *parts = json_array();
    for (int i = 0; i < group->count; i++) {
        const struct traffic_report_row part = traffic_report_part(report, group, i);
        json_array_append_new(parts, part_json(group, &part));
    }
    json_t *object =
        json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", report->by, group->key, "verified",
                  (int)group->verified, "requests", group->figures.requests, "bytes", group->figures.bytes,
                  "pages", group->pages, "earned_micros", group->figures.earned_micros,
                  "would_have_earned_micros", group->figures.would_micros, "outcomes", parts);
    if (report->compared)
        add_earlier(object, group->earlier);
    return object;
}

json_t *traffic_page_json(const struct traffic_report *report)
{
    const struct traffic_spans_row *span = report->span;
    json_t *list = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(list, group_json(report, &report->groups[i]));
    json_t *object = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "site", span->site, "currency", span->currency,
        "from", span->first_date, "to", span->last_date, "time_zone", span->time_zone, "by", report->by,
        "requests", report->all.requests, "bytes", report->all.bytes, "pages", report->pages, "earned_micros",
        report->all.earned_micros, "would_have_earned_micros", report->all.would_micros, "traffic", list);
    if (report->compared) {
        add_earlier(object, report->earlier);
        json_object_set_new(object, "now", show_json_text(span->now));
        json_object_set_new(object, "compared_until", show_json_text(report->span->until));
    }
    return object;
}

void traffic_page_csv_head(bool compared)
{
    fputs(compared ? "site,date,by,key,verified,requests,offered,paid,refused,free,pages,bytes,earned,"
                     "would_have_earned,currency,compared_until,requests_yesterday,earned_yesterday,"
                     "would_have_earned_yesterday,requests_week_ago,earned_week_ago,"
                     "would_have_earned_week_ago\r\n"
                   : "site,by,key,verified,outcome,reason,requests,bytes,pages,amount,currency\r\n",
          stdout);
}

static void csv_key(const struct traffic_group *group)
{
    csv_text(group->key);
    fputs(group->verified ? ",yes" : ",no", stdout);
}

static void csv_amount(int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    printf(",%s", amount_format(micros, amount));
}

static void csv_compared(const struct traffic_report *report, const struct traffic_group *group)
{
    const struct traffic_figures *figures = &group->figures;
    csv_text(report->span->site);
    printf(",%s,%s,", report->span->first_date, report->by);
    csv_key(group);
    printf(",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64,
           figures->requests, figures->offered, figures->paid, figures->refused, figures->free, group->pages,
           figures->bytes);
    csv_amount(figures->earned_micros);
    csv_amount(figures->would_micros);
    printf(",%s,%s", report->span->currency, report->span->until);
    for (int i = 0; i < TRAFFIC_EARLIER; i++) {
        printf(",%" PRId64, group->earlier[i].requests);
        csv_amount(group->earlier[i].earned_micros);
        csv_amount(group->earlier[i].would_micros);
    }
    fputs("\r\n", stdout);
}

static void csv_parts(const struct traffic_report *report, const struct traffic_group *group)
{
    for (int i = 0; i < group->count; i++) {
        const struct traffic_report_row part = traffic_report_part(report, group, i);
        csv_text(report->span->site);
        printf(",%s,", report->by);
        csv_key(group);
        printf(",%s,", part.outcome);
        csv_text(part.reason);
        printf(",%" PRId64 ",%" PRId64 ",%" PRId64, part.requests, part.bytes,
               traffic_report_pages(group, &part));
        csv_amount(part.amount_micros);
        printf(",%s\r\n", report->span->currency);
    }
}

void traffic_page_csv(const struct traffic_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        (report->compared ? csv_compared : csv_parts)(report, &report->groups[i]);
}
