/* The lock is that of corrections: while it is held nobody else takes anything back at the site, so that what
 * is left stays what it is. Findings and the adjustments that they stand for are written one after the other
 * in one transaction with the event that says what came of it. */
#include "ledger/dispute/ruling.h"

#include "ledger/base/text/amount.h"
#include "ledger/bill/adjustment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RULES_ACTOR "rules"
#define BY_PERSON   "person"
#define REASON_MAX  400

struct deciding {
    struct pg *pg;
    const char *dispute_id, *actor, *rule; /* of the findings */
    int64_t site_id, crawler_id, now_ms, step;
    struct ruling *ruling;
    /* by rules */
    const struct dispute_court *court;
    int64_t allowed_micros; /* that may still be given back; INT64_MAX: any */
    /* by a person */
    const struct ruling_order *order;
    size_t chosen; /* payments of the order that were met */
};

/* Locks the site's corrections and reads the dispute. The outcome is RULING_DONE if it is open. */
static enum err begin(struct deciding *deciding)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct ruling *ruling = deciding->ruling;
    enum err err;
    pg_params_text(&params, deciding->dispute_id);
    TRY(pg_run(deciding->pg, "dispute_read", &params, &rows));
    ruling->outcome = RULING_UNKNOWN;
    if (rows.count == 0)
        goto out;
    TRY(adjustment_lock(deciding->pg, dispute_read_row(&rows, 0).site_id));
    /* Again under the lock: somebody else may have decided meanwhile. */
    pg_rows_free(&rows);
    TRY(pg_run(deciding->pg, "dispute_read", &params, &rows));
    const struct dispute_read_row row = dispute_read_row(&rows, 0);
    deciding->site_id = row.site_id;
    deciding->crawler_id = row.crawler_id;
    deciding->step = row.last_step;
    snprintf(ruling->status, sizeof(ruling->status), "%s", row.status);
    ruling->outcome = row.open ? RULING_DONE : RULING_DECIDED;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err add_event(struct deciding *deciding, const char *event, const char *detail)
{
    struct pg_params params = {0};
    snprintf(deciding->ruling->status, sizeof(deciding->ruling->status), "%s", event);
    pg_params_text(&params, deciding->dispute_id);
    pg_params_number(&params, deciding->step + 1);
    pg_params_number(&params, deciding->site_id);
    pg_params_text(&params, event);
    pg_params_number(&params, deciding->now_ms);
    pg_params_text(&params, deciding->actor);
    pg_params_text(&params, detail);
    return pg_run(deciding->pg, "dispute_event_insert", &params, NULL);
}

static enum err add_finding(struct deciding *deciding, const uint8_t payment_id[UUID_SIZE], const char *rule,
                            const struct adjustment_made *made, bool adjusted)
{
    struct pg_params params = {0};
    pg_params_text(&params, deciding->dispute_id);
    pg_params_bytes(&params, slice_bytes(payment_id, UUID_SIZE));
    pg_params_number(&params, deciding->site_id);
    pg_params_text(&params, rule);
    pg_params_number(&params, adjusted ? made->amount_micros : 0);
    if (adjusted)
        pg_params_bytes(&params, slice_bytes(made->id, UUID_SIZE));
    else
        pg_params_text(&params, NULL);
    pg_params_number(&params, deciding->now_ms);
    pg_params_text(&params, deciding->actor);
    return pg_run(deciding->pg, "dispute_finding_insert", &params, NULL);
}

/* The adjustment that gives back `amount_micros` (0: all that is left) of the crawl, and its finding. */
static enum err uphold(struct deciding *deciding, const struct dispute_crawls_row *crawl, const char *rule,
                       int64_t amount_micros, const char *why)
{
    uint8_t payment_id[UUID_SIZE];
    char reason[REASON_MAX];
    struct ruling *ruling = deciding->ruling;
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    enum err err;
    TRY(uuid_parse(slice_of(crawl->payment_id), payment_id) ? ERR_OK : ERR_INTERNAL);
    snprintf(reason, sizeof(reason), "dispute %s: %s", deciding->dispute_id, why);
    const struct adjustment_row row = {.kind = amount_micros > 0 ? "refund" : "reversal",
                                       .payment_id = payment_id,
                                       .amount_micros = amount_micros,
                                       .reason = reason,
                                       .actor = deciding->actor};
    TRY(adjustment_look(deciding->pg, &row, deciding->now_ms, &outcome, &made));
    snprintf(ruling->currency, sizeof(ruling->currency), "%s", made.currency);
    bool nothing = outcome == ADJUSTMENT_VOID || outcome == ADJUSTMENT_UNPROVEN ||
                   (outcome == ADJUSTMENT_TOO_MUCH && made.left_micros <= 0);
    if (outcome == ADJUSTMENT_TOO_MUCH && !nothing) {
        ruling->outcome = RULING_TOO_MUCH;
        ruling->left_micros = made.left_micros;
        snprintf(ruling->payment_id, sizeof(ruling->payment_id), "%s", crawl->payment_id);
        goto out;
    }
    if (!nothing && made.amount_micros > deciding->allowed_micros) {
        ruling->capped++;
        goto out;
    }
    if (!nothing) {
        TRY(adjustment_apply(deciding->pg, &row, deciding->now_ms, &outcome, &made));
        TRY(outcome == ADJUSTMENT_DONE ? ERR_OK : ERR_INTERNAL); /* the lock is held since it was looked at */
        if (deciding->allowed_micros != INT64_MAX)
            deciding->allowed_micros -= made.amount_micros;
    }
    TRY(add_finding(deciding, payment_id, rule, &made, !nothing));
out:
    return err;
}

typedef enum err crawl_tell(struct deciding *deciding, const struct dispute_crawls_row *crawl);

/* Page by page, in the order of ids, as long as the outcome is RULING_DONE. */
static enum err each_crawl(struct deciding *deciding, crawl_tell *tell)
{
    char last[UUID_TEXT_MAX] = "00000000-0000-0000-0000-000000000000";
    bool more = true;
    enum err err = ERR_OK;
    while (more && err == ERR_OK && deciding->ruling->outcome == RULING_DONE) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_text(&params, deciding->dispute_id);
        pg_params_text(&params, last);
        err = pg_run(deciding->pg, "dispute_crawls", &params, &rows);
        more = err == ERR_OK && rows.count > 0;
        for (int i = 0; err == ERR_OK && i < rows.count && deciding->ruling->outcome == RULING_DONE; i++) {
            const struct dispute_crawls_row crawl = dispute_crawls_row(&rows, i);
            snprintf(last, sizeof(last), "%s", crawl.payment_id);
            err = tell(deciding, &crawl);
        }
        pg_rows_free(&rows);
    }
    return err;
}

/* How much of it is upheld; `parts`: of how many crawls only a part was given back. */
static enum err count(struct deciding *deciding, int64_t *parts)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, deciding->dispute_id);
    TRY(pg_run(deciding->pg, "dispute_counts", &params, &rows));
    const struct dispute_counts_row row = dispute_counts_row(&rows, 0);
    deciding->ruling->crawls = row.crawls;
    deciding->ruling->findings = row.findings;
    deciding->ruling->upheld_micros = row.upheld_micros;
    *parts = row.parts;
out:
    pg_rows_free(&rows);
    return err;
}

/* --- by rules --- */

static enum err read_allowance(struct deciding *deciding, const struct dispute_caps *caps)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, deciding->site_id);
    pg_params_number(&params, deciding->crawler_id);
    pg_params_number(&params, deciding->now_ms);
    TRY(pg_run(deciding->pg, "dispute_allowance", &params, &rows));
    const struct dispute_allowance_row row = dispute_allowance_row(&rows, 0);
    int64_t share = row.share_ppm >= 0 ? row.share_ppm : caps->share_ppm;
    int64_t limit = row.limit_micros >= 0 ? row.limit_micros : caps->limit_micros;
    /* In parts, so that nothing overflows: a share is of millionths, and below one. */
    int64_t allowed = row.charged_micros / 1000000 * share + row.charged_micros % 1000000 * share / 1000000;
    if (limit >= 0 && limit < allowed)
        allowed = limit;
    deciding->allowed_micros = allowed - row.upheld_micros;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err rule_on(struct deciding *deciding, const struct dispute_crawls_row *crawl)
{
    enum dispute_rule rule;
    int64_t amount;
    enum err err;
    TRY(dispute_judge(deciding->court, crawl, &rule, &amount));
    if (rule == DISPUTE_RULE_NONE)
        goto out;
    err = uphold(deciding, crawl, dispute_rule_name(rule), amount, dispute_rule_when(rule));
    /* Less is left than the rule would give back: a person has to see why. */
    if (deciding->ruling->outcome == RULING_TOO_MUCH)
        deciding->ruling->outcome = RULING_DONE;
out:
    return err;
}

static enum err conclude_rules(struct deciding *deciding)
{
    const struct ruling *ruling = deciding->ruling;
    char detail[200];
    int64_t parts;
    enum err err;
    TRY(count(deciding, &parts));
    if (ruling->findings == ruling->crawls) {
        TRY(add_event(deciding, parts > 0 ? "part_upheld" : "upheld", "decided by the rules alone"));
        goto out;
    }
    snprintf(detail, sizeof(detail), "the rules uphold %" PRId64 " of %" PRId64 " crawls%s", ruling->findings,
             ruling->crawls, ruling->capped > 0 ? ", and more than may be given back without a person" : "");
    TRY(add_event(deciding, "referred", detail));
out:
    return err;
}

enum err ruling_by_rules(const struct dispute_court *court, const char *dispute_id,
                         const struct dispute_caps *caps, int64_t now_ms, struct ruling *ruling)
{
    struct deciding deciding = {.pg = court->pg,
                                .dispute_id = dispute_id,
                                .actor = RULES_ACTOR,
                                .now_ms = now_ms,
                                .ruling = ruling,
                                .court = court};
    enum err err;
    *ruling = (struct ruling){.outcome = RULING_UNKNOWN};
    TRY(pg_begin(court->pg));
    TRY(begin(&deciding));
    if (ruling->outcome == RULING_DONE && strcmp(ruling->status, "opened") != 0)
        ruling->outcome = RULING_DECIDED;
    if (ruling->outcome != RULING_DONE)
        goto out;
    TRY(read_allowance(&deciding, caps));
    TRY(each_crawl(&deciding, rule_on));
    TRY(conclude_rules(&deciding));
    TRY(pg_commit(court->pg));
out:
    pg_rollback(court->pg);
    return err;
}

enum err ruling_on_pending(struct dispute_court *court, const struct dispute_caps *caps, int64_t now_ms,
                           ruling_tell *tell, void *context)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct ruling ruling;
    enum err err;
    pg_params_number(&params, court->site_id);
    TRY(pg_run(court->pg, "dispute_pending", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct dispute_pending_row pending = dispute_pending_row(&rows, i);
        court->crawler_id = pending.crawler_id;
        TRY(ruling_by_rules(court, pending.dispute_id, caps, now_ms, &ruling));
        /* Somebody else may have been quicker. */
        if (ruling.outcome == RULING_DONE)
            tell(pending.dispute_id, &ruling, context);
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* --- by a person --- */

static bool is_chosen(const struct ruling_order *order, const char *payment_id)
{
    for (size_t i = 0; i < order->payment_count; i++)
        if (strcmp(order->payments[i], payment_id) == 0)
            return true;
    return order->payment_count == 0;
}

static enum err decide_on(struct deciding *deciding, const struct dispute_crawls_row *crawl)
{
    const struct ruling_order *order = deciding->order;
    if (!is_chosen(order, crawl->payment_id))
        return ERR_OK;
    deciding->chosen++;
    return uphold(deciding, crawl, BY_PERSON, order->amount_micros, order->reason);
}

/* What the order says is upheld, without anything else of it. */
static enum err uphold_chosen(struct deciding *deciding)
{
    const struct ruling_order *order = deciding->order;
    struct ruling *ruling = deciding->ruling;
    int64_t parts;
    enum err err;
    TRY(each_crawl(deciding, decide_on));
    if (ruling->outcome != RULING_DONE)
        goto out;
    TRY(count(deciding, &parts));
    if (deciding->chosen < order->payment_count) {
        ruling->outcome = RULING_FOREIGN;
        goto out;
    }
    /* Of all of it every crawl must have been met. */
    if (order->payment_count == 0 && ruling->findings < ruling->crawls)
        ruling->outcome = RULING_INCOMPLETE;
out:
    return err;
}

enum err ruling_by_person(struct pg *pg, const struct ruling_order *order, int64_t now_ms,
                          struct ruling *ruling)
{
    struct deciding deciding = {.pg = pg,
                                .dispute_id = order->dispute_id,
                                .actor = order->actor,
                                .now_ms = now_ms,
                                .ruling = ruling,
                                .allowed_micros = INT64_MAX,
                                .order = order};
    int64_t parts;
    enum err err;
    assert(order->actor && order->reason && (order->uphold || order->payment_count == 0));
    *ruling = (struct ruling){.outcome = RULING_UNKNOWN};
    TRY(pg_begin(pg));
    TRY(begin(&deciding));
    if (ruling->outcome == RULING_DONE && order->uphold)
        TRY(uphold_chosen(&deciding));
    if (ruling->outcome != RULING_DONE)
        goto out;
    TRY(count(&deciding, &parts));
    bool all = ruling->findings == ruling->crawls && parts == 0;
    TRY(add_event(&deciding,
                  ruling->findings == 0 ? "rejected"
                  : all                 ? "upheld"
                                        : "part_upheld",
                  order->reason));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}
