/* The agreements as they were read at one moment: immutable, shared by whoever looks at it. Versions that
 * come into force later are in it too, so that each takes effect at its instant. */
#ifndef LEDGER_CREDIT_ACCOUNT_VIEW_H
#define LEDGER_CREDIT_ACCOUNT_VIEW_H

#include "ledger/pg/pg.h"

/* An exception from the price list: by the name of a rule, or by globs over the path. */
struct account_price {
    const char *rule; /* NULL: by paths */
    const char *const *paths;
    size_t path_count;
    int64_t price_micros;
};

/* One version of an agreement. */
struct account_terms {
    struct slice site;
    struct slice agent;
    int64_t agreement_id;
    int64_t valid_from_ms;
    bool suspended;
    int64_t day_limit_micros;     /* -1: the configuration's */
    int64_t balance_limit_micros; /* -1: the configuration's */
    const struct account_price *prices;
    size_t price_count; /* the first that fits decides */
};

struct account_view;

/* Reads the agreements that are in force at `now_ms` or later. ERR_OK with a view that has one owner. */
enum err account_view_read(struct pg *pg, int64_t now_ms, struct account_view **view) MUST_USE;

/* One more owner; each calls account_view_free. NULL is fine for both. */
struct account_view *account_view_share(struct account_view *view);
void account_view_free(struct account_view *view);

/* The version in force between site and agent at this moment; NULL: there is none. Lives as long as the view.
 */
const struct account_terms *account_view_terms(const struct account_view *view, struct slice site,
                                               struct slice agent, int64_t now_ms);

#endif
