/* One mutex guards all of it and is held for a few instructions, never across a wait, a statement or an
 * answer. Threads that can write wait for `work`, of which each submission wakes one, and only if one waits;
 * the others wait for `end`, so that no submission wakes a thread that has no connection for it. */
#include "ledger/entry/queue.h"

#include "ledger/base/clock.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_MS   1000 /* how often an idle connection is looked at */
#define EXPIRE_MS 50   /* how often deadlines are looked at while there is no connection */

#define QUEUE_MAGIC 0x91e4d72bu

struct queue {
    uint32_t magic;
    size_t most;
    pthread_mutex_t mutex;
    pthread_cond_t work;            /* connected threads wait for this: an entry, or the end */
    pthread_cond_t end;             /* and the others for this */
    struct submission *head, *tail; /* under the mutex, like all that follows */
    size_t queued;
    size_t idle; /* threads that wait for work */
    bool stopping;
};

static bool init_lock(struct queue *queue)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&queue->mutex, NULL) != 0 || pthread_condattr_init(&attributes) != 0)
        return false;
    /* The clock of clock_monotonic_ms. */
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&queue->work, &attributes) == 0 &&
              pthread_cond_init(&queue->end, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct queue *queue_new(size_t most)
{
    assert(most > 0);
    struct queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    OBJECT_MAKE(queue, QUEUE_MAGIC);
    queue->most = most;
    if (init_lock(queue))
        return queue;
    free(queue);
    return NULL;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    assert(!queue->head && queue->queued == 0 && queue->idle == 0); /* somebody waits for each */
    OBJECT_END(queue, QUEUE_MAGIC);
    pthread_cond_destroy(&queue->work);
    pthread_cond_destroy(&queue->end);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

enum err queue_put(struct queue *queue, struct submission *submission)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    enum err err = ERR_OK;
    submission->next = NULL;
    pthread_mutex_lock(&queue->mutex);
    assert(!queue->stopping && (queue->head == NULL) == (queue->queued == 0) &&
           (queue->head == NULL) == (queue->tail == NULL));
    if (queue->queued >= queue->most) {
        err = ERR_OVERLOADED;
    } else {
        if (queue->tail)
            queue->tail->next = submission;
        else
            queue->head = submission;
        queue->tail = submission;
        submission->taken = true; /* under the mutex: from here on another thread may answer it */
        queue->queued++;
        metrics_add(METRIC_QUEUE_ENTRIES, 1);
        if (queue->idle > 0)
            pthread_cond_signal(&queue->work);
    }
    pthread_mutex_unlock(&queue->mutex);
    return err;
}

void queue_wake(struct queue *queue)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    pthread_mutex_lock(&queue->mutex);
    assert(!queue->stopping);
    if (queue->idle > 0)
        pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->mutex);
}

struct submission *queue_take(struct queue *queue, int64_t until_ms)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    pthread_mutex_lock(&queue->mutex);
    struct submission *submission = queue->head;
    /* In the order of their coming, which is that of their deadlines: the first one tells for all. */
    if (submission && submission->deadline_ms > until_ms)
        submission = NULL;
    if (submission) {
        OBJECT_CHECK(submission, SUBMISSION_MAGIC);
        queue->head = submission->next;
        if (!queue->head)
            queue->tail = NULL;
        assert(queue->queued > 0 && submission->taken);
        queue->queued--;
        metrics_add(METRIC_QUEUE_ENTRIES, -1);
        assert((queue->head == NULL) == (queue->queued == 0));
    }
    pthread_mutex_unlock(&queue->mutex);
    return submission;
}

int64_t queue_deadline(struct queue *queue)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    pthread_mutex_lock(&queue->mutex);
    int64_t first = queue->head ? queue->head->deadline_ms : INT64_MAX;
    pthread_mutex_unlock(&queue->mutex);
    return first;
}

static void wait_until(struct queue *queue, pthread_cond_t *condition, int64_t monotonic_ms)
{
    assert(monotonic_ms >= 0);
    struct timespec until = {monotonic_ms / 1000, monotonic_ms % 1000 * 1000000};
    pthread_cond_timedwait(condition, &queue->mutex, &until);
}

bool queue_wait(struct queue *queue, const struct queue_waiter *waiter)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&queue->mutex);
    /* The reports, too, under the mutex: who puts one there takes it to wake somebody, and is not missed. */
    bool pending = waiter->holds || queue->head || (waiter->connected && reports_wait(waiter->reports));
    if (!queue->stopping && waiter->connected && !pending) {
        queue->idle++;
        wait_until(queue, &queue->work, now + IDLE_MS);
        queue->idle--;
    } else if (!queue->stopping && !waiter->connected && waiter->connect_at_ms > now) {
        bool soon = pending && waiter->connect_at_ms > now + EXPIRE_MS;
        wait_until(queue, &queue->end, soon ? now + EXPIRE_MS : waiter->connect_at_ms);
    }
    bool go_on = !queue->stopping || (waiter->connected && pending);
    pthread_mutex_unlock(&queue->mutex);
    return go_on;
}

void queue_stop(struct queue *queue)
{
    OBJECT_CHECK(queue, QUEUE_MAGIC);
    pthread_mutex_lock(&queue->mutex);
    queue->stopping = true;
    pthread_cond_broadcast(&queue->work);
    pthread_cond_broadcast(&queue->end);
    pthread_mutex_unlock(&queue->mutex);
}
