/* A message of MCP on its way through the gate (WIRE.md section 10). What it calls may cost something: then
 * it goes the way of a page that is charged, as a URL of its own, but that it is paid for before it is made,
 * and made once. */
#ifndef SERVER_GATE_TOOL_H
#define SERVER_GATE_TOOL_H

#include "server/gate/crawl.h"
#include "server/mcp/calls.h"
#include "server/mcp/rpc.h"

struct tool {
    struct rpc rpc;
    struct rpc_refusal refusal; /* why is NULL: it was read */
    struct crawl *crawl;
    struct call_wait wait;
    struct call *call; /* that is made for it, or was; NULL: none, or it is the reply's */
    bool asked;        /* it has been handed to the site's own server */
    enum err err;      /* then: what came of that */
};

/* Reads the message, where the site has `tools` and the request a body. ERR_OK, with crawl->tool where
 * something is to be done about it; ERR_MALFORMED_REQUEST: two readers could differ about it. The crawl's URL
 * is from then on that of what is called. */
enum err tool_arrive(struct crawl *crawl) MUST_USE;

/* True if it calls what costs something. */
bool tool_costs(const struct crawl *crawl);

/* What is decided about it, whatever the rules say of its path but that who asks is blocked. */
struct rules_decision tool_decide(const struct crawl *crawl, const struct rules_decision *by_path);

/* Its charge is prepared. True: it goes on to the ledger. False: *err is what came of it, or the crawl waits
 * for who makes the same call (CRAWL_JOINED). */
bool tool_enter(struct crawl *crawl, enum err *err);

/* Who was waited for has ended: the same result as the reply, or why there is none. */
enum err tool_join(struct crawl *crawl) MUST_USE;

/* The entry is there, or is not. ERR_OK: the site's own server is being asked (CRAWL_ASKING), or has answered
 * and the reply is there. */
enum err tool_recorded(struct crawl *crawl, enum err err,
                       void (*ready)(void *crawl, struct origin_answer *answer)) MUST_USE;

/* The site's own server has answered a call that is paid, or will not. Resumes the exchange. */
void tool_answered(struct crawl *crawl);

/* The reply's stream, around the answer's, where something is put into it. False: the answer is not to be
 * passed on. */
bool tool_wrap(struct crawl *crawl, struct origin_answer *answer);

/* True if the gate must be able to read the answer. */
bool tool_reads_answer(const struct crawl *crawl);

/* Writes the refusal as an answer of JSON-RPC, and the reply's status. `offer` is what a payment is asked by;
 * data is NULL where err is about none. False when the arena is full. */
bool tool_refuse(struct crawl *crawl, enum err err, struct slice offer);

/* True if the refusal is about the payment of a call, so that it comes with an offer. */
bool tool_is_unpaid(const struct crawl *crawl, enum err err);

/* The request is over. */
void tool_finish(struct crawl *crawl);

#endif
