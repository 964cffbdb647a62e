/* An offer is made for every crawler that has not paid, thousands a second, so that all of it that is the
 * site's is written once, at the start, and a request adds its URL, price and id. What does not fit into a
 * header that every client reads is left out of the header and stays in the body. */
#include "server/rules/offer.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"

#include <assert.h>

#define HEADER_MAX 2048 /* of PAYMENT-REQUIRED, in base64 */

/* RSL 1.0: how a reader of a 402 finds the terms of the whole site. */
#define RSL_LINK ", </rsl.xml>; rel=\"license\"; type=\"application/rsl+xml\""

/* The body is these pieces with the request's own between them: why, URL, price and id. */
struct offer_form {
    struct slice network; /* from behind the resource's URL to the network's name */
    struct slice payee;   /* from behind the price to the id */
    struct slice terms;   /* from behind the id to the end of its object */
    struct slice methods; /* from there to the end */
    const char *currency;
    const char *link;
    bool x402; /* x402 clients can read the offer */
};

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

static struct slice form_network(struct arena *arena, const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\"},\"accepts\":[{\"scheme\":\"deferred\",\"network\":\"");
    add_json(&text, slice_of(site->network));
    return text_end(&text);
}

static struct slice form_payee(struct arena *arena, const struct config *config,
                               const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\",\"asset\":\"");
    add_json(&text, slice_of(site->currency));
    add(&text, "\",\"payTo\":\"");
    add_json(&text, slice_of(site->pay_to));
    add(&text, "\",\"maxTimeoutSeconds\":");
    text_number(&text, config->offer_ttl_seconds);
    add(&text, ",\"extra\":{\"id\":\"");
    return text_end(&text);
}

static struct slice form_terms(struct arena *arena, const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\",\"termsUrl\":\"");
    add_json(&text, slice_of(site->terms_url));
    /* Amounts are in micro-units: x402 says so by decimals. */
    add(&text, "\",\"decimals\":6}");
    return text_end(&text);
}

static struct slice form_methods(struct arena *arena, const struct config *config,
                                 const struct config_site *site)
{
    const struct config_list *algorithms = &config->signature_algorithms;
    struct text text = text_begin(arena);
    add(&text, "}],\"extensions\":{\"http-message-signatures\":{\"info\":{");
    if (*site->registration_url) {
        add(&text, "\"registrationUrl\":\"");
        add_json(&text, slice_of(site->registration_url));
        add(&text, "\",");
    }
    add(&text, "\"signatureSchemes\":[");
    for (size_t i = 0; i < algorithms->count; i++) {
        add(&text, i > 0 ? ",\"" : "\"");
        add_json(&text, slice_of(algorithms->items[i]));
        text_char(&text, '"');
    }
    add(&text, "],\"tags\":[\"web-bot-auth\"]}}}}");
    return text_end(&text);
}

const struct offer_form *offer_form_make(struct arena *arena, const struct config *config,
                                         const struct config_site *site)
{
    assert(config->offer_ttl_seconds > 0);
    struct offer_form *form = arena_alloc(arena, sizeof(*form));
    if (!form)
        return NULL;
    *form = (struct offer_form){
        .network = form_network(arena, site),
        .payee = form_payee(arena, config, site),
        .terms = form_terms(arena, site),
        .methods = form_methods(arena, config, site),
        .currency = site->currency,
        .link = arena_format(arena, "<%s>; rel=\"terms-of-service\"%s", site->terms_url,
                             site->licence_rsl ? RSL_LINK : "")
                    .data,
        .x402 = strchr(site->network, ':') != NULL,
    };
    bool full = !form->network.data || !form->payee.data || !form->terms.data || !form->methods.data;
    return full || !form->link ? NULL : form;
}

/* The body. `brief` leaves out what x402 clients drop anyway, for a header that would get too long. */
static struct slice body_of(struct arena *arena, const struct offer *offer, const char *why, bool brief)
{
    assert(offer->form && offer->policy);
    const struct offer_form *form = offer->form;
    struct slice id = slice_bytes(offer->id, PAYMENT_ID_TEXT);
    struct text text = text_begin(arena);
    add(&text, "{\"x402Version\":2,\"error\":\"");
    add(&text, why);
    add(&text, "\",\"resource\":{\"url\":\"");
    add_json(&text, offer->url);
    text_add(&text, form->network);
    if (!brief) {
        add(&text, "\",\"resource\":\"");
        add_json(&text, offer->url);
    }
    add(&text, "\",\"amount\":\"");
    text_number(&text, offer->price_micros);
    text_add(&text, form->payee);
    text_add(&text, id);
    text_add(&text, form->terms);
    if (!brief) {
        add(&text, ",\"extras\":{\"id\":\"");
        text_add(&text, id);
        text_add(&text, form->terms);
    }
    text_add(&text, form->methods);
    return text_end(&text);
}

/* PAYMENT-REQUIRED: the body in base64, or the brief one, or nothing when the URL alone is too long. Left out
 * too where x402 clients could not read it: when the network has no colon. */
static bool add_payment_required(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct slice json = exchange->reply.body;
    if (!offer->form->x402)
        return true;
    /* The brief one costs a second text, which is why it is made only for a URL that needs it. */
    if (ENCODING_BASE64_LEN(json.len) >= HEADER_MAX)
        json = body_of(&exchange->arena, offer, why, true);
    if (json.data && ENCODING_BASE64_LEN(json.len) >= HEADER_MAX)
        return true;
    char *value = json.data ? arena_bytes(&exchange->arena, ENCODING_BASE64_LEN(json.len) + 1) : NULL;
    if (!value)
        return false;
    value[encoding_base64(json.data, json.len, value)] = '\0';
    assert(strlen(value) < HEADER_MAX);
    return exchange_header(exchange, "PAYMENT-REQUIRED", value);
}

const char *offer_accept_signature(struct arena *arena, const struct web_bot_auth_policy *policy,
                                   const struct message *message, struct slice nonce)
{
    static const char *const targets[] = {[WEB_BOT_AUTH_NO_TARGET] = "",
                                          [WEB_BOT_AUTH_AUTHORITY] = "\"@authority\" ",
                                          [WEB_BOT_AUTH_URL] = "\"@authority\" \"@path\" \"@query\" "};
    struct text text = text_begin(arena);
    add(&text, "sig=(");
    add(&text, targets[policy->target]);
    if (message->body.len > 0)
        add(&text, "\"content-digest\" ");
    else if (web_bot_auth_changes(message))
        add(&text, "\"@method\" ");
    if (policy->commitment.len > 0) {
        text_char(&text, '"');
        text_add(&text, policy->commitment);
        add(&text, "\" ");
    }
    add(&text, "\"signature-agent\");created;expires");
    if (nonce.len > 0) {
        add(&text, ";nonce=\"");
        text_add(&text, nonce);
        text_char(&text, '"');
    }
    add(&text, ";tag=\"web-bot-auth\"");
    return text_end(&text).data;
}

const char *offer_price(struct arena *arena, const char *currency, int64_t micros)
{
    assert(*currency);
    char amount[AMOUNT_TEXT_MAX];
    struct text text = text_begin(arena);
    add(&text, currency);
    text_char(&text, ' ');
    add(&text, amount_format(micros, amount));
    return text_end(&text).data;
}

bool offer_write(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct arena *arena = &exchange->arena;
    exchange->reply.body = body_of(arena, offer, why, false);
    return exchange->reply.body.data && add_payment_required(exchange, offer, why) &&
           exchange_header(exchange, "Content-Type", "application/json") &&
           exchange_header(exchange, "Cache-Control", "no-store") &&
           exchange_header(exchange, "Accept-Signature",
                           offer_accept_signature(arena, offer->policy, &exchange->message,
                                                  slice_bytes(offer->id, PAYMENT_ID_TEXT))) &&
           exchange_header(exchange, "crawler-price",
                           offer_price(arena, offer->form->currency, offer->price_micros)) &&
           exchange_header(exchange, "Link", offer->form->link);
}
