/* After a reload two handlers are in use for a while. Counted by thread, without atomics: a request enters
 * and leaves on one thread, and the former handler's part goes when its last one has left. */
#include "server/http/serving.h"
#include "ledger/base/object.h"

#include "server/http/worker.h"

#include <assert.h>
#include <stdlib.h>

struct serving *serving_new(const struct exchange_handler *handler, const struct config_list *proxies)
{
    struct serving *serving = calloc(1, sizeof(*serving));
    if (!serving)
        return NULL;
    OBJECT_MAKE(serving, SERVING_MAGIC);
    serving->handler = handler;
    serving->trust = client_trust_new(proxies);
    serving->thread = serving->trust ? handler->thread_start(handler->context) : NULL;
    if (serving->thread)
        return serving;
    client_trust_free(serving->trust);
    free(serving);
    return NULL;
}

void serving_free(struct serving *serving)
{
    if (!serving)
        return;
    OBJECT_END(serving, SERVING_MAGIC);
    serving->handler->thread_stop(serving->thread);
    client_trust_free(serving->trust);
    free(serving);
}

void serving_switch(struct worker *worker)
{
    struct serving *next = atomic_load_explicit(&worker->next, memory_order_acquire);
    if (next) {
        assert(!worker->former);
        worker->former = worker->serving;
        worker->serving = next;
        atomic_store_explicit(&worker->next, NULL, memory_order_relaxed);
    }
    /* The handler itself must stay until every thread has come here: whoever switched waits for the count. */
    if (worker->former && worker->former->active == 0) {
        serving_free(worker->former);
        worker->former = NULL;
        size_t switching = atomic_fetch_sub(&worker->http->switching, 1);
        assert(switching > 0);
    }
}

struct serving *serving_enter(struct worker *worker)
{
    /* At once, and not in the thread's next turn: what is asked for after a switch has the new handler. */
    serving_switch(worker);
    OBJECT_CHECK(worker->serving, SERVING_MAGIC);
    worker->serving->active++;
    return worker->serving;
}

void serving_leave(struct http_private *private)
{
    struct serving *serving = private->serving;
    if (!serving)
        return;
    OBJECT_CHECK(serving, SERVING_MAGIC);
    assert(serving->active > 0);
    serving->handler->finished(serving->thread, &private->exchange);
    serving->active--;
    private->serving = NULL;
}
