/* Nothing of the ledger is touched before a signature holds: until then a request costs what any other does,
 * and who sends many is stopped by his network's limit before anything is verified. The signature is for this
 * one request, method and query included, and its nonce is taken once: whoever has seen it on its way, or got
 * it from a crawler that asked him, can do nothing with it. */
#include "server/gate/account.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"
#include "server/agent/budget.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAGIC 0x2e9b04c5u

/* Of answers that are being sent, by the whole process: a client that takes its time keeps one so long. An
 * answer may outlive the gate that made it, and so do these. */
#define ANSWER_BYTES_MAX ((size_t)64 << 20)
static atomic_size_t answer_bytes;

struct account_limits {
    pthread_mutex_t mutex; /* over both */
    struct budget *clients, *accounts;
};

struct account_limits *account_limits_new(const struct config *config)
{
    struct account_limits *limits = calloc(1, sizeof(*limits));
    if (!limits)
        return NULL;
    pthread_mutex_init(&limits->mutex, NULL);
    limits->clients = budget_new(config->account_requests);
    limits->accounts = budget_new(config->account_requests);
    if (limits->clients && limits->accounts)
        return limits;
    account_limits_free(limits);
    return NULL;
}

void account_limits_free(struct account_limits *limits)
{
    if (!limits)
        return;
    budget_free(limits->clients);
    budget_free(limits->accounts);
    pthread_mutex_destroy(&limits->mutex);
    free(limits);
}

long long account_retry_seconds(const struct config *config)
{
    return config->account_requests > 0 ? 1 + 59 / (long long)config->account_requests : 1;
}

/* The clock is read under the mutex: a budget's time never goes back. */
static enum err take_of_client(struct account_limits *limits, const struct exchange_client *client)
{
    pthread_mutex_lock(&limits->mutex);
    bool taken = budget_take(limits->clients, client, clock_monotonic_ms());
    pthread_mutex_unlock(&limits->mutex);
    return taken ? ERR_OK : ERR_ACCOUNT_LIMITED;
}

static enum err take_of_account(struct account_limits *limits, struct slice agent)
{
    uint8_t name[DIGEST_SIZE];
    digest_sha256(&agent, 1, name);
    name[0] |= 1; /* never all zeros */
    pthread_mutex_lock(&limits->mutex);
    bool taken = budget_take_of(limits->accounts, name, clock_monotonic_ms());
    pthread_mutex_unlock(&limits->mutex);
    return taken ? ERR_OK : ERR_ACCOUNT_LIMITED;
}

bool account_asked(const struct crawl *crawl)
{
    assert(crawl->site);
    /* Who only asks whether to deliver gets no content from here. */
    return crawl->gate->account_limits && !crawl->thread->decides && inquiry_asked(&crawl->exchange->message);
}

enum err account_arrive(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    crawl->path = message_path(&exchange->message);
    crawl->inquiry = arena_alloc(&exchange->arena, sizeof(*crawl->inquiry));
    if (!crawl->inquiry)
        return ERR_REQUEST_TOO_LARGE;
    return inquiry_read(&exchange->arena, &exchange->message, crawl->inquiry);
}

struct web_bot_auth_policy account_policy(struct crawl *crawl)
{
    struct web_bot_auth_policy policy =
        web_bot_auth_policy(crawl->gate->parts.config, crawl->site, SLICE(""));
    policy.tag = INQUIRY_TAG;
    policy.target = WEB_BOT_AUTH_REQUEST;
    policy.max_lifetime = policy.max_age = INQUIRY_LIFE_SECONDS;
    policy.changes_taken = true; /* a body is covered by its digest */
    policy.now = crawl->now_ms / 1000;
    policy.agents = &crawl->agents;
    policy.trace = &crawl->trace;
    return policy;
}

enum err account_identify(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    struct web_bot_auth_policy policy = account_policy(crawl);
    enum err err;
    /* What came of it is in crawl->agents, for the policy. */
    err = signature_agent_parse(&exchange->arena, &exchange->message, policy.insecure_hosts, &crawl->agents);
    assert(err == crawl->agents.err);
    TRY(web_bot_auth_select(&exchange->arena, &exchange->message, &policy, &crawl->candidate));
    err = take_of_client(crawl->gate->account_limits, &exchange->client);
out:
    return err;
}

/* On the reader's thread. */
static void on_read(struct reading *reading)
{
    struct exchange *exchange = reading->owner;
    exchange_resume(exchange);
}

/* What this gate knows without the ledger. */
static enum err fill_credit(struct crawl *crawl, struct reading *reading)
{
    struct credit_standing standing;
    if (!crawl->view)
        crawl->view = refresh_take_agreements(crawl->gate->parts.accounts);
    if (!crawl->view)
        return ERR_ACCOUNT_UNAVAILABLE;
    const struct credit_limits limits = crawl_limits(crawl);
    if (!credit_stand(refresh_credit(crawl->gate->parts.accounts), slice_of(crawl->site->name),
                      reading->agent, crawl->now_ms, &limits, &standing))
        return ERR_ACCOUNT_UNAVAILABLE;
    reading->credit = (struct reading_credit){.spent_today = standing.spent_micros,
                                              .owed = standing.owed_micros,
                                              .day_limit = limits.account.day_micros,
                                              .balance_limit = limits.account.balance_micros,
                                              .left = standing.left_micros};
    return ERR_OK;
}

static enum err fill_prices(struct crawl *crawl, struct reading *reading)
{
    const struct config_site *site = crawl->site;
    const struct config_rule **rules =
        arena_alloc(&crawl->exchange->arena, (site->rule_count + 1) * sizeof(*rules));
    if (!rules)
        return ERR_REQUEST_TOO_LARGE;
    for (size_t i = 0; i < site->rule_count; i++)
        if (rules_charges(crawl->gate->rules, crawl->site_index, i, reading->agent))
            rules[reading->rule_count++] = &site->rules[i];
    reading->rules = rules;
    return ERR_OK;
}

enum err account_hand_in(struct crawl *crawl)
{
    assert(crawl->inquiry && crawl->key.key && !crawl->reading);
    struct exchange *exchange = crawl->exchange;
    struct reading *reading = arena_alloc(&exchange->arena, sizeof(*reading));
    enum err err;
    if (!reading)
        return ERR_REQUEST_TOO_LARGE;
    *reading =
        (struct reading){.inquiry = crawl->inquiry,
                         .site = crawl->site,
                         .agent = crawl->candidate->agent->account,
                         .request = {.body = exchange->message.body,
                                     .base = crawl->candidate->base,
                                     .signature = crawl->candidate->signature,
                                     .thumbprint = slice_bytes(crawl->candidate->thumbprint, DIGEST_SIZE)},
                         .done = on_read,
                         .owner = exchange};
    OBJECT_MAKE(reading, READING_MAGIC);
    TRY(take_of_account(crawl->gate->account_limits, reading->agent));
    TRY(fill_credit(crawl, reading));
    TRY(fill_prices(crawl, reading));
    /* Before the reader has it: from then on another thread may look at both. */
    crawl->reading = reading;
    crawl->stage = CRAWL_READING;
    err = reader_submit(crawl->gate->parts.reader, reading);
    if (err != ERR_OK)
        crawl->stage = CRAWL_AUTHENTICATING;
out:
    return err;
}

/* --- The reply --- */

/* The body on its way. Outlives the request's arena, and frees itself. */
struct answer_stream {
    struct exchange_stream stream;
    uint32_t magic;
    char *bytes;
    size_t len, sent;
};

static struct answer_stream *answer_of(struct exchange_stream *stream)
{
    struct answer_stream *answer =
        (struct answer_stream *)(void *)((char *)stream - offsetof(struct answer_stream, stream));
    OBJECT_CHECK(answer, ANSWER_MAGIC);
    return answer;
}

static ptrdiff_t on_stream(struct exchange_stream *stream, char *out, size_t room)
{
    struct answer_stream *answer = answer_of(stream);
    size_t len = answer->len - answer->sent < room ? answer->len - answer->sent : room;
    if (len == 0)
        return EXCHANGE_END;
    memcpy(out, answer->bytes + answer->sent, len);
    answer->sent += len;
    return (ptrdiff_t)len;
}

static void on_close(struct exchange_stream *stream)
{
    struct answer_stream *answer = answer_of(stream);
    OBJECT_END(answer, ANSWER_MAGIC);
    size_t before = atomic_fetch_sub(&answer_bytes, answer->len);
    assert(before >= answer->len);
    free(answer->bytes);
    free(answer);
}

enum err account_reply(struct crawl *crawl)
{
    struct exchange *exchange = crawl->exchange;
    struct reading *reading = crawl->reading;
    if (reading->err != ERR_OK)
        return reading->err;
    assert(reading->body && reading->len > 0);
    if (!exchange_header(exchange, "Content-Type", reading->media_type) ||
        !exchange_header(exchange, "Cache-Control", "private, no-store") ||
        (reading->refusal != ERR_OK &&
         !exchange_header(exchange, "crawler-error", err_code(reading->refusal))))
        return ERR_REQUEST_TOO_LARGE;
    bool fits = atomic_fetch_add(&answer_bytes, reading->len) + reading->len <= ANSWER_BYTES_MAX;
    struct answer_stream *answer = fits ? calloc(1, sizeof(*answer)) : NULL;
    if (!answer) {
        atomic_fetch_sub(&answer_bytes, reading->len);
        return ERR_OVERLOADED;
    }
    *answer =
        (struct answer_stream){.stream = {on_stream, on_close}, .bytes = reading->body, .len = reading->len};
    OBJECT_MAKE(answer, ANSWER_MAGIC);
    reading->body = NULL;
    exchange->reply.status = reading->created ? 201 : err_status(reading->refusal);
    exchange->reply.stream = &answer->stream;
    exchange->reply.length = answer->len;
    return ERR_OK;
}

void account_finish(struct crawl *crawl)
{
    if (!crawl->reading)
        return;
    free(crawl->reading->body);
    OBJECT_END(crawl->reading, READING_MAGIC);
}

enum err account_failure(const struct crawl *crawl, enum err err)
{
    /* Its sentence speaks of a commitment. */
    return crawl->inquiry && err == ERR_SIGNATURE_REQUIRED ? ERR_ACCOUNT_SIGNATURE : err;
}

const char *account_methods(const struct crawl *crawl)
{
    assert(crawl->inquiry);
    return inquiry_methods(&crawl->exchange->message);
}
