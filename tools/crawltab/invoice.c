#include "tools/crawltab/command.h"
#include "tools/crawltab/show.h"

#include "ledger/base/amount.h"
#include "ledger/base/clock.h"
#include "ledger/document.h"
#include "ledger/format/format.h"

#include <inttypes.h>

/* Columns of invoice_list. */
enum {
    LIST_SITE,
    LIST_NUMBER,
    LIST_DATE,
    LIST_AGENT,
    LIST_ENTRIES,
    LIST_TOTAL,
    LIST_CURRENCY,
    LIST_DECIMALS,
    LIST_STATUS
};

#define PAGE_WIDTH 78

static const char rule_line[] =
    "------------------------------------------------------------------------------";

/* --- list
 * --------------------------------------------------------------------------------------------------- */

static void print_list(const struct pg_rows *rows)
{
    char money[SHOW_MONEY_MAX];
    if (rows->count == 0) {
        puts("no invoices yet");
        return;
    }
    puts("Number          Date       Site       Crawler                    Total Status");
    for (int i = 0; i < rows->count; i++) {
        printf("%-15s %s ", pg_text(rows, i, LIST_NUMBER), pg_text(rows, i, LIST_DATE));
        show_column(stdout, pg_text(rows, i, LIST_SITE), 10);
        fputc(' ', stdout);
        show_column(stdout, pg_text(rows, i, LIST_AGENT), 20);
        printf(" %11s %s\n",
               show_minor(pg_number(rows, i, LIST_TOTAL), pg_number(rows, i, LIST_DECIMALS),
                          pg_text(rows, i, LIST_CURRENCY), money),
               pg_text(rows, i, LIST_STATUS));
    }
}

static json_t *list_json(const struct pg_rows *rows)
{
    json_t *list = json_array();
    for (int i = 0; i < rows->count; i++) {
        char total[AMOUNT_TEXT_MAX];
        amount_format_minor(pg_number(rows, i, LIST_TOTAL), (int)pg_number(rows, i, LIST_DECIMALS), total);
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:s,s:s}", "number", pg_text(rows, i, LIST_NUMBER),
                            "site", pg_text(rows, i, LIST_SITE), "date", pg_text(rows, i, LIST_DATE), "agent",
                            pg_text(rows, i, LIST_AGENT), "entries", pg_number(rows, i, LIST_ENTRIES),
                            "total", total, "total_minor", pg_number(rows, i, LIST_TOTAL), "currency",
                            pg_text(rows, i, LIST_CURRENCY), "status", pg_text(rows, i, LIST_STATUS)));
    }
    return list;
}

static enum exit_status list(struct pg *pg, const char *site, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool ok = true;
    pg_params_text(&params, site);
    pg_params_text(&params, NULL);
    if (pg_run(pg, "invoice_list", &params, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (json)
        ok = show_json(list_json(&rows), JSON_INDENT(2));
    else
        print_list(&rows);
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --- show
 * --------------------------------------------------------------------------------------------------- */

static void print_fact(const char *name, const char *value)
{
    printf("%-10s", name);
    show_text(stdout, value);
    fputc('\n', stdout);
}

static void print_head(const json_t *document)
{
    printf("INVOICE %-16s %53s\n\n", format_text(document, "number"), format_text(document, "status"));
    print_fact("Seller", format_text(document, "seller.name"));
    printf("          site %s, network %s\n", format_text(document, "site"),
           format_text(document, "network"));
    print_fact("Crawler", format_text(document, "agent"));
    print_fact("Date", format_text(document, "issue_date"));
    printf("Period    %.19sZ to %.19sZ (%s)\n\n", format_text(document, "period.starts_at"),
           format_text(document, "period.ends_at"), format_text(document, "period.time_zone"));
}

static void print_lines(const json_t *lines)
{
    char price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    const json_t *line;
    size_t i;
    printf("%-36s %10s %14s %15s\n%s\n", "Description", "Quantity", "Unit price", "Amount", rule_line);
    json_array_foreach(lines, i, line)
    {
        show_column(stdout, format_text(line, "description"), 36);
        printf(" %10" PRId64 " %14s %15s\n", format_number(line, "quantity"),
               amount_format(format_number(line, "unit_price_micros"), price),
               amount_format(format_number(line, "amount_micros"), amount));
    }
    puts(rule_line);
}

static void print_sum(const char *name, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%62s %15s\n", name, amount_format(micros, amount));
}

/* Breaks the text at spaces. */
static void print_wrapped(const char *text)
{
    while (strlen(text) > PAGE_WIDTH) {
        int len = PAGE_WIDTH;
        while (len > 1 && text[len] != ' ')
            len--;
        printf("%.*s\n", len, text);
        text += len + (text[len] == ' ');
    }
    puts(text);
}

static void print_sums(const json_t *document)
{
    char total[AMOUNT_TEXT_MAX];
    print_sum("Subtotal", format_number(document, "subtotal_micros"));
    print_sum("Carried in from the last invoice", format_number(document, "carried_in_micros"));
    print_sum("Carried out to the next invoice", -format_number(document, "carried_out_micros"));
    printf("%58s %.3s %15s\n\n", "Total", format_text(document, "currency"),
           amount_format_minor(format_number(document, "total_minor"),
                               (int)format_number(document, "currency_decimals"), total));
    print_wrapped(format_text(document, "rounding"));
}

static void print_document(const json_t *document)
{
    print_head(document);
    print_lines(json_object_get(document, "lines"));
    print_sums(document);
}

static enum exit_status show(struct pg *pg, const char *number, const char *site, bool json)
{
    json_t *document;
    int count;
    if (document_read(pg, number, site, clock_now_ms(), &count, &document) != ERR_OK)
        return EXIT_FAILED;
    if (count == 0)
        LOG(ERROR, "there is no such invoice", {"number", number}, {"site", site},
            {"hint", "crawltab invoice list shows them all"});
    else if (count > 1)
        LOG(ERROR, "several sites have an invoice with this number", {"number", number},
            {"hint", "say which one with --site"});
    if (!document)
        return EXIT_FAILED;
    if (json)
        return show_json(document, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    print_document(document);
    json_decref(document);
    return EXIT_DONE;
}

/* --- the command
 * -------------------------------------------------------------------------------------------- */

static enum exit_status run(const char *config_path, int argc, char **argv)
{
    const char *site = NULL;
    bool json = false;
    const struct command_option options[] = {
        {"--site", &site, NULL}, {"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    bool listing = words.count == 1 && strcmp(words.items[0], "list") == 0;
    bool showing = words.count == 2 && strcmp(words.items[0], "show") == 0;
    if (!listing && !showing)
        return command_misused("use: crawltab invoice list, or crawltab invoice show NUMBER", NULL,
                               "see crawltab invoice --help");
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab invoice") : NULL;
    if (pg)
        status = listing ? list(pg, site, json) : show(pg, words.items[1], site, json);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command invoice_command = {
    "invoice", "list invoices, or show one",
    "usage: crawltab invoice list [--site NAME] [--json]\n"
    "       crawltab invoice show NUMBER [--site NAME] [--json]\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site; numbers are unique within a site\n"
    "  --json         for programs: amounts in micro-units and in minor units\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    run};
