/* Reads what libmicrohttpd took apart into a message, as strictly as a signature over it needs. */
#ifndef SERVER_HTTP_REQUEST_H
#define SERVER_HTTP_REQUEST_H

#include "ledger/base/http/exchange.h"

/* Of a connection, for a request's fields and the fields of its reply. libmicrohttpd wipes all of it after
 * each request; beyond 32 KiB it would map, and unmap, memory for each connection. */
#define REQUEST_MEMORY 32768

/* Of that, what is left for the reply's header at least, and how much of it the handler may fill with what
 * comes from elsewhere: an offer's own fields take less than 4 KB. */
#define REPLY_MEMORY 8192
#define HEAD_ROOM    4096

struct MHD_Connection;
struct framing_line;

/* The peer. One on a unix socket, `*local`, is 127.0.0.1. */
struct exchange_client request_peer(struct MHD_Connection *connection, bool *local);

/* Fills in the message; `target` is as on the request line, in the exchange's arena (data is NULL: it was
 * full), and `line` where libmicrohttpd has it. ERR_REQUEST_TOO_LARGE, ERR_MALFORMED_REQUEST,
 * ERR_BODY_REFUSED. */
enum err request_read(struct exchange *exchange, struct MHD_Connection *connection, struct slice target,
                      const struct framing_line *line) MUST_USE;

/* True when the fields announce a body, or nobody can tell. */
bool request_has_body(const struct message *message);

#endif
