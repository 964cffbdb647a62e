/* A reload: the configuration is read again, and requests that come from then on are served by it. */
#ifndef SERVER_RUN_RELOAD_H
#define SERVER_RUN_RELOAD_H

#include "server/run/generation.h"
#include "server/http/http.h"

#include <stdbool.h>

/* What runs, and what a reload replaces. */
struct served {
    const char *file; /* of the configuration */
    struct http *http;
    struct http *decisions;   /* the decision listener; NULL: there is none */
    struct http *facilitator; /* likewise, for resource servers */
    struct http *monitor;     /* likewise */
    struct generation *generation;
    struct retirement *retirement; /* of the generation before, or NULL */
};

/* Who may say to the decision listener for whom he asks: trusted_proxies, and whoever is on this machine.
 * False without memory; else the caller frees `fronts->items`. */
bool reload_fronts(const struct config *config, struct config_list *fronts) MUST_USE;

/* And to the monitor's listener. */
extern const struct config_list reload_nobody;

/* Applies a configuration's log_level and log.format. */
void reload_log(const struct config *config);

/* Reads the file and builds a new generation. If all of it stands, and it reaches the ledger if the present
 * one does, new requests enter it, and the present one is retired. Otherwise nothing changes. Either way the
 * log says so, with every error in the file. Returns 0, or the signal that ended the wait for the ledger:
 * SIGTERM or SIGINT, which must be blocked. Not while reload_retiring. */
int reload(struct served *served);

/* True while requests of the generation before the present one are under way, or its last entries are. */
bool reload_retiring(struct served *served);

/* After http_stop: waits until the generation before the present one is gone. */
void reload_finish(struct served *served);

#endif
