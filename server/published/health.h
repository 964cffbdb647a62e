/* EXCHANGE_HEALTH: for whoever watches the gate, such as the proxy in front of it. It is no page of a site,
 * so no Host is needed. */
#ifndef SERVER_PUBLISHED_HEALTH_H
#define SERVER_PUBLISHED_HEALTH_H

#include "ledger/base/http/exchange.h"

/* True for GET and HEAD of it. */
bool health_asked(const struct message *message);

/* Fills the reply: 200, since the gate answers, and whether it can record payments just now.
 * ERR_REQUEST_TOO_LARGE when the arena is full. */
enum err health_reply(struct exchange *exchange, bool ledger_ready) MUST_USE;

#endif
