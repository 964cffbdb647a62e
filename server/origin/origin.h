/* The client for the sites' own servers (the `origin` delivery style, WIRE.md section 6): asks, hands over
 * the head of the answer when it is there, and streams the body in bounded memory. One for each HTTP thread,
 * which drives it. The only user of libcurl for this. */
#ifndef SERVER_ORIGIN_ORIGIN_H
#define SERVER_ORIGIN_ORIGIN_H

#include "ledger/base/http/exchange.h"

/* The client of one thread. */
struct origin;

/* For the HTTP layer. */
struct exchange_upstream origin_upstream(void);

/* What is asked. All of it is copied, but for the body. */
struct origin_request {
    const char *origin; /* "http://host:port", "https://…" or "unix:/path" */
    struct slice method;
    struct slice target;                /* byte for byte */
    const struct message_field *fields; /* a value whose data is NULL: the field must not be sent */
    size_t field_count;
    struct slice body; /* not copied: it stays until the answer is closed */
    int64_t connect_ms;
    int64_t head_ms; /* from the question to the end of the answer's head */
    int64_t gap_ms;  /* between two pieces of the body, while the client takes them */
    bool attended;   /* it is over when its client has left */
};

/* An answer on its way. */
struct origin_answer {
    struct exchange_stream stream; /* first: the body, for whoever takes the answer */
    enum err err;                  /* ERR_OK: there is a head; ERR_ORIGIN_TIMEOUT or ERR_ORIGIN_UNAVAILABLE */
    unsigned status;
    struct exchange_header *fields; /* as they came, in their order, without those of one hop */
    uint64_t length;                /* of the body; or EXCHANGE_UNKNOWN_LENGTH */
    /* The head is there, or there will be none. Once. On the thread, not from within a call of this room. */
    void (*ready)(void *context, struct origin_answer *answer);
    /* The body broke off after `sent` bytes of it were read, and not because its reader was slow. At most
     * once, before the stream is closed. NULL: nobody wants to know. */
    void (*broken)(void *context, unsigned status, uint64_t sent, uint64_t length);
    struct exchange *exchange; /* resumed when there is more of the body; its arena takes the head */
    void *ready_context, *broken_context;
};

/* Asks. The caller sets `ready` and, before the body is read, `broken`, and closes the stream in the end,
 * which frees the answer. `exchange` stays until then. NULL without memory. */
struct origin_answer *origin_ask(struct origin *origin, const struct origin_request *request,
                                 struct exchange *exchange);

/* The body, if all of it is there and nothing was read yet; else data is NULL. Lives as long as the stream.
 */
struct slice origin_whole(const struct origin_answer *answer);

#endif
