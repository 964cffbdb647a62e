/* A report as text for people, as JSON and as CSV. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_TRAFFIC_PAGE_H
#define TOOLS_CRAWLTAB_TRAFFIC_TRAFFIC_PAGE_H

#include "tools/crawltab/traffic/report.h"

#include "ledger/base/text/amount.h"

#include <jansson.h>

/* A table within 80 columns. */
void traffic_page_print(const struct traffic_report *report);

/* NULL without memory. */
json_t *traffic_page_json(const struct traffic_report *report);

/* A row for each part; of a report that is compared, one for each key. */
void traffic_page_csv_head(bool compared);
void traffic_page_csv(const struct traffic_report *report);

/* A number in seven columns at most, and as it is below `plain_below`: 999999, 1.2M, 345M. Returns `out`. */
const char *traffic_page_number(int64_t number, int64_t plain_below, char out[LOG_NUMBER_MAX]);

/* In ten columns at most, up to ten million. Returns `out`. */
const char *traffic_page_amount(int64_t micros, char out[AMOUNT_TEXT_MAX]);

/* "+12%", "-100%", "new"; "" where there is nothing to compare. Returns `out`. */
#define TRAFFIC_CHANGE_MAX 16
const char *traffic_page_change(int64_t now, int64_t before, char out[TRAFFIC_CHANGE_MAX]);

#endif
