/* What `crawltab traffic` has found, and how it is shown: one set of figures, three formats. */
#ifndef TOOLS_CRAWLTAB_GATE_TRAFFIC_PAGE_H
#define TOOLS_CRAWLTAB_GATE_TRAFFIC_PAGE_H

#include "sql/rows/traffic.h"

#include <jansson.h>

/* One site; `rows` are those of the statement traffic_report. */
struct traffic_page {
    const struct traffic_spans_row *span;
    const char *by; /* crawler, rule, outcome or hour */
    const struct pg_rows *rows;
};

/* A table within 80 columns. */
void traffic_page_print(const struct traffic_page *page);

/* NULL without memory. */
json_t *traffic_page_json(const struct traffic_page *page);

void traffic_page_csv_head(void);
void traffic_page_csv(const struct traffic_page *page);

#endif
