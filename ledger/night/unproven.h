/* What the night does not bill: entries of a day that are not what their signer signed. */
#ifndef LEDGER_NIGHT_UNPROVEN_H
#define LEDGER_NIGHT_UNPROVEN_H

#include "ledger/evidence/hearing.h"

struct unproven_order {
    int64_t site_id;
    const char *date;
    struct evidence_book *book;
    bool unknown_offers; /* entries of a day may all be without a known offer key */
    void (*tell)(void *context, int64_t done, int64_t all); /* NULL: nobody is told */
    void *context;
};

struct unproven_sum {
    int64_t entries;
    int64_t micros;
};

/* Judges the day's entries inside the open transaction and puts those that are not proven into the table
 * "unproven"; logs the first of them. ERR_NOT_FOUND, after a log line: there are entries, and no offer key to
 * judge them by, or none of their ids is of one that is here: what is not proven is so for good, and a wrong
 * file must not cost a day. */
enum err unproven_note(struct pg *pg, const struct unproven_order *order, struct unproven_sum *sum) MUST_USE;

#endif
