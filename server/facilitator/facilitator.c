/* A payment that a server brings becomes the request that its payer would have sent to the gate, and goes the
 * gate's own straight line: there is no second judgement, and no second way into the ledger. What is here is
 * who may ask, and the words of question and answer. */
#include "server/facilitator/facilitator.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "server/facilitator/discovery.h"
#include "server/facilitator/offers.h"
#include "server/facilitator/order.h"
#include "server/gate/settlement.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#define BODY_MAX 16384

#define FACILITATOR_MAGIC 0x35e0d7c2u
#define THREAD_MAGIC      0x9ab6f014u
#define CALL_MAGIC        0xe17a02d9u

struct facilitator {
    uint32_t magic;
    struct gate_parts parts;
    struct gate *gate;
    struct exchange_handler door; /* of the gate, that judges */
};

/* One HTTP thread's: the gate's own. */
struct facilitator_thread {
    uint32_t magic;
    struct facilitator *facilitator;
    void *door;
};

/* A call that is with the gate, in the exchange's arena. */
struct call {
    uint32_t magic;
    enum call_kind kind;
    const struct config_site *site;
    int64_t unit_micros;
    bool whole; /* it settles for all that was accepted: what the first call of an escrow says */
    struct settlement settlement;
    bool reporting;                   /* how it ends, to the ledger: what is billed in the end, or nothing */
    struct undelivered_report report; /* then */
    struct exchange *exchange;        /* likewise */
};

/* Who calls, and for which of the configuration's sites. */
struct caller {
    const struct config_site *site;
    size_t site_index;
    bool may_settle;
};

static struct facilitator_thread *thread_of(void *context)
{
    struct facilitator_thread *thread = context;
    OBJECT_CHECK(thread, THREAD_MAGIC);
    return thread;
}

/* NULL for a request that never got to the gate. */
static struct call *call_of(const struct exchange *exchange)
{
    struct settlement *settlement = gate_settlement(exchange);
    if (!settlement)
        return NULL;
    struct call *call = (struct call *)(void *)((char *)settlement - offsetof(struct call, settlement));
    OBJECT_CHECK(call, CALL_MAGIC);
    return call;
}

/* --- Who calls --- */

static struct slice bearer_of(const struct message *message)
{
    static const struct slice scheme = SLICE("bearer ");
    const struct message_field *field = message_field(message, SLICE("authorization"));
    struct slice value = field ? slice_trim(field->value) : SLICE("");
    if (!field || message_field_next(message, field) || value.len <= scheme.len ||
        !slice_eq_nocase((struct slice){value.data, scheme.len}, scheme))
        return SLICE("");
    return slice_trim((struct slice){value.data + scheme.len, value.len - scheme.len});
}

static bool site_called(const struct config *config, const char *name, struct caller *caller)
{
    for (size_t i = 0; i < config->site_count; i++)
        if (strcmp(config->sites[i].name, name) == 0) {
            caller->site = &config->sites[i];
            caller->site_index = i;
            return true;
        }
    return false;
}

/* True, or false with the refusal. */
static bool identify(const struct facilitator *facilitator, const struct message *message,
                     struct caller *caller, struct refusal *refusal)
{
    struct tokens *tokens = refresh_take_tokens(facilitator->parts.accounts);
    *refusal = (struct refusal){503, "ledger_unavailable", "keys have not been read from the ledger yet"};
    if (!tokens)
        return false;
    const struct tokens_grant *grant = tokens_find(tokens, bearer_of(message), clock_now_ms());
    *refusal =
        (struct refusal){401, "unauthorized_server",
                         "Authorization has no bearer key that is in force: crawltab token add makes one"};
    bool known = grant && site_called(facilitator->parts.config, grant->site, caller);
    if (grant && !known)
        refusal->detail = "the site of this key is not in the configuration of this gate";
    if (known)
        caller->may_settle = grant->may_settle;
    tokens_free(tokens);
    return known;
}

/* --- Answers --- */

static void answer_refused(struct exchange *exchange, const struct call *call, const struct refusal *refusal)
{
    const struct settlement *settlement = &call->settlement;
    const struct slice *payer = &settlement->payer, *id = &settlement->id;
    const char *network = call->site ? call->site->network : "";
    const char *detail =
        settlement->err == ERR_OK
            ? refusal->detail
            : arena_format(&exchange->arena, "%s: %s", err_code(settlement->err), refusal->detail).data;
    json_t *json =
        call->kind == CALL_VERIFY
            ? json_pack("{s:b,s:s,s:s*,s:s%}", "isValid", 0, "invalidReason", refusal->code, "invalidMessage",
                        detail, "payer", payer->len > 0 ? payer->data : "", payer->len)
            : json_pack("{s:b,s:s,s:s*,s:s%,s:s%,s:s}", "success", 0, "errorReason", refusal->code,
                        "errorMessage", detail, "payer", payer->len > 0 ? payer->data : "", payer->len,
                        "transaction", id->len > 0 ? id->data : "", id->len, "network", network);
    if (refusal->status == 401 && !exchange_header(exchange, "WWW-Authenticate", "Bearer"))
        exchange->reply.headers = NULL;
    answer_json(exchange, refusal->status, json);
}

static void answer_paid(struct exchange *exchange, const struct call *call)
{
    const struct settlement *settlement = &call->settlement;
    char amount[24];
    assert(settlement->id.len > 0 && settlement->payer.len > 0);
    /* A fraction of a unit is told as the whole one: never less than is billed. */
    snprintf(amount, sizeof(amount), "%lld",
             (long long)((settlement->paid_micros + call->unit_micros - 1) / call->unit_micros));
    json_t *at = settlement->recorded_at > 0 ? json_integer(settlement->recorded_at) : NULL;
    answer_json(exchange, 200,
                json_pack("{s:b,s:s%,s:s%,s:s,s:s,s:s,s:{s:o*}}", "success", 1, "payer",
                          settlement->payer.data, settlement->payer.len, "transaction", settlement->id.data,
                          settlement->id.len, "network", call->site->network, "amount", amount, "asset",
                          call->site->currency, "extra", "timestamp", at));
}

/* A server settles once more when its handler has run, for less: so much is billed in the end; or, if the
 * handler has failed, for nothing: the page was not delivered. */
static bool takes_back(const struct call *call)
{
    const struct settlement *settlement = &call->settlement;
    return call->kind == CALL_SETTLE && settlement->err == ERR_OK && settlement->charged &&
           settlement->amount_micros < settlement->paid_micros;
}

/* To another amount than is recorded: it is never raised. One who settles for all that was accepted may be
 * sending his first call again, and is told what is recorded. By whole units, as the answer has it. */
static bool raises(const struct call *call)
{
    return !call->whole && call->settlement.amount_micros - call->unit_micros >= call->settlement.paid_micros;
}

/* That nothing was delivered is on its way to the ledger, and nobody has it yet. */
static bool is_being_taken_back(const struct call *call)
{
    return call->kind == CALL_SETTLE && call->settlement.err == ERR_PAYMENT_UNDELIVERED &&
           call->settlement.recorded_at == 0;
}

/* It was before. */
static bool is_taken_back(const struct call *call)
{
    return call->kind == CALL_SETTLE && call->settlement.amount_micros == 0 &&
           call->settlement.err == ERR_PAYMENT_UNDELIVERED;
}

/* The gate has decided. */
static void answer_call(struct exchange *exchange, const struct call *call)
{
    const struct settlement *settlement = &call->settlement;
    exchange->reply.headers = NULL;
    if (is_being_taken_back(call)) {
        const struct refusal refusal = refusal_of(ERR_LEDGER_UNAVAILABLE, call->kind);
        answer_refused(exchange, call, &refusal);
    } else if (is_taken_back(call)) {
        answer_paid(exchange, call);
    } else if (settlement->err != ERR_OK) {
        const struct refusal refusal = refusal_of(settlement->err, call->kind);
        answer_refused(exchange, call, &refusal);
    } else if (!settlement->charged) {
        /* A server that sells what its rules give away would earn nothing, and never know. */
        answer_refused(exchange, call,
                       &(struct refusal){200, "invalid_payment_requirements",
                                         "the rules of the site ask nothing for this page, or only observe"});
    } else if (call->kind == CALL_VERIFY) {
        answer_json(
            exchange, 200,
            json_pack("{s:b,s:s%}", "isValid", 1, "payer", settlement->payer.data, settlement->payer.len));
    } else if (raises(call)) {
        answer_refused(exchange, call,
                       &(struct refusal){200, "invalid_transaction_state",
                                         "the payment is settled at a lower amount, which stays"});
    } else {
        answer_paid(exchange, call);
    }
}

/* --- What is taken back --- */

/* On a writer's thread. */
static void on_written(struct undelivered_report *report)
{
    struct call *call = (struct call *)(void *)((char *)report - offsetof(struct call, report));
    OBJECT_CHECK(call, CALL_MAGIC);
    exchange_resume(call->exchange);
}

static void begin_report(const struct facilitator *facilitator, struct exchange *exchange, struct call *call)
{
    struct undelivered fact = {
        .length_bytes = -1, .told_by = "server", .final_micros = call->settlement.amount_micros};
    memcpy(fact.payment_id, call->settlement.uuid, UUID_SIZE);
    call->exchange = exchange;
    call->report = report_of(&fact, on_written);
    call->report.deadline_ms =
        clock_monotonic_ms() + facilitator->parts.config->ledger_timeout_seconds * 1000;
    call->reporting = true;
}

static void hand_in(const struct facilitator *facilitator, struct call *call)
{
    enum err err = writer_report(facilitator->parts.writer, &call->report);
    if (err == ERR_OK)
        return; /* it is the writer's now, and may be back and gone already */
    call->report.err = err;
    on_written(&call->report);
}

static void end_report(struct exchange *exchange, struct call *call)
{
    const struct undelivered_report *report = &call->report;
    exchange->reply.headers = NULL;
    /* An entry that is gone was on a server that another has taken over from: the same call makes it again.
     */
    if (report->err != ERR_OK || report->outcome == UNDELIVERED_NO_CHARGE) {
        const struct refusal refusal = refusal_of(ERR_LEDGER_UNAVAILABLE, CALL_SETTLE);
        answer_refused(exchange, call, &refusal);
    } else if (report->outcome == UNDELIVERED_SEALED) {
        answer_refused(exchange, call,
                       &(struct refusal){200, "invalid_transaction_state",
                                         "the day of this payment is sealed: crawltab adjust takes it back"});
    } else if (report->outcome == UNDELIVERED_DIFFERS) {
        answer_refused(exchange, call,
                       &(struct refusal){200, "invalid_transaction_state",
                                         "the payment has been settled at another amount, which stays"});
    } else {
        call->settlement.paid_micros = report->fact.final_micros;
        answer_paid(exchange, call);
    }
}

/* --- Calls --- */

static enum exchange_verdict refuse_call(struct exchange *exchange, enum call_kind kind,
                                         const struct caller *caller, const struct refusal *refusal)
{
    answer_refused(exchange, &(struct call){.kind = kind, .site = caller->site}, refusal);
    return EXCHANGE_REPLY;
}

/* The request becomes one for the page, without a body: what is paid for has none here. */
static bool become(struct facilitator_thread *thread, struct exchange *exchange, const struct order *order,
                   struct call *call)
{
    struct message_field *field = arena_alloc(&exchange->arena, sizeof(*field));
    if (!field)
        return false;
    *field = (struct message_field){SLICE("payment-signature"), order->field};
    exchange->message = (struct message){.method = SLICE("GET"),
                                         .authority = order->authority,
                                         .target = order->target,
                                         .fields = field,
                                         .field_count = 1};
    return gate_settle(thread->door, exchange, &call->settlement);
}

static enum exchange_verdict begin_payment(struct facilitator_thread *thread, struct exchange *exchange,
                                           enum call_kind kind)
{
    const struct facilitator *facilitator = thread->facilitator;
    struct caller caller = {NULL, 0, false};
    struct refusal refusal;
    struct order order;
    size_t site;
    if (!identify(facilitator, &exchange->message, &caller, &refusal)) {
        if (refusal.status == 503) /* in the words of x402, by which the same call comes again */
            refusal.code = refusal_of(ERR_LEDGER_UNAVAILABLE, kind).code;
        return refuse_call(exchange, kind, &caller, &refusal);
    }
    if (kind == CALL_SETTLE && !caller.may_settle)
        return refuse_call(
            exchange, kind, &caller,
            &(struct refusal){403, "unauthorized_server", "this key may verify, and not settle"});
    if (!order_read(&exchange->arena, exchange->message.body, caller.site, &order, &refusal))
        return refuse_call(exchange, kind, &caller, &refusal);
    /* Before anything is judged: a key opens one site, and tells nothing of others. */
    if (!gate_find_site(facilitator->gate, order.authority, &site) || site != caller.site_index)
        return refuse_call(exchange, kind, &caller,
                           &(struct refusal){403, "unauthorized_server",
                                             "paymentPayload.resource.url is not of this key's site"});
    struct call *call = arena_alloc(&exchange->arena, sizeof(*call));
    if (call) {
        *call = (struct call){
            .kind = kind, .site = caller.site, .unit_micros = order.unit_micros, .whole = order.whole};
        OBJECT_MAKE(call, CALL_MAGIC);
        call->settlement.only_verify = kind == CALL_VERIFY;
        call->settlement.amount_micros = kind == CALL_VERIFY ? -1 : order.amount_micros;
    }
    if (!call || !become(thread, exchange, &order, call)) {
        refusal = refusal_of(ERR_REQUEST_TOO_LARGE, kind);
        return refuse_call(exchange, kind, &caller, &refusal);
    }
    return EXCHANGE_PARK; /* the gate has it from here on */
}

/* What this key can settle: its site's network, in both schemes. */
static void tell_supported(struct exchange *exchange, const char *network)
{
    answer_json(exchange, 200,
                json_pack("{s:[{s:i,s:s,s:s},{s:i,s:s,s:s}],s:[s,s],s:{}}", "kinds", "x402Version", 2,
                          "scheme", "deferred", "network", network, "x402Version", 2, "scheme",
                          "batch-settlement", "network", network, "extensions", "http-message-signatures",
                          "payment-identifier", "signers"));
}

static void make_offers(struct facilitator_thread *thread, struct exchange *exchange,
                        const struct caller *caller)
{
    const struct offers_call call = {.config = thread->facilitator->parts.config,
                                     .gate = thread->facilitator->gate,
                                     .door = thread->door,
                                     .site = caller->site,
                                     .site_index = caller->site_index};
    offers_answer(&call, exchange);
}

/* --- The handler --- */

enum route {
    ROUTE_NONE,
    ROUTE_VERIFY,
    ROUTE_SETTLE,
    ROUTE_SUPPORTED,
    ROUTE_OFFERS,
    ROUTE_RESOURCES,
    ROUTE_SEARCH
};

static const struct {
    struct slice method, path;
    enum route route;
} routes[] = {
    {SLICE("POST"), SLICE("/verify"), ROUTE_VERIFY},
    {SLICE("POST"), SLICE("/settle"), ROUTE_SETTLE},
    {SLICE("GET"), SLICE("/supported"), ROUTE_SUPPORTED},
    {SLICE("POST"), SLICE("/offers"), ROUTE_OFFERS},
    {SLICE("GET"), SLICE("/discovery/resources"), ROUTE_RESOURCES},
    {SLICE("GET"), SLICE("/discovery/search"), ROUTE_SEARCH},
};

static enum route route_of(const struct message *message, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        if (!slice_eq(message_path(message), routes[i].path))
            continue;
        *known = true;
        if (slice_eq(message->method, routes[i].method))
            return routes[i].route;
    }
    return ROUTE_NONE;
}

/* A call that is about no payment, and is answered at once. */
static void answer_at_once(struct facilitator_thread *thread, struct exchange *exchange, enum route route)
{
    const struct config *config = thread->facilitator->parts.config;
    struct caller caller = {NULL, 0, false};
    struct refusal refusal;
    if (!identify(thread->facilitator, &exchange->message, &caller, &refusal))
        answer_problem(exchange, &refusal);
    else if (route == ROUTE_SUPPORTED)
        tell_supported(exchange, caller.site->network);
    else if (route == ROUTE_OFFERS)
        make_offers(thread, exchange, &caller);
    else if (route == ROUTE_RESOURCES)
        discovery_list(exchange, config, caller.site);
    else
        discovery_search(exchange, config, caller.site);
}

static enum exchange_verdict enter(struct facilitator_thread *thread, struct exchange *exchange)
{
    bool known;
    enum route route = route_of(&exchange->message, &known);
    switch (route) {
    case ROUTE_VERIFY:
        return begin_payment(thread, exchange, CALL_VERIFY);
    case ROUTE_SETTLE:
        return begin_payment(thread, exchange, CALL_SETTLE);
    case ROUTE_SUPPORTED:
    case ROUTE_OFFERS:
    case ROUTE_RESOURCES:
    case ROUTE_SEARCH:
        answer_at_once(thread, exchange, route);
        return EXCHANGE_REPLY;
    case ROUTE_NONE:
        break;
    }
    answer_problem(exchange, known ? &(struct refusal){405, "method_not_allowed", "this is called otherwise"}
                                   : &(struct refusal){404, "not_found", "a facilitator has no such call"});
    return EXCHANGE_REPLY;
}

static enum exchange_verdict on_request(void *context, struct exchange *exchange)
{
    struct facilitator_thread *thread = thread_of(context);
    if (!exchange->state && enter(thread, exchange) == EXCHANGE_REPLY)
        return EXCHANGE_REPLY;
    struct call *call = call_of(exchange);
    assert(call); /* the gate has it */
    if (call->reporting) {
        end_report(exchange, call);
        return EXCHANGE_REPLY;
    }
    if (thread->facilitator->door.handle(thread->door, exchange) == EXCHANGE_PARK)
        return EXCHANGE_PARK;
    if (takes_back(call)) {
        begin_report(thread->facilitator, exchange, call);
        return EXCHANGE_PARK;
    }
    answer_call(exchange, call);
    return EXCHANGE_REPLY;
}

/* Only of whoever may call at all: strangers fill no memory. */
static size_t body_room(void *context, const struct exchange *exchange)
{
    struct caller caller;
    struct refusal refusal;
    bool known;
    enum route route = route_of(&exchange->message, &known);
    bool wanted = route == ROUTE_VERIFY || route == ROUTE_SETTLE || route == ROUTE_OFFERS;
    return wanted && identify(thread_of(context)->facilitator, &exchange->message, &caller, &refusal)
               ? BODY_MAX
               : 0;
}

static void on_parked(void *context, struct exchange *exchange)
{
    struct facilitator_thread *thread = thread_of(context);
    struct call *call = call_of(exchange);
    if (call->reporting)
        hand_in(thread->facilitator, call);
    else
        thread->facilitator->door.parked(thread->door, exchange);
}

static bool on_turned(void *context)
{
    struct facilitator_thread *thread = thread_of(context);
    return thread->facilitator->door.turned(thread->door);
}

static void on_refuse(void *context, struct exchange *exchange, enum err err)
{
    struct facilitator_thread *thread = thread_of(context);
    thread->facilitator->door.refuse(thread->door, exchange, err);
}

static void on_finished(void *context, struct exchange *exchange)
{
    struct facilitator_thread *thread = thread_of(context);
    struct call *call = call_of(exchange);
    thread->facilitator->door.finished(thread->door, exchange);
    if (call && call->reporting)
        OBJECT_END(&call->report, REPORT_MAGIC);
    if (call)
        OBJECT_END(call, CALL_MAGIC);
}

static void *start_thread(void *context)
{
    struct facilitator *facilitator = context;
    struct facilitator_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    thread->facilitator = facilitator;
    thread->door = facilitator->door.thread_start(facilitator->door.context);
    if (thread->door) {
        OBJECT_MAKE(thread, THREAD_MAGIC);
        return thread;
    }
    free(thread);
    return NULL;
}

static void stop_thread(void *context)
{
    struct facilitator_thread *thread = context;
    thread->facilitator->door.thread_stop(thread->door);
    OBJECT_END(thread, THREAD_MAGIC);
    free(thread);
}

struct exchange_handler facilitator_handler(struct facilitator *facilitator)
{
    OBJECT_CHECK(facilitator, FACILITATOR_MAGIC);
    return (struct exchange_handler){
        .context = facilitator,
        .thread_start = start_thread,
        .body_room = body_room,
        .thread_stop = stop_thread,
        .handle = on_request,
        .parked = on_parked,
        .turned = on_turned,
        .refuse = on_refuse,
        .finished = on_finished,
    };
}

struct facilitator *facilitator_new(struct gate *gate, const struct gate_parts *parts)
{
    struct facilitator *facilitator = calloc(1, sizeof(*facilitator));
    assert(gate && parts->config && parts->accounts);
    if (!facilitator)
        return NULL;
    facilitator->parts = *parts;
    facilitator->gate = gate;
    facilitator->door = gate_deciding_handler(gate);
    OBJECT_MAKE(facilitator, FACILITATOR_MAGIC);
    return facilitator;
}

void facilitator_free(struct facilitator *facilitator)
{
    if (!facilitator)
        return;
    OBJECT_END(facilitator, FACILITATOR_MAGIC);
    free(facilitator);
}
