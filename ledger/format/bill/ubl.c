/* UBL 2.1 Invoice (380) and CreditNote (381) after EN 16931, as Peppol BIS Billing 3.0 narrows it.
 *
 * The norm wants every line rounded to the currency's minor unit (BT-131) and the sum of those as the base of
 * everything (BR-CO-10), while our lines are exact to the micro-unit, summed up exactly, and rounded once.
 * The difference, which is also where a remainder is carried in and out, stands as one charge or allowance of
 * the document, in the same tax category: so the net amount (BT-109) is ours, the tax is of that amount, and
 * BR-CO-10 to BR-CO-16 hold to the last digit. PayableRoundingAmount would come after the tax, too late.
 * Unit prices have the six decimals that they need; the norm limits only sums to two. Where a rounded line is
 * further from quantity * price than Peppol allows (0.02, as in yen), the price is that of the whole
 * quantity.
 */
#include "ledger/format/bill/rendering.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/bill/ubl_party.h"
#include "ledger/format/xml.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NORM         "urn:cen.eu:en16931:2017"
#define PEPPOL       NORM "#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
#define XRECHNUNG    NORM "#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
#define PROFILE      "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
#define OASIS        "urn:oasis:names:specification:ubl:schema:xsd:"
#define SLACK_MICROS 20000 /* of a line, PEPPOL-EN16931-R120 */

/* One document being written. XSD's order of elements is part of the format: what is written below stands in
 * the order of UBL's schema, which a validator knows before any rule of the norm. */
struct ubl {
    struct xml *xml;
    const struct document *document;
    const char *currency;
    const char *category; /* UNCL 5305 */
    int decimals;
    bool credit;
    int64_t lines_minor; /* the sum of the rounded lines */
};

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

/* --- Amounts --- */

/* Half away from zero, to the minor unit. */
static int64_t rounded(const struct ubl *ubl, int64_t micros)
{
    /* The same in both directions: a credit note takes back to the cent what its invoice asked for. */
    int64_t unit = amount_minor_micros(ubl->decimals);
    int64_t rest = micros % unit;
    int64_t whole = micros / unit;
    if (rest >= (unit + 1) / 2)
        return whole + 1;
    return -rest >= (unit + 1) / 2 ? whole - 1 : whole;
}

static bool sum_lines(struct ubl *ubl)
{
    assert(ubl->decimals >= 0 && ubl->decimals <= 2); /* EN 16931, seen to by `complete` */
    ubl->lines_minor = 0;
    for (size_t i = 0; i < ubl->document->lines.count; i++) {
        int64_t minor = rounded(ubl, ubl->document->lines.items[i].amount_micros);
        if (!amount_add(ubl->lines_minor, minor, &ubl->lines_minor))
            return false;
    }
    return ubl->document->lines.count > 0;
}

/* --- Tax --- */

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

/* Category and rate. Lines and sums outside the scope of tax must not have a rate (BR-O-05); the summary
 * wants a reason, and within Germany a rate also then (DE-R-014). */
static void tax_category(struct ubl *ubl, const char *name, bool summary)
{
    assert(ubl->category);
    static const char *const reasons[][2] = {
        {"E", "Exempt from tax"}, {"AE", "Reverse charge"}, {"O", "Not subject to VAT"}};
    char rate[AMOUNT_TEXT_MAX];
    xml_open(ubl->xml, name);
    xml_leaf(ubl->xml, "cbc:ID", ubl->category);
    if (!outside_tax(ubl) || (summary && ubl_party_within(ubl->document, "DE")))
        xml_leaf(ubl->xml, "cbc:Percent", amount_format_percent(ubl->document->tax.rate_ppm, rate));
    for (size_t i = 0; summary && i < sizeof(reasons) / sizeof(*reasons); i++)
        if (strcmp(ubl->category, reasons[i][0]) == 0)
            xml_leaf(ubl->xml, "cbc:TaxExemptionReason",
                     *ubl->document->tax.note ? ubl->document->tax.note : reasons[i][1]);
    xml_leaf_at(ubl->xml, "cac:TaxScheme/cbc:ID", "VAT");
    xml_close(ubl->xml);
}

static void tax_total(struct ubl *ubl)
{
    int64_t tax = ubl->document->tax.amount_minor;
    xml_open(ubl->xml, "cac:TaxTotal");
    amount(ubl, "cbc:TaxAmount", tax);
    /* One subtotal: a document of ours has one treatment. The taxable amount is the net amount then
     * (BR-S-08 and its like). */
    xml_open(ubl->xml, "cac:TaxSubtotal");
    amount(ubl, "cbc:TaxableAmount", ubl->document->net_minor);
    amount(ubl, "cbc:TaxAmount", tax);
    tax_category(ubl, "cac:TaxCategory", true);
    xml_close(ubl->xml);
    xml_close(ubl->xml);
}

/* --- Parties --- */

static bool by_sepa_debit(const struct ubl *ubl)
{
    return !ubl->credit && strcmp(ubl->document->settlement.rail, "sepa-direct-debit") == 0;
}

/* --- The parts of the document --- */

/* Which rules the document follows. What does not go over Peppol follows the norm, or Germany's use of it. */
static const char *customization_of(const struct ubl *ubl)
{
    if (ubl_party_by_peppol(ubl->document))
        return PEPPOL;
    return ubl_party_within(ubl->document, "DE") ? XRECHNUNG : NORM;
}

/* What the Greek tax authority gave the invoice when it was told of it (GR-R-004, GR-R-008). */
static void write_mark(struct ubl *ubl)
{
    if (!*ubl->document->mark)
        return;
    xml_open(ubl->xml, "cac:AdditionalDocumentReference");
    xml_leaf(ubl->xml, "cbc:ID", ubl->document->mark);
    xml_leaf(ubl->xml, "cbc:DocumentDescription", "##M.AR.K##");
    xml_close(ubl->xml);
    if (!*ubl->document->mark_url)
        return;
    xml_open(ubl->xml, "cac:AdditionalDocumentReference");
    xml_leaf(ubl->xml, "cbc:ID", ubl->document->mark);
    xml_leaf(ubl->xml, "cbc:DocumentDescription", "##INVOICE|URL##");
    xml_leaf_at(ubl->xml, "cac:Attachment/cac:ExternalReference/cbc:URI", ubl->document->mark_url);
    xml_close(ubl->xml);
}

/* BG-3: the invoice that a credit note corrects, or that this one replaces. */
static void billing_reference(struct ubl *ubl, const struct document_reference *reference)
{
    char number[160];
    if (!*reference->number)
        return;
    xml_open(ubl->xml, "cac:BillingReference");
    xml_open(ubl->xml, "cac:InvoiceDocumentReference");
    xml_leaf(ubl->xml, "cbc:ID",
             ubl_party_number(ubl->document, reference->number, reference->date, false, number));
    xml_leaf(ubl->xml, "cbc:IssueDate", reference->date);
    xml_close(ubl->xml);
    xml_close(ubl->xml);
}

static void header(struct ubl *ubl)
{
    char number[160], note[1024];
    xml_leaf(ubl->xml, "cbc:CustomizationID", customization_of(ubl));
    xml_leaf(ubl->xml, "cbc:ProfileID", PROFILE);
    xml_leaf(ubl->xml, "cbc:ID",
             ubl_party_number(ubl->document, ubl->document->number, ubl->document->issue_date, ubl->credit,
                              number));
    /* UBL's credit note has no element for a due date. */
    xml_leaf(ubl->xml, "cbc:IssueDate", ubl->document->issue_date);
    if (ubl->credit) {
        xml_leaf(ubl->xml, "cbc:CreditNoteTypeCode", "381");
    } else {
        xml_leaf(ubl->xml, "cbc:DueDate", ubl->document->due_date);
        xml_leaf(ubl->xml, "cbc:InvoiceTypeCode", "380");
    }
    /* One note, no more (PEPPOL-EN16931-R002). */
    snprintf(note, sizeof(note), "%s%s%s", ubl->document->notice, *ubl->document->notice ? " " : "",
             ubl->document->rounding);
    xml_leaf(ubl->xml, "cbc:Note", note);
    xml_leaf(ubl->xml, "cbc:DocumentCurrencyCode", ubl->currency);
    /* It or an order is a must (PEPPOL-EN16931-R003), within Germany it (DE-R-015). */
    xml_leaf(ubl->xml, "cbc:BuyerReference",
             *ubl->document->buyer.reference ? ubl->document->buyer.reference : ubl->document->agent);
    xml_open(ubl->xml, "cac:InvoicePeriod");
    xml_leaf(ubl->xml, "cbc:StartDate", ubl->document->period.first_date);
    xml_leaf(ubl->xml, "cbc:EndDate", ubl->document->period.last_date);
    xml_close(ubl->xml);
    xml_leaf_at(ubl->xml, "cac:OrderReference/cbc:ID", ubl->document->buyer.purchase_order);
    billing_reference(ubl,
                      *ubl->document->corrects.number ? &ubl->document->corrects : &ubl->document->replaces);
    write_mark(ubl);
}

/* How it is paid: a code of UNCL 4461, and words where the code says too little. */
struct means {
    const char *code, *words, *account, *branch;
    char parts[2][16];
};

/* A code that needs an account is taken only where there is one (BR-61), one that needs a card's or a
 * mandate's number where we have it. Countries take only some: Denmark not 30 (DK-R-005) but its own account
 * numbers, which its IBANs hold; the Netherlands not 1 (NL-R-008); Germany 48 only with the card's number
 * (DE-R-024). */
static void choose_means(const struct ubl *ubl, struct means *means)
{
    const char *rail = ubl->document->settlement.rail, *iban = ubl->document->seller.iban;
    bool transfer = !ubl->credit && *iban && (!*rail || strcmp(rail, "none") == 0);
    /* 1, not defined, when nothing better is known: a wrong code would start a payment that never comes. */
    *means = (struct means){.code = ubl_party_within(ubl->document, "NL") ? "57" : "1"};
    if (by_sepa_debit(ubl)) {
        means->code = "59";
    } else if (transfer && ubl_party_within(ubl->document, "DK") && strlen(iban) == 18) {
        snprintf(means->parts[0], sizeof(means->parts[0]), "%.10s", iban + 8);
        snprintf(means->parts[1], sizeof(means->parts[1]), "%.4s", iban + 4);
        means->code = "42";
        means->account = means->parts[0];
        means->branch = means->parts[1];
    } else if (transfer) {
        means->code = ubl_party_within(ubl->document, "DK") ? "58" : "30";
        means->account = iban;
        means->branch = ubl->document->seller.bic;
    } else if (!ubl->credit && strcmp(rail, "card") == 0 && !ubl_party_within(ubl->document, "DE")) {
        means->code = "48";
    } else if (!ubl->credit && *rail && strcmp(rail, "none") != 0) {
        means->words = strcmp(rail, "ach") == 0 ? "ACH debit" : rail;
    }
    assert(means->code && (!means->account || means->branch));
}

static void payment(struct ubl *ubl)
{
    struct means means;
    choose_means(ubl, &means);
    xml_open(ubl->xml, "cac:PaymentMeans");
    xml_open(ubl->xml, "cbc:PaymentMeansCode");
    if (means.words)
        xml_attribute(ubl->xml, "name", means.words);
    xml_text(ubl->xml, means.code);
    xml_close(ubl->xml);
    if (!ubl->credit)
        xml_leaf(ubl->xml, "cbc:PaymentID", ubl->document->number);
    if (means.account) {
        xml_open(ubl->xml, "cac:PayeeFinancialAccount");
        xml_leaf(ubl->xml, "cbc:ID", means.account);
        xml_leaf_at(ubl->xml, "cac:FinancialInstitutionBranch/cbc:ID", means.branch);
        xml_close(ubl->xml);
    }
    if (by_sepa_debit(ubl)) {
        xml_open(ubl->xml, "cac:PaymentMandate");
        xml_leaf(ubl->xml, "cbc:ID", ubl->document->settlement.mandate_id);
        xml_leaf_at(ubl->xml, "cac:PayerFinancialAccount/cbc:ID", ubl->document->settlement.iban);
        xml_close(ubl->xml);
    }
    xml_close(ubl->xml);
    if (ubl->credit) /* BR-CO-25: a due date, or these */
        xml_leaf_at(ubl->xml, "cac:PaymentTerms/cbc:Note", "Credited; there is nothing to pay.");
}

static void rounding(struct ubl *ubl)
{
    int64_t difference = ubl->document->net_minor - ubl->lines_minor;
    if (difference == 0)
        return;
    /* The schema has no amount below zero here: the indicator says in which way it goes. */
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
    int64_t net = ubl->document->net_minor, total = ubl->document->total_minor;
    int64_t difference = net - ubl->lines_minor;
    /* In full also when some of it was paid: PrepaidAmount is what was paid before the invoice was made. */
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

/* The price of one, or of the whole quantity when the rounded line is too far from quantity times price. */
static void write_price(struct ubl *ubl, const struct document_line *line, int64_t minor)
{
    int64_t quantity = line->quantity, micros = line->amount_micros;
    int64_t error = minor * amount_minor_micros(ubl->decimals) - micros;
    char text[AMOUNT_TEXT_MAX];
    bool whole = error > SLACK_MICROS || error < -SLACK_MICROS;
    xml_open(ubl->xml, "cac:Price");
    if (whole) {
        amount(ubl, "cbc:PriceAmount", minor < 0 ? -minor : minor);
        snprintf(text, sizeof(text), "%" PRId64, quantity < 0 ? -quantity : quantity);
        with_attribute(ubl, "cbc:BaseQuantity", "unitCode", "C62", text);
    } else {
        with_attribute(ubl, "cbc:PriceAmount", "currencyID", ubl->currency,
                       amount_format(line->unit_price_micros, text));
    }
    xml_close(ubl->xml);
}

/* A price is never below zero (BR-27); what lessens the bill has a quantity that is. */
static void write_line(struct ubl *ubl, const struct document_line *line)
{
    /* The norm's own rounding of each line: BR-CO-10 sums up what stands here, not what it was rounded from.
     */
    char number[24];
    int64_t minor = rounded(ubl, line->amount_micros);
    xml_open(ubl->xml, ubl->credit ? "cac:CreditNoteLine" : "cac:InvoiceLine");
    snprintf(number, sizeof(number), "%" PRId64, line->line);
    xml_leaf(ubl->xml, "cbc:ID", number);
    snprintf(number, sizeof(number), "%" PRId64, line->quantity);
    with_attribute(ubl, ubl->credit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", "unitCode", "C62",
                   number);
    amount(ubl, "cbc:LineExtensionAmount", minor);
    xml_open(ubl->xml, "cac:Item");
    xml_leaf(ubl->xml, "cbc:Name", line->description);
    tax_category(ubl, "cac:ClassifiedTaxCategory", false);
    xml_close(ubl->xml);
    write_price(ubl, line, minor);
    xml_close(ubl->xml);
}

/* --- The document --- */

/* What the norm demands and an invoice may lack, beside what its parties must have. */
static bool complete(const struct ubl *ubl, struct format_output *out)
{
    const char *number = ubl->document->number;
    if (!ubl_party_check(ubl->document, out))
        return false;
    /* Each with the member to set: the norm's rules name XML, which whoever fills in an agreement never
     * sees. */
    if (!ubl->category)
        return format_fail(out, "invoice %.60s: tax.treatment \"%.40s\" is unknown", number,
                           ubl->document->tax.treatment);
    if (!outside_tax(ubl) && !*ubl->document->seller.tax_id && !*ubl->document->seller.tax_registration)
        return format_fail(out, "invoice %.60s has no seller.tax_id, which taxed e-invoices need", number);
    if (strcmp(ubl->category, "AE") == 0 && !ubl_party_has_vat(&ubl->document->buyer) &&
        !*ubl->document->buyer.registration)
        return format_fail(out,
                           "invoice %.60s has no buyer.tax_id with its country's prefix, and no "
                           "buyer.registration, one of which reverse charge needs",
                           number);
    if (by_sepa_debit(ubl) && !*ubl->document->seller.creditor_id)
        return format_fail(out, "invoice %.60s has no seller.creditor_id, which direct debits need", number);
    bool greek = strcmp(ubl->document->seller.country, "GR") == 0;
    if (greek && outside_tax(ubl))
        return format_fail(
            out,
            "invoice %.60s: e-invoices from Greece name tax numbers (GR-R-001), so tax.treatment "
            "none has no place there",
            number);
    if (greek && !*ubl->document->mark)
        return format_fail(out,
                           "invoice %.60s: e-invoices from Greece carry the MARK that myDATA gave them "
                           "(GR-R-004); give it with --mark",
                           number);
    if (ubl->decimals < 0 || ubl->decimals > 2)
        return format_fail(out, "invoice %.60s: EN 16931 has no more than two decimals, %s has %d", number,
                           ubl->currency, ubl->decimals);
    return true;
}

static void write_body(struct ubl *ubl)
{
    assert(ubl->xml && ubl->category);
    const char *creditor = by_sepa_debit(ubl) ? ubl->document->seller.creditor_id : "";
    xml_prefix(ubl->xml, "cac", OASIS "CommonAggregateComponents-2");
    xml_prefix(ubl->xml, "cbc", OASIS "CommonBasicComponents-2");
    assert(ubl->decimals >= 0 && ubl->decimals <= 2); /* `complete` has let it through */
    header(ubl);
    ubl_party_write_seller(ubl->xml, ubl->document, creditor, !outside_tax(ubl));
    ubl_party_write_buyer(ubl->xml, ubl->document, !outside_tax(ubl));
    payment(ubl);
    rounding(ubl);
    tax_total(ubl);
    totals(ubl);
    for (size_t i = 0; i < ubl->document->lines.count; i++)
        write_line(ubl, &ubl->document->lines.items[i]);
}

bool ubl_render(const struct document *document, struct format_output *out)
{
    struct ubl ubl = {.document = document,
                      .currency = document->currency,
                      .category = category_of(document->tax.treatment),
                      .decimals = (int)document->currency_decimals,
                      .credit = document_is_credit_note(document)};
    /* Everything that may fail for the content fails before anything is written. */
    if (!complete(&ubl, out))
        return false;
    if (!sum_lines(&ubl))
        return format_fail(out, "invoice %.60s has no lines, or their sum does not fit", document->number);
    ubl.xml =
        ubl.credit ? xml_new("CreditNote", OASIS "CreditNote-2") : xml_new("Invoice", OASIS "Invoice-2");
    if (!ubl.xml)
        return format_fail(out, "no memory");
    write_body(&ubl);
    out->bytes = xml_finish(ubl.xml, &out->len);
    return out->bytes ||
           format_fail(out, "a text of invoice %.60s cannot be written as XML", document->number);
}
