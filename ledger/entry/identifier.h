/* Identifiers that payers give their payments themselves (x402's payment-identifier): each is bound to the
 * first payment that it came with. */
#ifndef LEDGER_ENTRY_IDENTIFIER_H
#define LEDGER_ENTRY_IDENTIFIER_H

#include "ledger/entry/entry.h"

/* Arrays that are filled again and again. */
struct identifier_arrays;
struct identifier_arrays *identifier_arrays_new(void) MUST_USE;
void identifier_arrays_free(struct identifier_arrays *arrays);

/* Binds the identifiers of undecided entries that may be recorded, and decides those whose identifiers are
 * another payment's, of their payment id's UTC day or the one before or after: ERR_IDENTIFIER_CONFLICT. Safe
 * to run again. */
enum err identifier_bind(struct identifier_arrays *arrays, struct pg *pg, struct entry *entries,
                         size_t count) MUST_USE;

#endif
