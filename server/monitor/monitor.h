/* The monitor listener, for whoever watches the gate (README.md, "Watch it"): /metrics in Prometheus's text
 * format, /healthz and /readyz. It tells numbers and names of sites, never an id, a URL or who paid; it asks
 * for no password, and so listens on loopback unless it is told to listen elsewhere. */
#ifndef SERVER_MONITOR_MONITOR_H
#define SERVER_MONITOR_MONITOR_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"
#include "ledger/credit/refresh.h"
#include "ledger/entry/writer.h"
#include "server/http/http.h"

struct monitor;

/* What it looks at; all of it must outlive it. */
struct monitor_parts {
    const struct config *config;
    struct writer *writer;
    struct refresh *accounts;
};

/* NULL without memory. */
struct monitor *monitor_new(const struct monitor_parts *parts);
void monitor_free(struct monitor *monitor);

/* Whose threads must be alive. Before the handler serves. */
void monitor_watch(struct monitor *monitor, const struct http *http);

/* As the HTTP layer's handler. */
struct exchange_handler monitor_handler(struct monitor *monitor);

/* From now on no gate of this process is ready: it finishes what is under way. */
void monitor_stopping(void);

#endif
