/* Who cannot prove who he is must not make rows: what he says of himself counts only if it is a name that the
 * gate knows already, so that a million invented ones are one row. */
#include "server/gate/count.h"

#include "server/gate/observe.h"
#include "server/gate/tool.h"

#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"
#include "ledger/verify/utf8.h"

#include <assert.h>

#define COUNTED_MAGIC 0x1f6ad803u

#define PATH_MAX_BYTES 200

/* A body on its way, whose bytes are counted. In the exchange's arena, with the texts of the key: it may
 * outlive the handler and its configuration. */
struct counted {
    uint32_t magic;
    struct exchange_stream stream; /* what the HTTP layer reads */
    struct exchange_stream *body;
    struct tally *tally;
    struct traffic_key key;
    bool path_counts;
    int64_t bytes;
};

static struct counted *counted_of(struct exchange_stream *stream)
{
    struct counted *counted = (struct counted *)(void *)((char *)stream - offsetof(struct counted, stream));
    OBJECT_CHECK(counted, COUNTED_MAGIC);
    return counted;
}

static ptrdiff_t on_read(struct exchange_stream *stream, char *out, size_t room)
{
    struct counted *counted = counted_of(stream);
    ptrdiff_t bytes = counted->body->read(counted->body, out, room);
    assert(bytes <= (ptrdiff_t)room);
    if (bytes > 0)
        counted->bytes += bytes;
    return bytes;
}

static void on_close(struct exchange_stream *stream)
{
    struct counted *counted = counted_of(stream);
    const struct traffic_sums sums = {.bytes = counted->bytes};
    counted->body->close(counted->body);
    /* The request was counted with its reply: these are its bytes alone, in the period that it came in. */
    if (counted->bytes > 0)
        tally_add(counted->tally, &counted->key, counted->path_counts, &sums);
    tally_release(counted->tally);
    OBJECT_END(counted, COUNTED_MAGIC);
}

static struct slice kept(struct arena *arena, struct slice text)
{
    return slice_of(arena_copy(arena, text));
}

/* Without room in the arena its bytes are not counted. */
static void follow(struct tally *tally, struct exchange *exchange, const struct traffic_key *key,
                   bool path_counts)
{
    struct arena *arena = &exchange->arena;
    struct counted *counted = arena_alloc(arena, sizeof(*counted));
    assert(exchange->reply.stream);
    if (!counted)
        return;
    *counted = (struct counted){.stream = {on_read, on_close},
                                .body = exchange->reply.stream,
                                .key = *key,
                                .path_counts = path_counts};
    counted->key.site = kept(arena, key->site);
    counted->key.crawler = kept(arena, key->crawler);
    counted->key.rule = kept(arena, key->rule);
    counted->key.reason = kept(arena, key->reason);
    counted->key.path = kept(arena, key->path);
    if (!counted->key.site.data || !counted->key.crawler.data || !counted->key.rule.data ||
        !counted->key.reason.data || !counted->key.path.data)
        return;
    OBJECT_MAKE(counted, COUNTED_MAGIC);
    counted->tally = tally_take(tally);
    exchange->reply.stream = &counted->stream;
}

static bool is_bodiless(const struct exchange *exchange)
{
    unsigned status = exchange->reply.status;
    return slice_eq(exchange->message.method, SLICE("HEAD")) || status == 204 || status == 304;
}

/* What is known of the body's size by now. */
static int64_t body_bytes(const struct exchange *exchange)
{
    const struct exchange_reply *reply = &exchange->reply;
    if (is_bodiless(exchange))
        return 0;
    if (reply->fd >= 0)
        return (int64_t)reply->length;
    return (int64_t)reply->body.len;
}

/* Who asked, as far as it is known. */
static struct slice crawler_of(const struct crawl *crawl, bool *verified)
{
    /* A candidate alone is a claim: its key is there only after the signature held. */
    *verified = crawl->candidate && crawl->key.key;
    if (*verified)
        return crawl->candidate->agent->account;
    return crawl->decision.crawler.len > 0 ? crawl->decision.crawler : SLICE(TRAFFIC_OTHERS);
}

/* An answer that gives nothing away, such as 304 and 404. */
static struct slice reason_of(struct exchange *exchange)
{
    unsigned status = exchange->reply.status;
    if (status < 300)
        return SLICE("");
    struct slice text = arena_format(&exchange->arena, "%u", status);
    return text.data ? text : SLICE("");
}

/* At no price, by a rule's free_recrawl. */
static bool is_repeat(const struct crawl *crawl)
{
    return crawl->charge.validated && crawl->charge.let_off_micros == 0 &&
           crawl->submission.outcome.amount_micros == 0;
}

static void judge(struct crawl *crawl, enum err outcome, struct traffic_key *key, struct traffic_sums *sums)
{
    /* Observed first: whatever came of it, nobody was asked for money. */
    if (crawl->decision.observed) {
        key->outcome = TRAFFIC_OBSERVED;
        key->reason = slice_of(observe_name(crawl));
        sums->amount_micros = observe_amount(crawl);
    } else if (outcome == ERR_PAYMENT_REQUIRED) {
        key->outcome = TRAFFIC_OFFERED;
        sums->amount_micros = crawl->decision.price_micros;
    } else if (outcome != ERR_OK) {
        key->outcome = TRAFFIC_REFUSED;
        key->reason = slice_of(err_code(outcome));
    } else if (crawl->stage != CRAWL_RECORDING) {
        key->outcome = TRAFFIC_FREE;
        key->reason = reason_of(crawl->exchange);
    } else if (crawl->submission.outcome.repeated || is_repeat(crawl)) {
        key->outcome = TRAFFIC_REPEATED;
    } else {
        key->outcome = TRAFFIC_PAID;
        sums->amount_micros = crawl->submission.outcome.amount_micros;
    }
}

/* For whoever watches the gate. In observe mode, the failure that would have come of it. */
static void count_decision(const struct crawl *crawl, enum traffic_outcome what, enum err outcome)
{
    static_assert(TRAFFIC_OUTCOME_COUNT <= METRICS_OUTCOMES_MAX, "each outcome has its counters");
    metrics_decided(what, what == TRAFFIC_OBSERVED ? crawl->observed : outcome);
}

void count_refused(enum err err)
{
    metrics_decided(TRAFFIC_REFUSED, err);
}

/* What crawlers pay for, or would: people leave no paths. */
static bool path_counts(const struct crawl *crawl, const struct traffic_key *key)
{
    bool somebody = key->verified || !slice_eq(key->crawler, SLICE(TRAFFIC_OTHERS));
    return somebody && key->outcome != TRAFFIC_FREE && crawl->decision.rule &&
           crawl->decision.price_micros > 0;
}

/* As the rules judge it, without its query; of what is called, as it is billed. What cannot be a row of the
 * ledger is one of the other paths. */
static struct slice path_of(const struct crawl *crawl)
{
    struct slice path = tool_costs(crawl) ? crawl->tool->rpc.item : crawl->path;
    bool whole = path.len <= PATH_MAX_BYTES && utf8_valid(path);
    for (size_t i = 0; whole && i < path.len; i++)
        whole = (uint8_t)path.data[i] >= ' ' && path.data[i] != 0x7f;
    return whole ? path : SLICE("");
}

enum traffic_outcome count_outcome(const struct gate_thread *thread, struct crawl *crawl, enum err outcome)
{
    struct exchange *exchange = crawl->exchange;
    if (!crawl->site && outcome == ERR_OK)
        return TRAFFIC_FREE; /* the gate was asked how it does */
    struct traffic_sums sums = {.requests = 1, .bytes = body_bytes(exchange)};
    struct traffic_key key = {.reason = SLICE("")};
    judge(crawl, outcome, &key, &sums);
    assert(sums.amount_micros >= 0);
    count_decision(crawl, key.outcome, outcome);
    if (!thread->tally || !crawl->site || crawl->inquiry) /* an account is no page of the site */
        return key.outcome;
    key.period_ms = crawl->now_ms - crawl->now_ms % TRAFFIC_PERIOD_MS;
    key.site = slice_of(crawl->site->name);
    key.rule = crawl->decision.rule ? slice_of(crawl->decision.rule) : SLICE("");
    key.crawler = crawler_of(crawl, &key.verified);
    pages_add(&sums.pages, exchange->message.target);
    bool by_path = path_counts(crawl, &key);
    key.path = by_path ? path_of(crawl) : SLICE("");
    tally_add(thread->tally, &key, by_path, &sums);
    if (exchange->reply.stream && !exchange->reply.body.data && !is_bodiless(exchange))
        follow(thread->tally, exchange, &key, by_path);
    return key.outcome;
}
