/* Nothing is trusted that was derived: what the entries say is made again, by statements of the audit's
 * own, and compared. A site is looked at in one transaction under the night's lock, so that nothing moves
 * meanwhile; the locks of other sites stay free. */
#include "ledger/audit/audit.h"

#include "ledger/audit/judgement.h"
#include "ledger/delivery/day_deliveries.h"
#include "ledger/pg/cluster.h"
#include "ledger/pg/sql.h"
#include "ledger/proof/interim.h"
#include "ledger/proof/log.h"
#include "ledger/witness/witness.h"
#include "sql/rows/audit.h"
#include "sql/rows/site.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* One run. */
struct audit {
    struct pg *pg;
    const struct audit_order *order;
    struct audit_result *result;
    const char *site; /* under audit */
    int64_t site_id;
};

/* Counted here and told at once: an audit that is interrupted has said what it had found. */
static void found(struct audit *audit, const char *site, const char *row, const char *problem)
{
    assert(site && row && problem);
    audit->result->findings++;
    audit->order->tell(audit->order->context, site, row, problem);
}

/* Each row of a check is a finding: which row, and what is wrong with it. */
static enum err check(struct audit *audit, const char *statement, const struct pg_params *params)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(audit->pg, statement, params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct audit_finding_row finding = audit_finding_row(&rows, i);
        found(audit, audit->site, finding.subject, finding.problem);
    }
out:
    pg_rows_free(&rows);
    return err;
}

static void tell_checkpoint(struct audit *audit, const struct checkpoint_finding *finding)
{
    char row[128];
    if (!finding->problem)
        return;
    assert(finding->date[0]);
    _Static_assert(DAY_TREE_TILE == 256, "as many as are told");
    int len = finding->tile >= 0
                  ? snprintf(row, sizeof(row),
                             "charge: one of the 256 entries of %s from number %" PRId64 ", id %s on",
                             finding->date, finding->tile * DAY_TREE_TILE, finding->first_id)
                  : snprintf(row, sizeof(row), "checkpoint %s", finding->date);
    assert(len > 0 && (size_t)len < sizeof(row));
    found(audit, audit->site, row, finding->problem);
}

static void tell_judgement(void *context, const char *row, const char *problem)
{
    struct audit *audit = context;
    found(audit, audit->site, row, problem);
}

/* Days that were closed without a look at their entries are left at that. */
static enum err judge(struct audit *audit, const struct audit_dates_row *day)
{
    const struct judgement_order order = {.book = audit->order->book,
                                          .site_id = audit->site_id,
                                          .first_id = day->first_id,
                                          .end_id = day->end_id,
                                          .tell = tell_judgement,
                                          .context = audit};
    struct audit_result *result = audit->result;
    if (day->unproven_null)
        return ERR_OK;
    result->unproven += day->unproven;
    result->unjudged += !order.book;
    return order.book ? judgement_check(audit->pg, &order, &result->judged) : ERR_OK;
}

static enum err check_facts(struct audit *audit, const struct day_tree_order *order)
{
    struct audit_result *result = audit->result;
    struct checkpoint_finding finding;
    bool sealed;
    enum err err;
    TRY(checkpoint_check_facts(audit->pg, order, &finding, &sealed));
    tell_checkpoint(audit, &finding);
    result->bare += !sealed;
    if (!sealed && strcmp(order->date, result->bare_until) > 0)
        snprintf(result->bare_until, sizeof(result->bare_until), "%s", order->date);
out:
    return err;
}

/* Each that is not what was sealed has a name; the list of them is under the day's signature. */
static enum err check_deliveries(struct audit *audit, const char *date, const struct pg_params *params)
{
    char row[64];
    bool holds;
    enum err err;
    TRY(pg_run(audit->pg, "session_plain", NULL, NULL));
    TRY(check(audit, "audit_deliveries", params));
    TRY(day_deliveries_check(audit->pg, audit->site_id, date, &holds));
    if (!holds) {
        snprintf(row, sizeof(row), "deliveries of %s", date);
        found(audit, audit->site, row, "the list of them is not what was sealed");
    }
out:
    return err;
}

/* `away`: entries of the day are in a file, so that what is made of single entries cannot be made again. */
static enum err check_day(struct audit *audit, const struct audit_dates_row *day)
{
    const char *date = day->local_date;
    bool away = day->archived;
    assert(audit->site_id > 0);
    /* The chain first, which is all that can be made again of a day whose entries are in a file. */
    static const char *const statements[] = {"audit_chain", "audit_entries", "audit_lines"};
    const struct day_tree_order order = {.site_id = audit->site_id, .date = date};
    struct checkpoint_finding finding;
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, audit->site_id);
    pg_params_text(&params, date);
    for (size_t i = 0; i < (away ? 1 : sizeof(statements) / sizeof(*statements)); i++)
        TRY(check(audit, statements[i], &params));
    TRY(check_facts(audit, &order));
    audit->result->away += away;
    audit->result->days++;
    if (away)
        goto out;
    TRY(checkpoint_check_day(audit->pg, &order, &finding));
    tell_checkpoint(audit, &finding);
    TRY(check_deliveries(audit, date, &params));
    TRY(judge(audit, day));
out:
    return err;
}

static enum err check_days(struct audit *audit, const struct pg_params *site)
{
    struct pg_rows dates = {0};
    enum err err;
    TRY(pg_run(audit->pg, "audit_dates", site, &dates));
    for (int i = 0; i < dates.count; i++) {
        const struct audit_dates_row day = audit_dates_row(&dates, i);
        TRY(check_day(audit, &day));
    }
out:
    pg_rows_free(&dates);
    return err;
}

static enum err count_conflicts(struct audit *audit, const struct pg_params *site)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(audit->pg, "conflict_totals", site, &rows));
    assert(rows.count == 1);
    /* No finding: they were refused. But a crawler that tries again and again is worth knowing. */
    audit->result->conflicts += conflict_totals_row(&rows, 0).attempts;
    audit->result->conflicts_kept += conflict_totals_row(&rows, 0).kept;
out:
    pg_rows_free(&rows);
    return err;
}

/* The checkpoint that was kept elsewhere, if it is of this site's log. */
static enum err check_kept(struct audit *audit)
{
    const struct audit_order *order = audit->order;
    struct log_kept_result *result = &audit->result->kept;
    char origin[LEAF_ORIGIN_MAX];
    enum err err = ERR_OK;
    if (!order->kept)
        return ERR_OK;
    TRY(log_origin(audit->pg, audit->site_id, origin));
    if (strcmp(origin, order->kept->origin) != 0)
        goto out;
    TRY(log_kept_check(audit->pg, audit->site_id, order->trust, order->kept, result));
    audit->result->compared = true;
    if (result->problem[0])
        found(audit, audit->site, "the checkpoint that was kept elsewhere", result->problem);
out:
    return err;
}

/* Keeps the night from the site: totals must not be made while they are compared. Who may not lock, such as
 * the auditor, looks whether a night, or another audit, is at it now. *number: of the days that are closed.
 */
static enum err hold_site(struct audit *audit, const struct pg_params *site, int64_t *number, bool *busy)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_run(audit->pg, "series_look", site, &rows));
    const struct series_look_row look = series_look_row(&rows, 0);
    *number = look.last_number;
    *busy = !look.may_lock && look.held;
    if (!look.may_lock)
        goto out;
    pg_rows_free(&rows);
    TRY(pg_run(audit->pg, "series_lock", site, &rows));
    if (rows.count > 0) /* while it was waited for, a night may have come to its end */
        *number = series_lock_row(&rows, 0).last_number;
out:
    pg_rows_free(&rows);
    return err;
}

static void tell_interim(void *context, int64_t number, const char *problem)
{
    struct audit *audit = context;
    char row[64];
    snprintf(row, sizeof(row), "interim checkpoint %" PRId64, number);
    found(audit, audit->site, row, problem);
}

/* What was signed of days while they were open holds of them for ever. */
static enum err check_interim(struct audit *audit)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, audit->site_id);
    pg_params_text(&params, "false");
    TRY(interim_check(audit->pg, audit->site_id, audit->order->trust, tell_interim, audit));
    TRY(pg_run(audit->pg, "session_plain", NULL, NULL));
    TRY(check(audit, "audit_interim", &params));
out:
    return err;
}

static void tell_cosignature(void *context, const char *row, const char *problem)
{
    struct audit *audit = context;
    found(audit, audit->site, row, problem);
}

/* Inside a transaction. */
static enum err check_site(struct audit *audit)
{
    static const char *const statements[] = {"audit_days",      "audit_agreements",    "audit_invoices",
                                             "audit_series",    "audit_invoice_lines", "audit_adjustments",
                                             "audit_balance",   "audit_accounts",      "audit_spend",
                                             "audit_conflicts", "audit_unproven",      "audit_facts"};
    struct checkpoint_finding finding;
    struct pg_params params = {0};
    int64_t before, after;
    bool busy;
    enum err err;
    pg_params_number(&params, audit->site_id);
    TRY(hold_site(audit, &params, &before, &busy));
    if (busy) {
        audit->result->busy = true;
        goto out;
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
        TRY(check(audit, statements[i], &params));
    TRY(count_conflicts(audit, &params));
    /* The log before its days: a day that was swapped as a whole, with all that follows from it, is right by
     * itself, and only what was signed before shows it. */
    TRY(log_check(audit->pg, audit->site_id, audit->order->trust, &finding));
    tell_checkpoint(audit, &finding);
    TRY(check_kept(audit));
    TRY(witness_check(audit->pg, audit->site_id, audit->order->trust->verifies, tell_cosignature, audit));
    TRY(check_interim(audit));
    TRY(check_days(audit, &params));
    /* A night that came in between, unhindered, may be what was found. */
    TRY(hold_site(audit, &params, &after, &busy));
    audit->result->busy = audit->result->busy || busy || after != before;
out:
    return err;
}

/* What functions and views do is compared by what the server makes of their texts, of which it keeps no more:
 * this version's are made in pg_temp, where nothing calls them, and are gone with the transaction. Functions
 * come before views, by which pg_temp would hide those that a function's text reads. */
static enum err check_definitions(struct audit *audit, const struct pg_params *owner)
{
    const struct sql_file *made = sql_definitions;
    char problem[256];
    enum err err = ERR_OK;
    bool spread = false;
    while (made->name && (err = pg_script(audit->pg, made->name, made->text)) == ERR_OK)
        made++;
    if (err == ERR_OK)
        err = cluster_read(audit->pg, &spread);
    if (err == ERR_OK && spread)
        err = cluster_make(audit->pg, "pg_temp");
    if (err == ERR_OK)
        return check(audit, "audit_definitions", owner);
    if (pg_failure(audit->pg) != PG_DENIED && pg_failure(audit->pg) != PG_OTHER)
        return err;
    /* What is in the way is a finding of its own, and the others are told once it is gone. */
    snprintf(problem, sizeof(problem),
             pg_failure(audit->pg) == PG_DENIED
                 ? "cannot be compared: GRANT TEMPORARY on the database to the operator's role"
                 : "cannot be compared: %s needs something that is missing; make that again, and audit again",
             made->name);
    found(audit, "", "functions and views", problem);
    return ERR_OK;
}

/* What keeps rows from being changed. Inside a transaction. */
static enum err check_guards(struct audit *audit, struct pg_array *allowed)
{
    const struct config *config = audit->order->config;
    struct pg_params roles = {0}, owner = {0}, strangers = {0};
    enum err err;
    pg_params_text(&roles, config->ledger_gate_role);
    pg_params_text(&roles, config->ledger_operator_role);
    pg_params_text(&roles, config->ledger_owner_role);
    pg_params_text(&roles, config->ledger_auditor_role);
    pg_params_text(&owner, config->ledger_owner_role);
    pg_array_begin(allowed, PG_TYPE_TEXT);
    for (size_t i = 0; i < config->ledger_audit_allows.count; i++)
        pg_array_bytes(allowed, slice_of(config->ledger_audit_allows.items[i]));
    if (!pg_params_array(&strangers, allowed))
        return ERR_INTERNAL;
    audit->site = "";
    TRY(pg_run(audit->pg, "session_plain", NULL, NULL));
    TRY(check(audit, "audit_triggers", NULL));
    TRY(check(audit, "audit_rights", &roles));
    TRY(check(audit, "audit_strangers", &strangers));
    TRY(check(audit, "audit_constraints", NULL));
    TRY(check(audit, "audit_shards", NULL));
    TRY(check_definitions(audit, &owner));
out:
    return err;
}

enum err audit_guards(struct pg *pg, const struct audit_order *order, struct audit_result *result)
{
    assert(order->config && order->tell);
    struct audit audit = {.pg = pg, .order = order, .result = result};
    struct pg_array allowed = {0};
    enum err err;
    *result = (struct audit_result){.sites = 0};
    TRY(pg_begin(pg));
    err = check_guards(&audit, &allowed);
    pg_rollback(pg);
out:
    pg_array_free(&allowed);
    return err;
}

enum err audit_run(struct pg *pg, const struct audit_order *order, struct audit_result *result)
{
    assert(order->trust);
    struct audit audit = {.pg = pg, .order = order, .result = result};
    struct pg_params params = {0}, no_site = {0};
    struct pg_rows sites = {0};
    enum err err;
    TRY(audit_guards(pg, order, result));
    audit.site = "";
    pg_params_text(&no_site, NULL);
    TRY(check(&audit, "audit_facts", &no_site));
    TRY(check(&audit, "audit_clocks", NULL));
    pg_params_text(&params, order->site);
    TRY(pg_run(pg, "site_list", &params, &sites));
    for (int i = 0; i < sites.count; i++) {
        audit.site_id = site_list_row(&sites, i).site_id;
        audit.site = site_list_row(&sites, i).name;
        TRY(pg_begin(pg));
        err = check_site(&audit);
        /* A night has the lock: that is no fault, and the other sites are audited all the same. */
        bool busy = err != ERR_OK && pg_failure(pg) == PG_LOCKED;
        result->busy = result->busy || busy;
        pg_rollback(pg); /* nothing was written */
        TRY(busy ? ERR_OK : err);
        result->sites++;
    }
out:
    assert(result->away <= result->days && result->unjudged <= result->days);
    pg_rows_free(&sites);
    return err;
}
