/* The coordinator: takes a request along the steps of crawl.h, parks it where it must wait, and logs how it
 * went. */
#include "server/gate/access.h"
#include "server/gate/account.h"
#include "server/gate/count.h"
#include "server/gate/delivering.h"
#include "server/gate/forward.h"
#include "server/gate/gate_passage.h"
#include "server/gate/observe.h"
#include "server/gate/settlement.h"
#include "server/gate/tool.h"
#include "server/published/health.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/network.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Signatures that a thread verifies between looks at its connections: so long the others wait. The more, the
 * less a commit costs each of their entries; the fewer, the better verifying and writing overlap. */
#define TURN_SIGNATURES_MAX 16

static struct crawl *crawl_of_wait(struct directory_wait *wait)
{
    struct crawl *crawl = (struct crawl *)(void *)((char *)wait - offsetof(struct crawl, wait));
    OBJECT_CHECK(crawl, CRAWL_MAGIC);
    return crawl;
}

static struct crawl *crawl_of_submission(struct submission *submission)
{
    struct crawl *crawl = (struct crawl *)(void *)((char *)submission - offsetof(struct crawl, submission));
    OBJECT_CHECK(submission, SUBMISSION_MAGIC);
    OBJECT_CHECK(crawl, CRAWL_MAGIC);
    assert((crawl->stage == CRAWL_RECORDING || crawl->stage == CRAWL_CHECKING) && !submission->taken);
    return crawl;
}

/* On the fetch thread. */
static void on_directory(struct directory_wait *wait)
{
    exchange_resume(crawl_of_wait(wait)->exchange);
}

/* On the writer's thread, unless the entry is known or not taken. */
static void on_recorded(struct submission *submission)
{
    struct crawl *crawl = crawl_of_submission(submission);
    crawl_settle(crawl);
    exchange_resume(crawl->exchange);
}

static void on_checked(struct submission *submission)
{
    exchange_resume(crawl_of_submission(submission)->exchange);
}

/* For what is parked: the reply is made when the exchange comes back, on its own thread and in the same place
 * as all others. */
static void decide(struct crawl *crawl, enum err outcome)
{
    assert(crawl->stage == CRAWL_AUTHENTICATING || crawl->stage == CRAWL_ASKING); /* it is parked, once */
    crawl->stage = CRAWL_DECIDED;
    crawl->outcome = outcome;
    exchange_resume(crawl->exchange);
}

static void on_answer(void *context, struct origin_answer *answer);

/* What is free is not waited for, but where the site's own server has it. */
static enum err give_away(struct crawl *crawl)
{
    enum err err; /* ERR_OK: the reply is there, or the crawl is asking for it */
    TRY(crawl_deliver(crawl));
    if (crawl->asks)
        TRY(crawl_ask(crawl, on_answer));
out:
    return err;
}

/* What is charged, or free for one account that must prove itself, goes on to its signature. ERR_OK
 * otherwise: the reply is ready. */
static enum err enter(struct crawl *crawl)
{
    assert(crawl->stage == CRAWL_ARRIVED);
    enum err err;
    if (!crawl->thread->decides && health_asked(&crawl->exchange->message))
        return health_reply(crawl->exchange, writer_ready(crawl->gate->parts.writer));
    err = crawl_arrive(crawl);
    if (observe_is(crawl, err)) {
        if (!observe_begin(crawl, err))
            return give_away(crawl);
        crawl->stage = CRAWL_AUTHENTICATING;
        return ERR_OK;
    }
    TRY(err);
    if (crawl->inquiry) {
        TRY(account_identify(crawl));
        crawl->stage = CRAWL_AUTHENTICATING;
        return ERR_OK;
    }
    if (crawl->decision.action != RULES_CHARGE && !crawl->decision.account)
        return give_away(crawl);
    TRY(crawl->decision.action == RULES_CHARGE ? crawl_redeem(crawl) : crawl_identify(crawl));
    crawl->stage = CRAWL_AUTHENTICATING;
out:
    return err;
}

static bool changes(const struct crawl *crawl)
{
    return web_bot_auth_changes(&crawl->exchange->message);
}

/* The ledger has said whether the id was used. Only if not, or for a page once more, it goes on: the site's
 * own server hears of it, or it is recorded for whoever delivers. */
static enum err go_on(struct crawl *crawl)
{
    assert(crawl->stage == CRAWL_CHECKING && (crawl->asks || changes(crawl)));
    const struct charge_outcome *outcome = &crawl->submission.outcome;
    enum err err = outcome->err == ERR_OK && changes(crawl) ? ERR_REQUEST_REPEATED : outcome->err;
    if (err == ERR_NOT_FOUND) {
        crawl->charge.unless_repeat = ERR_OK;
        crawl->charge.hands_over = false;
        /* A call of a tool is paid before it is made. */
        if (!crawl->asks || tool_costs(crawl))
            crawl->stage = CRAWL_CHECKED;
    } else {
        crawl_settle(crawl);
        TRY(err);
    }
    if (crawl->stage != CRAWL_CHECKED)
        TRY(crawl_ask(crawl, on_answer));
    return ERR_OK;
out:
    crawl_release(crawl);
    return err;
}

static void log_outcome(const struct crawl *crawl, enum err outcome)
{
    char id[UUID_TEXT_MAX];
    char client[NETWORK_TEXT_MAX];
    bool recorded = crawl->stage == CRAWL_RECORDING;
    bool refused = outcome != ERR_OK && crawl->trace.failed != CHECK_COUNT;
    LOG(DEBUG, "request", {"site", crawl->site ? crawl->site->name : NULL},
        {"client", network_format(crawl->exchange->client.address, client)},
        {"status", LOG_NUMBER(crawl->exchange->reply.status)},
        {"check", refused ? web_bot_auth_check_name(crawl->trace.failed) : NULL},
        {"detail", refused && crawl->trace.failed == CHECK_KEY && *crawl->key.why ? crawl->key.why : NULL},
        {"code", outcome != ERR_OK ? err_code(outcome)
                 : recorded        ? "paid"
                                   : "free"},
        {"observed", crawl->decision.observed ? observe_name(crawl) : NULL},
        {"payment", recorded ? uuid_format(crawl->id.uuid, id) : NULL},
        {"repeated", recorded && crawl->submission.outcome.repeated ? "yes" : NULL});
}

static struct crawl crawl_of(struct gate_thread *thread, struct exchange *exchange)
{
    return (struct crawl){.exchange = exchange,
                          .gate = thread->gate,
                          .thread = thread,
                          .trace = {.failed = CHECK_COUNT},
                          .now_ms = clock_now_ms(),
                          .begun_ms = clock_monotonic_ms()};
}

static struct crawl *crawl_new(struct gate_thread *thread, struct exchange *exchange)
{
    struct crawl *crawl = arena_alloc(&exchange->arena, sizeof(*crawl));
    if (!crawl)
        return NULL;
    *crawl = crawl_of(thread, exchange);
    OBJECT_MAKE(crawl, CRAWL_MAGIC);
    crawl->wait.ready = on_directory;
    crawl->wait.client = exchange->client;
    exchange->state = crawl;
    return crawl;
}

bool gate_settle(void *context, struct exchange *exchange, struct settlement *settlement)
{
    const struct gate_thread *thread = context;
    struct crawl *crawl = crawl_new(context, exchange);
    assert(thread->decides && exchange->message.body.len == 0);
    if (!crawl)
        return false;
    crawl->settlement = settlement;
    return true;
}

struct settlement *gate_settlement(const struct exchange *exchange)
{
    const struct crawl *crawl = exchange->state;
    return crawl ? crawl->settlement : NULL;
}

void gate_passage_refuse(void *context, struct exchange *exchange, enum err err)
{
    assert(err != ERR_OK && !exchange->state);
    struct gate_thread *thread = context;
    struct crawl *crawl = crawl_new(thread, exchange);
    struct crawl spare = crawl_of(thread, exchange);
    crawl = crawl ? crawl : &spare;
    crawl_reply(crawl, err);
    log_outcome(crawl, err);
    count_refused(err);
    access_note(crawl, TRAFFIC_REFUSED, err);
}

/* With more to be done before there is a reply. */
static bool waits(enum crawl_stage stage)
{
    return stage == CRAWL_AUTHENTICATING || stage == CRAWL_CHECKED || stage == CRAWL_ASKING;
}

enum exchange_verdict gate_passage_request(void *context, struct exchange *exchange)
{
    struct crawl *crawl = exchange->state ? exchange->state : crawl_new(context, exchange);
    enum err err = ERR_OK;
    if (!crawl) {
        gate_passage_refuse(context, exchange, ERR_REQUEST_TOO_LARGE);
        return EXCHANGE_REPLY;
    }
    OBJECT_CHECK(crawl, CRAWL_MAGIC);
    switch (crawl->stage) {
    case CRAWL_ARRIVED:
        err = enter(crawl);
        break;
    case CRAWL_AUTHENTICATING:
    case CRAWL_CHECKED:
    case CRAWL_ASKING:
        break;
    case CRAWL_READING:
        err = account_reply(crawl);
        break;
    case CRAWL_DECIDED:
        err = crawl->outcome;
        break;
    case CRAWL_CHECKING:
        err = go_on(crawl);
        break;
    case CRAWL_JOINED:
        err = tool_join(crawl);
        break;
    case CRAWL_RECORDING:
        err = crawl->submission.outcome.err;
        if (crawl->tool)
            err = tool_recorded(crawl, err, on_answer);
        break;
    }
    if (err == ERR_OK && waits(crawl->stage))
        return EXCHANGE_PARK;
    if (err == ERR_OK && !crawl->inquiry)
        forward_whole(exchange);
    err = account_failure(crawl, err);
    crawl_reply(crawl, err);
    log_outcome(crawl, err);
    if (!settlement_is_question(crawl))
        access_note(crawl, count_outcome(context, crawl, err), err);
    delivering_follow(crawl, err);
    return EXCHANGE_REPLY;
}

/* The charge for the writer, or NULL when what it would say is known already, and the crawl goes on. */
static struct submission *hand_in(struct crawl *crawl, void (*done)(struct submission *submission))
{
    crawl->submission = submission_of(&crawl->charge, done);
    if (!writer_recall(crawl->gate->parts.writer, &crawl->charge, &crawl->submission.outcome))
        return &crawl->submission;
    done(&crawl->submission);
    return NULL;
}

static struct submission *record(struct crawl *crawl)
{
    /* Before the writer is asked: from then on another thread may look at both. */
    crawl->stage = CRAWL_RECORDING;
    crawl_note_copy(crawl);
    return hand_in(crawl, on_recorded);
}

/* Whether the ledger is to say first if the id is used. Who may not pay, or is known to have used it up,
 * shall not make the site's own server work, nor anybody while the ledger is away; which copy was paid for
 * must be known where one is free, and an identifier may be another payment's. What changes something takes
 * its id first, also where others deliver: of an entry nobody could tell later which request has made it,
 * when a connection was lost. All else is asked for without it: one question less to the ledger is a tenth of
 * what such a payment costs, and an id that was used makes no second entry. */
static bool must_check(const struct crawl *crawl)
{
    struct charge_outcome known;
    struct writer *writer = crawl->gate->parts.writer;
    if (changes(crawl))
        return true;
    return crawl->asks && (crawl->charge.unless_repeat != ERR_OK || crawl->charge.identifier.len > 0 ||
                           crawl->decision.recrawl_ms != 0 || !writer_ready(writer) ||
                           writer_recall(writer, &crawl->charge, &known));
}

static struct submission *check(struct crawl *crawl)
{
    struct charge *charge = &crawl->charge;
    crawl->stage = CRAWL_CHECKING;
    charge->hands_over = charge->unless_repeat == ERR_OK && changes(crawl);
    if (charge->unless_repeat == ERR_OK)
        charge->unless_repeat = ERR_NOT_FOUND;
    return hand_in(crawl, on_checked);
}

/* What the writer does not take goes on at once with that failure. */
static void submit(const struct gate *gate, struct submission *submission)
{
    enum err err = writer_submit(gate->parts.writer, submission);
    if (err == ERR_OK)
        return;
    /* The claim is settled with this outcome, as with any other: what was reserved is free again. */
    submission->outcome.err = err;
    submission->done(submission);
}

/* The site's own server has answered, or will not: only what it gives away is paid for. */
static void on_answer(void *context, struct origin_answer *answer)
{
    struct crawl *crawl = context;
    OBJECT_CHECK(crawl, CRAWL_MAGIC);
    assert(crawl->stage == CRAWL_ASKING && crawl->answer == answer);
    if (crawl->redeeming && crawl->tool) {
        tool_answered(crawl);
        return;
    }
    enum err err = answer->err;
    bool given = err == ERR_OK && crawl->redeeming && forward_is_given(answer);
    const struct charge_outcome *checked = &crawl->submission.outcome;
    bool repeated = checked->repeated; /* it has its receipt */
    /* What was free for the page as it was may not be so for this one: only now its copy is known. */
    bool known = repeated && (checked->amount_micros > 0 || crawl->decision.recrawl_ms == 0);
    /* Before its fields are the reply's, in which the amount has no place. */
    if (given && !repeated)
        forward_lower(crawl, answer);
    if (err == ERR_OK && !forward_answer(crawl, answer))
        err = ERR_ORIGIN_UNAVAILABLE; /* more fields than the gate has room for */
    if (err == ERR_OK)
        crawl->answer = NULL; /* the reply's */
    if (err == ERR_OK && given && known) {
        crawl->stage = CRAWL_RECORDING;
        exchange_resume(crawl->exchange);
        return;
    }
    if (err == ERR_OK && given) {
        delivering_watch(crawl, answer);
        struct submission *submission = record(crawl);
        if (submission)
            submit(crawl->gate, submission);
        return;
    }
    crawl_release(crawl);
    decide(crawl, err);
}

/* Decides, leaves it to the fetch of a directory, or returns what is to be recorded. */
static struct submission *verify(struct crawl *crawl)
{
    bool asked = false;
    assert(crawl->stage == CRAWL_AUTHENTICATING);
    enum err err = crawl_authenticate(crawl, &asked);
    if (asked)
        return NULL; /* it may be on its way already */
    if (crawl->inquiry) {
        err = err == ERR_OK ? account_hand_in(crawl) : err;
        if (err != ERR_OK)
            decide(crawl, err);
        return NULL;
    }
    if (crawl->decision.observed) {
        observe_end(crawl, err);
        err = give_away(crawl);
        if (err != ERR_OK || !crawl->asks)
            decide(crawl, err);
        return NULL;
    }
    /* Not before: "there is no such page" for a signature that was never checked would open every front that
     * asks the site itself then. */
    if (err == ERR_OK)
        err = crawl_deliver(crawl);
    /* Nothing is given away by 301, 304 and an empty page, so nothing is charged. */
    bool charge = err == ERR_OK && crawl->redeeming &&
                  (crawl->asks || crawl->thread->decides || content_is_given(&crawl->exchange->reply));
    if (charge)
        err = crawl_prepare_charge(crawl);
    charge = charge && settlement_goes_on(crawl, &err);
    if (err == ERR_OK && charge && crawl->tool && !tool_enter(crawl, &err)) {
        crawl_release(crawl);
        if (err != ERR_OK)
            decide(crawl, err);
        return NULL;
    }
    if (err == ERR_OK && charge && must_check(crawl))
        return check(crawl);
    if (err == ERR_OK && crawl->asks)
        err = crawl_ask(crawl, on_answer);
    if (err == ERR_OK && crawl->asks)
        return NULL;
    if (err != ERR_OK || !charge) {
        crawl_release(crawl);
        decide(crawl, err);
        return NULL;
    }
    return record(crawl);
}

/* Verifies one signature after the other; the writer gets the entries together. */
bool gate_passage_turned(void *context)
{
    OBJECT_CHECK((struct gate_thread *)context, GATE_THREAD_MAGIC);
    struct gate_thread *thread = context;
    /* Some at a time: a thread that verified all that it has would not look at its connections meanwhile. */
    struct submission *ready[TURN_SIGNATURES_MAX];
    size_t count = 0;
    for (int i = 0; i < TURN_SIGNATURES_MAX && thread->first; i++) {
        struct crawl *crawl = thread->first;
        OBJECT_CHECK(crawl, CRAWL_MAGIC);
        thread->first = crawl->next; /* first: verify may hand it to another thread, which ends it */
        ready[count] = verify(crawl);
        count += ready[count] != NULL;
    }
    for (size_t i = 0; i < count; i++)
        submit(thread->gate, ready[i]);
    content_view_end(&thread->view);
    return thread->first;
}

/* After its request, or after the fetch of a directory. */
void gate_passage_parked(void *context, struct exchange *exchange)
{
    struct gate_thread *thread = context;
    struct crawl *crawl = exchange->state;
    OBJECT_CHECK(thread, GATE_THREAD_MAGIC);
    OBJECT_CHECK(crawl, CRAWL_MAGIC);
    if (crawl->stage == CRAWL_ASKING)
        return; /* the site's own server has it */
    if (crawl->stage == CRAWL_CHECKED) {
        struct submission *submission = record(crawl);
        if (submission)
            submit(thread->gate, submission);
        return;
    }
    assert(crawl->stage == CRAWL_AUTHENTICATING);
    crawl->next = NULL;
    if (thread->first)
        thread->last->next = crawl;
    else
        thread->first = crawl;
    thread->last = crawl;
}

void gate_passage_finished(void *context, struct exchange *exchange)
{
    struct crawl *crawl = exchange->state;
    (void)context;
    if (!crawl)
        return;
    /* Whatever still points here is stale from now on, and shows as such: the arena is used by the next
     * request. */
    if (!settlement_is_question(crawl))
        access_gone(crawl);
    if (crawl->stage == CRAWL_RECORDING || crawl->stage == CRAWL_CHECKING)
        OBJECT_END(&crawl->submission, SUBMISSION_MAGIC);
    if (crawl->stage == CRAWL_CHECKING) /* its client went away while the ledger was asked */
        crawl_settle(crawl);
    tool_finish(crawl);
    if (crawl->answer) /* that was not taken */
        crawl->answer->stream.close(&crawl->answer->stream);
    OBJECT_END(crawl, CRAWL_MAGIC);
    account_finish(crawl);
    directory_key_clear(&crawl->key);
    agreements_free(crawl->view);
}
