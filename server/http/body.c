/* Read whole before anybody decides: a signature may cover its digest, and what is only half there cannot be
 * judged. So each has a bound, and all of them together, and none is read that nobody has asked for. */
#include "server/http/body.h"

#include <assert.h>
#include <stdlib.h>

/* Of all requests under way: strangers may send bodies wherever a site takes them. */
#define BODY_BYTES_MAX ((size_t)64 << 20)

enum err body_begin(struct http_private *private, size_t room)
{
    const struct message *message = &private->exchange.message;
    struct http *http = private->worker->http;
    size_t length;
    assert(room > 0 && !private->body);
    if (message_field(message, SLICE("transfer-encoding")))
        return ERR_LENGTH_REQUIRED;
    const char *fault = message_body_length(message, room + 1, &length);
    assert(!fault); /* request_read has seen to that */
    if (length > room)
        return ERR_BODY_REFUSED;
    /* Counted first, and given back if it was too much: two threads that looked first would both go on. */
    if (atomic_fetch_add(&http->body_bytes, length) + length <= BODY_BYTES_MAX)
    private->body = malloc(length + 1);
    if (!private->body) {
        atomic_fetch_sub(&http->body_bytes, length);
        return ERR_OVERLOADED;
    }
    private->body_size = length;
    private->body_len = 0;
    return ERR_OK;
}

void body_add(struct http_private *private, const char *data, size_t size)
{
    assert(private->body && size <= private->body_size - private->body_len); /* libmicrohttpd counts too */
    memcpy(private->body + private->body_len, data, size);
    private->body_len += size;
}

bool body_end(struct http_private *private)
{
    if (private->body_len != private->body_size)
        return false;
    private->exchange.message.body = slice_bytes((const uint8_t *)private->body, private->body_size);
    return true;
}

void body_free(struct http_private *private)
{
    if (!private->body)
        return;
    size_t before = atomic_fetch_sub(&private->worker->http->body_bytes, private->body_size);
    assert(before >= private->body_size);
    free(private->body);
    private->body = NULL;
}
