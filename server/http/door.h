/* Who comes in: connections, counted for each client, and whom a proxy's requests are from. */
#ifndef SERVER_HTTP_DOOR_H
#define SERVER_HTTP_DOOR_H

#include "server/http/worker.h"

struct MHD_Connection;

/* A connection is there. NULL: it must not be. */
struct connection *door_open(struct worker *worker, struct MHD_Connection *connection, int socket);

/* It is not any more; NULL is fine. */
void door_close(struct worker *worker, struct connection *place);

/* Learns whom the request is from, which takes its fields where a proxy hands it on. Clients behind one share
 * its connections, so each is counted while it has a request under way: it holds one of them as long. False
 * when that is one too many. */
bool door_admit(struct http_private *private);

/* The request of a client behind a proxy is over. */
void door_uncount(struct http *http, struct connection *place);

/* libmicrohttpd is about to log this, and to answer what it complains of: a bad Content-Length is answered
 * here, once. */
void door_hear(const struct worker *worker, const char *format);

#endif
