/* A row of the statement with an outcome belongs to the last one without. Whether all is observed only is
 * known when all rows have been seen, so the figures are made in a second pass. */
#include "tools/crawltab/traffic/report.h"

#include "ledger/traffic/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Of what is observed, "offered", "paid" and "free" are what would have come of it, and anything else the
 * code of a refusal. */
static const char *outcome_of(const struct traffic_report_row *part, bool would)
{
    if (!would || !is(part->outcome, "observed"))
        return part->outcome;
    bool refused = !is(part->reason, "offered") && !is(part->reason, "paid") && !is(part->reason, "free");
    return refused ? "refused" : part->reason;
}

static void add_part(struct traffic_figures *figures, const struct traffic_report_row *part, bool would)
{
    const char *outcome = outcome_of(part, would);
    figures->requests += part->requests;
    figures->bytes += part->bytes;
    figures->offered += is(outcome, "offered") ? part->requests : 0;
    figures->paid += is(outcome, "paid") ? part->requests : 0;
    figures->refused += is(outcome, "refused") ? part->requests : 0;
    figures->free += is(outcome, "free") ? part->requests : 0;
    figures->earned_micros += is(part->outcome, "paid") ? part->amount_micros : 0;
    figures->would_micros += is(part->outcome, "observed") ? part->amount_micros : 0;
}

/* Nothing has a price where it counts, and something has one where it does not. */
static bool observes(const struct pg_rows *rows)
{
    bool observed = false;
    for (int i = 0; i < rows->count; i++) {
        const struct traffic_report_row row = traffic_report_row(rows, i);
        if (row.outcome && (is(row.outcome, "offered") || is(row.outcome, "paid")))
            return false;
        observed = observed || (row.outcome && is(row.outcome, "observed"));
    }
    return observed;
}

static int64_t count_pages(struct pg_hex hex)
{
    struct pages pages = {{0}};
    pg_hex_bytes(hex, pages.bits, sizeof(pages.bits));
    return pages_count(&pages);
}

static void take_rows(struct traffic_report *report)
{
    struct traffic_group *group = NULL;
    bool by_path = is(report->by, "path");
    for (int i = 0; i < report->rows.count; i++) {
        const struct traffic_report_row row = traffic_report_row(&report->rows, i);
        bool named = row.key && *row.key;
        if (!row.key && !row.outcome) {
            report->pages = count_pages(row.pages);
        } else if (!row.outcome) {
            group = &report->groups[report->count++];
            report->pages += by_path && named;
            *group = (struct traffic_group){.key = by_path && !named ? TRAFFIC_OTHER_PATHS : row.key,
                                            .verified = row.verified,
                                            .pages = by_path ? named : count_pages(row.pages),
                                            .slot = row.slot,
                                            .first = i + 1};
        } else {
            assert(group); /* the whole comes first */
            group->count++;
            add_part(&group->figures, &row, report->would);
            add_part(&report->all, &row, report->would);
        }
    }
}

static struct traffic_group *find(struct traffic_report *report, const struct traffic_earlier_row *row)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->groups[i].verified == row->verified && is(report->groups[i].key, row->key))
            return &report->groups[i];
    report->groups[report->count] = (struct traffic_group){.key = row->key, .verified = row->verified};
    return &report->groups[report->count++];
}

static void take_earlier(struct traffic_report *report)
{
    for (int i = 0; i < report->earlier_rows.count; i++) {
        const struct traffic_earlier_row row = traffic_earlier_row(&report->earlier_rows, i);
        struct traffic_earlier *earlier = row.key ? find(report, &row)->earlier : report->earlier;
        earlier[row.days_back == 1 ? TRAFFIC_YESTERDAY : TRAFFIC_LAST_WEEK] =
            (struct traffic_earlier){row.requests, row.earned_micros, row.would_micros};
    }
}

static enum err read_rows(struct pg *pg, struct traffic_report *report)
{
    struct pg_params params = {0};
    const struct traffic_spans_row *span = report->span;
    pg_params_number(&params, span->site_id);
    pg_params_text(&params, span->first_date);
    pg_params_text(&params, span->last_date);
    pg_params_number(&params, span->from_ms);
    pg_params_number(&params, span->to_ms);
    pg_params_text(&params, report->by);
    pg_params_text(&params, span->time_zone);
    pg_params_number(&params, report->parted);
    return pg_run(pg, "traffic_report", &params, &report->rows);
}

static enum err read_earlier(struct pg *pg, struct traffic_report *report)
{
    struct pg_params params = {0};
    const struct traffic_spans_row *span = report->span;
    pg_params_number(&params, span->site_id);
    pg_params_number(&params, span->yesterday_from_ms);
    pg_params_number(&params, span->yesterday_to_ms);
    pg_params_number(&params, span->week_from_ms);
    pg_params_number(&params, span->week_to_ms);
    pg_params_text(&params, report->by);
    return pg_run(pg, "traffic_earlier", &params, &report->earlier_rows);
}

enum err traffic_report_read(struct pg *pg, const struct traffic_report *wanted,
                             struct traffic_report *report)
{
    enum err err;
    assert(wanted->span && wanted->by);
    *report = (struct traffic_report){
        .span = wanted->span, .by = wanted->by, .compared = wanted->compared, .parted = wanted->parted};
    TRY(read_rows(pg, report));
    if (report->compared)
        TRY(read_earlier(pg, report));
    size_t most = (size_t)report->rows.count + (size_t)report->earlier_rows.count;
    report->groups = calloc(most + 1, sizeof(*report->groups));
    if (!report->groups)
        return ERR_INTERNAL;
    report->would = observes(&report->rows);
    take_rows(report);
    take_earlier(report);
out:
    return err;
}

void traffic_report_free(struct traffic_report *report)
{
    free(report->groups);
    pg_rows_free(&report->rows);
    pg_rows_free(&report->earlier_rows);
    *report = (struct traffic_report){0};
}

int64_t traffic_report_pages(const struct traffic_group *group, const struct traffic_report_row *part)
{
    return part->pages_null ? group->pages : count_pages(part->pages);
}

struct traffic_report_row traffic_report_part(const struct traffic_report *report,
                                              const struct traffic_group *group, int part)
{
    assert(part >= 0 && part < group->count);
    return traffic_report_row(&report->rows, group->first + part);
}

int64_t traffic_figures_micros(const struct traffic_report *report, const struct traffic_figures *figures)
{
    return report->would ? figures->would_micros : figures->earned_micros;
}

int64_t traffic_earlier_micros(const struct traffic_report *report, const struct traffic_earlier *earlier)
{
    return report->would ? earlier->would_micros : earlier->earned_micros;
}

const char *traffic_group_name(const struct traffic_report *report, const struct traffic_group *group)
{
    if (*group->key)
        return group->key;
    return is(report->by, "rule") ? "(no rule)" : "(none)";
}
