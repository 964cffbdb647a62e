#include "ledger/invoice.h"

/* Takes `count` numbers of the series; rolled back with everything else, so that no number is lost. */
static enum err take_numbers(struct pg *pg, const struct invoice_order *order, int64_t count, int64_t *first)
{
    struct pg_params series = {0}, take = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&series, order->site_id);
    pg_params_text(&series, order->series);
    TRY(pg_run(pg, "series_insert", &series, NULL));
    pg_params_number(&take, order->site_id);
    pg_params_text(&take, order->series);
    pg_params_number(&take, count);
    TRY(pg_run(pg, "series_take", &take, &rows));
    *first = pg_number(&rows, 0, 0) - count + 1;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err insert(struct pg *pg, const struct invoice_order *order, int64_t first)
{
    struct pg_params invoices = {0}, lines = {0}, events = {0};
    enum err err;
    pg_params_number(&invoices, order->site_id);
    pg_params_text(&invoices, order->date);
    pg_params_text(&invoices, order->seller);
    pg_params_text(&invoices, order->series);
    pg_params_number(&invoices, first);
    TRY(pg_run(pg, "invoices_insert", &invoices, NULL));
    pg_params_number(&lines, order->site_id);
    pg_params_text(&lines, order->date);
    TRY(pg_run(pg, "invoice_lines_insert", &lines, NULL));
    pg_params_number(&events, order->site_id);
    pg_params_text(&events, order->date);
    pg_params_number(&events, order->now_ms);
    pg_params_text(&events, order->actor);
    TRY(pg_run(pg, "invoice_events_insert", &events, NULL));
out:
    return err;
}

enum err invoice_make(struct pg *pg, const struct invoice_order *order, int64_t count)
{
    enum err err = ERR_OK;
    int64_t first;
    if (count == 0)
        goto out;
    TRY(take_numbers(pg, order, count, &first));
    TRY(insert(pg, order, first));
out:
    return err;
}
