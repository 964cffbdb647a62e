/* Crawlers keep connections open by the thousand and use them once a minute. An idle one costs an entry in
 * epoll and 100 bytes here, in place of libmicrohttpd's 32 KiB; what it has sent meanwhile waits in the
 * kernel until it is given back. */
#define _GNU_SOURCE /* dup3 */
#include "server/http/idle.h"

#include "ledger/base/object.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIVE_MIN 128 /* connections of a thread that are left alone */
#define IDLE_MS  1000
#define CROWD    256 /* from so many of a thread on, the less patience the more there are */
#define LEAST_MS 100
#define WAKE_MAX 64

bool idle_open(struct idle *idle, struct limits_clients *clients)
{
    int pair[2];
    *idle = (struct idle){.hole = -1, .clients = clients};
    idle->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (idle->epoll < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return false;
    idle->hole = pair[0];
    /* Its other side is closed at once: whoever reads from the hole sees the end of a connection. */
    close(pair[1]);
    return true;
}

/* Ends it here; its socket is the caller's. */
static void forget(struct idle *idle, struct connection *connection)
{
    epoll_ctl(idle->epoll, EPOLL_CTL_DEL, connection->socket, NULL);
    connection_close(&idle->connections, connection);
}

static void drop(struct idle *idle, struct connection *connection)
{
    int socket = connection->socket;
    if (connection->counted)
        limits_clients_leave(idle->clients, connection->client);
    forget(idle, connection);
    close(socket);
}

/* The newest stands first, so that the last has been idle longest. */
bool idle_drop(struct idle *idle)
{
    if (!idle->connections.tail)
        return false;
    drop(idle, idle->connections.tail);
    return true;
}

void idle_close(struct idle *idle)
{
    while (idle_drop(idle))
        continue;
    /* A worker that has not come so far is all zero, which is a descriptor of somebody else's. */
    if (idle->epoll > 0)
        close(idle->epoll);
    if (idle->hole > 0)
        close(idle->hole);
    idle->epoll = idle->hole = -1;
}

void idle_sweep(struct idle *idle, int64_t now_ms)
{
    struct connection *next;
    for (struct connection *c = idle->connections.head; c; c = next) {
        next = c->next;
        if (c->deadline_ms <= now_ms)
            drop(idle, c);
    }
}

/* True when all that has ever arrived is of requests that are answered: libmicrohttpd has read nothing beyond
 * them, and would not say so. False when the system does not tell. */
static bool is_between_requests(const struct connection *connection)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (getsockopt(connection->socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
        return false;
    return info.tcpi_bytes_received == connection->read;
}

/* libmicrohttpd cannot let go of a socket, but reads from a resumed connection: it finds the hole under its
 * descriptor's number, and closes that. */
static void stow(struct idle *idle, struct connection *live)
{
    assert(!live->stowed && live->handle);
    int own = fcntl(live->socket, F_DUPFD_CLOEXEC, 3);
    struct connection *connection = own < 0 ? NULL : connection_open(&idle->connections, own);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = connection};
    if (!connection || epoll_ctl(idle->epoll, EPOLL_CTL_ADD, own, &event) != 0) {
        connection_close(&idle->connections, connection);
        if (own >= 0)
            close(own);
        return;
    }
    memcpy(connection->client, live->client, sizeof(connection->client));
    connection->counted = live->counted;
    connection->deadline_ms = live->deadline_ms;
    connection->read = live->read;
    MHD_suspend_connection(live->handle);
    if (dup3(idle->hole, live->socket, O_CLOEXEC) >= 0) {
        live->stowed = true;
        connection_work(live, INT64_MAX);
    } else {
        forget(idle, connection);
        close(own);
    }
    MHD_resume_connection(live->handle);
}

int64_t idle_patience_ms(const struct connection_list *live)
{
    int64_t count = (int64_t)(live->count - live->stowed);
    int64_t patience_ms = count <= CROWD ? IDLE_MS : IDLE_MS * CROWD / count;
    return patience_ms > LEAST_MS ? patience_ms : LEAST_MS;
}

void idle_stow(struct idle *idle, struct connection_list *live, int64_t now_ms)
{
    const int64_t patience_ms = idle_patience_ms(live);
    if (live->count <= LIVE_MIN)
        return;
    assert(live->stowed <= live->count);
    for (struct connection *c = live->head; c; c = c->next) {
        if (!c->waiting || now_ms - c->since_ms < patience_ms)
            continue;
        c->since_ms = now_ms + IDLE_MS - patience_ms; /* a slow sender is not asked about in each sweep */
        if (!is_between_requests(c))
            continue;
        stow(idle, c);
        live->stowed += c->stowed;
    }
}

/* Something has arrived: the start of a request, or the end of the connection. */
static void wake(struct idle *idle, struct MHD_Daemon *daemon, struct connection *connection)
{
    assert(!idle->adopting);
    /* None that came in one wait with another is gone by now: taking that one back made no connection more,
     * and so dropped none. */
    OBJECT_CHECK(connection, CONNECTION_MAGIC);
    char byte;
    struct sockaddr_in6 peer; /* the larger of the two families */
    socklen_t size = sizeof(peer);
    int socket = connection->socket;
    /* Only looked at: what has arrived is libmicrohttpd's to read. */
    if (recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 ||
        getpeername(socket, (struct sockaddr *)&peer, &size) != 0) {
        drop(idle, connection);
        return;
    }
    struct connection known = *connection;
    forget(idle, connection);
    idle->adopting = &known;
    bool taken = MHD_add_connection(daemon, socket, (struct sockaddr *)&peer, size) == MHD_YES;
    if (!taken && idle->adopting && known.counted) /* it closed the socket, and nobody was notified */
        limits_clients_leave(idle->clients, known.client);
    idle->adopting = NULL;
}

void idle_wake(struct idle *idle, struct MHD_Daemon *daemon)
{
    struct epoll_event events[WAKE_MAX];
    int count = epoll_wait(idle->epoll, events, WAKE_MAX, 0);
    for (int i = 0; i < count; i++)
        wake(idle, daemon, events[i].data.ptr);
}
