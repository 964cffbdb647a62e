/* The gate as a whole: what its configuration makes it, and what the HTTP layer calls. */
#include "server/gate/account.h"
#include "server/gate/gate_passage.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an HTTP thread has of the gate. */
static void thread_stop(void *context)
{
    struct gate_thread *thread = context;
    OBJECT_END(thread, GATE_THREAD_MAGIC);
    hmac_free(thread->keys.current);
    hmac_free(thread->keys.previous);
    hmac_free(thread->client_tags);
    tally_release(thread->tally);
    content_view_end(&thread->view);
    free(thread);
}

/* NULL: without memory. */
static void *thread_start(void *context)
{
    OBJECT_CHECK((struct gate *)context, GATE_MAGIC);
    struct gate *gate = context;
    struct gate_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    OBJECT_MAKE(thread, GATE_THREAD_MAGIC);
    thread->gate = gate;
    thread->keys.current = hmac_new(gate->offer_key.current, OFFER_KEY_SIZE);
    if (gate->offer_key.has_previous)
        thread->keys.previous = hmac_new(gate->offer_key.previous, OFFER_KEY_SIZE);
    if (gate->parts.traffic)
        thread->tally = recorder_tally(gate->parts.traffic);
    if (gate->parts.journal)
        thread->client_tags = client_tag_key(gate->offer_key.current, OFFER_KEY_SIZE);
    if (thread->keys.current && (thread->keys.previous || !gate->offer_key.has_previous))
        return thread;
    thread_stop(thread);
    return NULL;
}

static void *thread_start_deciding(void *context)
{
    struct gate_thread *thread = thread_start(context);
    if (thread)
        thread->decides = true;
    return thread;
}

static size_t body_room(void *context, const struct exchange *exchange)
{
    const struct gate_thread *thread = context;
    const struct gate *gate = thread->gate;
    const struct message *message = &exchange->message;
    struct slice host;
    size_t index;
    if (gate->account_limits && inquiry_asked(message))
        return inquiry_body_room(message);
    bool taken = rules_find_site(gate->rules, message->authority, &index, &host) &&
                 *gate->parts.config->sites[index].origin &&
                 crawl_takes_method(&gate->parts.config->sites[index], message->method);
    return taken ? (size_t)gate->parts.config->origin_body_bytes : 0;
}

static bool takes_bodies(const struct config *config)
{
    bool takes = false;
    for (size_t i = 0; i < config->site_count; i++)
        takes = takes || config->sites[i].methods.count > 0;
    return takes;
}

struct exchange_handler gate_handler(struct gate *gate)
{
    OBJECT_CHECK(gate, GATE_MAGIC);
    return (struct exchange_handler){
        .context = gate,
        .thread_start = thread_start,
        .body_room = gate->account_limits || takes_bodies(gate->parts.config) ? body_room : NULL,
        .thread_stop = thread_stop,
        .handle = gate_passage_request,
        .parked = gate_passage_parked,
        .turned = gate_passage_turned,
        .refuse = gate_passage_refuse,
        .finished = gate_passage_finished,
    };
}

struct exchange_handler gate_deciding_handler(struct gate *gate)
{
    struct exchange_handler handler = gate_handler(gate);
    handler.thread_start = thread_start_deciding;
    handler.body_room = NULL; /* bodies go to the site, and are never judged by the way */
    return handler;
}

static bool open_roots(struct gate *gate)
{
    const struct config *config = gate->parts.config;
    gate->roots = calloc(config->site_count, sizeof(*gate->roots));
    for (size_t i = 0; gate->roots && i < config->site_count; i++) {
        if (!*config->sites[i].root)
            continue; /* all is the origin's */
        gate->roots[i] = content_root_open(config->sites[i].root);
        if (!gate->roots[i])
            return false;
    }
    return gate->roots != NULL;
}

/* Nobody should wonder at the end of a month why there is no invoice. */
static void tell_observed(const struct config *config)
{
    for (size_t i = 0; i < config->site_count; i++)
        if (strcmp(config->sites[i].mode, "observe") == 0)
            LOG(INFO, "observing", {"site", config->sites[i].name},
                {"detail", "nothing is charged; crawltab traffic tells what would be"});
}

struct gate *gate_new(const struct gate_parts *parts)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return NULL;
    assert(parts->config);
    OBJECT_MAKE(gate, GATE_MAGIC);
    gate->parts = *parts;
    random_bytes(&gate->lane, sizeof(gate->lane));
    tell_observed(parts->config);
    gate->rules = rules_new(parts->config);
    if (!gate->rules || !open_roots(gate) ||
        !offer_key_load(parts->config->offer_key_file, &gate->offer_key)) {
        gate_free(gate);
        return NULL;
    }
    gate->own_directory = own_directory_new(parts->config, clock_now_ms());
    gate->own_licence = own_licence_new(parts->config, clock_now_ms());
    if (parts->reader && parts->config->account_requests > 0)
        gate->account_limits = account_limits_new(parts->config);
    if (!gate->own_directory || !gate->own_licence) {
        gate_free(gate);
        return NULL;
    }
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    OBJECT_END(gate, GATE_MAGIC);
    rules_free(gate->rules);
    own_directory_free(gate->own_directory);
    own_licence_free(gate->own_licence);
    account_limits_free(gate->account_limits);
    for (size_t i = 0; gate->roots && i < gate->parts.config->site_count; i++)
        content_root_close(gate->roots[i]);
    free(gate->roots);
    /* The offer key is worth as much as the private key of a certificate. */
    explicit_bzero(&gate->offer_key, sizeof(gate->offer_key));
    free(gate);
}
