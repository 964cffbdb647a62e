#include "server/console/base/reply.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>

#define BODY_MAGIC 0x5b3e8d11u

/* In memory of its own: it is larger than an exchange's arena, and outlives the handler. */
struct body {
    uint32_t magic;
    struct exchange_stream stream;
    char *text;
    size_t len, sent;
};

static struct body *body_of(struct exchange_stream *stream)
{
    struct body *body = (struct body *)(void *)((char *)stream - offsetof(struct body, stream));
    OBJECT_CHECK(body, BODY_MAGIC);
    return body;
}

static ptrdiff_t on_read(struct exchange_stream *stream, char *out, size_t room)
{
    struct body *body = body_of(stream);
    size_t len = body->len - body->sent < room ? body->len - body->sent : room;
    if (len == 0)
        return EXCHANGE_END;
    memcpy(out, body->text + body->sent, len);
    body->sent += len;
    return (ptrdiff_t)len;
}

static void on_close(struct exchange_stream *stream)
{
    struct body *body = body_of(stream);
    free(body->text);
    OBJECT_END(body, BODY_MAGIC);
    free(body);
}

/* Scripts, styles and pictures come from this address alone, and nobody may put a page of ours into his own.
 */
void reply_guard(struct exchange *exchange)
{
    static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                 "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
                                 "frame-ancestors 'none'";
    exchange_header(exchange, "Content-Security-Policy", policy);
    exchange_header(exchange, "X-Content-Type-Options", "nosniff");
    exchange_header(exchange, "Referrer-Policy", "same-origin");
    exchange_header(exchange, "Cross-Origin-Opener-Policy", "same-origin");
    exchange_header(exchange, "Cross-Origin-Resource-Policy", "same-origin");
}

void reply_begin(struct reply *reply)
{
    *reply = (struct reply){NULL, NULL, 0};
    reply->out = open_memstream(&reply->text, &reply->len);
}

void reply_drop(struct reply *reply)
{
    if (reply->out)
        fclose(reply->out);
    free(reply->text);
    *reply = (struct reply){NULL, NULL, 0};
}

void reply_send(struct reply *reply, struct exchange *exchange, unsigned status, const char *type)
{
    struct body *body = calloc(1, sizeof(*body));
    bool whole = reply->out && fclose(reply->out) == 0;
    reply->out = NULL;
    assert(!exchange->reply.stream && exchange->reply.fd < 0);
    if (!body || !whole) {
        free(body);
        reply_drop(reply);
        exchange->reply.status = 503;
        exchange->reply.body = SLICE("no memory\n");
        return;
    }
    OBJECT_MAKE(body, BODY_MAGIC);
    body->stream = (struct exchange_stream){on_read, on_close};
    body->text = reply->text;
    body->len = reply->len;
    *reply = (struct reply){NULL, NULL, 0};
    exchange->reply.status = status;
    exchange->reply.length = body->len;
    exchange->reply.stream = &body->stream;
    exchange_header(exchange, "Cache-Control", "no-store");
    exchange_header(exchange, "Content-Type", type);
}

void reply_to(struct exchange *exchange, const char *address)
{
    exchange->reply.status = 303;
    exchange->reply.body = SLICE("");
    exchange_header(exchange, "Cache-Control", "no-store");
    exchange_header(exchange, "Location", address);
}

void reply_problem(struct exchange *exchange, const struct reply_problem *problem)
{
    struct reply reply;
    json_t *json =
        json_pack("{s:s,s:s,s:i,s:s*,s:s*}", "type", "about:blank", "title", problem->title, "status",
                  (int)problem->status, "detail", problem->detail, "hint", problem->hint);
    reply_begin(&reply);
    if (reply.out && json)
        json_dumpf(json, reply.out, JSON_INDENT(2));
    if (reply.out)
        fputc('\n', reply.out);
    json_decref(json);
    reply_send(&reply, exchange, problem->status, "application/problem+json");
}
