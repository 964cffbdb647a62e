/* The reply's memory is the exchange's, which lives until the response is sent; nothing is copied for it. */
#include "server/http/response.h"

#include "ledger/base/log.h"

#include <assert.h>
#include <microhttpd.h>

/* Of a body that is never sent. */
static ssize_t no_content(void *context, uint64_t position, char *out, size_t room)
{
    (void)context, (void)position, (void)out, (void)room;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

void response_fields(struct MHD_Response *response, const struct exchange_reply *reply)
{
    for (const struct exchange_header *header = reply->headers; response && header; header = header->next)
        /* It takes no empty value; white space around one is none (RFC 9110 section 5.5). */
        if (MHD_add_response_header(response, header->name, *header->value ? header->value : " ") != MHD_YES)
            LOG(ERROR, "header_refused", {"name", header->name});
}

struct MHD_Response *response_make(struct exchange_reply *reply)
{
    struct MHD_Response *response;
    assert(reply->status >= 200 && (reply->fd < 0 || reply->length != EXCHANGE_UNKNOWN_LENGTH));
    if (reply->status == 304) {
        /* libmicrohttpd writes Content-Length in any case: then let it be what a 200 would have (RFC 9110
         * section 8.6). */
        response = MHD_create_response_from_callback(reply->length, 1024, no_content, NULL, NULL);
    } else if (reply->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64(reply->length, reply->fd, reply->offset);
        if (response)
            reply->fd = -1; /* libmicrohttpd closes it */
    } else {
        char *body = (char *)(uintptr_t)reply->body.data; /* the API lacks a const; persistent: not written */
        response = MHD_create_response_from_buffer(reply->body.len, body, MHD_RESPMEM_PERSISTENT);
    }
    response_fields(response, reply);
    return response;
}
