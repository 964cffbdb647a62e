#include "ledger/account/answer.h"

#include "sql/rows/account.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>

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

json_t *answer_begin(const struct answer_account *account)
{
    const struct reading *reading = account->reading;
    return json_pack("{s:s,s:s%,s:s}", "site", reading->site->name, "agent", reading->agent.data,
                     reading->agent.len, "currency", reading->site->currency);
}

/* What a number of an invoice may have and a query may not is escaped. */
static void write_escaped(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++)
        fprintf(out, isalnum((unsigned char)*c) || strchr("-._~", *c) ? "%c" : "%%%02X", (unsigned char)*c);
}

json_t *answer_next(const struct answer_account *account, const char *after)
{
    const struct inquiry *inquiry = account->reading->inquiry;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    fprintf(out, "%s?", inquiry->path);
    if (inquiry->from)
        fprintf(out, "from=%s&", inquiry->from);
    if (inquiry->to)
        fprintf(out, "to=%s&", inquiry->to);
    fprintf(out, "limit=%" PRId64 "&after=", inquiry->limit);
    write_escaped(out, after);
    json_t *next = fclose(out) == 0 ? json_string(text) : NULL;
    free(text);
    return next;
}

json_t *answer_page(const struct answer_account *account, const char *name, json_t *list, json_t *next)
{
    json_t *answer = answer_begin(account);
    bool listed = json_object_set(answer, name, list) == 0;
    if (json_object_set_new(answer, "next", next ? next : json_null()) == 0 && listed)
        return answer;
    json_decref(answer);
    return NULL;
}

static const char *media_type(const struct rendering *format)
{
    static const char *const types[][2] = {{"json", "application/json"},
                                           {"csv", "text/csv; charset=utf-8"},
                                           {"html", "text/html; charset=utf-8"},
                                           {"pdf", "application/pdf"},
                                           {"ubl", "application/xml"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(types[i][0], format->name) == 0)
            return types[i][1];
    return "text/plain; charset=utf-8"; /* journals */
}

static enum err make_document(const struct answer_account *account, struct reading *reading)
{
    struct format_output out = {0};
    enum err err = answer_invoice(account, &out);
    if (err != ERR_OK)
        return err;
    reading->body = out.bytes;
    reading->len = out.len;
    reading->media_type = media_type(reading->inquiry->format);
    return ERR_OK;
}

static enum err make_json(const struct answer_account *account, answer_topic *topic, struct reading *reading)
{
    json_t *json = NULL;
    enum err err = topic(account, &json);
    char *text = err == ERR_OK ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    size_t len = text ? strlen(text) : 0;
    char *body = text ? realloc(text, len + 2) : NULL;
    json_decref(json);
    if (err != ERR_OK)
        return err;
    if (!body) {
        free(text);
        return ERR_OVERLOADED;
    }
    memcpy(body + len, "\n", 2);
    reading->body = body;
    reading->len = len + 1;
    reading->media_type = reading->refusal == ERR_OK ? "application/json" : "application/problem+json";
    return ERR_OK;
}

enum err answer_make(struct pg *pg, struct reading *reading)
{
    static answer_topic *const topics[] = {
        [INQUIRY_SUMMARY] = answer_summary,         [INQUIRY_ENTRIES] = answer_entries,
        [INQUIRY_STATEMENT] = answer_statement,     [INQUIRY_INVOICES] = answer_invoices,
        [INQUIRY_INVOICE_ENTRIES] = answer_entries, [INQUIRY_PROOF] = answer_proof,
        [INQUIRY_CHECKPOINTS] = answer_checkpoints, [INQUIRY_DISPUTES] = answer_disputes,
        [INQUIRY_DISPUTE] = answer_dispute,         [INQUIRY_DISPUTE_OPENING] = answer_dispute_opening,
    };
    struct answer_account account = {.pg = pg, .reading = reading};
    const struct inquiry *inquiry = reading->inquiry;
    enum err err;
    assert(!reading->body && reading->agent.len > 0);
    TRY(find(&account));
    err = inquiry->topic == INQUIRY_INVOICE ? make_document(&account, reading)
                                            : make_json(&account, topics[inquiry->topic], reading);
out:
    return err;
}
