/* Where a request's fields end and the next request begins. libmicrohttpd 0.9.75 is lenient there: it skips
 * white space on the request line, joins folded lines wrongly, cuts values at a NUL, looks at the first of
 * several Content-Length alone, and sends the answer to a bad one twice. Whoever stands in front of the gate
 * may read such a request otherwise, so it is refused (RFC 9112 sections 2.2, 5 and 6.3). */
#ifndef SERVER_HTTP_FRAMING_H
#define SERVER_HTTP_FRAMING_H

#include "ledger/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* Of a request whose line was read, with `target` where it lies, and whose fields were not: keeps
 * libmicrohttpd from judging them. With `bodies`, those of other methods than GET and HEAD are read. False
 * when the connection's memory is full; the request cannot be read then. */
bool framing_begin(struct MHD_Connection *connection, const char *target, bool bodies) MUST_USE;

/* True for the name of a field that framing_begin has added, which the client did not send. */
bool framing_is_ours(const char *name);

/* True for what libmicrohttpd logs right before it answers a bad Content-Length itself. */
bool framing_complains(const char *format);

/* Answers on the socket, if the fields of the request that is being read have a bad Content-Length, and lets
 * nothing follow: libmicrohttpd would send an answer's head twice. */
void framing_answer(struct MHD_Connection *connection, int socket);

/* The request line's parts, where libmicrohttpd has them in its buffer; `target_len` is of the target as it
 * came.
 */
struct framing_line {
    const char *method;
    const char *target;
    size_t target_len;
    const char *version;
};

/* In the first call for a request: true when its line and fields are all that stands in its head, each where
 * it must, on a line of its own. What a fold, a NUL or other white space than RFC 9112 has makes of a head
 * fails. Not seen: a NUL right before a bare LF, which looks like the CR that should stand there. */
bool framing_holds(struct MHD_Connection *connection, const struct framing_line *line) MUST_USE;

#endif
