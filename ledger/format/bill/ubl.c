/* UBL 2.1 Invoice (380) and CreditNote (381) after EN 16931, as Peppol BIS Billing 3.0 narrows it.
 *
 * The norm wants every line rounded to the currency's minor unit (BT-131) and the sum of those as the base of
 * everything (BR-CO-10), while our lines are exact to the micro-unit, summed up exactly, and rounded once.
 * The difference, which is also where a remainder is carried in and out, stands as one charge or allowance of
 * the document, in the same tax category: so the net amount (BT-109) is ours, the tax is of that amount, and
 * BR-CO-10 to BR-CO-16 hold to the last digit. PayableRoundingAmount would come after the tax, too late.
 * Unit prices have the six decimals that they need; the norm limits only sums to two. */
#include "ledger/format/bill/rendering.h"

#include "ledger/base/amount.h"
#include "ledger/format/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CUSTOMIZATION "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
#define PROFILE       "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
#define OASIS         "urn:oasis:names:specification:ubl:schema:xsd:"

/* One document being written. */
struct ubl {
    struct xml *xml;
    const json_t *document;
    const char *currency;
    const char *category; /* UNCL 5305 */
    int decimals;
    bool credit;
    int64_t lines_minor; /* the sum of the rounded lines */
};

/* <outer><a><b>text</b></a></outer> for "outer/a/b"; nothing when there is no text. */
static void nested(struct ubl *ubl, const char *path, const char *text)
{
    char name[64];
    int depth = 0;
    if (!*text)
        return;
    for (; strchr(path, '/'); depth++) {
        size_t len = strcspn(path, "/");
        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        xml_open(ubl->xml, name);
        path += len + 1;
    }
    xml_leaf(ubl->xml, path, text);
    for (; depth > 0; depth--)
        xml_close(ubl->xml);
}

static void with_attribute(struct ubl *ubl, const char *name, const char *attribute, const char *value,
                           const char *text)
{
    xml_open(ubl->xml, name);
    xml_attribute(ubl->xml, attribute, value);
    xml_text(ubl->xml, text);
    xml_close(ubl->xml);
}

static void amount(struct ubl *ubl, const char *name, int64_t minor)
{
    char text[AMOUNT_TEXT_MAX];
    with_attribute(ubl, name, "currencyID", ubl->currency, amount_format_minor(minor, ubl->decimals, text));
}

static const char *text_of(const struct ubl *ubl, const char *path)
{
    return format_text(ubl->document, path);
}

/* --- Amounts
 * ------------------------------------------------------------------------------------------------ */

/* Half away from zero, to the minor unit. */
static int64_t rounded(const struct ubl *ubl, int64_t micros)
{
    int64_t unit = amount_minor_micros(ubl->decimals);
    int64_t rest = micros % unit;
    int64_t whole = micros / unit;
    if (rest >= (unit + 1) / 2)
        return whole + 1;
    return -rest >= (unit + 1) / 2 ? whole - 1 : whole;
}

static bool sum_lines(struct ubl *ubl)
{
    const json_t *line;
    size_t i;
    ubl->lines_minor = 0;
    json_array_foreach(json_object_get(ubl->document, "lines"), i, line)
    {
        int64_t minor = rounded(ubl, format_number(line, "amount_micros"));
        if (!amount_add(ubl->lines_minor, minor, &ubl->lines_minor))
            return false;
    }
    return i > 0;
}

/* --- Tax
 * ---------------------------------------------------------------------------------------------------- */

static const char *category_of(const char *treatment)
{
    static const char *const categories[][2] = {
        {"standard", "S"}, {"zero", "Z"}, {"exempt", "E"}, {"reverse-charge", "AE"}, {"none", "O"}};
    for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++)
        if (strcmp(treatment, categories[i][0]) == 0)
            return categories[i][1];
    return NULL;
}

static bool outside_tax(const struct ubl *ubl)
{
    return *ubl->category == 'O';
}

/* Category and rate. What is outside the scope of tax must not have a rate (BR-O-05); the reason is wanted
 * only where the tax is summed up. */
static void tax_category(struct ubl *ubl, const char *name, bool reason)
{
    static const char *const reasons[][2] = {
        {"E", "Exempt from tax"}, {"AE", "Reverse charge"}, {"O", "Not subject to VAT"}};
    char rate[AMOUNT_TEXT_MAX];
    xml_open(ubl->xml, name);
    xml_leaf(ubl->xml, "cbc:ID", ubl->category);
    if (!outside_tax(ubl))
        xml_leaf(ubl->xml, "cbc:Percent",
                 amount_format_percent(format_number(ubl->document, "tax.rate_ppm"), rate));
    for (size_t i = 0; reason && i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strcmp(ubl->category, reasons[i][0]) == 0)
            xml_leaf(ubl->xml, "cbc:TaxExemptionReason",
                     *text_of(ubl, "tax.note") ? text_of(ubl, "tax.note") : reasons[i][1]);
    nested(ubl, "cac:TaxScheme/cbc:ID", "VAT");
    xml_close(ubl->xml);
}

static void tax_total(struct ubl *ubl)
{
    int64_t tax = format_number(ubl->document, "tax.amount_minor");
    xml_open(ubl->xml, "cac:TaxTotal");
    amount(ubl, "cbc:TaxAmount", tax);
    xml_open(ubl->xml, "cac:TaxSubtotal");
    amount(ubl, "cbc:TaxableAmount", format_number(ubl->document, "net_minor"));
    amount(ubl, "cbc:TaxAmount", tax);
    tax_category(ubl, "cac:TaxCategory", true);
    xml_close(ubl->xml);
    xml_close(ubl->xml);
}

/* --- Parties
 * ------------------------------------------------------------------------------------------------ */

static void endpoint(struct ubl *ubl, const char *address)
{
    char scheme[8];
    size_t len = strcspn(address, ":");
    snprintf(scheme, sizeof(scheme), "%.*s", (int)len, address);
    with_attribute(ubl, "cbc:EndpointID", "schemeID", scheme, address + len + 1);
}

static void postal_address(struct ubl *ubl, const json_t *party)
{
    xml_open(ubl->xml, "cac:PostalAddress");
    xml_leaf(ubl->xml, "cbc:StreetName", format_text(party, "street"));
    xml_leaf(ubl->xml, "cbc:AdditionalStreetName", format_text(party, "street_2"));
    xml_leaf(ubl->xml, "cbc:CityName", format_text(party, "city"));
    xml_leaf(ubl->xml, "cbc:PostalZone", format_text(party, "postal_code"));
    xml_leaf(ubl->xml, "cbc:CountrySubentity", format_text(party, "region"));
    nested(ubl, "cac:Country/cbc:IdentificationCode", format_text(party, "country"));
    xml_close(ubl->xml);
}

static bool by_sepa_debit(const struct ubl *ubl)
{
    return !ubl->credit && strcmp(text_of(ubl, "settlement.rail"), "sepa-direct-debit") == 0;
}

/* Documents outside the scope of tax must not name tax numbers (BR-O-02). */
static void write_party(struct ubl *ubl, const char *role, const char *member)
{
    const json_t *party = json_object_get(ubl->document, member);
    const char *tax_id = format_text(party, "tax_id"), *creditor = format_text(party, "creditor_id");
    xml_open(ubl->xml, role);
    xml_open(ubl->xml, "cac:Party");
    endpoint(ubl, format_text(party, "endpoint"));
    if (*creditor && by_sepa_debit(ubl)) {
        xml_open(ubl->xml, "cac:PartyIdentification");
        with_attribute(ubl, "cbc:ID", "schemeID", "SEPA", creditor);
        xml_close(ubl->xml);
    }
    postal_address(ubl, party);
    if (*tax_id && !outside_tax(ubl)) {
        xml_open(ubl->xml, "cac:PartyTaxScheme");
        xml_leaf(ubl->xml, "cbc:CompanyID", tax_id);
        nested(ubl, "cac:TaxScheme/cbc:ID", "VAT");
        xml_close(ubl->xml);
    }
    xml_open(ubl->xml, "cac:PartyLegalEntity");
    xml_leaf(ubl->xml, "cbc:RegistrationName", format_text(party, "name"));
    xml_leaf(ubl->xml, "cbc:CompanyID", format_text(party, "registration"));
    xml_close(ubl->xml);
    nested(ubl, "cac:Contact/cbc:ElectronicMail", format_text(party, "email"));
    xml_close(ubl->xml);
    xml_close(ubl->xml);
}

/* --- The parts of the document
 * ------------------------------------------------------------------------------ */

static void header(struct ubl *ubl)
{
    xml_leaf(ubl->xml, "cbc:CustomizationID", CUSTOMIZATION);
    xml_leaf(ubl->xml, "cbc:ProfileID", PROFILE);
    xml_leaf(ubl->xml, "cbc:ID", text_of(ubl, "number"));
    xml_leaf(ubl->xml, "cbc:IssueDate", text_of(ubl, "issue_date"));
    if (ubl->credit) {
        xml_leaf(ubl->xml, "cbc:CreditNoteTypeCode", "381");
    } else {
        xml_leaf(ubl->xml, "cbc:DueDate", text_of(ubl, "due_date"));
        xml_leaf(ubl->xml, "cbc:InvoiceTypeCode", "380");
    }
    xml_leaf(ubl->xml, "cbc:Note", text_of(ubl, "rounding"));
    xml_leaf(ubl->xml, "cbc:DocumentCurrencyCode", ubl->currency);
    /* One of the two is a must (PEPPOL-EN16931-R003); without an order, the identity that signed the crawls.
     */
    if (!*text_of(ubl, "buyer.purchase_order"))
        xml_leaf(ubl->xml, "cbc:BuyerReference", text_of(ubl, "agent"));
    xml_open(ubl->xml, "cac:InvoicePeriod");
    xml_leaf(ubl->xml, "cbc:StartDate", text_of(ubl, "period.first_date"));
    xml_leaf(ubl->xml, "cbc:EndDate", text_of(ubl, "period.last_date"));
    xml_close(ubl->xml);
    nested(ubl, "cac:OrderReference/cbc:ID", text_of(ubl, "buyer.purchase_order"));
    if (*text_of(ubl, "corrects.number")) {
        xml_open(ubl->xml, "cac:BillingReference");
        xml_open(ubl->xml, "cac:InvoiceDocumentReference");
        xml_leaf(ubl->xml, "cbc:ID", text_of(ubl, "corrects.number"));
        xml_leaf(ubl->xml, "cbc:IssueDate", text_of(ubl, "corrects.date"));
        xml_close(ubl->xml);
        xml_close(ubl->xml);
    }
}

/* UNCL 4461: how it is paid. A code that needs an account is taken only where there is one (BR-61). */
static const char *means_code(const struct ubl *ubl)
{
    const char *rail = text_of(ubl, "settlement.rail");
    if (by_sepa_debit(ubl))
        return "59";
    if (!ubl->credit && strcmp(rail, "ach") == 0)
        return "49";
    if (!ubl->credit && strcmp(rail, "card") == 0)
        return "48";
    return !ubl->credit && strcmp(rail, "x402") != 0 && *text_of(ubl, "seller.iban") ? "30" : "1";
}

static void payment(struct ubl *ubl)
{
    const char *code = means_code(ubl);
    xml_open(ubl->xml, "cac:PaymentMeans");
    xml_leaf(ubl->xml, "cbc:PaymentMeansCode", code);
    if (!ubl->credit)
        xml_leaf(ubl->xml, "cbc:PaymentID", text_of(ubl, "number"));
    if (strcmp(code, "30") == 0) {
        xml_open(ubl->xml, "cac:PayeeFinancialAccount");
        xml_leaf(ubl->xml, "cbc:ID", text_of(ubl, "seller.iban"));
        nested(ubl, "cac:FinancialInstitutionBranch/cbc:ID", text_of(ubl, "seller.bic"));
        xml_close(ubl->xml);
    }
    if (by_sepa_debit(ubl)) {
        xml_open(ubl->xml, "cac:PaymentMandate");
        xml_leaf(ubl->xml, "cbc:ID", text_of(ubl, "settlement.mandate_id"));
        nested(ubl, "cac:PayerFinancialAccount/cbc:ID", text_of(ubl, "settlement.iban"));
        xml_close(ubl->xml);
    }
    xml_close(ubl->xml);
    if (ubl->credit) /* BR-CO-25: a due date, or these */
        nested(ubl, "cac:PaymentTerms/cbc:Note", "Credited; there is nothing to pay.");
}

static void rounding(struct ubl *ubl)
{
    int64_t difference = format_number(ubl->document, "net_minor") - ubl->lines_minor;
    if (difference == 0)
        return;
    xml_open(ubl->xml, "cac:AllowanceCharge");
    xml_leaf(ubl->xml, "cbc:ChargeIndicator", difference > 0 ? "true" : "false");
    xml_leaf(ubl->xml, "cbc:AllowanceChargeReason",
             "Rounding of lines, and remainders carried in and forward");
    amount(ubl, "cbc:Amount", difference > 0 ? difference : -difference);
    tax_category(ubl, "cac:TaxCategory", false);
    xml_close(ubl->xml);
}

static void totals(struct ubl *ubl)
{
    int64_t net = format_number(ubl->document, "net_minor"),
            total = format_number(ubl->document, "total_minor");
    int64_t difference = net - ubl->lines_minor;
    xml_open(ubl->xml, "cac:LegalMonetaryTotal");
    amount(ubl, "cbc:LineExtensionAmount", ubl->lines_minor);
    amount(ubl, "cbc:TaxExclusiveAmount", net);
    amount(ubl, "cbc:TaxInclusiveAmount", total);
    if (difference < 0)
        amount(ubl, "cbc:AllowanceTotalAmount", -difference);
    if (difference > 0)
        amount(ubl, "cbc:ChargeTotalAmount", difference);
    amount(ubl, "cbc:PayableAmount", total);
    xml_close(ubl->xml);
}

/* A price is never below zero (BR-27); what lessens the bill has a quantity that is. */
static void write_line(struct ubl *ubl, const json_t *line)
{
    char number[24], price[AMOUNT_TEXT_MAX];
    xml_open(ubl->xml, ubl->credit ? "cac:CreditNoteLine" : "cac:InvoiceLine");
    snprintf(number, sizeof(number), "%" PRId64, format_number(line, "line"));
    xml_leaf(ubl->xml, "cbc:ID", number);
    snprintf(number, sizeof(number), "%" PRId64, format_number(line, "quantity"));
    with_attribute(ubl, ubl->credit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", "unitCode", "C62",
                   number);
    amount(ubl, "cbc:LineExtensionAmount", rounded(ubl, format_number(line, "amount_micros")));
    xml_open(ubl->xml, "cac:Item");
    xml_leaf(ubl->xml, "cbc:Name", format_text(line, "description"));
    tax_category(ubl, "cac:ClassifiedTaxCategory", false);
    xml_close(ubl->xml);
    xml_open(ubl->xml, "cac:Price");
    with_attribute(ubl, "cbc:PriceAmount", "currencyID", ubl->currency,
                   amount_format(format_number(line, "unit_price_micros"), price));
    xml_close(ubl->xml);
    xml_close(ubl->xml);
}

/* --- The document
 * ------------------------------------------------------------------------------------------- */

static bool is_endpoint(const char *address)
{
    size_t len = strcspn(address, ":");
    return len > 0 && len < 8 && address[len] && address[len + 1];
}

/* What the norm demands and an invoice may lack. */
static bool complete(const struct ubl *ubl, struct format_output *out)
{
    static const char *const needed[] = {"seller.name", "seller.country", "seller.endpoint",
                                         "buyer.name",  "buyer.country",  "buyer.endpoint"};
    const char *number = text_of(ubl, "number");
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        if (!*text_of(ubl, needed[i]))
            return format_fail(
                out, "invoice %.60s has no %s, which an e-invoice needs; %s", number, needed[i],
                *needed[i] == 's' ? "set billing in the configuration" : "set buyer in the agreement");
    if (!is_endpoint(text_of(ubl, "seller.endpoint")) || !is_endpoint(text_of(ubl, "buyer.endpoint")))
        return format_fail(out, "invoice %.60s: endpoints are SCHEME:ID, e.g. 0088:7300010000001", number);
    if (!ubl->category)
        return format_fail(out, "invoice %.60s: tax.treatment \"%.40s\" is unknown", number,
                           text_of(ubl, "tax.treatment"));
    if (!outside_tax(ubl) && !*text_of(ubl, "seller.tax_id"))
        return format_fail(out, "invoice %.60s has no seller.tax_id, which taxed e-invoices need", number);
    if (strcmp(ubl->category, "AE") == 0 && !*text_of(ubl, "buyer.tax_id"))
        return format_fail(out, "invoice %.60s has no buyer.tax_id, which reverse charge needs", number);
    if (ubl->decimals < 0 || ubl->decimals > 2)
        return format_fail(out, "invoice %.60s: EN 16931 has no more than two decimals, %s has %d", number,
                           ubl->currency, ubl->decimals);
    return true;
}

static void write_body(struct ubl *ubl)
{
    const json_t *line;
    size_t i;
    xml_prefix(ubl->xml, "cac", OASIS "CommonAggregateComponents-2");
    xml_prefix(ubl->xml, "cbc", OASIS "CommonBasicComponents-2");
    header(ubl);
    write_party(ubl, "cac:AccountingSupplierParty", "seller");
    write_party(ubl, "cac:AccountingCustomerParty", "buyer");
    payment(ubl);
    rounding(ubl);
    tax_total(ubl);
    totals(ubl);
    json_array_foreach(json_object_get(ubl->document, "lines"), i, line)
    {
        write_line(ubl, line);
    }
}

bool ubl_render(const json_t *document, struct format_output *out)
{
    struct ubl ubl = {.document = document,
                      .currency = format_text(document, "currency"),
                      .category = category_of(format_text(document, "tax.treatment")),
                      .decimals = (int)format_number(document, "currency_decimals"),
                      .credit = strcmp(format_text(document, "kind"), "credit-note") == 0};
    if (!complete(&ubl, out))
        return false;
    if (!sum_lines(&ubl))
        return format_fail(out, "invoice %.60s has no lines, or their sum does not fit",
                           format_text(document, "number"));
    ubl.xml =
        ubl.credit ? xml_new("CreditNote", OASIS "CreditNote-2") : xml_new("Invoice", OASIS "Invoice-2");
    if (!ubl.xml)
        return format_fail(out, "no memory");
    write_body(&ubl);
    out->bytes = xml_finish(ubl.xml, &out->len);
    return out->bytes || format_fail(out, "a text of invoice %.60s cannot be written as XML",
                                     format_text(document, "number"));
}
