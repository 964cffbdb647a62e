/* UTF-8 (RFC 3629). Pure. */
#ifndef LEDGER_VERIFY_UTF8_H
#define LEDGER_VERIFY_UTF8_H

#include "ledger/base/slice.h"

/* True if the text is UTF-8 throughout: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_valid(struct slice text);

#endif
