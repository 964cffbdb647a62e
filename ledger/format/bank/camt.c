/* ISO 20022 camt.053, BankToCustomerStatement. An entry is what the bank has booked: one payment, whose
 * amount is the entry's whatever its details say, or a batch, whose transactions have amounts of their own.
 */
#include "ledger/format/bank/movement.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An entry, and the statement that it is of. */
struct entry {
    const xml_element *xml;
    const char *account;
    size_t number;       /* in the file, from 1 */
    size_t transactions; /* TxDtls below it */
    size_t batch;        /* how many payments it says to be; 0: it does not say */
    const char *kind;    /* of what it books as a whole */
    const char *problem; /* "" or what is odd about all of it */
};

static bool is(const xml_element *xml, const char *path, const char *expected)
{
    char value[32];
    return strcmp(xml_value(xml, path, value, sizeof(value)), expected) == 0;
}

/* Adds the text at the path, and its repetitions, with a space between, as long as they fit. */
static void gather(const xml_element *xml, const char *path, char text[MOVEMENT_TEXT_MAX])
{
    char piece[MOVEMENT_TEXT_MAX];
    for (const xml_element *at = xml_find(xml, path); at; at = xml_next(at)) {
        size_t len = strlen(text);
        size_t more = strlen(xml_value(at, "", piece, sizeof(piece)));
        if (more == 0 || len + 1 + more >= MOVEMENT_TEXT_MAX)
            continue;
        if (len > 0)
            text[len++] = ' ';
        memcpy(text + len, piece, more + 1);
        assert(strlen(text) < MOVEMENT_TEXT_MAX);
    }
}

static const char *first_of(const xml_element *xml, const char *const *paths, char *out, size_t room)
{
    assert(room > 0);
    *out = '\0';
    for (; xml && *paths && !*out; paths++)
        xml_value(xml, *paths, out, room);
    return out;
}

/* --- What the bank calls it --- */

/* The first of the paths that holds a name, or else the first that holds something. */
static void name_at(const xml_element *xml, const char *const *paths, char name[128])
{
    char other[128];
    *name = '\0';
    for (; xml && *paths && !movement_is_name(name); paths++) {
        xml_value(xml, *paths, other, sizeof(other));
        if (!*name || movement_is_name(other))
            snprintf(name, 128, "%s", other);
    }
}

/* `number` counts the transactions of a batch from 1; the one payment of an entry has 0. The name of a batch
 * serves its transactions with their number behind, and so does one that the bank puts on each of them:
 * `names` are those that the batch had so far. */
static void set_reference(json_t *movement, const struct entry *entry, const xml_element *details,
                          size_t number, json_t *names)
{
    static const char *const own[] = {"Refs/AcctSvcrRef", "Refs/TxId", "Refs/UETR", NULL};
    static const char *const shared[] = {"AcctSvcrRef", "NtryRef", NULL};
    char name[128], other[128], numbered[160];
    /* The transaction's own name first; the batch's is everybody's in it, and needs a number. */
    name_at(details, own, name);
    bool counted = number > 0 && movement_is_name(name) && json_object_get(names, name);
    if (!movement_is_name(name)) {
        name_at(entry->xml, shared, other);
        counted = number > 0 && movement_is_name(other);
        if (!*name || movement_is_name(other))
            snprintf(name, sizeof(name), "%s", other);
    } else if (number > 0) {
        json_object_set_new(names, name, json_true());
    }
    int len = snprintf(numbered, sizeof(numbered), counted ? "%s/%zu" : "%s", name, number);
    assert(len >= 0 && (size_t)len < sizeof(numbered));
    movement_set(movement, "reference", numbered);
}

/* --- What it says --- */

/* The text of a batch belongs to none of its transactions. */
static void set_text(json_t *movement, const struct entry *entry, const xml_element *details, bool alone)
{
    char text[MOVEMENT_TEXT_MAX] = "";
    /* Wherever banks put what the payer wrote, the usual places first: when not all fits, the rest is left
     * out and not cut, as half of an invoice's number may be another's. */
    if (details) {
        gather(details, "RmtInf/Ustrd", text);
        gather(details, "RmtInf/Strd/CdtrRefInf/Ref", text);
        gather(details, "RmtInf/Strd/RfrdDocInf/Nb", text);
        gather(details, "RmtInf/Strd/AddtlRmtInf", text);
        if (!is(details, "Refs/EndToEndId", "NOTPROVIDED"))
            gather(details, "Refs/EndToEndId", text);
        gather(details, "AddtlTxInf", text);
    }
    if (alone)
        gather(entry->xml, "AddtlNtryInf", text);
    movement_set(movement, "text", text);
}

/* The bank's code with what it means, and what the bank adds; without a code, whatever text there is. */
static void set_reason(json_t *movement, const xml_element *details)
{
    static const char *const codes[] = {"RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", NULL};
    char code[48], words[MOVEMENT_TEXT_MAX] = "";
    first_of(details, codes, code, sizeof(code));
    if (details)
        gather(details, "RtrInf/AddtlInf", words);
    movement_add_reason(movement, code, *code || *words ? words : format_text(movement, "text"));
}

/* What came back without the charges that the bank put on top: said by the instructed amount, or what is left
 * when the charges are taken off. */
static void set_original(json_t *movement, const xml_element *details)
{
    static const char *const charges[] = {"Chrgs/TtlChrgsAndTaxAmt", "Chrgs/Rcrd/Amt", "Chrgs/Amt", NULL};
    const xml_element *instructed = xml_find(details, "AmtDtls/InstdAmt/Amt");
    char text[40], currency[8], out[AMOUNT_TEXT_MAX];
    int64_t amount, part;
    /* Only a part of what went back can have been the payment: anything else is no charge of the bank's. */
    if (!amount_parse(slice_of(format_text(movement, "amount")), &amount))
        return;
    if (instructed && amount_parse(slice_of(xml_value(instructed, "", text, sizeof(text))), &part) &&
        part > 0 && part < amount &&
        strcmp(xml_attribute_value(instructed, "Ccy", currency, sizeof(currency)),
               format_text(movement, "currency")) == 0)
        movement_set(movement, "original", text);
    else if (amount_parse(slice_of(first_of(details, charges, text, sizeof(text))), &part) && part > 0 &&
             part < amount)
        movement_set(movement, "original", amount_format(amount - part, out));
}

/* The collection that an entry pays as a whole: a batch of direct debits that is not itemised. */
static void set_collection(json_t *movement, const struct entry *entry, const xml_element *details)
{
    static const char *const own[] = {"Refs/PmtInfId", "Refs/MsgId", NULL};
    static const char *const shared[] = {"NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId", NULL};
    /* The block's id before the message's: of one message, several blocks may be paid apart. */
    char id[64];
    if (!*first_of(details, own, id, sizeof(id)))
        first_of(entry->xml, shared, id, sizeof(id));
    movement_set(movement, "collection", id);
}

/* --- Money --- */

static void set_amount(json_t *movement, const xml_element *amount)
{
    char text[40] = "", currency[8] = "";
    if (amount) {
        xml_value(amount, "", text, sizeof(text));
        xml_attribute_value(amount, "Ccy", currency, sizeof(currency));
    }
    movement_set(movement, "amount", text);
    movement_set(movement, "currency", currency);
}

/* A direct debit of the publisher's that came back: the entry or transaction says why, or is of that kind:
 * the family of issued direct debits, of which a debit can only be a return, or SWIFT's "returned item". */
static bool is_returned(const xml_element *xml)
{
    char own[64];
    return xml_find(xml, "RtrInf") || is(xml, "BkTxCd/Domn/Fmly/Cd", "IDDT") ||
           strncmp(xml_value(xml, "BkTxCd/Prtry/Cd", own, sizeof(own)), "NRTI", 4) == 0;
}

static const char *kind_of(const struct entry *entry, const xml_element *details)
{
    assert(entry->kind && entry->problem);
    bool turned = details && entry->transactions > 1 && xml_find(details, "CdtDbtInd") &&
                  !is(details, "CdtDbtInd", strcmp(entry->kind, "credit") == 0 ? "CRDT" : "DBIT");
    if (strcmp(entry->kind, "announced") == 0)
        return entry->kind;
    bool debit = (strcmp(entry->kind, "credit") != 0) != turned;
    if (!debit)
        return "credit";
    bool returned = strcmp(entry->kind, "return") == 0 && !turned;
    return returned || (details && is_returned(details)) ? "return" : "debit";
}

/* --- Entries --- */

/* A movement of the entry: of its one payment, with `number` 0, or of one transaction of a batch. */
static json_t *movement_of(const struct entry *entry, const xml_element *details, size_t number,
                           json_t *names)
{
    assert(number == 0 || details);
    static const char *const dates[] = {"BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm", NULL};
    char place[80], date[40];
    int len = snprintf(place, sizeof(place), number > 0 ? "entry %zu, transaction %zu" : "entry %zu",
                       entry->number, number);
    assert(len > 0 && (size_t)len < sizeof(place));
    json_t *movement = movement_new(kind_of(entry, details), place);
    movement_set(movement, "account", entry->account);
    set_reference(movement, entry, details, number, names);
    first_of(entry->xml, dates, date, sizeof(date));
    /* The value date only where there is no other: statements have all that was booked on their days. */
    if (strlen(date) > 10) /* the time of day */
        date[10] = '\0';
    movement_set(movement, "booked_on", date);
    const xml_element *own = number > 0 ? xml_find(details, "Amt") : xml_find(entry->xml, "Amt");
    set_amount(movement, own || number == 0 ? own : xml_find(details, "AmtDtls/TxAmt/Amt"));
    set_text(movement, entry, details, entry->transactions <= 1 && entry->batch <= 1);
    if (entry->transactions <= 1)
        set_collection(movement, entry, details);
    if (strcmp(format_text(movement, "kind"), "return") == 0) {
        set_reason(movement, details);
        if (details)
            set_original(movement, details);
    }
    if (*entry->problem)
        movement_odd(movement, entry->problem);
    return movement;
}

/* Credits less debits of the movements from `first` on. False if one has no amount, or another currency than
 * the entry, or the sum does not fit. */
static bool sum_of(const json_t *list, size_t first, const char *currency, int64_t *sum)
{
    *sum = 0;
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *movement = json_array_get(list, i);
        bool credit = strcmp(format_text(movement, "kind"), "credit") == 0;
        int64_t one;
        if (!amount_parse(slice_of(format_text(movement, "amount")), &one) ||
            strcmp(format_text(movement, "currency"), currency) != 0 ||
            !amount_add(*sum, credit ? one : -one, sum))
            return false;
    }
    return true;
}

/* Some banks repeat the batch's amount on each transaction, or say what payers have sent before charges: what
 * does not add up to what was booked is for a person. */
static void check_batch(const struct entry *entry, json_t *list, size_t first)
{
    assert(entry->transactions > 1 && first <= json_array_size(list));
    char text[40], currency[8], sum_text[AMOUNT_TEXT_MAX], problem[160];
    const xml_element *at = xml_find(entry->xml, "Amt");
    int64_t amount, sum;
    /* What moves no money is not compared. */
    if (strcmp(entry->kind, "announced") == 0)
        return;
    xml_value(at, "", text, sizeof(text));
    xml_attribute_value(at, "Ccy", currency, sizeof(currency));
    bool credit = strcmp(entry->kind, "credit") == 0;
    if (!at || !amount_parse(slice_of(text), &amount))
        snprintf(problem, sizeof(problem), "its batch has no amount");
    else if (!sum_of(list, first, currency, &sum))
        snprintf(problem, sizeof(problem),
                 "not every transaction of its batch has an amount in %s of its own", currency);
    else if (sum != (credit ? amount : -amount))
        snprintf(problem, sizeof(problem), "the transactions of its batch come to %s, the batch to %s%s",
                 amount_format(sum, sum_text), credit ? "" : "-", text);
    else
        return;
    for (size_t i = first; i < json_array_size(list); i++)
        movement_odd(json_array_get(list, i), problem);
}

static void add_batch(json_t *list, const struct entry *entry)
{
    size_t first = json_array_size(list), number = 0;
    json_t *names = json_object();
    for (const xml_element *group = xml_find(entry->xml, "NtryDtls"); group; group = xml_next(group))
        for (const xml_element *details = xml_find(group, "TxDtls"); details; details = xml_next(details))
            json_array_append_new(list, movement_of(entry, details, ++number, names));
    assert(number == entry->transactions); /* as add_entry has counted them */
    json_decref(names);
    check_batch(entry, list, first);
}

/* Of the entry as a whole. Only what has the status BOOK has moved money; PDNG, INFO and FUTR may never. */
static void judge(struct entry *entry, char problem[80])
{
    char status[40];
    xml_value(entry->xml, "Sts/Cd", status, sizeof(status)); /* from version 8 on; before, Sts itself */
    if (!*status)
        xml_value(entry->xml, "Sts", status, sizeof(status));
    bool reversal = is(entry->xml, "RvslInd", "true") || is(entry->xml, "RvslInd", "1");
    bool announced =
        strcmp(status, "PDNG") == 0 || strcmp(status, "INFO") == 0 || strcmp(status, "FUTR") == 0;
    *problem = '\0';
    entry->problem = problem;
    /* The side comes first, the status decides afterwards whether it counts: what is odd is still shown on
     * its side. */
    if (is(entry->xml, "CdtDbtInd", "CRDT"))
        entry->kind = "credit";
    else
        entry->kind = reversal || is_returned(entry->xml) ? "return" : "debit";
    if (announced)
        entry->kind = "announced";
    else if (strcmp(status, "BOOK") != 0 || xml_find(entry->xml, "Sts/Prtry"))
        snprintf(problem, 80, "its status is \"%.30s\", not BOOK", status);
    else if (!is(entry->xml, "CdtDbtInd", "CRDT") && !is(entry->xml, "CdtDbtInd", "DBIT"))
        snprintf(problem, 80, "it says neither CRDT nor DBIT");
    else if (reversal && strcmp(entry->kind, "credit") == 0)
        snprintf(problem, 80, "it takes back a debit");
}

static void add_entry(json_t *list, const xml_element *xml, const char *account, size_t number)
{
    struct entry entry = {.xml = xml, .account = account, .number = number};
    const xml_element *only = NULL;
    char problem[80], count[24];
    for (const xml_element *group = xml_find(xml, "NtryDtls"); group; group = xml_next(group)) {
        for (const xml_element *details = xml_find(group, "TxDtls"); details; details = xml_next(details)) {
            only = details;
            entry.transactions++;
        }
        entry.batch += strtoul(xml_value(group, "Btch/NbOfTxs", count, sizeof(count)), NULL, 10);
    }
    judge(&entry, problem);
    if (entry.transactions > 1) {
        add_batch(list, &entry);
        return;
    }
    json_t *movement = movement_of(&entry, only, 0, NULL);
    if (entry.batch > 1)
        json_object_set_new(movement, "payments", json_integer((json_int_t)(uint32_t)entry.batch));
    json_array_append_new(list, movement);
}

/* --- Statements --- */

/* In capitals and without spaces, as IBANs are compared. */
static void account_of(const xml_element *statement, char out[64])
{
    static const char *const paths[] = {"Acct/Id/IBAN", "Acct/Id/Othr/Id", NULL};
    char text[64];
    size_t len = 0;
    /* Countries without IBANs have another number here, which is compared in the same way. */
    first_of(statement, paths, text, sizeof(text));
    for (const char *c = text; *c; c++)
        if (!isspace((unsigned char)*c))
            out[len++] = (char)toupper((unsigned char)*c);
    out[len] = '\0';
    assert(len < 64);
}

json_t *camt_read(const xml_element *xml, struct format_output *out)
{
    const xml_element *statement = xml_find(xml, "Stmt");
    json_t *list = json_array();
    size_t number = 0;
    bool ok = list != NULL;
    if (!statement) {
        json_decref(list);
        format_fail(out, "this camt.053 has no statement (Stmt)");
        return NULL;
    }
    for (; ok && statement; statement = xml_next(statement)) {
        /* Statement by statement: movements that are alike are counted within one. */
        json_t *entries = json_array();
        char account[64];
        account_of(statement, account);
        for (const xml_element *entry = xml_find(statement, "Ntry"); entry; entry = xml_next(entry))
            add_entry(entries, entry, account, ++number);
        ok = movement_add(list, entries);
    }
    if (ok)
        return list;
    json_decref(list);
    format_fail(out, "no memory");
    return NULL;
}
