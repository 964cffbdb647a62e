/* A key directory's answer as it was relied on: evidence, since directories forget keys (promise P6). Made by
 * who fetched it, carried by charges, stored by the writer before the first of them. Immutable and shared. */
#ifndef LEDGER_ENTRY_SNAPSHOT_H
#define LEDGER_ENTRY_SNAPSHOT_H

#include "ledger/base/crypto/digest.h"
#include "ledger/pg/pg.h"

struct snapshot {
    uint64_t serial;             /* of this process, never 0: who has seen it needs no comparison of bodies */
    uint8_t digest[DIGEST_SIZE]; /* SHA-256 of the body */
    int64_t fetched_at_ms;
    struct slice url;
    struct slice body;
    struct slice content_type;
    /* The answer's fields as received, lines joined by ", "; empty when absent: with the body they are its
     * signed proof. */
    struct slice content_digest;
    struct slice signature_input;
    struct slice signature;
};

/* A copy of `from` with digest and serial of its own. NULL without memory. */
struct snapshot *snapshot_new(const struct snapshot *from);

/* One more owner of the same snapshot; each calls snapshot_free. NULL is fine for both. */
struct snapshot *snapshot_share(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

/* The memory that it takes. */
size_t snapshot_bytes(const struct snapshot *snapshot);

/* Stores it, unless this body of this URL is stored. */
enum err snapshot_insert(struct pg *pg, const struct snapshot *snapshot) MUST_USE;

#endif
