/* What the sites say in public about their terms (ledger/licence), written once when the gate starts. Read
 * only afterwards, by all threads. */
#ifndef SERVER_PUBLISHED_OWN_LICENCE_H
#define SERVER_PUBLISHED_OWN_LICENCE_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"

struct own_licence;

/* NULL without memory. `config` must outlive it. */
struct own_licence *own_licence_new(const struct config *config, int64_t now_ms);
void own_licence_free(struct own_licence *own);

/* True, with the reply filled, when the path (as rules_path made it) is one at which this site publishes. */
bool own_licence_reply(const struct own_licence *own, size_t site, struct slice path,
                       struct exchange *exchange);

#endif
