#include "server/gate/tool.h"

#include "ledger/base/text/text.h"
#include "server/gate/forward.h"
#include "server/mcp/answer.h"
#include "server/mcp/filter.h"
#include "server/mcp/replay.h"

#include <assert.h>

static bool is_observed(const struct crawl *crawl)
{
    return strcmp(crawl->site->mode, "observe") == 0;
}

/* The payment in the message becomes the field that says the same, so that there is one reading of both. */
static enum err take_payment(struct crawl *crawl)
{
    struct message *message = &crawl->exchange->message;
    if (crawl->tool->rpc.payment.len == 0)
        return ERR_OK;
    if (dialect_pays(message))
        return ERR_CONFLICTING_PAYMENT;
    struct message_field *fields =
        arena_alloc(&crawl->exchange->arena, (message->field_count + 1) * sizeof(*fields));
    if (!fields)
        return ERR_REQUEST_TOO_LARGE;
    if (message->field_count > 0)
        memcpy(fields, message->fields, message->field_count * sizeof(*fields));
    fields[message->field_count] =
        (struct message_field){SLICE("payment-signature"), crawl->tool->rpc.payment};
    message->fields = fields;
    message->field_count++;
    return ERR_OK;
}

/* "mcp://shop.example/tools/search?arguments=…": what is offered, signed, recorded and billed. */
static enum err take_url(struct crawl *crawl)
{
    const struct message *message = &crawl->exchange->message;
    struct text url = text_begin(&crawl->exchange->arena);
    text_add(&url, SLICE("mcp://"));
    text_add(&url, message->authority);
    text_add(&url, crawl->tool->rpc.target);
    crawl->url = text_end(&url);
    return crawl->url.data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

enum err tool_arrive(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    assert(crawl->site && !crawl->tool);
    if (crawl->site->tool_count == 0 || exchange->message.body.len == 0)
        return ERR_OK;
    struct tool *tool = arena_alloc(&exchange->arena, sizeof(*tool));
    if (!tool)
        return ERR_REQUEST_TOO_LARGE;
    tool->crawl = crawl;
    bool read = rpc_read(&exchange->arena, &exchange->message, crawl->site, &tool->rpc, &tool->refusal);
    /* Where all is only observed nobody is refused anything. */
    if (is_observed(crawl) && !read)
        return ERR_OK;
    bool told = tool->rpc.kind == RPC_TOOLS || tool->rpc.kind == RPC_DISCOVER; /* prices, in its answer */
    if (read && !tool->rpc.price && !told)
        return ERR_OK;
    crawl->tool = tool;
    if (!read)
        return ERR_MALFORMED_REQUEST;
    tool->refusal.why = NULL;
    enum err err = ERR_OK;
    if (tool->rpc.price)
        TRY(take_url(crawl));
    if (tool->rpc.price)
        TRY(take_payment(crawl));
out:
    return err;
}

bool tool_costs(const struct crawl *crawl)
{
    return crawl->tool && crawl->tool->rpc.price;
}

struct rules_decision tool_decide(const struct crawl *crawl, const struct rules_decision *by_path)
{
    assert(tool_costs(crawl));
    const struct rpc *rpc = &crawl->tool->rpc;
    if (by_path->action == RULES_BLOCK)
        return *by_path;
    /* By the configuration's name: traffic is counted by it, also of who has not proven who he is, and may
     * call by any name. */
    return (struct rules_decision){.action = RULES_CHARGE,
                                   .price_micros = rpc->price->price,
                                   .rule = rpc->rule.data,
                                   .observed = is_observed(crawl),
                                   .by_crawler = true,
                                   .crawler = by_path->crawler};
}

/* --- Once --- */

/* On any thread. */
static void on_ended(struct call_wait *wait)
{
    struct tool *tool = (struct tool *)(void *)((char *)wait - offsetof(struct tool, wait));
    exchange_resume(tool->crawl->exchange);
}

bool tool_enter(struct crawl *crawl, enum err *err)
{
    struct tool *tool = crawl->tool;
    struct call_key key;
    assert(tool_costs(crawl) && *err == ERR_OK && !tool->call);
    memcpy(key.id, crawl->id.uuid, UUID_SIZE);
    memcpy(key.thumbprint, crawl->candidate->thumbprint, DIGEST_SIZE);
    tool->wait.ready = on_ended;
    crawl->stage = CRAWL_JOINED; /* before another thread may resume it */
    switch (calls_enter(crawl->gate->parts.calls, &key, &tool->wait, &tool->call)) {
    case CALLS_FIRST:
        crawl->stage = CRAWL_AUTHENTICATING;
        return true;
    case CALLS_LATER:
        break;
    case CALLS_ENDED:
        exchange_resume(crawl->exchange);
        break;
    case CALLS_APART:
        crawl->stage = CRAWL_AUTHENTICATING;
        *err = ERR_PAYMENT_CONFLICT;
        break;
    case CALLS_REFUSED:
        crawl->stage = CRAWL_AUTHENTICATING;
        *err = ERR_OVERLOADED;
        break;
    }
    return false;
}

enum err tool_join(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    struct tool *tool = crawl->tool;
    enum err err;
    struct slice result = calls_result(tool->call, &err);
    if (!result.data)
        return err;
    struct exchange_stream *stream = replay_new(crawl->gate->parts.calls, tool->call, tool->rpc.id);
    if (!stream)
        return ERR_OVERLOADED;
    tool->call = NULL; /* the stream's */
    exchange->reply.stream = stream;
    exchange->reply.length = EXCHANGE_UNKNOWN_LENGTH;
    exchange->reply.status = 200;
    return exchange_header(exchange, "Content-Type", "application/json") &&
                   exchange_header(exchange, "Cache-Control", "private")
               ? ERR_OK
               : ERR_REQUEST_TOO_LARGE;
}

/* --- Paid --- */

enum err tool_recorded(struct crawl *crawl, enum err err,
                       void (*ready)(void *crawl, struct origin_answer *answer))
{
    struct tool *tool = crawl->tool;
    assert(crawl->stage == CRAWL_RECORDING && (tool->call || tool->asked));
    if (tool->asked)
        return tool->err;
    /* What is not known to be in the ledger may be there all the same. */
    if (err == ERR_OK || err == ERR_LEDGER_UNAVAILABLE)
        calls_charged(tool->call);
    tool->asked = true;
    if (err == ERR_OK)
        err = crawl_ask(crawl, ready);
    tool->err = err;
    return err;
}

void tool_answered(struct crawl *crawl)
{
    struct tool *tool = crawl->tool;
    tool->err = crawl->answer->err;
    if (tool->err == ERR_OK && !forward_answer(crawl, crawl->answer))
        tool->err = ERR_ORIGIN_UNAVAILABLE;
    if (tool->err == ERR_OK)
        crawl->answer = NULL; /* the reply's */
    crawl->stage = CRAWL_RECORDING;
    exchange_resume(crawl->exchange);
}

static struct slice field_of(const struct origin_answer *answer, const char *name)
{
    for (const struct exchange_header *field = answer->fields; field; field = field->next)
        if (slice_eq_nocase(slice_of(field->name), slice_of(name)))
            return slice_trim(slice_of(field->value));
    return SLICE("");
}

static bool is_type(struct slice type, struct slice expected)
{
    type.len = slice_find(type, ';');
    return slice_eq_nocase(slice_trim(type), expected);
}

/* An x402 settlement, as in PAYMENT-RESPONSE. */
static struct slice write_receipt(const void *context, struct arena *arena, int64_t micros)
{
    struct dialect_receipt receipt = *(const struct dialect_receipt *)context;
    receipt.amount_micros = micros;
    return dialect_x402_receipt(arena, &receipt);
}

/* In the arena: the stream may outlive the configuration. */
static const struct dialect_receipt *receipt_of(struct crawl *crawl)
{
    struct arena *arena = &crawl->exchange->arena;
    const char *network = arena_copy(arena, slice_of(crawl->site->network));
    const char *currency = arena_copy(arena, slice_of(crawl->site->currency));
    struct dialect_receipt *receipt = arena_alloc(arena, sizeof(*receipt));
    if (!network || !currency || !receipt)
        return NULL;
    *receipt = (struct dialect_receipt){
        .network = slice_of(network),
        .currency = slice_of(currency),
        .commitment = &crawl->commitment,
        .id = crawl->id_text,
        .payer = crawl->charge.agent,
        .recorded_at = crawl->submission.outcome.recorded_at_ms / 1000,
    };
    return receipt;
}

bool tool_reads_answer(const struct crawl *crawl)
{
    return crawl->tool && !crawl->tool->refusal.why && !is_observed(crawl);
}

static bool job_of(struct crawl *crawl, struct filter_job *job)
{
    struct tool *tool = crawl->tool;
    struct arena *arena = &crawl->exchange->arena;
    job->id = tool->rpc.id;
    job->result_max = (size_t)crawl->gate->parts.config->mcp_result_bytes;
    if (tool_costs(crawl)) {
        job->calls = crawl->gate->parts.calls;
        job->call = tool->call;
        job->charged_micros = crawl->submission.outcome.amount_micros;
        job->site = arena_copy(arena, slice_of(crawl->site->name));
        job->receipt = write_receipt;
        job->receipt_context = receipt_of(crawl);
        return job->site && job->receipt_context;
    }
    job->kind = tool->rpc.kind;
    job->prices = answer_keep_prices(arena, crawl->site);
    return job->prices != NULL;
}

bool tool_wrap(struct crawl *crawl, struct origin_answer *answer)
{
    struct exchange_reply *reply = &crawl->exchange->reply;
    struct filter_job job = {.events = is_type(field_of(answer, "content-type"), SLICE("text/event-stream"))};
    bool paid = tool_costs(crawl);
    bool readable = (job.events || is_type(field_of(answer, "content-type"), SLICE("application/json"))) &&
                    field_of(answer, "content-encoding").len == 0;
    bool given = answer->status == 200 && answer->length != 0;
    if (!tool_reads_answer(crawl) || (!given && !(paid && answer->status < 300)))
        return true; /* a refusal of its own, for the client to read; or nothing */
    if (!given || !readable)
        return !paid; /* without a result that can be seen it gives nothing away */
    struct exchange_stream *stream = job_of(crawl, &job) ? filter_new(&job, &answer->stream) : NULL;
    if (!stream)
        return !paid;
    if (paid)
        crawl->tool->call = NULL; /* the stream's */
    reply->stream = stream;
    reply->length = EXCHANGE_UNKNOWN_LENGTH;
    return true;
}

void tool_finish(struct crawl *crawl)
{
    struct tool *tool = crawl->tool;
    struct calls *calls = crawl->gate->parts.calls;
    if (!tool || !tool->call)
        return;
    /* Who waited only, or did and went away, has nothing to end. */
    if (crawl->stage != CRAWL_JOINED) {
        bool recorded = crawl->stage == CRAWL_RECORDING && crawl->submission.outcome.err == ERR_OK;
        if (recorded)
            calls_charged(tool->call);
        calls_fail(calls, tool->call, recorded ? ERR_PAYMENT_UNDELIVERED : ERR_REQUEST_REPEATED);
    }
    calls_let_go(calls, tool->call);
    tool->call = NULL;
}

/* --- Refused --- */

bool tool_is_unpaid(const struct crawl *crawl, enum err err)
{
    unsigned status = err_status(err);
    bool malformed = err == ERR_MALFORMED_PAYMENT || err == ERR_MALFORMED_PAYMENT_SIGNATURE ||
                     err == ERR_MALFORMED_COMMITMENT || err == ERR_MALFORMED_X_PAYMENT ||
                     err == ERR_MALFORMED_CRAWLER_PRICE || err == ERR_CONFLICTING_PAYMENT;
    return tool_costs(crawl) && crawl->decision.action == RULES_CHARGE &&
           (status == 402 || (status == 403 && err != ERR_BLOCKED) || malformed);
}

bool tool_refuse(struct crawl *crawl, enum err err, struct slice offer)
{
    struct exchange *exchange = crawl->exchange;
    const struct tool *tool = crawl->tool;
    const struct rpc_refusal *refusal = &tool->refusal;
    bool unpaid = offer.data != NULL;
    exchange->reply.body = unpaid         ? answer_unpaid(&exchange->arena, &tool->rpc, offer)
                           : refusal->why ? answer_error(&exchange->arena, tool->rpc.id, refusal->code,
                                                         refusal->why, err_code(err))
                                          : answer_error(&exchange->arena, tool->rpc.id, ANSWER_GATE_ERROR,
                                                         err_sentence(err), err_code(err));
    /* What says that it is to be paid is a result as any other: MCP knows no 402. */
    exchange->reply.status = unpaid ? 200 : err_status(err);
    return exchange->reply.body.data && exchange_header(exchange, "Content-Type", "application/json") &&
           exchange_header(exchange, "Cache-Control", "no-store");
}
