/* What a site and a crawler have agreed on, in versions: each says all the terms anew, from an instant on,
 * with who recorded it and why. In force at an instant is the highest version that is valid from then or
 * earlier; without one, the terms of terms_new. Nothing is ever changed
 * (sql/migrations/0004-agreements.sql). */
#ifndef LEDGER_TERMS_AGREEMENT_H
#define LEDGER_TERMS_AGREEMENT_H

#include "ledger/pg/pg.h"
#include "ledger/terms/terms.h"

struct agreement {
    int64_t agreement_id;
    int64_t version;
    int64_t valid_from_ms;
    int64_t recorded_at_ms;
    const char *valid_from; /* "2026-12-01 00:00" in the site's zone */
    const char *recorded_at;
    const char *actor;
    const char *reason;
    struct terms *terms;
};

/* All versions, ascending. Starts as {0}. */
struct agreement_list {
    struct agreement *items;
    size_t count;
    struct pg_rows rows; /* holds the texts */
};

enum err agreement_read(struct pg *pg, int64_t site_id, int64_t crawler_id,
                        struct agreement_list *list) MUST_USE;
void agreement_list_free(struct agreement_list *list);

/* The version in force at the instant, or NULL. */
const struct agreement *agreement_at(const struct agreement_list *list, int64_t ms);

/* True if the version comes into force after the instant: it is valid from later, and no higher one from the
 * same time or earlier. */
bool agreement_is_pending(const struct agreement_list *list, size_t index, int64_t ms);

/* A new version, or several (agreement_set_status). */
struct agreement_order {
    int64_t site_id;
    int64_t crawler_id;
    const char *currency; /* the site's */
    const char *actor;
    const char *reason;
    int64_t from_ms;        /* valid from; 0: now */
    int64_t expect_version; /* the newest version that the caller knows; -1: any */
    bool dry_run;           /* only says what would be recorded */
    FILE *errors;           /* where mistakes in the terms are told */
};

enum agreement_outcome {
    AGREEMENT_RECORDED,
    AGREEMENT_UNCHANGED, /* the newest version says the same: nothing was recorded */
    AGREEMENT_WRONG,     /* the terms have mistakes, which were told */
    AGREEMENT_PAST,      /* from_ms is over */
    AGREEMENT_EARLY,     /* the newest version is valid from later than from_ms, and would never hold */
    AGREEMENT_OVERTAKEN  /* somebody else has recorded a version meanwhile, or it is not the expected one */
};

struct agreement_result {
    enum agreement_outcome outcome;
    int64_t version;       /* recorded, or the newest there is */
    int64_t valid_from_ms; /* of that version */
    struct terms *before, *after;
};

void agreement_result_free(struct agreement_result *result);

/* Records the newest version's terms with single ones changed (see terms_change). When somebody else records
 * one at the same time, the changes are made to that. */
enum err agreement_change(struct pg *pg, const struct agreement_order *order, const char *const *changes,
                          size_t count, struct agreement_result *result) MUST_USE;

/* Records these terms as they are. */
enum err agreement_replace(struct pg *pg, const struct agreement_order *order, const struct terms *terms,
                           struct agreement_result *result) MUST_USE;

/* Records the terms in force with another status, at once; and after it every pending version with that
 * status too, as it would not hold any more otherwise. from_ms is not used. */
enum err agreement_set_status(struct pg *pg, const struct agreement_order *order, const char *status,
                              struct agreement_result *result) MUST_USE;

#endif
