/* What was asked for, counted by site, crawler, rule and outcome, and by path where that is wanted. Its
 * memory is bounded whatever is asked: what finds no room is counted without its path, or as that of
 * "others". One thread at a time. */
#ifndef LEDGER_TRAFFIC_COUNTS_H
#define LEDGER_TRAFFIC_COUNTS_H

#include "ledger/traffic/pages.h"

#include <stdbool.h>
#include <stddef.h>

/* What came of a request: FREE asked for no money, OBSERVED would have in another mode. */
#define TRAFFIC_OUTCOMES(X)                                                                                  \
    X(OFFERED, "offered")                                                                                    \
    X(PAID, "paid")                                                                                          \
    X(REPEATED, "repeated")                                                                                  \
    X(REFUSED, "refused")                                                                                    \
    X(FREE, "free")                                                                                          \
    X(OBSERVED, "observed")
#define TRAFFIC_OUTCOME(name, text) TRAFFIC_##name,
enum traffic_outcome { TRAFFIC_OUTCOMES(TRAFFIC_OUTCOME) TRAFFIC_OUTCOME_COUNT };

/* "paid". */
const char *traffic_outcome_name(enum traffic_outcome outcome);

/* Whoever is neither a crawler that proved who it is nor one that is known by name. */
#define TRAFFIC_OTHERS "others"

#define TRAFFIC_PERIOD_MS 900000 /* days of every time zone begin with a quarter of an hour */

/* Which row a request is counted in. */
struct traffic_key {
    int64_t period_ms; /* its start, since 1970 */
    struct slice site;
    struct slice crawler;
    bool verified; /* the crawler is an account, and proved it; otherwise a name of the list, or "others" */
    struct slice rule;
    enum traffic_outcome outcome;
    struct slice reason; /* why: the code of a refusal, the status of an answer; or empty */
    struct slice path;   /* empty: of all paths, or of those that found no room */
};

/* What is counted there. */
struct traffic_sums {
    int64_t requests;
    int64_t bytes; /* of bodies */
    int64_t amount_micros;
    struct pages pages;
};

struct counts;

/* Room for that many rows, and some more of "others"; by path, some of these for other paths. NULL without
 * memory. */
struct counts *counts_new(size_t rows, bool by_path);
void counts_free(struct counts *counts);

/* Adds to the row, or to that of the other paths, or to that of the others. The texts are copied. */
void counts_add(struct counts *counts, const struct traffic_key *key, const struct traffic_sums *sums);

/* Adds all rows of the other one. */
void counts_join(struct counts *counts, const struct counts *other);

/* Forgets all. */
void counts_clear(struct counts *counts);

size_t counts_rows(const struct counts *counts);

/* Requests that had no room even as those of others, since the last clearing. */
int64_t counts_lost(const struct counts *counts);

/* A row, by its number; valid until the counts are changed. */
void counts_row(const struct counts *counts, size_t row, struct traffic_key *key,
                const struct traffic_sums **sums);

#endif
