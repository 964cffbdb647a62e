/* Web Bot Auth signatures over requests (RFC 9421), as a site checks them. Pure: time and nonce come in. */
#ifndef TOOLS_CRAWLER_SIGN_H
#define TOOLS_CRAWLER_SIGN_H

#include "ledger/base/http/message.h"
#include "ledger/verify/sf.h"
#include "tools/crawler/key.h"

/* Seconds that a signature holds: enough for a clock that is somewhat slow, too short to be worth stealing.
 */
#define SIGN_LIFETIME_SECONDS 60
#define SIGN_NONCE_SIZE       32

struct sign_terms {
    int64_t created; /* seconds */
    uint8_t nonce[SIGN_NONCE_SIZE];
    const char *tag; /* for one request alone, whose method is signed too; NULL: "web-bot-auth" */
};

/* Values of the two fields. */
struct sign_fields {
    struct slice input;
    struct slice signature;
};

/* Signs "@authority", "@path", "@query" and "signature-agent", and "payment" and "content-digest" where the
 * message has these fields: whoever sees the request can use it for nothing else. NUL-terminated values in
 * the arena. False when the arena is full or OpenSSL refuses. */
bool sign_request(struct arena *arena, const struct key *key, const struct message *message,
                  const struct sign_terms *terms, struct sign_fields *fields) MUST_USE;

#endif
