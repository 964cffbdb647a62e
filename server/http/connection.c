/* Deadlines are absolute, in a list of a thread's own that is swept twice a second: no timer for each
 * connection, and no lock. */
#include "server/http/connection.h"

#include "ledger/base/metrics/metrics.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

struct connection *connection_open(struct connection_list *list, int socket)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    assert(socket >= 0);
    OBJECT_MAKE(connection, CONNECTION_MAGIC);
    connection->socket = socket;
    connection->next = list->head;
    if (list->head)
        list->head->previous = connection;
    else
        list->tail = connection;
    list->head = connection;
    list->count++;
    assert(list->head && list->tail && !list->tail->next);
    return connection;
}

void connection_close(struct connection_list *list, struct connection *connection)
{
    if (!connection)
        return;
    OBJECT_END(connection, CONNECTION_MAGIC);
    assert(list->count > 0 && list->stowed >= connection->stowed);
    if (connection->next)
        connection->next->previous = connection->previous;
    else
        list->tail = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        list->head = connection->next;
    list->count--;
    list->stowed -= connection->stowed;
    list->closed++;
    assert((list->head == NULL) == (list->count == 0));
    free(connection);
}

void connection_wait(struct connection *connection, int64_t now_ms, int64_t deadline_ms)
{
    OBJECT_CHECK(connection, CONNECTION_MAGIC);
    connection->waiting = true;
    connection->since_ms = now_ms;
    connection->deadline_ms = deadline_ms;
}

void connection_work(struct connection *connection, int64_t deadline_ms)
{
    OBJECT_CHECK(connection, CONNECTION_MAGIC);
    connection->waiting = false;
    connection->deadline_ms = deadline_ms;
}

int connection_sweep(struct connection_list *list, int64_t now_ms, size_t *waiting)
{
    int count = 0;
    *waiting = 0;
    for (struct connection *c = list->head; c; c = c->next) {
        if (c->deadline_ms <= now_ms) {
            shutdown(c->socket, SHUT_RDWR);
            /* Only shut down: libmicrohttpd owns the socket, and closes it when it sees that. */
            connection_work(c, INT64_MAX);
            count++;
        }
        *waiting += c->waiting && !c->stowed;
    }
    assert(*waiting + list->stowed <= list->count);
    return count;
}

/* Whoever has connected before the door was closed may have sent a request that is on its way: a gate that
 * stopped now would hang up on it. */
bool connection_expected(const struct connection_list *list)
{
    const struct connection *c = list->head;
    while (c && (c->read > 0 || !c->waiting || c->stowed))
        c = c->next;
    return c != NULL;
}

void connection_tell(size_t waiting, size_t answering, size_t idle)
{
    metrics_set(METRIC_CONNECTIONS_WAITING, (int64_t)waiting);
    metrics_set(METRIC_CONNECTIONS_ANSWERING, (int64_t)answering);
    metrics_set(METRIC_CONNECTIONS_IDLE, (int64_t)idle);
}

void connection_hurry(struct connection_list *list, int64_t deadline_ms)
{
    for (struct connection *c = list->head; c; c = c->next)
        if (c->waiting && c->deadline_ms > deadline_ms)
            c->deadline_ms = deadline_ms;
}
