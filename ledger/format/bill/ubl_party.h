/* The parties of an e-invoice, and what the rules of their countries make of them. */
#ifndef LEDGER_FORMAT_BILL_UBL_PARTY_H
#define LEDGER_FORMAT_BILL_UBL_PARTY_H

#include "ledger/format/format.h"
#include "ledger/format/xml.h"

/* How a party is to be written. */
struct ubl_party {
    const char *role;     /* "cac:AccountingSupplierParty" */
    const char *member;   /* of the document: "seller" */
    const char *creditor; /* SEPA creditor identifier to name, or "" */
    bool vat;             /* false outside the scope of tax, where VAT numbers must not stand (BR-O-02) */
};

void ubl_party_write(struct xml *xml, const json_t *document, const struct ubl_party *party);

/* True if the text names a country's VAT number by its prefix (BR-CO-09). */
bool ubl_party_has_vat(const json_t *document, const char *member);

/* True if seller and buyer are both of this country. */
bool ubl_party_within(const json_t *document, const char *country);

/* True if the document can go over Peppol: not with electronic addresses of two letters, such as e-mail. */
bool ubl_party_by_peppol(const json_t *document);

/* False, with the error, when a party lacks what EN 16931, Peppol or its country's rules demand. */
bool ubl_party_check(const json_t *document, struct format_output *out);

/* The document's number as the seller's country wants it on e-invoices, in `out`, which is returned: in
 * Greece, tax number, date, branch, kind and number. */
const char *ubl_party_number(const json_t *document, const char *number, const char *date, bool credit,
                             char out[160]);

#endif
