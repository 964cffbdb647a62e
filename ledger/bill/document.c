#include "ledger/bill/document.h"

#include "sql/rows/bill.h"

enum err document_read(struct pg *pg, const char *number, const char *site, int64_t now_ms, int *count,
                       json_t **document)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *document = NULL;
    *count = 0;
    pg_params_text(&params, number);
    pg_params_text(&params, site);
    pg_params_number(&params, now_ms);
    TRY(pg_run(pg, "document_read", &params, &rows));
    *count = rows.count;
    if (rows.count != 1)
        goto out;
    json_error_t error;
    *document = json_loads(document_read_row(&rows, 0).document, 0, &error);
    if (!*document) {
        LOG(ERROR, "document_unreadable", {"number", number}, {"detail", error.text});
        err = ERR_INTERNAL;
    }
out:
    pg_rows_free(&rows);
    return err;
}
