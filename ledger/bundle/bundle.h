/* Proof bundles: everything about one payment that can be checked without the ledger, its configuration or
 * its publisher, in one file. ledger/PROOF.md describes the format, and what holds when it holds. Pure. */
#ifndef LEDGER_BUNDLE_BUNDLE_H
#define LEDGER_BUNDLE_BUNDLE_H

#include "ledger/bundle/report.h"
#include "ledger/proof/log_check.h"
#include "ledger/verify/jwk.h"

#include <jansson.h>

#define BUNDLE_FORMAT    "crawltab-proof/1"
#define BUNDLE_LOGS_MAX  16
#define BUNDLE_BYTES_MAX (32 * 1048576)

/* A directory's answer, as the ledger has kept it. */
struct bundle_answer {
    struct slice url, body, content_digest, signature_input, signature;
    int64_t fetched_seconds;
};

/* True if the answer is signed by this key of the directory. */
typedef bool bundle_directory(const struct bundle_answer *answer, const struct jwk *jwk,
                              const struct signature_key *key);

/* By what a bundle is checked. */
struct bundle_order {
    note_verifies *verifies;
    bundle_directory *directory;
    const char *verifier;        /* of the log; NULL: whoever has signed it */
    const char *witness;         /* the key of one that must have cosigned all days; NULL: none has to */
    const struct log_kept *kept; /* a checkpoint from elsewhere; NULL: none */
};

/* Checks it and tells what is proven, what is not, and what is wrong: it holds if report->wrong is 0 then.
 * Freed by bundle_report_free, whatever comes back. False without memory. */
bool bundle_check(const json_t *bundle, const struct bundle_order *order,
                  struct bundle_report *report) MUST_USE;

#endif
