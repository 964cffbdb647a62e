/* A question becomes the request that the front has got, and goes the gate's own straight line: there is no
 * second judgement that could say otherwise. Only what the gate does not know is answered here. */
#include "server/decisions/decisions.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "ledger/base/text/encoding.h"
#include "ledger/entry/payment_id.h"
#include "server/decisions/question.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#define REPORT_BODY_MAX 4096

#define DECISIONS_MAGIC 0x61d2c7e4u
#define THREAD_MAGIC    0xd95a3b06u
#define TOLD_MAGIC      0x3fb80d15u

struct decisions {
    uint32_t magic;
    struct gate_parts parts;
    struct exchange_handler gate; /* that judges */
};

/* One HTTP thread's: the gate's own. */
struct decisions_thread {
    uint32_t magic;
    struct decisions *decisions;
    void *gate;
};

/* A report on its way to the writer and back, in the exchange's arena. Told apart from the gate's own state
 * by its magic, which stands first in both. */
struct told {
    uint32_t magic;
    struct exchange *exchange;
    struct undelivered_report report;
};

static struct decisions_thread *thread_of(void *context)
{
    struct decisions_thread *thread = context;
    OBJECT_CHECK(thread, THREAD_MAGIC);
    return thread;
}

static struct told *told_of(const struct exchange *exchange)
{
    struct told *told = exchange->state;
    return told && told->magic == TOLD_MAGIC ? told : NULL;
}

/* --- POST /undelivered --- */

static bool is_report(const struct message *message)
{
    return slice_eq(message->method, SLICE("POST")) && slice_eq(message->target, SLICE("/undelivered"));
}

/* On a writer's thread. */
static void on_written(struct undelivered_report *report)
{
    struct told *told = (struct told *)(void *)((char *)report - offsetof(struct told, report));
    OBJECT_CHECK(told, TOLD_MAGIC);
    assert(told->exchange->state == told); /* it is still parked for this report */
    exchange_resume(told->exchange);
}

static void answer(struct exchange *exchange, unsigned status, const char *outcome, const char *detail)
{
    exchange->reply.status = status;
    exchange->reply.body =
        arena_format(&exchange->arena, "{\"outcome\":\"%s\",\"detail\":\"%s\"}\n", outcome, detail);
    if (!exchange->reply.body.data || !exchange_header(exchange, "Content-Type", "application/json"))
        exchange->reply.body = SLICE("");
}

/* A payment id in 64 characters as it was offered, or its UUID: a front's log may have either. Nothing is
 * proven by it, as the front is trusted, and an id that nobody paid with is told so by the ledger. */
static bool read_id(const char *text, uint8_t id[UUID_SIZE])
{
    uint8_t whole[PAYMENT_ID_SIZE];
    _Static_assert(UUID_SIZE <= PAYMENT_ID_SIZE, "an id that is offered begins with its UUID");
    if (uuid_parse(slice_of(text), id))
        return true;
    if (strlen(text) != PAYMENT_ID_TEXT || !payment_id_bytes(slice_of(text), whole))
        return false;
    memcpy(id, whole, UUID_SIZE);
    return uuid_is_v7(id);
}

/* NULL, or what is wrong with the body. */
static const char *read_fact(struct slice body, struct undelivered *fact)
{
    json_error_t error;
    const char *id;
    json_int_t status = 0, bytes = 0, length = -1;
    json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, &error);
    const char *fault = NULL;
    *fact = (struct undelivered){.told_by = "front"};
    if (json_unpack(json, "{s:s,s?I,s?I,s?I}", "id", &id, "status", &status, "bytes", &bytes, "length",
                    &length) != 0)
        fault = "the body is no JSON object with id, a string, and status, bytes and length, whole numbers";
    else if (!read_id(id, fact->payment_id))
        fault = "id is no payment id";
    /* By range and not by sense: a front may have failed in any way, with any status of its own. */
    else if (status < 0 || status > 999 || bytes < 0 || length < -1)
        fault = "status, bytes or length is out of range";
    json_decref(json);
    fact->status = (unsigned)status;
    fact->sent_bytes = bytes;
    fact->length_bytes = length;
    return fault;
}

static enum exchange_verdict begin_report(struct decisions *decisions, struct exchange *exchange)
{
    struct undelivered fact;
    assert(!exchange->state); /* neither another report nor a request of the gate's is under way */
    const char *fault = read_fact(exchange->message.body, &fact);
    struct told *told = arena_alloc(&exchange->arena, sizeof(*told));
    if (fault || !told) {
        answer(exchange, fault ? 400 : 431, "refused", fault ? fault : "the request is too large");
        return EXCHANGE_REPLY;
    }
    *told = (struct told){.exchange = exchange, .report = report_of(&fact, on_written)};
    OBJECT_MAKE(told, TOLD_MAGIC);
    told->report.deadline_ms = clock_monotonic_ms() + decisions->parts.config->ledger_timeout_seconds * 1000;
    exchange->state = told;
    return EXCHANGE_PARK;
}

static enum exchange_verdict end_report(struct told *told)
{
    struct exchange *exchange = told->exchange;
    OBJECT_CHECK(&told->report, REPORT_MAGIC);
    static const struct {
        unsigned status;
        const char *outcome, *detail;
    } answers[] = {
        [UNDELIVERED_RECORDED] = {200, "recorded", "nothing is billed for it"},
        [UNDELIVERED_KNOWN] = {200, "known", "it was recorded before"},
        [UNDELIVERED_DIFFERS] = {409, "differs", "this payment has a final amount: it was delivered"},
        [UNDELIVERED_NO_CHARGE] = {404, "no-charge", "nobody has paid with this id"},
        [UNDELIVERED_SEALED] = {409, "sealed",
                                "the day of this payment is sealed: take it back with crawltab adjust"},
    };
    assert(told->report.err != ERR_OK || told->report.outcome < sizeof(answers) / sizeof(*answers));
    /* Whatever failed: the front can do nothing else about it, and telling it again harms nothing. */
    if (told->report.err != ERR_OK)
        answer(exchange, 503, err_code(told->report.err), "it is not recorded; tell it again");
    else
        answer(exchange, answers[told->report.outcome].status, answers[told->report.outcome].outcome,
               answers[told->report.outcome].detail);
    return EXCHANGE_REPLY;
}

/* --- The handler --- */

static size_t body_room(void *context, const struct exchange *exchange)
{
    (void)context;
    return is_report(&exchange->message) ? REPORT_BODY_MAX : 0;
}

static enum exchange_verdict on_request(void *context, struct exchange *exchange)
{
    struct decisions_thread *thread = thread_of(context);
    struct decisions *decisions = thread->decisions;
    if (told_of(exchange))
        return end_report(told_of(exchange));
    /* Only what just came is read as a question: when it comes back its fields say what the front asked. */
    if (!exchange->state && is_report(&exchange->message))
        return begin_report(decisions, exchange);
    if (!exchange->state) {
        size_t length;
        const char *fault = question_read(
            &exchange->arena, slice_of(decisions->parts.config->decisions_prefix), &exchange->message);
        /* It would have to be read before anything can be asked of others, for nothing. */
        if (!fault && (message_body_length(&exchange->message, 1, &length) || length > 0))
            fault = "the question has a body, which must stay with the front";
        if (fault) {
            LOG(WARN, "question_refused", {"detail", fault},
                {"hint", "the front must say what it was asked for: see crawltab front"});
            decisions->gate.refuse(thread->gate, exchange, ERR_MALFORMED_REQUEST);
            return EXCHANGE_REPLY;
        }
    }
    return decisions->gate.handle(thread->gate, exchange);
}

static void on_parked(void *context, struct exchange *exchange)
{
    struct decisions_thread *thread = thread_of(context);
    struct told *told = told_of(exchange);
    if (!told) {
        thread->decisions->gate.parked(thread->gate, exchange);
        return;
    }
    enum err err = writer_report(thread->decisions->parts.writer, &told->report);
    if (err == ERR_OK)
        return; /* it is the writer's now, and may be back and gone already */
    told->report.err = err;
    on_written(&told->report);
}

static bool on_turned(void *context)
{
    struct decisions_thread *thread = thread_of(context);
    return thread->decisions->gate.turned(thread->gate);
}

static void on_refuse(void *context, struct exchange *exchange, enum err err)
{
    struct decisions_thread *thread = thread_of(context);
    assert(err != ERR_OK && !exchange->state);
    thread->decisions->gate.refuse(thread->gate, exchange, err);
}

static void on_finished(void *context, struct exchange *exchange)
{
    struct decisions_thread *thread = thread_of(context);
    struct told *told = told_of(exchange);
    if (told) {
        OBJECT_END(&told->report, REPORT_MAGIC);
        OBJECT_END(told, TOLD_MAGIC);
    } else {
        thread->decisions->gate.finished(thread->gate, exchange);
    }
}

static void *start_thread(void *context)
{
    struct decisions *decisions = context;
    struct decisions_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    thread->decisions = decisions;
    thread->gate = decisions->gate.thread_start(decisions->gate.context);
    if (thread->gate) {
        OBJECT_MAKE(thread, THREAD_MAGIC);
        return thread;
    }
    free(thread);
    return NULL;
}

static void stop_thread(void *context)
{
    struct decisions_thread *thread = context;
    thread->decisions->gate.thread_stop(thread->gate);
    OBJECT_END(thread, THREAD_MAGIC);
    free(thread);
}

struct exchange_handler decisions_handler(struct decisions *decisions)
{
    OBJECT_CHECK(decisions, DECISIONS_MAGIC);
    return (struct exchange_handler){
        .context = decisions,
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

struct decisions *decisions_new(struct gate *gate, const struct gate_parts *parts)
{
    struct decisions *decisions = calloc(1, sizeof(*decisions));
    assert(gate && parts->config && parts->writer);
    if (!decisions)
        return NULL;
    decisions->parts = *parts;
    decisions->gate = gate_deciding_handler(gate);
    OBJECT_MAKE(decisions, DECISIONS_MAGIC);
    return decisions;
}

void decisions_free(struct decisions *decisions)
{
    if (!decisions)
        return;
    OBJECT_END(decisions, DECISIONS_MAGIC);
    free(decisions);
}
