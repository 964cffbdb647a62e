/* The facilitator (WIRE.md section 9): resource servers that deliver by themselves bill what they have sold
 * through this ledger. A door of its own to the same gate, by the interface of x402 facilitators. */
#ifndef SERVER_FACILITATOR_FACILITATOR_H
#define SERVER_FACILITATOR_FACILITATOR_H

#include "server/gate/gate.h"

struct facilitator;

/* Both must outlive it. NULL without memory. */
struct facilitator *facilitator_new(struct gate *gate, const struct gate_parts *parts);
void facilitator_free(struct facilitator *facilitator);

/* As the HTTP layer's handler. */
struct exchange_handler facilitator_handler(struct facilitator *facilitator);

#endif
