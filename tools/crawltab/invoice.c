#include "tools/crawltab/command.h"
#include "tools/crawltab/show.h"

#include "ledger/base/amount.h"

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

/* Columns of invoice_read. */
enum {
    READ_SITE_ID,
    READ_SITE,
    READ_NUMBER,
    READ_DATE,
    READ_SELLER,
    READ_AGENT,
    READ_NETWORK,
    READ_CURRENCY,
    READ_DECIMALS,
    READ_ZONE,
    READ_STARTS,
    READ_ENDS,
    READ_ENTRIES,
    READ_CARRIED_IN,
    READ_SUBTOTAL,
    READ_CARRIED_OUT,
    READ_TOTAL,
    READ_TOTAL_MINOR,
    READ_ROUNDING,
    READ_STATUS,
    READ_STATUS_AT
};

/* Columns of invoice_lines_read. */
enum { LINE_NUMBER, LINE_DESCRIPTION, LINE_QUANTITY, LINE_UNIT_PRICE, LINE_AMOUNT };

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

static void print_head(const struct pg_rows *invoice)
{
    char starts[SHOW_INSTANT_MAX], ends[SHOW_INSTANT_MAX];
    printf("INVOICE %-16s %53s\n\n", pg_text(invoice, 0, READ_NUMBER), pg_text(invoice, 0, READ_STATUS));
    print_fact("Seller", pg_text(invoice, 0, READ_SELLER));
    printf("          site %s, network %s\n", pg_text(invoice, 0, READ_SITE),
           pg_text(invoice, 0, READ_NETWORK));
    print_fact("Crawler", pg_text(invoice, 0, READ_AGENT));
    print_fact("Date", pg_text(invoice, 0, READ_DATE));
    printf("Period    %s to %s (%s)\n\n", show_instant(pg_number(invoice, 0, READ_STARTS), starts),
           show_instant(pg_number(invoice, 0, READ_ENDS), ends), pg_text(invoice, 0, READ_ZONE));
}

static void print_lines(const struct pg_rows *lines)
{
    char price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    printf("%-36s %10s %14s %15s\n%s\n", "Description", "Quantity", "Unit price", "Amount", rule_line);
    for (int i = 0; i < lines->count; i++) {
        show_column(stdout, pg_text(lines, i, LINE_DESCRIPTION), 36);
        printf(" %10" PRId64 " %14s %15s\n", pg_number(lines, i, LINE_QUANTITY),
               amount_format(pg_number(lines, i, LINE_UNIT_PRICE), price),
               amount_format(pg_number(lines, i, LINE_AMOUNT), amount));
    }
    puts(rule_line);
}

static void print_sum(const char *name, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%62s %15s\n", name, amount_format(micros, amount));
}

static void print_sums(const struct pg_rows *invoice)
{
    char total[AMOUNT_TEXT_MAX];
    print_sum("Subtotal", pg_number(invoice, 0, READ_SUBTOTAL));
    print_sum("Carried in from the last invoice", pg_number(invoice, 0, READ_CARRIED_IN));
    print_sum("Carried out to the next invoice", -pg_number(invoice, 0, READ_CARRIED_OUT));
    printf("%58s %.3s %15s\n\n", "Total", pg_text(invoice, 0, READ_CURRENCY),
           amount_format_minor(pg_number(invoice, 0, READ_TOTAL_MINOR),
                               (int)pg_number(invoice, 0, READ_DECIMALS), total));
    puts(pg_text(invoice, 0, READ_ROUNDING));
}

static void print_invoice(const struct pg_rows *invoice, const struct pg_rows *lines)
{
    print_head(invoice);
    print_lines(lines);
    print_sums(invoice);
}

static json_t *lines_json(const struct pg_rows *lines)
{
    json_t *list = json_array();
    for (int i = 0; i < lines->count; i++)
        json_array_append_new(list,
                              json_pack("{s:I,s:s,s:I,s:I,s:I}", "line", pg_number(lines, i, LINE_NUMBER),
                                        "description", pg_text(lines, i, LINE_DESCRIPTION), "quantity",
                                        pg_number(lines, i, LINE_QUANTITY), "unit_price_micros",
                                        pg_number(lines, i, LINE_UNIT_PRICE), "amount_micros",
                                        pg_number(lines, i, LINE_AMOUNT)));
    return list;
}

static json_t *invoice_json(const struct pg_rows *invoice, const struct pg_rows *lines)
{
    static const struct {
        const char *key;
        int column;
    } texts[] = {{"number", READ_NUMBER},    {"status", READ_STATUS},     {"site", READ_SITE},
                 {"date", READ_DATE},        {"seller", READ_SELLER},     {"agent", READ_AGENT},
                 {"network", READ_NETWORK},  {"currency", READ_CURRENCY}, {"time_zone", READ_ZONE},
                 {"rounding", READ_ROUNDING}},
      numbers[] = {{"entries", READ_ENTRIES},          {"carried_in_micros", READ_CARRIED_IN},
                   {"subtotal_micros", READ_SUBTOTAL}, {"carried_out_micros", READ_CARRIED_OUT},
                   {"total_micros", READ_TOTAL},       {"total_minor", READ_TOTAL_MINOR}},
      instants[] = {{"starts_at", READ_STARTS}, {"ends_at", READ_ENDS}, {"status_at", READ_STATUS_AT}};
    char text[AMOUNT_TEXT_MAX];
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        json_object_set_new(json, texts[i].key, json_string(pg_text(invoice, 0, texts[i].column)));
    for (size_t i = 0; i < sizeof(instants) / sizeof(*instants); i++)
        json_object_set_new(json, instants[i].key,
                            json_string(show_instant(pg_number(invoice, 0, instants[i].column), text)));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        json_object_set_new(json, numbers[i].key, json_integer(pg_number(invoice, 0, numbers[i].column)));
    amount_format_minor(pg_number(invoice, 0, READ_TOTAL_MINOR), (int)pg_number(invoice, 0, READ_DECIMALS),
                        text);
    json_object_set_new(json, "total", json_string(text));
    json_object_set_new(json, "lines", lines_json(lines));
    return json;
}

static enum exit_status show_one(struct pg *pg, const struct pg_rows *invoice, bool json)
{
    struct pg_params params = {0};
    struct pg_rows lines = {0};
    bool ok = true;
    pg_params_number(&params, pg_number(invoice, 0, READ_SITE_ID));
    pg_params_text(&params, pg_text(invoice, 0, READ_NUMBER));
    if (pg_run(pg, "invoice_lines_read", &params, &lines) != ERR_OK)
        return EXIT_FAILED;
    if (json)
        ok = show_json(invoice_json(invoice, &lines), JSON_INDENT(2));
    else
        print_invoice(invoice, &lines);
    pg_rows_free(&lines);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status show(struct pg *pg, const char *number, const char *site, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, number);
    pg_params_text(&params, site);
    if (pg_run(pg, "invoice_read", &params, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (rows.count == 0)
        LOG(ERROR, "there is no such invoice", {"number", number}, {"site", site},
            {"hint", "crawltab invoice list shows them all"});
    else if (rows.count > 1)
        LOG(ERROR, "several sites have an invoice with this number", {"number", number},
            {"hint", "say which one with --site"});
    else
        status = show_one(pg, &rows, json);
    pg_rows_free(&rows);
    return status;
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
