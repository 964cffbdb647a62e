#include "tools/crawltab/bills/invoice_page.h"

#include "ledger/base/amount.h"
#include "ledger/format/format.h"
#include "tools/crawltab/frame/show.h"

#include <inttypes.h>

#define PAGE_WIDTH 78

static const char rule_line[] =
    "------------------------------------------------------------------------------";

static void print_fact(const char *name, const char *value)
{
    if (!*value)
        return;
    printf("%-11s", name);
    show_column(stdout, value, 67);
    fputc('\n', stdout);
}

static bool is_credit_note(const json_t *document)
{
    return strcmp(format_text(document, "kind"), "credit-note") == 0;
}

static void print_party(const char *name, const json_t *party)
{
    static const char *const members[] = {"street",  "postal_code", "city",  "region",
                                          "country", "tax_id",      "email", "purchase_order"};
    print_fact(name, format_text(party, "name"));
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        print_fact("", format_text(party, members[i]));
}

static void print_head(const json_t *document)
{
    bool credit = is_credit_note(document);
    printf("%-12s%-20s%46s\n\n", credit ? "CREDIT NOTE" : "INVOICE", format_text(document, "number"),
           format_text(document, "status"));
    print_party("Seller", json_object_get(document, "seller"));
    printf("%-11ssite %s, network %s\n", "", format_text(document, "site"), format_text(document, "network"));
    print_party("Buyer", json_object_get(document, "buyer"));
    print_fact("Crawler", format_text(document, "agent"));
    if (credit)
        printf("%-11s%s of %s\n", "Corrects", format_text(document, "corrects.number"),
               format_text(document, "corrects.date"));
    print_fact("Date", format_text(document, "issue_date"));
    print_fact("Due", format_text(document, "due_date"));
    printf("%-11s%.19sZ to %.19sZ (%s)\n\n", "Period", format_text(document, "period.starts_at"),
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
    if (!*text)
        return;
    while (strlen(text) > PAGE_WIDTH) {
        int len = PAGE_WIDTH;
        while (len > 1 && text[len] != ' ')
            len--;
        printf("%.*s\n", len, text);
        text += len + (text[len] == ' ');
    }
    puts(text);
}

static void print_minor(const json_t *document, const char *name, const char *member)
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%58s %.3s %15s\n", name, format_text(document, "currency"),
           amount_format_minor(format_number(document, member),
                               (int)format_number(document, "currency_decimals"), amount));
}

static void print_sums(const json_t *document)
{
    char rate[AMOUNT_TEXT_MAX], tax[64];
    print_sum("Subtotal", format_number(document, "subtotal_micros"));
    if (!is_credit_note(document))
        print_sum("Carried in from before", format_number(document, "carried_in_micros"));
    print_sum(is_credit_note(document) ? "Credited on the next invoice" : "Carried out to the next invoice",
              -format_number(document, "carried_out_micros"));
    print_minor(document, "Net", "net_minor");
    snprintf(tax, sizeof(tax), "Tax %s, %s %%", format_text(document, "tax.treatment"),
             amount_format_percent(format_number(document, "tax.rate_ppm"), rate));
    if (strcmp(format_text(document, "tax.treatment"), "none") != 0)
        print_minor(document, tax, "tax.amount_minor");
    print_minor(document, "Total", "total_minor");
    if (format_number(document, "open_minor") != format_number(document, "total_minor") &&
        !is_credit_note(document)) {
        print_minor(document, "Paid", "paid_minor");
        print_minor(document, "Taken back by credit notes", "credited_minor");
        print_minor(document, "Open", "open_minor");
    }
    puts("");
    print_wrapped(format_text(document, "tax.note"));
    print_wrapped(format_text(document, "rounding"));
    print_wrapped(format_text(document, "agreement.text"));
}

void invoice_page_print(const json_t *document)
{
    print_head(document);
    print_lines(json_object_get(document, "lines"));
    print_sums(document);
}
