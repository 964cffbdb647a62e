#include "server/gate/offer.h"

#include "ledger/base/amount.h"
#include "ledger/base/encoding.h"
#include "ledger/base/text.h"

#define HEADER_MAX 2048 /* of PAYMENT-REQUIRED, in base64 */

static void add(struct text *text, const char *piece)
{
    text_add(text, slice_of(piece));
}

/* Text between the quotes of a JSON string. Everything that comes here is printable ASCII: targets are
 * checked by the HTTP layer, the rest by the configuration. */
static void add_json(struct text *text, struct slice piece)
{
    size_t start = 0;
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.data[i] != '"' && piece.data[i] != '\\')
            continue;
        text_add(text, (struct slice){piece.data + start, i - start});
        text_char(text, '\\');
        start = i;
    }
    text_add(text, (struct slice){piece.data + start, piece.len - start});
}

static void add_extra(struct text *text, const char *name, const struct offer *offer)
{
    text_char(text, '"');
    add(text, name);
    add(text, "\":{\"id\":\"");
    text_add(text, slice_bytes(offer->id, PAYMENT_ID_TEXT));
    add(text, "\",\"termsUrl\":\"");
    add_json(text, slice_of(offer->site->terms_url));
    add(text, "\",\"decimals\":6}");
}

static void add_requirement(struct text *text, const struct offer *offer, bool brief)
{
    add(text, "{\"scheme\":\"deferred\",\"network\":\"");
    add_json(text, slice_of(offer->site->network));
    if (!brief) {
        add(text, "\",\"resource\":\"");
        add_json(text, offer->url);
    }
    add(text, "\",\"amount\":\"");
    text_number(text, offer->price_micros);
    add(text, "\",\"asset\":\"");
    add_json(text, slice_of(offer->site->currency));
    add(text, "\",\"payTo\":\"");
    add_json(text, slice_of(offer->site->pay_to));
    add(text, "\",\"maxTimeoutSeconds\":");
    text_number(text, offer->ttl_seconds);
    text_char(text, ',');
    add_extra(text, "extra", offer);
    if (!brief) {
        text_char(text, ',');
        add_extra(text, "extras", offer);
    }
    text_char(text, '}');
}

/* The body. `brief` leaves out what x402 clients drop anyway, for a header that would get too long. */
static struct slice body_of(struct arena *arena, const struct offer *offer, const char *why, bool brief)
{
    struct text text = text_begin(arena);
    add(&text, "{\"x402Version\":2,\"error\":\"");
    add_json(&text, slice_of(why));
    add(&text, "\",\"resource\":{\"url\":\"");
    add_json(&text, offer->url);
    add(&text, "\"},\"accepts\":[");
    add_requirement(&text, offer, brief);
    add(&text, "],\"extensions\":{\"http-message-signatures\":{\"info\":{");
    if (*offer->site->registration_url) {
        add(&text, "\"registrationUrl\":\"");
        add_json(&text, slice_of(offer->site->registration_url));
        add(&text, "\",");
    }
    add(&text, "\"signatureSchemes\":[");
    for (size_t i = 0; i < offer->algorithms->count; i++) {
        add(&text, i > 0 ? ",\"" : "\"");
        add_json(&text, slice_of(offer->algorithms->items[i]));
        text_char(&text, '"');
    }
    add(&text, "],\"tags\":[\"web-bot-auth\"]}}}}");
    return text_end(&text);
}

/* PAYMENT-REQUIRED: the body in base64, or the brief one, or nothing when the URL alone is too long. Left out
 * too where x402 clients could not read it: when the network has no colon. */
static bool add_payment_required(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct slice json = exchange->reply.body;
    if (!strchr(offer->site->network, ':'))
        return true;
    if (ENCODING_BASE64_LEN(json.len) >= HEADER_MAX)
        json = body_of(&exchange->arena, offer, why, true);
    if (json.data && ENCODING_BASE64_LEN(json.len) >= HEADER_MAX)
        return true;
    char *value = json.data ? arena_bytes(&exchange->arena, ENCODING_BASE64_LEN(json.len) + 1) : NULL;
    if (!value)
        return false;
    value[encoding_base64(json.data, json.len, value)] = '\0';
    return exchange_header(exchange, "PAYMENT-REQUIRED", value);
}

const char *offer_price(struct arena *arena, const char *currency, int64_t micros)
{
    char amount[AMOUNT_TEXT_MAX];
    return arena_format(arena, "%s %s", currency, amount_format(micros, amount)).data;
}

bool offer_write(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct arena *arena = &exchange->arena;
    exchange->reply.body = body_of(arena, offer, why, false);
    const char *accept = arena_format(arena,
                                      "sig=(\"@authority\" \"payment\" \"signature-agent\");created;expires;"
                                      "nonce=\"%.*s\";tag=\"web-bot-auth\"",
                                      PAYMENT_ID_TEXT, offer->id)
                             .data;
    const char *terms = arena_format(arena, "<%s>; rel=\"terms-of-service\"", offer->site->terms_url).data;
    return exchange->reply.body.data && add_payment_required(exchange, offer, why) &&
           exchange_header(exchange, "Content-Type", "application/json") &&
           exchange_header(exchange, "Cache-Control", "no-store") &&
           exchange_header(exchange, "Accept-Signature", accept) &&
           exchange_header(exchange, "crawler-price",
                           offer_price(arena, offer->site->currency, offer->price_micros)) &&
           exchange_header(exchange, "Link", terms);
}
