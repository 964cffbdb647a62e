#include "ledger/format/bill/ubl_party.h"

#include "ledger/base/einvoice.h"
#include "ledger/base/identifier.h"

#include <stdio.h>
#include <string.h>

#define ID_MAX 80

/* --- Facts
 * --------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *document, const char *member, const char *name)
{
    return format_text(json_object_get(document, member), name);
}

/* Numbers are compared and written without what people put between their digits. */
static const char *compact(const json_t *document, const char *member, const char *name, char out[ID_MAX])
{
    return identifier_compact(text_of(document, member, name), out, ID_MAX);
}

bool ubl_party_has_vat(const json_t *document, const char *member)
{
    char number[ID_MAX], prefix[3];
    compact(document, member, "tax_id", number);
    snprintf(prefix, sizeof(prefix), "%.2s", number);
    return identifier_is_country(prefix) || strcmp(prefix, "EL") == 0 || strcmp(prefix, "XI") == 0;
}

bool ubl_party_within(const json_t *document, const char *country)
{
    return strcmp(text_of(document, "seller", "country"), country) == 0 &&
           strcmp(text_of(document, "buyer", "country"), country) == 0;
}

bool ubl_party_by_peppol(const json_t *document)
{
    return strcspn(text_of(document, "seller", "endpoint"), ":") == 4 &&
           strcspn(text_of(document, "buyer", "endpoint"), ":") == 4;
}

/* The scheme that a member's value is of, as the rules mean it. */
static const char *scheme_of(const json_t *document, const char *member, const char *name, char out[ID_MAX])
{
    if (strcmp(name, "endpoint") == 0) {
        snprintf(out, ID_MAX, "%.*s", (int)strcspn(text_of(document, member, name), ":"),
                 text_of(document, member, name));
        return out;
    }
    return einvoice_scheme(text_of(document, member, "country"),
                           text_of(document, member, "registration_scheme"),
                           compact(document, member, name, out));
}

/* --- Writing
 * ------------------------------------------------------------------------------------------------- */

static void with_scheme(struct xml *xml, const char *name, const char *scheme, const char *text)
{
    xml_open(xml, name);
    if (*scheme)
        xml_attribute(xml, "schemeID", scheme);
    xml_text(xml, text);
    xml_close(xml);
}

static void write_endpoint(struct xml *xml, const char *endpoint)
{
    char scheme[8];
    size_t len = strcspn(endpoint, ":");
    snprintf(scheme, sizeof(scheme), "%.*s", (int)len, endpoint);
    with_scheme(xml, "cbc:EndpointID", scheme, endpoint + len + 1);
}

static void write_identification(struct xml *xml, const char *scheme, const char *id)
{
    if (!*id)
        return;
    xml_open(xml, "cac:PartyIdentification");
    with_scheme(xml, "cbc:ID", scheme, id);
    xml_close(xml);
}

static void write_address(struct xml *xml, const json_t *party)
{
    xml_open(xml, "cac:PostalAddress");
    xml_leaf(xml, "cbc:StreetName", format_text(party, "street"));
    xml_leaf(xml, "cbc:AdditionalStreetName", format_text(party, "street_2"));
    xml_leaf(xml, "cbc:CityName", format_text(party, "city"));
    xml_leaf(xml, "cbc:PostalZone", format_text(party, "postal_code"));
    xml_leaf(xml, "cbc:CountrySubentity", format_text(party, "region"));
    xml_open(xml, "cac:Country");
    xml_leaf(xml, "cbc:IdentificationCode", format_text(party, "country"));
    xml_close(xml);
    xml_close(xml);
}

static void write_tax_number(struct xml *xml, const char *scheme, const char *number)
{
    if (!*number)
        return;
    xml_open(xml, "cac:PartyTaxScheme");
    xml_leaf(xml, "cbc:CompanyID", number);
    xml_open(xml, "cac:TaxScheme");
    xml_leaf(xml, "cbc:ID", scheme);
    xml_close(xml);
    xml_close(xml);
}

/* A number without a country's prefix is no VAT number (BR-CO-09): the seller's is then its second number,
 * for which any scheme but VAT stands; the buyer has none. */
static void write_tax_numbers(struct xml *xml, const json_t *document, const struct ubl_party *party)
{
    char number[ID_MAX];
    bool vat = ubl_party_has_vat(document, party->member);
    const char *second = text_of(document, party->member, "tax_registration");
    if (vat && party->vat)
        write_tax_number(xml, "VAT", compact(document, party->member, "tax_id", number));
    if (strcmp(party->member, "seller") == 0)
        write_tax_number(xml, "TAX", *second || vat ? second : text_of(document, party->member, "tax_id"));
}

static void write_legal_entity(struct xml *xml, const json_t *document, const struct ubl_party *party)
{
    char number[ID_MAX];
    const char *registration = text_of(document, party->member, "registration");
    const char *scheme = scheme_of(document, party->member, "registration", number);
    xml_open(xml, "cac:PartyLegalEntity");
    xml_leaf(xml, "cbc:RegistrationName", text_of(document, party->member, "name"));
    if (*registration)
        with_scheme(xml, "cbc:CompanyID", scheme,
                    *scheme ? compact(document, party->member, "registration", number) : registration);
    xml_close(xml);
}

static void write_contact(struct xml *xml, const json_t *party)
{
    const char *name = format_text(party, "contact"), *phone = format_text(party, "phone"),
               *email = format_text(party, "email");
    if (!*name && !*phone && !*email)
        return;
    xml_open(xml, "cac:Contact");
    xml_leaf(xml, "cbc:Name", name);
    xml_leaf(xml, "cbc:Telephone", phone);
    xml_leaf(xml, "cbc:ElectronicMail", email);
    xml_close(xml);
}

/* Something must tell who the seller is (BR-CO-26): its VAT number, its number in a register, or else what it
 * has. */
static const char *identification_of(const json_t *document, const struct ubl_party *party)
{
    bool told =
        (party->vat && ubl_party_has_vat(document, "seller")) || *text_of(document, "seller", "registration");
    const char *tax_id = text_of(document, "seller", "tax_id");
    if (strcmp(party->member, "seller") != 0 || told)
        return "";
    return *tax_id ? tax_id : format_text(document, "site");
}

void ubl_party_write(struct xml *xml, const json_t *document, const struct ubl_party *party)
{
    const json_t *member = json_object_get(document, party->member);
    xml_open(xml, party->role);
    xml_open(xml, "cac:Party");
    write_endpoint(xml, format_text(member, "endpoint"));
    write_identification(xml, "", identification_of(document, party));
    write_identification(xml, "SEPA", party->creditor);
    if (strcmp(text_of(document, "seller", "country"), "GR") == 0) { /* GR-R-002, GR-R-005 */
        xml_open(xml, "cac:PartyName");
        xml_leaf(xml, "cbc:Name", format_text(member, "name"));
        xml_close(xml);
    }
    write_address(xml, member);
    write_tax_numbers(xml, document, party);
    write_legal_entity(xml, document, party);
    write_contact(xml, member);
    xml_close(xml);
    xml_close(xml);
}

const char *ubl_party_number(const json_t *document, const char *number, const char *date, bool credit,
                             char out[160])
{
    char tax_id[ID_MAX];
    size_t series = strlen(number);
    while (series > 0 && number[series - 1] >= '0' && number[series - 1] <= '9')
        series--;
    compact(document, "seller", "tax_id", tax_id);
    if (strcmp(text_of(document, "seller", "country"), "GR") != 0)
        snprintf(out, 160, "%.150s", number);
    else /* GR-R-001: 0 is the headquarters, 2.1 services, 5.1 a credit note to an invoice */
        snprintf(out, 160, "%.20s|%.2s/%.2s/%.4s|0|%s|%.*s|%.40s", *tax_id ? tax_id + 2 : "", date + 8,
                 date + 5, date, credit ? "5.1" : "2.1", series > 0 ? (int)series : 1,
                 series > 0 ? number : "0", number[series] ? number + series : number);
    return out;
}

/* --- What is lacking
 * ----------------------------------------------------------------------------------------- */

static const char *place_of(const char *member)
{
    return strcmp(member, "seller") == 0 ? "billing in the configuration" : "buyer in the agreement";
}

static bool lacks(const json_t *document, const char *member, const char *name, const char *why,
                  struct format_output *out)
{
    return format_fail(out, "invoice %.60s has no %s.%s, which %s; set %s", format_text(document, "number"),
                       member, name, why, place_of(member));
}

static bool check_need(const json_t *document, const struct einvoice_need *need, struct format_output *out)
{
    char why[80], number[ID_MAX];
    const char *value = text_of(document, need->party, need->member);
    if (strcmp(need->member, "tax_id") == 0 && !ubl_party_has_vat(document, need->party))
        value = ""; /* a number of another kind */
    if (!*value && need->when & EINVOICE_GIVEN)
        return true;
    if (!*value) {
        snprintf(why, sizeof(why), "e-invoices %s %s need (%s)",
                 need->when & EINVOICE_DOMESTIC ? "within" : "from", need->country, need->rule);
        return lacks(document, need->party, need->member, why, out);
    }
    const char *scheme = scheme_of(document, need->party, need->member, number);
    if (einvoice_takes(need, scheme))
        return true;
    return format_fail(out, "invoice %.60s: %s.%s \"%.60s\" is of no scheme that %s takes: %s (%s)",
                       format_text(document, "number"), need->party, need->member, value, need->country,
                       need->schemes, need->rule);
}

/* A VAT number as its country writes it. */
static bool check_vat(const json_t *document, const char *member, struct format_output *out)
{
    char number[ID_MAX];
    const char *fault = identifier_vat_fault(compact(document, member, "tax_id", number));
    if (!fault)
        return true;
    return format_fail(out, "invoice %.60s: %s.tax_id \"%.60s\" %s", format_text(document, "number"), member,
                       number, fault);
}

static bool check_party(const json_t *document, const char *member, struct format_output *out)
{
    static const char *const needed[] = {"name", "country", "endpoint"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*text_of(document, member, needed[i]))
            return lacks(document, member, needed[i], "every e-invoice needs", out);
    const char *fault = identifier_endpoint_fault(text_of(document, member, "endpoint"));
    if (fault)
        return format_fail(out, "invoice %.60s: %s.endpoint \"%.60s\" %s", format_text(document, "number"),
                           member, text_of(document, member, "endpoint"), fault);
    return !ubl_party_has_vat(document, member) || check_vat(document, member, out);
}

bool ubl_party_check(const json_t *document, struct format_output *out)
{
    const char *country = text_of(document, "seller", "country");
    if (!check_party(document, "seller", out) || !check_party(document, "buyer", out))
        return false;
    for (const struct einvoice_need *need = einvoice_needs; *need->country; need++) {
        bool holds = strcmp(need->country, country) == 0 &&
                     (!(need->when & EINVOICE_DOMESTIC) || ubl_party_within(document, country));
        if (holds && !check_need(document, need, out))
            return false;
    }
    return true;
}
