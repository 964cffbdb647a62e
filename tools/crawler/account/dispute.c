/* crawler dispute: what the crawler says is wrong with payments or lines of invoices, and what came of it. */
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include "ledger/base/identifier/uuid.h"
#include "ledger/base/text/amount.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 1001 /* the site and a thousand subjects */

static const char help[] =
    "Usage: crawler dispute --key FILE --agent URL [OPTION]... SITE [DISPUTE]\n"
    "       crawler dispute ... --reason REASON SITE PAYMENT|INVOICE:LINE...\n"
    "Lists the disputes with the publisher of SITE, a URL of it, or shows one. With a\n"
    "reason it opens one, about payments and lines of invoices.\n"
    "\n"
    "      --reason REASON      service_not_delivered, service_defective,\n"
    "                           duplicate_payment, overcharge, customer_request or\n"
    "                           other\n"
    "      --statement TEXT     what is wrong, in your words\n"
    "      --json               for programs\n" SESSION_HELP "\n"
    "All of it is opened, or nothing: then each subject that stands in the way is\n"
    "named, and the exit status is 1. The same again is the dispute that there is.\n"
    "\n"
    "  crawler dispute --key crawler.key --agent https://my.crawler.example \\\n"
    "      --reason overcharge --statement 'offered at 0.05' \\\n"
    "      https://gazette.example INV-2026-000123:2\n";

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static const char *amount_of(const json_t *object, const char *name, char out[AMOUNT_TEXT_MAX])
{
    return amount_format(json_integer_value(json_object_get(object, name)), out);
}

/* --- Reading --- */

static bool list_all(struct session *session, bool json)
{
    json_t *all = json_array();
    char *below = strdup("/disputes");
    bool ok = all && below;
    while (ok && below) {
        json_t *page = session_json(session, below);
        const char *next = json_string_value(json_object_get(page, "next"));
        ok = page && json_array_extend(all, json_object_get(page, "disputes")) == 0;
        free(below);
        below = next ? strdup(next) : NULL;
        json_decref(page);
    }
    free(below);
    if (ok && json)
        return session_print_json(all);
    const json_t *one;
    size_t i = 0;
    if (ok)
        json_array_foreach(all, i, one)
        {
            char claimed[AMOUNT_TEXT_MAX], upheld[AMOUNT_TEXT_MAX];
            say_line("%s  %.10s  %-11s  %-21s  %s of %s", text_of(one, "dispute_id"),
                     text_of(one, "opened_at"), text_of(one, "status"), text_of(one, "reason"),
                     amount_of(one, "upheld_micros", upheld), amount_of(one, "claimed_micros", claimed));
        }
    if (ok && i == 0)
        say_line("no disputes");
    json_decref(all);
    return ok;
}

static void say_dispute(const json_t *dispute)
{
    const json_t *one;
    size_t i;
    char amount[AMOUNT_TEXT_MAX], other[AMOUNT_TEXT_MAX];
    say_line("Dispute %s: %s", text_of(dispute, "dispute_id"), text_of(dispute, "status"));
    say_line("  %s, opened by the %s at %s, to be decided by %s", text_of(dispute, "reason"),
             text_of(dispute, "opened_by"), text_of(dispute, "opened_at"), text_of(dispute, "due_at"));
    if (*text_of(dispute, "statement"))
        say_line("  %s", text_of(dispute, "statement"));
    json_array_foreach(json_object_get(dispute, "subjects"), i, one)
    {
        bool line = json_is_string(json_object_get(one, "invoice"));
        char number[32] = "";
        if (line)
            snprintf(number, sizeof(number), ", line %" JSON_INTEGER_FORMAT,
                     json_integer_value(json_object_get(one, "line")));
        say_line("  about %s%s: %s", text_of(one, line ? "invoice" : "payment_id"), number,
                 amount_of(one, "amount_micros", amount));
    }
    json_array_foreach(json_object_get(dispute, "events"), i, one)
        say_line("  %s  %s%s%s", text_of(one, "at"), text_of(one, "event"),
                 *text_of(one, "detail") ? ": " : "", text_of(one, "detail"));
    say_line("  given back: %s of %s", amount_of(dispute, "upheld_micros", amount),
             amount_of(dispute, "claimed_micros", other));
}

static bool show_one(struct session *session, bool json)
{
    char *id = session_escape(session->words[1]);
    size_t room = id ? strlen(id) + 16 : 0;
    char *below = id ? malloc(room) : NULL;
    if (below)
        snprintf(below, room, "/disputes/%s", id);
    json_t *dispute = below ? session_json(session, below) : NULL;
    bool ok = dispute != NULL;
    if (ok && json)
        ok = session_print_json(json_incref(dispute));
    else if (ok)
        say_dispute(dispute);
    json_decref(dispute);
    free(below);
    free(id);
    return ok;
}

/* --- Opening --- */

/* A payment id, or "INV-2026-000123:2". */
static bool add_subject(const char *word, json_t *payments, json_t *lines)
{
    uint8_t id[UUID_SIZE];
    const char *colon = strrchr(word, ':');
    char *end = NULL;
    long line = colon ? strtol(colon + 1, &end, 10) : 0;
    if (!colon && uuid_parse(slice_of(word), id))
        return json_array_append_new(payments, json_string(word)) == 0;
    if (colon && colon > word && colon[1] && !*end && line > 0)
        return json_array_append_new(lines, json_pack("{s:s%,s:I}", "invoice", word, (size_t)(colon - word),
                                                      "line", (json_int_t)line)) == 0;
    say_problem("\"%s\" is no payment id, and no line of an invoice such as INV-2026-000123:2", word);
    return false;
}

static json_t *body_of(const struct session *session, const char *reason, const char *statement)
{
    json_t *payments = json_array(), *lines = json_array(), *body = NULL;
    bool good = true;
    for (int i = 1; i < session->word_count && good; i++)
        good = add_subject(session->words[i], payments, lines);
    if (good)
        body = json_pack("{s:s,s:s,s:O,s:O}", "reason", reason, "statement", statement, "payments", payments,
                         "lines", lines);
    if (good && !body)
        say_problem("--reason and --statement have to be UTF-8");
    json_decref(payments);
    json_decref(lines);
    return body;
}

/* Which of them stand in the way. */
static void say_refusal(const struct session *session)
{
    const struct slice content = session->answer.content;
    json_t *problem = content.len > 0 ? json_loadb(content.data, content.len, 0, NULL) : NULL, *one;
    size_t i;
    json_array_foreach(json_object_get(problem, "subjects"), i, one)
    {
        json_int_t place = json_integer_value(json_object_get(one, "place"));
        if (*text_of(one, "sentence"))
            say_problem("%s: %s",
                        place > 0 && place < session->word_count ? session->words[place] : "a subject",
                        text_of(one, "sentence"));
    }
    json_decref(problem);
}

static int open_one(struct session *session, const char *reason, const char *statement, bool json)
{
    json_t *body = body_of(session, reason, statement), *answer = NULL;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int status = body ? COMMANDS_FAILED : COMMANDS_USAGE;
    if (text && session_open(session) && session_post(session, "/disputes", slice_of(text)))
        answer = json_loadb(session->answer.content.data, session->answer.content.len, 0, NULL);
    else if (text && session->client)
        say_refusal(session);
    if (answer && json && session_print_json(json_incref(answer)))
        status = COMMANDS_OK;
    if (answer && !json) {
        bool opened = strcmp(text_of(answer, "outcome"), "opened") == 0;
        say_line("dispute %s is %s%s%s", text_of(answer, "dispute_id"),
                 opened ? "opened, to be decided by " : "there already: the same was opened before",
                 opened ? text_of(answer, "due_at") : "", "");
        status = COMMANDS_OK;
    }
    json_decref(answer);
    json_decref(body);
    free(text);
    return status;
}

int dispute_main(int argc, char **argv)
{
    struct session session;
    const char *reason = NULL, *statement = "";
    bool json = false;
    const struct session_option options[] = {{"reason", &reason, NULL},
                                             {"statement", &statement, NULL},
                                             {"json", NULL, &json},
                                             {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 1, WORDS_MAX, "a URL of the site"};
    int status = session_parse(&session, argc, argv, &usage);
    if (status >= 0)
        return status;
    if (reason && session.word_count == 1) {
        say_problem("what is disputed is missing: payments, or INVOICE:LINE");
        return COMMANDS_USAGE;
    }
    if (!reason && session.word_count > 2) {
        say_problem("--reason is missing; try '%s --help'", argv[0]);
        return COMMANDS_USAGE;
    }
    if (reason) {
        status = open_one(&session, reason, statement, json);
    } else {
        bool ok = session_open(&session) &&
                  (session.word_count == 2 ? show_one(&session, json) : list_all(&session, json));
        status = ok ? COMMANDS_OK : COMMANDS_FAILED;
    }
    session_close(&session);
    return fflush(stdout) == 0 ? status : COMMANDS_FAILED;
}
