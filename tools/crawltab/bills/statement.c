#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "ledger/collect/statement.h"

#include <assert.h>

struct request {
    const char *agent;
    const char *site;
    const char *from;
    const char *to; /* NULL: each site's today */
    bool json;
};

static void print_line(const char *date, const char *what, const char *reference, int64_t minor, int decimals)
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%-10s  ", date);
    show_column(stdout, what, 28);
    fputs("  ", stdout);
    show_column(stdout, reference, 22);
    printf(" %14s\n", amount_format_minor(minor, decimals, amount));
}

static void print_account(const struct request *request, const struct statement_accounts_row *account,
                          const struct pg_rows *lines)
{
    int decimals = (int)account->currency_decimals;
    int64_t balance = account->opening_minor;
    char carried[SHOW_MONEY_MAX], what[64];
    printf("STATEMENT of %s to %s\n", request->from, account->last_date);
    printf("Crawler     ");
    show_column(stdout, request->agent, 66);
    printf("\nSite        %s, in %s\n\n", account->site, account->currency);
    print_line(request->from, "Opening balance", "", balance, decimals);
    for (int i = 0; i < lines->count; i++) {
        const struct statement_lines_row line = statement_lines_row(lines, i);
        balance += line.amount_minor;
        snprintf(what, sizeof(what), "%s %s", line.what, line.number);
        print_line(line.at, what, line.reference, line.amount_minor, decimals);
    }
    print_line(account->last_date, "Closing balance", "", balance, decimals);
    printf("\nNot invoiced yet, carried forward: %s\n",
           show_micros(account->carried_micros, account->currency, carried));
}

static enum exit_status print_accounts(struct pg *pg, const struct request *request,
                                       const struct pg_rows *accounts)
{
    json_t *list = json_array();
    enum exit_status status = EXIT_DONE;
    for (int i = 0; i < accounts->count && status == EXIT_DONE; i++) {
        const struct statement_accounts_row account = statement_accounts_row(accounts, i);
        struct pg_rows lines = {0};
        if (i > 0 && !request->json)
            putchar('\n');
        if (statement_read(pg, &account, request->from, &lines) != ERR_OK)
            status = EXIT_FAILED;
        else if (request->json)
            json_array_append_new(list, statement_json(request->agent, request->from, &account, &lines));
        else
            print_account(request, &account, &lines);
        pg_rows_free(&lines);
    }
    if (!request->json || status != EXIT_DONE)
        json_decref(list);
    else if (!show_json(list, JSON_INDENT(2)))
        status = EXIT_FAILED;
    return status;
}

static enum exit_status state(struct pg *pg, const struct request *request)
{
    struct pg_params params = {0};
    struct pg_rows accounts = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, request->agent);
    pg_params_text(&params, request->site);
    pg_params_text(&params, request->from);
    pg_params_text(&params, request->to);
    pg_params_number(&params, clock_now_ms());
    if (pg_run(pg, "statement_accounts", &params, &accounts) != ERR_OK)
        return EXIT_FAILED;
    if (accounts.count > 0)
        status = print_accounts(pg, request, &accounts);
    else
        LOG(ERROR, "there is no such account", {"crawler", request->agent}, {"site", request->site},
            {"hint",
             "a crawler has one from the first day closed with crawls of it; name it as on invoices"});
    pg_rows_free(&accounts);
    return status;
}

static bool check(const struct request *request)
{
    assert(request->from); /* it has a default */
    if (!command_date("this is no date", request->from) || !command_date("this is no date", request->to))
        return false;
    if (request->to && strcmp(request->from, request->to) > 0) {
        command_misused("--from is after --to", request->from, NULL);
        return false;
    }
    return true;
}

static enum exit_status tell_accounts(const char *config_path, int argc, char **argv)
{
    struct request request = {.from = "2000-01-01"};
    const struct command_option options[] = {{"--site", &request.site, NULL},
                                             {"--from", &request.from, NULL},
                                             {"--to", &request.to, NULL},
                                             {"--json", NULL, &request.json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words) || !check(&request))
        return EXIT_USAGE;
    if (words.count != 1)
        return command_misused("name one crawler, as it stands on its invoices", NULL,
                               "see crawltab statement --help");
    request.agent = words.items[0];
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab statement") : NULL;
    if (pg)
        status = state(pg, &request);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command statement_command = {
    "statement", "a crawler's account: invoices, credit notes, payments, balance",
    "usage: crawltab statement CRAWLER [--site NAME] [--from DATE] [--to DATE]\n"
    "                          [--json]\n"
    "\n"
    "One page for each site that the crawler has crawled. Invoices and credit notes\n"
    "count on their date, payments on the day they were received.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --from, --to   dates, both included (default: everything up to today)\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab statement https://crawler.example --from 2026-01-01\n", tell_accounts};
