/* Another configuration's rules, tried on what crawlers asked for: each request that is known by its path is
 * decided on again, as the gate would, by today's rules and by those. */
#ifndef TOOLS_CRAWLTAB_TRAFFIC_TRIAL_H
#define TOOLS_CRAWLTAB_TRAFFIC_TRIAL_H

#include "ledger/credit/agreements.h"
#include "ledger/pg/pg.h"
#include "server/rules/rules.h"
#include "sql/rows/traffic.h"

enum trial_set { TRIAL_NOW, TRIAL_TRIED, TRIAL_SETS };

struct trial_sums {
    int64_t requests;
    int64_t paid_micros; /* of those who paid */
    int64_t all_micros;  /* if every offer had been paid, too */
};

struct trial_rule {
    const char *name; /* empty: none fits */
    struct trial_sums sums[TRIAL_SETS];
};

/* What a set of rules says to one crawler about one path. */
struct trial_decision {
    const char *rule;   /* empty: none fits */
    const char *action; /* charge, allow, block, or refuse: by agents.deny, say */
    int64_t price_micros;
};

/* A path that another rule decides on. */
struct trial_move {
    const char *path;
    struct trial_decision decisions[TRIAL_SETS];
    struct trial_sums sums[TRIAL_SETS];
};

struct trial {
    const struct traffic_spans_row *span;
    const struct config_site *sites[TRIAL_SETS]; /* the span's, in each configuration */
    struct trial_rule *rules;                    /* in the order of the new set's, and then others */
    size_t rule_count;
    struct trial_move *moves; /* those first that change most */
    size_t move_count;
    struct trial_sums sums[TRIAL_SETS];
    int64_t unknown;        /* requests without path: they are as they were in both sets */
    int64_t counted_micros; /* what was paid, in fact */
    struct pg_rows rows;
};

/* What is tried, made once for all sites. */
struct trial_sets {
    const struct config *configs[TRIAL_SETS];
    struct rules *rules[TRIAL_SETS];
    struct agreements *agreements;
    int64_t now_ms; /* when they are those that hold */
};

/* ERR_OK with sets for trial_read. trial_sets_free is right in any case. */
enum err trial_sets_make(struct pg *pg, const struct config *now, const struct config *tried,
                         struct trial_sets *sets) MUST_USE;
void trial_sets_free(struct trial_sets *sets);

/* True if both configurations have the site, in one currency; false after saying what is wrong. */
bool trial_fits(const struct trial_sets *sets, const char *site);

/* Tries them on what was counted at the span's site, for which trial_fits. `span` and `sets` must live as
 * long. trial_free is right in any case. */
enum err trial_read(struct pg *pg, const struct trial_sets *sets, const struct traffic_spans_row *span,
                    struct trial *trial) MUST_USE;
void trial_free(struct trial *trial);

#endif
