/* The proof that whoever holds a key answered for a directory (Web Bot Auth, appendix "Redistributed
 * keys"): a signature over the answer, by the key, tagged http-message-signatures-directory, that covers
 * "@authority";req and content-digest, the digest being that of the body. The older form, which covers
 * @authority alone, can be put over any body and so proves nothing. Pure. */
#ifndef SERVER_AGENT_PROOF_H
#define SERVER_AGENT_PROOF_H

#include "ledger/base/arena.h"
#include "ledger/base/http/message.h"
#include "ledger/verify/jwk.h"

#define PROOF_TAG          "http-message-signatures-directory"
#define PROOF_SKEW_SECONDS 30 /* how far ahead `created` may lie */

struct proof_answer {
    const struct message *request;  /* the GET: authority and target */
    const struct message *response; /* its fields */
    struct slice body;              /* as it came */
    struct slice content;           /* unpacked; the same where it came so */
    int64_t now;                    /* seconds, wall clock */
};

/* What an answer says of one key. */
struct proof {
    bool present;        /* there is a signature with the tag that names the key */
    bool good;           /* and one of them holds */
    int64_t expires;     /* if it is good: its end, seconds */
    const char *failure; /* if it is not: why, static */
};

/* Looks at every signature with the tag that names the key. What was taken from the arena is given back. */
struct proof proof_of(struct arena *arena, const struct proof_answer *answer, const struct jwk *jwk,
                      const struct signature_key *key);

#endif
