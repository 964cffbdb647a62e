/* How long a key directory's answer may be used (RFC 9111 section 4.2), and when a failing one may be asked
 * again (RFC 9110 section 10.2.3). Pure: the time comes in. */
#ifndef SERVER_AGENT_FRESHNESS_H
#define SERVER_AGENT_FRESHNESS_H

#include "ledger/base/http/message.h"

#include <stdint.h>

#define FRESHNESS_UNSTATED_SECONDS 3600 /* for an answer that says nothing */

/* True if the answer states a lifetime, or that it has none. A 304 that does not keeps the one from before.
 */
bool freshness_stated(const struct message *answer);

/* Seconds that the answer may be used from now on. s-maxage goes before max-age, and that before Expires;
 * then a tenth of the time since Last-Modified; then FRESHNESS_UNSTATED_SECONDS. Age, or what Date shows of
 * it, is taken off. no-store, no-cache and private mean 0, as does a lifetime that does not parse; of several
 * the shortest counts. The caller clamps. `now` is in seconds. */
int64_t freshness_seconds(const struct message *answer, int64_t now);

/* Seconds that Retry-After asks to wait, as a number or a date; 0 when absent or unreadable. */
int64_t freshness_retry_seconds(const struct message *answer, int64_t now);

#endif
