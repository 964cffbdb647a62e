#include "tools/crawler/quote.h"

#include "ledger/base/text/encoding.h"
#include "tools/crawler/target.h"

#include <jansson.h>

#define MICRO_DECIMALS 6
#define DECIMALS_MAX   18
#define TEXT_MAX       512 /* of id, network and currency */

const char *quote_sentence(enum quote_outcome outcome)
{
    static const char *const sentences[] = {
#define QUOTE_SENTENCE(name, sentence) sentence,
        QUOTE_LIST(QUOTE_SENTENCE)
#undef QUOTE_SENTENCE
    };
    return sentences[outcome];
}

bool quote_micros(struct slice amount, int64_t decimals, int64_t *micros)
{
    int64_t value = 0;
    if (amount.len == 0 || decimals < 0 || decimals > DECIMALS_MAX)
        return false;
    for (size_t i = 0; i < amount.len; i++)
        if (amount.data[i] < '0' || amount.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, amount.data[i] - '0', &value))
            return false;
    for (; decimals < MICRO_DECIMALS; decimals++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    for (; decimals > MICRO_DECIMALS; decimals--) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    *micros = value;
    return true;
}

/* A copy of a JSON string that may stand in a structured field, or NULL. */
static const char *take_text(struct arena *arena, const json_t *value)
{
    struct slice text = {json_string_value(value), json_string_length(value)};
    if (!text.data || text.len == 0 || text.len > TEXT_MAX)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return NULL;
    return arena_copy(arena, text);
}

/* From `extra` of x402 v2, or `extras` of the proposal. */
static const json_t *extra_value(const json_t *requirement, const char *name)
{
    const json_t *value = json_object_get(json_object_get(requirement, "extra"), name);
    return value ? value : json_object_get(json_object_get(requirement, "extras"), name);
}

static bool same_url(struct arena *arena, const json_t *value, struct slice url)
{
    struct target target;
    return json_is_string(value) &&
           target_parse(arena, slice_bytes(json_string_value(value), json_string_length(value)), &target) &&
           slice_eq(target.text, url);
}

/* The URL stands in the offer, in the requirement or in both; all that stands there must be the one. */
static bool for_url(struct arena *arena, const json_t *offer, const json_t *requirement, struct slice url)
{
    const json_t *whole = json_object_get(json_object_get(offer, "resource"), "url");
    const json_t *own = json_object_get(requirement, "resource");
    return (whole || own) && (!whole || same_url(arena, whole, url)) && (!own || same_url(arena, own, url));
}

static enum quote_outcome read_requirement(struct arena *arena, const json_t *requirement,
                                           struct quote *quote)
{
    const json_t *amount = json_object_get(requirement, "amount");
    const json_t *decimals = extra_value(requirement, "decimals");
    quote->id = take_text(arena, extra_value(requirement, "id"));
    quote->network = take_text(arena, json_object_get(requirement, "network"));
    quote->currency = take_text(arena, json_object_get(requirement, "asset"));
    quote->terms_url = take_text(arena, extra_value(requirement, "termsUrl"));
    if (!quote->id || !quote->network)
        return QUOTE_BAD_ID;
    if (!quote->currency || !json_is_string(amount) || !json_is_integer(decimals) ||
        !quote_micros(slice_bytes(json_string_value(amount), json_string_length(amount)),
                      json_integer_value(decimals), &quote->price_micros))
        return QUOTE_BAD_PRICE;
    return QUOTE_OK;
}

enum quote_outcome quote_read(struct arena *arena, struct slice json, struct slice url, struct quote *quote)
{
    enum quote_outcome outcome = QUOTE_NO_DEFERRED;
    json_t *offer = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *accepts = json_object_get(offer, "accepts");
    if (!json_is_array(accepts))
        outcome = QUOTE_UNREADABLE;
    for (size_t i = 0; outcome != QUOTE_OK && i < json_array_size(accepts); i++) {
        const json_t *requirement = json_array_get(accepts, i);
        const char *scheme = json_string_value(json_object_get(requirement, "scheme"));
        if (!scheme || strcmp(scheme, "deferred") != 0)
            continue;
        outcome = for_url(arena, offer, requirement, url) ? read_requirement(arena, requirement, quote)
                                                          : QUOTE_OTHER_URL;
    }
    json_decref(offer);
    return outcome;
}

enum quote_outcome quote_read_base64(struct arena *arena, struct slice value, struct slice url,
                                     struct quote *quote)
{
    size_t len;
    char *json = arena_bytes(arena, value.len);
    if (!json || !encoding_unbase64(value, true, (uint8_t *)json, value.len, &len))
        return QUOTE_UNREADABLE;
    return quote_read(arena, slice_bytes(json, len), url, quote);
}
