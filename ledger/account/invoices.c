/* Invoices and credit notes, as they were sent. A number is looked up in this account before anything else is
 * done with it: another's is as unknown as one that was never given. */
#include "ledger/account/answer.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/amount.h"
#include "ledger/bill/invoice_read.h"
#include "sql/rows/account.h"

static json_t *invoice_json(const struct own_invoices_row *row)
{
    char total[AMOUNT_TEXT_MAX], open[AMOUNT_TEXT_MAX];
    int decimals = (int)row->currency_decimals;
    return json_pack("{s:s,s:s,s:s?,s:s,s:s?,s:s,s:s,s:I,s:s,s:I,s:s,s:I,s:s,s:s}", "number", row->number,
                     "kind", row->kind, "corrects", row->corrects, "issue_date", row->issue_date, "due_date",
                     row->due_date, "first_date", row->first_date, "last_date", row->last_date, "entries",
                     row->entries, "total", amount_format_minor(row->total_minor, decimals, total),
                     "total_minor", row->total_minor, "open",
                     amount_format_minor(row->open_minor, decimals, open), "open_minor", row->open_minor,
                     "currency", row->currency, "status", row->status);
}

enum err answer_invoices(const struct answer_account *account, json_t **answer)
{
    const struct inquiry *inquiry = account->reading->inquiry;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *list = json_array(), *next = NULL;
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, inquiry->from);
    pg_params_text(&params, inquiry->to);
    pg_params_text(&params, inquiry->after);
    pg_params_number(&params, inquiry->limit + 1); /* one more says whether there is a next page */
    pg_params_number(&params, clock_now_ms());
    TRY(pg_run(account->pg, "own_invoices", &params, &rows));
    for (int i = 0; i < rows.count && i < inquiry->limit; i++) {
        const struct own_invoices_row row = own_invoices_row(&rows, i);
        json_array_append_new(list, invoice_json(&row));
        if (i + 1 == inquiry->limit && i + 1 < rows.count)
            next = answer_next(account, row.number);
    }
    *answer = answer_page(account, "invoices", list, next);
    err = *answer ? ERR_OK : ERR_OVERLOADED;
out:
    pg_rows_free(&rows);
    json_decref(list);
    return err;
}

/* Who of the publisher's people did what is the publisher's. */
static void leave_out_actors(json_t *json)
{
    json_t *event;
    size_t i;
    json_array_foreach(json_object_get(json, "events"), i, event)
        json_object_set_new(event, "actor", json_string(""));
}

/* What the publisher counts on no more is owed as before, and why he does not is his own affair. */
static void leave_out_loss(struct document *document, const char *owed)
{
    json_t *kept = json_array(), *event;
    size_t i;
    if (!*document->written_off_on)
        goto out;
    json_array_foreach(json_object_get(document->json, "events"), i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "event")), "written-off") != 0)
            json_array_append(kept, event);
    }
    event = json_array_get(kept, json_array_size(kept) - 1); /* there is "issued" */
    json_object_set(document->json, "status_at", json_object_get(event, "at"));
    document->status_at = json_string_value(json_object_get(event, "at"));
    if (strcmp(document->status, "written-off") == 0) {
        json_object_set_new(document->json, "status", json_string(owed));
        document->status = owed;
    }
    document->written_off_on = "";
    json_object_set_new(document->json, "written_off_on", json_string(""));
    document->events.count = 0; /* some are gone with the list that they were in; no format tells of them */
    json_object_set(document->json, "events", kept);
out:
    json_decref(kept);
}

static enum err render(struct document *document, const struct rendering *format, struct format_output *out)
{
    /* No other format has them; the texts that the document had of them are not looked at any more. */
    if (format == rendering_called("json"))
        leave_out_actors(document->json);
    if (format->render(document, out))
        return ERR_OK;
    LOG(WARN, "account_invoice_unrendered", {"number", document->number}, {"format", format->name},
        {"detail", out->error});
    return ERR_INVOICE_FORMAT;
}

enum err answer_invoice(const struct answer_account *account, struct format_output *out)
{
    const struct reading *reading = account->reading;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct document document = {.json = NULL};
    int count = 0;
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, reading->inquiry->name);
    pg_params_number(&params, clock_now_ms());
    TRY(pg_run(account->pg, "own_invoice", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_INVOICE_UNKNOWN);
    TRY(invoice_read(account->pg, reading->inquiry->name, reading->site->name, clock_now_ms(), &count,
                     &document));
    TRY(count == 1 ? ERR_OK : ERR_INVOICE_UNKNOWN);
    const struct own_invoice_row row = own_invoice_row(&rows, 0);
    leave_out_loss(&document, row.owed);
    err = render(&document, reading->inquiry->format, out);
out:
    document_free(&document);
    pg_rows_free(&rows);
    return err;
}
