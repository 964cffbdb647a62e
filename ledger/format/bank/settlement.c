/* The batches that are JSON themselves, and what all batches share. */
#include "ledger/format/bank/settlement.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool settlement_add(struct settlement_batch *batch, json_t *document, int64_t due_minor, int64_t attempt,
                    struct format_output *out)
{
    assert(attempt > 0);
    const char *number = json_string_value(json_object_get(document, "number"));
    struct settlement_due *dues = realloc(batch->dues, (batch->count + 1) * sizeof(*dues));
    char problem[DOCUMENT_PROBLEM_MAX];
    if (!dues)
        return format_fail(out, "no memory");
    batch->dues = dues;
    dues[batch->count] = (struct settlement_due){.due_minor = due_minor, .attempt = attempt};
    if (!document_open(document, &dues[batch->count].document, problem))
        return format_fail(out, "invoice %.60s: %s", number ? number : "", problem);
    batch->count++;
    return true;
}

void settlement_free(struct settlement_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        document_free(&batch->dues[i].document);
    free(batch->dues);
    *batch = (struct settlement_batch){.count = 0};
}

bool settlement_total(const struct settlement_batch *batch, int64_t *minor)
{
    *minor = 0;
    for (size_t i = 0; i < batch->count; i++) {
        int64_t one = batch->dues[i].due_minor;
        if (one <= 0 || !amount_add(*minor, one, minor))
            return false;
    }
    assert(*minor >= 0);
    return batch->count > 0;
}

/* Takes over the value; NULL is no memory. */
static bool write_json(json_t *value, struct format_output *out)
{
    out->bytes = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    json_decref(value);
    if (!out->bytes)
        return format_fail(out, "no memory, or a text that is not UTF-8");
    out->len = strlen(out->bytes);
    assert(out->len > 0);
    return true;
}

/* Minor units as base units of an asset with more decimals: zeros behind. */
static bool base_units(int64_t minor, int64_t exponent, int64_t decimals, char out[64])
{
    assert(minor > 0);
    if (decimals < exponent || decimals > 30)
        return false;
    /* Zeros behind, and no multiplication: assets have up to eighteen decimals, which is more than 64 bits
     * hold of a large bill. */
    int len = snprintf(out, 64, "%lld%0*d", (long long)minor, (int)(decimals - exponent), 0);
    assert(len > 0 && len < 64);
    if (decimals == exponent)
        snprintf(out, 64, "%lld", (long long)minor);
    return true;
}

static json_t *x402_request(const struct settlement_due *due, struct format_output *out)
{
    const struct document *document = &due->document;
    const struct document_text needed[] = {DOCUMENT_TEXT(document, settlement.network),
                                           DOCUMENT_TEXT(document, settlement.asset),
                                           DOCUMENT_TEXT(document, settlement.pay_to)};
    char amount[64];
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*needed[i].text) {
            format_fail(out, "invoice %s has no %s, which an x402 payment needs", document->number,
                        needed[i].path);
            return NULL;
        }
    const char *currency = *document->settlement.currency ? document->settlement.currency : "USD";
    if (strcmp(document->currency, currency) != 0) {
        format_fail(out,
                    "invoice %s is in %s, and the agreement's asset is worth %s: see settlement.currency",
                    document->number, document->currency, currency);
        return NULL;
    }
    if (!base_units(due->due_minor, document->currency_decimals, document->settlement.decimals, amount)) {
        format_fail(out, "invoice %s: an asset of %lld decimals cannot hold its amount", document->number,
                    (long long)document->settlement.decimals);
        return NULL;
    }
    return json_pack("{s:i,s:{s:s+,s:s,s:s},s:[{s:s,s:s,s:s,s:s,s:s,s:i,s:{s:s,s:s}}]}", "x402Version", 2,
                     "resource", "url", "urn:invoice:", document->number, "description", document->number,
                     "mimeType", "application/json", "accepts", "scheme", "exact", "network",
                     document->settlement.network, "amount", amount, "asset", document->settlement.asset,
                     "payTo", document->settlement.pay_to, "maxTimeoutSeconds", 86400, "extra", "invoice",
                     document->number, "currency", document->currency);
}

bool x402_render(const struct settlement_batch *batch, struct format_output *out)
{
    int64_t minor;
    if (!settlement_total(batch, &minor))
        return format_fail(out, "the batch has no invoices, or their sum does not fit");
    json_t *requests = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        json_t *request = x402_request(&batch->dues[i], out);
        if (!request) {
            json_decref(requests);
            return *out->error ? false : format_fail(out, "no memory");
        }
        json_array_append_new(requests, request);
    }
    return write_json(
        json_pack("{s:s,s:s,s:o}", "batch", batch->id, "made_at", batch->made_at, "requests", requests), out);
}

bool card_render(const struct settlement_batch *batch, struct format_output *out)
{
    int64_t minor;
    if (!settlement_total(batch, &minor))
        return format_fail(out, "the batch has no invoices, or their sum does not fit");
    json_t *charges = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        const struct settlement_due *due = &batch->dues[i];
        json_array_append_new(charges,
                              json_pack("{s:s,s:s,s:I,s:s,s:O}", "invoice", due->document.number, "agent",
                                        due->document.agent, "due_minor", due->due_minor, "currency",
                                        due->document.currency, "settlement", due->document.settlement.json));
    }
    return write_json(json_pack("{s:s,s:s,s:s,s:o}", "batch", batch->id, "made_at", batch->made_at,
                                "collect_on", batch->collect_on, "charges", charges),
                      out);
}
