/* The database decides, under its own lock, what stands in the way: two who dispute the same payment at once
 * must not both succeed, and the gate's role may not look further than its answer. */
#include "ledger/dispute/opening.h"

#include "ledger/base/crypto/random.h"
#include "sql/rows/dispute.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Of causes of dispute_subjects (sql/functions/dispute): the sentence, in which %s is what the cause names.
 */
static const struct cause {
    const char *name, *sentence;
} causes[] = {
    {"unknown", "no entry has this payment id: nothing was charged for it"},
    {"archived", "the entries of its day are archived: they have to be restored first"},
    {"other-site", "the payment was made at another site: %s"},
    {"other-crawler", "it is another crawler's than the subjects before: a dispute is about one crawler"},
    {"twice", "it is named twice"},
    {"disputed", "it is disputed already, or was: dispute %s"},
    {"unproven", "it is not billed: its entry is not what was signed"},
    {"free", "nothing was charged for it"},
    {"taken-back", "all of it was taken back already"},
    {"late", "it is too late: it could be disputed for %s days after the crawl, or its invoice"},
    {"unknown-invoice", "there is no such invoice"},
    {"unknown-line", "the invoice has no such line"},
    {"credit-note", "this is a credit note: it takes back, and bills nothing"},
    {"no-crawls", "this line is no line of crawls but a matter of the agreement: %s"},
    {"large", "the line has %s crawls, too many for one dispute: dispute payments, or ask for a new invoice"},
};

static const char *const outcomes[] = {
    [DISPUTE_OPENED] = "opened", [DISPUTE_KNOWN] = "known", [DISPUTE_REFUSED] = "refused"};

bool dispute_reason_known(const char *reason)
{
    static const char *const reasons[] = {
#define DISPUTE_NAME(name, what) name,
        DISPUTE_REASONS(DISPUTE_NAME)
#undef DISPUTE_NAME
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

static bool say_why(json_t *subject)
{
    const char *cause = json_string_value(json_object_get(subject, "cause"));
    const char *detail = json_string_value(json_object_get(subject, "detail"));
    char sentence[256];
    for (size_t i = 0; cause && i < sizeof(causes) / sizeof(*causes); i++) {
        if (strcmp(cause, causes[i].name) != 0)
            continue;
        const char *place = strstr(causes[i].sentence, "%s");
        int before = (int)(place ? place - causes[i].sentence : (long)strlen(causes[i].sentence));
        snprintf(sentence, sizeof(sentence), "%.*s%s%s", before, causes[i].sentence,
                 place && detail ? detail : "", place ? place + 2 : "");
        return json_object_set_new(subject, "sentence", json_string(sentence)) == 0;
    }
    return cause && *cause == '\0';
}

/* The answer of the database, with sentences. */
static enum err take(const char *text, struct dispute_opened *opened)
{
    size_t at;
    json_t *subject;
    json_t *answer = json_loads(text, 0, NULL);
    const char *outcome = json_string_value(json_object_get(answer, "outcome"));
    const char *id = json_string_value(json_object_get(answer, "dispute_id"));
    bool whole = outcome != NULL;
    opened->outcome = DISPUTE_REFUSED;
    for (int i = DISPUTE_OPENED; outcome && i <= DISPUTE_REFUSED; i++)
        if (strcmp(outcome, outcomes[i]) == 0)
            opened->outcome = (enum dispute_outcome)i;
    json_array_foreach(json_object_get(answer, "subjects"), at, subject) whole = say_why(subject) && whole;
    snprintf(opened->id, sizeof(opened->id), "%s", id ? id : "");
    if (!whole) {
        json_decref(answer);
        return ERR_INTERNAL;
    }
    opened->answer = answer;
    return ERR_OK;
}

struct subject_arrays {
    struct pg_array payments, numbers, lines;
};

static void free_arrays(struct subject_arrays *arrays)
{
    pg_array_free(&arrays->payments);
    pg_array_free(&arrays->numbers);
    pg_array_free(&arrays->lines);
}

static bool add_subjects(struct pg_params *params, const struct dispute_opening *opening,
                         struct subject_arrays *arrays)
{
    assert(opening->count >= 1 && opening->count <= DISPUTE_SUBJECTS_MAX);
    pg_array_begin(&arrays->payments, PG_TYPE_TEXT);
    pg_array_begin(&arrays->numbers, PG_TYPE_TEXT);
    pg_array_begin(&arrays->lines, PG_TYPE_INT8);
    for (size_t i = 0; i < opening->count; i++) {
        const struct dispute_subject *subject = &opening->subjects[i];
        assert((subject->payment_id[0] != '\0') != (subject->number != NULL));
        pg_array_bytes(&arrays->payments, slice_of(subject->payment_id));
        pg_array_bytes(&arrays->numbers, slice_of(subject->number ? subject->number : ""));
        pg_array_number(&arrays->lines, subject->line);
    }
    return pg_params_array(params, &arrays->payments) && pg_params_array(params, &arrays->numbers) &&
           pg_params_array(params, &arrays->lines);
}

/* NULL for none. */
static void add_bytes(struct pg_params *params, struct slice bytes)
{
    if (bytes.len > 0)
        pg_params_bytes(params, bytes);
    else
        pg_params_text(params, NULL);
}

static void new_id(int64_t now_ms, uint8_t id[UUID_SIZE])
{
    uint8_t chance[10];
    random_bytes(chance, sizeof(chance));
    uuid_make(now_ms, chance, id);
}

enum err dispute_open_signed(struct pg *pg, const struct dispute_opening *opening,
                             const struct dispute_request *request, int64_t now_ms,
                             struct dispute_opened *opened)
{
    assert(dispute_reason_known(opening->reason) && request->crawler_id > 0);
    struct subject_arrays arrays = {.payments = {.data = NULL}};
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    uint8_t id[UUID_SIZE];
    enum err err;
    *opened = (struct dispute_opened){.outcome = DISPUTE_REFUSED};
    new_id(now_ms, id);
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    pg_params_number(&params, opening->site_id);
    pg_params_number(&params, request->crawler_id);
    pg_params_text(&params, opening->reason);
    pg_params_text(&params, opening->statement);
    TRY(add_subjects(&params, opening, &arrays) ? ERR_OK : ERR_OVERLOADED);
    add_bytes(&params, request->body);
    pg_params_bytes(&params, request->base);
    pg_params_bytes(&params, request->signature);
    pg_params_bytes(&params, request->thumbprint);
    pg_params_number(&params, opening->window_days);
    pg_params_number(&params, opening->answer_days);
    TRY(pg_run(pg, "dispute_open_signed", &params, &rows));
    assert(rows.count == 1);
    TRY(take(dispute_open_signed_row(&rows, 0).answer, opened));
out:
    pg_rows_free(&rows);
    free_arrays(&arrays);
    return err;
}

enum err dispute_open(struct pg *pg, const struct dispute_opening *opening,
                      const struct dispute_publisher *publisher, int64_t now_ms,
                      struct dispute_opened *opened)
{
    assert(dispute_reason_known(opening->reason) && publisher->actor);
    struct subject_arrays arrays = {.payments = {.data = NULL}};
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    uint8_t id[UUID_SIZE];
    enum err err;
    *opened = (struct dispute_opened){.outcome = DISPUTE_REFUSED};
    new_id(now_ms, id);
    pg_params_bytes(&params, slice_bytes(id, UUID_SIZE));
    pg_params_number(&params, opening->site_id);
    pg_params_text(&params, opening->reason);
    pg_params_text(&params, opening->statement);
    TRY(add_subjects(&params, opening, &arrays) ? ERR_OK : ERR_OVERLOADED);
    add_bytes(&params, publisher->evidence);
    pg_params_text(&params, publisher->evidence.len > 0 ? publisher->name : NULL);
    pg_params_text(&params, publisher->actor);
    pg_params_number(&params, opening->window_days);
    pg_params_number(&params, opening->answer_days);
    TRY(pg_run(pg, "dispute_open", &params, &rows));
    assert(rows.count == 1);
    TRY(take(dispute_open_row(&rows, 0).answer, opened));
out:
    pg_rows_free(&rows);
    free_arrays(&arrays);
    return err;
}
