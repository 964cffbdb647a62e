/* The log of decisions: one line for each request of a crawler, written when its reply has ended. People are
 * not logged. A payer who was sent away with 503 has a line in any case, that says why. */
#ifndef SERVER_GATE_ACCESS_H
#define SERVER_GATE_ACCESS_H

#include "ledger/traffic/counts.h"
#include "server/gate/crawl.h"

/* The reply is ready; `outcome` is the gate's and `what` what is counted. Once for each request. Texts are
 * copied into the exchange's arena, since the reply may be sent for longer than the configuration lives. */
void access_note(struct crawl *crawl, enum traffic_outcome what, enum err outcome);

/* The client has gone before it could be answered. */
void access_gone(struct crawl *crawl);

#endif
