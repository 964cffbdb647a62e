#include "server/http/door.h"

#include "server/http/framing.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"
#include "ledger/base/metrics/metrics.h"
#include "server/http/limits.h"
#include "server/http/request.h"

#include <assert.h>
#include <microhttpd.h>

void door_uncount(struct http *http, struct connection *place)
{
    assert(!place->counted || http->clients); /* who is not limited is not counted */
    if (place->counted)
        limits_clients_leave(http->clients, place->client);
    place->counted = false;
}

void door_close(struct worker *worker, struct connection *place)
{
    if (!place)
        return;
    if (!place->stowed) /* else it is still open elsewhere */
        door_uncount(worker->http, place);
    connection_close(&worker->connections, place);
}

/* One that was stowed is there twice until libmicrohttpd has closed its side. */
static size_t open_connections(const struct worker *worker)
{
    assert(worker->connections.stowed <= worker->connections.count);
    return worker->connections.count - worker->connections.stowed + worker->idle.connections.count;
}

/* Whether the client is one of those that are counted. By default whoever is on this machine is not: that may
 * be a front that the configuration does not name, with all the world behind it. */
static bool is_counted(const struct http *http, const struct exchange_client *client)
{
    static const uint8_t six[16] = {[15] = 1}, four[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    bool near = memcmp(client->address, six, sizeof(six)) == 0 ||
                memcmp(client->address, four, sizeof(four)) == 0; /* ::1, 127.0.0.0/8 */
    return http->clients && !(near && http->options.client_connections < 0);
}

struct connection *door_open(struct worker *worker, struct MHD_Connection *connection, int socket)
{
    OBJECT_CHECK(worker, WORKER_MAGIC);
    struct http *http = worker->http;
    const struct connection *known = worker->idle.adopting;
    int64_t now_ms = clock_monotonic_ms();
    int64_t deadline_ms = now_ms + http->options.header_seconds * 1000;
    bool local;
    struct exchange_client peer = request_peer(connection, &local);
    worker->idle.adopting = NULL;
    /* A trusted proxy has as many connections as it likes, see door_admit. Who is known stays as he was
     * counted: once, whoever has the socket. */
    bool trusted = known ? known->trusted : client_trusted(worker->serving->trust, &peer, local);
    bool counted = known ? known->counted : !trusted && is_counted(http, &peer);
    bool welcome = known || !counted || limits_clients_enter(http->clients, peer.address);
    struct connection *place = connection_open(&worker->connections, socket);
    metrics_add(METRIC_CONNECTIONS_TAKEN, known ? 0 : 1);
    /* Who was one too many has been counted, and is uncounted here: his place is never made. */
    if (!place || !welcome) {
        metrics_add(METRIC_CONNECTIONS_TURNED_AWAY, welcome ? 0 : 1);
        connection_close(&worker->connections, place);
        if (counted)
            limits_clients_leave(http->clients, peer.address);
        return NULL;
    }
    place->handle = connection;
    place->trusted = trusted;
    place->counted = counted;
    memcpy(place->client, peer.address, sizeof(place->client));
    place->read = known ? known->read : 0;
    connection_wait(place, now_ms,
                    known && known->deadline_ms < deadline_ms ? known->deadline_ms : deadline_ms);
    /* Idle ones make room: a connection that asks for something is worth more than one that may. */
    while (open_connections(worker) > http->connections && idle_drop(&worker->idle))
        continue;
    return place;
}

bool door_admit(struct http_private *private)
{
    struct http *http = private->worker->http;
    struct connection *place = private->place;
    const struct client_trust *trust = private->serving->trust;
    bool local;
    assert(place); /* until the request is over, libmicrohttpd does not close it */
    struct exchange_client peer = request_peer(private->connection, &local);
    bool trusted = client_trusted(trust, &peer, local), same = trusted == place->trusted;
    private->exchange.client = peer;
    if (!trusted && same)
        return true; /* it is counted, or not, as long as it is open */
    /* The configuration has changed its mind: so the connection is counted anew. */
    if (!same)
        door_uncount(http, place);
    place->trusted = trusted;
    /* For each request anew: a proxy sends those of many clients over one connection. */
    struct exchange_client client = trusted ? client_behind(trust, &peer, &private->exchange.message) : peer;
    assert(!place->counted); /* its last request is over */
    private->exchange.client = client;
    memcpy(place->client, client.address, sizeof(place->client));
    place->counted = is_counted(http, &client);
    return !place->counted || limits_clients_enter(http->clients, client.address);
}

/* It does not say whose, so everybody who waits with such a field is answered: what libmicrohttpd sends then
 * reaches nobody. */
void door_hear(const struct worker *worker, const char *format)
{
    OBJECT_CHECK(worker, WORKER_MAGIC);
    if (!framing_complains(format))
        return;
    for (const struct connection *place = worker->connections.head; place; place = place->next)
        if (place->waiting && !place->stowed)
            framing_answer(place->handle, place->socket);
}
