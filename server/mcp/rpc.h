/* A message of the Model Context Protocol, as it comes in the body of a POST: what it calls, what that costs,
 * and how it says that it pays. On a site with `tools` each message is judged so strictly that the site's own
 * server can find no other call in it than the one that was judged; the bytes are sent on as they are. Pure.
 */
#ifndef SERVER_MCP_RPC_H
#define SERVER_MCP_RPC_H

#include "ledger/base/arena.h"
#include "ledger/base/config/config.h"
#include "ledger/base/http/message.h"

enum rpc_kind {
    RPC_OTHER,
    RPC_TOOL,     /* tools/call */
    RPC_RESOURCE, /* resources/read */
    RPC_PROMPT,   /* prompts/get */
    RPC_TOOLS,    /* tools/list, whose answer tells the prices */
    RPC_DISCOVER, /* server/discover, whose answer tells that there are some */
};

/* JSON-RPC's errors, and one of MCP 2026-07-28. */
#define RPC_PARSE_ERROR     (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_INVALID_PARAMS  (-32602)
#define RPC_HEADER_MISMATCH (-32020)

struct rpc {
    enum rpc_kind kind;
    struct slice id;                 /* as it stands in the message; empty: it has none */
    const struct config_tool *price; /* NULL: it costs nothing, and nothing below is set */
    /* What is paid for: "/tools/NAME?arguments=DIGEST" below the authority, with the base64url of SHA-256
     * over the canonical arguments (tree_digest), and "tools/NAME", by which it is billed. */
    struct slice target, item;
    struct slice rule;    /* the same of the configuration: "tools/GLOB" */
    struct slice payment; /* base64 of params._meta["x402/payment"]; empty: there is none */
    bool extension;       /* the client says that it knows org.x402/payment */
};

struct rpc_refusal {
    int code;        /* of JSON-RPC */
    const char *why; /* static */
};

/* Reads the message's body, which is not empty, for a site with `tools`. Texts are in the arena or the body.
 * False with the refusal; the id is there if it could be read. */
bool rpc_read(struct arena *arena, const struct message *message, const struct config_site *site,
              struct rpc *rpc, struct rpc_refusal *refusal);

/* True if a client that has gone away has cancelled what it asked for: since MCP 2026-07-28. Before that it
 * may have lost its connection, and come again for the same. */
bool rpc_ends_with_client(const struct message *message);

/* What a tool of the name (RPC_TOOL), or a resource of the URI, or a prompt, costs: the first of the site's
 * `tools` that fits. NULL: nothing. */
const struct config_tool *rpc_price(const struct config_site *site, enum rpc_kind kind, struct slice name);

#endif
