#include "ledger/format/bill/rendering.h"

#include "ledger/base/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Quoted, and not taken for a formula by a spreadsheet: crawlers and buyers choose what stands here. */
static void cell(FILE *out, const char *text)
{
    bool formula = *text && strchr("=+-@\t\r", *text);
    fputs(formula ? "\"'" : "\"", out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputs("\",", out);
}

/* What every row starts with. */
static void head(FILE *out, const json_t *document, const char *row)
{
    static const char *const members[] = {"number",      "kind",       "issue_date", "due_date", "site",
                                          "seller.name", "buyer.name", "agent",      "currency"};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        cell(out, format_text(document, members[i]));
    cell(out, row);
}

static void line_row(FILE *out, const json_t *document, const json_t *line)
{
    char price[AMOUNT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    head(out, document, format_text(line, "kind"));
    cell(out, format_text(line, "description"));
    fprintf(out, "%" PRId64 ",%s,%s\r\n", format_number(line, "quantity"),
            amount_format(format_number(line, "unit_price_micros"), price),
            amount_format(format_number(line, "amount_micros"), amount));
}

static void sum_row(FILE *out, const json_t *document, const char *row, const char *amount)
{
    head(out, document, row);
    fprintf(out, "\"\",,,%s\r\n", amount);
}

static void micros_row(FILE *out, const json_t *document, const char *row, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    sum_row(out, document, row, amount_format(micros, amount));
}

static void minor_row(FILE *out, const json_t *document, const char *row, const char *path)
{
    char amount[AMOUNT_TEXT_MAX];
    int decimals = (int)format_number(document, "currency_decimals");
    sum_row(out, document, row, amount_format_minor(format_number(document, path), decimals, amount));
}

bool csv_render(const json_t *document, struct format_output *out)
{
    const json_t *line;
    size_t i;
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    fputs("number,kind,issue_date,due_date,site,seller,buyer,agent,currency,row,description,quantity,"
          "unit_price,amount\r\n",
          file);
    json_array_foreach(json_object_get(document, "lines"), i, line)
    {
        line_row(file, document, line);
    }
    micros_row(file, document, "carried-in", format_number(document, "carried_in_micros"));
    micros_row(file, document, "carried-out", -format_number(document, "carried_out_micros"));
    minor_row(file, document, "net", "net_minor");
    minor_row(file, document, "tax", "tax.amount_minor");
    minor_row(file, document, "total", "total_minor");
    return format_close(file, out);
}
