/* What a directory's answer lists: its keys, ready for use, and the snapshot that is the evidence for them.
 * Immutable. */
#ifndef SERVER_AGENT_LISTING_H
#define SERVER_AGENT_LISTING_H

#include "ledger/entry/snapshot.h"
#include "server/agent/fetch.h"
#include "ledger/verify/jwk_set.h"

/* Room for a sentence of listing_explain, with its NUL. */
#define LISTING_WHY_MAX (2 * JWK_WHY_MAX)

/* One entry of the directory. */
struct listing_key {
    struct signature_key *key; /* NULL: it does not count, as listed.why says */
    struct jwk_set_entry listed;
};

#define LISTING_MAGIC 0x60b8f19eu

struct listing {
    uint32_t magic;
    struct snapshot *snapshot;
    size_t good;  /* keys that count, whatever their nbf and exp */
    size_t count; /* entries */
    struct listing_key keys[];
};

struct listing_terms {
    int64_t now_ms;     /* wall clock */
    bool require_proof; /* only keys that have signed the answer count, and they expire with their proof */
};

/* Reads the answer to a GET of `url`, unpacked if it came packed. NULL with *refusal, a static text, when it
 * is no key set, has too many keys or memory ran out. Of its entries count those that may sign and whose
 * numbers OpenSSL takes. Entries that do not count are logged, and a proof that is there but wrong. */
struct listing *listing_read(struct slice url, const struct fetch_answer *answer,
                             const struct listing_terms *terms, const char **refusal);

/* The memory that it takes, its keys and the snapshot among it, to within the allocator's and OpenSSL's own.
 * NULL takes none. */
size_t listing_bytes(const struct listing *listing);

/* NULL is fine. */
void listing_free(struct listing *listing);

/* The key with the thumbprint if it counts and its nbf and exp allow `now_ms`, or NULL. If it is listed more
 * than once, the entry that is in force. */
const struct listing_key *listing_find(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE],
                                       int64_t now_ms);

/* Why listing_find finds nothing, as a sentence for the crawler's operator. */
void listing_explain(const struct listing *listing, const uint8_t thumbprint[DIGEST_SIZE], int64_t now_ms,
                     char why[LISTING_WHY_MAX]);

#endif
