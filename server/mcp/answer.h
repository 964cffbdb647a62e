/* What is answered to a message of MCP: that a call is to be paid, in the three ways in which clients know
 * it; an error of JSON-RPC; and what is put into the answers of the site's own server, which are sent on else
 * as they are. */
#ifndef SERVER_MCP_ANSWER_H
#define SERVER_MCP_ANSWER_H

#include "server/mcp/buffer.h"
#include "server/mcp/rpc.h"
#include "server/mcp/tree.h"

#define ANSWER_GATE_ERROR    (-32000) /* JSON-RPC's own for servers */
#define ANSWER_PAYMENT_ERROR (-32402) /* of what has no result that could say so: the offer is its data */

/* An answer with the offer, an x402 PaymentRequired as JSON. In the arena; data is NULL when that is full. */
struct slice answer_unpaid(struct arena *arena, const struct rpc *rpc, struct slice offer);

/* An error. `id` empty: null; `reason`: the stable code, NULL for none. Likewise. */
struct slice answer_error(struct arena *arena, struct slice id, int code, const char *sentence,
                          const char *reason);

/* An answer with this result. False without memory. */
bool answer_result(struct buffer *out, struct slice id, struct slice result);

enum answer_kind {
    ANSWER_ASIDE,  /* no answer, but a notification or a request of the server's own */
    ANSWER_GIVEN,  /* a result */
    ANSWER_REFUSED /* an error, a result that says to be one, or not to be complete, or another call's */
};

/* What the message is to who has asked with this id. */
enum answer_kind answer_judge(const struct tree *tree, struct slice id);

/* What the site's own server says the call costs in the end, in micro-units: _meta["x402/amount"] of the
 * result of an answer that gives one, digits as a string or a number. It may ask for less than `charged`,
 * never for more. `charged` where it says nothing, or what does not count; then *fault says why (static). */
int64_t answer_amount(const struct tree *tree, int64_t charged, const char **fault);

/* The result of an answer with the receipt in its _meta, in the place of one that may be there, and without
 * the amount by which that was made. */
void answer_write_receipt(struct buffer *result, const struct tree *tree, struct slice receipt);

/* The answer `text` with another result. */
void answer_write(struct buffer *out, struct slice text, const struct tree *tree, struct slice result);

/* A copy of what of the site is needed for that, in the arena. NULL when that is full. */
const struct config_site *answer_keep_prices(struct arena *arena, const struct config_site *site);

/* The answer `text` to tools/list with the price of each tool in its _meta, as clients of the Agents SDK know
 * it; or to server/discover, with the extension. False: it is neither, and nothing is written. */
bool answer_annotate(struct buffer *out, struct slice text, enum rpc_kind kind,
                     const struct config_site *site);

#endif
