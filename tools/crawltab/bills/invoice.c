#include "tools/crawltab/bills/invoice_change.h"
#include "tools/crawltab/bills/invoice_entries.h"
#include "tools/crawltab/bills/invoice_file.h"
#include "tools/crawltab/bills/invoice_page.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/clock.h"
#include "ledger/bill/invoice_read.h"
#include "sql/rows/bill.h"

#include <stdlib.h>

/* What is listed; NULL: all. */
struct selection {
    const char *site;
    const char *from;
    const char *to;
    const char *status;
    const char *crawler;
};

/* --- list --- */

#define ROW "%-16s %-10s %-10s %14s %14s  "

/* What a site's documents come to, a credit note below zero. */
struct list_sums {
    int64_t total, open;
    int count;
    bool fits;
};

static const char *list_money(const struct invoice_list_row *invoice, int64_t minor, char out[SHOW_MONEY_MAX])
{
    return show_minor(minor, invoice->currency_decimals, invoice->currency, out);
}

/* The crawler comes last, whole: two are often alike but for their ends. */
static void print_row(const struct invoice_list_row *invoice, struct list_sums *sums)
{
    char total_text[SHOW_MONEY_MAX], open_text[SHOW_MONEY_MAX];
    bool credit = strcmp(invoice->kind, "credit-note") == 0;
    int64_t total = credit ? -invoice->total_minor : invoice->total_minor;
    /* What was written off is owed, but in no sum of what will come. */
    bool counted = !credit && strcmp(invoice->status, "written-off") != 0;
    int64_t open = counted ? invoice->open_minor : 0;
    printf(ROW "%-9s ", invoice->number, invoice->issue_date, invoice->due_date ? invoice->due_date : "",
           list_money(invoice, total, total_text), list_money(invoice, open, open_text), invoice->status);
    show_text(stdout, invoice->agent);
    fputc('\n', stdout);
    sums->count++;
    sums->fits = sums->fits && amount_add(sums->total, total, &sums->total) &&
                 amount_add(sums->open, open, &sums->open);
}

/* Behind the rows of a site, of which this is one. A site has one currency. */
static void print_sums(const struct invoice_list_row *invoice, const struct list_sums *sums)
{
    char total[SHOW_MONEY_MAX], open[SHOW_MONEY_MAX], count[32];
    if (sums->count < 2 || !sums->fits)
        return;
    snprintf(count, sizeof(count), "%d documents", sums->count);
    printf(ROW "\n", count, "", "", list_money(invoice, sums->total, total),
           list_money(invoice, sums->open, open));
}

static void print_list(const struct pg_rows *rows)
{
    struct list_sums sums = {.fits = true};
    if (rows->count == 0) {
        puts("no invoices");
        return;
    }
    struct invoice_list_row before = {0};
    for (int i = 0; i < rows->count; i++) {
        const struct invoice_list_row invoice = invoice_list_row(rows, i);
        bool fresh = i == 0 || strcmp(invoice.site, before.site) != 0;
        if (fresh && i > 0)
            print_sums(&before, &sums);
        if (fresh) {
            printf("%sSite %s\n", i == 0 ? "" : "\n", invoice.site);
            printf(ROW "%-9s %s\n", "Number", "Date", "Due", "Total", "Open", "Status", "Crawler");
            sums = (struct list_sums){.fits = true};
        }
        print_row(&invoice, &sums);
        before = invoice;
    }
    print_sums(&before, &sums);
}

static json_t *list_json(const struct pg_rows *rows)
{
    json_t *list = json_array();
    for (int i = 0; i < rows->count; i++) {
        const struct invoice_list_row invoice = invoice_list_row(rows, i);
        char total[AMOUNT_TEXT_MAX], open[AMOUNT_TEXT_MAX];
        amount_format_minor(invoice.total_minor, (int)invoice.currency_decimals, total);
        amount_format_minor(invoice.open_minor, (int)invoice.currency_decimals, open);
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:s}", "number",
                                        invoice.number, "kind", invoice.kind, "site", invoice.site, "date",
                                        invoice.issue_date, "due_date", invoice.due_date, "agent",
                                        invoice.agent, "status", invoice.status, "currency", invoice.currency,
                                        "entries", invoice.entries, "total_minor", invoice.total_minor,
                                        "open_minor", invoice.open_minor, "total", total, "open", open));
    }
    return list;
}

static enum err read_list(struct pg *pg, const struct selection *selection, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, selection->site);
    pg_params_text(&params, selection->from);
    pg_params_text(&params, selection->to);
    pg_params_text(&params, selection->status);
    pg_params_text(&params, selection->crawler);
    pg_params_number(&params, clock_now_ms());
    return pg_run(pg, "invoice_list", &params, rows);
}

static enum exit_status list(struct pg *pg, const struct selection *selection, bool json)
{
    struct pg_rows rows = {0};
    bool ok = true;
    if (read_list(pg, selection, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (json)
        ok = show_json(list_json(&rows), JSON_INDENT(2));
    else
        print_list(&rows);
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status export_files(struct pg *pg, const struct selection *selection,
                                     const struct invoice_file *file)
{
    struct pg_rows rows = {0};
    struct invoice_file_name *names = NULL;
    enum exit_status status = EXIT_FAILED;
    if (read_list(pg, selection, &rows) != ERR_OK ||
        !(names = calloc((size_t)rows.count + 1, sizeof(*names))))
        goto out;
    for (int i = 0; i < rows.count; i++) {
        const struct invoice_list_row invoice = invoice_list_row(&rows, i);
        names[i] = (struct invoice_file_name){invoice.site, invoice.number};
    }
    status = invoice_file_export(pg, names, (size_t)rows.count, file);
out:
    free(names);
    pg_rows_free(&rows);
    return status;
}

/* --- show --- */

static enum exit_status show(struct pg *pg, const char *number, const char *site,
                             const struct invoice_file *file)
{
    struct document document;
    int count;
    if (invoice_read(pg, number, site, clock_now_ms(), &count, &document) != ERR_OK)
        return EXIT_FAILED;
    if (count == 0)
        LOG(ERROR, "there is no such invoice", {"number", number}, {"site", site},
            {"hint", "crawltab invoice list shows them all"});
    else if (count > 1)
        LOG(ERROR, "several sites have an invoice with this number", {"number", number},
            {"hint", "say which one with --site"});
    if (count != 1)
        return EXIT_FAILED;
    enum exit_status status = EXIT_DONE;
    if (file->format)
        status = invoice_file_show(&document, file);
    else
        invoice_page_print(&document);
    document_free(&document);
    return status;
}

/* --- the command --- */

static bool check_selection(const struct selection *selection)
{
    static const char *const statuses[] = {"issued", "sent", "part-paid", "overdue",
                                           "paid",   "void", "credited",  "written-off"};
    bool known = !selection->status;
    if (!command_date("this is no date", selection->from) || !command_date("this is no date", selection->to))
        return false;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        known = known || strcmp(statuses[i], selection->status) == 0;
    if (!known)
        command_misused("no invoice has this status", selection->status,
                        "use issued, sent, part-paid, overdue, paid, void, credited or written-off");
    return known;
}

static bool is_change(const char *verb)
{
    return strcmp(verb, "paid") == 0 || strcmp(verb, "sent") == 0 || strcmp(verb, "void") == 0 ||
           strcmp(verb, "write-off") == 0;
}

static bool check_export(const struct invoice_file *file)
{
    if (file->format && file->out && !file->mark)
        return invoice_file_check(file);
    if (file->mark)
        command_misused("a MARK is of one invoice", NULL, "give it to crawltab invoice show");
    else if (!file->format)
        command_misused("say which format", NULL, "crawltab invoice --help lists them for --format");
    else
        command_misused("name the folder", NULL, "with --out DIR");
    return false;
}

static bool check(const struct command_words *words, const struct selection *selection,
                  struct invoice_change *change, const struct invoice_file *file,
                  struct invoice_entries *entries)
{
    const char *verb = words->count > 0 ? words->items[0] : "";
    if (words->count == 1 && strcmp(verb, "export") == 0)
        return check_export(file) && check_selection(selection);
    if (words->count == 1 && strcmp(verb, "list") == 0)
        return check_selection(selection);
    if (words->count == 2 && strcmp(verb, "show") == 0)
        return !file->format || invoice_file_check(file);
    if (words->count == 2 && strcmp(verb, "entries") == 0)
        return invoice_entries_check(entries);
    if (words->count == 2 && is_change(verb))
        return invoice_change_check(verb, change);
    command_misused(
        "use: crawltab invoice list, export, or show, entries, sent, paid, void or write-off with a "
        "NUMBER",
        NULL, "see crawltab invoice --help");
    return false;
}

static enum exit_status manage_invoices(const char *config_path, int argc, char **argv)
{
    struct selection selection = {.site = NULL};
    struct invoice_change change = {.number = NULL};
    struct invoice_file file = {.format = NULL};
    struct invoice_entries entries = {.number = NULL};
    const struct command_option options[] = {{"--site", &selection.site, NULL},
                                             {"--from", &selection.from, NULL},
                                             {"--to", &selection.to, NULL},
                                             {"--status", &selection.status, NULL},
                                             {"--crawler", &selection.crawler, NULL},
                                             {"--amount", &change.amount, NULL},
                                             {"--reference", &change.reference, NULL},
                                             {"--date", &change.date, NULL},
                                             {"--reason", &change.reason, NULL},
                                             {"--reissue", NULL, &change.reissue},
                                             {"--format", &file.format, NULL},
                                             {"--out", &file.out, NULL},
                                             {"--entries-url", &file.entries_url, NULL},
                                             {"--mark", &file.mark, NULL},
                                             {"--mark-url", &file.mark_url, NULL},
                                             {"--line", &entries.line, NULL},
                                             {"--csv", NULL, &entries.csv},
                                             {"--json", NULL, &change.json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (change.json && !file.format)
        file.format = "json";
    entries.json = change.json;
    if (!check(&words, &selection, &change, &file, &entries))
        return EXIT_USAGE;
    if (strcmp(words.items[0], "void") == 0 && !command_confirm("The invoice is made void by a credit note."))
        return EXIT_FAILED;
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab invoice") : NULL;
    const char *verb = words.items[0];
    change.number = words.items[1];
    change.site = entries.site = selection.site;
    entries.number = words.items[1];
    if (pg && strcmp(verb, "list") == 0)
        status = list(pg, &selection, change.json);
    else if (pg && strcmp(verb, "export") == 0)
        status = export_files(pg, &selection, &file);
    else if (pg && strcmp(verb, "entries") == 0)
        status = invoice_entries_run(pg, &entries);
    else if (pg && is_change(verb))
        status = invoice_change_run(pg, verb, &change);
    else if (pg)
        status = show(pg, words.items[1], selection.site, &file);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command invoice_command = {
    "invoice", "list invoices, show one, or record what happened to it",
    "usage: crawltab invoice list [--site NAME] [--crawler URL] [--status STATUS]\n"
    "                             [--from DATE] [--to DATE] [--json]\n"
    "       crawltab invoice show NUMBER [--site NAME] [--format FORMAT [--out FILE]]\n"
    "                             [--mark NUMBER [--mark-url URL]]\n"
    "       crawltab invoice entries NUMBER [--line N] [--site NAME] [--csv | --json]\n"
    "       crawltab invoice export --format FORMAT --out DIR [--site NAME]\n"
    "                             [--crawler URL] [--status STATUS] [--from DATE]\n"
    "                             [--to DATE]\n"
    "       crawltab invoice sent NUMBER [--site NAME] [--json]\n"
    "       crawltab invoice paid NUMBER --amount AMOUNT --reference TEXT\n"
    "                             [--date DATE] [--site NAME] [--json]\n"
    "       crawltab invoice void NUMBER --reason TEXT [--reissue] [--site NAME]\n"
    "                             [--json]\n"
    "       crawltab invoice write-off NUMBER --reason TEXT [--site NAME] [--json]\n"
    "\n"
    "A payment is recorded once per reference, so it can be told again. A negative\n"
    "amount is money paid back, or a debit that bounced. An invoice of which nothing\n"
    "was paid can be made void: it keeps its number, and a credit note over all of it\n"
    "is made when today is closed. With --reissue a new invoice over the same crawls\n"
    "is made then, to the buyer and by the tax of the agreement in force by then, and\n"
    "each names the other. It can be asked for later, too, when it is void already.\n"
    "\n"
    "What will not come is written off: it is not collected any more, and in no sum\n"
    "of what is open. Its buyer owes it as before, sees it as owed, and it counts\n"
    "against his credit; a payment that comes after all is recorded as ever. No\n"
    "credit note is made, and tax is not taken back: void and adjust do that.\n"
    "\n"
    "entries lists every crawl of an invoice, or of one of its lines, and why it\n"
    "costs what it does: rule, agreement, number in the period, what is included or\n"
    "discounted, what was free or lowered, what was taken back. Of a credit note it\n"
    "lists what is given back. Crawls that are archived are a sum for each day, with\n"
    "the file. What is listed comes to what is billed, or the exit status is 1.\n"
    "\n"
    "options:\n"
    "  --site NAME      only this site; numbers are unique within a site\n"
    "  --crawler URL    only invoices to this crawler\n"
    "  --status STATUS  issued, sent, part-paid, overdue, paid, void, credited or\n"
    "                   written-off\n"
    "  --from, --to     by the last day billed; --date: when it was received (today)\n"
    "  --format FORMAT  json (the whole document), csv, html, pdf, ubl (an e-invoice\n"
    "                   after EN 16931), hledger, ledger or beancount\n"
    "  --out            a file, or for export a folder: SITE-NUMBER.EXTENSION\n"
    "  --line N         for entries: of this line alone\n"
    "  --csv            for entries: RFC 4180\n"
    "  --entries-url U  in html and pdf: where the buyer sees every crawl; {number}\n"
    "                   in it becomes the invoice's\n"
    "  --mark NUMBER    in ubl from Greece: the MARK that myDATA gave this invoice;\n"
    "                   --mark-url its page there\n"
    "  --json           for programs; for show the same as --format json\n"
    "  --yes            on a terminal: do not ask\n"
    "  --config FILE    the configuration (default: config.yaml)\n",
    "  crawltab invoice list --status open\n"
    "  crawltab invoice show INV-2026-000001 --format pdf --out invoice.pdf\n"
    "  crawltab invoice void INV-2026-000001 --reason 'wrong address' --reissue\n"
    "  crawltab invoice write-off INV-2026-000001 --reason 'the firm is bankrupt'\n",
    manage_invoices};
