/* What a payer has paid too much is used before anything more is collected from him. The database decides in
 * one statement which credit pays what, so that no credit is used twice; here it is told, on both invoices,
 * as each is read by itself. */
#include "ledger/collect/overpayment.h"

#include "ledger/base/text/amount.h"
#include "ledger/collect/event.h"
#include "sql/rows/collect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What happened, on the one of the two invoices that is the subject. */
static enum err tell(struct pg *pg, const struct overpayment_order *order,
                     const struct overpayment_apply_row *row, bool paid, bool last, json_t *applied)
{
    const char *number = paid ? row->number : row->from_number;
    const char *other = paid ? row->from_number : row->number;
    /* As in a dry run: the transaction and its end are the caller's. */
    const struct event_subject subject = {number, order->site, order->actor, order->now_ms, true};
    struct event_invoice invoice;
    enum event_outcome outcome;
    struct event_state state;
    char detail[128], amount[AMOUNT_TEXT_MAX];
    enum err err;
    TRY(event_begin(pg, &subject, &invoice, &outcome));
    assert(outcome == EVENT_DONE && invoice.site_id == order->site_id);
    TRY(event_read(pg, &invoice, &state));
    snprintf(detail, sizeof(detail), "%s %.7s %s %.64s",
             amount_format_minor(row->amount_minor, (int)state.decimals, amount), state.currency,
             paid ? "from" : "to", other);
    TRY(event_add(pg, &invoice, "credit-applied", detail));
    if (!paid)
        goto out;
    if (last) /* of those that pay the invoice: what it has come to is told once */
        TRY(event_add(pg, &invoice, state.open_minor > 0 ? "part-paid" : "paid", detail));
    json_array_append_new(applied, json_pack("{s:s,s:s,s:I,s:s,s:s}", "invoice", number, "from", other,
                                             "amount_minor", (json_int_t)row->amount_minor, "amount", amount,
                                             "currency", state.currency));
out:
    return err;
}

enum err overpayment_apply(struct pg *pg, const struct overpayment_order *order, json_t *applied)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->only);
    pg_params_number(&params, order->now_ms);
    pg_params_text(&params, order->actor);
    TRY(pg_run(pg, "overpayment_apply", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct overpayment_apply_row row = overpayment_apply_row(&rows, i);
        assert(row.amount_minor > 0);
        /* Rows of one invoice follow each other: the last one tells what it has come to. */
        bool last =
            i + 1 == rows.count || strcmp(overpayment_apply_row(&rows, i + 1).number, row.number) != 0;
        TRY(tell(pg, order, &row, false, last, applied));
        TRY(tell(pg, order, &row, true, last, applied));
    }
out:
    pg_rows_free(&rows);
    return err;
}
