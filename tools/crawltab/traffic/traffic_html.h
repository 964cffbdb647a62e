/* Reports as one HTML page that needs nothing else: no script, no font, no image. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_TRAFFIC_HTML_H
#define TOOLS_CRAWLTAB_TRAFFIC_TRAFFIC_HTML_H

#include "ledger/pg/pg.h"

#include <stdio.h>

/* Of each site of `spans`, rows of traffic_spans. `today`: they are of today, as it is at `now_ms`, and are
 * compared with yesterday and a week ago. */
enum err traffic_html_write(struct pg *pg, const struct pg_rows *spans, bool today, int64_t now_ms,
                            FILE *out) MUST_USE;

#endif
