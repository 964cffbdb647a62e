/* A commitment that is signed by itself: payload.commitment, a compact JWS whose issuer pays (WIRE.md section
 * 2). For who cannot sign a request's fields, or pays by somebody who sees no request. Pure. */
#ifndef LEDGER_DIALECT_CLAIMS_H
#define LEDGER_DIALECT_CLAIMS_H

#include "ledger/dialect/dialect.h"
#include "ledger/verify/web_bot_auth.h"

#define CLAIMS_TYPE "x402-deferred+jws"

struct claims {
    struct signature_agent agent; /* `iss` */
    struct slice keyid;
    struct slice algorithm;
    int64_t issued, expires; /* `iat` and `exp`, seconds */
    struct slice input;      /* what is signed */
    struct slice signature;  /* raw bytes */
};

/* Reads the claims that agree with what the payload has accepted: scheme, id, amount and unit are in the
 * commitment, amounts in micro-units. ERR_MALFORMED_COMMITMENT, or ERR_OFFER_MISMATCH when they commit to
 * something else. On ERR_OK commitment->claims is set. */
enum err claims_read(struct arena *arena, struct slice jws, const struct dialect_place *place,
                     struct commitment *commitment) MUST_USE;

/* The same of what an entry keeps: what was signed, without the signature and without what was accepted
 * beside it. The commitment says what the claims say; its amount is -1 where only the id does. */
enum err claims_recall(struct arena *arena, struct slice input, const struct dialect_place *place,
                       struct commitment *commitment) MUST_USE;

/* Everything about them that can be judged without their key, as web_bot_auth_select does it for the
 * signatures of a request, whose errors it has. ERR_OK with the one candidate. */
enum err claims_select(struct arena *arena, const struct web_bot_auth_policy *policy,
                       const struct claims *claims, struct web_bot_auth_candidate **candidate) MUST_USE;

#endif
