/* Exported files as `crawltab verify` checks them. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_EXPORT_CHECK_H
#define TOOLS_CRAWLTAB_ENTRIES_EXPORT_CHECK_H

#include "ledger/proof/log_check.h"
#include "tools/crawltab/frame/command.h"

/* True for a manifest, or a file that has one beside it. */
bool export_check_is(const char *path);

/* Checks the file by its manifest and its index, and says what was found. `verifier` and `kept` NULL: none
 * was given. */
enum exit_status export_check(const char *path, const char *verifier, const struct log_kept *kept);

#endif
