/* JSON Web Signatures in compact form (RFC 7515 section 3.1) with an object as payload, read strictly: three
 * parts of base64url, JSON without duplicate names or white space in front, no critical header parameters.
 * Pure. */
#ifndef LEDGER_VERIFY_JWS_H
#define LEDGER_VERIFY_JWS_H

#include "ledger/base/arena.h"
#include "ledger/base/err.h"

#include <jansson.h>

struct jws {
    struct slice algorithm; /* RFC 9421's name for `alg`; empty: none that signature.h knows */
    struct slice keyid;     /* `kid` */
    struct slice type;      /* `typ` */
    struct slice input;     /* what is signed: header and payload as they stand, with the dot between them */
    struct slice signature; /* raw bytes */
    json_t *claims;         /* the payload */
};

/* Reads one. False when it does not parse, `kid` or `typ` is missing, or the arena is full; there is nothing
 * to free then. Otherwise jws_free gives back the claims; the rest is in the arena or in `text`. */
bool jws_parse(struct arena *arena, struct slice text, struct jws *jws) MUST_USE;
void jws_free(struct jws *jws);

/* True for a text that begins as each signing input does that jws_parse takes. Signature bases begin with a
 * quote. */
bool jws_is_input(struct slice signed_text);

#endif
