/* One client for each HTTP thread, in its loop: no lock and no other thread stands between what the origin
 * sends and what the crawler reads, and connections to origins outlive a reload. A body is never held as a
 * whole: a crawler that reads slowly makes the origin wait, and not this process grow. */
#include "server/origin/origin.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"
#include "server/origin/origin_head.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BUFFER_BYTES    (64 * 1024) /* libcurl hands over at most a quarter of it at once */
#define RESUME_BYTES    (32 * 1024) /* so much must be free before it is asked for more */
#define EVENTS_MAX      64
#define SWEEP_MS        100
#define IDLE_MAX        128         /* connections kept for the next question */
#define PER_HOST_MAX    1024        /* at once, with slow readers; who comes then waits within its time */
#define SPARE_MAX       64          /* handles, and buffers, kept for the next question */
#define FIELD_BYTES_MAX (40 * 1024) /* more than the HTTP layer reads */
#define PATIENCE_MS     10000       /* a reader that takes nothing for so long makes servers give up */
#define TOLD_MS         1000        /* between two log lines about origins that fail */

/* What libcurl held back it hands over as soon as it may, without asking again. */
_Static_assert(CURL_MAX_WRITE_SIZE <= RESUME_BYTES && RESUME_BYTES <= BUFFER_BYTES, "a piece fits");

#define ANSWER_MAGIC 0x0a15e4d1
#define ORIGIN_MAGIC 0xb86d2f07u

enum state {
    ASKED,    /* no head yet */
    HEADED,   /* the head is there; the body comes */
    COMPLETE, /* all of the body is there */
    FAILED,   /* before the head, or in the body */
};

struct transfer {
    struct origin_answer answer; /* first */
    uint32_t magic;
    struct origin *origin;
    struct transfer *next, *previous; /* of the origin's */
    struct transfer *next_ready;
    CURL *easy; /* NULL: at its end */
    struct curl_slist *fields;
    struct origin_head head;
    struct origin_request limits;
    enum state state;
    bool announced; /* in the list of those whose `ready` is to be called, or through it */
    bool paused;    /* libcurl, until the buffer has room */
    bool awaited;   /* the reader found nothing and wants to be told */
    bool changes;   /* it is neither GET nor HEAD */
    int64_t deadline_ms;
    int64_t paused_ms; /* since when, while it is paused */
    bool tried;        /* the server's patience, by a reader that took nothing for long */
    uint64_t taken;    /* bytes read from it */
    char *buffer;      /* of BUFFER_BYTES, or NULL: there is nothing of a body */
    size_t begin, end; /* of what is in it */
    char error[CURL_ERROR_SIZE];
};

struct origin {
    uint32_t magic;
    CURLM *multi;
    int epoll;
    int64_t due_ms; /* libcurl's next timer; INT64_MAX: none */
    int64_t sweep_ms;
    int64_t told_ms;
    struct transfer *first;
    struct transfer *ready;
    /* What the next transfers begin with: setting a handle up anew costs as much as asking by it, and so does
     * a heap that grows and shrinks by a buffer for each answer. */
    CURL *spare_handles[SPARE_MAX];
    size_t spare_handle_count;
    char *spare_buffers[SPARE_MAX];
    size_t spare_buffer_count;
};

static struct transfer *transfer_of(struct exchange_stream *stream)
{
    struct transfer *transfer = (struct transfer *)(void *)stream;
    OBJECT_CHECK(transfer, ANSWER_MAGIC);
    return transfer;
}

static struct origin *origin_of(void *upstream)
{
    struct origin *origin = upstream;
    OBJECT_CHECK(origin, ORIGIN_MAGIC);
    return origin;
}

/* By the next turn, and not at once: its callback may close it, or ask something else, and libcurl must not
 * be called from within itself. */
static void announce(struct transfer *transfer)
{
    if (transfer->announced)
        return;
    transfer->announced = true;
    transfer->next_ready = transfer->origin->ready;
    transfer->origin->ready = transfer;
}

static void wake(struct transfer *transfer)
{
    if (!transfer->awaited)
        return;
    transfer->awaited = false;
    exchange_resume(transfer->answer.exchange);
}

/* One that has changed something goes: what was set for it alone shall be in no question to come. */
static void give_handle(struct transfer *transfer)
{
    struct origin *origin = transfer->origin;
    CURL *easy = transfer->easy;
    if (!easy)
        return;
    assert(origin->spare_handle_count <= SPARE_MAX);
    transfer->easy = NULL;
    curl_multi_remove_handle(origin->multi, easy);
    if (transfer->changes || origin->spare_handle_count == SPARE_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    /* It outlives what these point to. */
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    origin->spare_handles[origin->spare_handle_count++] = easy;
}

static char *take_buffer(struct origin *origin)
{
    if (origin->spare_buffer_count > 0)
        return origin->spare_buffers[--origin->spare_buffer_count];
    return malloc(BUFFER_BYTES);
}

static void give_buffer(struct transfer *transfer)
{
    struct origin *origin = transfer->origin;
    assert(origin->spare_buffer_count <= SPARE_MAX);
    if (transfer->buffer && origin->spare_buffer_count < SPARE_MAX)
        origin->spare_buffers[origin->spare_buffer_count++] = transfer->buffer;
    else
        free(transfer->buffer);
    transfer->buffer = NULL;
}

static void tell_failure(struct transfer *transfer, const char *why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!why || now_ms - transfer->origin->told_ms < TOLD_MS)
        return; /* a site that is down is told of once a second, not once a request */
    transfer->origin->told_ms = now_ms;
    LOG(WARN, "origin_failed", {"origin", transfer->limits.origin}, {"code", err_code(transfer->answer.err)},
        {"detail", why},
        {"hint", "is the server at `origin` running, and as fast as origin.head_seconds and "
                 "origin.gap_seconds expect?"});
}

/* Not from within libcurl's callbacks, in which a handle cannot be taken out. What of the body is there
 * already is still read: the reader hears that it broke off when he is at its end. `why` is NULL where the
 * server has no part in it. */
static void fail(struct transfer *transfer, enum err err, const char *why)
{
    assert(transfer->state == ASKED || transfer->state == HEADED);
    transfer->state = FAILED;
    transfer->answer.err = err;
    tell_failure(transfer, why && !*why ? "no answer" : why);
    give_handle(transfer);
    announce(transfer);
    wake(transfer);
}

static void complete(struct transfer *transfer)
{
    assert(transfer->state == HEADED && transfer->announced);
    transfer->state = COMPLETE;
    give_handle(transfer);
    announce(transfer);
    wake(transfer);
}

static size_t on_head(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    OBJECT_CHECK(transfer, ANSWER_MAGIC);
    enum origin_head_line line = origin_head_line(&transfer->head, slice_bytes(data, bytes));
    if (line == ORIGIN_HEAD_REFUSED)
        return 0;
    /* Copied only now: until its end a head may still turn out to be none, or an informational one. */
    if (line == ORIGIN_HEAD_END) {
        transfer->answer.status = transfer->head.status;
        transfer->answer.fields = transfer->head.fields;
        transfer->answer.length = transfer->head.length;
        transfer->state = HEADED;
        transfer->deadline_ms = clock_monotonic_ms() + transfer->limits.gap_ms;
        announce(transfer);
    }
    return bytes;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    OBJECT_CHECK(transfer, ANSWER_MAGIC);
    assert(transfer->begin <= transfer->end && transfer->end <= BUFFER_BYTES);
    if (!transfer->buffer)
        transfer->buffer = take_buffer(transfer->origin);
    if (!transfer->buffer)
        return 0;
    /* Moved up only when the rest is too short: a reader that keeps up empties it, which costs nothing. */
    if (bytes > BUFFER_BYTES - transfer->end && transfer->begin > 0) {
        memmove(transfer->buffer, transfer->buffer + transfer->begin, transfer->end - transfer->begin);
        transfer->end -= transfer->begin;
        transfer->begin = 0;
    }
    if (bytes > BUFFER_BYTES - transfer->end) {
        transfer->paused = true;
        transfer->paused_ms = clock_monotonic_ms();
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(transfer->buffer + transfer->end, data, bytes);
    transfer->end += bytes;
    transfer->deadline_ms = clock_monotonic_ms() + transfer->limits.gap_ms;
    wake(transfer);
    return bytes;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
    struct origin *origin = context;
    struct epoll_event event = {.data = {.fd = socket}};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(origin->epoll, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    /* A socket that libcurl has told of before is known by what was assigned to it. */
    if (epoll_ctl(origin->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0)
        return -1;
    curl_multi_assign(origin->multi, socket, origin);
    return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
    struct origin *origin = context;
    (void)multi;
    origin->due_ms = wait_ms < 0 ? INT64_MAX : clock_monotonic_ms() + wait_ms;
    return 0;
}

static void set_address(struct transfer *transfer, const char *address)
{
    CURL *easy = transfer->easy;
    /* The URL says no more than where to connect: target and Host are those of the request. */
    bool local = strncmp(address, "unix:", 5) == 0;
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, local ? address + 5 : NULL);
    curl_easy_setopt(easy, CURLOPT_URL, local ? "http://localhost/" : address);
}

/* Libcurl writes a field without a value as "name;", and leaves out one of its own for "name:". */
static bool add_field(struct transfer *transfer, const struct message_field *field)
{
    struct slice name = field->name;
    struct slice value = slice_trim(field->value);
    char line[FIELD_BYTES_MAX];
    const char *colon = !field->value.data ? ":" : value.len > 0 ? ": " : ";";
    int len = snprintf(line, sizeof(line), "%.*s%s%.*s", (int)name.len, name.data, colon, (int)value.len,
                       value.len > 0 ? value.data : "");
    struct curl_slist *longer = len < (int)sizeof(line) ? curl_slist_append(transfer->fields, line) : NULL;
    if (longer)
        transfer->fields = longer;
    return longer != NULL;
}

static bool set_fields(struct transfer *transfer, const struct origin_request *request)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (!add_field(transfer, &request->fields[i]))
            return false;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    return true;
}

/* What changes something is never sent twice by itself: on a connection of its own, which cannot have died
 * idle. */
static bool set_method(struct transfer *transfer, const struct origin_request *request)
{
    CURL *easy = transfer->easy;
    const char *method = arena_copy(&transfer->answer.exchange->arena, request->method);
    bool get = slice_eq(request->method, SLICE("GET")), head = slice_eq(request->method, SLICE("HEAD"));
    transfer->changes = !get && !head;
    curl_easy_setopt(easy, head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
    if (!transfer->changes)
        return true;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (request->body.len > 0 || !slice_eq(request->method, SLICE("DELETE"))) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len > 0 ? request->body.data : "");
    }
    return method != NULL;
}

/* What is the same for all questions. */
static CURL *new_handle(void)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* Where a redirection leads is the crawler's to ask for, at that page's price. */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* Nothing of this process's environment or home: neither http_proxy nor ~/.netrc is the site's. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    /* Signals are of the process, and time limits by SIGALRM would hit any of its threads. */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    /* What has no head would be a page of whatever length, with no status to charge by. */
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    return easy;
}

static CURL *take_handle(struct origin *origin)
{
    if (origin->spare_handle_count > 0)
        return origin->spare_handles[--origin->spare_handle_count];
    return new_handle();
}

static bool set_up(struct transfer *transfer, const struct origin_request *request)
{
    CURL *easy = transfer->easy;
    struct arena *arena = &transfer->answer.exchange->arena;
    const char *target = arena_copy(arena, request->target);
    if (!easy || !target || !set_fields(transfer, request))
        return false;
    if (!set_method(transfer, request))
        return false;
    set_address(transfer, request->origin);
    curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return true;
}

static ptrdiff_t read_body(struct exchange_stream *stream, char *out, size_t room)
{
    struct transfer *transfer = transfer_of(stream);
    size_t there = transfer->end - transfer->begin;
    assert(transfer->end <= BUFFER_BYTES && transfer->begin <= transfer->end && room > 0);
    if (there == 0 && transfer->state == COMPLETE)
        return EXCHANGE_END;
    if (there == 0 && transfer->state == FAILED)
        return EXCHANGE_BROKEN;
    size_t bytes = there < room ? there : room;
    if (bytes > 0)
        memcpy(out, transfer->buffer + transfer->begin, bytes);
    transfer->begin += bytes;
    transfer->taken += bytes;
    if (transfer->begin == transfer->end)
        transfer->begin = transfer->end = 0;
    /* Not for each byte that gets free: libcurl would hand over a piece that does not fit, again and again.
     */
    if (transfer->paused && transfer->easy && there - bytes <= BUFFER_BYTES - RESUME_BYTES) {
        transfer->paused = false;
        transfer->tried = transfer->tried || clock_monotonic_ms() - transfer->paused_ms > PATIENCE_MS;
        transfer->deadline_ms = clock_monotonic_ms() + transfer->limits.gap_ms;
        transfer->origin->due_ms = 0; /* what libcurl held back it hands over in the next turn */
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
    transfer->awaited = bytes == 0;
    return bytes > 0 ? (ptrdiff_t)bytes : EXCHANGE_LATER;
}

static void close_body(struct exchange_stream *stream)
{
    struct transfer *transfer = transfer_of(stream);
    struct origin *origin = transfer->origin;
    bool whole = transfer->state != FAILED;
    assert(transfer->announced);
    /* Who makes the server give up by not reading has broken it off itself. */
    if (!whole && !transfer->tried && transfer->answer.broken)
        transfer->answer.broken(transfer->answer.broken_context, transfer->answer.status, transfer->taken,
                                transfer->answer.length);
    if (transfer->next)
        transfer->next->previous = transfer->previous;
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        origin->first = transfer->next;
    give_handle(transfer);
    curl_slist_free_all(transfer->fields);
    give_buffer(transfer);
    OBJECT_END(transfer, ANSWER_MAGIC);
    free(transfer);
}

struct slice origin_whole(const struct origin_answer *answer)
{
    const struct transfer *transfer = (const struct transfer *)(const void *)answer;
    OBJECT_CHECK(transfer, ANSWER_MAGIC);
    if (transfer->state != COMPLETE || transfer->taken > 0)
        return (struct slice){NULL, 0};
    return (struct slice){transfer->buffer ? transfer->buffer : "", transfer->end};
}

static void link_transfer(struct origin *origin, struct transfer *transfer)
{
    transfer->next = origin->first;
    if (origin->first)
        origin->first->previous = transfer;
    origin->first = transfer;
}

struct origin_answer *origin_ask(struct origin *origin, const struct origin_request *request,
                                 struct exchange *exchange)
{
    struct transfer *transfer = calloc(1, sizeof(*transfer));
    OBJECT_CHECK(origin, ORIGIN_MAGIC);
    if (!transfer)
        return NULL;
    OBJECT_MAKE(transfer, ANSWER_MAGIC);
    transfer->origin = origin;
    transfer->limits = *request;
    transfer->limits.fields = NULL;
    transfer->answer.exchange = exchange;
    transfer->answer.length = EXCHANGE_UNKNOWN_LENGTH;
    transfer->answer.stream = (struct exchange_stream){.read = read_body, .close = close_body};
    origin_head_begin(&transfer->head, &exchange->arena, exchange->head_room);
    transfer->deadline_ms = clock_monotonic_ms() + request->head_ms;
    transfer->easy = take_handle(origin);
    if (set_up(transfer, request) && curl_multi_add_handle(origin->multi, transfer->easy) == CURLM_OK) {
        origin->due_ms = 0;
        link_transfer(origin, transfer);
        return &transfer->answer;
    }
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->fields);
    free(transfer);
    return NULL;
}

/* What ended: the whole body, or a failure before or in it. */
static void end(struct transfer *transfer, CURLcode result)
{
    bool headed = transfer->state == HEADED;
    if (result == CURLE_OK && headed) {
        complete(transfer);
        return;
    }
    if (result == CURLE_OK)
        result = CURLE_GOT_NOTHING;
    const char *why = transfer->head.refusal ? transfer->head.refusal
                      : *transfer->error     ? transfer->error
                                             : curl_easy_strerror(result);
    fail(transfer, result == CURLE_OPERATION_TIMEDOUT ? ERR_ORIGIN_TIMEOUT : ERR_ORIGIN_UNAVAILABLE, why);
}

static void collect(struct origin *origin)
{
    CURLMsg *message;
    for (int left; (message = curl_multi_info_read(origin->multi, &left));) {
        struct transfer *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        OBJECT_CHECK(transfer, ANSWER_MAGIC);
        end(transfer, message->data.result);
    }
}

/* A body that its reader leaves in the buffer is not late. All are looked at now and then, in place of
 * libcurl's own time limits, which count for a transfer as a whole and go on while it is paused. */
static void sweep(struct origin *origin)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < origin->sweep_ms)
        return;
    origin->sweep_ms = now_ms + SWEEP_MS;
    /* The list stays as it is: who fails is still his reader's to close. */
    for (struct transfer *transfer = origin->first; transfer; transfer = transfer->next) {
        bool under_way = transfer->state == ASKED || transfer->state == HEADED;
        if (under_way && transfer->limits.attended && exchange_left(transfer->answer.exchange)) {
            transfer->tried = true; /* it is not the server that breaks off */
            fail(transfer, ERR_ORIGIN_UNAVAILABLE, NULL);
        }
        if (transfer->paused || now_ms < transfer->deadline_ms)
            continue;
        if (transfer->state == ASKED)
            fail(transfer, ERR_ORIGIN_TIMEOUT, "no head of an answer within origin.head_seconds");
        else if (transfer->state == HEADED)
            fail(transfer, ERR_ORIGIN_TIMEOUT, "nothing more of a body within origin.gap_seconds");
    }
}

static void tell_ready(struct origin *origin)
{
    while (origin->ready) {
        struct transfer *transfer = origin->ready;
        origin->ready = transfer->next_ready;
        OBJECT_CHECK(transfer, ANSWER_MAGIC);
        transfer->answer.ready(transfer->answer.ready_context, &transfer->answer);
    }
}

static void turn(void *upstream)
{
    struct origin *origin = origin_of(upstream);
    struct epoll_event events[EVENTS_MAX];
    int running;
    if (!origin->first)
        return;
    int count = epoll_wait(origin->epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(origin->multi, events[i].data.fd, what, &running);
    }
    if (clock_monotonic_ms() >= origin->due_ms) {
        origin->due_ms = INT64_MAX;
        curl_multi_socket_action(origin->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    /* What has ended before what is late: an answer that came in the last moment is one. Callbacks last, as
     * they close answers and ask for others. */
    collect(origin);
    sweep(origin);
    tell_ready(origin);
}

static int descriptor(const void *upstream)
{
    const struct origin *origin = upstream;
    return origin->epoll;
}

static void stop(void *upstream)
{
    struct origin *origin = origin_of(upstream);
    assert(!origin->first && !origin->ready); /* each is closed by its exchange */
    OBJECT_END(origin, ORIGIN_MAGIC);
    while (origin->spare_handle_count > 0)
        curl_easy_cleanup(origin->spare_handles[--origin->spare_handle_count]);
    while (origin->spare_buffer_count > 0)
        free(origin->spare_buffers[--origin->spare_buffer_count]);
    curl_multi_cleanup(origin->multi);
    if (origin->epoll >= 0)
        close(origin->epoll);
    free(origin);
}

static void *start(void *context)
{
    struct origin *origin = calloc(1, sizeof(*origin));
    (void)context;
    if (!origin)
        return NULL;
    OBJECT_MAKE(origin, ORIGIN_MAGIC);
    origin->due_ms = INT64_MAX;
    origin->epoll = epoll_create1(EPOLL_CLOEXEC);
    origin->multi = curl_multi_init();
    if (origin->epoll < 0 || !origin->multi) {
        stop(origin);
        return NULL;
    }
    curl_multi_setopt(origin->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(origin->multi, CURLMOPT_SOCKETDATA, origin);
    curl_multi_setopt(origin->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(origin->multi, CURLMOPT_TIMERDATA, origin);
    curl_multi_setopt(origin->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX);
    curl_multi_setopt(origin->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)PER_HOST_MAX);
    curl_multi_setopt(origin->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return origin;
}

struct exchange_upstream origin_upstream(void)
{
    return (struct exchange_upstream){.start = start, .stop = stop, .descriptor = descriptor, .turn = turn};
}
