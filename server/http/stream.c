/* A body that comes as fast as the origin sends it and goes as fast as the client reads it; libmicrohttpd
 * asks for it whenever the socket takes more. */
#include "server/http/stream.h"

#include "ledger/base/clock.h"
#include "ledger/base/object.h"
#include "server/http/response.h"
#include "server/http/worker.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>

#define BLOCK_BYTES (32 * 1024)

bool stream_is_sent(const struct exchange_reply *reply)
{
    return reply->stream && !reply->body.data && reply->status != 204;
}

/* While there is nothing to send the connection is set aside, or libmicrohttpd would ask again without end.
 * It goes on by exchange_resume, which comes on this same thread. */
static ssize_t wait(struct http_private *private)
{
    enum parking before = atomic_exchange(&private->parking, SUSPENDED);
    assert(before == NOT_PARKED || before == RESUMED); /* nobody else has it */
    connection_work(private->place, INT64_MAX);        /* whoever is waited for has a time limit of its own */
    MHD_suspend_connection(private->connection);
    return 0;
}

/* The client must have taken this piece in its time: so a slow one is told from a slow source. */
static void expect_taken(struct http_private *private, size_t bytes)
{
    const struct http_options *options = &private->worker->http->options;
    assert(options->send_bytes_per_second > 0);
    int64_t piece_ms = (int64_t)bytes * 1000 / options->send_bytes_per_second;
    connection_work(private->place, clock_monotonic_ms() + options->send_seconds * 1000 + piece_ms);
}

static ssize_t on_read(void *context, uint64_t position, char *out, size_t room)
{
    struct http_private *private = context;
    OBJECT_CHECK(private, PRIVATE_MAGIC);
    struct exchange_stream *stream = private->exchange.reply.stream;
    assert(stream); /* it is closed with the request, after the last of it is read */
    (void)position;
    ptrdiff_t bytes = stream->read(stream, out, room);
    switch (bytes) {
    case EXCHANGE_LATER:
        return wait(private);
    case EXCHANGE_END:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case EXCHANGE_BROKEN:
        return MHD_CONTENT_READER_END_WITH_ERROR;
    default:
        assert(bytes > 0 && (size_t)bytes <= room);
        expect_taken(private, (size_t)bytes);
        private->streamed += (uint64_t)bytes;
        return bytes;
    }
}

struct MHD_Response *stream_response(struct http_private *private)
{
    const struct exchange_reply *reply = &private->exchange.reply;
    assert(reply->stream && reply->fd < 0); /* a reply comes from one place */
    uint64_t size = reply->length == EXCHANGE_UNKNOWN_LENGTH ? MHD_SIZE_UNKNOWN : reply->length;
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, BLOCK_BYTES, on_read, private, NULL);
    /* Libmicrohttpd would send the last chunk of a body that there is none of. */
    bool bodiless = reply->status == 304 || slice_eq(private->exchange.message.method, SLICE("HEAD"));
    if (response && bodiless && size == MHD_SIZE_UNKNOWN)
        MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    response_fields(response, reply);
    return response;
}

int64_t stream_sent(const struct http_private *private)
{
    const struct exchange_reply *reply = &private->exchange.reply;
    if (slice_eq(private->exchange.message.method, SLICE("HEAD")) || reply->status == 204 ||
        reply->status == 304)
        return 0;
    if (stream_is_sent(reply))
        return (int64_t) private->streamed;
    if (!private->whole)
        return -1;
    return reply->length > 0 && !reply->body.data ? (int64_t)reply->length : (int64_t)reply->body.len;
}

/* Looked at, not taken: what else has come is the next request's. */
bool stream_left(const struct exchange *exchange)
{
    const struct http_private *private = (const struct http_private *)(const void *)exchange;
    OBJECT_CHECK(private, PRIVATE_MAGIC);
    char byte;
    if (atomic_load(&private->parking) == ORPHANED)
        return true; /* and its place is another's */
    ssize_t bytes = recv(private->place->socket, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
    return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

void stream_close(struct exchange_reply *reply)
{
    struct exchange_stream *stream = reply->stream;
    reply->stream = NULL;
    if (stream)
        stream->close(stream);
}
