/* NACHA files: records of 94 columns, in blocks of ten. A bank's reader counts columns and nothing else, so
 * that one character too many moves all that follows: every field has a fixed width here, also the empty
 * ones, and what may be too long is refused before the file is begun. */
#include "ledger/format/bank/settlement.h"

#include "ledger/format/unicode.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_SIZE 94
#define BLOCK       10

_Static_assert(SETTLEMENT_FILES_A_DAY == 36, "NACHA's file id modifier is A to Z and 0 to 9");

/* Letters, digits and what every bank takes, in capitals, padded or cut to `width`; letters of other scripts
 * are transliterated. */
static void alpha(FILE *file, const char *text, int width)
{
    assert(width > 0 && width <= RECORD_SIZE);
    char plain[RECORD_SIZE + 1];
    int column = 0;
    unicode_ascii(text, plain, (size_t)width + 1);
    for (const unsigned char *p = (const unsigned char *)plain; *p; p++, column++)
        fputc(isalnum(*p) || strchr(" -./&,", *p) ? toupper(*p) : ' ', file);
    assert(column <= width);
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

static void file_header(FILE *file, const struct settlement_batch *batch, const struct document_party *seller)
{
    assert(batch->file_of_day < (size_t)SETTLEMENT_FILES_A_DAY);
    const char *made = batch->made_at;
    char modifier = SETTLEMENT_FILE_MODIFIERS[batch->file_of_day]; /* what tells files of a day apart */
    fprintf(file, "101 %s%10.10s", seller->ach_destination, seller->ach_origin);
    date(file, made);
    /* 094, 10 and 1: the size of records, the size of blocks, and the only format there is. */
    fprintf(file, "%.2s%.2s%c094101", made + 11, made + 14, modifier);
    alpha(file, seller->ach_destination_name, 23);
    alpha(file, seller->name, 23);
    alpha(file, "", 8);
    fputc('\n', file);
}

static void batch_header(FILE *file, const struct settlement_batch *batch,
                         const struct document_party *seller)
{
    /* 225: debits alone. CCD is for companies' accounts, whose returns have to come within two days. */
    fputs("5225", file);
    alpha(file, seller->name, 16);
    alpha(file, "", 20);
    alpha(file, seller->ach_company_id, 10);
    fputs("CCD", file);
    alpha(file, "INVOICES", 10);
    date(file, batch->made_at);
    date(file, batch->collect_on);
    fprintf(file, "   1%.8s0000001\n", seller->ach_destination);
}

static void entry(FILE *file, const struct settlement_due *due, size_t number)
{
    assert(due->due_minor > 0 && due->due_minor <= 9999999999 && number <= 999999);
    const struct document *document = &due->document;
    bool savings = strcmp(document->settlement.kind, "savings") == 0;
    /* 27 debits a checking account, 37 savings. */
    fprintf(file, "6%s%.9s", savings ? "37" : "27", document->settlement.routing_number);
    alpha(file, document->settlement.account, 17);
    fprintf(file, "%010" PRId64, due->due_minor);
    alpha(file, document->number, 15);
    alpha(file, document->buyer.name, 22);
    fprintf(file, "  0%.8s%07zu\n", document->seller.ach_destination, number);
}

/* The last ten digits of the sum of the receiving banks' first eight. */
static uint64_t entry_hash(const struct settlement_batch *batch)
{
    uint64_t hash = 0;
    char bank[9];
    for (size_t i = 0; i < batch->count; i++) {
        snprintf(bank, sizeof(bank), "%.8s", batch->dues[i].document.settlement.routing_number);
        hash += strtoull(bank, NULL, 10);
    }
    assert(batch->count > 0);
    return hash % 10000000000U;
}

static void controls(FILE *file, const struct settlement_batch *batch, const struct document_party *seller,
                     int64_t minor)
{
    assert(minor > 0 && minor <= 999999999999);
    /* The same sums in the batch's control and in the file's, as there is one batch: the bank adds up both.
     */
    uint64_t hash = entry_hash(batch);
    size_t count = batch->count, records = count + 4, blocks = (records + BLOCK - 1) / BLOCK;
    fprintf(file, "8225%06zu%010" PRIu64 "%012" PRId64 "%012d", count, hash, minor, 0);
    alpha(file, seller->ach_company_id, 10);
    fprintf(file, "%25s%.8s0000001\n", "", seller->ach_destination);
    fprintf(file, "9%06d%06zu%08zu%010" PRIu64 "%012" PRId64 "%012d%39s\n", 1, blocks, count, hash, minor, 0,
            "");
    /* Filled with nines to whole blocks, as on the tapes that the format is from. */
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

static bool complete(const struct settlement_due *due, struct format_output *out)
{
    const struct document *document = &due->document;
    const struct document_text needed[] = {
        DOCUMENT_TEXT(document, seller.name), DOCUMENT_TEXT(document, seller.ach_company_id),
        DOCUMENT_TEXT(document, seller.ach_origin), DOCUMENT_TEXT(document, buyer.name),
        DOCUMENT_TEXT(document, settlement.account)};
    const struct document_text banks[] = {DOCUMENT_TEXT(document, seller.ach_destination),
                                          DOCUMENT_TEXT(document, settlement.routing_number)};
    const char *number = document->number;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*needed[i].text)
            return format_fail(out, "invoice %s has no %s, which an ACH debit needs", number, needed[i].path);
    for (size_t i = 0; i < sizeof(banks) / sizeof(*banks); i++)
        if (!is_routing_number(banks[i].text))
            return format_fail(out, "invoice %s: %s \"%s\" is no routing number of nine digits", number,
                               banks[i].path, banks[i].text);
    if (strcmp(document->currency, "USD") != 0)
        return format_fail(out, "invoice %s is in %s: ACH debits are in USD", number, document->currency);
    /* Cut off, both would be those of somebody else. */
    if (strlen(number) > 15 || strlen(document->settlement.account) > 17)
        return format_fail(out, "invoice %s: its number may have 15 characters, the account 17", number);
    if (due->due_minor > 9999999999)
        return format_fail(out, "invoice %s is more than an ACH debit may be, 99,999,999.99", number);
    return true;
}

bool ach_render(const struct settlement_batch *batch, struct format_output *out)
{
    int64_t minor;
    if (!settlement_total(batch, &minor) || batch->count > 999999 || minor > 999999999999)
        return format_fail(out, "the batch has no invoices, or more than a file holds");
    if (strlen(batch->made_at) < 16)
        return format_fail(out, "the batch has no time");
    if (batch->file_of_day >= SETTLEMENT_FILES_A_DAY)
        return format_fail(out,
                           "ACH has names for %d files a day (UTC), and they are used up: go on tomorrow",
                           SETTLEMENT_FILES_A_DAY);
    for (size_t i = 0; i < batch->count; i++)
        if (!complete(&batch->dues[i], out))
            return false;
    const struct document_party *seller = &batch->dues[0].document.seller;
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    file_header(file, batch, seller);
    batch_header(file, batch, seller);
    for (size_t i = 0; i < batch->count; i++)
        entry(file, &batch->dues[i], i + 1);
    controls(file, batch, seller, minor);
    if (fclose(file) == 0) {
        assert(out->len % (BLOCK * (RECORD_SIZE + 1)) == 0); /* whole blocks of whole records */
        /* Each by itself: one that is too long would make up for one that is too short. */
        for (size_t at = RECORD_SIZE; at < out->len; at += RECORD_SIZE + 1)
            assert(out->bytes[at] == '\n');
        return true;
    }
    free(out->bytes);
    out->bytes = NULL;
    return format_fail(out, "no memory");
}
