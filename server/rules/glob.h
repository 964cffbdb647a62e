/* Path globs of rules: `*` and `?` stop at a slash, `**` does not. Pure. */
#ifndef SERVER_RULES_GLOB_H
#define SERVER_RULES_GLOB_H

#include "ledger/base/slice.h"

/* True if the whole path fits the glob. Takes at most |glob| * |path| steps. */
bool glob_matches(struct slice glob, struct slice path);

#endif
