/* The Web Bot Auth profile of HTTP Message Signatures (WIRE.md section 4): which of a request's signatures
 * may count, and everything about each that can be judged without its key. Pure. */
#ifndef SERVER_VERIFY_WEB_BOT_AUTH_H
#define SERVER_VERIFY_WEB_BOT_AUTH_H

#include "ledger/base/digest.h"
#include "server/verify/signature_agent.h"

struct web_bot_auth_policy {
    int64_t now;             /* seconds */
    int64_t clock_skew;      /* seconds that `created` may lie ahead */
    int64_t max_lifetime;    /* seconds between created and expires */
    struct slice commitment; /* the field that must be covered, e.g. "payment"; empty: identity alone */
    bool require_target;     /* cover @authority or @target-uri too, also beside a commitment */
    bool allow_test_keys;    /* accept the key pairs printed in RFC 9421 */
    const struct config_list *insecure_hosts;
};

/* A signature that is good but for its key. */
struct web_bot_auth_candidate {
    struct slice label;
    const struct signature_agent *agent;
    uint8_t thumbprint[DIGEST_SIZE]; /* keyid, decoded */
    struct slice signature;          /* raw bytes */
    struct slice base;
    struct web_bot_auth_candidate *next;
};

/* Judges every signature by itself. ERR_OK with at least one candidate, in the order of Signature-Input.
 * Otherwise the reason that the best of them failed: ERR_SIGNATURE_REQUIRED (none is there, or none covers
 * what the policy asks), ERR_SIGNATURE_EXPIRED, ERR_SIGNATURE_INVALID, ERR_MALFORMED_SIGNATURE,
 * ERR_MALFORMED_SIGNATURE_AGENT, ERR_REQUEST_TOO_LARGE. */
enum err web_bot_auth_select(struct arena *arena, const struct message *message,
                             const struct web_bot_auth_policy *policy,
                             struct web_bot_auth_candidate **candidates) MUST_USE;

#endif
