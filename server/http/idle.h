/* Connections of one HTTP thread that are idle, outside libmicrohttpd, which holds 32 KiB for each, used or
 * not. One that has waited for a moment is stowed: its socket is watched here, and becomes a connection again
 * when something arrives. Only where there are many: a few cost nothing. */
#ifndef SERVER_HTTP_IDLE_H
#define SERVER_HTTP_IDLE_H

#include "server/http/connection.h"
#include "server/http/limits.h"

struct MHD_Daemon;

struct idle {
    int epoll; /* readable when idle_wake has something to do */
    int hole;  /* a socket whose other side is closed: what libmicrohttpd gets instead */
    struct connection_list connections;
    struct limits_clients *clients;    /* that are told who leaves */
    const struct connection *adopting; /* while libmicrohttpd takes it back */
};

/* False without descriptors. */
bool idle_open(struct idle *idle, struct limits_clients *clients);

/* Closes all connections, and the rest. Fine when idle_open failed, and again. */
void idle_close(struct idle *idle);

/* How long a connection may wait before it is stowed: a second, and less where there are many. */
int64_t idle_patience_ms(const struct connection_list *live);

/* Stows those of `live` that have waited for so long, between two calls of MHD_run_wait. */
void idle_stow(struct idle *idle, struct connection_list *live, int64_t now_ms);

/* Gives back to the daemon those where something has arrived. Its notification of a new connection finds in
 * `adopting` what is known of each. */
void idle_wake(struct idle *idle, struct MHD_Daemon *daemon);

/* Closes those whose time is over. */
void idle_sweep(struct idle *idle, int64_t now_ms);

/* Closes the one that has been here longest. False when there is none. */
bool idle_drop(struct idle *idle);

#endif
