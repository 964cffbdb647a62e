/* Corrections of one site come one after the other, under a lock that is a counter's row: two people who
 * take back the same charge at once would otherwise each find enough left of it. A charge is never changed;
 * what lowers it is a row of its own with who and why. */
#include "ledger/bill/adjustment.h"

#include "ledger/base/crypto/random.h"
#include "sql/rows/bill.h"

#include <assert.h>
#include <stdio.h>

enum err adjustment_lock(struct pg *pg, int64_t site_id)
{
    struct pg_params insert = {0}, take = {0};
    enum err err;
    pg_params_number(&insert, site_id);
    pg_params_text(&insert, "correction");
    TRY(pg_run(pg, "series_insert", &insert, NULL));
    pg_params_number(&take, site_id);
    pg_params_text(&take, "correction");
    pg_params_number(&take, 1);
    TRY(pg_run(pg, "series_take", &take, NULL));
out:
    return err;
}

enum err adjustment_insert(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                           uint8_t id[UUID_SIZE])
{
    assert(row->kind && row->reason && row->actor);
    assert(row->amount_micros > 0); /* it lowers what is owed, never raises it */
    struct pg_params params = {0};
    uint8_t made[UUID_SIZE], chance[10];
    random_bytes(chance, sizeof(chance));
    uuid_make(now_ms, chance, made);
    if (id)
        memcpy(id, made, UUID_SIZE);
    pg_params_bytes(&params, slice_bytes(made, UUID_SIZE));
    pg_params_number(&params, row->site_id);
    pg_params_number(&params, row->crawler_id);
    pg_params_text(&params, row->kind);
    if (row->payment_id)
        pg_params_bytes(&params, slice_bytes(row->payment_id, UUID_SIZE));
    else
        pg_params_text(&params, NULL);
    pg_params_text(&params, row->number);
    pg_params_number(&params, row->amount_micros);
    pg_params_text(&params, row->reason);
    pg_params_text(&params, row->actor);
    return pg_run(pg, "adjustment_insert", &params, NULL);
}

static enum err read_subject(struct pg *pg, const uint8_t *payment_id, int64_t now_ms, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_bytes(&params, slice_bytes(payment_id, UUID_SIZE));
    pg_params_number(&params, now_ms);
    return pg_run(pg, "adjustment_subject", &params, rows);
}

/* The most that can be taken back of the charge: no more than is left of what it was billed at, and of its
 * invoice. */
static int64_t left_of(const struct adjustment_subject_row *subject)
{
    int64_t left = subject->amount_micros - subject->discount_micros - subject->adjusted_micros;
    /* By what the entry was billed at, and by what is left of the invoice: other corrections, of other
     * entries, may have used that up. */
    if (!subject->invoice)
        return left;
    int64_t of_invoice = subject->subtotal_micros - subject->invoice_adjusted_micros;
    return left < of_invoice ? left : of_invoice;
}

enum err adjustment_look(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                         enum adjustment_outcome *outcome, struct adjustment_made *made)
{
    struct pg_rows rows = {0};
    enum err err;
    *made = (struct adjustment_made){.amount_micros = 0};
    *outcome = ADJUSTMENT_NO_CHARGE;
    TRY(read_subject(pg, row->payment_id, now_ms, &rows));
    if (rows.count == 0)
        goto out;
    const struct adjustment_subject_row subject = adjustment_subject_row(&rows, 0);
    made->site_id = subject.site_id;
    made->crawler_id = subject.crawler_id;
    made->discount_micros = subject.discount_micros;
    made->left_micros = left_of(&subject);
    made->amount_micros = row->amount_micros > 0 ? row->amount_micros : made->left_micros;
    snprintf(made->currency, sizeof(made->currency), "%s", subject.currency);
    snprintf(made->invoice, sizeof(made->invoice), "%s", subject.invoice ? subject.invoice : "");
    *outcome = subject.unproven                                                    ? ADJUSTMENT_UNPROVEN
               : subject.voided                                                    ? ADJUSTMENT_VOID
               : made->left_micros <= 0 || made->amount_micros > made->left_micros ? ADJUSTMENT_TOO_MUCH
                                                                                   : ADJUSTMENT_DONE;
out:
    pg_rows_free(&rows);
    return err;
}

enum err adjustment_apply(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                          enum adjustment_outcome *outcome, struct adjustment_made *made)
{
    struct adjustment_row whole = *row;
    enum err err;
    TRY(adjustment_look(pg, row, now_ms, outcome, made));
    if (*outcome != ADJUSTMENT_DONE)
        goto out;
    assert(made->amount_micros > 0 && made->amount_micros <= made->left_micros);
    whole.site_id = made->site_id;
    whole.crawler_id = made->crawler_id;
    whole.amount_micros = made->amount_micros;
    TRY(adjustment_insert(pg, &whole, now_ms, made->id));
out:
    return err;
}

enum err adjustment_make(struct pg *pg, const struct adjustment_row *row, int64_t now_ms,
                         enum adjustment_outcome *outcome, struct adjustment_made *made)
{
    assert(row->payment_id && row->amount_micros >= 0);
    enum err err;
    TRY(pg_begin(pg));
    TRY(adjustment_look(pg, row, now_ms, outcome, made));
    if (*outcome == ADJUSTMENT_NO_CHARGE)
        goto out;
    TRY(adjustment_lock(pg, made->site_id));
    /* Looked at again under the lock: another correction may have come between. */
    TRY(adjustment_apply(pg, row, now_ms, outcome, made));
    if (*outcome == ADJUSTMENT_DONE)
        TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}
