/* Which invoice a payer means. Pure. */
#ifndef LEDGER_FORMAT_BANK_REMITTANCE_H
#define LEDGER_FORMAT_BANK_REMITTANCE_H

#include <jansson.h>

enum remittance { REMITTANCE_NONE, REMITTANCE_ONE, REMITTANCE_SEVERAL };

/* Adds an invoice's number to the set, an object. Not 0 without memory. */
int remittance_add(json_t *numbers, const char *number);

/* Looks for invoice numbers in what a payer wrote, letters without case and whatever stands between letters
 * and digits left aside, since banks lose hyphens and break lines: "inv 2026/000123" is INV-2026-000123. A
 * number must be all of its words: INV-2026-0001234 is not it. *number is the one found, and belongs to the
 * set. */
enum remittance remittance_find(const json_t *numbers, const char *text, const char **number);

#endif
