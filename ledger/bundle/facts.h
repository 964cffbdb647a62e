/* The rows in a bundle that are not the entry itself: who the crawler is, what its directory said, what
 * became of the money. */
#ifndef LEDGER_BUNDLE_FACTS_H
#define LEDGER_BUNDLE_FACTS_H

#include "ledger/bundle/logs.h"

#define BUNDLE_FACTS_MAX 256

struct bundle_fact {
    const char *table;
    json_t *row;                  /* its columns */
    const struct bundle_day *day; /* that seals it; NULL: none does */
};

/* Starts as {0}; freed with bundle_facts_free, whatever comes back. */
struct bundle_facts {
    struct bundle_fact items[BUNDLE_FACTS_MAX];
    size_t count;
};

/* Reads the members "facts" and "unsealed", and checks that each of the former is in the tree of its day. */
bool bundle_facts_read(const json_t *bundle, const struct bundle_logs *logs, struct bundle_facts *facts,
                       struct bundle_report *report) MUST_USE;
void bundle_facts_free(struct bundle_facts *facts);

/* The first row of the table; NULL: there is none. */
const struct bundle_fact *bundle_fact_of(const struct bundle_facts *facts, const char *table);

/* A column as text, "" if it is none; as a number, -1 if it is none. */
const char *bundle_fact_text(const struct bundle_fact *fact, const char *column);
int64_t bundle_fact_number(const struct bundle_fact *fact, const char *column);

#endif
