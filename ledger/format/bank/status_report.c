/* ISO 20022 pain.002, CustomerPaymentStatusReport: what became of a pain.008 that the bank was given. Of
 * interest is what was rejected: the whole message, a payment block, or single debits. */
#include "ledger/format/bank/movement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct report {
    json_t *list;
    const char *date;
    size_t number; /* of the rejections so far */
};

/* What says nothing has the status of what it is part of. */
static bool is_rejected(const xml_element *xml, const char *path, bool whole)
{
    /* RJCT alone. ACCP, ACSP and PDNG are steps on the way, and the statement tells where it ends. */
    char status[16];
    xml_value(xml, path, status, sizeof(status));
    return *status ? strcmp(status, "RJCT") == 0 : whole;
}

static void set_reason(json_t *movement, const xml_element *xml)
{
    char code[48], words[256];
    for (const xml_element *at = xml_find(xml, "StsRsnInf"); at; at = xml_next(at)) {
        if (!*xml_value(at, "Rsn/Cd", code, sizeof(code)))
            xml_value(at, "Rsn/Prtry", code, sizeof(code));
        movement_add_reason(movement, code, xml_value(at, "AddtlInf", words, sizeof(words)));
    }
    if (!*format_text(movement, "reason"))
        movement_set(movement, "reason", "rejected by the bank");
}

/* `collection` is the block or message that was rejected, or that the debit is of. */
static json_t *rejection(struct report *report, const xml_element *xml, const char *collection)
{
    assert(report->list && report->date);
    char place[40];
    snprintf(place, sizeof(place), "rejection %zu", ++report->number);
    json_t *movement = movement_new("rejection", place);
    movement_set(movement, "collection", collection);
    movement_set(movement, "booked_on", report->date);
    set_reason(movement, xml);
    json_array_append_new(report->list, movement);
    return movement;
}

static void add_debits(struct report *report, const xml_element *block, const char *collection, bool whole)
{
    char text[128];
    for (const xml_element *debit = xml_find(block, "TxInfAndSts"); debit; debit = xml_next(debit)) {
        const xml_element *amount = xml_find(debit, "OrgnlTxRef/Amt/InstdAmt");
        if (!is_rejected(debit, "TxSts", whole))
            continue;
        json_t *movement = rejection(report, debit, collection);
        movement_set(movement, "text", xml_value(debit, "OrgnlEndToEndId", text, sizeof(text)));
        movement_set(movement, "reference", xml_value(debit, "StsId", text, sizeof(text)));
        if (amount) {
            movement_set(movement, "amount", xml_value(amount, "", text, sizeof(text)));
            movement_set(movement, "currency", xml_attribute_value(amount, "Ccy", text, sizeof(text)));
        }
    }
}

/* A block that is rejected as a whole need not list its debits. */
static void add_blocks(struct report *report, const xml_element *xml, const char *message, bool whole)
{
    char id[64];
    for (const xml_element *block = xml_find(xml, "OrgnlPmtInfAndSts"); block; block = xml_next(block)) {
        if (!*xml_value(block, "OrgnlPmtInfId", id, sizeof(id)))
            snprintf(id, sizeof(id), "%s", message);
        bool rejected = is_rejected(block, "PmtInfSts", whole);
        if (rejected && !xml_find(block, "TxInfAndSts"))
            rejection(report, block, id);
        add_debits(report, block, id, rejected);
    }
}

json_t *status_report_read(const xml_element *xml, struct format_output *out)
{
    struct report report = {.list = json_array()};
    const xml_element *group = xml_find(xml, "OrgnlGrpInfAndSts");
    json_t *all = json_array();
    char made[40], message[64];
    if (!group || !report.list || !all) {
        json_decref(report.list);
        json_decref(all);
        format_fail(out, group ? "no memory" : "this pain.002 has no OrgnlGrpInfAndSts");
        return NULL;
    }
    /* The report's own date: a rejection has no other. */
    xml_value(xml, "GrpHdr/CreDtTm", made, sizeof(made));
    made[strlen(made) > 10 ? 10 : strlen(made)] = '\0';
    report.date = made;
    xml_value(group, "OrgnlMsgId", message, sizeof(message));
    bool rejected = is_rejected(group, "GrpSts", false);
    if (rejected && !xml_find(xml, "OrgnlPmtInfAndSts"))
        rejection(&report, group, message);
    add_blocks(&report, xml, message, rejected);
    if (movement_add(all, report.list))
        return all;
    json_decref(all);
    format_fail(out, "no memory");
    return NULL;
}
