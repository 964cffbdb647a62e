/* What an HTTP thread has of the gate, as the HTTP layer starts and stops it: struct gate_thread. */
#ifndef SERVER_GATE_GATE_THREAD_H
#define SERVER_GATE_GATE_THREAD_H

#include "server/gate/crawl.h"

/* `context` is the gate. NULL: without memory. */
void *gate_thread_start(void *context);
void *gate_thread_start_deciding(void *context);
void gate_thread_stop(void *thread);

#endif
