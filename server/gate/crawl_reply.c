/* The one place that turns outcomes into replies (WIRE.md sections 1 and 5). */
#include "server/gate/crawl.h"

#include "ledger/base/random.h"
#include "server/gate/offer.h"

/* A reply that needs no room, for when the arena is full or something broke. */
static void reply_bare(struct http_request *request, enum err err)
{
    request->reply.headers = NULL;
    request->reply.body = slice_of(err_sentence(err));
    request->reply.status = err_status(err);
}

/* Drops what an earlier step prepared: a file that is not given away after all. */
static void start_over(struct http_request *request)
{
    content_discard(&request->reply);
    request->reply.headers = NULL;
}

/* RFC 9457. */
static bool write_problem(struct http_request *request, enum err err)
{
    request->reply.body = arena_format(
        &request->arena,
        "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\",\"detail\":\"%s\"}\n",
        err_phrase(err), err_status(err), err_code(err), err_sentence(err));
    return request->reply.body.data && http_header(request, "Content-Type", "application/problem+json") &&
           http_header(request, "Cache-Control", "no-store");
}

static bool write_offer(struct crawl *crawl, enum err err)
{
    uint8_t random[10];
    struct offer offer = {
        .site = crawl->site,
        .url = crawl->url,
        .price_micros = crawl->decision.price_micros,
        .ttl_seconds = crawl->thread->gate->parts.config->offer_ttl_seconds,
    };
    struct payment_offer bound = crawl_offer(crawl);
    random_bytes(random, sizeof(random));
    payment_id_mint(&crawl->thread->keys, &bound, crawl->now_ms, offer.price_micros, random, offer.id);
    return offer_write(crawl->request, &offer, err_sentence(err));
}

/* What a refusal says besides its code. */
static bool add_advice(struct crawl *crawl, enum err err)
{
    struct http_request *request = crawl->request;
    const struct config *config = crawl->thread->gate->parts.config;
    switch (err) {
    case ERR_DIRECTORY_UNAVAILABLE:
        /* Before that the gate does not ask the directory again. */
        return http_header(
            request, "Retry-After",
            arena_format(&request->arena, "%lld", (long long)config->directory_retry_seconds).data);
    case ERR_LEDGER_UNAVAILABLE:
    case ERR_OVERLOADED:
        return http_header(request, "Retry-After", "1");
    case ERR_METHOD_NOT_ALLOWED:
        return http_header(request, "Allow", "GET, HEAD");
    case ERR_SIGNATURE_REQUIRED:
    case ERR_SIGNATURE_INVALID:
    case ERR_SIGNATURE_EXPIRED:
    case ERR_KEY_UNKNOWN:
        return http_header(
            request, "Accept-Signature",
            "sig=(\"@authority\" \"payment\" \"signature-agent\");created;expires;tag=\"web-bot-auth\"");
    default:
        return true;
    }
}

static void reply_refusal(struct crawl *crawl, enum err err)
{
    struct http_request *request = crawl->request;
    bool ok = err_status(err) == 402 ? write_offer(crawl, err) : write_problem(request, err);
    request->reply.status = err_status(err);
    ok = ok && add_advice(crawl, err) && http_header(request, "crawler-error", err_code(err));
    if (!ok)
        reply_bare(request, ERR_REQUEST_TOO_LARGE);
}

static bool add_receipt(struct crawl *crawl)
{
    struct http_request *request = crawl->request;
    struct arena *arena = &request->arena;
    const char *receipt =
        arena_format(arena, "scheme=\"deferred\", network=\"%s\", id=\"%.*s\", timestamp=%lld",
                     crawl->site->network, (int)crawl->id_text.len, crawl->id_text.data,
                     (long long)(crawl->charge.recorded_at_ms / 1000))
            .data;
    return http_header(request, "Payment-Response", receipt) &&
           http_header(request, "crawler-charged",
                       offer_price(arena, crawl->site->currency, crawl->charge.amount_micros));
}

void crawl_reply(struct crawl *crawl, enum err outcome)
{
    if (outcome != ERR_OK) {
        start_over(crawl->request);
        reply_refusal(crawl, outcome);
        return;
    }
    if (crawl->stage == CRAWL_RECORDING && !add_receipt(crawl)) {
        start_over(crawl->request);
        reply_bare(crawl->request, ERR_INTERNAL);
    }
}
