/* An answer is kept after the deed is done. When the console ends in between, the same key is answered with
 * 409 from then on: what came of it is in the ledger, and doing it twice would be worse than looking. */
#include "server/console/deed.h"

#include "ledger/base/clock.h"
#include "sql/rows/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASONS "service_not_delivered service_defective duplicate_payment overcharge customer_request other"

const struct deed deeds[] = {
    {.path = "/invoice/sent",
     .title = "Mark as sent",
     .what = "Records that the buyer has it.",
     .right = RIGHT_MONEY,
     .command = "invoice sent {number} --json [--site={site}]",
     .page = "/invoice",
     .keeps = "number site",
     .fields = {{"number", "Number", true, "hidden", NULL}, {"site", "Site", false, "hidden", NULL}}},
    {.path = "/invoice/paid",
     .title = "Record a payment",
     .what = "Records money that came in; a negative amount is money paid back.",
     .right = RIGHT_MONEY,
     .command = "invoice paid {number} --amount={amount} --reference={reference} --json [--date={date}] "
                "[--site={site}]",
     .page = "/invoice",
     .keeps = "number site",
     .fields = {{"number", "Number", true, "hidden", NULL},
                {"site", "Site", false, "hidden", NULL},
                {"amount", "Amount", true, "text", NULL},
                {"reference", "Reference of the payment", true, "text", NULL},
                {"date", "Received on (today)", false, "date", NULL}}},
    {.path = "/invoice/void",
     .title = "Make void",
     .what =
         "Makes a credit note over all of it when today is closed; the number stays. This cannot be undone.",
     .right = RIGHT_MONEY,
     .command = "invoice void {number} --reason={reason} --json [--reissue?reissue] [--site={site}]",
     .page = "/invoice",
     .keeps = "number site",
     .fields = {{"number", "Number", true, "hidden", NULL},
                {"site", "Site", false, "hidden", NULL},
                {"reason", "Why", true, "text", NULL},
                {"reissue", "Issue it anew to the buyer of the agreement", false, "checkbox", NULL}}},
    {.path = "/invoice/write-off",
     .title = "Write off",
     .what =
         "Records that you do not count on the money any more: it is not collected, and not in what is open. "
         "The crawler owes it as before, no credit note is made, and a payment that comes is booked.",
     .right = RIGHT_MONEY,
     .command = "invoice write-off {number} --reason={reason} --json [--site={site}]",
     .page = "/invoice",
     .keeps = "number site",
     .fields = {{"number", "Number", true, "hidden", NULL},
                {"site", "Site", false, "hidden", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/payment/reverse",
     .title = "Reverse the charge",
     .what =
         "The charge was wrong: takes back all that is left of it, on a credit note. This cannot be undone.",
     .right = RIGHT_MONEY,
     .command = "adjust {payment_id} --reversal --reason={reason} --json",
     .page = "/lookup",
     .keeps = "q",
     .fields = {{"payment_id", "Payment", true, "hidden", NULL}, {"reason", "Why", true, "text", NULL}}},
    {.path = "/payment/credit",
     .title = "Give a credit",
     .what = "Goodwill: takes back some of it, on a credit note. This cannot be undone.",
     .right = RIGHT_MONEY,
     .command = "adjust {payment_id} --credit={amount} --reason={reason} --json",
     .page = "/lookup",
     .keeps = "q",
     .fields = {{"payment_id", "Payment", true, "hidden", NULL},
                {"amount", "Amount", true, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/payment/refund",
     .title = "Refund",
     .what = "Money that is paid back: some of the charge, on a credit note. This cannot be undone.",
     .right = RIGHT_MONEY,
     .command = "adjust {payment_id} --refund={amount} --reason={reason} --json",
     .page = "/lookup",
     .keeps = "q",
     .fields = {{"payment_id", "Payment", true, "hidden", NULL},
                {"amount", "Amount", true, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/dispute/open",
     .title = "Open a dispute",
     .what = "For a crawler who wrote a letter; the rules look at it at once.",
     .right = RIGHT_MONEY,
     .command = "dispute open {payment_id} --reason={code} --json [--text={text}]",
     .page = "/disputes",
     .keeps = "",
     .fields = {{"payment_id", "Payment", true, "text", NULL},
                {"code", "Reason", true, "select", REASONS},
                {"text", "What the crawler says", false, "area", NULL}}},
    {.path = "/dispute/add",
     .title = "Put evidence to it",
     .what =
         "A PDF, a PNG or JPEG picture, or text, of at most 1 MiB. It is kept as it is, and cannot be taken "
         "away again.",
     .right = RIGHT_MONEY,
     .command = "dispute add {id} --evidence=- --name={file} --json [--text={text}]",
     .input = "file",
     .page = "/dispute",
     .keeps = "id",
     .fields = {{"id", "Dispute", true, "hidden", NULL},
                {"file", "File", true, "file", NULL},
                {"text", "What it shows", false, "text", NULL}}},
    {.path = "/dispute/uphold",
     .title = "Uphold",
     .what = "Gives back all that is left of what is disputed, or this much of each. A decision is final.",
     .right = RIGHT_MONEY,
     .command = "dispute decide {id} --uphold --reason={reason} --json [--amount={amount}]",
     .page = "/dispute",
     .keeps = "id",
     .fields = {{"id", "Dispute", true, "hidden", NULL},
                {"reason", "Why, in words that the crawler reads", true, "text", NULL},
                {"amount", "Amount of each (all that is left)", false, "text", NULL}}},
    {.path = "/dispute/reject",
     .title = "Reject",
     .what = "Gives nothing back. A decision is final.",
     .right = RIGHT_MONEY,
     .command = "dispute decide {id} --reject --reason={reason} --json",
     .page = "/dispute",
     .keeps = "id",
     .fields = {{"id", "Dispute", true, "hidden", NULL},
                {"reason", "Why, in words that the crawler reads", true, "text", NULL}}},
    {.path = "/agreement/try",
     .title = "Show what would change",
     .what = "Changes nothing: says what the terms below would change.",
     .right = RIGHT_TERMS,
     .command = "agreement set {crawler} --reason={reason} --dry-run --file=- --json [--site={site}] "
                "[--from={from}] [--expect-version={version}]",
     .input = "terms",
     .page = "/agreement",
     .keeps = "crawler site",
     .fields = {{"crawler", "Crawler", true, "hidden", NULL},
                {"site", "Site", false, "hidden", NULL},
                {"version", "Version", false, "hidden", NULL},
                {"terms", "Terms", true, "area", NULL},
                {"from", "In force from (now)", false, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/agreement/set",
     .title = "Record a new version",
     .what = "Records the terms as a new version; versions are never changed.",
     .right = RIGHT_TERMS,
     .command = "agreement set {crawler} --reason={reason} --file=- --json [--site={site}] [--from={from}] "
                "[--expect-version={version}]",
     .input = "terms",
     .page = "/agreement",
     .keeps = "crawler site",
     .matches = true,
     .fields = {{"crawler", "Crawler", true, "hidden", NULL},
                {"site", "Site", false, "hidden", NULL},
                {"version", "Version", false, "hidden", NULL},
                {"terms", "Terms", true, "area", NULL},
                {"from", "In force from (now)", false, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/crawler/suspend",
     .title = "Suspend",
     .what = "It is served nothing that costs from now on.",
     .right = RIGHT_TERMS,
     .command = "crawler suspend {crawler} --reason={reason} [--site={site}]",
     .page = "/crawler",
     .keeps = "crawler site",
     .fields = {{"crawler", "Crawler", true, "hidden", NULL},
                {"site", "Site", false, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/crawler/resume",
     .title = "Resume",
     .what = "It may pay again.",
     .right = RIGHT_TERMS,
     .command = "crawler resume {crawler} --reason={reason} [--site={site}]",
     .page = "/crawler",
     .keeps = "crawler site",
     .fields = {{"crawler", "Crawler", true, "hidden", NULL},
                {"site", "Site", false, "text", NULL},
                {"reason", "Why", true, "text", NULL}}},
    {.path = "/tokens/add",
     .title = "Make a key",
     .what = "The key is shown once, on the page that follows.",
     .right = RIGHT_KEYS,
     .command = "token add {name} --role={role} --json [--expires={expires}]",
     .page = "/tokens",
     .keeps = "",
     .fields = {{"name", "Name", true, "text", NULL},
                {"role", "Role", true, "select", "reader auditor finance owner"},
                {"expires", "Expires (never)", false, "date", NULL}}},
    {.path = "/tokens/revoke",
     .title = "Revoke a key",
     .what = "Nobody comes in with it any more. This cannot be undone.",
     .right = RIGHT_KEYS,
     .command = "token revoke {name} --console --json",
     .page = "/tokens",
     .keeps = "",
     .fields = {{"name", "Name", true, "text", NULL}}},
    {.path = NULL},
};

const struct deed *deed_at(const char *path)
{
    for (const struct deed *deed = deeds; deed->path; deed++)
        if (strcmp(deed->path, path) == 0)
            return deed;
    return NULL;
}

static const struct deed_field *field_called(const struct deed *deed, const char *name)
{
    for (const struct deed_field *field = deed->fields; field < deed->fields + DEED_FIELDS_MAX && field->name;
         field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

bool deed_takes_file(const struct deed *deed)
{
    for (size_t i = 0; i < DEED_FIELDS_MAX && deed->fields[i].name; i++)
        if (strcmp(deed->fields[i].type, "file") == 0)
            return true;
    return false;
}

bool deed_check(const struct deed *deed, const struct deed_order *order, struct view_fault *fault)
{
    const json_t *given = order->given;
    char detail[160];
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        const struct deed_field *field = field_called(deed, name);
        const char *text = json_string_value(value);
        snprintf(detail, sizeof(detail), "%s: \"%.100s\"",
                 field ? "this is none of its words" : "there is no such field", name);
        bool ours = strcmp(name, "csrf") == 0 || strcmp(name, "once") == 0 || view_lists(deed->keeps, name);
        if (!field && !ours)
            view_fail(fault, 400, detail, "the API's description lists the fields");
        else if (field && field->words && text && *text && !view_lists(field->words, text))
            view_fail(fault, 400, detail, field->words);
    }
    for (const struct deed_field *field = deed->fields; field < deed->fields + DEED_FIELDS_MAX && field->name;
         field++) {
        const char *text = json_string_value(json_object_get(given, field->name));
        snprintf(detail, sizeof(detail), "this is missing: \"%.100s\"", field->name);
        bool file = strcmp(field->type, "file") == 0;
        if (field->needed && (!text || !*text || (file && !order->file.data)))
            view_fail(fault, 400, detail, "nothing was done; fill it in, and send it again");
    }
    return fault->status == 0;
}

/* By the exit status of the command; a version that is not the newest any more is a matter of its own. */
static unsigned status_of(const struct child_result *result, const struct deed *deed)
{
    if (result->status < 0)
        return 503;
    if (deed->matches && result->said && strstr(result->said, "version"))
        return 412;
    return result->status == 64 ? 400 : 409;
}

/* What goes to the command's standard input; data NULL: nothing. */
static struct slice input_of(const struct deed *deed, const struct deed_order *order)
{
    const char *text = deed->input ? json_string_value(json_object_get(order->given, deed->input)) : NULL;
    if (deed_takes_file(deed))
        return order->file;
    return text ? slice_of(text) : (struct slice){NULL, 0};
}

json_t *deed_do(const struct view_source *source, const struct deed *deed, const struct deed_order *order,
                struct view_fault *fault)
{
    struct child_words words;
    struct child_result result = {.status = -1};
    char sentence[CHILD_SENTENCE_MAX], hint[CHILD_SENTENCE_MAX];
    json_t *answer = NULL;
    child_words(deed->command, order->given, &words);
    if (words.lacking || words.refused) {
        view_fail(fault, 400, "a field is missing, or begins with a dash", "nothing was done");
    } else {
        child_run(source->program, &words, source->actor, input_of(deed, order), &result);
        if (result.status == 0) {
            answer = json_loads(result.out, 0, NULL);
            answer = answer ? answer : json_pack("{s:s}", "said", result.out_len ? result.out : result.said);
            if (!answer) /* what it says is no UTF-8 */
                answer = json_pack("{s:s}", "said", "done");
        } else {
            child_sentence(&result, sentence, hint);
            view_fail(fault, status_of(&result, deed), sentence, *hint ? hint : "nothing was done");
        }
    }
    child_words_free(&words);
    child_result_free(&result);
    return answer;
}

static void params_of(const struct deed_once *once, struct pg_params *params)
{
    pg_params_text(params, once->name);
    pg_params_text(params, once->key);
    pg_params_bytes(params, slice_bytes(once->request, sizeof(once->request)));
}

static void recall(struct pg *pg, struct deed_once *once, struct view_fault *fault)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    params_of(once, &params);
    if (pg_run(pg, "console_write_read", &params, &rows) != ERR_OK || rows.count == 0) {
        view_fail(fault, 503, "the ledger did not answer", "nothing was done; try again");
    } else {
        const struct console_write_read_row row = console_write_read_row(&rows, 0);
        if (!row.same)
            view_fail(fault, 422, "this Idempotency-Key was used for something else",
                      "nothing was done; take a new key for each deed");
        else if (!row.answered)
            view_fail(fault, 409, "this was asked for before, and is under way or was broken off",
                      "see in the console whether it was done; take a new key if not");
        else
            once->answer = strdup(row.answer);
        once->status = (unsigned)row.status;
    }
    pg_rows_free(&rows);
}

bool deed_begin(struct pg *pg, struct deed_once *once, struct view_fault *fault)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool fresh = true;
    if (!once->key)
        return true;
    if (!*once->key || strlen(once->key) > 200) {
        view_fail(fault, 400, "an Idempotency-Key has 1 to 200 bytes", "nothing was done");
        return false;
    }
    params_of(once, &params);
    pg_params_number(&params, clock_now_ms());
    if (pg_run(pg, "console_write_begin", &params, &rows) != ERR_OK)
        view_fail(fault, 503, "the ledger did not answer", "nothing was done; try again");
    else
        fresh = rows.count == 1;
    pg_rows_free(&rows);
    if (!fresh)
        recall(pg, once, fault);
    return fresh && !fault->status;
}

void deed_end(struct pg *pg, const struct deed_once *once, unsigned status, const char *answer)
{
    struct pg_params params = {0};
    if (!once->key)
        return;
    params_of(once, &params);
    pg_params_number(&params, clock_now_ms());
    pg_params_number(&params, status);
    pg_params_text(&params, answer);
    /* What could not be kept was logged; the same key is then told that nobody knows. */
    if (pg_run(pg, "console_write_end", &params, NULL) != ERR_OK)
        return;
}
