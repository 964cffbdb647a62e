/* ISO 20022 pain.008.001.08, CustomerDirectDebitInitiation. A bank takes or refuses a message as a whole:
 * what is missing of one debit is found before anything is written, with the invoice that lacks it. */
#include "ledger/format/bank/settlement.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/unicode.h"
#include "ledger/format/xml.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAMESPACE "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
#define NAME_SIZE 70
#define NOTE_SIZE 140

/* In the SEPA character set: letters of other scripts are transliterated, an ampersand becomes a plus sign
 * (the EPC's conversion table), and what is still not in the set a full stop. */
static const char *sepa_text(const char *text, char *out, size_t room)
{
    unicode_ascii(text, out, room);
    for (char *p = out; *p; p++) {
        if (*p == '&')
            *p = '+';
        else if (!isalnum((unsigned char)*p) && !strchr(" /-?:().,'+", *p))
            *p = '.';
    }
    return out;
}

static void leaf(struct xml *xml, const char *name, const char *text, size_t max)
{
    assert(max <= NOTE_SIZE);
    char clean[NOTE_SIZE + 1];
    xml_leaf(xml, name, sepa_text(text, clean, max + 1));
}

/* The agent by its BIC, or that none was given: within SEPA the IBAN suffices. */
static void agent(struct xml *xml, const char *name, const char *bic)
{
    xml_open(xml, name);
    if (*bic)
        xml_leaf_at(xml, "FinInstnId/BICFI", bic);
    else
        xml_leaf_at(xml, "FinInstnId/Othr/Id", "NOTPROVIDED");
    xml_close(xml);
}

/* 32 characters: message ids may have 35. */
static const char *message_id(const struct settlement_batch *batch, char out[36])
{
    size_t len = 0;
    for (const char *p = batch->id; *p && len < 35; p++)
        if (*p != '-')
            out[len++] = *p;
    out[len] = '\0';
    assert(len > 0 && len <= 35);
    return out;
}

static void totals(struct xml *xml, size_t count, int64_t minor)
{
    assert(count > 0 && minor > 0);
    char number[24], sum[AMOUNT_TEXT_MAX];
    snprintf(number, sizeof(number), "%zu", count);
    xml_leaf(xml, "NbOfTxs", number);
    xml_leaf(xml, "CtrlSum", amount_format_minor(minor, 2, sum));
}

static void header(struct xml *xml, const struct settlement_batch *batch, int64_t minor)
{
    const struct document *document = &batch->dues[0].document;
    char id[36], made[20];
    xml_open(xml, "GrpHdr");
    xml_leaf(xml, "MsgId", message_id(batch, id));
    snprintf(made, sizeof(made), "%.19s", batch->made_at);
    xml_leaf(xml, "CreDtTm", made);
    totals(xml, batch->count, minor);
    xml_open(xml, "InitgPty");
    leaf(xml, "Nm", document->seller.name, NAME_SIZE);
    xml_close(xml);
    xml_close(xml);
}

static void creditor(struct xml *xml, const struct document *document)
{
    xml_open(xml, "Cdtr");
    leaf(xml, "Nm", document->seller.name, NAME_SIZE);
    xml_close(xml);
    xml_leaf_at(xml, "CdtrAcct/Id/IBAN", document->seller.iban);
    agent(xml, "CdtrAgt", document->seller.bic);
    /* SLEV: each side pays its own bank, which is all that SEPA knows. */
    xml_leaf(xml, "ChrgBr", "SLEV");
    xml_open(xml, "CdtrSchmeId");
    xml_open(xml, "Id");
    xml_open(xml, "PrvtId");
    xml_open(xml, "Othr");
    xml_leaf(xml, "Id", document->seller.creditor_id);
    xml_leaf_at(xml, "SchmeNm/Prtry", "SEPA");
    xml_close(xml);
    xml_close(xml);
    xml_close(xml);
    xml_close(xml);
}

/* Countries of the European Economic Area, of which an IBAN says the bank's. Banks elsewhere in SEPA, such as
 * Swiss and British ones, must be told where the debtor lives. */
static bool in_eea(const char *iban)
{
    static const char countries[] =
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL "
        "PT RO SE SI SK";
    const char country[] = {iban[0], iban[0] ? iban[1] : '\0', '\0'};
    const char *found = strlen(country) == 2 ? strstr(countries, country) : NULL;
    return found && (found - countries) % 3 == 0;
}

static bool crosses_eea(const struct document *document)
{
    return !in_eea(document->settlement.iban) || !in_eea(document->seller.iban);
}

/* Structured, as since November 2026 no other form is taken. */
static void address(struct xml *xml, const struct document_party *party)
{
    xml_open(xml, "PstlAdr");
    /* Town and country are the least that is taken; lines of free text are none of it. */
    if (*party->street)
        leaf(xml, "StrtNm", party->street, 70);
    if (*party->postal_code)
        leaf(xml, "PstCd", party->postal_code, 16);
    leaf(xml, "TwnNm", party->city, 35);
    xml_leaf(xml, "Ctry", party->country);
    xml_close(xml);
}

static void debit(struct xml *xml, const struct settlement_due *due)
{
    assert(strcmp(due->document.currency, "EUR") == 0); /* `complete` has let it through */
    assert(due->due_minor > 0);
    const struct document *document = &due->document;
    char amount[AMOUNT_TEXT_MAX], note[NOTE_SIZE + 1], id[36];
    xml_open(xml, "DrctDbtTxInf");
    /* The invoice's number: it comes back with a return, and says which invoice was not paid. */
    xml_leaf_at(xml, "PmtId/EndToEndId", sepa_text(document->number, id, sizeof(id)));
    xml_open(xml, "InstdAmt");
    xml_attribute(xml, "Ccy", "EUR");
    xml_text(xml, amount_format_minor(due->due_minor, 2, amount));
    xml_close(xml);
    xml_open(xml, "DrctDbtTx");
    xml_open(xml, "MndtRltdInf");
    xml_leaf(xml, "MndtId", document->settlement.mandate_id);
    xml_leaf(xml, "DtOfSgntr", document->settlement.mandate_date);
    xml_close(xml);
    xml_close(xml);
    agent(xml, "DbtrAgt", document->settlement.bic);
    xml_open(xml, "Dbtr");
    leaf(xml, "Nm", document->buyer.name, NAME_SIZE);
    if (crosses_eea(document))
        address(xml, &document->buyer);
    xml_close(xml);
    xml_leaf_at(xml, "DbtrAcct/Id/IBAN", document->settlement.iban);
    xml_open(xml, "RmtInf");
    snprintf(note, sizeof(note), "%s %s", document->number, document->seller.name);
    leaf(xml, "Ustrd", note, NOTE_SIZE);
    xml_close(xml);
    xml_close(xml);
}

static bool has_address(const struct document *document, struct format_output *out)
{
    const struct document_text needed[] = {DOCUMENT_TEXT(document, buyer.city),
                                           DOCUMENT_TEXT(document, buyer.country)};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*needed[i].text)
            return format_fail(out,
                               "invoice %s has no %s, which a direct debit needs where one of the banks is"
                               " outside the European Economic Area",
                               document->number, needed[i].path);
    return true;
}

/* True if the invoice has what a direct debit needs. */
static bool complete(const struct settlement_due *due, struct format_output *out)
{
    const struct document *document = &due->document;
    const struct document_text needed[] = {DOCUMENT_TEXT(document, seller.name),
                                           DOCUMENT_TEXT(document, seller.iban),
                                           DOCUMENT_TEXT(document, seller.creditor_id),
                                           DOCUMENT_TEXT(document, buyer.name),
                                           DOCUMENT_TEXT(document, settlement.iban),
                                           DOCUMENT_TEXT(document, settlement.mandate_id),
                                           DOCUMENT_TEXT(document, settlement.mandate_date)};
    const char *number = document->number;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*needed[i].text)
            return format_fail(out, "invoice %s has no %s, which a direct debit needs", number,
                               needed[i].path);
    if (strcmp(document->currency, "EUR") != 0)
        return format_fail(out, "invoice %s is in %s: SEPA direct debits are in EUR", number,
                           document->currency);
    if (strlen(number) > 35 || strlen(document->settlement.mandate_id) > 35)
        return format_fail(out, "invoice %s: number and mandate_id may have 35 characters", number);
    if (due->due_minor > 99999999999)
        return format_fail(out, "invoice %s is more than a direct debit may be, 999,999,999.99", number);
    return !crosses_eea(document) || has_address(document, out);
}

static bool is_core(const struct settlement_due *due)
{
    return strcmp(due->document.settlement.scheme, "core") == 0;
}

static void payment_type(struct xml *xml, bool core)
{
    xml_open(xml, "PmtTpInf");
    xml_leaf_at(xml, "SvcLvl/Cd", "SEPA");
    xml_leaf_at(xml, "LclInstrm/Cd", core ? "CORE" : "B2B");
    /* Also for the first: since 2016 FRST is not asked for any more, and RCUR always fits. */
    xml_leaf(xml, "SeqTp", "RCUR");
    xml_close(xml);
}

/* The debits of one scheme, if there are any: the scheme is said once for all debits of a block. Returns what
 * they come to. */
static int64_t block(struct xml *xml, const struct settlement_batch *batch, bool core)
{
    const struct document *first = NULL;
    size_t count = 0;
    int64_t minor = 0;
    char id[36], name[40];
    for (size_t i = 0; i < batch->count; i++) {
        if (is_core(&batch->dues[i]) != core)
            continue;
        first = first ? first : &batch->dues[i].document;
        minor += batch->dues[i].due_minor; /* the sum of all is known to fit */
        count++;
    }
    if (count == 0)
        return 0;
    assert(first && minor > 0 && count <= batch->count);
    xml_open(xml, "PmtInf");
    snprintf(name, sizeof(name), "%s-%c", message_id(batch, id), core ? 'C' : 'B');
    xml_leaf(xml, "PmtInfId", name);
    xml_leaf(xml, "PmtMtd", "DD");
    totals(xml, count, minor);
    payment_type(xml, core);
    xml_leaf(xml, "ReqdColltnDt", batch->collect_on);
    creditor(xml, first);
    for (size_t i = 0; i < batch->count; i++)
        if (is_core(&batch->dues[i]) == core)
            debit(xml, &batch->dues[i]);
    xml_close(xml);
    return minor;
}

bool sepa_render(const struct settlement_batch *batch, struct format_output *out)
{
    int64_t minor;
    if (!settlement_total(batch, &minor))
        return format_fail(out, "the batch has no invoices, or their sum does not fit");
    for (size_t i = 0; i < batch->count; i++)
        if (!complete(&batch->dues[i], out))
            return false;
    struct xml *xml = xml_new("Document", NAMESPACE);
    if (!xml)
        return format_fail(out, "no memory");
    xml_open(xml, "CstmrDrctDbtInitn");
    header(xml, batch, minor);
    int64_t written = block(xml, batch, true);
    written += block(xml, batch, false);
    assert(written == minor); /* each debit is in one of the two, and the head has said what they come to */
    xml_close(xml);
    out->bytes = xml_finish(xml, &out->len);
    return out->bytes || format_fail(out, "a text cannot be written as XML");
}

static void add_debits(json_t *list, const xml_element *block)
{
    char number[64], amount[40];
    for (const xml_element *one = xml_find(block, "DrctDbtTxInf"); one; one = xml_next(one))
        json_array_append_new(list, json_pack("{s:s,s:s}", "number",
                                              xml_value(one, "PmtId/EndToEndId", number, sizeof(number)),
                                              "amount", xml_value(one, "InstdAmt", amount, sizeof(amount))));
}

json_t *sepa_debits(struct slice file, const char *id)
{
    char error[200], found[64];
    struct xml_tree *tree = xml_read(file, error);
    if (!tree)
        return NULL;
    const xml_element *message = xml_find(xml_root(tree), "CstmrDrctDbtInitn");
    json_t *list = json_array();
    /* The ids are those that the file was given here; a bank tells of it by either. */
    bool whole = strcmp(xml_value(message, "GrpHdr/MsgId", found, sizeof(found)), id) == 0;
    for (const xml_element *block = xml_find(message, "PmtInf"); block; block = xml_next(block))
        if (whole || strcmp(xml_value(block, "PmtInfId", found, sizeof(found)), id) == 0)
            add_debits(list, block);
    xml_tree_free(tree);
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}
