/* crawler statement: invoices, credit notes and payments at a site, with the balance. */
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include "ledger/base/text/amount.h"

#include <stdlib.h>
#include <string.h>

static const char help[] = "Usage: crawler statement --key FILE --agent URL [OPTION]... SITE\n"
                           "Shows the account at SITE, a URL of it, as its publisher has it: invoices,\n"
                           "credit notes, payments and the balance.\n"
                           "\n"
                           "      --from, --to DATE    days, both included, at most 366 (default: the last)\n"
                           "      --json               for programs\n" SESSION_HELP "\n"
                           "  crawler statement --key crawler.key --agent https://my.crawler.example \\\n"
                           "      --from 2026-11-01 https://gazette.example\n";

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void say_row(const char *date, const char *what, const char *reference, int64_t minor, int decimals)
{
    char amount[AMOUNT_TEXT_MAX];
    say_line("%-10s  %-28.28s  %-22.22s %14s", date, what, reference,
             amount_format_minor(minor, decimals, amount));
}

static void say_statement(const json_t *statement)
{
    char carried[AMOUNT_TEXT_MAX], what[64];
    int64_t decimals = number_of(statement, "currency_decimals");
    int places = decimals >= 0 && decimals <= 4 ? (int)decimals : 2;
    const json_t *line;
    size_t i;
    say_line("STATEMENT of %s to %s", text_of(statement, "from"), text_of(statement, "to"));
    say_line("Crawler     %s", text_of(statement, "agent"));
    say_line("Site        %s, in %s", text_of(statement, "site"), text_of(statement, "currency"));
    say_line("%s", "");
    say_row(text_of(statement, "from"), "Opening balance", "", number_of(statement, "opening_minor"), places);
    json_array_foreach(json_object_get(statement, "lines"), i, line)
    {
        snprintf(what, sizeof(what), "%s %s", text_of(line, "what"), text_of(line, "number"));
        say_row(text_of(line, "date"), what, text_of(line, "reference"), number_of(line, "amount_minor"),
                places);
    }
    say_row(text_of(statement, "to"), "Closing balance", "", number_of(statement, "closing_minor"), places);
    say_line("%s", "");
    say_line("Not invoiced yet, carried forward: %s %s", text_of(statement, "currency"),
             amount_format(number_of(statement, "carried_micros"), carried));
}

static json_t *ask(struct session *session, const char *from, const char *to)
{
    char *escaped[] = {session_escape(from ? from : ""), session_escape(to ? to : "")};
    char below[512];
    bool fits =
        escaped[0] && escaped[1] &&
        snprintf(below, sizeof(below), "/statement%s%s%s%s%s", from || to ? "?" : "", from ? "from=" : "",
                 escaped[0], to ? (from ? "&to=" : "to=") : "", escaped[1]) < (int)sizeof(below);
    free(escaped[0]);
    free(escaped[1]);
    if (!fits) {
        say_problem("--from and --to are dates such as 2026-11-30");
        return NULL;
    }
    return session_json(session, below);
}

int statement_main(int argc, char **argv)
{
    struct session session;
    const char *from = NULL, *to = NULL;
    bool json = false;
    const struct session_option options[] = {
        {"from", &from, NULL}, {"to", &to, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 1, 1, "a URL of the site"};
    int status = session_parse(&session, argc, argv, &usage);
    if (status >= 0)
        return status;
    json_t *statement = session_open(&session) ? ask(&session, from, to) : NULL;
    bool ok = statement != NULL;
    if (ok && json)
        ok = session_print_json(json_incref(statement));
    else if (ok)
        say_statement(statement);
    json_decref(statement);
    session_close(&session);
    return ok && fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
}
