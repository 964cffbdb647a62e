/* What of a site is for sale, as x402 lists it (WIRE.md section 9): GET /discovery/resources and
 * /discovery/search, made from its rules. */
#ifndef SERVER_FACILITATOR_DISCOVERY_H
#define SERVER_FACILITATOR_DISCOVERY_H

#include "ledger/base/config/config.h"
#include "server/facilitator/answer.h"

/* Fills the reply to the exchange's message: a page of what fits its query. */
void discovery_list(struct exchange *exchange, const struct config *config, const struct config_site *site);
void discovery_search(struct exchange *exchange, const struct config *config, const struct config_site *site);

#endif
