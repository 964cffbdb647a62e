/* Proof bundles as files: made by `crawltab lookup --proof`, checked by `crawltab verify`. */
#ifndef TOOLS_CRAWLTAB_FRAME_PROOF_H
#define TOOLS_CRAWLTAB_FRAME_PROOF_H

#include "ledger/bundle/bundle.h"

/* What whoever checks a bundle knows from elsewhere; all may be NULL. */
struct proof_trust {
    const char *verifier, *witness;
    const struct log_kept *kept;
};

/* Checks a bundle; false after telling that there is no memory. report as for bundle_check. */
bool proof_check(const json_t *bundle, const struct proof_trust *trust,
                 struct bundle_report *report) MUST_USE;

/* Writes what was found, in sentences. */
void proof_print(const struct bundle_report *report);

/* Writes the bundle to the file, once it has been checked: one that does not hold is written all the same, as
 * evidence of that, and told. False after telling what is wrong. */
bool proof_write(const char *path, const json_t *bundle);

#endif
