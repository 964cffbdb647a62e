/* What the operating system says of this process, under the names that Prometheus's own libraries use. */
#ifndef SERVER_MONITOR_PROCESS_H
#define SERVER_MONITOR_PROCESS_H

#include <stdio.h>

/* In the text format, version 0.0.4. What the system does not tell is left out. */
void process_write(FILE *out);

#endif
