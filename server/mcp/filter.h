/* The answer of a site's own server to a message of MCP, on its way to the client: piece by piece where it is
 * a stream of events, each as soon as it is whole, and with what the gate puts in. A stream around a stream.
 */
#ifndef SERVER_MCP_FILTER_H
#define SERVER_MCP_FILTER_H

#include "ledger/base/http/exchange.h"
#include "server/mcp/answer.h"
#include "server/mcp/calls.h"

/* What is looked for, and put in. Texts stay as long as the stream. */
struct filter_job {
    struct slice id;
    bool events;       /* text/event-stream; else one JSON text */
    size_t result_max; /* bytes of a message that is looked at */
    /* A call that is paid for: its result gets the receipt. */
    struct calls *calls;
    struct call *call; /* let go with the stream; NULL: it is another message */
    int64_t charged_micros;
    const char *site; /* its name, for the log */
    /* Writes the receipt for so much, at most what was charged; data is NULL when the arena is full. */
    struct slice (*receipt)(const void *context, struct arena *arena, int64_t micros);
    const void *receipt_context; /* that stays as long as the stream */
    /* Or the answer in which prices are told. */
    enum rpc_kind kind;
    const struct config_site *prices;
};

/* Around `inner`, which it closes. Of a call that is paid for a message that cannot be read, is too long or
 * breaks off is answered with an error in its place, and the call has failed; ids of its events are left out,
 * since a stream that somebody could resume elsewhere would give its result for nothing. Other messages that
 * cannot be read go through as they are. NULL without memory. */
struct exchange_stream *filter_new(const struct filter_job *job, struct exchange_stream *inner);

#endif
