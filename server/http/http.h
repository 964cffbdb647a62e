/* HTTP: requests in, replies out. The only user of libmicrohttpd. One thread per core, each with a daemon of
 * its own on the shared port; a request lives on one thread, and may be parked while others work for it. What
 * to answer is the handler's business. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"
#include "ledger/base/message.h"

#include <stdint.h>

/* What a request may use for itself, fields and reply included. Beyond that it is refused with 431. */
#define HTTP_ARENA_SIZE 32768

struct http_header {
    const char *name;
    const char *value; /* static or in the request's arena */
    struct http_header *next;
};

struct http_reply {
    unsigned status;
    struct http_header *headers;
    struct slice body; /* static or in the request's arena; not used when fd >= 0 */
    int fd;            /* a file to send from, closed by the HTTP layer; -1: none */
    uint64_t offset;
    uint64_t length;
};

struct http_request {
    struct arena arena;
    struct message message; /* scheme is left empty for the handler to fill in */
    void *state;            /* the handler's; NULL when the request arrives */
    struct http_reply reply;
    struct http_private *http; /* the HTTP layer's own */
};

enum http_verdict { HTTP_REPLY, HTTP_PARK };

/* The handler, as a table of functions. `thread` is what thread_start returned for the calling thread. */
struct http_handler {
    void *context;
    void *(*thread_start)(void *context); /* NULL: could not start */
    void (*thread_stop)(void *thread);
    /* Decides. HTTP_REPLY: request->reply is ready. HTTP_PARK: the request is set aside, then `parked` is
     * called to hand it over, and `handle` again after http_resume. */
    enum http_verdict (*handle)(void *thread, struct http_request *request);
    void (*parked)(void *thread, struct http_request *request);
    /* The request could not be read: fill in a reply that says so. */
    void (*refuse)(void *thread, struct http_request *request, enum err err);
    /* The request is over, replied to or cut off: give back what `state` holds. */
    void (*finished)(void *thread, struct http_request *request);
};

/* Puts a header in front of the reply's list. False when the arena is full. */
bool http_header(struct http_request *request, const char *name, const char *value);

/* Lets a parked request go on, on its own thread. From any thread, once per parking. */
void http_resume(struct http_request *request);

struct http;

/* Listens on "address:port" with `threads` threads (0: one per core). Port 0 takes a free one; the real one
 * is in http_address. NULL after logging why: bad address, port in use, no permission. `handler` must outlive
 * it. */
struct http *http_start(const char *listen, int threads, const struct http_handler *handler);

/* "address:port" as bound. */
const char *http_address(const struct http *http);

/* Stops listening, lets requests under way finish, ends the threads and frees. NULL is fine. */
void http_stop(struct http *http);

#endif
