/* Whom a request is from: the peer of its connection or, where that is a proxy that the configuration trusts,
 * who the proxy says it is (`X-Forwarded-For`; `Forwarded`, RFC 7239). Nothing else is taken from such
 * fields: which host is meant says Host, and which scheme the configuration. Pure. */
#ifndef SERVER_HTTP_CLIENT_H
#define SERVER_HTTP_CLIENT_H

#include "ledger/base/config/config.h"
#include "ledger/base/http/exchange.h"

struct client_trust;

/* From `trusted_proxies` of a configuration that was checked. NULL without memory. */
struct client_trust *client_trust_new(const struct config_list *proxies);

/* NULL is fine. */
void client_trust_free(struct client_trust *trust);

/* True if the fields of this peer are believed; `local` if it came by a unix socket. */
bool client_trusted(const struct client_trust *trust, const struct exchange_client *peer, bool local);

/* The client of a request that came from a trusted peer: the right-most address that is not trusted, or the
 * left-most one if all are. What stands further left, anybody may have written. */
struct exchange_client client_behind(const struct client_trust *trust, const struct exchange_client *peer,
                                     const struct message *message);

#endif
