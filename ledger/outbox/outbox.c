/* The message is in the ledger before anything is sent, in the transaction of what it tells if there is
 * one: what happened is told at least once, also by a program that was killed between the two. Attempts are
 * recorded one by one, so that a receiver that hangs keeps nobody's result from being kept. */
#include "ledger/outbox/outbox.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/bill/invoice_read.h"
#include "ledger/outbox/webhook.h"
#include "sql/rows/outbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum err outbox_put(struct pg *pg, int64_t site_id, const char *id, const char *type, const char *body,
                    int64_t now_ms)
{
    assert(*type);
    assert(strlen(id) < OUTBOX_ID_MAX && body);
    struct pg_params params = {0};
    /* The id is the key: put in twice, also by two programs, it is there once, and the receiver knows it. */
    pg_params_text(&params, id);
    pg_params_number(&params, site_id);
    pg_params_text(&params, type);
    pg_params_text(&params, body);
    pg_params_number(&params, now_ms);
    return pg_run(pg, "outbox_insert", &params, NULL);
}

/* {type, timestamp, data}, as Standard Webhooks has it; the data is the whole document. The caller frees. */
static char *body_of(const char *type, int64_t happened_ms, json_t *document)
{
    char at[INSTANT_TEXT_MAX];
    json_t *body = json_pack("{s:s,s:s,s:O}", "type", type, "timestamp", instant_format(happened_ms, at),
                             "data", document);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static enum err put_event(struct pg *pg, int64_t site_id, const char *site,
                          const struct outbox_pending_row *event)
{
    struct document document;
    char *body = NULL;
    char type[64];
    int count = 0;
    enum err err;
    TRY(invoice_read(pg, event->number, site, event->happened_ms, &count, &document));
    TRY(count == 1 ? ERR_OK : ERR_INTERNAL); /* it has events */
    assert(document.json);
    snprintf(type, sizeof(type), "%s.%s", document_is_credit_note(&document) ? "credit_note" : "invoice",
             event->event);
    /* Types have underscores and points alone, as Standard Webhooks' have. */
    for (char *c = type; *c; c++)
        *c = *c == '-' ? '_' : *c;
    body = body_of(type, event->happened_ms, document.json);
    TRY(body ? ERR_OK : ERR_INTERNAL);
    err = outbox_put(pg, site_id, event->message_id, type, body, clock_now_ms());
out:
    free(body);
    document_free(&document);
    return err;
}

static enum err put_dispute(struct pg *pg, int64_t site_id, const struct outbox_disputes_row *event)
{
    char type[64];
    json_t *document = json_loads(event->document, 0, NULL);
    char *body = NULL;
    enum err err;
    TRY(document ? ERR_OK : ERR_INTERNAL);
    snprintf(type, sizeof(type), "dispute.%s", event->event);
    body = body_of(type, event->happened_ms, document);
    TRY(body ? ERR_OK : ERR_INTERNAL);
    err = outbox_put(pg, site_id, event->message_id, type, body, clock_now_ms());
out:
    free(body);
    json_decref(document);
    return err;
}

/* The next page of what happened to disputes. */
static enum err collect_disputes(struct pg *pg, int64_t site_id, int64_t since_ms, int *count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_number(&params, since_ms);
    err = pg_run(pg, "outbox_disputes", &params, &rows);
    *count = err == ERR_OK ? rows.count : 0;
    for (int i = 0; err == ERR_OK && i < rows.count; i++) {
        const struct outbox_disputes_row event = outbox_disputes_row(&rows, i);
        err = put_dispute(pg, site_id, &event);
    }
    pg_rows_free(&rows);
    return err;
}

enum err outbox_collect(struct pg *pg, int64_t site_id, const char *site, int64_t now_ms)
{
    /* Page by page. What is put in is not pending any more, so that there is a last one. */
    enum err err;
    int count;
    do {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_number(&params, site_id);
        pg_params_number(&params, now_ms - OUTBOX_OLDEST_MS);
        err = pg_run(pg, "outbox_pending", &params, &rows);
        count = err == ERR_OK ? rows.count : 0;
        for (int i = 0; err == ERR_OK && i < count; i++) {
            const struct outbox_pending_row event = outbox_pending_row(&rows, i);
            err = put_event(pg, site_id, site, &event);
        }
        pg_rows_free(&rows);
    } while (err == ERR_OK && count > 0);
    do {
        if (err == ERR_OK)
            err = collect_disputes(pg, site_id, now_ms - OUTBOX_OLDEST_MS, &count);
    } while (err == ERR_OK && count > 0);
    return err;
}

enum err outbox_record(struct pg *pg, const char *id, const struct outbox_result *result, int64_t now_ms)
{
    assert(result->status >= 0 && result->detail);
    struct pg_params params = {0};
    pg_params_text(&params, id);
    pg_params_number(&params, now_ms);
    pg_params_number(&params, result->status);
    pg_params_text(&params, result->detail);
    return pg_run(pg, "outbox_attempt_insert", &params, NULL);
}

enum err outbox_each(struct pg *pg, int64_t site_id, int64_t now_ms, outbox_send *send, void *context,
                     struct outbox_count *count)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *count = (struct outbox_count){0};
    pg_params_number(&params, site_id);
    pg_params_number(&params, now_ms - OUTBOX_OLDEST_MS);
    TRY(pg_run(pg, "outbox_due", &params, &rows));
    /* The time of each attempt is looked at anew, since one may take seconds: the next try is counted from
     * it. */
    for (int row = 0; row < rows.count; row++) {
        const struct outbox_due_row due = outbox_due_row(&rows, row);
        const struct outbox_message message = {due.message_id, due.type, due.body, due.failures};
        /* The first try at once; then longer and longer, by a table that everybody who receives knows. */
        int64_t wait_ms = message.failures > 0 ? webhook_wait_ms(message.failures) : 0;
        if (wait_ms < 0) {
            count->given_up++;
        } else if (due.last_ms + wait_ms > now_ms) {
            count->waiting++;
        } else {
            struct outbox_result result = send(&message, context);
            bool delivered = result.status >= 200 && result.status <= 299;
            TRY(outbox_record(pg, message.id, &result, clock_now_ms()));
            count->delivered += delivered;
            count->failed += !delivered;
        }
    }
    assert(count->delivered + count->failed + count->waiting + count->given_up == rows.count);
out:
    pg_rows_free(&rows);
    return err;
}
