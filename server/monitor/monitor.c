/* /readyz and /healthz are two questions: a gate whose database is away must not be restarted, which helps
 * nobody, but a balancer that has others should send payments there. So health looks at threads alone. */
#include "server/monitor/monitor.h"

#include "ledger/base/object.h"
#include "server/monitor/exposition.h"
#include "server/monitor/readiness.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MONITOR_MAGIC 0x2d71b6c3u
#define PAGE_MAGIC    0x8ae50f49u

#define ALIVE_WITHIN_MS 10000 /* an HTTP thread looks twenty times a second for something to do */

struct monitor {
    uint32_t magic;
    struct monitor_parts parts;
    const struct http *http;
};

/* Of the process and not of a monitor: a reload makes another one, and stopping goes on. */
static atomic_bool stopping;

/* A body in memory of its own: with many sites it is larger than an exchange's arena. */
struct page {
    uint32_t magic;
    struct exchange_stream stream;
    char *text;
    size_t len, sent;
};

static struct page *page_of(struct exchange_stream *stream)
{
    struct page *page = (struct page *)(void *)((char *)stream - offsetof(struct page, stream));
    OBJECT_CHECK(page, PAGE_MAGIC);
    assert(page->sent <= page->len);
    return page;
}

static ptrdiff_t on_read(struct exchange_stream *stream, char *out, size_t room)
{
    struct page *page = page_of(stream);
    size_t len = page->len - page->sent < room ? page->len - page->sent : room;
    if (len == 0)
        return EXCHANGE_END;
    memcpy(out, page->text + page->sent, len);
    page->sent += len;
    return (ptrdiff_t)len;
}

static void on_close(struct exchange_stream *stream)
{
    struct page *page = page_of(stream);
    free(page->text);
    OBJECT_END(page, PAGE_MAGIC);
    free(page);
}

static void answer(struct exchange *exchange, unsigned status, const char *type, struct slice body)
{
    exchange->reply.status = status;
    exchange->reply.body = body;
    if (!exchange_header(exchange, "Cache-Control", "no-store") ||
        !exchange_header(exchange, "Content-Type", type))
        exchange->reply.headers = NULL;
}

/* `write` says what to answer, and which status it has. */
static void answer_page(struct monitor *monitor, struct exchange *exchange, const char *type,
                        unsigned (*write)(FILE *out, const struct monitor_parts *parts, bool stopping))
{
    assert(!exchange->reply.stream && exchange->reply.fd < 0); /* nothing else is sent, or it would leak */
    struct page *page = calloc(1, sizeof(*page));
    /* Written as a whole before a byte is sent: no lock and no sum is held for a reader that takes its time.
     */
    FILE *out = page ? open_memstream(&page->text, &page->len) : NULL;
    unsigned status = out ? write(out, &monitor->parts, atomic_load(&stopping)) : 0;
    if (!out || fclose(out) != 0) {
        if (page)
            free(page->text);
        free(page);
        answer(exchange, 503, "text/plain", SLICE("no memory\n"));
        return;
    }
    OBJECT_MAKE(page, PAGE_MAGIC);
    page->stream = (struct exchange_stream){on_read, on_close};
    answer(exchange, status, type, (struct slice){NULL, 0});
    exchange->reply.length = page->len;
    exchange->reply.stream = &page->stream;
}

static unsigned write_metrics(FILE *out, const struct monitor_parts *parts, bool is_stopping)
{
    (void)is_stopping;
    exposition_write(out, parts);
    return 200;
}

static unsigned write_readiness(FILE *out, const struct monitor_parts *parts, bool is_stopping)
{
    return readiness_write(out, parts, is_stopping) ? 200 : 503;
}

static enum exchange_verdict on_request(void *context, struct exchange *exchange)
{
    struct monitor *monitor = context;
    const struct message *message = &exchange->message;
    struct slice path = message_path(message);
    OBJECT_CHECK(monitor, MONITOR_MAGIC);
    if (!slice_eq(message->method, SLICE("GET")) && !slice_eq(message->method, SLICE("HEAD"))) {
        answer(exchange, 405, "text/plain", SLICE("only GET and HEAD are served here\n"));
        exchange_header(exchange, "Allow", "GET, HEAD");
    } else if (slice_eq(path, SLICE("/metrics"))) {
        answer_page(monitor, exchange, "text/plain; version=0.0.4; charset=utf-8", write_metrics);
    } else if (slice_eq(path, SLICE("/readyz"))) {
        answer_page(monitor, exchange, "application/json", write_readiness);
    } else if (slice_eq(path, SLICE("/healthz"))) {
        bool alive = !monitor->http || http_alive(monitor->http, ALIVE_WITHIN_MS);
        answer(exchange, alive ? 200 : 503, "text/plain",
               alive ? SLICE("alive\n") : SLICE("a thread of the gate hangs\n"));
    } else {
        answer(exchange, 404, "text/plain", SLICE("here are /metrics, /healthz and /readyz\n"));
    }
    return EXCHANGE_REPLY;
}

static void on_refuse(void *context, struct exchange *exchange, enum err err)
{
    OBJECT_CHECK((struct monitor *)context, MONITOR_MAGIC);
    assert(err != ERR_OK);
    answer(exchange, err_status(err), "text/plain", slice_of(err_sentence(err)));
}

/* Nothing is ever parked here. */
static bool on_turned(void *context)
{
    (void)context;
    return false;
}

static void on_finished(void *context, struct exchange *exchange)
{
    (void)context, (void)exchange;
}

static void *start_thread(void *context)
{
    return context;
}

/* Before the monitor ends. */
static void stop_thread(void *context)
{
    OBJECT_CHECK((struct monitor *)context, MONITOR_MAGIC);
}

struct exchange_handler monitor_handler(struct monitor *monitor)
{
    OBJECT_CHECK(monitor, MONITOR_MAGIC);
    return (struct exchange_handler){
        .context = monitor,
        .thread_start = start_thread,
        .thread_stop = stop_thread,
        .handle = on_request,
        .turned = on_turned,
        .refuse = on_refuse,
        .finished = on_finished,
    };
}

struct monitor *monitor_new(const struct monitor_parts *parts)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    assert(parts->config && parts->writer && parts->accounts);
    if (!monitor)
        return NULL;
    OBJECT_MAKE(monitor, MONITOR_MAGIC);
    monitor->parts = *parts;
    return monitor;
}

void monitor_watch(struct monitor *monitor, const struct http *http)
{
    OBJECT_CHECK(monitor, MONITOR_MAGIC);
    assert(http && !monitor->http); /* its threads read it from now on, without a lock */
    monitor->http = http;
}

void monitor_stopping(void)
{
    atomic_store(&stopping, true);
}

void monitor_free(struct monitor *monitor)
{
    if (!monitor)
        return;
    OBJECT_END(monitor, MONITOR_MAGIC);
    free(monitor);
}
