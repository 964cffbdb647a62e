/* For spreadsheets, which take a cell that begins with =, +, - or @ for a formula and run it: crawlers
 * choose their names, so that such a cell begins with an apostrophe here. Numbers are our own and stay
 * numbers. */
#include "ledger/format/bill/rendering.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Quoted, and not taken for a formula by a spreadsheet: crawlers and buyers choose what stands here. */
static void cell(FILE *out, const char *text)
{
    assert(text);
    bool formula = *text && strchr("=+-@\t\r", *text);
    fputs(formula ? "\"'" : "\"", out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputs("\",", out);
}

/* What every row starts with. */
static void head(FILE *out, const struct document *document, const char *row)
{
    cell(out, document->number);
    cell(out, document->kind);
    cell(out, document->issue_date);
    cell(out, document->due_date);
    cell(out, document->site);
    cell(out, document->seller.name);
    cell(out, document->buyer.name);
    cell(out, document->agent);
    cell(out, document->currency);
    cell(out, row);
}

static void line_row(FILE *out, const struct document *document, const struct document_line *line)
{
    char price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    head(out, document, line->kind);
    cell(out, line->description);
    fprintf(out, "%" PRId64 ",%s,%s\r\n", line->quantity, amount_format(line->unit_price_micros, price),
            amount_format(line->amount_micros, amount));
}

static void sum_row(FILE *out, const struct document *document, const char *row, const char *amount)
{
    head(out, document, row);
    fprintf(out, "\"\",,,%s\r\n", amount);
}

static void micros_row(FILE *out, const struct document *document, const char *row, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    sum_row(out, document, row, amount_format(micros, amount));
}

static void minor_row(FILE *out, const struct document *document, const char *row, int64_t minor)
{
    char amount[AMOUNT_TEXT_MAX];
    sum_row(out, document, row, amount_format_minor(minor, (int)document->currency_decimals, amount));
}

bool csv_render(const struct document *document, struct format_output *out)
{
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    fputs("number,kind,issue_date,due_date,site,seller,buyer,agent,currency,row,description,quantity,"
          "unit_price,amount\r\n",
          file);
    for (size_t i = 0; i < document->lines.count; i++)
        line_row(file, document, &document->lines.items[i]);
    /* Sums are rows like the others: a spreadsheet that adds up the lines finds what to compare with. Lines
     * are in micro-units, and from the net on all is in the currency's own. */
    micros_row(file, document, "carried-in", document->carried_in_micros);
    micros_row(file, document, "carried-out", -document->carried_out_micros);
    minor_row(file, document, "net", document->net_minor);
    minor_row(file, document, "tax", document->tax.amount_minor);
    minor_row(file, document, "total", document->total_minor);
    /* What has become of it; "applied-credit" is what other invoices' credit paid, or below zero what its own
     * paid. */
    minor_row(file, document, "paid", document->paid_minor);
    minor_row(file, document, "credited", document->credited_minor);
    minor_row(file, document, "applied-credit", document->applied_minor);
    minor_row(file, document, "open", document->open_minor);
    return format_close(file, out);
}
