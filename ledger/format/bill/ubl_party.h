/* The parties of an e-invoice, and what the rules of their countries make of them. */
#ifndef LEDGER_FORMAT_BILL_UBL_PARTY_H
#define LEDGER_FORMAT_BILL_UBL_PARTY_H

#include "ledger/format/document.h"
#include "ledger/format/format.h"
#include "ledger/format/xml.h"

/* Writes the seller and the buyer. `creditor` is the SEPA creditor identifier to name, or ""; `vat` false
 * outside the scope of tax, where VAT numbers must not stand (BR-O-02). */
void ubl_party_write_seller(struct xml *xml, const struct document *document, const char *creditor, bool vat);
void ubl_party_write_buyer(struct xml *xml, const struct document *document, bool vat);

/* True if the party's tax number names a country's VAT number by its prefix (BR-CO-09). */
bool ubl_party_has_vat(const struct document_party *party);

/* True if seller and buyer are both of this country. */
bool ubl_party_within(const struct document *document, const char *country);

/* True if the document can go over Peppol: not with electronic addresses of two letters, such as e-mail. */
bool ubl_party_by_peppol(const struct document *document);

/* False, with the error, when a party lacks what EN 16931, Peppol or its country's rules demand. */
bool ubl_party_check(const struct document *document, struct format_output *out);

/* The document's number as the seller's country wants it on e-invoices, in `out`, which is returned: in
 * Greece, tax number, date, branch, kind and number. */
const char *ubl_party_number(const struct document *document, const char *number, const char *date,
                             bool credit, char out[160]);

#endif
