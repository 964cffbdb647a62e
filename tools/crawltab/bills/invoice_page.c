#include "tools/crawltab/bills/invoice_page.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/unicode.h"
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

static void print_party(const char *name, const struct document_party *party)
{
    char country[UNICODE_COUNTRY_MAX];
    print_fact(name, party->name);
    print_fact("", party->street);
    print_fact("", party->postal_code);
    print_fact("", party->city);
    print_fact("", party->region);
    print_fact("", unicode_country(party->country, country));
    print_fact("", party->tax_id);
    print_fact("", party->email);
    print_fact("", party->purchase_order);
}

/* A night may come long after the day. */
static void print_made(const struct document *document)
{
    if (*document->made_at)
        printf("%-11s%.19sZ (scheduled %.19sZ)\n", "Made", document->made_at, document->scheduled_at);
    else
        printf("%-11snot recorded (scheduled %.19sZ)\n", "Made", document->scheduled_at);
}

static void print_reference(const char *name, const struct document_reference *reference)
{
    if (*reference->number)
        printf("%-10s %s of %s\n", name, reference->number, reference->date);
}

static void print_head(const struct document *document)
{
    bool credit = document_is_credit_note(document);
    if (*document->notice)
        printf("%s\n\n", document->notice);
    printf("%-12s%-20s%46s\n\n", credit ? "CREDIT NOTE" : "INVOICE", document->number, document->status);
    print_party("Seller", &document->seller);
    printf("%-11ssite %s, network %s\n", "", document->site, document->network);
    print_party("Buyer", &document->buyer);
    print_fact("Crawler", document->agent);
    print_reference("Corrects", &document->corrects);
    print_reference("Replaces", &document->replaces);
    print_reference("Replaced by", &document->replaced_by);
    print_fact("Date", document->issue_date);
    print_fact("Due", document->due_date);
    print_made(document);
    printf("%-11s%.19sZ to %.19sZ (%s)\n\n", "Period", document->period.starts_at, document->period.ends_at,
           document->period.time_zone);
}

static void print_lines(const struct document *document)
{
    char price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    printf("%-36s %10s %14s %15s\n%s\n", "Description", "Quantity", "Unit price", "Amount", rule_line);
    for (size_t i = 0; i < document->lines.count; i++) {
        const struct document_line *line = &document->lines.items[i];
        show_column(stdout, line->description, 36);
        printf(" %10" PRId64 " %14s %15s\n", line->quantity, amount_format(line->unit_price_micros, price),
               amount_format(line->amount_micros, amount));
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

static void print_minor(const struct document *document, const char *name, int64_t minor)
{
    char amount[AMOUNT_TEXT_MAX];
    printf("%58s %.3s %15s\n", name, document->currency,
           amount_format_minor(minor, (int)document->currency_decimals, amount));
}

static void print_applied(const struct document *document, const struct document_applied *applied)
{
    char name[80];
    snprintf(name, sizeof(name), "Credit %s %.30s", applied->amount_minor > 0 ? "from" : "used for",
             applied->number);
    print_minor(document, name, applied->amount_minor);
}

static void print_sums(const struct document *document)
{
    char rate[AMOUNT_TEXT_MAX], tax[64];
    print_sum("Subtotal", document->subtotal_micros);
    if (!document_is_credit_note(document))
        print_sum("Carried in from before", document->carried_in_micros);
    print_sum(document_is_credit_note(document) ? "Credited on the next invoice"
                                                : "Carried out to the next invoice",
              -document->carried_out_micros);
    print_minor(document, "Net", document->net_minor);
    snprintf(tax, sizeof(tax), "Tax %s, %s %%", document->tax.treatment,
             amount_format_percent(document->tax.rate_ppm, rate));
    if (strcmp(document->tax.treatment, "none") != 0)
        print_minor(document, tax, document->tax.amount_minor);
    print_minor(document, "Total", document->total_minor);
    bool paid = document->open_minor != document->total_minor || document->paid_minor != 0;
    if (paid && !document_is_credit_note(document)) {
        print_minor(document, "Paid", document->paid_minor);
        print_minor(document, "Taken back by credit notes", document->credited_minor);
        for (size_t i = 0; i < document->applied.count; i++)
            print_applied(document, &document->applied.items[i]);
        print_minor(document, "Open", document->open_minor);
    }
    if (document->disputed_micros > 0)
        print_sum("Disputed", document->disputed_micros);
    puts("");
    print_wrapped(document->tax.note);
    print_wrapped(document->rounding);
    print_wrapped(document->agreement.text);
}

void invoice_page_print(const struct document *document)
{
    print_head(document);
    print_lines(document);
    print_sums(document);
}
