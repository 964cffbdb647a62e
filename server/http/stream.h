/* Replies whose body comes piece by piece while it is sent. */
#ifndef SERVER_HTTP_STREAM_H
#define SERVER_HTTP_STREAM_H

#include "ledger/base/http/exchange.h"

struct MHD_Response;
struct http_private;

/* True if the reply's body is to be read from its stream. */
bool stream_is_sent(const struct exchange_reply *reply);

/* libmicrohttpd's response that reads the stream. NULL without memory. */
struct MHD_Response *stream_response(struct http_private *private);

/* How many bytes of the reply's body, of whatever kind, have been handed to the network; -1: of a file or a
 * buffer that was cut off only libmicrohttpd knows. */
int64_t stream_sent(const struct http_private *private);

/* See exchange_left. */
bool stream_left(const struct exchange *exchange);

/* Closes the reply's stream, if there is one. */
void stream_close(struct exchange_reply *reply);

#endif
