#include "server/http/response.h"

#include "ledger/base/log.h"

#include <microhttpd.h>

struct MHD_Response *response_make(struct exchange_reply *reply)
{
    struct MHD_Response *response;
    if (reply->fd >= 0) {
        response = MHD_create_response_from_fd_at_offset64(reply->length, reply->fd, reply->offset);
        if (response)
            reply->fd = -1; /* libmicrohttpd closes it */
    } else {
        char *body = (char *)(uintptr_t)reply->body.data; /* the API lacks a const; persistent: not written */
        response = MHD_create_response_from_buffer(reply->body.len, body, MHD_RESPMEM_PERSISTENT);
    }
    for (const struct exchange_header *header = reply->headers; response && header; header = header->next)
        if (MHD_add_response_header(response, header->name, header->value) != MHD_YES)
            LOG(ERROR, "header_refused", {"name", header->name});
    return response;
}
