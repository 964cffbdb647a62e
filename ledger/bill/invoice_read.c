/* A document that cannot be read is an error with its number and the member that is missing, and never a
 * page with holes: whoever gets an invoice cannot see what is not there. */
#include "ledger/bill/invoice_read.h"

#include "sql/rows/bill.h"

#include <assert.h>

static enum err open(const char *text, const char *number, struct document *document)
{
    assert(!document->json);
    char problem[DOCUMENT_PROBLEM_MAX];
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    bool ok = json && document_open(json, document, problem);
    if (!ok)
        LOG(ERROR, "document_unreadable", {"number", number}, {"detail", json ? problem : error.text},
            {"hint", "was the ledger changed by hand? crawltab audit tells what is wrong"});
    json_decref(json);
    return ok ? ERR_OK : ERR_INTERNAL;
}

enum err invoice_read(struct pg *pg, const char *number, const char *site, int64_t now_ms, int *count,
                      struct document *document)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *document = (struct document){.json = NULL};
    *count = 0;
    pg_params_text(&params, number);
    pg_params_text(&params, site);
    pg_params_number(&params, now_ms);
    TRY(pg_run(pg, "invoice_read", &params, &rows));
    *count = rows.count;
    if (rows.count == 1)
        err = open(invoice_read_row(&rows, 0).document, number, document);
out:
    pg_rows_free(&rows);
    return err;
}
