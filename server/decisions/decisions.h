/* The decision listener (WIRE.md section 6): fronts that deliver pages by themselves ask it first, and tell
 * it when a page did not arrive (POST /undelivered). A door of its own to the same gate. */
#ifndef SERVER_DECISIONS_DECISIONS_H
#define SERVER_DECISIONS_DECISIONS_H

#include "server/gate/gate.h"

struct decisions;

/* Both must outlive it. NULL without memory. */
struct decisions *decisions_new(struct gate *gate, const struct gate_parts *parts);
void decisions_free(struct decisions *decisions);

/* As the HTTP layer's handler. */
struct exchange_handler decisions_handler(struct decisions *decisions);

#endif
