/* What the process has counted, in the text format of Prometheus, version 0.0.4. */
#ifndef SERVER_MONITOR_EXPOSITION_H
#define SERVER_MONITOR_EXPOSITION_H

#include "server/monitor/monitor.h"

void exposition_write(FILE *out, const struct monitor_parts *parts);

#endif
