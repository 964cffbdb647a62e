/* What a directory's answer lists: its keys, ready for use, and the snapshot that is the evidence for them.
 * Immutable. */
#ifndef SERVER_AGENT_LISTING_H
#define SERVER_AGENT_LISTING_H

#include "ledger/entry/snapshot.h"
#include "server/agent/fetch.h"
#include "server/verify/jwk.h"

struct listing_key {
    struct signature_key *key;
    struct jwk jwk;
};

struct listing {
    struct snapshot *snapshot;
    size_t count;
    struct listing_key keys[];
};

/* Reads the answer to a GET of `url`. NULL with *refusal, a static text, when it is no key set, has too many
 * keys or memory ran out. Keys that OpenSSL does not take are left out; with `require_proof` also those that
 * did not sign the answer, and a key then expires with its proof. A proof that is there but wrong is logged.
 * `now_ms` is the wall clock. */
struct listing *listing_read(struct slice url, const struct fetch_answer *answer, int64_t now_ms,
                             bool require_proof, const char **refusal);

/* NULL is fine. */
void listing_free(struct listing *listing);

/* The key with the thumbprint if its nbf and exp allow `now_ms`, or NULL. */
const struct listing_key *listing_find(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE],
                                       int64_t now_ms);

#endif
