/* Disputes of the account: those that there are, and a new one, of which the signed request is the evidence.
 * The gate's role can open one and no more; what stands in the way is the database's to say (ledger/dispute).
 */
#include "ledger/account/answer.h"

#include "ledger/base/clock.h"
#include "ledger/dispute/opening.h"
#include "sql/rows/account.h"

#include <assert.h>
#include <string.h>

/* --- Reading --- */

static json_t *dispute_json(const struct own_disputes_row *row)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "dispute_id", row->dispute_id, "opened_by",
                     row->opened_by, "reason", row->reason, "opened_at", row->opened_at, "due_at",
                     row->due_at, "status", row->status, "status_at", row->status_at, "claimed_micros",
                     row->claimed_micros, "upheld_micros", row->upheld_micros);
}

enum err answer_disputes(const struct answer_account *account, json_t **answer)
{
    const struct inquiry *inquiry = account->reading->inquiry;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    json_t *list = json_array(), *next = NULL;
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, inquiry->after);
    pg_params_number(&params, inquiry->limit + 1);
    TRY(pg_run(account->pg, "own_disputes", &params, &rows));
    for (int i = 0; i < rows.count && i < inquiry->limit; i++) {
        const struct own_disputes_row row = own_disputes_row(&rows, i);
        json_array_append_new(list, dispute_json(&row));
        if (i + 1 == inquiry->limit && i + 1 < rows.count)
            next = answer_next(account, row.dispute_id);
    }
    *answer = answer_page(account, "disputes", list, next);
    err = *answer ? ERR_OK : ERR_OVERLOADED;
out:
    pg_rows_free(&rows);
    json_decref(list);
    return err;
}

enum err answer_dispute(const struct answer_account *account, json_t **answer)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, account->reading->inquiry->name);
    TRY(pg_run(account->pg, "own_dispute", &params, &rows));
    TRY(rows.count == 1 ? ERR_OK : ERR_DISPUTE_UNKNOWN);
    *answer = json_loads(own_dispute_row(&rows, 0).document, 0, NULL);
    err = *answer ? ERR_OK : ERR_INTERNAL;
out:
    pg_rows_free(&rows);
    return err;
}

/* --- Opening --- */

static bool take_payment(const json_t *value, struct dispute_subject *subject)
{
    uint8_t id[UUID_SIZE];
    const char *text = json_string_value(value);
    if (!text || !uuid_parse(slice_of(text), id))
        return false;
    uuid_format(id, subject->payment_id);
    return true;
}

static bool take_line(const json_t *value, struct dispute_subject *subject)
{
    const json_t *line = json_object_get(value, "line");
    subject->number = json_string_value(json_object_get(value, "invoice"));
    subject->line = json_integer_value(line);
    return subject->number && *subject->number && json_object_size(value) == 2 && json_is_integer(line) &&
           subject->line > 0 && subject->line <= INT32_MAX;
}

/* False for what is not the body of a dispute: its texts are in `body`, its subjects the caller's to free. */
static bool read_body(const json_t *body, struct dispute_opening *opening, struct dispute_subject **subjects)
{
    const json_t *payments = json_object_get(body, "payments"), *lines = json_object_get(body, "lines");
    const json_t *statement = json_object_get(body, "statement"), *one;
    size_t known = (size_t)(1 + (payments != NULL) + (lines != NULL) + (statement != NULL)), at;
    size_t count = json_array_size(payments) + json_array_size(lines);
    bool good = json_object_size(body) == known && (!payments || json_is_array(payments)) &&
                (!lines || json_is_array(lines)) && (!statement || json_is_string(statement)) && count >= 1 &&
                count <= DISPUTE_SUBJECTS_MAX;
    opening->reason = json_string_value(json_object_get(body, "reason"));
    opening->statement = statement ? json_string_value(statement) : "";
    good = good && opening->reason && dispute_reason_known(opening->reason) &&
           strlen(opening->statement) <= DISPUTE_WORDS_MAX;
    *subjects = good ? calloc(count, sizeof(**subjects)) : NULL;
    good = *subjects != NULL;
    json_array_foreach(payments, at, one) good = good && take_payment(one, &(*subjects)[opening->count++]);
    json_array_foreach(lines, at, one) good = good && take_line(one, &(*subjects)[opening->count++]);
    opening->subjects = *subjects;
    return good;
}

/* What stands in the way, as a problem. */
static json_t *refusal_json(json_t *answer)
{
    json_t *problem =
        json_pack("{s:s,s:s,s:i,s:s,s:s}", "type", "about:blank", "title", err_phrase(ERR_DISPUTE_REFUSED),
                  "status", (int)err_status(ERR_DISPUTE_REFUSED), "code", err_code(ERR_DISPUTE_REFUSED),
                  "detail", err_sentence(ERR_DISPUTE_REFUSED));
    json_object_set(problem, "subjects", json_object_get(answer, "subjects"));
    return problem;
}

enum err answer_dispute_opening(const struct answer_account *account, json_t **answer)
{
    struct reading *reading = account->reading;
    struct dispute_opening opening = {.site_id = account->site_id,
                                      .window_days = reading->site->dispute_window,
                                      .answer_days = reading->site->dispute_answer};
    const struct dispute_request request = {.crawler_id = account->crawler_id,
                                            .body = reading->request.body,
                                            .base = reading->request.base,
                                            .signature = reading->request.signature,
                                            .thumbprint = reading->request.thumbprint};
    struct dispute_opened opened = {.answer = NULL};
    struct dispute_subject *subjects = NULL;
    json_t *body = json_loadb(request.body.data ? request.body.data : "", request.body.len,
                              JSON_REJECT_DUPLICATES, NULL);
    enum err err;
    TRY(body && read_body(body, &opening, &subjects) ? ERR_OK : ERR_MALFORMED_DISPUTE);
    TRY(dispute_open_signed(account->pg, &opening, &request, clock_now_ms(), &opened));
    reading->refusal = opened.outcome == DISPUTE_REFUSED ? ERR_DISPUTE_REFUSED : ERR_OK;
    reading->created = opened.outcome == DISPUTE_OPENED;
    *answer = opened.outcome == DISPUTE_REFUSED ? refusal_json(opened.answer) : json_incref(opened.answer);
    err = *answer ? ERR_OK : ERR_OVERLOADED;
out:
    json_decref(opened.answer);
    json_decref(body);
    free(subjects);
    return err;
}
