/* Listening sockets on one address and port, shared by SO_REUSEPORT, or on one path. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_TEXT_MAX 128

/* Opens `count` non-blocking sockets that share "address:port" ("[::1]:8402" for IPv6) or "unix:/path", whose
 * folder says who may connect; a socket file that nobody listens on any more is replaced. The address as
 * bound goes to `bound`. False after logging why; then none is open. A port that another process listens on
 * is an error, also if that process would share it. */
bool listen_open(const char *address, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX]);

#endif
