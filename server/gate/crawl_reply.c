/* The one place that turns outcomes into replies (WIRE.md sections 1 and 5). */
#include "server/gate/account.h"

#include "ledger/base/text/text.h"
#include "server/gate/settlement.h"
#include "server/gate/tool.h"
#include "server/published/attest.h"
#include "server/rules/offer.h"

#include <assert.h>
#include <strings.h>

/* The code of each failure, as a field that needs no room. */
static struct exchange_header codes[] = {
#define CODE_FIELD(name, status, code, sentence) {"crawler-error", code, NULL},
    ERR_LIST(CODE_FIELD)
#undef CODE_FIELD
};

/* A reply that needs no room, for when the arena is full or something broke. */
static void reply_bare(struct exchange *exchange, enum err err)
{
    assert(err != ERR_OK && exchange->reply.fd < 0);
    exchange->reply.headers = &codes[err];
    exchange->reply.body = slice_of(err_sentence(err));
    exchange->reply.status = err_status(err);
}

/* Drops what an earlier step prepared: a file that is not given away after all. */
static void start_over(struct exchange *exchange)
{
    content_discard(&exchange->reply);
    exchange->reply.headers = NULL;
}

/* RFC 9457. */
static bool write_problem(struct exchange *exchange, enum err err)
{
    exchange->reply.body = arena_format(
        &exchange->arena,
        "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\",\"detail\":\"%s\"}\n",
        err_phrase(err), err_status(err), err_code(err), err_sentence(err));
    return exchange->reply.body.data &&
           exchange_header(exchange, "Content-Type", "application/problem+json") &&
           exchange_header(exchange, "Cache-Control", "no-store");
}

/* Empty where the gate signs none. The first requirement is in the scheme deferred, which has no fractions.
 */
static struct slice attested_offer(const struct crawl *crawl)
{
    const struct config *config = crawl->gate->parts.config;
    const struct attest_offer offer = {.url = crawl->url,
                                       .network = slice_of(crawl->site->network),
                                       .asset = slice_of(crawl->site->currency),
                                       .pay_to = slice_of(crawl->site->pay_to),
                                       .scheme = "deferred",
                                       .amount = crawl->decision.price_micros,
                                       .valid_until = crawl->now_ms / 1000 + config->offer_ttl_seconds};
    if (!config->identity_sign_offers)
        return SLICE("");
    return attest_sign_offer(crawl->gate->own_directory, &crawl->exchange->arena,
                             crawl->exchange->message.authority, &offer, crawl->now_ms);
}

/* The same receipt for a repeat: the instant is the ledger's. */
static struct slice attested_receipt(const struct crawl *crawl)
{
    const struct attest_receipt receipt = {.url = crawl->url,
                                           .network = slice_of(crawl->site->network),
                                           .payer = crawl->charge.agent,
                                           .transaction = crawl->id_text,
                                           .issued_at = crawl->submission.outcome.recorded_at_ms / 1000};
    if (!crawl->gate->parts.config->identity_sign_offers || crawl->commitment.dialect != &dialect_x402)
        return SLICE("");
    return attest_sign_receipt(crawl->gate->own_directory, &crawl->exchange->arena,
                               crawl->exchange->message.authority, &receipt, crawl->now_ms);
}

static struct offer make_offer(struct crawl *crawl, const struct web_bot_auth_policy *policy, enum err err)
{
    assert(crawl->site);
    struct offer offer = {
        .form = rules_offer_form(crawl->gate->rules, crawl->site_index),
        .policy = policy,
        .url = crawl->url,
        .price_micros = crawl->decision.price_micros,
        .version_1 = crawl->commitment.dialect == &dialect_x402_v1 || err == ERR_X402_VERSION,
    };
    crawl_mint(crawl, offer.id);
    offer.attested = attested_offer(crawl);
    return offer;
}

static bool write_offer(struct crawl *crawl, enum err err)
{
    struct web_bot_auth_policy policy = crawl_policy(crawl);
    struct offer offer = make_offer(crawl, &policy, err);
    return offer_write(crawl->exchange, &offer, err_sentence(err));
}

/* In the words of JSON-RPC. */
static bool write_tool_refusal(struct crawl *crawl, enum err err)
{
    struct slice json = {NULL, 0};
    if (!tool_is_unpaid(crawl, err))
        return tool_refuse(crawl, err, json);
    struct web_bot_auth_policy policy = crawl_policy(crawl);
    struct offer offer = make_offer(crawl, &policy, err);
    json = offer_json(&crawl->exchange->arena, &offer, err_sentence(err));
    return json.data && tool_refuse(crawl, err, json);
}

/* In which there is another fetch for a client's network. */
static long long seconds_of_token(const struct config *config)
{
    return config->directory_client_fetches > 0 ? 1 + 59 / (long long)config->directory_client_fetches : 1;
}

static const char *methods_of(const struct crawl *crawl)
{
    struct text text = text_begin(&crawl->exchange->arena);
    if (crawl->inquiry)
        return account_methods(crawl);
    text_add(&text, SLICE("GET, HEAD"));
    for (size_t i = 0; crawl->site && i < crawl->site->methods.count; i++) {
        text_add(&text, SLICE(", "));
        text_add(&text, slice_of(crawl->site->methods.items[i]));
    }
    return text_end(&text).data;
}

/* What a refusal says besides its code. */
static bool add_advice(struct crawl *crawl, enum err err)
{
    struct exchange *exchange = crawl->exchange;
    const struct config *config = crawl->gate->parts.config;
    struct web_bot_auth_policy policy;
    switch (err) {
    case ERR_DIRECTORY_UNAVAILABLE:
        /* Before that the gate does not ask the directory again. */
        return exchange_header(
            exchange, "Retry-After",
            arena_format(&exchange->arena, "%lld", (long long)config->directory_retry_seconds).data);
    case ERR_RATE_LIMITED: /* until there is a token again, or a connection */
        return exchange_header(exchange, "Retry-After",
                               arena_format(&exchange->arena, "%lld", seconds_of_token(config)).data);
    case ERR_LEDGER_UNAVAILABLE:
    case ERR_OVERLOADED:
        return exchange_header(exchange, "Retry-After", "1");
    case ERR_ACCOUNT_UNAVAILABLE:
        return exchange_header(exchange, "Retry-After", "5");
    case ERR_ACCOUNT_LIMITED:
        return exchange_header(exchange, "Retry-After",
                               arena_format(&exchange->arena, "%lld", account_retry_seconds(config)).data);
    case ERR_RANGE_NOT_SATISFIABLE:
        return exchange_header(
            exchange, "Content-Range",
            arena_format(&exchange->arena, "bytes */%llu", (unsigned long long)crawl->content.size).data);
    case ERR_METHOD_NOT_ALLOWED:
        return exchange_header(exchange, "Allow", methods_of(crawl));
    case ERR_ACCOUNT_SIGNATURE:
    case ERR_SIGNATURE_REQUIRED:
    case ERR_SIGNATURE_INVALID:
    case ERR_SIGNATURE_EXPIRED:
    case ERR_KEY_UNKNOWN:
        policy = crawl_policy(crawl);
        return exchange_header(
            exchange, "Accept-Signature",
            offer_accept_signature(&exchange->arena, &policy, &exchange->message, SLICE("")));
    default:
        return true;
    }
}

static bool add_receipt(struct crawl *crawl)
{
    assert(crawl->submission.outcome.err == ERR_OK && crawl->id_text.len > 0);
    struct exchange *exchange = crawl->exchange;
    /* The instant is the ledger's, of the first time: a repeat gets the same receipt. */
    const struct dialect_receipt receipt = {
        .network = slice_of(crawl->site->network),
        .currency = slice_of(crawl->site->currency),
        .commitment = &crawl->commitment,
        .id = crawl->id_text,
        .payer = crawl->charge.agent,
        .amount_micros = crawl->submission.outcome.amount_micros,
        .recorded_at = crawl->submission.outcome.recorded_at_ms / 1000,
        .attested = attested_receipt(crawl),
    };
    return crawl->commitment.dialect->write_receipt(exchange, &receipt) &&
           exchange_header(
               exchange, "crawler-charged",
               offer_price(&exchange->arena, crawl->site->currency, crawl->submission.outcome.amount_micros));
}

/* To who has paid in a dialect that has words for it. */
static bool tell_dialect(struct crawl *crawl, enum err err)
{
    const struct dialect *dialect = crawl->commitment.dialect;
    return !dialect || !dialect->write_refusal || crawl->decision.action != RULES_CHARGE ||
           dialect->write_refusal(crawl->exchange, slice_of(crawl->site->network), err);
}

/* Whoever lost the first answer hears at least whether it was charged. */
static bool is_paid(const struct crawl *crawl, enum err err)
{
    return err == ERR_REQUEST_REPEATED && crawl->submission.outcome.repeated;
}

/* All or nothing: an offer that lacks a field would be one that cannot be paid. */
static void reply_refusal(struct crawl *crawl, enum err err)
{
    struct exchange *exchange = crawl->exchange;
    if (crawl->tool) {
        bool told = write_tool_refusal(crawl, err);
        bool advised = told && (tool_is_unpaid(crawl, err) || add_advice(crawl, err));
        if (!advised || !exchange_header(exchange, "crawler-error", err_code(err)))
            reply_bare(exchange, ERR_REQUEST_TOO_LARGE);
        return;
    }
    bool ok = err_status(err) == 402 ? write_offer(crawl, err) : write_problem(exchange, err);
    exchange->reply.status = err_status(err);
    ok = ok && add_advice(crawl, err) &&
         (is_paid(crawl, err) ? add_receipt(crawl) : tell_dialect(crawl, err)) &&
         exchange_header(exchange, "crawler-error", err_code(err));
    if (!ok)
        reply_bare(exchange, is_paid(crawl, err) ? err : ERR_REQUEST_TOO_LARGE);
}

/* Unless the site's own server has said something of the name. */
static bool say(struct exchange *exchange, const char *name, const char *value)
{
    for (const struct exchange_header *header = exchange->reply.headers; header; header = header->next)
        if (strcasecmp(header->name, name) == 0)
            return true;
    return exchange_header(exchange, name, value);
}

/* What a crawler may do with what it gets (IETF AIPREF, and TDMRep for what has a price), on offers too:
 * whoever asks for a page is to know before he pays. */
static bool add_usage(struct crawl *crawl)
{
    const struct config_site *site = crawl->site;
    struct exchange *exchange = crawl->exchange;
    bool crawler = crawl->decision.crawler.len > 0 || crawl->redeeming;
    bool reserved = site && site->licence_tdmrep && crawl->decision.action == RULES_CHARGE;
    if (!site || !crawler || (crawl->thread->decides && exchange->reply.status == 200))
        return true;
    return (!*site->licence_content_usage || say(exchange, "Content-Usage", site->licence_content_usage)) &&
           (!reserved ||
            (say(exchange, "tdm-reservation", "1") && say(exchange, "tdm-policy", site->terms_url)));
}

void crawl_reply(struct crawl *crawl, enum err outcome)
{
    if (crawl->settlement) {
        settlement_answer(crawl, outcome);
        return;
    }
    if (outcome != ERR_OK) {
        start_over(crawl->exchange);
        reply_refusal(crawl, outcome);
        if (err_status(outcome) == 402 && !crawl->tool && !add_usage(crawl))
            reply_bare(crawl->exchange, ERR_REQUEST_TOO_LARGE);
        return;
    }
    /* Room for the receipt was kept before anything was charged. */
    if ((crawl->stage == CRAWL_RECORDING && !crawl->tool && !add_receipt(crawl)) || !add_usage(crawl)) {
        start_over(crawl->exchange);
        reply_bare(crawl->exchange, ERR_INTERNAL);
    }
}
