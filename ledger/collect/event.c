#include "ledger/collect/event.h"

#include "ledger/bill/adjustment.h"
#include "ledger/base/amount.h"
#include "sql/rows/collect.h"

#include <stdio.h>
#include <stdlib.h>

/* An invoice that was found. */
struct found {
    int64_t site_id;
    int64_t decimals;
    bool credit_note;
};

/* Outcome EVENT_DONE if there is exactly one. */
static enum err find(struct pg *pg, const struct event_subject *subject, struct found *found,
                     enum event_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *outcome = EVENT_NO_NUMBER;
    pg_params_text(&params, subject->number);
    pg_params_text(&params, subject->site);
    TRY(pg_run(pg, "invoice_find", &params, &rows));
    if (rows.count != 1)
        goto out;
    const struct invoice_find_row row = invoice_find_row(&rows, 0);
    *found = (struct found){row.site_id, row.currency_decimals, strcmp(row.kind, "credit-note") == 0};
    *outcome = EVENT_DONE;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err read_state(struct pg *pg, const struct found *found, const char *number, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, found->site_id);
    pg_params_text(&params, number);
    return pg_run(pg, "invoice_state", &params, rows);
}

static enum err tell_state(struct pg *pg, const struct found *found, const char *number,
                           struct event_state *state)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_state(pg, found, number, &rows));
    const struct invoice_state_row row = invoice_state_row(&rows, 0);
    snprintf(state->status, sizeof(state->status), "%s", row.status);
    snprintf(state->currency, sizeof(state->currency), "%s", row.currency);
    state->decimals = row.currency_decimals;
    state->open_minor = row.open_minor;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err add_event(struct pg *pg, const struct found *found, const struct event_subject *subject,
                          const char *event, const char *detail)
{
    struct pg_params params = {0};
    pg_params_number(&params, found->site_id);
    pg_params_text(&params, subject->number);
    pg_params_text(&params, event);
    pg_params_number(&params, subject->now_ms);
    pg_params_text(&params, subject->actor);
    pg_params_text(&params, detail);
    return pg_run(pg, "invoice_event_insert", &params, NULL);
}

static enum err insert_money(struct pg *pg, const struct found *found, const struct event_subject *subject,
                             const struct event_money *money, enum event_outcome *outcome)
{
    int64_t minor = money->amount_micros / amount_minor_micros((int)found->decimals);
    struct pg_params params = {0}, key = {0};
    struct pg_rows rows = {0}, before = {0};
    enum err err;
    pg_params_number(&params, found->site_id);
    pg_params_text(&params, subject->number);
    pg_params_text(&params, money->reference);
    pg_params_number(&params, minor);
    pg_params_number(&params, subject->now_ms);
    pg_params_text(&params, money->received_on);
    pg_params_text(&params, subject->actor);
    TRY(pg_run(pg, "invoice_payment_insert", &params, &rows));
    if (rows.count > 0)
        goto out;
    pg_params_number(&key, found->site_id);
    pg_params_text(&key, subject->number);
    pg_params_text(&key, money->reference);
    TRY(pg_run(pg, "invoice_payment_read", &key, &before));
    *outcome = invoice_payment_read_row(&before, 0).amount_minor == minor ? EVENT_REPEATED : EVENT_CONFLICT;
out:
    pg_rows_free(&rows);
    pg_rows_free(&before);
    return err;
}

/* Inside a transaction that holds the lock. */
static enum err receive(struct pg *pg, const struct found *found, const struct event_subject *subject,
                        const struct event_money *money, enum event_outcome *outcome,
                        struct event_state *state)
{
    enum err err;
    TRY(insert_money(pg, found, subject, money, outcome));
    TRY(tell_state(pg, found, subject->number, state));
    bool changed = strcmp(state->status, "paid") == 0 || strcmp(state->status, "part-paid") == 0;
    if (*outcome == EVENT_DONE && changed)
        TRY(add_event(pg, found, subject, state->status, money->reference));
out:
    return err;
}

enum err event_receive(struct pg *pg, const struct event_subject *subject, const struct event_money *money,
                       enum event_outcome *outcome, struct event_state *state)
{
    struct found found;
    enum err err;
    TRY(pg_begin(pg));
    TRY(find(pg, subject, &found, outcome));
    if (*outcome != EVENT_DONE)
        goto out;
    if (found.credit_note)
        *outcome = EVENT_NO_DEBT;
    else if (money->amount_micros % amount_minor_micros((int)found.decimals) != 0)
        *outcome = EVENT_MISFIT;
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(adjustment_lock(pg, found.site_id));
    TRY(receive(pg, &found, subject, money, outcome, state));
    if (!subject->dry_run)
        err = pg_commit(pg);
out:
    pg_rollback(pg);
    return err;
}

enum err event_sent(struct pg *pg, const struct event_subject *subject, enum event_outcome *outcome,
                    struct event_state *state)
{
    struct pg_rows rows = {0};
    struct found found;
    enum err err;
    TRY(pg_begin(pg));
    TRY(find(pg, subject, &found, outcome));
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(adjustment_lock(pg, found.site_id));
    TRY(read_state(pg, &found, subject->number, &rows));
    if (invoice_state_row(&rows, 0).sent)
        *outcome = EVENT_REPEATED;
    else
        TRY(add_event(pg, &found, subject, "sent", ""));
    TRY(tell_state(pg, &found, subject->number, state));
    TRY(pg_commit(pg));
out:
    pg_rows_free(&rows);
    pg_rollback(pg);
    return err;
}

/* Inside a transaction that holds the lock. */
static enum err cancel(struct pg *pg, const struct found *found, const struct event_subject *subject,
                       const char *reason, enum event_outcome *outcome)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_state(pg, found, subject->number, &rows));
    const struct invoice_state_row state = invoice_state_row(&rows, 0);
    if (strcmp(state.status, "void") == 0)
        *outcome = EVENT_VOID;
    else if (state.paid_minor != 0 || state.left_micros <= 0)
        *outcome = EVENT_PAID;
    if (*outcome != EVENT_DONE)
        goto out;
    const struct adjustment_row row = {.site_id = found->site_id,
                                       .crawler_id = state.crawler_id,
                                       .kind = "void",
                                       .number = subject->number,
                                       .amount_micros = state.left_micros,
                                       .reason = reason,
                                       .actor = subject->actor};
    TRY(adjustment_insert(pg, &row, subject->now_ms, NULL));
    TRY(add_event(pg, found, subject, "void", reason));
out:
    pg_rows_free(&rows);
    return err;
}

enum err event_void(struct pg *pg, const struct event_subject *subject, const char *reason,
                    enum event_outcome *outcome, struct event_state *state)
{
    struct found found;
    enum err err;
    TRY(pg_begin(pg));
    TRY(find(pg, subject, &found, outcome));
    if (*outcome == EVENT_DONE && found.credit_note)
        *outcome = EVENT_NO_DEBT;
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(adjustment_lock(pg, found.site_id));
    TRY(cancel(pg, &found, subject, reason, outcome));
    TRY(tell_state(pg, &found, subject->number, state));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}
