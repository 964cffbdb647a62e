/* One thread asks once for all who watch, and only while somebody does. It touches no stream: each thread of
 * the HTTP layer sees by itself that there is something new, as a stream may only be resumed on its own. */
#include "server/console/live.h"

#include "ledger/base/object.h"
#include "server/console/view/traffic_rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WATCHER_MAGIC 0x77e1c2a9u
#define EVERY_SECONDS 5
#define EVENT_MAX     4096

struct watcher {
    uint32_t magic;
    struct exchange_stream stream;
    struct exchange *exchange;
    struct live *live;
    struct live_watchers *among;
    char event[EVENT_MAX]; /* what is to be sent */
    size_t len, sent;
    uint64_t seen; /* the number of the last event */
    bool waiting;  /* it is resumed when there is more */
};

struct live {
    struct child_program program;
    pthread_t thread;
    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t wake;
    size_t watched; /* how many watch, on all threads */
    char event[EVENT_MAX];
    atomic_uint_fast64_t number; /* of the event; 0: there was none yet */
    atomic_bool stopping;
};

static struct watcher *watcher_of(struct exchange_stream *stream)
{
    struct watcher *watcher = (struct watcher *)(void *)((char *)stream - offsetof(struct watcher, stream));
    OBJECT_CHECK(watcher, WATCHER_MAGIC);
    return watcher;
}

/* There is something for it that was not sent. */
static bool has_news(const struct watcher *watcher)
{
    return watcher->sent < watcher->len || watcher->seen != atomic_load(&watcher->live->number) ||
           atomic_load(&watcher->live->stopping);
}

static void take_event(struct watcher *watcher)
{
    struct live *live = watcher->live;
    pthread_mutex_lock(&live->lock);
    watcher->len = (size_t)snprintf(watcher->event, sizeof(watcher->event), "%s", live->event);
    watcher->sent = 0;
    watcher->seen = atomic_load(&live->number);
    pthread_mutex_unlock(&live->lock);
}

static ptrdiff_t on_read(struct exchange_stream *stream, char *out, size_t room)
{
    struct watcher *watcher = watcher_of(stream);
    if (watcher->sent == watcher->len && watcher->seen != atomic_load(&watcher->live->number))
        take_event(watcher);
    size_t left = watcher->len - watcher->sent, len = left < room ? left : room;
    watcher->waiting = len == 0 && !atomic_load(&watcher->live->stopping);
    if (len == 0)
        return watcher->waiting ? EXCHANGE_LATER : EXCHANGE_END;
    memcpy(out, watcher->event + watcher->sent, len);
    watcher->sent += len;
    return (ptrdiff_t)len;
}

static void count(struct live *live, bool more)
{
    pthread_mutex_lock(&live->lock);
    live->watched += more ? 1 : (size_t)-1;
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
}

static void on_close(struct exchange_stream *stream)
{
    struct watcher *watcher = watcher_of(stream);
    struct live_watchers *among = watcher->among;
    for (size_t i = 0; i < among->count; i++)
        if (among->items[i] == watcher)
            among->items[i--] = among->items[--among->count];
    count(watcher->live, false);
    OBJECT_END(watcher, WATCHER_MAGIC);
    free(watcher);
}

void live_turn(struct live *live, struct live_watchers *watchers)
{
    (void)live;
    for (size_t i = 0; i < watchers->count; i++) {
        struct watcher *watcher = watchers->items[i];
        if (!watcher->waiting || !has_news(watcher))
            continue;
        watcher->waiting = false;
        exchange_resume(watcher->exchange);
    }
}

/* {"site": {"paid": ..., "earned_micros": ...}, ...} */
static json_t *numbers_of(const json_t *answer)
{
    static const char *const names[] = {"requests", "offered",       "paid",
                                        "refused",  "earned_micros", "would_have_earned_micros"};
    json_t *rows = traffic_rows(answer, NULL), *sites = json_object(), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "site"));
        json_t *site = json_object_get(sites, name);
        if (!site) {
            site = json_object();
            json_object_set_new(sites, name, site);
        }
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
            json_object_set_new(site, names[k],
                                json_integer(json_integer_value(json_object_get(site, names[k])) +
                                             json_integer_value(json_object_get(row, names[k]))));
        json_object_set(site, "currency", json_object_get(row, "currency"));
    }
    json_decref(rows);
    return sites;
}

/* What is told now. An event that is no other than the last one is a comment, so that a proxy in front does
 * not take the silence for an end. */
static void ask(struct live *live, char event[EVENT_MAX])
{
    struct child_words words;
    struct child_result result;
    child_words("today --json", NULL, &words);
    child_run(&live->program, &words, "console", (struct slice){NULL, 0}, &result);
    json_t *answer = result.status == 0 ? json_loads(result.out, 0, NULL) : NULL;
    json_t *numbers = answer ? numbers_of(answer) : NULL;
    char *text = numbers ? json_dumps(numbers, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (!text || strlen(text) > EVENT_MAX - 64)
        snprintf(event, EVENT_MAX, ": nothing new\n\n");
    else
        snprintf(event, EVENT_MAX, "event: today\ndata: %s\n\n", text);
    free(text);
    json_decref(numbers);
    json_decref(answer);
    child_words_free(&words);
    child_result_free(&result);
}

/* With the lock. */
static void wait_a_while(struct live *live)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += EVERY_SECONDS;
    if (live->watched == 0)
        pthread_cond_wait(&live->wake, &live->lock);
    else
        pthread_cond_timedwait(&live->wake, &live->lock, &until);
}

static void *run(void *context)
{
    struct live *live = context;
    char event[EVENT_MAX];
    pthread_mutex_lock(&live->lock);
    while (!atomic_load(&live->stopping)) {
        if (live->watched > 0) {
            pthread_mutex_unlock(&live->lock);
            ask(live, event);
            pthread_mutex_lock(&live->lock);
            snprintf(live->event, sizeof(live->event), "%s", event);
            atomic_fetch_add(&live->number, 1);
        }
        if (!atomic_load(&live->stopping))
            wait_a_while(live);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}

struct live *live_start(const struct child_program *program)
{
    struct live *live = calloc(1, sizeof(*live));
    pthread_condattr_t attributes;
    if (!live)
        return NULL;
    live->program = *program;
    pthread_mutex_init(&live->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&live->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&live->thread, NULL, run, live) == 0)
        return live;
    free(live);
    return NULL;
}

void live_stop(struct live *live)
{
    if (!live)
        return;
    pthread_mutex_lock(&live->lock);
    atomic_store(&live->stopping, true);
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->thread, NULL);
}

void live_free(struct live *live)
{
    if (!live)
        return;
    pthread_cond_destroy(&live->wake);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

void live_answer(struct live *live, struct live_watchers *watchers, struct exchange *exchange)
{
    struct watcher *watcher = watchers->count < LIVE_WATCHERS_MAX && !atomic_load(&live->stopping)
                                  ? calloc(1, sizeof(*watcher))
                                  : NULL;
    if (!watcher) {
        exchange->reply.status = 503;
        exchange->reply.body = SLICE("too many watch\n");
        return;
    }
    OBJECT_MAKE(watcher, WATCHER_MAGIC);
    watcher->stream = (struct exchange_stream){on_read, on_close};
    watcher->exchange = exchange;
    watcher->live = live;
    watcher->among = watchers;
    watchers->items[watchers->count++] = watcher;
    count(live, true);
    exchange->reply.status = 200;
    exchange->reply.length = EXCHANGE_UNKNOWN_LENGTH;
    exchange->reply.stream = &watcher->stream;
    exchange_header(exchange, "Cache-Control", "no-store");
    exchange_header(exchange, "X-Accel-Buffering", "no");
    exchange_header(exchange, "Content-Type", "text/event-stream");
}
