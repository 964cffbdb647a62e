/* An exchange: a request, and the reply to it. The contract between the HTTP layer, which reads the one and
 * sends the other, and the handler that decides; neither knows the other. */
#ifndef LEDGER_BASE_HTTP_EXCHANGE_H
#define LEDGER_BASE_HTTP_EXCHANGE_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"
#include "ledger/base/http/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange_header {
    const char *name;
    const char *value; /* static or in the exchange's arena */
    struct exchange_header *next;
};

#define EXCHANGE_UNKNOWN_LENGTH UINT64_MAX

/* What a stream's `read` returns besides a number of bytes. */
enum exchange_piece {
    EXCHANGE_LATER = 0,   /* there is nothing yet: exchange_resume is called when there is */
    EXCHANGE_END = -1,    /* that was all */
    EXCHANGE_BROKEN = -2, /* there will be no more, and it was not all */
};

/* A body that comes piece by piece. It works on the thread of its exchange, and may outlive the handler that
 * made it. */
struct exchange_stream {
    /* At most `room` bytes, at least one, or an exchange_piece. */
    ptrdiff_t (*read)(struct exchange_stream *stream, char *out, size_t room);
    /* The reply is over, sent or cut off. Once; frees the stream. */
    void (*close)(struct exchange_stream *stream);
};

struct exchange_reply {
    unsigned status;
    struct exchange_header *headers;
    /* Static, in the exchange's arena, or in what the handler keeps until it has no exchange left; not used
     * when fd >= 0, or with a stream. */
    struct slice body;
    int fd;          /* a file to send from, closed by the HTTP layer; -1: none */
    uint64_t offset; /* in the file, also of a body that was read from one */
    uint64_t length; /* of what is sent from the file or stream; of a 304: of the page that is not sent */
    struct exchange_stream *stream; /* to send from, closed by the HTTP layer; NULL: none */
};

/* Told once, when the reply is over, and then never again; on the thread of its exchange, maybe after the
 * handler's end. */
struct exchange_ended {
    /* `whole`: all of it was handed to the network; `bytes` of its body were, -1: nobody knows how many. */
    void (*tell)(void *context, bool whole, int64_t bytes);
    void *context; /* in the exchange's arena */
};

/* Where a request came from. */
struct exchange_client {
    uint8_t address[16]; /* IPv6; IPv4 as ::ffff:a.b.c.d; all zero: not known */
};

/* A path that is answered without a Host: whoever watches the gate knows its address alone. */
#define EXCHANGE_HEALTH SLICE("/.well-known/crawltab/health")

struct exchange {
    struct arena arena;     /* for request and reply; when it is full the request is refused with 431 */
    struct message message; /* scheme is left empty for the handler to fill in; so is the authority of a
                               request by HTTP/1.0, or for EXCHANGE_HEALTH, that has no Host */
    struct exchange_client client;
    void *upstream;   /* the thread's, see exchange_upstream */
    size_t head_room; /* bytes that the reply's header may have */
    void *state;      /* the handler's; NULL when the request arrives */
    struct exchange_reply reply;
    struct exchange_ended ended;                   /* `tell` is NULL: nobody wants to know */
    void (*resume)(struct exchange *exchange);     /* the HTTP layer's, see exchange_resume */
    bool (*left)(const struct exchange *exchange); /* likewise, see exchange_left */
};

enum exchange_verdict { EXCHANGE_REPLY, EXCHANGE_PARK };

/* The handler, as a table of functions. `thread` is what thread_start returned for the calling thread. */
struct exchange_handler {
    void *context;
    void *(*thread_start)(void *context); /* NULL: could not start */
    void (*thread_stop)(void *thread);
    /* Decides. EXCHANGE_REPLY: the reply is ready. EXCHANGE_PARK: the exchange is set aside, then `parked` is
     * called to hand it over, and `handle` again after exchange_resume. */
    enum exchange_verdict (*handle)(void *thread, struct exchange *exchange);
    /* How many bytes of a body the request may come with, which is then all read before `handle` has it. 0:
     * none is read; `handle` must reply at once. NULL: of no request. */
    size_t (*body_room)(void *thread, const struct exchange *exchange);
    void (*parked)(void *thread, struct exchange *exchange);
    /* The thread has handled all requests that it had, and will look for others: time for some of the work
     * that parked ones wait for. True: there is more, so the thread must not sleep. */
    bool (*turned)(void *thread);
    /* The request could not be read: fill in a reply that says so. */
    void (*refuse)(void *thread, struct exchange *exchange, enum err err);
    /* The exchange is over, replied to or cut off: give back what `state` holds. */
    void (*finished)(void *thread, struct exchange *exchange);
};

/* Who is asked for what the handler does not have itself, on the same thread: a client that goes on when the
 * handler is replaced. */
struct exchange_upstream {
    void *context;
    void *(*start)(void *context); /* for the calling thread; NULL: could not start */
    void (*stop)(void *upstream);
    int (*descriptor)(const void *upstream); /* readable when there is something to do */
    void (*turn)(void *upstream);            /* does it */
};

/* Puts a header field in front of the reply's list. False when the arena is full or `value` is NULL. */
bool exchange_header(struct exchange *exchange, const char *name, const char *value);

/* True if the client has ended its side, which it may do and still wait for the reply. On its thread. */
static inline bool exchange_left(const struct exchange *exchange)
{
    return exchange->left && exchange->left(exchange);
}

/* Lets a parked exchange go on, on its own thread. From any thread, once per parking. */
void exchange_resume(struct exchange *exchange);

#endif
