/* A ring of bytes. The thread takes as many whole lines as a pipe surely takes in one piece (PIPE_BUF), and
 * asks poll before it writes: so neither a pipe that is full nor a stopped terminal ever holds it, it can
 * end, and lines that others write to the same place stay whole. */
#define _GNU_SOURCE /* memrchr */
#include "ledger/base/log_queue.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES ((size_t)1 << 20) /* a few thousand lines: a reader's pause of a second under load */
#define POLL_MS    100
#define LAST_MS    1000

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_t thread;
    atomic_bool running;
    bool stopping, asleep; /* under the mutex, like all below */
    size_t first, used;
    int64_t lost, lost_ever; /* of the former none is told yet */
    char ring[RING_BYTES];
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

bool log_queue_put(const char *line, size_t len)
{
    if (!atomic_load_explicit(&queue.running, memory_order_relaxed))
        return false;
    assert(len > 0 && len <= PIPE_BUF && line[len - 1] == '\n');
    pthread_mutex_lock(&queue.mutex);
    if (queue.used + len > RING_BYTES) {
        queue.lost++;
        queue.lost_ever++;
    } else {
        size_t at = (queue.first + queue.used) % RING_BYTES;
        size_t head = len < RING_BYTES - at ? len : RING_BYTES - at;
        memcpy(queue.ring + at, line, head);
        memcpy(queue.ring, line + head, len - head);
        queue.used += len;
    }
    if (queue.asleep)
        pthread_cond_signal(&queue.work);
    pthread_mutex_unlock(&queue.mutex);
    return true;
}

/* Whole lines, of at most PIPE_BUF bytes. With the mutex held. */
static size_t take(char *out)
{
    size_t len = queue.used < PIPE_BUF ? queue.used : PIPE_BUF;
    size_t head = len < RING_BYTES - queue.first ? len : RING_BYTES - queue.first;
    memcpy(out, queue.ring + queue.first, head);
    memcpy(out + head, queue.ring, len - head);
    const char *last = memrchr(out, '\n', len);
    assert(!last == (len == 0)); /* a line is not longer than that */
    len = last ? (size_t)(last - out) + 1 : 0;
    queue.first = (queue.first + len) % RING_BYTES;
    queue.used -= len;
    return len;
}

/* Says what was lost, when there is room again. With the mutex held. */
static size_t tell_lost(char *out)
{
    char now[INSTANT_TEXT_MAX];
    int len = snprintf(out, PIPE_BUF,
                       "time=%s level=warn event=log_lines_lost lines=%" PRId64
                       " detail=\"whoever reads the log does not keep up\"\n",
                       instant_format(clock_now_ms(), now), queue.lost);
    queue.lost = 0;
    return (size_t)len;
}

static bool is_stopping(void)
{
    pthread_mutex_lock(&queue.mutex);
    bool stopping = queue.stopping;
    pthread_mutex_unlock(&queue.mutex);
    return stopping;
}

/* Waits until it can be written; not for longer than LAST_MS when the program ends. */
static bool write_out(const char *text, size_t len, int64_t *ending_ms)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (poll(&out, 1, POLL_MS) == 0) {
        if (*ending_ms == 0 && is_stopping())
            *ending_ms = clock_monotonic_ms();
        if (*ending_ms > 0 && clock_monotonic_ms() - *ending_ms > LAST_MS)
            return false;
    }
    while (len > 0) {
        ssize_t done = write(STDERR_FILENO, text, len);
        if (done <= 0)
            break; /* nowhere left to say it */
        text += done;
        len -= (size_t)done;
    }
    return true;
}

static void *write_lines(void *context)
{
    char text[PIPE_BUF];
    int64_t ending_ms = 0;
    bool lost_told = false;
    (void)context;
    pthread_mutex_lock(&queue.mutex);
    for (;;) {
        lost_told = queue.lost > 0 && queue.used < RING_BYTES / 2;
        size_t len = lost_told ? tell_lost(text) : take(text);
        if (len > 0) {
            pthread_mutex_unlock(&queue.mutex);
            bool go_on = write_out(text, len, &ending_ms);
            pthread_mutex_lock(&queue.mutex);
            if (!go_on)
                break;
            continue;
        }
        if (queue.stopping)
            break;
        queue.asleep = true;
        pthread_cond_wait(&queue.work, &queue.mutex);
        queue.asleep = false;
    }
    pthread_mutex_unlock(&queue.mutex);
    return NULL;
}

int64_t log_queue_lost(void)
{
    pthread_mutex_lock(&queue.mutex);
    int64_t lost = queue.lost_ever;
    pthread_mutex_unlock(&queue.mutex);
    return lost;
}

bool log_queue_start(void)
{
    sigset_t all, before;
    assert(!atomic_load(&queue.running));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that waits for them */
    queue.stopping = false;
    queue.first = queue.used = 0; /* what the last one could not write */
    queue.lost = 0;
    bool started = pthread_create(&queue.thread, NULL, write_lines, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    atomic_store(&queue.running, started);
    return started;
}

void log_queue_stop(void)
{
    if (!atomic_load(&queue.running))
        return;
    pthread_mutex_lock(&queue.mutex);
    queue.stopping = true;
    pthread_cond_signal(&queue.work);
    pthread_mutex_unlock(&queue.mutex);
    pthread_join(queue.thread, NULL);
    atomic_store(&queue.running, false);
}
