#include "tools/crawltab/doctor/checks.h"

#include "ledger/base/clock.h"
#include "ledger/entry/entry.h"
#include "ledger/proof/log.h"
#include "ledger/proof/shelf.h"
#include "ledger/witness/witness.h"
#include "sql/rows/night.h"
#include "sql/rows/proof.h"
#include "sql/rows/site.h"

#include <inttypes.h>

#define HOUR_MS    (3600 * (int64_t)1000)
#define LATE_WARN  (3 * HOUR_MS)  /* a night was left out, or is at it for long */
#define LATE_BAD   (27 * HOUR_MS) /* and the next one too */
#define AUDIT_DAYS 35             /* a weekly one was left out for a month */

/* One site, looked at by both checks. */
struct looked {
    struct diagnosis *diagnosis;
    struct pg *pg;
    const struct config *config;
    int64_t site_id;
    const char *site;
};

static void check_night(const struct looked *at)
{
    static const char check[] = "night";
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_number(&params, at->site_id);
    pg_params_text(&params, NULL);
    pg_params_number(&params, ENTRY_LATEST_MS);
    diagnosis_listen(at->diagnosis);
    enum err err = pg_run(at->pg, "day_next", &params, &rows);
    diagnosis_hear(at->diagnosis, check, DIAGNOSIS_BAD);
    if (err != ERR_OK)
        return;
    if (rows.count == 0) {
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_WARN, "a gate makes days ahead: does one run?",
                      "%s: no day is open", at->site);
    } else {
        const struct day_next_row next = day_next_row(&rows, 0);
        int64_t late_ms = clock_now_ms() - next.due_ms;
        if (late_ms <= LATE_WARN)
            diagnosis_add(at->diagnosis, check, DIAGNOSIS_OK, NULL, "%s: all days before %s are closed",
                          at->site, next.local_date);
        else
            diagnosis_add(
                at->diagnosis, check, late_ms > LATE_BAD ? DIAGNOSIS_BAD : DIAGNOSIS_WARN,
                "run crawltab nightly and read what it says; who starts it each night? (nightly.at, "
                "or a timer)",
                "%s: %s is not closed, %" PRId64 " hours after it could have been%s", at->site,
                next.local_date, late_ms / HOUR_MS, next.sealed ? "; it is sealed" : "");
    }
    pg_rows_free(&rows);
}

/* Whether each witness has seen the log as it is now. */
static void check_witnesses(const struct looked *at, int64_t log_size)
{
    static const char check[] = "witness";
    for (size_t i = 0; i < at->config->seal_witnesses.count; i++) {
        struct witness witness;
        uint64_t seen = 0;
        const char *problem = witness_parse(at->config->seal_witnesses.items[i], &witness);
        if (problem) {
            diagnosis_add(at->diagnosis, check, DIAGNOSIS_BAD, "correct seal.witnesses", "\"%s\": %s",
                          at->config->seal_witnesses.items[i], problem);
            continue;
        }
        diagnosis_listen(at->diagnosis);
        enum err err = witness_newest(at->pg, at->site_id, &witness, &seen);
        diagnosis_hear(at->diagnosis, check, DIAGNOSIS_BAD);
        if (err == ERR_OK && seen < (uint64_t)log_size)
            diagnosis_add(at->diagnosis, check, DIAGNOSIS_WARN,
                          "run crawltab checkpoint witness and read what it says",
                          "%s: %s has cosigned %" PRIu64 " of the %" PRId64 " days of the log", at->site,
                          witness.name, seen, log_size);
        else if (err == ERR_OK)
            diagnosis_add(at->diagnosis, check, DIAGNOSIS_OK, NULL,
                          "%s: %s has cosigned the newest checkpoint", at->site, witness.name);
    }
}

/* The newest is there: those before it were written before it. */
static void check_checkpoint(const struct looked *at)
{
    static const char check[] = "checkpoint";
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char origin[LEAF_ORIGIN_MAX], path[PATH_MAX];
    struct shelf shelf;
    pg_params_text(&params, at->site);
    pg_params_text(&params, NULL);
    diagnosis_listen(at->diagnosis);
    enum err err = pg_run(at->pg, "checkpoint_show", &params, &rows);
    if (err == ERR_OK)
        err = log_origin(at->pg, at->site_id, origin);
    diagnosis_hear(at->diagnosis, check, DIAGNOSIS_BAD);
    if (err != ERR_OK)
        goto out;
    if (rows.count == 0) {
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_OK, NULL, "%s: no day is closed yet", at->site);
        goto out;
    }
    const struct checkpoint_show_row newest = checkpoint_show_row(&rows, 0);
    shelf_begin(&shelf, at->config->seal_publish_folder, origin);
    if (!*at->config->seal_publish_folder)
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_OK, NULL,
                      "%s: that of %s; none is written to a folder (seal.publish_folder)", at->site,
                      newest.local_date);
    else if (!shelf_has(&shelf, newest.log_size))
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_BAD,
                      "crawltab nightly writes it; can it write to that folder?",
                      "%s: that of %s is not at %s", at->site, newest.local_date,
                      shelf_path(&shelf, newest.log_size, path) ? path : shelf.folder);
    else if (shelf_has(&shelf, newest.log_size + 1))
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_BAD,
                      "an old state was restored, or days were dropped: crawltab audit --checkpoint FILE",
                      "%s: a longer log was published in %s than the ledger has", at->site, shelf.folder);
    else
        diagnosis_add(at->diagnosis, check, DIAGNOSIS_OK, NULL, "%s: that of %s is published", at->site,
                      newest.local_date);
    check_witnesses(at, newest.log_size);
out:
    pg_rows_free(&rows);
}

/* Whether somebody looks at all of it now and then, and what he found. */
static void check_audit(struct diagnosis *diagnosis, struct pg *pg)
{
    static const char check[] = "audit";
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    diagnosis_listen(diagnosis);
    enum err err = pg_run(pg, "audit_newest", &params, &rows);
    diagnosis_hear(diagnosis, check, DIAGNOSIS_BAD);
    if (err != ERR_OK)
        goto out;
    const struct audit_newest_row newest = audit_newest_row(&rows, 0);
    int64_t age_days = (clock_now_ms() - newest.happened_ms) / (24 * HOUR_MS);
    bool good = newest.detail && strstr(newest.detail, "everything adds up");
    if (newest.detail && !good)
        diagnosis_add(diagnosis, check, strstr(newest.detail, " finding") ? DIAGNOSIS_BAD : DIAGNOSIS_WARN,
                      "run crawltab audit, and read what it says", "the newest: %s", newest.detail);
    else if (newest.detail ? age_days > AUDIT_DAYS : newest.days > AUDIT_DAYS)
        diagnosis_add(diagnosis, check, DIAGNOSIS_WARN,
                      "systemctl enable --now crawltab-audit.timer, or run crawltab audit now and then", "%s",
                      newest.detail ? "the newest is older than 35 days" : "nobody has made one yet");
    else if (newest.detail)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "the newest, %" PRId64 " days ago: %s", age_days,
                      newest.detail);
    else
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "none yet; crawltab audit makes one");
out:
    pg_rows_free(&rows);
}

void check_nights(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, NULL);
    diagnosis_listen(diagnosis);
    enum err err = pg_run(pg, "site_list", &params, &rows);
    diagnosis_hear(diagnosis, "night", DIAGNOSIS_BAD);
    for (int i = 0; err == ERR_OK && i < rows.count; i++) {
        const struct site_list_row row = site_list_row(&rows, i);
        const struct looked at = {diagnosis, pg, config, row.site_id, row.name};
        check_night(&at);
        check_checkpoint(&at);
    }
    if (err == ERR_OK && rows.count == 0)
        diagnosis_add(diagnosis, "night", DIAGNOSIS_OK, NULL,
                      "no sites yet: a site is registered when its gate starts for the first time");
    else if (err == ERR_OK)
        check_audit(diagnosis, pg);
    pg_rows_free(&rows);
}
