/* A trial as text for people, as JSON and as CSV. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_TRIAL_PAGE_H
#define TOOLS_CRAWLTAB_TRAFFIC_TRIAL_PAGE_H

#include "tools/crawltab/traffic/trial.h"

#include <jansson.h>

/* A sentence, and tables within 80 columns. `days` is how these are called: "the last thirty days". */
void trial_page_print(const struct trial *trial, const char *days);

/* NULL without memory. */
json_t *trial_page_json(const struct trial *trial);

/* A row for each rule, and for each path that another rule decides on. */
void trial_page_csv_head(void);
void trial_page_csv(const struct trial *trial);

#endif
