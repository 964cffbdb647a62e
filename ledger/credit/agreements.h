/* The agreements as they were read at one moment: immutable, shared by whoever looks at it. Versions that
 * come into force later are in it too, so that each takes effect at its instant. */
#ifndef LEDGER_CREDIT_AGREEMENTS_H
#define LEDGER_CREDIT_AGREEMENTS_H

#include "ledger/pg/pg.h"

/* An exception from the price list: by the name of a rule, or by globs over the path. */
struct agreements_price {
    const char *rule; /* NULL: by paths */
    const char *const *paths;
    size_t path_count;
    int64_t price_micros;
};

/* One version of an agreement. */
struct agreements_terms {
    struct slice site;
    struct slice agent;
    int64_t agreement_id;
    int64_t valid_from_ms;
    bool suspended;
    int64_t day_limit_micros;     /* -1: the configuration's */
    int64_t balance_limit_micros; /* -1: the configuration's */
    const struct agreements_price *prices;
    size_t price_count; /* the first that fits decides */
};

struct agreements;

/* Reads the agreements that are in force at `now_ms` or later. ERR_OK with a view that has one owner. */
enum err agreements_read(struct pg *pg, int64_t now_ms, struct agreements **view) MUST_USE;

/* One more owner; each calls agreements_free. NULL is fine for both. */
struct agreements *agreements_share(struct agreements *view);
void agreements_free(struct agreements *view);

/* The version in force between site and agent at this moment; NULL: there is none. Lives as long as the view.
 */
const struct agreements_terms *agreements_terms(const struct agreements *view, struct slice site,
                                                struct slice agent, int64_t now_ms);

#endif
