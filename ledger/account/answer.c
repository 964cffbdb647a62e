#include "ledger/account/answer.h"

#include "sql/rows/account.h"

#include <assert.h>

static enum err find(struct answer_account *account)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, account->reading->site->name);
    pg_params_bytes(&params, account->reading->agent);
    TRY(pg_run(account->pg, "own_account", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_ACCOUNT_UNKNOWN);
    const struct own_account_row row = own_account_row(&rows, 0);
    account->site_id = row.site_id;
    account->crawler_id = row.crawler_id;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err dump(json_t *json, struct reading *reading)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    size_t len = text ? strlen(text) : 0;
    char *body = text ? realloc(text, len + 2) : NULL;
    if (!body) {
        free(text);
        return ERR_OVERLOADED;
    }
    memcpy(body + len, "\n", 2);
    reading->body = body;
    reading->len = len + 1;
    reading->media_type = "application/json";
    return ERR_OK;
}

enum err answer_make(struct pg *pg, struct reading *reading)
{
    struct answer_account account = {.pg = pg, .reading = reading};
    json_t *json = NULL;
    enum err err;
    assert(!reading->body && reading->agent.len > 0);
    TRY(find(&account));
    switch (reading->inquiry->topic) {
    case INQUIRY_SUMMARY:
        TRY(answer_summary(&account, &json));
        break;
    case INQUIRY_ENTRIES:
        TRY(answer_entries(&account, &json));
        break;
    }
    err = dump(json, reading);
out:
    json_decref(json);
    return err;
}
