#include "tools/crawltab/gate/traffic_page.h"

#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_WIDTH  16
#define LINE_WIDTH 80
#define HOUR_LEN   16 /* "2026-11-29T14:00" */

/* What the table has of one key, or of all. */
struct figures {
    int64_t requests, offered, paid, refused, free, bytes;
    int64_t earned_micros, would_micros; /* charged, and not charged in observe mode */
};

static void add_part(struct figures *figures, const struct traffic_report_row *part)
{
    figures->requests += part->requests;
    figures->bytes += part->bytes;
    if (strcmp(part->outcome, "offered") == 0) {
        figures->offered += part->requests;
    } else if (strcmp(part->outcome, "paid") == 0) {
        figures->paid += part->requests;
        figures->earned_micros += part->amount_micros;
    } else if (strcmp(part->outcome, "refused") == 0) {
        figures->refused += part->requests;
    } else if (strcmp(part->outcome, "free") == 0) {
        figures->free += part->requests;
    } else if (strcmp(part->outcome, "observed") == 0) {
        figures->would_micros += part->amount_micros;
    }
}

/* Of the key whose whole is in this row: its parts follow. */
static struct figures figures_of(const struct pg_rows *rows, int whole)
{
    struct figures figures = {0};
    for (int i = whole + 1; i < rows->count; i++) {
        const struct traffic_report_row part = traffic_report_row(rows, i);
        if (!part.outcome)
            break;
        add_part(&figures, &part);
    }
    return figures;
}

/* In seven columns at most: 999999, 1.2M, 345M. */
static const char *short_number(int64_t number, int64_t plain_below, char out[LOG_NUMBER_MAX])
{
    static const char units[] = "KMGTPE";
    int64_t unit = 1;
    const char *name = units - 1;
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

static void print_number(int64_t number, int width)
{
    char text[LOG_NUMBER_MAX];
    printf(" %*s", width, short_number(number, 1000000, text));
}

/* In ten columns at most, up to ten million. */
static const char *short_amount(int64_t micros, char out[AMOUNT_TEXT_MAX])
{
    return micros < 1000000000 ? amount_format(micros, out) : amount_format_minor(micros / 10000, 2, out);
}

static void print_figures(const struct figures *figures, int64_t pages)
{
    char text[LOG_NUMBER_MAX], amount[AMOUNT_TEXT_MAX];
    print_number(figures->requests, 8);
    print_number(figures->offered, 7);
    print_number(figures->paid, 6);
    print_number(figures->refused, 7);
    print_number(figures->free, 6);
    if (pages >= 0)
        print_number(pages, 6);
    else
        fputs("       ", stdout);
    printf(" %5s", short_number(figures->bytes, 1000, text));
    printf(" %10s\n", short_amount(figures->earned_micros, amount));
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

static const char *name_of(const struct traffic_page *page, const char *key)
{
    return *key ? key : strcmp(page->by, "rule") == 0 ? "(no rule)" : "(none)";
}

/* Why, and how often: what the table's columns do not say. */
static void print_parts(const struct pg_rows *rows, int whole)
{
    int column = 0;
    char text[160];
    for (int i = whole + 1; i < rows->count; i++) {
        const struct traffic_report_row part = traffic_report_row(rows, i);
        if (!part.outcome)
            break;
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

void traffic_page_print(const struct traffic_page *page)
{
    const struct traffic_spans_row *span = page->span;
    struct figures all = {0};
    char money[SHOW_MONEY_MAX], title[KEY_WIDTH + 1];
    bool named = false;
    printf("TRAFFIC of %s\n%s to %s (%s), in %s\n\n", span->site, span->first_date, span->last_date,
           span->time_zone, span->currency);
    if (page->rows->count == 0) {
        puts("nothing was counted");
        return;
    }
    snprintf(title, sizeof(title), "By %s", page->by);
    show_column(stdout, title, KEY_WIDTH);
    puts(" requests offered   paid refused   free  pages bytes     earned");
    for (int i = 0; i < page->rows->count; i++) {
        const struct traffic_report_row row = traffic_report_row(page->rows, i);
        if (row.outcome) {
            add_part(&all, &row);
            continue;
        }
        const struct figures figures = figures_of(page->rows, i);
        named = named || (!row.verified && strcmp(row.key, "others") != 0);
        print_key(page->by, name_of(page, row.key));
        print_figures(&figures, row.pages);
        print_parts(page->rows, i);
    }
    print_key("", "Total");
    print_figures(&all, -1);
    if (all.would_micros > 0)
        printf("\nIn observe mode, where nothing was charged, would have been earned: %s\n",
               show_micros(all.would_micros, span->currency, money));
    if (named && strcmp(page->by, "crawler") == 0)
        puts("\nCrawlers with an address have signed. A name is what anybody can say.");
}

static json_t *part_json(const struct traffic_report_row *part)
{
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I}", "outcome", part->outcome, "reason", part->reason,
                     "requests", part->requests, "bytes", part->bytes, "amount_micros", part->amount_micros,
                     "pages", part->pages);
}

json_t *traffic_page_json(const struct traffic_page *page)
{
    const struct traffic_spans_row *span = page->span;
    json_t *list = json_array(), *parts = NULL;
    for (int i = 0; i < page->rows->count; i++) {
        const struct traffic_report_row row = traffic_report_row(page->rows, i);
        if (row.outcome) {
            json_array_append_new(parts, part_json(&row));
            continue;
        }
        const struct figures figures = figures_of(page->rows, i);
        parts = json_array();
        json_array_append_new(list,
                              json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", page->by, row.key, "verified",
                                        (int)row.verified, "requests", row.requests, "bytes", row.bytes,
                                        "pages", row.pages, "earned_micros", figures.earned_micros,
                                        "would_have_earned_micros", figures.would_micros, "outcomes", parts));
    }
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "site", span->site, "currency", span->currency, "from",
                     span->first_date, "to", span->last_date, "time_zone", span->time_zone, "by", page->by,
                     "traffic", list);
}

static void csv_text(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

void traffic_page_csv_head(void)
{
    fputs("site,by,key,verified,outcome,reason,requests,bytes,pages,amount,currency\r\n", stdout);
}

void traffic_page_csv(const struct traffic_page *page)
{
    char amount[AMOUNT_TEXT_MAX];
    for (int i = 0; i < page->rows->count; i++) {
        const struct traffic_report_row row = traffic_report_row(page->rows, i);
        if (!row.outcome)
            continue;
        csv_text(page->span->site);
        printf(",%s,", page->by);
        csv_text(row.key);
        printf(",%s,%s,", row.verified ? "yes" : "no", row.outcome);
        csv_text(row.reason);
        printf(",%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s\r\n", row.requests, row.bytes, row.pages,
               amount_format(row.amount_micros, amount), page->span->currency);
    }
}
