#include "server/http/serving.h"

#include "server/http/worker.h"

#include <assert.h>
#include <stdlib.h>

struct lane *lane_new(const struct exchange_handler *handler)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    lane->handler = handler;
    lane->thread = handler->thread_start(handler->context);
    if (lane->thread)
        return lane;
    free(lane);
    return NULL;
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    lane->handler->thread_stop(lane->thread);
    free(lane);
}

void lane_keep(struct worker *worker)
{
    struct lane *next = atomic_load_explicit(&worker->next, memory_order_acquire);
    if (next) {
        assert(!worker->former);
        worker->former = worker->lane;
        worker->lane = next;
        atomic_store_explicit(&worker->next, NULL, memory_order_relaxed);
    }
    if (worker->former && worker->former->active == 0) {
        lane_free(worker->former);
        worker->former = NULL;
        atomic_fetch_sub(&worker->http->switching, 1);
    }
}

struct lane *lane_enter(struct worker *worker)
{
    lane_keep(worker);
    worker->lane->active++;
    return worker->lane;
}

void lane_leave(struct http_private *private)
{
    struct lane *lane = private->lane;
    if (!lane)
        return;
    lane->handler->finished(lane->thread, &private->exchange);
    lane->active--;
    private->lane = NULL;
}
