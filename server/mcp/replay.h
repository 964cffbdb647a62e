/* The result of a call that has ended, once more. */
#ifndef SERVER_MCP_REPLAY_H
#define SERVER_MCP_REPLAY_H

#include "ledger/base/http/exchange.h"
#include "server/mcp/calls.h"

/* A body with the call's result as the answer to `id`. It lets the call go when it is closed. NULL without
 * memory: then the call is still the caller's. */
struct exchange_stream *replay_new(struct calls *calls, struct call *call, struct slice id);

#endif
