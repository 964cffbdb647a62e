/* The watchdog is fed here, by the thread that waits for signals, and only if all writers have got on: a
 * timer of its own would go on while they hang, and one of several writers would hide another that does. */
#include "server/run/service.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS  1000
#define START_MS 50 /* between looks until it is ready */
/* A writer's turn is a few statements, more when it connects; each may take as long as the ledger's timeout.
 */
#define TURN_STEPS 24
/* Beyond the requests, for the writers' last entries and the threads. */
#define STOP_MS 30000

static const char *status_of(bool takes_payments)
{
    return takes_payments ? "serving; the ledger takes payments"
                          : "serving offers and free pages; the ledger is not reached";
}

void service_start(struct service *service, int64_t ledger_ms)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    uint64_t watchdog_us = 0;
    *service = (struct service){.managed = socket && *socket};
    service->ready_by_ms = clock_monotonic_ms() + ledger_ms;
    if (!service->managed || sd_watchdog_enabled(0, &watchdog_us) <= 0)
        return;
    service->watchdog_ms = (int64_t)(watchdog_us / 1000);
    if (service->watchdog_ms >= TURN_STEPS * ledger_ms)
        return;
    /* Or a ledger that is merely slow would have the gate killed. */
    service->watchdog_ms = TURN_STEPS * ledger_ms;
    sd_notifyf(0, "WATCHDOG_USEC=%" PRId64, service->watchdog_ms * 1000);
}

int64_t service_tell(struct service *service, bool takes_payments, bool turned)
{
    if (!service->managed)
        return -1;
    /* Whoever upgrades one gate after the other waits for this: it is worth some seconds. Without a ledger
     * the gate serves all the same, and so it is ready then as well. */
    if (!service->ready && (takes_payments || clock_monotonic_ms() >= service->ready_by_ms)) {
        sd_notifyf(0, "READY=1\nSTATUS=%s", status_of(takes_payments));
        service->ready = true;
    } else if (service->ready && takes_payments != service->takes_payments) {
        sd_notifyf(0, "STATUS=%s", status_of(takes_payments));
    }
    service->takes_payments = takes_payments;
    if (service->watchdog_ms > 0 && turned)
        sd_notify(0, "WATCHDOG=1");
    if (!service->ready)
        return START_MS;
    bool often = service->watchdog_ms > 0 && service->watchdog_ms / 4 < TICK_MS;
    return often ? service->watchdog_ms / 4 + 1 : TICK_MS;
}

/* To the microsecond: the manager compares it with when it sent the signal. */
static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void service_reloading(const struct service *service)
{
    if (service->managed)
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, monotonic_us());
}

void service_reloaded(const struct service *service)
{
    if (service->managed)
        sd_notify(0, "READY=1");
}

void service_stopping(const struct service *service, int64_t longest_ms)
{
    if (!service->managed)
        return;
    int64_t longest_us = (longest_ms + STOP_MS) * 1000;
    /* Nobody feeds the watchdog from here on, and the unit's TimeoutStopSec knows nothing of
     * http.drain_seconds.
     */
    if (service->watchdog_ms > 0)
        sd_notifyf(0, "WATCHDOG_USEC=%" PRId64, longest_us);
    sd_notifyf(0, "STOPPING=1\nSTATUS=finishing the requests under way\nEXTEND_TIMEOUT_USEC=%" PRId64,
               longest_us);
}

static struct service_listener *listener_called(struct service_sockets *sockets, const char *name)
{
    if (strcmp(name, "decisions") == 0)
        return &sockets->decisions;
    return strcmp(name, "facilitator") == 0 ? &sockets->facilitator : &sockets->gate;
}

bool service_sockets(struct service_sockets *sockets)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    bool fit = true;
    *sockets = (struct service_sockets){.gate = {.count = 0}};
    for (int i = 0; i < count && fit; i++) {
        struct service_listener *to = listener_called(sockets, names ? names[i] : "");
        fit = to->count < HTTP_SOCKETS_MAX;
        if (fit)
            to->sockets[to->count++] = SD_LISTEN_FDS_START + i;
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (!fit)
        LOG(ERROR, "listen_failed", {"detail", "systemd gives more sockets than there can be threads"},
            {"hint", "one ListenStream= is enough: all threads share it"});
    return fit;
}
