/* Whether a site's log is what was signed, and by whom: by a key that the checker knows from elsewhere. A key
 * that merely stands in the database proves nothing, since whoever may write there can put in his own. */
#ifndef LEDGER_PROOF_LOG_CHECK_H
#define LEDGER_PROOF_LOG_CHECK_H

#include "ledger/proof/checkpoint.h"
#include "ledger/proof/leaf.h"

/* By what signatures are checked. The trusted key must have signed the log at some time. To earlier keys the
 * recorded changes lead back, each signed by its new key; to later ones on, each signed by its old key. */
struct log_trust {
    note_verifies *verifies;
    const uint8_t (*keys)[NOTE_KEY_SIZE]; /* the configured ones, the newest first: that one is trusted */
    size_t key_count;                     /* 0: none is at hand, so that nothing can be checked */
    const char *verifier;                 /* given by hand: for the log that it names, in their place */
};

/* Checks the site's log by itself: sizes without gaps, each root over the leaves so far, each note signed
 * over that root by the key whose turn it was, the trusted key among them, and all days that are closed in
 * it. */
enum err log_check(struct pg *pg, int64_t site_id, const struct log_trust *trust,
                   struct checkpoint_finding *finding) MUST_USE;

/* A checkpoint that was kept elsewhere; `note` and the texts in it are the caller's. */
struct log_kept {
    struct slice note;
    char origin[LEAF_ORIGIN_MAX];
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
};

/* Reads one; NULL, or what is wrong with it, static. Its signatures are checked with the log. */
const char *log_kept_read(struct slice note, struct log_kept *kept);

/* What the comparison has shown. */
struct log_kept_result {
    char problem[256];                             /* "": the log has grown from what was kept */
    uint64_t size;                                 /* of the log now */
    uint8_t proof[MERKLE_HEIGHT_MAX][DIGEST_SIZE]; /* of that, as in RFC 6962 section 2.1.2 */
    size_t steps;
};

/* Compares the site's log, which log_check has found good, with one that was kept of it. */
enum err log_kept_check(struct pg *pg, int64_t site_id, const struct log_trust *trust,
                        const struct log_kept *kept, struct log_kept_result *result) MUST_USE;

#endif
