/* An offer is made for every crawler that has not paid, thousands a second, so that all of it that is the
 * site's is written once, at the start, and a request adds its URL, price and id. What does not fit into a
 * header that every client reads is left out of the header and stays in the body. */
#include "server/rules/offer.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/text/text.h"

#include <assert.h>

#define HEADER_MAX 2048 /* of PAYMENT-REQUIRED, in base64 */

/* x402's payment-identifier. The SDK's schema is long enough to make most offers too long for the header. */
#define IDENTIFIER ",\"payment-identifier\":{\"info\":{\"required\":false}"
#define IDENTIFIER_SCHEMA                                                                                    \
    ",\"schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\",\"minLength\":16,"         \
    "\"maxLength\":128}}}"

/* RSL 1.0: how a reader of a 402 finds the terms of the whole site. */
#define RSL_LINK ", </rsl.xml>; rel=\"license\"; type=\"application/rsl+xml\""

/* What requests have in common is written once, between what is each one's own: why, URL, price and id. */
struct offer_form {
    struct slice network;    /* of an accept, from behind its scheme to the network's end */
    struct slice payee;      /* from behind its amount to the id */
    struct slice terms;      /* from behind the id to the decimals of the amount */
    struct slice extensions; /* from behind the accepts to behind the last one that is the site's */
    int64_t minor_micros;    /* a minor unit of the currency */
    int minor_decimals;
    const char *currency;
    const char *link;
    bool x402; /* x402 clients can read the offer */
};

/* What of an offer is written. */
enum extent {
    EXTENT_ALL,
    EXTENT_BRIEF, /* without what x402 clients drop anyway */
    EXTENT_LEAST, /* nor why it is asked for again, which the body says */
    EXTENT_V1,    /* for clients of x402 version 1, which read bodies alone */
};

static void add(struct text *text, const char *piece)
{
    text_add(text, slice_of(piece));
}

static struct slice form_network(struct arena *arena, const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\",\"network\":\"");
    text_json(&text, slice_of(site->network));
    text_char(&text, '"');
    return text_end(&text);
}

static struct slice form_payee(struct arena *arena, const struct config *config,
                               const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\",\"asset\":\"");
    text_json(&text, slice_of(site->currency));
    add(&text, "\",\"payTo\":\"");
    text_json(&text, slice_of(site->pay_to));
    add(&text, "\",\"maxTimeoutSeconds\":");
    text_number(&text, config->offer_ttl_seconds);
    return text_end(&text);
}

static struct slice form_terms(struct arena *arena, const struct config_site *site)
{
    struct text text = text_begin(arena);
    add(&text, "\",\"termsUrl\":\"");
    text_json(&text, slice_of(site->terms_url));
    add(&text, "\",\"decimals\":");
    return text_end(&text);
}

static struct slice form_extensions(struct arena *arena, const struct config *config,
                                    const struct config_site *site)
{
    const struct config_list *algorithms = &config->signature_algorithms;
    struct text text = text_begin(arena);
    add(&text, "],\"extensions\":{\"http-message-signatures\":{\"info\":{");
    if (*site->registration_url) {
        add(&text, "\"registrationUrl\":\"");
        text_json(&text, slice_of(site->registration_url));
        add(&text, "\",");
    }
    add(&text, "\"signatureSchemes\":[");
    for (size_t i = 0; i < algorithms->count; i++) {
        add(&text, i > 0 ? ",\"" : "\"");
        text_json(&text, slice_of(algorithms->items[i]));
        text_char(&text, '"');
    }
    add(&text, "],\"tags\":[\"web-bot-auth\"]}},\"terms\":{\"info\":{\"format\":\"uri\",\"terms\":\"");
    text_json(&text, slice_of(site->terms_url));
    /* A page is asked for without a body, whatever its URL is. */
    add(&text, "\"}},\"bazaar\":{\"info\":{\"input\":{\"type\":\"http\",\"method\":\"GET\"}},"
               "\"schema\":{\"type\":\"object\"}}");
    return text_end(&text);
}

const struct offer_form *offer_form_make(struct arena *arena, const struct config *config,
                                         const struct config_site *site)
{
    assert(config->offer_ttl_seconds > 0);
    struct offer_form *form = arena_alloc(arena, sizeof(*form));
    if (!form)
        return NULL;
    int decimals = amount_exponent(slice_of(site->currency));
    assert(decimals >= 0); /* the configuration has been checked */
    *form = (struct offer_form){
        .minor_micros = amount_minor_micros(decimals),
        .minor_decimals = decimals,
        .network = form_network(arena, site),
        .payee = form_payee(arena, config, site),
        .terms = form_terms(arena, site),
        .extensions = form_extensions(arena, config, site),
        .currency = site->currency,
        .link = arena_format(arena, "<%s>; rel=\"terms-of-service\"%s", site->terms_url,
                             site->licence_rsl ? RSL_LINK : "")
                    .data,
        .x402 = strchr(site->network, ':') != NULL,
    };
    bool full = !form->network.data || !form->payee.data || !form->terms.data || !form->extensions.data;
    return full || !form->link ? NULL : form;
}

static void add_extra(struct text *text, const struct offer *offer, int decimals)
{
    add(text, "{\"id\":\"");
    text_add(text, slice_bytes(offer->id, PAYMENT_ID_TEXT));
    text_add(text, offer->form->terms);
    text_number(text, decimals);
    text_char(text, '}');
}

/* A requirement: one way to pay the price, which is so many of the scheme's units. */
struct requirement {
    const char *scheme;
    int64_t amount;
    int decimals; /* of the unit */
};

static bool is_whole(enum extent extent)
{
    return extent == EXTENT_ALL || extent == EXTENT_V1;
}

static void add_requirement(struct text *text, const struct offer *offer,
                            const struct requirement *requirement, enum extent extent)
{
    add(text, "{\"scheme\":\"");
    add(text, requirement->scheme);
    text_add(text, offer->form->network);
    if (is_whole(extent)) {
        add(text, ",\"resource\":\"");
        text_json(text, offer->url);
        text_char(text, '"');
    }
    if (extent == EXTENT_V1) {
        add(text, ",\"description\":\"\",\"mimeType\":\"\",\"maxAmountRequired\":\"");
        text_number(text, requirement->amount);
        text_char(text, '"');
    }
    add(text, ",\"amount\":\"");
    text_number(text, requirement->amount);
    text_add(text, offer->form->payee);
    add(text, ",\"extra\":");
    add_extra(text, offer, requirement->decimals);
    if (is_whole(extent)) {
        add(text, ",\"extras\":"); /* as the proposal spells it */
        add_extra(text, offer, requirement->decimals);
    }
    text_char(text, '}');
}

static struct slice body_of(struct arena *arena, const struct offer *offer, const char *why,
                            enum extent extent)
{
    assert(offer->form && offer->policy);
    const struct offer_form *form = offer->form;
    const struct requirement deferred = {"deferred", offer->price_micros, 6};
    const struct requirement minor = {"batch-settlement", offer->price_micros / form->minor_micros,
                                      form->minor_decimals};
    struct text text = text_begin(arena);
    add(&text, extent == EXTENT_V1 ? "{\"x402Version\":1," : "{\"x402Version\":2,");
    if (extent != EXTENT_LEAST) {
        add(&text, "\"error\":\"");
        add(&text, why);
        add(&text, "\",");
    }
    add(&text, "\"resource\":{\"url\":\"");
    text_json(&text, offer->url);
    add(&text, "\"},\"accepts\":[");
    add_requirement(&text, offer, &deferred, extent);
    /* In minor units there are no fractions of them. */
    if (offer->price_micros % form->minor_micros == 0) {
        text_char(&text, ',');
        add_requirement(&text, offer, &minor, extent);
    }
    text_add(&text, form->extensions);
    add(&text, is_whole(extent) ? IDENTIFIER IDENTIFIER_SCHEMA "}" : IDENTIFIER "}");
    if (offer->attested.len > 0) {
        add(&text, ",\"offer-receipt\":{\"info\":{\"offers\":[{\"format\":\"jws\",\"acceptIndex\":0,"
                   "\"signature\":\"");
        text_add(&text, offer->attested);
        add(&text, "\"}]}}");
    }
    add(&text, "}}");
    return text_end(&text);
}

static bool is_too_long(struct slice json)
{
    return ENCODING_BASE64_LEN(json.len) >= HEADER_MAX;
}

/* PAYMENT-REQUIRED: the body in base64, or the brief one, or nothing when the URL alone is too long. Left out
 * too where x402 clients could not read it: when the network has no colon. */
static bool add_payment_required(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct slice json = exchange->reply.body;
    if (!offer->form->x402)
        return true;
    /* A shorter one costs another text, which is why it is made only where it is needed. */
    for (enum extent extent = EXTENT_BRIEF; extent <= EXTENT_LEAST; extent++)
        if (json.data && (is_too_long(json) || (offer->version_1 && extent == EXTENT_BRIEF)))
            json = body_of(&exchange->arena, offer, why, extent);
    if (json.data && is_too_long(json) && offer->attested.len > 0) {
        struct offer bare = *offer;
        bare.attested = SLICE("");
        return add_payment_required(exchange, &bare, why);
    }
    if (json.data && is_too_long(json))
        return true;
    return json.data && exchange_header(exchange, "PAYMENT-REQUIRED", text_base64(&exchange->arena, json));
}

const char *offer_accept_signature(struct arena *arena, const struct web_bot_auth_policy *policy,
                                   const struct message *message, struct slice nonce)
{
    static const char *const targets[] = {[WEB_BOT_AUTH_NO_TARGET] = "",
                                          [WEB_BOT_AUTH_AUTHORITY] = "\"@authority\" ",
                                          [WEB_BOT_AUTH_URL] = "\"@authority\" \"@path\" \"@query\" ",
                                          [WEB_BOT_AUTH_REQUEST] =
                                              "\"@method\" \"@authority\" \"@path\" \"@query\" "};
    struct text text = text_begin(arena);
    add(&text, "sig=(");
    add(&text, targets[policy->target]);
    if (message->body.len > 0)
        add(&text, "\"content-digest\" ");
    else if (policy->target != WEB_BOT_AUTH_REQUEST && web_bot_auth_changes(message))
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
    } else if (policy->target == WEB_BOT_AUTH_REQUEST) {
        add(&text, ";nonce"); /* of the signer's choice */
    }
    add(&text, ";tag=\"");
    add(&text, web_bot_auth_tag(policy));
    text_char(&text, '"');
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

struct slice offer_json(struct arena *arena, const struct offer *offer, const char *why)
{
    return body_of(arena, offer, why, EXTENT_ALL);
}

bool offer_write(struct exchange *exchange, const struct offer *offer, const char *why)
{
    struct arena *arena = &exchange->arena;
    exchange->reply.body = body_of(arena, offer, why, offer->version_1 ? EXTENT_V1 : EXTENT_ALL);
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
