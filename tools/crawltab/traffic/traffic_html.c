/* Sites stand beside each other and are never added up: they may have other currencies. */
#include "tools/crawltab/traffic/traffic_html.h"

#include "tools/crawltab/traffic/chart.h"
#include "tools/crawltab/traffic/report.h"
#include "tools/crawltab/traffic/traffic_page.h"

#include "ledger/base/instant.h"
#include "ledger/base/version.h"
#include "ledger/format/markup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOURS_UP_TO_MS (49 * (int64_t)3600000) /* two days, one of which may have 25 hours */

enum series { PAID, OFFERED, REFUSED, FREE, SERIES };
static const char *const names[SERIES] = {"paid", "offered", "refused", "free"};

static const char style[] =
    "  :root { color-scheme: light dark; --ink: #1d2126; --soft: #5c6670; --line: #d9dde1; --back: #fff;\n"
    "    --paid: #17744f; --offered: #d49a2a; --refused: #b5432f; --free: #a9b3bd; --last: #3f51a8 }\n"
    "  @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa5b0; --line: #363d45;\n"
    "    --back: #15181c; --paid: #3fae7d; --offered: #d9a84a; --refused: #d9705c; --free: #66717c;\n"
    "    --last: #93a2f0 } }\n"
    "  * { box-sizing: border-box }\n"
    "  body { margin: 0; background: var(--back); color: var(--ink);\n"
    "    font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums }\n"
    "  main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem }\n"
    "  h1 { font-size: 1.25rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }\n"
    "  section + section { margin-top: 3rem; border-top: 2px solid var(--ink); padding-top: 1.5rem }\n"
    "  .when, figcaption, .legend, .ticks, .top, .why, footer { color: var(--soft); font-size: .8125rem }\n"
    "  .when { margin: 0 } .say { font-size: 1.0625rem; margin: 1rem 0 }\n"
    "  figure { margin: 1.5rem 0 } figcaption { color: var(--ink); font-weight: 600 }\n"
    "  .legend { margin: .25rem 0 } .legend span { margin-right: 1rem; white-space: nowrap }\n"
    "  .legend i { display: inline-block; width: .7rem; height: .7rem; margin-right: .35rem }\n"
    "  .legend i.line { height: 0; border-top: 2px dashed var(--last); vertical-align: .25rem }\n"
    "  .plot svg { display: block; width: 100%; height: 11rem } .top { display: block }\n"
    "  .ticks { display: flex } .ticks span { flex: 1 1 0; min-width: 0; white-space: nowrap }\n"
    "  .grid { stroke: var(--line); vector-effect: non-scaling-stroke; fill: none }\n"
    "  polyline { fill: none; stroke: var(--last); stroke-width: 2; stroke-dasharray: 4 3;\n"
    "    vector-effect: non-scaling-stroke }\n"
    "  .paid { fill: var(--paid); background: var(--paid) }\n"
    "  .offered { fill: var(--offered); background: var(--offered) }\n"
    "  .refused { fill: var(--refused); background: var(--refused) }\n"
    "  .free { fill: var(--free); background: var(--free) }\n"
    "  .earned { fill: var(--paid); background: var(--paid) }\n"
    "  .bar { display: block; width: 100%; height: .5rem; margin-top: .25rem }\n"
    "  table { border-collapse: collapse; width: 100% }\n"
    "  th, td { text-align: right; padding: .4rem .5rem; border-bottom: 1px solid var(--line);\n"
    "    vertical-align: top; white-space: nowrap }\n"
    "  th { font-weight: 600; font-size: .8125rem } tbody th { font-size: inherit }\n"
    "  th:first-child { text-align: left; padding-left: 0; width: 40%; white-space: normal;\n"
    "    overflow-wrap: anywhere }\n"
    "  .why { font-weight: 400 } tfoot { font-weight: 600 } footer { margin-top: 2rem }\n"
    "  @media (max-width: 44rem) { thead { display: none }\n"
    "    .ticks span:nth-child(even) { visibility: hidden }\n"
    "    tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); padding: .5rem 0;\n"
    "      border-bottom: 1px solid var(--line) }\n"
    "    th:first-child { grid-column: 1 / -1; width: auto } th, td { border: 0; padding: .1rem 0;\n"
    "      text-align: left }\n"
    "    td::before { content: attr(data-of); display: block; color: var(--soft); font-size: .75rem;\n"
    "      font-weight: 400 } }\n"
    "  @media (max-width: 26rem) { tr { grid-template-columns: repeat(2, minmax(0, 1fr)) } }\n"
    "  @media print { figure, tr { break-inside: avoid } }\n";

/* --- Words --- */

static void element(FILE *out, const char *open, const char *text, const char *close)
{
    fputs(open, out);
    markup_text(out, text);
    fputs(close, out);
}

static void write_money(FILE *out, const struct traffic_report *report, int64_t micros)
{
    chart_write_amount(out, micros);
    fprintf(out, " %s", report->span->currency);
}

static const char *earned(const struct traffic_report *report)
{
    return report->would ? "would have earned" : "earned";
}

static void write_title(FILE *out, const struct traffic_report *report)
{
    const struct traffic_spans_row *span = report->span;
    element(out, "<h1>", span->site, "</h1>\n<p class=\"when\">");
    if (report->compared)
        fprintf(out, "%s until %s (%s)</p>\n", span->first_date, span->now, span->time_zone);
    else if (strcmp(span->first_date, span->last_date) == 0)
        fprintf(out, "%s (%s)</p>\n", span->first_date, span->time_zone);
    else
        fprintf(out, "%s to %s (%s)</p>\n", span->first_date, span->last_date, span->time_zone);
}

static const char *of_crawlers(size_t count)
{
    return count == 1 ? "crawler" : "crawlers";
}

/* A sentence before a chart. */
static void write_sentence(FILE *out, const struct traffic_report *report)
{
    size_t payers = 0, takers_of_none = 0;
    int64_t offered = 0;
    const struct traffic_figures *all = &report->all;
    for (size_t i = 0; i < report->count; i++) {
        const struct traffic_figures *figures = &report->groups[i].figures;
        bool took_none = figures->paid == 0 && figures->offered > 0;
        payers += figures->paid > 0;
        takers_of_none += took_none;
        offered += took_none ? figures->offered : 0;
    }
    fputs("<p class=\"say\">", out);
    if (report->would) {
        fputs("Nothing was charged, as this site observes only. If every request had paid, it would have "
              "earned ",
              out);
        write_money(out, report, all->would_micros);
    } else {
        chart_write_number(out, all->paid);
        fprintf(out, " %s sold to %zu %s for ", all->paid == 1 ? "page was" : "pages were", payers,
                of_crawlers(payers));
        write_money(out, report, all->earned_micros);
    }
    if (takers_of_none > 0) {
        fprintf(out, "; %zu %s %s offered ", takers_of_none, of_crawlers(takers_of_none),
                report->would         ? "would have been"
                : takers_of_none == 1 ? "was"
                                      : "were");
        chart_write_number(out, offered);
        fprintf(out, " %s and %s", offered == 1 ? "page" : "pages",
                report->would ? "paid for none" : "took none");
    }
    fputs(". ", out);
    if (all->refused > 0) {
        chart_write_number(out, all->refused);
        fprintf(out, " %s %s refused. ", all->refused == 1 ? "request" : "requests",
                report->would       ? "would have been"
                : all->refused == 1 ? "was"
                                    : "were");
    }
    if (all->would_micros > 0 && !report->would) {
        fputs("In observe mode, where nothing was charged, would have been earned: ", out);
        write_money(out, report, all->would_micros);
        fputs(".", out);
    }
    fputs("</p>\n", out);
}

static void write_earlier(FILE *out, const struct traffic_report *report)
{
    static const char *const when[TRAFFIC_EARLIER] = {"Yesterday", "A week ago"};
    if (!report->compared)
        return;
    fputs("<p>", out);
    for (int i = 0; i < TRAFFIC_EARLIER; i++) {
        char change[TRAFFIC_CHANGE_MAX];
        fprintf(out, "%s until %s: ", when[i], report->span->until);
        chart_write_number(out, report->earlier[i].requests);
        fprintf(out, " requests, which %s ", earned(report));
        write_money(out, report, traffic_earlier_micros(report, &report->earlier[i]));
        traffic_page_change(report->all.requests, report->earlier[i].requests, change);
        fprintf(out, *change ? " (requests now: %s). " : ". ", change);
    }
    fputs("</p>\n", out);
}

/* --- Charts --- */

struct series_of_time {
    struct pg_rows labels;
    struct traffic_report report, week;
    char (*texts)[24];
    int64_t *values[SERIES], *money, *line;
    size_t slots;
};

static enum err read_labels(struct pg *pg, const struct traffic_spans_row *span, const char *by,
                            struct pg_rows *labels)
{
    struct pg_params params = {0};
    pg_params_text(&params, span->first_date);
    pg_params_text(&params, span->last_date);
    pg_params_number(&params, span->from_ms);
    pg_params_number(&params, span->to_ms);
    pg_params_text(&params, by);
    pg_params_text(&params, span->time_zone);
    return pg_run(pg, "traffic_slots", &params, labels);
}

static bool make_room(struct series_of_time *time)
{
    size_t slots = time->slots = (size_t)time->labels.count;
    bool ok = (time->texts = calloc(slots + 1, sizeof(*time->texts))) &&
              (time->money = calloc(slots + 1, sizeof(*time->money))) &&
              (time->line = calloc(slots + 1, sizeof(*time->line)));
    for (int i = 0; i < SERIES; i++)
        ok = (time->values[i] = calloc(slots + 1, sizeof(*time->values[i]))) && ok;
    return ok;
}

static void fill(struct series_of_time *time)
{
    for (size_t i = 0; i < time->slots; i++)
        snprintf(time->texts[i], sizeof(*time->texts), "%s", traffic_slots_row(&time->labels, (int)i).label);
    for (size_t i = 0; i < time->report.count; i++) {
        const struct traffic_group *group = &time->report.groups[i];
        const struct traffic_figures *figures = &group->figures;
        size_t slot = (size_t)group->slot;
        if (slot >= time->slots)
            continue;
        time->values[PAID][slot] += figures->paid;
        time->values[OFFERED][slot] += figures->offered;
        time->values[REFUSED][slot] += figures->refused;
        time->values[FREE][slot] += figures->free;
        time->money[slot] += traffic_figures_micros(&time->report, figures);
    }
    for (size_t i = 0; i < time->week.count; i++) {
        const struct traffic_figures *figures = &time->week.groups[i].figures;
        size_t slot = (size_t)time->week.groups[i].slot;
        if (slot < time->slots)
            time->line[slot] += figures->paid + figures->offered + figures->refused + figures->free;
    }
}

static void write_charts(FILE *out, const struct series_of_time *time, const char *by)
{
    char title[64];
    struct chart_series series[SERIES];
    const bool week = time->week.count > 0;
    for (int i = 0; i < SERIES; i++)
        series[i] = (struct chart_series){names[i], time->values[i]};
    snprintf(title, sizeof(title), "Requests by %s", by);
    chart_columns(out, &(struct chart){.title = title,
                                       .series = series,
                                       .series_count = SERIES,
                                       .line = week ? time->line : NULL,
                                       .line_name = "a week ago",
                                       .slots = time->slots,
                                       .labels = time->texts});
    const struct chart_series money = {"earned", time->money};
    if (traffic_figures_micros(&time->report, &time->report.all) == 0)
        return;
    snprintf(title, sizeof(title), "What it %s, by %s", earned(&time->report), by);
    chart_columns(out, &(struct chart){.title = title,
                                       .series = &money,
                                       .series_count = 1,
                                       .slots = time->slots,
                                       .labels = time->texts,
                                       .currency = time->report.span->currency});
}

static enum err tell_time(struct pg *pg, const struct traffic_spans_row *span, bool today, FILE *out)
{
    enum err err;
    struct series_of_time time = {.slots = 0};
    const char *by = span->to_ms - span->from_ms <= HOURS_UP_TO_MS ? "hour" : "day";
    struct traffic_spans_row week = *span;
    week.from_ms = span->week_from_ms;
    week.to_ms = span->week_ends_ms;
    TRY(read_labels(pg, span, by, &time.labels));
    TRY(traffic_report_read(pg, &(struct traffic_report){.span = span, .by = by}, &time.report));
    if (today)
        TRY(traffic_report_read(pg, &(struct traffic_report){.span = &week, .by = by}, &time.week));
    err = make_room(&time) ? ERR_OK : ERR_INTERNAL;
    if (err == ERR_OK && time.slots > 0) {
        fill(&time);
        write_charts(out, &time, by);
    }
out:
    for (int i = 0; i < SERIES; i++)
        free(time.values[i]);
    free(time.texts);
    free(time.money);
    free(time.line);
    traffic_report_free(&time.report);
    traffic_report_free(&time.week);
    pg_rows_free(&time.labels);
    return err;
}

/* --- Tables --- */

static void write_why(FILE *out, const struct traffic_report *report, const struct traffic_group *group)
{
    bool begun = false;
    for (int i = 0; i < group->count; i++) {
        const struct traffic_report_row part = traffic_report_part(report, group, i);
        if (!*part.reason || strcmp(part.reason, "offered") == 0 || strcmp(part.reason, "paid") == 0)
            continue;
        fputs(begun ? ", " : "<br><span class=\"why\">", out);
        begun = true;
        fprintf(out, "%s ", part.outcome);
        element(out, "", part.reason, " ");
        chart_write_number(out, part.requests);
    }
    if (begun)
        fputs("</span>", out);
}

static void cell(FILE *out, const char *of, int64_t number)
{
    fprintf(out, "<td data-of=\"%s\">", of);
    chart_write_number(out, number);
    fputs("</td>", out);
}

static void write_cells(FILE *out, const struct traffic_report *report, const struct traffic_figures *figures,
                        int64_t pages)
{
    char text[LOG_NUMBER_MAX];
    cell(out, "asked", figures->requests);
    cell(out, "offered", figures->offered);
    cell(out, "paid", figures->paid);
    cell(out, "refused", figures->refused);
    cell(out, "pages", pages);
    fprintf(out, "<td data-of=\"bytes\">%s</td>", traffic_page_number(figures->bytes, 1000, text));
    fprintf(out, "<td data-of=\"%s\">", earned(report));
    chart_write_amount(out, traffic_figures_micros(report, figures));
    fputs("</td>", out);
}

static void write_changes(FILE *out, const struct traffic_report *report, int64_t requests,
                          const struct traffic_earlier earlier[TRAFFIC_EARLIER])
{
    static const char *const of[TRAFFIC_EARLIER] = {"yesterday", "a week ago"};
    for (int i = 0; i < TRAFFIC_EARLIER && report->compared; i++) {
        char change[TRAFFIC_CHANGE_MAX];
        fprintf(out, "<td data-of=\"%s\">%s</td>", of[i],
                traffic_page_change(requests, earlier[i].requests, change));
    }
    fputs("</tr>\n", out);
}

static void write_row(FILE *out, const struct traffic_report *report, const struct traffic_group *group,
                      int64_t most)
{
    const struct traffic_figures *figures = &group->figures;
    const int64_t values[SERIES] = {figures->paid, figures->offered, figures->refused, figures->free};
    element(out, "<tr><th scope=\"row\">", traffic_group_name(report, group), "");
    write_why(out, report, group);
    chart_bar(out, names, values, SERIES, most);
    fputs("</th>", out);
    write_cells(out, report, figures, group->pages);
    write_changes(out, report, figures->requests, group->earlier);
}

static void write_table(FILE *out, const struct traffic_report *report)
{
    int64_t most = 0;
    bool named = false;
    for (size_t i = 0; i < report->count; i++) {
        const struct traffic_group *group = &report->groups[i];
        most = group->figures.requests > most ? group->figures.requests : most;
        named = named || (!group->verified && strcmp(group->key, "others") != 0);
    }
    fprintf(
        out,
        "<h2>By %s</h2>\n<table>\n<thead><tr><th scope=\"col\">%s</th><th>asked</th><th>offered</th>"
        "<th>paid</th><th>refused</th><th>pages</th><th>bytes</th><th>%s, %s</th>%s</tr></thead>\n<tbody>\n",
        report->by, report->by, earned(report), report->span->currency,
        report->compared ? "<th>yesterday</th><th>a week ago</th>" : "");
    for (size_t i = 0; i < report->count; i++)
        write_row(out, report, &report->groups[i], most);
    fputs("</tbody>\n<tfoot><tr><th scope=\"row\">Total</th>", out);
    write_cells(out, report, &report->all, report->pages);
    write_changes(out, report, report->all.requests, report->earlier);
    fputs("</tfoot>\n</table>\n", out);
    if (named && strcmp(report->by, "crawler") == 0)
        fputs("<p class=\"why\">Crawlers with an address have signed. A name is what anybody can say.</p>\n",
              out);
}

/* --- The page --- */

static enum err tell_site(struct pg *pg, const struct traffic_spans_row *span, bool today, FILE *out)
{
    enum err err;
    struct traffic_report crawlers, rules = {.span = NULL};
    fputs("<section>\n", out);
    TRY(traffic_report_read(pg, &(struct traffic_report){.span = span, .by = "crawler", .compared = today},
                            &crawlers));
    TRY(traffic_report_read(pg, &(struct traffic_report){.span = span, .by = "rule", .compared = today},
                            &rules));
    write_title(out, &crawlers);
    if (crawlers.count == 0) {
        fputs("<p class=\"say\">Nothing was counted. A gate writes its counts every few seconds.</p>\n", out);
    } else {
        write_sentence(out, &crawlers);
        write_earlier(out, &crawlers);
        TRY(tell_time(pg, span, today, out));
        write_table(out, &crawlers);
        write_table(out, &rules);
    }
    fputs("</section>\n", out);
out:
    traffic_report_free(&crawlers);
    traffic_report_free(&rules);
    return err;
}

enum err traffic_html_write(struct pg *pg, const struct pg_rows *spans, bool today, int64_t now_ms, FILE *out)
{
    enum err err = ERR_OK;
    char now[INSTANT_TEXT_MAX];
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'unsafe-inline'\">\n<title>%s</title>\n<style>\n%s</style>\n<main>\n",
            today ? "What came in today" : "What came in", style);
    for (int i = 0; i < spans->count && err == ERR_OK; i++) {
        const struct traffic_spans_row span = traffic_spans_row(spans, i);
        err = tell_site(pg, &span, today, out);
    }
    fprintf(
        out,
        "<footer>Counted by the gate: what is owed is counted by the ledger's entries. Different pages are "
        "told give or take 7&nbsp;%%. Made at %s by crawltab " CRAWLTAB_VERSION
        ".</footer>\n</main>\n</html>\n",
        instant_format(now_ms, now));
    return err;
}
