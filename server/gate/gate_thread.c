#include "server/gate/gate_thread.h"

#include "ledger/base/object.h"

#include <stdlib.h>

void gate_thread_stop(void *context)
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

void *gate_thread_start(void *context)
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
    gate_thread_stop(thread);
    return NULL;
}

void *gate_thread_start_deciding(void *context)
{
    struct gate_thread *thread = gate_thread_start(context);
    if (thread)
        thread->decides = true;
    return thread;
}
