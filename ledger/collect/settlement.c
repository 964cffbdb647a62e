/* One transaction makes the batch, its file's bytes and the row of each invoice: a file that is lost can be
 * written again as it was, and no invoice is collected twice because the first file was not seen. Only what
 * the file does not carry, a request to another system, goes out by the outbox, which repeats it until it
 * is taken. */
#include "ledger/collect/settlement.h"

#include "ledger/base/instant.h"
#include "ledger/base/crypto/random.h"
#include "ledger/bill/adjustment.h"
#include "ledger/bill/invoice_read.h"
#include "ledger/collect/overpayment.h"
#include "ledger/outbox/outbox.h"
#include "sql/rows/collect.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct settlement_rail settlement_rails[] = {
    {"sepa-direct-debit", "xml", sepa_render, BANKING_TARGET},
    {"ach", "ach", ach_render, BANKING_FED},
    {"x402", "json", x402_render, BANKING_ANY},
    {"card", NULL, card_render, BANKING_ANY},
    {NULL, NULL, NULL, BANKING_ANY},
};

void settlement_made_free(struct settlement_made *made)
{
    free(made->content.bytes);
    made->content.bytes = NULL;
    json_decref(made->applied);
    made->applied = NULL;
}

/* With the names and bank particulars of now. */
static enum err add_due(const struct settlement_order *order, const struct settlement_due_row *row,
                        const struct document *document, struct settlement_batch *batch,
                        struct format_output *out)
{
    assert(document->open_minor > 0);
    /* A copy: what is collected now must not change what the invoice says. */
    json_t *json = json_copy(document->json), *buyer = json_loads(row->buyer, 0, NULL);
    json_object_set_new(json, "settlement", json_loads(row->settlement, 0, NULL));
    if (*format_text(buyer, "name"))
        json_object_set(json, "buyer", buyer);
    if (order->seller)
        json_object_set(json, "seller", (json_t *)(uintptr_t)order->seller);
    bool ok = settlement_add(batch, json, document->open_minor, row->attempt, out);
    json_decref(buyer);
    json_decref(json);
    return ok ? ERR_OK : ERR_INTERNAL;
}

/* Adds the invoice if something is still to be paid. */
static enum err add(struct pg *pg, const struct settlement_order *order, const struct settlement_due_row *row,
                    struct settlement_batch *batch, struct format_output *out)
{
    struct document document;
    enum err err;
    int count;
    TRY(invoice_read(pg, row->number, order->site, order->now_ms, &count, &document));
    /* Looked at once more: what paid it may have come since the query, within this transaction. */
    bool payable = count == 1 && !document_is_credit_note(&document) && document.open_minor > 0 &&
                   strcmp(document.status, "void") != 0 && strcmp(document.status, "written-off") != 0;
    if (payable)
        err = add_due(order, row, &document, batch, out);
out:
    document_free(&document);
    return err;
}

static enum err collect(struct pg *pg, const struct settlement_order *order, struct settlement_batch *batch,
                        struct format_output *out)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->rail->name);
    pg_params_number(&params, order->now_ms);
    pg_params_text(&params, order->again);
    TRY(pg_run(pg, "settlement_due", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct settlement_due_row row = settlement_due_row(&rows, i);
        TRY(add(pg, order, &row, batch, out));
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* Two runs at the same time, for two sites, find the same number: then the second one's insert fails. */
static enum err count_files(struct pg *pg, const struct settlement_order *order,
                            struct settlement_batch *batch)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, order->rail->name);
    pg_params_number(&params, order->now_ms);
    TRY(pg_run(pg, "settlement_files", &params, &rows));
    batch->file_of_day = (size_t)settlement_files_row(&rows, 0).files;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert_batch(struct pg *pg, const struct settlement_order *order,
                             const struct settlement_batch *batch, const struct settlement_made *made)
{
    assert(made->invoices > 0 && made->total_minor > 0 && made->content.bytes);
    struct pg_params params = {0};
    pg_params_text(&params, made->batch_id);
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->rail->name);
    pg_params_text(&params, made->currency);
    pg_params_number(&params, (int64_t)made->invoices);
    pg_params_number(&params, made->total_minor);
    pg_params_number(&params, order->now_ms);
    pg_params_text(&params, made->collect_on);
    pg_params_text(&params, order->actor);
    pg_params_bytes(&params, slice_bytes(made->content.bytes, made->content.len));
    pg_params_number(&params, (int64_t)batch->file_of_day);
    return pg_run(pg, "settlement_batch_insert", &params, NULL);
}

static enum err insert_invoices(struct pg *pg, const struct settlement_order *order,
                                const struct settlement_batch *batch)
{
    assert(batch->count > 0 && batch->id);
    enum err err = ERR_OK;
    for (size_t i = 0; i < batch->count; i++) {
        const struct settlement_due *due = &batch->dues[i];
        assert(due->due_minor > 0);
        struct pg_params params = {0};
        pg_params_number(&params, order->site_id);
        pg_params_text(&params, due->document.number);
        pg_params_text(&params, order->rail->name);
        pg_params_number(&params, due->attempt);
        pg_params_text(&params, batch->id);
        pg_params_number(&params, due->due_minor);
        TRY(pg_run(pg, "settlement_insert", &params, NULL));
    }
out:
    return err;
}

/* A call is made by the outbox: it is sent as often as it takes, also after a kill. */
static enum err put_call(struct pg *pg, const struct settlement_order *order,
                         const struct settlement_made *made)
{
    char id[OUTBOX_ID_MAX], at[INSTANT_TEXT_MAX];
    enum err err = ERR_INTERNAL;
    json_t *data = json_loads(made->content.bytes, 0, NULL);
    json_t *body = json_pack("{s:s,s:s,s:o}", "type", "settlement.requested", "timestamp",
                             instant_format(order->now_ms, at), "data", data);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int len = snprintf(id, sizeof(id), "stl_%s", made->batch_id);
    assert(len > 0 && (size_t)len < sizeof(id));
    if (text)
        err = outbox_put(pg, order->site_id, id, "settlement.requested", text, order->now_ms);
    free(text);
    json_decref(body);
    return err;
}

static void name_batch(const struct settlement_order *order, struct settlement_made *made)
{
    uint8_t random[10], id[UUID_SIZE];
    random_bytes(random, sizeof(random));
    /* Named before it is rendered, since the bank gets the id, and tells us of it. */
    uuid_make(order->now_ms, random, id);
    uuid_format(id, made->batch_id);
    if (order->rail->extension) {
        int len = snprintf(made->file, sizeof(made->file), "%s-%s-%s.%s", order->rail->name, made->collect_on,
                           made->batch_id, order->rail->extension);
        assert(len > 0 && (size_t)len < sizeof(made->file));
    }
}

static enum err render(const struct settlement_order *order, const struct settlement_batch *batch,
                       struct settlement_made *made)
{
    assert(batch->count > 0 && batch->id);
    const struct document *first = &batch->dues[0].document;
    bool ok = settlement_total(batch, &made->total_minor) && order->rail->render(batch, &made->content);
    made->invoices = batch->count;
    snprintf(made->currency, sizeof(made->currency), "%s", first->currency);
    made->decimals = first->currency_decimals;
    assert(!ok || made->content.bytes);
    return ok ? ERR_OK : ERR_INTERNAL;
}

static enum err put_batch(struct pg *pg, const struct settlement_order *order, struct settlement_batch *batch,
                          struct settlement_made *made)
{
    enum err err;
    name_batch(order, made);
    batch->id = made->batch_id;
    /* Rendered before it is inserted: a bank's rule that is broken leaves no trace. */
    TRY(count_files(pg, order, batch));
    TRY(render(order, batch, made));
    TRY(insert_batch(pg, order, batch, made));
    TRY(insert_invoices(pg, order, batch));
    if (!order->rail->extension)
        TRY(put_call(pg, order, made));
out:
    return err;
}

enum err settlement_make(struct pg *pg, const struct settlement_order *order, struct settlement_made *made)
{
    assert(!made->applied && !made->content.bytes);
    assert(order->rail && order->rail->render && order->actor);
    char made_at[INSTANT_TEXT_MAX];
    struct settlement_batch batch = {
        .made_at = instant_format(order->now_ms, made_at),
        .collect_on = banking_day_from(order->rail->calendar, order->collect_on, made->collect_on)};
    const struct overpayment_order credit = {order->site_id, order->site, order->again, order->actor,
                                             order->now_ms};
    enum err err;
    made->applied = json_array();
    TRY(pg_begin(pg));
    /* Before anything is read: no other run, of whichever rail, and no payment comes between. */
    TRY(adjustment_lock(pg, order->site_id));
    /* Credit before collecting, or a payer would be asked for money that we owe him. */
    TRY(overpayment_apply(pg, &credit, made->applied));
    TRY(collect(pg, order, &batch, &made->content));
    if (batch.count > 0)
        TRY(put_batch(pg, order, &batch, made));
    if (!order->dry_run)
        err = pg_commit(pg);
out:
    pg_rollback(pg);
    settlement_free(&batch);
    return err;
}
