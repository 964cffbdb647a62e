/* What happens to an invoice is added, never changed: its status is what the events and payments come to.
 * Each step looks and writes under the site's lock, in one transaction, so that two imports of one file, or
 * a person and a file, cannot both find that money has not been booked yet. */
#include "ledger/collect/event.h"

#include "ledger/bill/adjustment.h"
#include "ledger/base/text/amount.h"
#include "sql/rows/collect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Outcome EVENT_DONE if there is exactly one. */
static enum err find(struct pg *pg, const struct event_subject *subject, struct event_invoice *invoice,
                     enum event_outcome *outcome)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *outcome = EVENT_NO_NUMBER;
    pg_params_text(&params, subject->number);
    pg_params_text(&params, subject->site);
    /* A number without a site may be that of two sites: then it is none. */
    TRY(pg_run(pg, "invoice_find", &params, &rows));
    if (rows.count != 1)
        goto out;
    const struct invoice_find_row row = invoice_find_row(&rows, 0);
    *invoice = (struct event_invoice){subject, row.site_id, row.currency_decimals,
                                      strcmp(row.kind, "credit-note") == 0};
    *outcome = EVENT_DONE;
out:
    pg_rows_free(&rows);
    return err;
}

enum err event_begin(struct pg *pg, const struct event_subject *subject, struct event_invoice *invoice,
                     enum event_outcome *outcome)
{
    assert(subject->number && subject->actor);
    enum err err;
    if (!subject->dry_run)
        TRY(pg_begin(pg));
    TRY(find(pg, subject, invoice, outcome));
    /* The lock before anything else is read: what is found out now holds until the end. */
    if (*outcome == EVENT_DONE)
        TRY(adjustment_lock(pg, invoice->site_id));
out:
    assert(err != ERR_OK || *outcome != EVENT_DONE || invoice->subject == subject);
    return err;
}

enum err event_end(struct pg *pg, const struct event_invoice *invoice)
{
    assert(invoice->subject);
    return invoice->subject->dry_run ? ERR_OK : pg_commit(pg);
}

static enum err read_state(struct pg *pg, const struct event_invoice *invoice, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, invoice->site_id);
    pg_params_text(&params, invoice->subject->number);
    return pg_run(pg, "invoice_state", &params, rows);
}

enum err event_read(struct pg *pg, const struct event_invoice *invoice, struct event_state *state)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_state(pg, invoice, &rows));
    const struct invoice_state_row row = invoice_state_row(&rows, 0);
    snprintf(state->status, sizeof(state->status), "%s", row.status);
    snprintf(state->currency, sizeof(state->currency), "%s", row.currency);
    state->decimals = row.currency_decimals;
    state->total_minor = row.total_minor;
    state->paid_minor = row.paid_minor;
    state->open_minor = row.open_minor;
out:
    pg_rows_free(&rows);
    return err;
}

enum err event_add(struct pg *pg, const struct event_invoice *invoice, const char *event, const char *detail)
{
    assert(*event && detail);
    struct pg_params params = {0};
    pg_params_number(&params, invoice->site_id);
    pg_params_text(&params, invoice->subject->number);
    pg_params_text(&params, event);
    pg_params_number(&params, invoice->subject->now_ms);
    pg_params_text(&params, invoice->subject->actor);
    pg_params_text(&params, detail);
    return pg_run(pg, "invoice_event_insert", &params, NULL);
}

static enum err insert_money(struct pg *pg, const struct event_invoice *invoice,
                             const struct event_money *money, enum event_outcome *outcome)
{
    int64_t unit = amount_minor_micros((int)invoice->decimals), minor = money->amount_micros / unit;
    struct pg_params params = {0}, key = {0};
    struct pg_rows rows = {0}, before = {0};
    enum err err;
    assert(money->amount_micros % unit == 0 && minor != 0);
    pg_params_number(&params, invoice->site_id);
    pg_params_text(&params, invoice->subject->number);
    pg_params_text(&params, money->reference);
    pg_params_number(&params, minor);
    pg_params_number(&params, invoice->subject->now_ms);
    pg_params_text(&params, money->received_on);
    pg_params_text(&params, invoice->subject->actor);
    pg_params_text(&params, money->identity);
    /* The key is invoice and reference: told again it is the same money, or else two of one name. */
    TRY(pg_run(pg, "invoice_payment_insert", &params, &rows));
    if (rows.count > 0)
        goto out;
    pg_params_number(&key, invoice->site_id);
    pg_params_text(&key, invoice->subject->number);
    pg_params_text(&key, money->reference);
    TRY(pg_run(pg, "invoice_payment_read", &key, &before));
    *outcome = invoice_payment_read_row(&before, 0).amount_minor == minor ? EVENT_REPEATED : EVENT_CONFLICT;
out:
    pg_rows_free(&rows);
    pg_rows_free(&before);
    return err;
}

enum err event_pay(struct pg *pg, const struct event_invoice *invoice, const struct event_money *money,
                   enum event_outcome *outcome, struct event_state *state)
{
    assert(!invoice->credit_note && *outcome == EVENT_DONE);
    enum err err;
    TRY(insert_money(pg, invoice, money, outcome));
    /* Read after the money is in: the status is what all payments come to, and not what this one would. */
    TRY(event_read(pg, invoice, state));
    bool changed = strcmp(state->status, "paid") == 0 || strcmp(state->status, "part-paid") == 0;
    if (*outcome == EVENT_DONE && changed)
        TRY(event_add(pg, invoice, state->status, money->reference));
out:
    return err;
}

enum err event_known(struct pg *pg, const struct event_invoice *invoice, const char *event,
                     const char *detail, bool *known)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, invoice->site_id);
    pg_params_text(&params, invoice->subject->number);
    pg_params_text(&params, event);
    pg_params_text(&params, detail);
    TRY(pg_run(pg, "invoice_event_find", &params, &rows));
    *known = rows.count > 0;
out:
    pg_rows_free(&rows);
    return err;
}

enum err event_return(struct pg *pg, const struct event_invoice *invoice, const char *detail,
                      const struct event_money *money)
{
    assert(!invoice->credit_note && *detail);
    enum event_outcome outcome = EVENT_DONE;
    bool known;
    enum err err;
    if (money) {
        assert(money->amount_micros < 0);
        TRY(insert_money(pg, invoice, money, &outcome));
        assert(outcome == EVENT_DONE); /* whoever calls has looked, under the lock */
    }
    TRY(event_known(pg, invoice, "returned", detail, &known));
    if (!known)
        TRY(event_add(pg, invoice, "returned", detail));
out:
    return err;
}

/* event_begin for what is done to debts alone. */
static enum err begin_debt(struct pg *pg, const struct event_subject *subject, struct event_invoice *invoice,
                           enum event_outcome *outcome)
{
    enum err err = event_begin(pg, subject, invoice, outcome);
    if (err == ERR_OK && *outcome == EVENT_DONE && invoice->credit_note)
        *outcome = EVENT_NO_DEBT;
    return err;
}

enum err event_receive(struct pg *pg, const struct event_subject *subject, const struct event_money *money,
                       enum event_outcome *outcome, struct event_state *state)
{
    struct event_invoice invoice;
    enum err err;
    TRY(begin_debt(pg, subject, &invoice, outcome));
    /* Never rounded: a tenth of a cent that nobody paid would be open for ever. */
    if (*outcome == EVENT_DONE && money->amount_micros % amount_minor_micros((int)invoice.decimals) != 0)
        *outcome = EVENT_MISFIT;
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(event_pay(pg, &invoice, money, outcome, state));
    TRY(event_end(pg, &invoice));
out:
    /* Also after what was no failure: nothing of a refused step stays, and the lock goes at once. */
    pg_rollback(pg);
    return err;
}

enum err event_sent(struct pg *pg, const struct event_subject *subject, enum event_outcome *outcome,
                    struct event_state *state)
{
    struct pg_rows rows = {0};
    struct event_invoice invoice;
    enum err err;
    TRY(event_begin(pg, subject, &invoice, outcome));
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(read_state(pg, &invoice, &rows));
    if (invoice_state_row(&rows, 0).sent)
        *outcome = EVENT_REPEATED;
    else
        TRY(event_add(pg, &invoice, "sent", ""));
    TRY(event_read(pg, &invoice, state));
    TRY(event_end(pg, &invoice));
out:
    pg_rows_free(&rows);
    pg_rollback(pg);
    return err;
}

enum err event_write_off(struct pg *pg, const struct event_subject *subject, const char *reason,
                         enum event_outcome *outcome, struct event_state *state)
{
    assert(*reason);
    struct event_invoice invoice;
    enum err err;
    TRY(begin_debt(pg, subject, &invoice, outcome));
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(event_read(pg, &invoice, state));
    if (strcmp(state->status, "written-off") == 0)
        *outcome = EVENT_REPEATED;
    else if (state->open_minor <= 0 || strcmp(state->status, "void") == 0)
        *outcome = EVENT_SETTLED;
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(event_add(pg, &invoice, "written-off", reason));
    TRY(event_read(pg, &invoice, state));
    TRY(event_end(pg, &invoice));
out:
    pg_rollback(pg);
    return err;
}

/* Why what is left of the invoice cannot be taken back, or billed again, as ordered; or EVENT_DONE. */
static enum event_outcome judge_cancel(const struct event_invoice *invoice,
                                       const struct invoice_state_row *state, bool reissue)
{
    bool is_void = !state->void_micros_null;
    int64_t micros = is_void ? state->void_micros : state->left_micros;
    /* A void invoice may be billed anew later, once. */
    if (is_void && (!reissue || state->reissued))
        return EVENT_VOID;
    /* Money that came in for it would belong to nothing: it goes back, or to another invoice, first. */
    if (!is_void && (state->paid_minor != 0 || state->applied_minor != 0 || micros <= 0))
        return EVENT_PAID;
    if (reissue && micros < amount_minor_micros((int)invoice->decimals))
        return EVENT_TOO_LITTLE;
    return EVENT_DONE;
}

static enum err cancel_step(struct pg *pg, const struct event_invoice *invoice, struct adjustment_row *row,
                            const char *kind, const char *event)
{
    enum err err;
    row->kind = kind;
    TRY(adjustment_insert(pg, row, invoice->subject->now_ms, NULL));
    TRY(event_add(pg, invoice, event, row->reason));
out:
    return err;
}

/* Inside a transaction that holds the lock. */
static enum err cancel(struct pg *pg, const struct event_invoice *invoice, const struct event_cancel *order,
                       enum event_outcome *outcome)
{
    assert(order->reason && *outcome == EVENT_DONE && !invoice->credit_note);
    struct pg_rows rows = {0};
    enum err err;
    TRY(read_state(pg, invoice, &rows));
    const struct invoice_state_row state = invoice_state_row(&rows, 0);
    bool is_void = !state.void_micros_null;
    *outcome = judge_cancel(invoice, &state, order->reissue);
    if (*outcome != EVENT_DONE)
        goto out;
    struct adjustment_row row = {.site_id = invoice->site_id,
                                 .crawler_id = state.crawler_id,
                                 .number = invoice->subject->number,
                                 .amount_micros = is_void ? state.void_micros : state.left_micros,
                                 .reason = order->reason,
                                 .actor = invoice->subject->actor};
    assert(row.amount_micros > 0);
    if (!is_void)
        TRY(cancel_step(pg, invoice, &row, "void", "void"));
    if (order->reissue)
        TRY(cancel_step(pg, invoice, &row, "reissue", "reissued"));
out:
    pg_rows_free(&rows);
    return err;
}

enum err event_void(struct pg *pg, const struct event_subject *subject, const struct event_cancel *order,
                    enum event_outcome *outcome, struct event_state *state)
{
    struct event_invoice invoice;
    enum err err;
    TRY(begin_debt(pg, subject, &invoice, outcome));
    if (*outcome != EVENT_DONE)
        goto out;
    TRY(cancel(pg, &invoice, order, outcome));
    TRY(event_read(pg, &invoice, state));
    TRY(event_end(pg, &invoice));
out:
    pg_rollback(pg);
    return err;
}
