/* How often something may be caused by one client network, or by whoever has a name: a token bucket each. So
 * the gate cannot be used to attack a third party. Pure but for its own table, which is bounded; one user at
 * a time.
 */
#ifndef SERVER_AGENT_BUDGET_H
#define SERVER_AGENT_BUDGET_H

#include "ledger/base/http/exchange.h"

struct budget;

/* `per_minute` tokens come in a minute and as many are kept. 0: no limit. NULL without memory. */
struct budget *budget_new(int64_t per_minute) MUST_USE;
void budget_free(struct budget *budget);

/* Takes a token of the client's network: its /24 in IPv4, its /64 in IPv6. True too when there is no limit or
 * the client is not known. `now_ms` never goes back (clock_monotonic_ms). */
bool budget_take(struct budget *budget, const struct exchange_client *client, int64_t now_ms) MUST_USE;

/* The same for what else has a name, which is not all zeros. */
bool budget_take_of(struct budget *budget, const uint8_t name[16], int64_t now_ms) MUST_USE;

#endif
