/* What was counted at one site in some days: the figures of each crawler, rule, path, outcome, hour or day,
 * and of all; for today also those of yesterday and of a week ago, until the same hour. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_REPORT_H
#define TOOLS_CRAWLTAB_TRAFFIC_REPORT_H

#include "ledger/pg/pg.h"
#include "sql/rows/traffic.h"

/* The key of what was asked for at paths that are not known. */
#define TRAFFIC_OTHER_PATHS "(other paths)"

/* By outcome. Where a site only observes (`would`), by what would have come of it. */
struct traffic_figures {
    int64_t requests, offered, paid, refused, free, bytes;
    int64_t earned_micros, would_micros; /* charged, and not charged in observe mode */
};

/* Until the end of the hour that goes on. */
struct traffic_earlier {
    int64_t requests, earned_micros, would_micros;
};
enum traffic_when { TRAFFIC_YESTERDAY, TRAFFIC_LAST_WEEK, TRAFFIC_EARLIER };

struct traffic_group {
    const char *key;
    bool verified; /* the key is an account that proved who it is */
    int64_t pages; /* how many different ones, about; of a path 1, of the other paths 0 */
    int64_t slot;  /* of an hour or a day: how many after the first */
    struct traffic_figures figures;
    int first, count; /* its parts in the rows */
    struct traffic_earlier earlier[TRAFFIC_EARLIER];
};

struct traffic_report {
    const struct traffic_spans_row *span;
    const char *by;               /* crawler, rule, path, outcome, hour or day */
    bool would;                   /* nothing was asked for: what counts is what would have been */
    bool compared;                /* with the earlier ones */
    bool parted;                  /* pages of each part are known */
    struct traffic_group *groups; /* by requests, or by time; those that were there only earlier at last */
    size_t count;
    int64_t pages; /* of all */
    struct traffic_figures all;
    struct traffic_earlier earlier[TRAFFIC_EARLIER];
    struct pg_rows rows; /* of traffic_report */
    struct pg_rows earlier_rows;
};

/* Reads what `wanted` says by its span, by, compared (only of today, by crawler, rule or outcome) and parted,
 * whose texts must live as long. traffic_report_free is right in any case. */
enum err traffic_report_read(struct pg *pg, const struct traffic_report *wanted,
                             struct traffic_report *report) MUST_USE;
void traffic_report_free(struct traffic_report *report);

/* A part, which tells of one outcome for one reason. */
struct traffic_report_row traffic_report_part(const struct traffic_report *report,
                                              const struct traffic_group *group, int part);

/* About how many different pages a part is about, where the report is parted; of a path, 1. */
int64_t traffic_report_pages(const struct traffic_group *group, const struct traffic_report_row *part);

/* What the group was or would have been charged. */
int64_t traffic_figures_micros(const struct traffic_report *report, const struct traffic_figures *figures);
int64_t traffic_earlier_micros(const struct traffic_report *report, const struct traffic_earlier *earlier);

/* How the key is called where it is read by people. */
const char *traffic_group_name(const struct traffic_report *report, const struct traffic_group *group);

#endif
