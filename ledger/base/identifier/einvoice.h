/* What e-invoices need beyond what EN 16931 asks of all: the national rules of Peppol BIS Billing 3.0. The
 * configuration warns of what its seller lacks, and the e-invoice is refused without it. */
#ifndef LEDGER_BASE_IDENTIFIER_EINVOICE_H
#define LEDGER_BASE_IDENTIFIER_EINVOICE_H

#include <stdbool.h>

enum einvoice_when {
    EINVOICE_ALWAYS = 0,
    EINVOICE_DOMESTIC = 1, /* when the buyer is of the seller's country, too */
    EINVOICE_GIVEN = 2     /* when there is a value at all; it must be of one of the schemes */
};

/* One thing that the rules of a seller's country demand. */
struct einvoice_need {
    const char *country;
    unsigned when;
    const char *party;   /* "seller" or "buyer" */
    const char *member;  /* of that party: "phone" */
    const char *schemes; /* those that its value may be of, "0106 0190"; "" for any text */
    const char *rule;    /* "DE-R-006" */
};

/* The end has no country. */
extern const struct einvoice_need einvoice_needs[];

/* The scheme that a party's number in the register of companies is written with: `scheme` when it is given,
 * or the usual one of the country that the number fits; "" for none. `compact` is the number's letters and
 * digits. */
const char *einvoice_scheme(const char *country, const char *scheme, const char *compact);

/* True if the need's schemes hold the scheme, or it has none. */
bool einvoice_takes(const struct einvoice_need *need, const char *scheme);

#endif
