/* Who stands on an e-invoice, and what is lacking: said before a file is made, with the rule's number,
 * since a bill that the receiver's gateway refuses is not paid, and the refusal comes days later in words
 * that name a line of XML. */
#include "ledger/format/bill/ubl_party.h"

#include "ledger/base/identifier/einvoice.h"
#include "ledger/base/identifier/identifier.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ID_MAX 80

/* --- Facts --- */

/* Numbers are compared and written without what people put between their digits. */
static const char *compact(const char *number, char out[ID_MAX])
{
    return identifier_compact(number, out, ID_MAX);
}

bool ubl_party_has_vat(const struct document_party *party)
{
    char number[ID_MAX], prefix[3];
    /* Greece's prefix is EL, which BR-CO-09 allows, and Northern Ireland's XI: neither is a country's code.
     */
    snprintf(prefix, sizeof(prefix), "%.2s", compact(party->tax_id, number));
    return identifier_is_country(prefix) || strcmp(prefix, "EL") == 0 || strcmp(prefix, "XI") == 0;
}

bool ubl_party_within(const struct document *document, const char *country)
{
    return strcmp(document->seller.country, country) == 0 && strcmp(document->buyer.country, country) == 0;
}

bool ubl_party_by_peppol(const struct document *document)
{
    return strcspn(document->seller.endpoint, ":") == 4 && strcspn(document->buyer.endpoint, ":") == 4;
}

/* The scheme of one of the party's numbers in registers, as the rules mean it. */
static const char *scheme_of(const struct document_party *party, const char *number, char out[ID_MAX])
{
    return einvoice_scheme(party->country, party->registration_scheme, compact(number, out));
}

/* --- Writing --- */

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
    assert(len == 2 || len == 4); /* ubl_party_check has looked at it */
    /* Four digits are Peppol's EAS codes; two letters, EM, an e-mail address. */
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

static void write_address(struct xml *xml, const struct document_party *party)
{
    xml_open(xml, "cac:PostalAddress");
    xml_leaf(xml, "cbc:StreetName", party->street);
    xml_leaf(xml, "cbc:AdditionalStreetName", party->street_2);
    xml_leaf(xml, "cbc:CityName", party->city);
    xml_leaf(xml, "cbc:PostalZone", party->postal_code);
    xml_leaf(xml, "cbc:CountrySubentity", party->region);
    /* The country is the one part that is a must (BR-09, BR-11); whatever else is empty is left out. */
    xml_open(xml, "cac:Country");
    xml_leaf(xml, "cbc:IdentificationCode", party->country);
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
static void write_vat_number(struct xml *xml, const struct document_party *party)
{
    char number[ID_MAX];
    if (ubl_party_has_vat(party))
        write_tax_number(xml, "VAT", compact(party->tax_id, number));
}

static void write_second_number(struct xml *xml, const struct document_party *seller)
{
    bool second = *seller->tax_registration || ubl_party_has_vat(seller);
    write_tax_number(xml, "TAX", second ? seller->tax_registration : seller->tax_id);
}

static void write_legal_entity(struct xml *xml, const struct document_party *party)
{
    char number[ID_MAX];
    const char *scheme = scheme_of(party, party->registration, number);
    xml_open(xml, "cac:PartyLegalEntity");
    xml_leaf(xml, "cbc:RegistrationName", party->name);
    /* Compact only where the scheme is known: what people put between digits may be part of the number
     * elsewhere. */
    if (*party->registration)
        with_scheme(xml, "cbc:CompanyID", scheme,
                    *scheme ? compact(party->registration, number) : party->registration);
    xml_close(xml);
}

static void write_contact(struct xml *xml, const struct document_party *party)
{
    if (!*party->contact && !*party->phone && !*party->email)
        return;
    xml_open(xml, "cac:Contact");
    xml_leaf(xml, "cbc:Name", party->contact);
    xml_leaf(xml, "cbc:Telephone", party->phone);
    xml_leaf(xml, "cbc:ElectronicMail", party->email);
    xml_close(xml);
}

/* Something must tell who the seller is (BR-CO-26): its VAT number, its number in a register, or else what it
 * has. */
static const char *identification_of(const struct document *document, bool vat)
{
    const struct document_party *seller = &document->seller;
    if ((vat && ubl_party_has_vat(seller)) || *seller->registration)
        return "";
    return *seller->tax_id ? seller->tax_id : document->site;
}

static bool from_greece(const struct document *document)
{
    return strcmp(document->seller.country, "GR") == 0;
}

static void write_name(struct xml *xml, const struct document *document, const struct document_party *party)
{
    if (!from_greece(document)) /* GR-R-002, GR-R-005 */
        return;
    xml_open(xml, "cac:PartyName");
    xml_leaf(xml, "cbc:Name", party->name);
    xml_close(xml);
}

void ubl_party_write_seller(struct xml *xml, const struct document *document, const char *creditor, bool vat)
{
    const struct document_party *seller = &document->seller;
    xml_open(xml, "cac:AccountingSupplierParty");
    xml_open(xml, "cac:Party");
    write_endpoint(xml, seller->endpoint);
    write_identification(xml, "", identification_of(document, vat));
    write_identification(xml, "SEPA", creditor);
    write_name(xml, document, seller);
    write_address(xml, seller);
    if (vat)
        write_vat_number(xml, seller);
    write_second_number(xml, seller);
    write_legal_entity(xml, seller);
    write_contact(xml, seller);
    xml_close(xml);
    xml_close(xml);
}

void ubl_party_write_buyer(struct xml *xml, const struct document *document, bool vat)
{
    const struct document_party *buyer = &document->buyer;
    xml_open(xml, "cac:AccountingCustomerParty");
    xml_open(xml, "cac:Party");
    write_endpoint(xml, buyer->endpoint);
    write_name(xml, document, buyer);
    write_address(xml, buyer);
    if (vat)
        write_vat_number(xml, buyer);
    write_legal_entity(xml, buyer);
    write_contact(xml, buyer);
    xml_close(xml);
    xml_close(xml);
}

const char *ubl_party_number(const struct document *document, const char *number, const char *date,
                             bool credit, char out[160])
{
    char tax_id[ID_MAX];
    size_t series = strlen(number);
    /* The norm's number has one text; Greece wants series and number apart: the number is its last digits. */
    while (series > 0 && number[series - 1] >= '0' && number[series - 1] <= '9')
        series--;
    compact(document->seller.tax_id, tax_id);
    assert(!from_greece(document) || strlen(tax_id) > 2); /* GR-S-011 */
    if (!from_greece(document))
        snprintf(out, 160, "%.150s", number);
    else /* GR-R-001: 0 is the headquarters, 2.1 services, 5.1 a credit note to an invoice */
        snprintf(out, 160, "%.20s|%.2s/%.2s/%.4s|0|%s|%.*s|%.40s", *tax_id ? tax_id + 2 : "", date + 8,
                 date + 5, date, credit ? "5.1" : "2.1", series > 0 ? (int)series : 1,
                 series > 0 ? number : "0", number[series] ? number + series : number);
    return out;
}

/* --- What is lacking --- */

/* One party of the document, with its name there. */
struct side {
    const struct document *document;
    const char *name; /* "seller" */
    const struct document_party *party;
};

static struct side side_of(const struct document *document, const char *name)
{
    assert(strcmp(name, "seller") == 0 || strcmp(name, "buyer") == 0);
    return (struct side){document, name, strcmp(name, "seller") == 0 ? &document->seller : &document->buyer};
}

static bool lacks(const struct side *side, const char *name, const char *why, struct format_output *out)
{
    assert(side->party == &side->document->seller || side->party == &side->document->buyer);
    return format_fail(
        out, "invoice %.60s has no %s.%s, which %s; set %s", side->document->number, side->name, name, why,
        side->party == &side->document->seller ? "billing in the configuration" : "buyer in the agreement");
}

/* The scheme that a number is of which a rule demands. */
static const char *needed_scheme(const struct side *side, const struct einvoice_need *need, const char *value,
                                 char out[ID_MAX])
{
    if (strcmp(need->member, "endpoint") != 0)
        return scheme_of(side->party, value, out);
    snprintf(out, ID_MAX, "%.*s", (int)strcspn(value, ":"), value);
    return out;
}

static bool check_need(const struct side *side, const struct einvoice_need *need, struct format_output *out)
{
    char why[80], number[ID_MAX];
    const char *value = document_party_text(side->party, need->member);
    assert(strcmp(need->party, side->name) == 0);
    if (strcmp(need->member, "tax_id") == 0 && !ubl_party_has_vat(side->party))
        value = ""; /* a number of another kind */
    if (!*value && need->when & EINVOICE_GIVEN)
        return true;
    if (!*value) {
        int len = snprintf(why, sizeof(why), "e-invoices %s %s need (%s)",
                           need->when & EINVOICE_DOMESTIC ? "within" : "from", need->country, need->rule);
        assert(len > 0 && (size_t)len < sizeof(why));
        return lacks(side, need->member, why, out);
    }
    if (einvoice_takes(need, needed_scheme(side, need, value, number)))
        return true;
    return format_fail(out, "invoice %.60s: %s.%s \"%.60s\" is of no scheme that %s takes: %s (%s)",
                       side->document->number, side->name, need->member, value, need->country, need->schemes,
                       need->rule);
}

/* A VAT number as its country writes it. */
static bool check_vat(const struct side *side, struct format_output *out)
{
    char number[ID_MAX];
    const char *fault = identifier_vat_fault(compact(side->party->tax_id, number));
    if (!fault)
        return true;
    return format_fail(out, "invoice %.60s: %s.tax_id \"%.60s\" %s", side->document->number, side->name,
                       number, fault);
}

static bool check_party(const struct side *side, struct format_output *out)
{
    const struct document_party *party = side->party;
    const struct document_text needed[] = {DOCUMENT_TEXT(party, name), DOCUMENT_TEXT(party, country),
                                           DOCUMENT_TEXT(party, endpoint)};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*needed[i].text)
            return lacks(side, needed[i].path, "every e-invoice needs", out);
    const char *fault = identifier_endpoint_fault(party->endpoint);
    if (fault)
        return format_fail(out, "invoice %.60s: %s.endpoint \"%.60s\" %s", side->document->number, side->name,
                           party->endpoint, fault);
    return !ubl_party_has_vat(party) || check_vat(side, out);
}

bool ubl_party_check(const struct document *document, struct format_output *out)
{
    const struct side seller = side_of(document, "seller"), buyer = side_of(document, "buyer");
    const char *country = document->seller.country;
    if (!check_party(&seller, out) || !check_party(&buyer, out))
        return false;
    /* The seller's country decides: its rules hold for what its companies send. */
    for (const struct einvoice_need *need = einvoice_needs; *need->country; need++) {
        const struct side side = side_of(document, need->party);
        bool holds = strcmp(need->country, country) == 0 &&
                     (!(need->when & EINVOICE_DOMESTIC) || ubl_party_within(document, country));
        if (holds && !check_need(&side, need, out))
            return false;
    }
    return true;
}
