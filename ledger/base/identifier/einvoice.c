/* The rules of EN 16931 and of Peppol that hold for every seller are seen to where the e-invoice is written
 * (ubl.c, ubl_party.c). Here are those of one country, as they stand in its section of Peppol BIS Billing
 * 3.0, so that one table can be laid beside that text when it changes. */
#include "ledger/base/identifier/einvoice.h"

#include "ledger/base/identifier/identifier.h"

#include <assert.h>
#include <string.h>

const struct einvoice_need einvoice_needs[] = {
    {"DE", EINVOICE_DOMESTIC, "seller", "city", "", "DE-R-003"},
    {"DE", EINVOICE_DOMESTIC, "seller", "postal_code", "", "DE-R-004"},
    {"DE", EINVOICE_DOMESTIC, "seller", "contact", "", "DE-R-005"},
    {"DE", EINVOICE_DOMESTIC, "seller", "phone", "", "DE-R-006"},
    {"DE", EINVOICE_DOMESTIC, "seller", "email", "", "DE-R-007"},
    {"DE", EINVOICE_DOMESTIC, "buyer", "city", "", "DE-R-008"},
    {"DE", EINVOICE_DOMESTIC, "buyer", "postal_code", "", "DE-R-009"},
    {"DK", EINVOICE_ALWAYS, "seller", "registration", "0184", "DK-R-002"},
    {"DK", EINVOICE_DOMESTIC | EINVOICE_GIVEN, "buyer", "registration", "0184", "DK-R-017"},
    {"GR", EINVOICE_ALWAYS, "seller", "tax_id", "", "GR-S-011"},
    {"GR", EINVOICE_ALWAYS, "seller", "endpoint", "9933", "GR-R-009"},
    {"GR", EINVOICE_DOMESTIC, "buyer", "tax_id", "", "GR-R-006"},
    {"GR", EINVOICE_DOMESTIC, "buyer", "endpoint", "9933", "GR-R-010"},
    {"IS", EINVOICE_ALWAYS, "seller", "registration", "0196", "IS-R-002"},
    {"IS", EINVOICE_ALWAYS, "seller", "street", "", "IS-R-003"},
    {"IS", EINVOICE_ALWAYS, "seller", "postal_code", "", "IS-R-003"},
    {"IS", EINVOICE_DOMESTIC, "buyer", "registration", "0196", "IS-R-004"},
    {"IS", EINVOICE_DOMESTIC, "buyer", "street", "", "IS-R-005"},
    {"IS", EINVOICE_DOMESTIC, "buyer", "postal_code", "", "IS-R-005"},
    {"IT", EINVOICE_ALWAYS, "seller", "street", "", "IT-R-002"},
    {"IT", EINVOICE_ALWAYS, "seller", "city", "", "IT-R-003"},
    {"IT", EINVOICE_ALWAYS, "seller", "postal_code", "", "IT-R-004"},
    {"NL", EINVOICE_ALWAYS, "seller", "street", "", "NL-R-002"},
    {"NL", EINVOICE_ALWAYS, "seller", "city", "", "NL-R-002"},
    {"NL", EINVOICE_ALWAYS, "seller", "postal_code", "", "NL-R-002"},
    {"NL", EINVOICE_GIVEN, "seller", "registration", "0106 0190", "NL-R-003"},
    {"NL", EINVOICE_DOMESTIC, "buyer", "street", "", "NL-R-004"},
    {"NL", EINVOICE_DOMESTIC, "buyer", "city", "", "NL-R-004"},
    {"NL", EINVOICE_DOMESTIC, "buyer", "postal_code", "", "NL-R-004"},
    {"NL", EINVOICE_DOMESTIC | EINVOICE_GIVEN, "buyer", "registration", "0106 0190", "NL-R-005"},
    {"SE", EINVOICE_GIVEN, "seller", "registration", "0007", "SE-R-013"},
    {"", EINVOICE_ALWAYS, "", "", "", ""},
};

const char *einvoice_scheme(const char *country, const char *scheme, const char *compact)
{
    return *scheme ? scheme : identifier_registration_scheme(country, compact);
}

bool einvoice_takes(const struct einvoice_need *need, const char *scheme)
{
    assert(*need->country); /* the end of the table is no need */
    return !*need->schemes || (strlen(scheme) == 4 && strstr(need->schemes, scheme));
}
