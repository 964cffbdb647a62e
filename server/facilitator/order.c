/* The payer has accepted a requirement that the server has offered, and the server says by which of its
 * requirements it settles: two texts that must agree, but for the amount, which the server may lower. What is
 * signed is compared with the former, by the gate. */
#include "server/facilitator/order.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"
#include "ledger/dialect/dialect.h"

#include <assert.h>

struct requirement {
    const char *scheme, *network, *amount, *asset, *pay_to;
};

static bool refuse(struct refusal *refusal, unsigned status, const char *code, const char *detail)
{
    *refusal = (struct refusal){status, code, detail};
    return false;
}

static bool read_requirement(json_t *json, struct requirement *requirement)
{
    return json_unpack(json, "{s:s,s:s,s:s,s:s,s:s}", "scheme", &requirement->scheme, "network",
                       &requirement->network, "amount", &requirement->amount, "asset", &requirement->asset,
                       "payTo", &requirement->pay_to) == 0;
}

static bool is(const char *text, const char *expected)
{
    return strcmp(text, expected) == 0;
}

/* Of what is asked for, and what was accepted. */
static bool compare(const struct requirement *asked, const struct requirement *accepted,
                    const struct config_site *site, struct order *order, struct refusal *refusal)
{
    int64_t most;
    order->unit_micros = dialect_unit(asked->scheme, slice_of(site->currency));
    if (order->unit_micros == 0)
        return refuse(refusal, 200, "unsupported_scheme",
                      "the scheme is neither deferred nor batch-settlement");
    if (!is(asked->network, site->network))
        return refuse(refusal, 200, "invalid_network", "the network is not that of this key's site");
    if (!is(asked->asset, site->currency) || !is(asked->pay_to, site->pay_to))
        return refuse(refusal, 200, "invalid_payment_requirements",
                      "asset or payTo of paymentRequirements is not that of this key's site");
    if (!is(asked->scheme, accepted->scheme) || !is(asked->network, accepted->network) ||
        !is(asked->asset, accepted->asset) || !is(asked->pay_to, accepted->pay_to))
        return refuse(refusal, 200, "invalid_payment_requirements",
                      "paymentPayload.accepted is another requirement than paymentRequirements");
    if (!dialect_amount(slice_of(asked->amount), order->unit_micros, &order->amount_micros))
        return refuse(refusal, 400, "invalid_payment_requirements",
                      "paymentRequirements.amount is no whole number of the scheme's units");
    if (!dialect_amount(slice_of(accepted->amount), order->unit_micros, &most))
        return refuse(refusal, 400, "invalid_payload",
                      "paymentPayload.accepted.amount is no whole number of the scheme's units");
    order->whole = order->amount_micros == most;
    if (order->amount_micros > most)
        return refuse(refusal, 200, "invalid_payment_requirements",
                      "paymentRequirements.amount is more than the payer has accepted");
    return true;
}

/* Only what counts: what else a client adds, and other extensions, would take room. */
static json_t *payment_of(json_t *payment, json_t *accepted, json_t *own, const char *url)
{
    json_t *extra = json_object_get(accepted, "extra");
    json_t *named = json_object_get(json_object_get(payment, "extensions"), "payment-identifier");
    json_t *id = json_object_get(json_object_get(named, "info"), "id");
    return json_pack("{s:i,s:{s:O,s:O,s:O,s:O,s:O,s:{s:O*}},s:{s:O,s:O*,s:O*},s:{s:s},s:o*}", "x402Version",
                     2, "accepted", "scheme", json_object_get(accepted, "scheme"), "network",
                     json_object_get(accepted, "network"), "amount", json_object_get(accepted, "amount"),
                     "asset", json_object_get(accepted, "asset"), "payTo", json_object_get(accepted, "payTo"),
                     "extra", "id", json_object_get(extra, "id"), "payload", "commitment",
                     json_object_get(own, "commitment"), "amount", json_object_get(own, "amount"), "asset",
                     json_object_get(own, "asset"), "resource", "url", url, "extensions",
                     id ? json_pack("{s:{s:{s:O}}}", "payment-identifier", "info", "id", id) : NULL);
}

static bool write_field(struct arena *arena, json_t *payment, struct slice *field)
{
    size_t len = payment ? json_dumpb(payment, NULL, 0, JSON_COMPACT) : 0;
    char *text = len > 0 ? arena_bytes(arena, len) : NULL;
    if (!text || json_dumpb(payment, text, len, JSON_COMPACT) != len)
        return false;
    *field = slice_of(text_base64(arena, slice_bytes(text, len)));
    return field->data != NULL;
}

bool order_take_url(struct arena *arena, const char *url, struct order *order)
{
    struct message whole = {.method = SLICE("GET"), .target = slice_of(arena_copy(arena, slice_of(url)))};
    if (!whole.target.data || slice_starts(whole.target, SLICE("/")) || message_take_target(arena, &whole) ||
        whole.authority.len == 0)
        return false;
    order->authority = whole.authority;
    order->target = whole.target;
    return true;
}

static bool read_payment(struct arena *arena, json_t *json, const struct config_site *site,
                         struct order *order, struct refusal *refusal)
{
    json_t *payment = json_object_get(json, "paymentPayload");
    json_t *accepted = json_object_get(payment, "accepted"), *own = json_object_get(payment, "payload");
    const char *url = json_string_value(json_object_get(json_object_get(payment, "resource"), "url"));
    const json_t *version = json_object_get(payment, "x402Version");
    const json_t *outer = json_object_get(json, "x402Version");
    struct requirement asked, took;
    if (!json_is_object(payment) || !json_is_integer(version))
        return refuse(refusal, 400, "invalid_payload", "paymentPayload with its x402Version is missing");
    if (json_integer_value(version) != 2 || (outer && json_integer_value(outer) != 2))
        return refuse(refusal, 400, "invalid_x402_version", "x402Version is not 2");
    if (!read_requirement(json_object_get(json, "paymentRequirements"), &asked))
        return refuse(refusal, 400, "invalid_payment_requirements",
                      "paymentRequirements lacks scheme, network, amount, asset or payTo, or one is no text");
    if (!read_requirement(accepted, &took) || !json_is_object(own))
        return refuse(refusal, 400, "invalid_payload",
                      "paymentPayload lacks payload, or accepted with scheme, network, amount, asset, payTo");
    if (!json_is_string(json_object_get(own, "commitment")))
        return refuse(refusal, 400, "invalid_payload",
                      "payload.commitment is missing: only what the payer has signed as a JWS can be settled "
                      "by somebody who has not seen his request");
    if (!url || !order_take_url(arena, url, order))
        return refuse(refusal, 400, "invalid_payload", "paymentPayload.resource.url is no URL");
    if (!compare(&asked, &took, site, order, refusal))
        return false;
    json_t *brief = payment_of(payment, accepted, own, url);
    bool ok = write_field(arena, brief, &order->field);
    json_decref(brief);
    return ok || refuse(refusal, 400, "invalid_payload", "the payment is larger than what is taken");
}

bool order_read(struct arena *arena, struct slice body, const struct config_site *site, struct order *order,
                struct refusal *refusal)
{
    /* A member that stands twice is read in two ways by two readers. */
    json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
    *order = (struct order){.amount_micros = -1};
    bool ok = json_is_object(json) ? read_payment(arena, json, site, order, refusal)
                                   : refuse(refusal, 400, "invalid_payload", "the body is no JSON object");
    json_decref(json);
    assert(!ok || (order->amount_micros >= 0 && order->unit_micros > 0 && order->field.len > 0));
    return ok;
}
