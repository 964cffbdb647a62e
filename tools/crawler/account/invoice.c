/* crawler invoice: the invoices of a site, and each as a file. */
#include "tools/crawler/account/session.h"
#include "tools/crawler/commands.h"
#include "tools/crawler/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: crawler invoice --key FILE --agent URL [OPTION]... SITE [NUMBER]\n"
    "Lists the invoices and credit notes that the publisher of SITE, a URL of it, has\n"
    "made for this crawler, or gets the one with the NUMBER.\n"
    "\n"
    "      --format FORMAT      pdf, html, json, csv, ubl, hledger, ledger or\n"
    "                           beancount (default: json)\n"
    "      --out FILE           write it there (default: standard output)\n"
    "      --json               the list for programs\n" SESSION_HELP "\n"
    "  crawler invoice --key crawler.key --agent https://my.crawler.example \\\n"
    "      --format pdf --out invoice.pdf https://gazette.example INV-2026-000123\n";

/* The end of the name by which the site knows the format; NULL: there is none. */
static const char *extension_of(const char *format)
{
    static const char *const known[][2] = {
        {"json", "json"}, {"csv", "csv"},         {"html", "html"},     {"pdf", "pdf"},
        {"ubl", "xml"},   {"hledger", "journal"}, {"ledger", "ledger"}, {"beancount", "beancount"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i][0], format) == 0)
            return known[i][1];
    return NULL;
}

static bool show_one(struct session *session, const char *extension, const char *out)
{
    char *number = session_escape(session->words[1]), *below = NULL;
    size_t room = number ? strlen(number) + strlen(extension) + 16 : 0;
    below = number ? malloc(room) : NULL;
    if (below)
        snprintf(below, room, "/invoices/%s.%s", number, extension);
    bool ok = below && session_get(session, below) && session_write(out, session->answer.content);
    free(number);
    free(below);
    return ok;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* All pages as one list; NULL after saying why. */
static json_t *list(struct session *session)
{
    json_t *all = json_array();
    char *below = strdup("/invoices");
    bool ok = all && below;
    while (ok && below) {
        json_t *page = session_json(session, below);
        const char *next = json_string_value(json_object_get(page, "next"));
        ok = page && json_array_extend(all, json_object_get(page, "invoices")) == 0;
        free(below);
        below = next ? strdup(next) : NULL;
        json_decref(page);
    }
    free(below);
    if (ok)
        return all;
    json_decref(all);
    return NULL;
}

static void say_list(const json_t *all)
{
    const json_t *invoice;
    size_t i;
    json_array_foreach(all, i, invoice)
        say_line("%-10s  %-22s  %-11s  %4s %12s  %-9s open %s", text_of(invoice, "issue_date"),
                 text_of(invoice, "number"), text_of(invoice, "kind"), text_of(invoice, "currency"),
                 text_of(invoice, "total"), text_of(invoice, "status"), text_of(invoice, "open"));
    if (i == 0)
        say_line("no invoices yet");
}

static bool show_all(struct session *session, bool json)
{
    json_t *all = list(session);
    if (!all)
        return false;
    if (json)
        return session_print_json(all);
    say_list(all);
    json_decref(all);
    return true;
}

int invoice_main(int argc, char **argv)
{
    struct session session;
    const char *format = "json", *out = NULL;
    bool json = false;
    const struct session_option options[] = {
        {"format", &format, NULL}, {"out", &out, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    const struct session_usage usage = {help, options, 1, 2, "a URL of the site"};
    int status = session_parse(&session, argc, argv, &usage);
    if (status >= 0)
        return status;
    const char *extension = extension_of(format);
    if (!extension) {
        say_problem("--format: there is no format \"%s\"; try '%s --help'", format, argv[0]);
        return COMMANDS_USAGE;
    }
    bool one = session.word_count == 2;
    if (one && !out && strcmp(format, "pdf") == 0 && isatty(STDOUT_FILENO)) {
        say_problem("a PDF is nothing for a terminal: name a file with --out");
        return COMMANDS_USAGE;
    }
    bool ok = session_open(&session) && (one ? show_one(&session, extension, out) : show_all(&session, json));
    session_close(&session);
    return ok && fflush(stdout) == 0 ? COMMANDS_OK : COMMANDS_FAILED;
}
