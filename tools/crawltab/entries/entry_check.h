/* Whether an entry is what was offered, signed and sealed: each thing that can be computed again from the
 * row, from what was signed and from the day's tree. */
#ifndef TOOLS_CRAWLTAB_ENTRIES_ENTRY_CHECK_H
#define TOOLS_CRAWLTAB_ENTRIES_ENTRY_CHECK_H

#include "ledger/proof/log_check.h"
#include "tools/crawltab/entries/mistyped.h"
#include "sql/rows/entry.h"

/* X(check, its stable name) */
#define ENTRY_CHECKS(X)                                                                                      \
    X(ENTRY_CHECK_ID, "id")               /* what was signed names this payment id */                        \
    X(ENTRY_CHECK_PRICE, "price")         /* the id names the entry's amount, or more */                     \
    X(ENTRY_CHECK_URL, "url")             /* ... and its site and URL */                                     \
    X(ENTRY_CHECK_OFFER, "offer")         /* an offer key of this ledger made the id */                      \
    X(ENTRY_CHECK_KEY, "key")             /* the public key has the entry's thumbprint */                    \
    X(ENTRY_CHECK_SIGNATURE, "signature") /* it verifies */                                                  \
    X(ENTRY_CHECK_SEALED, "sealed")       /* the day's tree and the signed log have the entry as it is */

enum entry_check_name {
#define ENTRY_CHECK_ENUM(check, name) check,
    ENTRY_CHECKS(ENTRY_CHECK_ENUM)
#undef ENTRY_CHECK_ENUM
};

enum entry_check_result { ENTRY_GOOD, ENTRY_BAD, ENTRY_UNKNOWN };

#define ENTRY_CHECKS_MAX 8

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
enum err entry_check_all(struct pg *pg, const struct log_trust *trust, const struct opener *opener,
                         const struct charge_lookup_row *entry, struct entry_checks *checks) MUST_USE;

/* For an id that is in no entry of the site: whether its day was sealed without it. */
enum err entry_check_absent(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                            const uint8_t uuid[UUID_SIZE], struct entry_checks *checks) MUST_USE;

#endif
