/* Bodies of requests: read whole, into memory of their own, before anybody decides; bounded each, and all
 * together. */
#ifndef SERVER_HTTP_BODY_H
#define SERVER_HTTP_BODY_H

#include "server/http/worker.h"

/* For a request with a body, of which at most `room` bytes (not 0) are wanted. ERR_OK: it is read from now
 * on. ERR_LENGTH_REQUIRED, ERR_BODY_REFUSED: longer than that; ERR_OVERLOADED: too much is under way. */
enum err body_begin(struct http_private *private, size_t room) MUST_USE;

/* Takes more of it. */
void body_add(struct http_private *private, const char *data, size_t size);

/* It is all there, or the rest will not come: false. Then it is the message's. */
bool body_end(struct http_private *private);

/* The request is over. */
void body_free(struct http_private *private);

#endif
