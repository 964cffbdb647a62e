/* Rows of what `crawltab today` and `crawltab traffic` print as JSON. */
#ifndef SERVER_CONSOLE_VIEW_TRAFFIC_ROWS_H
#define SERVER_CONSOLE_VIEW_TRAFFIC_ROWS_H

#include <jansson.h>

/* One for each site and key: who, rule, hour or day. */
json_t *traffic_rows(const json_t *answer, const json_t *given);

/* One for each site and crawler that was offered pages, with why most of them were refused. */
json_t *traffic_rows_refused(const json_t *answer, const json_t *given);

/* One for each site and rule: what it earns, and what it would with the prices in `given` "try", such as
 * "articles=0.10, rest=0.01". `answer` has the configured prices as "prices". */
json_t *traffic_rows_prices(const json_t *answer, const json_t *given);

/* One for each site where "crawler" of `given` has come, by its signature: about how many different pages it
 * has paid for and asked for, of those that anybody asked for there. */
json_t *traffic_rows_coverage(const json_t *answer, const json_t *given);

#endif
