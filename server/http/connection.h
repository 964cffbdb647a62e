/* The connections of one HTTP thread and how long each may take for what it is doing. libmicrohttpd counts
 * inactivity alone, by which a byte a second keeps a connection for ever; these deadlines are absolute. */
#ifndef SERVER_HTTP_CONNECTION_H
#define SERVER_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

#define CONNECTION_MAGIC 0x70b2e6c9u

struct connection {
    uint32_t magic;
    struct connection *next, *previous;
    struct MHD_Connection *handle;
    int socket;
    uint8_t client[16];  /* that it is counted for; as in struct exchange_client */
    bool counted;        /* among that client's connections */
    bool trusted;        /* a proxy's: its requests are counted, each for the client behind it */
    bool waiting;        /* for a request, or for the rest of one's fields */
    bool stowed;         /* the socket has gone elsewhere, see idle.h */
    int64_t since_ms;    /* it waits; monotonic like the deadline */
    int64_t deadline_ms; /* INT64_MAX: the gate is at work */
    uint64_t read;       /* bytes of its requests so far, without bodies */
};

/* All zero is an empty list. The newest stands first. */
struct connection_list {
    struct connection *head, *tail;
    size_t count;
    size_t stowed; /* of these: they end with the next look at their sockets */
    size_t closed; /* so far */
};

/* Adds a connection that waits. NULL without memory. */
struct connection *connection_open(struct connection_list *list, int socket);

/* Takes it out and frees it. NULL is fine. */
void connection_close(struct connection_list *list, struct connection *connection);

/* The connection waits for a request, from now until `deadline_ms`. */
void connection_wait(struct connection *connection, int64_t now_ms, int64_t deadline_ms);

/* The gate is at work on a request: INT64_MAX, or its reply is sent: `deadline_ms`. */
void connection_work(struct connection *connection, int64_t deadline_ms);

/* Cuts off who is late, by shutting the socket down: libmicrohttpd then closes it. Returns how many;
 * *waiting: how many others wait for a request. */
int connection_sweep(struct connection_list *list, int64_t now_ms, size_t *waiting);

/* True if somebody has connected and not asked for anything yet. Looks through the list. */
bool connection_expected(const struct connection_list *list);

/* Tells the metrics how many connections of this thread wait, are answered, and lie aside. */
void connection_tell(size_t waiting, size_t answering, size_t idle);

/* No connection waits longer than until `deadline_ms`. */
void connection_hurry(struct connection_list *list, int64_t deadline_ms);

#endif
