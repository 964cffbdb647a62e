/* Whether the gate takes payments, and what keeps it from that, as JSON. */
#ifndef SERVER_MONITOR_READINESS_H
#define SERVER_MONITOR_READINESS_H

#include "server/monitor/monitor.h"

/* True if it is ready. A night that is late is told, but keeps nobody from paying. */
bool readiness_write(FILE *out, const struct monitor_parts *parts, bool stopping);

#endif
