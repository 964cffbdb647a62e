#include "server/http/lane.h"

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
