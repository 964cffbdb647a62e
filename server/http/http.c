/* libmicrohttpd, driven by our own threads: we wait, for its events and for parked requests to come back, and
 * it never does, which avoids the stall that its epoll thread has when a full set of events arrives at once.
 * One daemon per thread on a SO_REUSEPORT socket spreads connections evenly. */
#include "server/http/http.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "server/http/listen.h"

#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS_MAX        64
#define FIELDS_MAX         100
#define IDLE_SECONDS       30
#define CONNECTION_MEMORY  32768
#define DRAIN_MS           20000
#define WAIT_MS            50 /* at most, between looks at whether to stop */
#define SPARE_REQUESTS_MAX 64
#define ARENA_SIZE         32768

struct http_private {
    struct exchange exchange; /* first: what the handler sees */
    struct MHD_Connection *connection;
    struct worker *worker;
    struct lane *lane;   /* that it is in, from the first look at its fields to its reply */
    struct slice target; /* as on the request line */
    bool read;           /* fields are gathered */
    struct http_private *next_spare;
    char memory[ARENA_SIZE];
};

/* A handler as one thread uses it. */
struct lane {
    const struct exchange_handler *handler;
    void *thread;  /* the handler's */
    size_t active; /* requests in it */
};

/* One HTTP thread. Everything in it belongs to that thread, except `next`, by which it is handed a lane, and
 * `wake` and `woken`, by which it is told that a parked request may go on. */
struct worker {
    struct http *http;
    pthread_t thread;
    bool running;
    int socket;
    int wake;          /* an eventfd */
    atomic_bool woken; /* it was written to since it was last read: many resumptions, one system call */
    struct MHD_Daemon *daemon;
    struct lane *lane;   /* that new requests enter */
    struct lane *former; /* where requests from before the last switch go on, or NULL */
    _Atomic(struct lane *) next;
    struct http_private *spare;
    size_t spare_count;
    size_t active;
};

struct http {
    size_t worker_count;
    atomic_size_t switching; /* workers that have not left the former handler */
    struct worker workers[THREADS_MAX];
    char address[LISTEN_TEXT_MAX];
    atomic_bool stopping;
};

static struct lane *lane_new(const struct exchange_handler *handler)
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

static void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    lane->handler->thread_stop(lane->thread);
    free(lane);
}

/* Takes up a switch of the handler, and gives the former one back when its last request has left. */
static void keep_lanes(struct worker *worker)
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

static struct lane *enter_lane(struct worker *worker)
{
    keep_lanes(worker);
    worker->lane->active++;
    return worker->lane;
}

/* The handler has nothing more to do with the request. */
static void leave_lane(struct http_private *private)
{
    struct lane *lane = private->lane;
    if (!lane)
        return;
    lane->handler->finished(lane->thread, &private->exchange);
    lane->active--;
    private->lane = NULL;
}

static void resume(struct exchange *exchange)
{
    struct http_private *private = (struct http_private *)exchange;
    struct worker *worker = private->worker;
    MHD_resume_connection(private->connection);
    /* The request may be over by now. */
    if (!atomic_exchange(&worker->woken, true))
        eventfd_write(worker->wake, 1);
}

static struct http_private *take_request(struct worker *worker)
{
    struct http_private *private = worker->spare;
    if (private) {
        worker->spare = private->next_spare;
        worker->spare_count--;
    } else {
        private = malloc(sizeof(*private));
        if (!private)
            return NULL;
    }
    private->exchange = (struct exchange){.resume = resume, .reply = {.fd = -1}};
    private->worker = worker;
    private->lane = NULL;
    private->read = false;
    arena_init(&private->exchange.arena, private->memory, sizeof(private->memory));
    worker->active++;
    return private;
}

static void give_request(struct http_private *private)
{
    struct worker *worker = private->worker;
    if (private->exchange.reply.fd >= 0)
        close(private->exchange.reply.fd);
    worker->active--;
    if (worker->spare_count >= SPARE_REQUESTS_MAX) {
        free(private);
        return;
    }
    private->next_spare = worker->spare;
    worker->spare = private;
    worker->spare_count++;
}

static struct exchange_client client_of(struct MHD_Connection *connection)
{
    struct exchange_client client = {.address = {0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, info->client_addr, sizeof(in));
        client.address[10] = client.address[11] = 0xff;
        memcpy(client.address + 12, &in.sin_addr, 4);
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, info->client_addr, sizeof(in));
        memcpy(client.address, &in.sin6_addr, sizeof(client.address));
    }
    return client;
}

/* The request line as it came: called before libmicrohttpd takes it apart. */
static void *on_target(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_private *private = take_request(context);
    if (!private)
        return NULL;
    private->connection = connection;
    private->exchange.client = client_of(connection);
    private->target = slice_of(arena_copy(&private->exchange.arena, slice_of(uri)));
    return private;
}

static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

struct gather {
    struct arena *arena;
    struct message_field *fields;
    size_t count;
    bool overflow;
};

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len)
{
    struct gather *gather = context;
    (void)kind;
    char *lower = arena_bytes(gather->arena, name_len);
    if (!lower || gather->count == FIELDS_MAX) {
        gather->overflow = true;
        return MHD_NO;
    }
    for (size_t i = 0; i < name_len; i++)
        lower[i] = slice_lower(name[i]);
    gather->fields[gather->count++] =
        (struct message_field){{lower, name_len}, {value ? value : "", value ? value_len : 0}};
    return MHD_YES;
}

/* Host, or the authority of an absolute-form target, which wins (RFC 9112 section 3.2.2). Lower case, without
 * the default port of either scheme: the handler knows which scheme it is. */
static bool set_authority(struct http_private *private)
{
    struct message *message = &private->exchange.message;
    const struct message_field *host = message_field(message, SLICE("host"));
    struct slice authority = host ? slice_trim(host->value) : (struct slice){"", 0};
    if (host && message_field_next(message, host))
        return false;
    message->target = private->target;
    if (!slice_starts(message->target, SLICE("/"))) {
        size_t colon = slice_find(message->target, ':');
        struct slice rest = {message->target.data + colon, message->target.len - colon};
        if (!slice_starts(rest, SLICE("://")))
            return false;
        rest = (struct slice){rest.data + 3, rest.len - 3};
        size_t slash = slice_find(rest, '/');
        authority = (struct slice){rest.data, slash};
        message->target = slash < rest.len ? (struct slice){rest.data + slash, rest.len - slash} : SLICE("/");
    }
    message->authority = arena_lower(&private->exchange.arena, authority);
    return message->authority.len > 0;
}

/* Only visible ASCII may stand in a target (RFC 9112 section 3.2). */
static bool target_is_clean(struct slice target)
{
    for (size_t i = 0; i < target.len; i++)
        if (target.data[i] <= 0x20 || target.data[i] >= 0x7f)
            return false;
    return target.len > 0;
}

static enum err read_request(struct http_private *private, const char *method)
{
    struct exchange *exchange = &private->exchange;
    struct gather gather = {.arena = &exchange->arena};
    gather.fields = arena_alloc(&exchange->arena, FIELDS_MAX * sizeof(*gather.fields));
    if (!private->target.data || !gather.fields)
        return ERR_REQUEST_TOO_LARGE;
    MHD_get_connection_values_n(private->connection, MHD_HEADER_KIND, on_field, &gather);
    if (gather.overflow)
        return ERR_REQUEST_TOO_LARGE;
    exchange->message.method = slice_of(method);
    exchange->message.fields = gather.fields;
    exchange->message.field_count = gather.count;
    if (!target_is_clean(private->target) || !set_authority(private))
        return ERR_MALFORMED_REQUEST;
    return ERR_OK;
}

static bool announces_body(const struct message *message)
{
    return message_field(message, SLICE("content-length")) ||
           message_field(message, SLICE("transfer-encoding"));
}

static struct MHD_Response *make_response(struct exchange_reply *reply)
{
    struct MHD_Response *response;
    if (reply->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64(reply->length, reply->fd, reply->offset);
        if (response)
            reply->fd = -1; /* libmicrohttpd closes it */
    } else {
        char *body = (char *)(uintptr_t)reply->body.data; /* the API lacks a const; persistent: not written */
        response = MHD_create_response_from_buffer(reply->body.len, body, MHD_RESPMEM_PERSISTENT);
    }
    for (const struct exchange_header *header = reply->headers; response && header; header = header->next)
        if (MHD_add_response_header(response, header->name, header->value) != MHD_YES)
            LOG(ERROR, "header_refused", {"name", header->name});
    return response;
}

static enum MHD_Result send_reply(struct http_private *private)
{
    struct http *http = private->worker->http;
    if (atomic_load_explicit(&http->stopping, memory_order_relaxed))
        exchange_header(&private->exchange, MHD_HTTP_HEADER_CONNECTION, "close");
    struct MHD_Response *response = make_response(&private->exchange.reply);
    if (!response)
        return MHD_NO;
    enum MHD_Result result =
        MHD_queue_response(private->connection, private->exchange.reply.status, response);
    MHD_destroy_response(response);
    leave_lane(private); /* what is being sent is ours: a slow reader must not hold the handler */
    return result;
}

/* lint: parameters, libmicrohttpd's callback has eight */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    struct worker *worker = context;
    struct http_private *private = *con_cls;
    (void)connection, (void)url, (void)version, (void)upload, (void)upload_size;
    if (!private)
        return MHD_NO; /* no memory */
    if (!private->read) {
        enum err err = read_request(private, method);
        private->read = true;
        private->lane = enter_lane(worker);
        if (err != ERR_OK) {
            private->lane->handler->refuse(private->lane->thread, &private->exchange, err);
            return send_reply(private);
        }
        /* A reply now would close the connection behind it, which is right only where a body follows. */
        if (!announces_body(&private->exchange.message))
            return MHD_YES;
    }
    const struct lane *lane = private->lane;
    if (lane->handler->handle(lane->thread, &private->exchange) == EXCHANGE_REPLY)
        return send_reply(private);
    MHD_suspend_connection(private->connection);
    lane->handler->parked(lane->thread, &private->exchange);
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct http_private *private = *con_cls;
    (void)context, (void)connection, (void)why;
    if (!private)
        return;
    leave_lane(private);
    give_request(private);
    *con_cls = NULL;
}

static void on_library_log(void *context, const char *format, va_list values)
{
    char line[256];
    (void)context;
    int len = vsnprintf(line, sizeof(line), format, values);
    for (; len > 0 && len < (int)sizeof(line) && line[len - 1] == '\n'; len--)
        line[len - 1] = '\0';
    LOG(DEBUG, "libmicrohttpd", {"detail", line});
}

static struct MHD_Daemon *start_daemon(struct worker *worker)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_TURBO;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, NULL},
        {MHD_OPTION_LISTEN_SOCKET, worker->socket, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, worker},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, worker},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

static void turned(const struct lane *lane)
{
    if (lane)
        lane->handler->turned(lane->thread);
}

/* Waits for something to do and does it. */
static void turn(struct worker *worker)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{.fd = info->epoll_fd, .events = POLLIN}, {.fd = worker->wake, .events = POLLIN}};
    eventfd_t count;
    MHD_UNSIGNED_LONG_LONG left_ms;
    if (MHD_get_timeout(worker->daemon, &left_ms) != MHD_YES || left_ms > WAIT_MS)
        left_ms = WAIT_MS;
    if (left_ms > 0)
        poll(fds, 2, (int)left_ms);
    /* First read, then allow the next write: the other way round a write could be lost. */
    if (fds[1].revents && eventfd_read(worker->wake, &count) == 0)
        atomic_store(&worker->woken, false);
    MHD_run_wait(worker->daemon, 0);
    turned(worker->lane);
    turned(worker->former);
    keep_lanes(worker);
}

static void drain(struct worker *worker)
{
    int64_t deadline = clock_monotonic_ms() + DRAIN_MS;
    MHD_socket listener = MHD_quiesce_daemon(worker->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    while (worker->active > 0 && clock_monotonic_ms() < deadline)
        turn(worker);
    if (worker->active > 0)
        LOG(WARN, "requests_cut_off", {"count", LOG_NUMBER((int64_t)worker->active)});
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load_explicit(&worker->http->stopping, memory_order_relaxed))
        turn(worker);
    drain(worker);
    return NULL;
}

static bool start_worker(struct worker *worker, const struct exchange_handler *handler)
{
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->lane = worker->wake < 0 ? NULL : lane_new(handler);
    if (!worker->lane)
        return false;
    worker->daemon = start_daemon(worker);
    if (!worker->daemon) {
        LOG(ERROR, "http_start_failed", {"detail", "libmicrohttpd did not start"});
        return false;
    }
    worker->running = pthread_create(&worker->thread, NULL, run, worker) == 0;
    if (!worker->running)
        LOG(ERROR, "http_start_failed", {"detail", "no thread"});
    return worker->running;
}

struct http *http_start(const char *listen, int threads, const struct exchange_handler *handler)
{
    int sockets[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct http *http = calloc(1, sizeof(*http));
    if (!http)
        return NULL;
    size_t wanted = threads > 0 ? (size_t)threads : cores > 0 ? (size_t)cores : 1;
    http->worker_count = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    if (!listen_open(listen, sockets, http->worker_count, http->address)) {
        free(http);
        return NULL;
    }
    for (size_t i = 0; i < http->worker_count; i++)
        http->workers[i] = (struct worker){.http = http, .socket = sockets[i], .wake = -1};
    for (size_t i = 0; i < http->worker_count; i++)
        if (!start_worker(&http->workers[i], handler)) {
            http_stop(http);
            http_free(http);
            return NULL;
        }
    return http;
}

const char *http_address(const struct http *http)
{
    return http->address;
}

bool http_switch(struct http *http, const struct exchange_handler *handler)
{
    struct lane *lanes[THREADS_MAX];
    assert(http_switched(http));
    for (size_t i = 0; i < http->worker_count; i++) {
        lanes[i] = lane_new(handler);
        if (lanes[i])
            continue;
        while (i > 0)
            lane_free(lanes[--i]);
        return false;
    }
    atomic_store(&http->switching, http->worker_count);
    for (size_t i = 0; i < http->worker_count; i++)
        atomic_store_explicit(&http->workers[i].next, lanes[i], memory_order_release);
    return true;
}

bool http_switched(const struct http *http)
{
    return atomic_load(&http->switching) == 0;
}

static void stop_worker(struct worker *worker)
{
    if (worker->running)
        pthread_join(worker->thread, NULL);
    else if (!worker->daemon)
        close(worker->socket);
    /* A daemon with parked requests cannot be stopped; they are given up with the process. */
    if (worker->daemon && worker->active == 0)
        MHD_stop_daemon(worker->daemon);
    lane_free(worker->lane);
    lane_free(worker->former);
    lane_free(atomic_load(&worker->next));
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
    atomic_store(&http->stopping, true);
    for (size_t i = 0; i < http->worker_count; i++)
        stop_worker(&http->workers[i]);
    atomic_store(&http->switching, 0);
}

void http_free(struct http *http)
{
    for (size_t i = 0; http && i < http->worker_count; i++)
        if (http->workers[i].wake >= 0)
            close(http->workers[i].wake);
    free(http);
}
