#include "server/facilitator/offers.h"

#include "ledger/base/text/amount.h"
#include "server/facilitator/order.h"
#include "server/gate/settlement.h"

#include <assert.h>
#include <stdio.h>

#define RESOURCES_MAX 32 /* at once: an id is a MAC, and the thread has others waiting */

static json_t *requirement(const struct offers_call *call, const struct gate_offer *offer, const char *scheme,
                           int64_t unit_micros)
{
    char amount[24];
    int decimals = unit_micros == 1 ? 6 : amount_exponent(slice_of(call->site->currency));
    snprintf(amount, sizeof(amount), "%lld", (long long)(offer->price_micros / unit_micros));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:{s:s%,s:s,s:i}}", "scheme", scheme, "network",
                     call->site->network, "amount", amount, "asset", call->site->currency, "payTo",
                     call->site->pay_to, "maxTimeoutSeconds", (json_int_t)call->config->offer_ttl_seconds,
                     "extra", "id", offer->id, (size_t)PAYMENT_ID_TEXT, "termsUrl", call->site->terms_url,
                     "decimals", decimals);
}

/* As the gate's own: in minor units where the price is a whole number of them. */
static json_t *accepts(const struct offers_call *call, const struct gate_offer *offer)
{
    int64_t minor = amount_minor_micros(amount_exponent(slice_of(call->site->currency)));
    json_t *list = json_array();
    json_array_append_new(list, requirement(call, offer, "deferred", 1));
    if (offer->price_micros % minor == 0)
        json_array_append_new(list, requirement(call, offer, "batch-settlement", minor));
    return list;
}

/* The arena gets back what an offer took: there may be many. */
static json_t *offer_of(const struct offers_call *call, struct exchange *exchange, const char *url)
{
    struct arena *arena = &exchange->arena;
    const size_t used = arena->used;
    struct order order;
    struct gate_offer offer = {.err = ERR_MISDIRECTED};
    size_t site;
    if (url && order_take_url(arena, url, &order) && gate_find_site(call->gate, order.authority, &site) &&
        site == call->site_index) {
        exchange->message =
            (struct message){.method = SLICE("GET"), .authority = order.authority, .target = order.target};
        gate_make_offer(call->door, exchange, &offer);
    }
    exchange->message = (struct message){.method = SLICE("POST"), .target = SLICE("/offers")};
    arena->used = used;
    if (offer.err != ERR_OK || !offer.charged)
        return json_pack("{s:{s:s*},s:s}", "resource", "url", url, "error",
                         offer.err != ERR_OK ? err_code(offer.err) : "free");
    return json_pack("{s:{s:s},s:o}", "resource", "url", url, "accepts", accepts(call, &offer));
}

void offers_answer(const struct offers_call *call, struct exchange *exchange)
{
    const struct slice body = exchange->message.body;
    json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *resources = json_object_get(json, "resources");
    size_t count = json_array_size(resources);
    if (count < 1 || count > RESOURCES_MAX) {
        answer_problem(exchange, &(struct refusal){400, "malformed_request",
                                                   "resources is no list of 1 to 32 objects with a url"});
        json_decref(json);
        return;
    }
    json_t *offers = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *url = json_object_get(json_array_get(resources, i), "url");
        json_array_append_new(offers, offer_of(call, exchange, json_string_value(url)));
    }
    answer_json(exchange, 200, json_pack("{s:i,s:o}", "x402Version", 2, "offers", offers));
    json_decref(json);
}
