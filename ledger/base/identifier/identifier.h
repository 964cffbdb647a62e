/* Identifiers of accounts, banks, companies and addresses, with the rules that tell a mistyped one. Pure.
 * Texts are compact: no spaces inside, capital letters (config.h, kind CODE). */
#ifndef LEDGER_BASE_IDENTIFIER_IDENTIFIER_H
#define LEDGER_BASE_IDENTIFIER_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>

/* A country or territory of ISO 3166-1, by its two capital letters. */
bool identifier_is_country(const char *code);

/* What is wrong with an IBAN (ISO 13616: the country's length, then mod 97), as the end of a sentence that
 * begins with it: "is not …". NULL: nothing. */
const char *identifier_iban_fault(const char *iban);

/* A BIC (ISO 9362): institution, country, place, and perhaps a branch. */
bool identifier_is_bic(const char *bic);

/* A SEPA creditor identifier: country, two check digits (mod 97), three characters that count for nothing,
 * national identifier. */
bool identifier_is_creditor(const char *creditor);

/* An e-mail address as people have them: one @, a host with a dot, no spaces or quotes; at most 254 bytes. */
bool identifier_is_email(const char *text);

/* What is wrong with an identifier of a scheme: an ICD code of ISO/IEC 6523 or an electronic address scheme
 * (EAS), such as "0088" (GLN) or "0184" (Danish CVR). As identifier_iban_fault; NULL also for schemes whose
 * rules are not known here. */
const char *identifier_fault(const char *scheme, const char *id);

/* What is wrong with an electronic address "SCHEME:ID", with a scheme of four digits or, for some, two
 * letters ("EM" for e-mail). As identifier_iban_fault. */
const char *identifier_endpoint_fault(const char *endpoint);

/* The scheme in which companies of a country are registered, for a number of this form: "0184" for "DK" and
 * eight digits. "" when the country has none here, or the number is not of its form. */
const char *identifier_registration_scheme(const char *country, const char *number);

/* What is wrong with a number for value added tax: prefix of the country ("EL" for Greece), then as its tax
 * office writes it. As identifier_iban_fault; NULL also for countries whose form is not known here. */
const char *identifier_vat_fault(const char *number);

/* The letters and digits of `text`, letters as capitals, in `out`, which is returned; as many as fit. */
const char *identifier_compact(const char *text, char *out, size_t room);

#endif
