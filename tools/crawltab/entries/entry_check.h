/* Whether an entry is what was offered, signed and sealed: what the night judges by
 * (ledger/evidence/judge.h), and the day's tree. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_ENTRY_CHECK_H
#define TOOLS_CRAWLTAB_ENTRIES_ENTRY_CHECK_H

#include "ledger/evidence/judge.h"
#include "ledger/proof/log_check.h"
#include "tools/crawltab/entries/mistyped.h"
#include "sql/rows/entry.h"

enum entry_check_result { ENTRY_GOOD, ENTRY_BAD, ENTRY_UNKNOWN };

#define ENTRY_CHECKS_MAX (EVIDENCE_CHECKS + 1) /* what the judge sees, and "sealed" */

struct entry_check {
    const char *name;
    enum entry_check_result result;
    const char *detail; /* static */
};

struct entry_checks {
    struct entry_check items[ENTRY_CHECKS_MAX];
    size_t count;
    bool bad;                     /* one of them is */
    char date[16];                /* of the billing day, as far as it is known */
    char id[PAYMENT_ID_TEXT + 1]; /* that was signed; "" if what was signed names none */
    int64_t price_micros;         /* that the id names */
};

/* All of them for an entry; `trust` is for the signed log. */
enum err entry_check_all(struct pg *pg, const struct log_trust *trust, struct opener *opener,
                         const struct charge_lookup_row *entry, struct entry_checks *checks) MUST_USE;

/* For an id that is in no entry of the site: whether its day was sealed without it. */
enum err entry_check_absent(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                            const uint8_t uuid[UUID_SIZE], struct entry_checks *checks) MUST_USE;

#endif
