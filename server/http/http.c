/* libmicrohttpd, driven by our own threads: we wait, for its events and for parked requests to come back, and
 * it never does, which avoids the stall that its epoll thread has when a full set of events arrives at once.
 * One daemon per thread on a SO_REUSEPORT socket spreads connections evenly. */
#include "server/http/http.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "server/http/body.h"
#include "server/http/door.h"
#include "ledger/base/object.h"
#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/http/stream.h"
#include "server/http/worker.h"

#include <assert.h>
#include <malloc.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS            50   /* at most, between looks at whether to stop */
#define TRIM_CONNECTIONS   256  /* that have closed before their memory is given back to the system */
#define HURRY_MS           1000 /* left for the rest of a request's fields when the gate stops */
#define BACKLOG_MS         500
#define SPARE_REQUESTS_MAX 64

/* On any thread. */
static void resume(struct exchange *exchange)
{
    struct http_private *private = (struct http_private *)exchange;
    OBJECT_CHECK(private, PRIVATE_MAGIC);
    struct worker *worker = private->worker;
    enum parking before = atomic_exchange(&private->parking, RESUMED);
    assert(before != NOT_PARKED && before != RESUMED); /* once for each time that it is parked */
    if (before == HANDED_OVER)
        return; /* it will be seen in the next call; the request may be over by now */
    if (before == SUSPENDED) {
        MHD_resume_connection(private->connection);
    } else {
        private->next_spare = atomic_load(&worker->orphans);
        while (!atomic_compare_exchange_weak(&worker->orphans, &private->next_spare, private))
            continue;
    }
    if (!atomic_exchange(&worker->woken, true))
        eventfd_write(worker->wake, 1);
}

static struct http_private *take_request(struct worker *worker)
{
    OBJECT_CHECK(worker, WORKER_MAGIC);
    assert((worker->spare == NULL) == (worker->spare_count == 0));
    struct http_private *private = worker->spare;
    if (private) {
        worker->spare = private->next_spare;
        worker->spare_count--;
    } else {
        private = malloc(sizeof(*private));
        if (!private)
            return NULL;
    }
    private->exchange = (struct exchange){
        .resume = resume, .reply = {.fd = -1}, .upstream = worker->upstream, .head_room = HEAD_ROOM};
    private->exchange.left = stream_left;
    OBJECT_MAKE(private, PRIVATE_MAGIC);
    private->worker = worker;
    private->serving = NULL;
    private->read = false;
    private->body = NULL;
    private->whole = false;
    private->streamed = 0;
    atomic_store_explicit(&private->parking, NOT_PARKED, memory_order_relaxed);
    arena_init(&private->exchange.arena, private->memory, sizeof(private->memory));
    worker->active++;
    return private;
}

static void give_request(struct http_private *private)
{
    OBJECT_END(private, PRIVATE_MAGIC);
    struct worker *worker = private->worker;
    const struct exchange_ended ended = private->exchange.ended;
    if (ended.tell)
        ended.tell(ended.context, private->whole, stream_sent(private));
    stream_close(&private->exchange.reply);
    body_free(private);
    if (private->exchange.reply.fd >= 0)
        close(private->exchange.reply.fd);
    assert(worker->active > 0 && !private->serving);
    worker->active--;
    if (worker->spare_count >= SPARE_REQUESTS_MAX) {
        free(private);
        return;
    }
    private->next_spare = worker->spare;
    worker->spare = private;
    worker->spare_count++;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        door_close(context, *socket_context);
        return;
    }
    int socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    *socket_context = door_open(context, connection, socket);
    if (!*socket_context)
        shutdown(socket, SHUT_RDWR); /* libmicrohttpd sees it closed */
}

/* The request line as it came: called before libmicrohttpd takes it apart. */
static void *on_target(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct connection *place =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct http_private *private = place ? take_request(context) : NULL;
    if (!private)
        return NULL;
    private->connection = connection;
    private->place = place;
    private->line = (struct framing_line){.target = uri, .target_len = strlen(uri)};
    private->target = slice_of(arena_copy(&private->exchange.arena, slice_of(uri)));
    const struct worker *worker = context;
    if (framing_begin(connection, uri, worker->serving->handler->body_room != NULL))
        return private;
    give_request(private);
    return NULL;
}

static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

/* Until when the client must have taken the reply. */
static int64_t sending_deadline(const struct http *http, const struct exchange_reply *reply)
{
    uint64_t bytes = reply->fd >= 0 ? reply->length : reply->body.len; /* of a stream: see stream.c */
    uint64_t rate = (uint64_t)http->options.send_bytes_per_second;
    assert(rate > 0);
    return clock_monotonic_ms() + (int64_t)(bytes / rate) * 1000 + http->options.send_seconds * 1000;
}

static enum MHD_Result send_reply(struct http_private *private)
{
    struct http *http = private->worker->http;
    connection_work(private->place, sending_deadline(http, &private->exchange.reply));
    if (atomic_load_explicit(&http->stopping, memory_order_relaxed))
        exchange_header(&private->exchange, MHD_HTTP_HEADER_CONNECTION, "close");
    struct MHD_Response *response = stream_is_sent(&private->exchange.reply)
                                        ? stream_response(private)
                                        : response_make(&private->exchange.reply);
    if (!response)
        return MHD_NO;
    enum MHD_Result result =
        MHD_queue_response(private->connection, private->exchange.reply.status, response);
    MHD_destroy_response(response);
    serving_leave(private); /* what is being sent is ours: a slow reader must not hold the handler */
    return result;
}

/* In the call after the one in which the request was handed over, which comes at once: only then has
 * libmicrohttpd noted that it need not read. A connection that is suspended before that is read from when it
 * is resumed, and closed without its reply if the client has ended its side. */
static enum MHD_Result suspend(struct http_private *private)
{
    enum parking expected = HANDED_OVER;
    MHD_suspend_connection(private->connection);
    if (!atomic_compare_exchange_strong(&private->parking, &expected, SUSPENDED))
        MHD_resume_connection(private->connection); /* the work is done already */
    return MHD_YES;
}

/* The fields are there: gathers them, and learns what to do with a body. */
static enum err read_head(struct http_private *private)
{
    struct worker *worker = private->worker;
    struct exchange *exchange = &private->exchange;
    enum err err = request_read(exchange, private->connection, private->target, &private->line);
    private->read = true;
    private->serving = serving_enter(worker);
    bool welcome = door_admit(private);
    connection_work(private->place, INT64_MAX);
    private->place->read +=
        MHD_get_connection_info(private->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    if (err == ERR_OK && !welcome)
        err = ERR_RATE_LIMITED;
    if (err != ERR_OK || !request_has_body(&exchange->message))
        return err;
    const struct exchange_handler *handler = private->serving->handler;
    size_t room = handler->body_room ? handler->body_room(private->serving->thread, exchange) : 0;
    if (room == 0)
        return ERR_OK;
    /* So long its sender may take, at the rate at which clients must take replies. */
    const struct http_options *options = &worker->http->options;
    int64_t reading_ms =
        options->header_seconds * 1000 + (int64_t)room / options->send_bytes_per_second * 1000;
    connection_work(private->place, clock_monotonic_ms() + reading_ms);
    return body_begin(private, room);
}

static enum MHD_Result handle(struct http_private *private)
{
    const struct serving *serving = private->serving;
    if (atomic_load(&private->parking) == HANDED_OVER)
        return suspend(private);
    if (serving->handler->handle(serving->thread, &private->exchange) == EXCHANGE_REPLY)
        return send_reply(private);
    atomic_store(&private->parking, HANDED_OVER);
    serving->handler->parked(serving->thread, &private->exchange);
    return MHD_YES;
}

/* lint: parameters, libmicrohttpd's callback has eight */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    struct http_private *private = *con_cls;
    (void)context, (void)connection, (void)url;
    if (!private)
        return MHD_NO; /* no memory */
    OBJECT_CHECK(private, PRIVATE_MAGIC);
    if (!private->read) {
        private->line.method = method;
        private->line.version = version;
        enum err err = read_head(private);
        if (err != ERR_OK) {
            private->serving->handler->refuse(private->serving->thread, &private->exchange, err);
            return send_reply(private);
        }
        /* A reply now would close the connection behind it, which is right only where a body follows that
         * nobody reads. */
        if (private->body || !request_has_body(&private->exchange.message))
            return MHD_YES;
    } else if (*upload_size > 0) {
        if (private->body)
            body_add(private, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    } else if (private->body && !private->exchange.message.body.data) {
        if (!body_end(private))
            return MHD_NO;
        connection_work(private->place, INT64_MAX);
    }
    return handle(private);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    const struct worker *worker = context;
    const struct http_options *options = &worker->http->options;
    struct http_private *private = *con_cls;
    (void)connection;
    if (!private)
        return;
    private->whole = why == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    OBJECT_CHECK(private, PRIVATE_MAGIC);
    int64_t now_ms = clock_monotonic_ms();
    connection_wait(private->place, now_ms,
                    now_ms + (options->idle_seconds + options->header_seconds) * 1000);
    *con_cls = NULL;
    if (private->place->trusted)
        door_uncount(worker->http, private->place);
    enum parking expected = HANDED_OVER;
    if (atomic_compare_exchange_strong(&private->parking, &expected, ORPHANED))
        return; /* others still use it */
    serving_leave(private);
    give_request(private);
}

static void on_library_log(void *context, const char *format, va_list values)
{
    char line[256];
    door_hear(context, format);
    int len = vsnprintf(line, sizeof(line), format, values);
    for (; len > 0 && len < (int)sizeof(line) && line[len - 1] == '\n'; len--)
        line[len - 1] = '\0';
    LOG(DEBUG, "libmicrohttpd", {"detail", line});
}

static struct MHD_Daemon *start_daemon(struct worker *worker)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_TURBO;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, worker},
        {MHD_OPTION_LISTEN_SOCKET, worker->socket, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, worker},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, worker},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, worker},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)worker->http->connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_MEMORY, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

static bool turned(const struct serving *serving)
{
    return serving && serving->handler->turned(serving->thread);
}

/* Requests whose connection went away while others worked for them. */
static void free_orphans(struct worker *worker)
{
    struct http_private *orphan = atomic_exchange(&worker->orphans, NULL);
    while (orphan) {
        struct http_private *next = orphan->next_spare;
        assert(atomic_load(&orphan->parking) == RESUMED);
        serving_leave(orphan);
        give_request(orphan);
        orphan = next;
    }
}

/* Looks at all connections, now and then. */
static void sweep(struct worker *worker)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < worker->sweep_ms)
        return;
    worker->sweep_ms = now_ms + idle_patience_ms(&worker->connections) / 2;
    size_t waiting = 0;
    int late = connection_sweep(&worker->connections, now_ms, &waiting);
    size_t answering = worker->connections.count - worker->connections.stowed - waiting;
    connection_tell(waiting, answering, worker->idle.connections.count);
    if (late > 0)
        LOG(DEBUG, "connections_cut_off", {"count", LOG_NUMBER(late)});
    idle_sweep(&worker->idle, now_ms);
    idle_stow(&worker->idle, &worker->connections, now_ms);
    /* What libmicrohttpd has freed for them lies between what others use. */
    if (worker->connections.closed >= TRIM_CONNECTIONS) {
        worker->connections.closed = 0;
        malloc_trim(0);
    }
}

/* Waits for something to do and does it. */
static void turn(struct worker *worker)
{
    OBJECT_CHECK(worker, WORKER_MAGIC);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    const struct exchange_upstream *upstream = &worker->http->options.upstream;
    atomic_store_explicit(&worker->turned_ms, clock_monotonic_ms(), memory_order_relaxed);
    struct pollfd fds[] = {
        {.fd = info->epoll_fd, .events = POLLIN},
        {.fd = worker->wake, .events = POLLIN},
        {.fd = worker->idle.epoll, .events = POLLIN},
        {.fd = worker->upstream ? upstream->descriptor(worker->upstream) : -1, .events = POLLIN}};
    eventfd_t count;
    MHD_UNSIGNED_LONG_LONG left_ms;
    if (MHD_get_timeout(worker->daemon, &left_ms) != MHD_YES || left_ms > WAIT_MS)
        left_ms = WAIT_MS;
    poll(fds, 4, worker->busy ? 0 : (int)left_ms);
    /* First read, then allow the next write: the other way round a write could be lost. */
    if (fds[1].revents && eventfd_read(worker->wake, &count) == 0)
        atomic_store(&worker->woken, false);
    MHD_run_wait(worker->daemon, 0);
    /* After that, in which those that were stowed have made room. */
    if (fds[2].revents)
        idle_wake(&worker->idle, worker->daemon);
    bool busy = turned(worker->serving);
    worker->busy = turned(worker->former) || busy;
    if (worker->upstream)
        upstream->turn(worker->upstream);
    free_orphans(worker);
    serving_switch(worker);
    sweep(worker);
}

bool http_alive(const struct http *http, int64_t within_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < http->worker_count; i++)
        if (now_ms - atomic_load_explicit(&http->workers[i].turned_ms, memory_order_relaxed) > within_ms)
            return false;
    return true;
}

/* Takes over who has connected already, and closes the door; a door that the service manager holds stays open
 * for the next gate, which they may wait for. */
static void stop_listening(struct worker *worker)
{
    bool held = worker->http->options.socket_count > 0;
    struct pollfd door = {.fd = worker->socket, .events = POLLIN};
    int64_t until_ms = clock_monotonic_ms() + BACKLOG_MS;
    while (!held && clock_monotonic_ms() < until_ms && poll(&door, 1, 0) > 0)
        turn(worker);
    MHD_socket listener = MHD_quiesce_daemon(worker->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    turn(worker); /* what they have sent already */
}

static void drain(struct worker *worker)
{
    int64_t now = clock_monotonic_ms();
    int64_t deadline = now + worker->http->options.drain_seconds * 1000;
    /* Whoever has connected is served; only then is the door closed, or a client would see a reset where
     * another gate on the same port, or a restart, would have answered. */
    stop_listening(worker);
    idle_close(&worker->idle);
    connection_hurry(&worker->connections, now + HURRY_MS);
    worker->sweep_ms = 0;
    while ((worker->active > 0 || connection_expected(&worker->connections)) &&
           clock_monotonic_ms() < deadline)
        turn(worker);
    /* A daemon with parked requests cannot be stopped; they are given up with the process. */
    if (worker->active > 0) {
        LOG(WARN, "requests_cut_off", {"count", LOG_NUMBER((int64_t)worker->active)});
        return;
    }
    assert(!atomic_load(&worker->orphans)); /* each counts as active */
    MHD_stop_daemon(worker->daemon);
    worker->daemon = NULL;
}

static void *serve(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load_explicit(&worker->http->stopping, memory_order_relaxed))
        turn(worker);
    drain(worker);
    connection_tell(0, 0, 0);
    return NULL;
}

static bool start_worker(struct worker *worker, const struct exchange_handler *handler)
{
    OBJECT_CHECK(worker, WORKER_MAGIC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->serving = worker->wake < 0 ? NULL : serving_new(handler, worker->http->options.trusted_proxies);
    if (!worker->serving || !idle_open(&worker->idle, worker->http->clients))
        return false;
    const struct exchange_upstream *upstream = &worker->http->options.upstream;
    worker->upstream = upstream->start ? upstream->start(upstream->context) : NULL;
    if (upstream->start && !worker->upstream)
        return false;
    worker->daemon = start_daemon(worker);
    if (!worker->daemon) {
        LOG(ERROR, "http_start_failed", {"detail", "libmicrohttpd did not start"});
        return false;
    }
    worker->running = pthread_create(&worker->thread, NULL, serve, worker) == 0;
    if (!worker->running)
        LOG(ERROR, "http_start_failed", {"detail", "no thread"});
    return worker->running;
}

static bool set_limits(struct http *http)
{
    size_t connections = limits_connections((size_t)http->options.connections);
    http->connections = (unsigned)(connections / http->worker_count + 1);
    assert(http->connections > 0);
    int64_t most = http->options.client_connections;
    if (most == 0)
        return true;
    http->clients = limits_clients_new(most < 0 ? HTTP_CLIENT_CONNECTIONS : (size_t)most,
                                       http->connections * http->worker_count);
    return http->clients != NULL;
}

static bool open_sockets(struct http *http, int sockets[THREADS_MAX])
{
    const struct http_options *options = &http->options;
    struct listen_given given = {options->sockets, options->socket_count};
    return given.count > 0 ? listen_take(&given, sockets, http->worker_count, http->address)
                           : listen_open(options->listen, sockets, http->worker_count, http->address);
}

struct http *http_start(const struct http_options *options, const struct exchange_handler *handler)
{
    int sockets[THREADS_MAX];
    assert(options->threads > 0);
    struct http *http = calloc(1, sizeof(*http));
    if (!http)
        return NULL;
    OBJECT_MAKE(http, HTTP_MAGIC);
    http->options = *options;
    http->worker_count = options->threads < THREADS_MAX ? options->threads : THREADS_MAX;
    for (size_t i = 0; i < http->worker_count; i++)
        http->workers[i] = (struct worker){
            .magic = WORKER_MAGIC, .http = http, .wake = -1, .turned_ms = clock_monotonic_ms()};
    if (!set_limits(http) || !open_sockets(http, sockets)) {
        http_free(http);
        return NULL;
    }
    for (size_t i = 0; i < http->worker_count; i++)
        http->workers[i].socket = sockets[i];
    for (size_t i = 0; i < http->worker_count; i++)
        if (!start_worker(&http->workers[i], handler)) {
            http_stop(http);
            http_free(http);
            return NULL;
        }
    http->options.sockets = NULL;
    http->options.trusted_proxies = NULL;
    return http;
}

const char *http_address(const struct http *http)
{
    OBJECT_CHECK(http, HTTP_MAGIC);
    return http->address;
}

bool http_switch(struct http *http, const struct exchange_handler *handler, const struct config_list *proxies)
{
    OBJECT_CHECK(http, HTTP_MAGIC);
    struct serving *servings[THREADS_MAX];
    assert(http_switched(http));
    /* All parts first: a switch happens on every thread or on none. */
    for (size_t i = 0; i < http->worker_count; i++) {
        servings[i] = serving_new(handler, proxies);
        if (servings[i])
            continue;
        while (i > 0)
            serving_free(servings[--i]);
        return false;
    }
    atomic_store(&http->switching, http->worker_count);
    for (size_t i = 0; i < http->worker_count; i++)
        atomic_store_explicit(&http->workers[i].next, servings[i], memory_order_release);
    return true;
}

bool http_switched(const struct http *http)
{
    OBJECT_CHECK(http, HTTP_MAGIC);
    return atomic_load(&http->switching) == 0;
}

static void stop_worker(struct worker *worker)
{
    if (worker->running)
        pthread_join(worker->thread, NULL);
    else if (worker->daemon)
        MHD_stop_daemon(worker->daemon);
    else
        close(worker->socket);
    idle_close(&worker->idle);
    if (worker->upstream && worker->active == 0)
        worker->http->options.upstream.stop(worker->upstream);
    serving_free(worker->serving);
    serving_free(worker->former);
    serving_free(atomic_load(&worker->next));
    while (worker->spare) {
        struct http_private *private = worker->spare;
        worker->spare = private->next_spare;
        free(private);
    }
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    OBJECT_CHECK(http, HTTP_MAGIC);
    atomic_store(&http->stopping, true);
    for (size_t i = 0; i < http->worker_count; i++)
        stop_worker(&http->workers[i]);
    atomic_store(&http->switching, 0);
}

/* With requests that were cut off, which somebody may yet resume: it stays until the process ends. */
static struct http *given_up;

void http_free(struct http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->worker_count; i++) {
        if (http->workers[i].active > 0)
            given_up = http;
        if (http->workers[i].wake >= 0)
            close(http->workers[i].wake);
    }
    if (given_up)
        return;
    OBJECT_END(http, HTTP_MAGIC);
    limits_clients_free(http->clients);
    free(http);
}
