/* ISO 20022 camt.053, BankToCustomerStatement. */
#include "ledger/format/bank/movement.h"

#include "ledger/format/xml.h"

#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 1024

/* Adds the text at the path, and its repetitions, with a space between, as long as they fit. */
static void gather(const xml_element *element, const char *path, char *text)
{
    char piece[TEXT_SIZE];
    for (const xml_element *at = xml_find(element, path); at; at = xml_next(at)) {
        size_t len = strlen(text);
        size_t more = strlen(xml_value(at, "", piece, sizeof(piece)));
        if (more == 0 || len + 1 + more >= TEXT_SIZE)
            continue;
        if (len > 0)
            text[len++] = ' ';
        memcpy(text + len, piece, more + 1);
    }
}

/* The first of the paths that holds something. */
static const char *first_of(const xml_element *element, const char *const *paths, char *out, size_t room)
{
    *out = '\0';
    for (; *paths && !*out; paths++)
        xml_value(element, *paths, out, room);
    return out;
}

/* What the bank calls this movement. An entry's name serves its transactions, with their
 * number behind if there are several. */
static void name_of(const xml_element *entry, const xml_element *details, size_t number, char *out,
                    size_t room)
{
    static const char *const own[] = {"Refs/AcctSvcrRef", "Refs/TxId", NULL};
    static const char *const shared[] = {"AcctSvcrRef", "NtryRef", NULL};
    char name[128];
    if (details && *first_of(details, own, out, room))
        return;
    first_of(entry, shared, name, sizeof(name));
    if (!*name)
        *out = '\0';
    else if (number > 0)
        snprintf(out, room, "%s/%zu", name, number);
    else
        snprintf(out, room, "%s", name);
}

/* A transaction's own amount; NULL if it says none. */
static const xml_element *amount_of(const xml_element *details)
{
    const xml_element *amount = xml_find(details, "Amt");
    return amount ? amount : xml_find(details, "AmtDtls/TxAmt/Amt");
}

/* `details` is one TxDtls of the entry, or NULL for an entry without any; `number` counts them from 1, and is
 * 0 when there is one at most: that one is the entry. */
static bool add(json_t *list, const xml_element *entry, const xml_element *details, size_t number,
                struct format_output *out)
{
    static const char *const dates[] = {"BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", NULL};
    char reference[160], amount[40] = "", currency[8] = "", date[40], text[TEXT_SIZE] = "";
    const xml_element *at = details ? amount_of(details) : xml_find(entry, "Amt");
    if (!at && number == 0)
        at = xml_find(entry, "Amt");
    name_of(entry, details, number, reference, sizeof(reference));
    first_of(entry, dates, date, sizeof(date));
    if (at) {
        xml_value(at, "", amount, sizeof(amount));
        xml_attribute_value(at, "Ccy", currency, sizeof(currency));
    }
    if (!*reference || !*amount || !*currency || strlen(date) < 10)
        return format_fail(out, "entry \"%s\" has no %s", reference,
                           !*reference ? "reference (AcctSvcrRef or NtryRef)" : "amount, currency or date");
    date[10] = '\0';
    if (details) {
        gather(details, "RmtInf/Ustrd", text);
        gather(details, "RmtInf/Strd/CdtrRefInf/Ref", text);
        gather(details, "RmtInf/Strd/RfrdDocInf/Nb", text);
        gather(details, "Refs/EndToEndId", text);
    }
    gather(entry, "AddtlNtryInf", text);
    return json_array_append_new(list,
                                 json_pack("{s:s,s:s,s:s,s:s,s:s}", "reference", reference, "text", text,
                                           "amount", amount, "currency", currency, "booked_on", date)) == 0 ||
           format_fail(out, "entry \"%s\" is not UTF-8", reference);
}

static bool is_credit(const xml_element *entry)
{
    char value[16], status[16];
    xml_value(entry, "Sts/Cd", status, sizeof(status)); /* from version 8 on; before, Sts itself */
    if (!*status)
        xml_value(entry, "Sts", status, sizeof(status));
    return strcmp(xml_value(entry, "CdtDbtInd", value, sizeof(value)), "CRDT") == 0 &&
           strcmp(xml_value(entry, "RvslInd", value, sizeof(value)), "true") != 0 &&
           strcmp(status, "BOOK") == 0;
}

/* Some banks put the entry's name on each of its transactions. */
static bool tell_apart(json_t *names, json_t *movement, size_t number)
{
    char longer[200];
    const char *name = format_text(movement, "reference");
    if (!json_object_get(names, name))
        return json_object_set_new(names, name, json_true()) == 0;
    snprintf(longer, sizeof(longer), "%s/%zu", name, number);
    return json_object_set_new(movement, "reference", json_string(longer)) == 0;
}

static bool add_several(json_t *list, const xml_element *entry, json_t *names, struct format_output *out)
{
    char value[16];
    size_t number = 0;
    for (const xml_element *group = xml_find(entry, "NtryDtls"); group; group = xml_next(group))
        for (const xml_element *details = xml_find(group, "TxDtls"); details; details = xml_next(details)) {
            number++;
            if (strcmp(xml_value(details, "CdtDbtInd", value, sizeof(value)), "DBIT") == 0)
                continue; /* the entry is the credits less the debits */
            if (!add(list, entry, details, number, out))
                return false;
            if (!tell_apart(names, json_array_get(list, json_array_size(list) - 1), number))
                return format_fail(out, "no memory");
        }
    return true;
}

static bool add_entry(json_t *list, const xml_element *entry, struct format_output *out)
{
    if (!is_credit(entry))
        return true;
    const xml_element *group = xml_find(entry, "NtryDtls");
    const xml_element *first = group ? xml_find(group, "TxDtls") : NULL;
    if (!first || (!xml_next(first) && !xml_next(group)))
        return add(list, entry, first, 0, out);
    json_t *names = json_object();
    bool ok = add_several(list, entry, names, out);
    json_decref(names);
    return ok;
}

static bool add_all(json_t *list, const xml_element *root, struct format_output *out)
{
    const xml_element *statement = xml_find(root, "BkToCstmrStmt/Stmt");
    if (!statement)
        return format_fail(out, "this is no camt.053: it has no BkToCstmrStmt/Stmt");
    for (; statement; statement = xml_next(statement))
        for (const xml_element *entry = xml_find(statement, "Ntry"); entry; entry = xml_next(entry))
            if (!add_entry(list, entry, out))
                return false;
    return true;
}

json_t *camt_read(struct slice file, struct format_output *out)
{
    char error[200];
    struct xml_tree *tree = xml_read(file, error);
    if (!tree) {
        format_fail(out, "this is no XML: %s", error);
        return NULL;
    }
    json_t *list = json_array();
    if (!add_all(list, xml_root(tree), out)) {
        json_decref(list);
        list = NULL;
    }
    xml_tree_free(tree);
    return list;
}
