/* Text in HTML. */
#ifndef LEDGER_FORMAT_MARKUP_H
#define LEDGER_FORMAT_MARKUP_H

#include <stdio.h>

/* Writes text in an element or between quotes of either kind. Control characters have no place in HTML, and
 * become spaces. */
void markup_text(FILE *out, const char *value);

#endif
