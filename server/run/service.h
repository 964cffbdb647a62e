/* What the gate and its service manager, systemd, tell one another: that it serves, reloads and stops, that
 * its writers get on, and on which sockets it is to listen. Without a manager nothing is told and nothing is
 * given. Signals and sockets are sd_notify(3)'s and sd_listen_fds(3)'s. One thread. */
#ifndef SERVER_RUN_SERVICE_H
#define SERVER_RUN_SERVICE_H

#include "server/http/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service {
    bool managed;
    bool ready;          /* has been told */
    bool takes_payments; /* as told last */
    int64_t ready_by_ms; /* monotonic */
    int64_t watchdog_ms; /* 0: none */
};

/* Learns what the manager wants. `ledger_ms`: the longest that one step of a writer takes, and how long being
 * ready waits for the ledger. */
void service_start(struct service *service, int64_t ledger_ms);

/* Tells what has changed. `takes_payments`: the ledger is reached. `turned`: every writer has gone through
 * its loop since this was called last; without that the watchdog is not fed. Returns the milliseconds after
 * which it is to be called again, or -1: never. */
int64_t service_tell(struct service *service, bool takes_payments, bool turned);

/* Before and after the configuration is read again, whether it was taken or not. */
void service_reloading(const struct service *service);
void service_reloaded(const struct service *service);

/* Before the last requests are finished, which takes so long at the most. */
void service_stopping(const struct service *service, int64_t longest_ms);

struct service_listener {
    int sockets[HTTP_SOCKETS_MAX];
    size_t count;
};

/* The sockets that the manager listens on: those called "decisions" (FileDescriptorName=) are for fronts that
 * ask, "facilitator" for resource servers, all others for crawlers. Only the first call gives any; they are
 * the caller's. */
struct service_sockets {
    struct service_listener gate, decisions, facilitator;
};

/* False after logging that there are more than the gate could use. */
bool service_sockets(struct service_sockets *sockets);

#endif
