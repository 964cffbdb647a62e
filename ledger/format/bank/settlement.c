/* The batches that are JSON themselves, and what all batches share. */
#include "ledger/format/bank/settlement.h"

#include "ledger/base/amount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool settlement_total(const json_t *batch, size_t *count, int64_t *minor)
{
    const json_t *invoices = json_object_get(batch, "invoices"), *due;
    size_t i;
    *count = json_array_size(invoices);
    *minor = 0;
    json_array_foreach(invoices, i, due)
    {
        int64_t one = format_number(due, "due_minor");
        if (one <= 0 || !amount_add(*minor, one, minor))
            return false;
    }
    return *count > 0;
}

/* Takes over the value; NULL is no memory. */
static bool write_json(json_t *value, struct format_output *out)
{
    out->bytes = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    json_decref(value);
    if (!out->bytes)
        return format_fail(out, "no memory, or a text that is not UTF-8");
    out->len = strlen(out->bytes);
    return true;
}

/* Minor units as base units of an asset with more decimals: zeros behind. */
static bool base_units(int64_t minor, int64_t exponent, int64_t decimals, char out[64])
{
    if (decimals < exponent || decimals > 30)
        return false;
    snprintf(out, 64, "%lld%0*d", (long long)minor, (int)(decimals - exponent), 0);
    if (decimals == exponent)
        snprintf(out, 64, "%lld", (long long)minor);
    return true;
}

static json_t *x402_request(const json_t *due, struct format_output *out)
{
    const json_t *document = json_object_get(due, "document");
    const char *number = format_text(document, "number");
    int64_t decimals = format_number(document, "settlement.decimals");
    char amount[64];
    static const char *const needed[] = {"settlement.network", "settlement.asset", "settlement.pay_to"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*format_text(document, needed[i])) {
            format_fail(out, "invoice %s has no %s, which an x402 payment needs", number, needed[i]);
            return NULL;
        }
    if (!base_units(format_number(due, "due_minor"), format_number(document, "currency_decimals"), decimals,
                    amount)) {
        format_fail(out, "invoice %s: an asset of %lld decimals cannot hold its amount", number,
                    (long long)decimals);
        return NULL;
    }
    return json_pack("{s:i,s:{s:s+,s:s,s:s},s:[{s:s,s:s,s:s,s:s,s:s,s:i,s:{s:s,s:s}}]}", "x402Version", 2,
                     "resource", "url", "urn:invoice:", number, "description", number, "mimeType",
                     "application/json", "accepts", "scheme", "exact", "network",
                     format_text(document, "settlement.network"), "amount", amount, "asset",
                     format_text(document, "settlement.asset"), "payTo",
                     format_text(document, "settlement.pay_to"), "maxTimeoutSeconds", 86400, "extra",
                     "invoice", number, "currency", format_text(document, "currency"));
}

bool x402_render(const json_t *batch, struct format_output *out)
{
    const json_t *due;
    size_t count, i;
    int64_t minor;
    if (!settlement_total(batch, &count, &minor))
        return format_fail(out, "the batch has no invoices, or their sum does not fit");
    json_t *requests = json_array();
    json_array_foreach(json_object_get(batch, "invoices"), i, due)
    {
        json_t *request = x402_request(due, out);
        if (!request) {
            json_decref(requests);
            return *out->error ? false : format_fail(out, "no memory");
        }
        json_array_append_new(requests, request);
    }
    return write_json(json_pack("{s:s,s:s,s:o}", "batch", format_text(batch, "id"), "made_at",
                                format_text(batch, "made_at"), "requests", requests),
                      out);
}

bool card_render(const json_t *batch, struct format_output *out)
{
    const json_t *due;
    size_t count, i;
    int64_t minor;
    if (!settlement_total(batch, &count, &minor))
        return format_fail(out, "the batch has no invoices, or their sum does not fit");
    json_t *charges = json_array();
    json_array_foreach(json_object_get(batch, "invoices"), i, due)
    {
        const json_t *document = json_object_get(due, "document");
        json_array_append_new(
            charges, json_pack("{s:s,s:s,s:I,s:s,s:O*}", "invoice", format_text(document, "number"), "agent",
                               format_text(document, "agent"), "due_minor", format_number(due, "due_minor"),
                               "currency", format_text(document, "currency"), "settlement",
                               json_object_get(document, "settlement")));
    }
    return write_json(json_pack("{s:s,s:s,s:s,s:o}", "batch", format_text(batch, "id"), "made_at",
                                format_text(batch, "made_at"), "collect_on", format_text(batch, "collect_on"),
                                "charges", charges),
                      out);
}
