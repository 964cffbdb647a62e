/* Repeats at no price: of a page that its crawler has paid, and that has not changed since, where the rule
 * says so (free_recrawl). */
#ifndef LEDGER_ENTRY_RECRAWL_H
#define LEDGER_ENTRY_RECRAWL_H

#include "ledger/entry/entry.h"

/* Arrays that are filled again and again. */
struct recrawl_arrays;
struct recrawl_arrays *recrawl_arrays_new(void) MUST_USE;
void recrawl_arrays_free(struct recrawl_arrays *arrays);

/* Says which undecided entries of the sorted batch are repeats, and free; that is written down before the
 * entry, and holds whatever is tried again. Marks as stale the entries whose ids were repeats of another copy
 * than they are given now. Safe to run again. */
enum err recrawl_price(struct recrawl_arrays *arrays, struct pg *pg, struct entry *entries,
                       size_t count) MUST_USE;

#endif
