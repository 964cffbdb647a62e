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

/* Sockets that somebody else, such as systemd, has bound. */
struct listen_given {
    const int *sockets;
    size_t count;
};

/* Shares those out to `count` non-blocking sockets, and closes them. False after logging why: one does not
 * listen, they are of several addresses, or more than `count`, so that nobody would serve some of them; then
 * they are as they were. */
bool listen_take(const struct listen_given *given, int *sockets, size_t count, char bound[LISTEN_TEXT_MAX]);

#endif
