/* Path globs of rules: `*` and `?` stop at a slash, `**` does not. Pure. */
#ifndef LEDGER_BASE_TEXT_GLOB_H
#define LEDGER_BASE_TEXT_GLOB_H

#include "ledger/base/slice.h"

/* True if the whole path fits the glob. Takes at most |glob| * |path| steps. */
bool glob_matches(struct slice glob, struct slice path);

#endif
