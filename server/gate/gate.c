/* The coordinator: takes a request along the steps of crawl.h, parks it where it must wait, and logs how it
 * went. */
#include "server/gate/crawl.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/random.h"
#include "server/gate/offer_key.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

/* Entries that a thread hands to the writer at once: the more in a commit, the less each costs; the fewer,
 * the sooner the first is answered and the better verifying and writing overlap. */
#define GATHERED_MAX 32

static struct crawl *crawl_of_wait(struct directory_wait *wait)
{
    return (struct crawl *)(void *)((char *)wait - offsetof(struct crawl, wait));
}

static struct crawl *crawl_of_charge(struct charge *charge)
{
    return (struct crawl *)(void *)((char *)charge - offsetof(struct crawl, charge));
}

/* On the fetch thread. */
static void on_directory(struct directory_wait *wait)
{
    exchange_resume(crawl_of_wait(wait)->exchange);
}

/* On the writer's thread. */
static void on_recorded(struct charge *charge)
{
    struct crawl *crawl = crawl_of_charge(charge);
    crawl_settle(crawl);
    exchange_resume(crawl->exchange);
}

/* Charged at most, free, or free for one account that must prove itself. ERR_OK with *authenticate false: the
 * reply is ready. */
static enum err enter(struct crawl *crawl, bool *authenticate)
{
    enum err err;
    *authenticate = false;
    TRY(crawl_arrive(crawl));
    if (crawl->decision.action == SITE_CHARGE) {
        *authenticate = true;
        TRY(crawl_redeem(crawl));
        /* Nothing is given away by 301, 304 and 416, so nothing is charged. */
        *authenticate = content_is_given(&crawl->exchange->reply);
    } else if (crawl->decision.account) {
        *authenticate = true;
        TRY(crawl_identify(crawl));
    } else if (own_directory_is_at(crawl->path)) {
        err = own_directory_reply(crawl->thread->gate->own_directory, crawl->exchange, crawl->now_ms);
    } else {
        err = content_open(crawl->thread->gate->roots[crawl->site_index], crawl->exchange, crawl->path);
    }
out:
    return err;
}

/* After the signature: record, unless it is known to be recorded, or give a free page to the one it is free
 * for. */
static enum err go_on(struct crawl *crawl, bool *park)
{
    bool wanted = false;
    enum err err;
    TRY(crawl_authenticate(crawl, &wanted));
    if (wanted) {
        *park = true;
        return ERR_OK;
    }
    if (!crawl->redeeming)
        return content_open(crawl->thread->gate->roots[crawl->site_index], crawl->exchange, crawl->path);
    TRY(crawl_prepare_charge(crawl));
    crawl->charge.done = on_recorded;
    crawl->stage = CRAWL_RECORDING;
    *park = !writer_recall(crawl->thread->gate->parts.writer, &crawl->charge);
out:
    return err;
}

static void log_outcome(const struct crawl *crawl, enum err outcome)
{
    char id[UUID_TEXT_MAX];
    bool recorded = crawl->stage == CRAWL_RECORDING;
    bool refused = outcome != ERR_OK && crawl->trace.failed != CHECK_COUNT;
    LOG(DEBUG, "request", {"site", crawl->site ? crawl->site->name : NULL},
        {"status", LOG_NUMBER(crawl->exchange->reply.status)},
        {"check", refused ? web_bot_auth_check_name(crawl->trace.failed) : NULL},
        {"code", outcome != ERR_OK ? err_code(outcome)
                 : recorded        ? "paid"
                                   : "free"},
        {"payment", recorded ? uuid_format(crawl->id.uuid, id) : NULL},
        {"repeated", recorded && crawl->charge.repeated ? "yes" : NULL});
}

static struct crawl *crawl_new(struct gate_thread *thread, struct exchange *exchange)
{
    struct crawl *crawl = arena_alloc(&exchange->arena, sizeof(*crawl));
    if (!crawl)
        return NULL;
    *crawl = (struct crawl){.exchange = exchange, .thread = thread, .now_ms = clock_now_ms()};
    crawl->trace.failed = CHECK_COUNT;
    crawl->wait.ready = on_directory;
    crawl->wait.client = exchange->client;
    exchange->state = crawl;
    return crawl;
}

static enum exchange_verdict on_request(void *context, struct exchange *exchange)
{
    struct crawl *crawl = exchange->state ? exchange->state : crawl_new(context, exchange);
    bool park = false;
    enum err err = ERR_OK;
    if (!crawl) {
        exchange->reply.status = 431;
        return EXCHANGE_REPLY;
    }
    if (crawl->stage == CRAWL_RECORDING) {
        err = crawl->charge.outcome;
    } else {
        bool authenticate = crawl->stage == CRAWL_AUTHENTICATING;
        if (crawl->stage == CRAWL_ARRIVED)
            err = enter(crawl, &authenticate);
        if (err == ERR_OK && authenticate) {
            crawl->stage = CRAWL_AUTHENTICATING;
            err = go_on(crawl, &park);
        }
    }
    if (err == ERR_OK && park)
        return EXCHANGE_PARK;
    crawl_reply(crawl, err);
    log_outcome(crawl, err);
    return EXCHANGE_REPLY;
}

/* Hands what was gathered to the writer. What it does not take goes on at once with that failure. */
static void on_turned(void *context)
{
    struct gate_thread *thread = context;
    struct charge *next;
    for (struct charge *charge = thread->gathered; charge; charge = next) {
        next = charge->next;
        enum err err = writer_submit(thread->gate->parts.writer, charge);
        if (err != ERR_OK) {
            charge->outcome = err;
            charge->done(charge);
        }
    }
    thread->gathered = NULL;
    thread->gathered_count = 0;
}

static void gather(struct gate_thread *thread, struct charge *charge)
{
    charge->next = thread->gathered;
    thread->gathered = charge;
    if (++thread->gathered_count >= GATHERED_MAX)
        on_turned(thread);
}

/* Hands the request over, to the directory's fetch or to the writer. When the fetch does not take it, it goes
 * on at once with that failure. */
static void on_parked(void *context, struct exchange *exchange)
{
    struct gate_thread *thread = context;
    struct crawl *crawl = exchange->state;
    if (crawl->stage == CRAWL_RECORDING) {
        gather(thread, &crawl->charge);
        return;
    }
    crawl->waited = true;
    crawl->refused =
        directory_await(thread->gate->parts.directory, crawl->candidate->agent->directory_url, &crawl->wait);
    if (crawl->refused != ERR_OK)
        exchange_resume(exchange);
}

static void on_refuse(void *context, struct exchange *exchange, enum err err)
{
    struct crawl *crawl = crawl_new(context, exchange);
    struct crawl spare = {.exchange = exchange, .thread = context, .trace = {.failed = CHECK_COUNT}};
    crawl_reply(crawl ? crawl : &spare, err);
    log_outcome(crawl ? crawl : &spare, err);
}

static void on_finished(void *context, struct exchange *exchange)
{
    struct crawl *crawl = exchange->state;
    (void)context;
    if (!crawl)
        return;
    directory_key_clear(&crawl->key);
    account_view_free(crawl->view);
}

static void stop_thread(void *context)
{
    struct gate_thread *thread = context;
    hmac_free(thread->keys.current);
    hmac_free(thread->keys.previous);
    free(thread);
}

static void *start_thread(void *context)
{
    struct gate *gate = context;
    struct gate_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    thread->gate = gate;
    thread->keys.current = hmac_new(gate->key_bytes[0], DIGEST_SIZE);
    if (gate->has_previous_key)
        thread->keys.previous = hmac_new(gate->key_bytes[1], DIGEST_SIZE);
    if (thread->keys.current && (thread->keys.previous || !gate->has_previous_key))
        return thread;
    stop_thread(thread);
    return NULL;
}

struct exchange_handler gate_handler(struct gate *gate)
{
    return (struct exchange_handler){
        .context = gate,
        .thread_start = start_thread,
        .thread_stop = stop_thread,
        .handle = on_request,
        .parked = on_parked,
        .turned = on_turned,
        .refuse = on_refuse,
        .finished = on_finished,
    };
}

static bool open_roots(struct gate *gate)
{
    const struct config *config = gate->parts.config;
    gate->roots = calloc(config->site_count, sizeof(*gate->roots));
    for (size_t i = 0; gate->roots && i < config->site_count; i++) {
        gate->roots[i] = content_root_open(config->sites[i].root);
        if (!gate->roots[i])
            return false;
    }
    return gate->roots != NULL;
}

struct gate *gate_new(const struct gate_parts *parts)
{
    struct offer_key key;
    struct gate *gate = calloc(1, sizeof(*gate));
    static_assert(OFFER_KEY_SIZE == DIGEST_SIZE, "keys are as long as the MAC's digest");
    if (!gate)
        return NULL;
    gate->parts = *parts;
    gate->sites = site_table_new(parts->config);
    if (!gate->sites || !open_roots(gate) || !offer_key_load(parts->config->offer_key_file, &key)) {
        gate_free(gate);
        return NULL;
    }
    gate->own_directory = own_directory_new(parts->config, clock_now_ms());
    if (!gate->own_directory) {
        gate_free(gate);
        return NULL;
    }
    memcpy(gate->key_bytes[0], key.current, OFFER_KEY_SIZE);
    memcpy(gate->key_bytes[1], key.previous, OFFER_KEY_SIZE);
    gate->has_previous_key = key.has_previous;
    explicit_bzero(&key, sizeof(key));
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    site_table_free(gate->sites);
    own_directory_free(gate->own_directory);
    for (size_t i = 0; gate->roots && i < gate->parts.config->site_count; i++)
        content_root_close(gate->roots[i]);
    free(gate->roots);
    explicit_bzero(gate->key_bytes, sizeof(gate->key_bytes));
    free(gate);
}
