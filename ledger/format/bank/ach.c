/* NACHA files: records of 94 columns, in blocks of ten. */
#include "ledger/format/bank/settlement.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_SIZE 94
#define BLOCK       10

/* Letters, digits and what every bank takes, in capitals, padded or cut to `width`. */
static void alpha(FILE *file, const char *text, int width)
{
    int column = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p && column < width; p++) {
        if ((*p & 0xc0) == 0x80)
            continue;
        fputc(isalnum(*p) || strchr(" -./&,", *p) ? toupper(*p) : ' ', file);
        column++;
    }
    fprintf(file, "%*s", width - column, "");
}

/* "2026-11-21" as "261121". */
static void date(FILE *file, const char *text)
{
    if (strlen(text) >= 10)
        fprintf(file, "%.2s%.2s%.2s", text + 2, text + 5, text + 8);
    else
        fputs("      ", file);
}

static void file_header(FILE *file, const json_t *batch, const json_t *seller)
{
    const char *made = format_text(batch, "made_at");
    fprintf(file, "101 %s%10.10s", format_text(seller, "ach_destination"), format_text(seller, "ach_origin"));
    date(file, made);
    fprintf(file, "%.2s%.2sA094101", made + 11, made + 14);
    alpha(file, format_text(seller, "ach_destination_name"), 23);
    alpha(file, format_text(seller, "name"), 23);
    alpha(file, "", 8);
    fputc('\n', file);
}

static void batch_header(FILE *file, const json_t *batch, const json_t *seller)
{
    fputs("5225", file);
    alpha(file, format_text(seller, "name"), 16);
    alpha(file, "", 20);
    alpha(file, format_text(seller, "ach_company_id"), 10);
    fputs("CCD", file);
    alpha(file, "INVOICES", 10);
    date(file, format_text(batch, "made_at"));
    date(file, format_text(batch, "collect_on"));
    fprintf(file, "   1%.8s0000001\n", format_text(seller, "ach_destination"));
}

static void entry(FILE *file, const json_t *due, size_t number)
{
    const json_t *document = json_object_get(due, "document");
    bool savings = strcmp(format_text(document, "settlement.kind"), "savings") == 0;
    fprintf(file, "6%s%.9s", savings ? "37" : "27", format_text(document, "settlement.routing_number"));
    alpha(file, format_text(document, "settlement.account"), 17);
    fprintf(file, "%010" PRId64, format_number(due, "due_minor"));
    alpha(file, format_text(document, "number"), 15);
    alpha(file, format_text(document, "buyer.name"), 22);
    fprintf(file, "  0%.8s%07zu\n", format_text(document, "seller.ach_destination"), number);
}

/* The last ten digits of the sum of the receiving banks' first eight. */
static uint64_t entry_hash(const json_t *invoices)
{
    const json_t *due;
    uint64_t hash = 0;
    char bank[9];
    size_t i;
    json_array_foreach(invoices, i, due)
    {
        snprintf(bank, sizeof(bank), "%.8s", format_text(due, "document.settlement.routing_number"));
        hash += strtoull(bank, NULL, 10);
    }
    return hash % 10000000000U;
}

static void controls(FILE *file, const json_t *batch, const json_t *seller, size_t count, int64_t minor)
{
    uint64_t hash = entry_hash(json_object_get(batch, "invoices"));
    size_t records = count + 4, blocks = (records + BLOCK - 1) / BLOCK;
    fprintf(file, "8225%06zu%010" PRIu64 "%012" PRId64 "%012d", count, hash, minor, 0);
    alpha(file, format_text(seller, "ach_company_id"), 10);
    fprintf(file, "%25s%.8s0000001\n", "", format_text(seller, "ach_destination"));
    fprintf(file, "9%06d%06zu%08zu%010" PRIu64 "%012" PRId64 "%012d%39s\n", 1, blocks, count, hash, minor, 0,
            "");
    for (; records % BLOCK != 0; records++) {
        for (int i = 0; i < RECORD_SIZE; i++)
            fputc('9', file);
        fputc('\n', file);
    }
}

/* Nine digits whose weighted sum (3, 7, 1, ...) is a multiple of ten: the ABA's check digit. */
static bool is_routing_number(const char *text)
{
    static const int weights[] = {3, 7, 1};
    int sum = 0;
    if (strlen(text) != 9)
        return false;
    for (int i = 0; i < 9; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        sum += weights[i % 3] * (text[i] - '0');
    }
    return sum % 10 == 0;
}

static bool complete(const json_t *due, struct format_output *out)
{
    static const char *const needed[] = {"seller.name", "seller.ach_company_id", "seller.ach_origin",
                                         "buyer.name", "settlement.account"};
    static const char *const banks[] = {"seller.ach_destination", "settlement.routing_number"};
    const json_t *document = json_object_get(due, "document");
    const char *number = format_text(document, "number");
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*format_text(document, needed[i]))
            return format_fail(out, "invoice %s has no %s, which an ACH debit needs", number, needed[i]);
    for (size_t i = 0; i < sizeof(banks) / sizeof(*banks); i++)
        if (!is_routing_number(format_text(document, banks[i])))
            return format_fail(out, "invoice %s: %s \"%s\" is no routing number of nine digits", number,
                               banks[i], format_text(document, banks[i]));
    if (strcmp(format_text(document, "currency"), "USD") != 0)
        return format_fail(out, "invoice %s is in %s: ACH debits are in USD", number,
                           format_text(document, "currency"));
    if (strlen(number) > 15 || strlen(format_text(document, "settlement.account")) > 17)
        return format_fail(out, "invoice %s: its number may have 15 characters, the account 17", number);
    if (format_number(due, "due_minor") > 9999999999)
        return format_fail(out, "invoice %s is more than an ACH debit may be, 99,999,999.99", number);
    return true;
}

bool ach_render(const json_t *batch, struct format_output *out)
{
    const json_t *invoices = json_object_get(batch, "invoices"), *due;
    const json_t *seller = format_member(json_array_get(invoices, 0), "document.seller");
    size_t count, i;
    int64_t minor;
    if (!settlement_total(batch, &count, &minor) || count > 999999 || minor > 999999999999)
        return format_fail(out, "the batch has no invoices, or more than a file holds");
    if (strlen(format_text(batch, "made_at")) < 16)
        return format_fail(out, "the batch has no time");
    json_array_foreach(invoices, i, due)
    {
        if (!complete(due, out))
            return false;
    }
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    file_header(file, batch, seller);
    batch_header(file, batch, seller);
    json_array_foreach(invoices, i, due)
    {
        entry(file, due, i + 1);
    }
    controls(file, batch, seller, count, minor);
    if (fclose(file) == 0)
        return true;
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "no memory");
}
