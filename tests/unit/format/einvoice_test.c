/* E-invoices within countries: what the national rules of Peppol BIS Billing 3.0 demand, rule by rule.
 * Tests ledger/format/bill/ubl.c, ledger/format/bill/ubl_party.c */
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

#include "ledger/format/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A company of each country. */
static const struct company {
    const char *country, *tax_id, *registration, *endpoint, *iban, *second;
} companies[] = {
    {"DE", "DE 123 456 789", "HRB 12345", "9930:DE123456789", "DE89370400440532013000", "12/345/67890"},
    {"NL", "NL123456789B12", "12345678", "0106:12345678", "NL91ABNA0417164300", ""},
    {"DK", "DK88146328", "88 14 63 28", "0184:88146328", "DK5000400440116243", ""},
    {"IS", "IS12345", "590269-7199", "0196:5902697199", "IS140159260076545510730339", ""},
    {"GR", "EL094259216", "", "9933:094259216", "GR1601101250000000012300695", ""},
    {"SE", "SE556703748501", "556703-7485", "0007:5567037485", "SE4550000000058398257466",
     "Godkänd för F-skatt"},
    {"NO", "NO 923 829 644 MVA", "923 829 644", "0192:923829644", "NO9386011117947", "Foretaksregisteret"},
    {"IT", "IT00743110157", "", "0211:IT00743110157", "IT60X0542811101000000123456", ""},
    {"FR", "FR40303265045", "552 100 554", "0009:55210055400013", "FR1420041010050500013M02606", ""},
    {"BE", "BE0202239951", "0202.239.951", "0208:0202239951", "BE68539007547034", ""},
};

static json_t *party_of(const struct company *company)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", "A Company", "street", "Street 1",
                     "city", "Town", "postal_code", "10115", "country", company->country, "tax_id",
                     company->tax_id, "registration", company->registration, "endpoint", company->endpoint,
                     "iban", company->iban, "email", "bills@company.example");
}

/* An invoice, or credit note, of a company to one in the same country. */
static json_t *document_of(const struct company *company, bool credit)
{
    json_t *document = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:{s:s,s:s},s:{s:s},s:{s:s,s:i,s:i,s:s}}", "number",
        credit ? "CN-2026-000009" : "INV-2026-000123", "kind", credit ? "credit-note" : "invoice", "site",
        "gazette", "agent", "https://crawler.example", "issue_date", "2026-11-30", "currency", "EUR",
        "currency_decimals", 2, "net_minor", 12345, "total_minor", 14691, "period", "first_date",
        "2026-11-01", "last_date", "2026-11-30", "settlement", "rail", "none", "tax", "treatment", "standard",
        "rate_ppm", 190000, "amount_minor", 2346, "note", "");
    assert_non_null(document);
    json_object_set_new(document, "seller", party_of(company));
    json_object_set_new(document, "buyer", party_of(company));
    json_t *seller = json_object_get(document, "seller");
    json_object_set_new(seller, "contact", json_string("Accounts"));
    json_object_set_new(seller, "phone", json_string("+49 30 1234567"));
    json_object_set_new(seller, "tax_registration", json_string(company->second));
    if (!credit)
        json_object_set_new(document, "due_date", json_string("2026-12-30"));
    else
        json_object_set_new(document, "corrects",
                            json_pack("{s:s,s:s}", "number", "INV-2026-000007", "date", "2026-10-31"));
    json_object_set_new(document, "lines",
                        json_pack("[{s:i,s:s,s:i,s:I,s:I}]", "line", 1, "description", "Crawls", "quantity",
                                  2469, "unit_price_micros", INT64_C(50000), "amount_micros",
                                  INT64_C(123450000)));
    json_object_set_new(document, "mark", json_string("400001234567890"));
    return document;
}

static const struct company *company_of(const char *country)
{
    for (size_t i = 0; i < sizeof(companies) / sizeof(*companies); i++)
        if (strcmp(companies[i].country, country) == 0)
            return &companies[i];
    fail_msg("%s", country);
    return NULL;
}

static json_t *party(json_t *document, const char *member)
{
    return json_object_get(document, member);
}

static void set(json_t *document, const char *member, const char *name, const char *value)
{
    json_object_set_new(party(document, member), name, json_string(value));
}

/* One rule at one place of the document: the element's text, or "scheme text" of one with a schemeID. */
static void assert_element(const json_t *document, const char *path, const char *expected)
{
    struct format_output out = {0};
    char error[200], text[300] = "", scheme[16] = "", found[320];
    if (!document_render(document, ubl_render, &out))
        fail_msg("%s", out.error);
    struct xml_tree *tree = xml_read(slice_bytes(out.bytes, out.len), error);
    assert_non_null(tree);
    const xml_element *element = xml_find(xml_root(tree), path);
    if (element) {
        xml_value(element, "", text, sizeof(text));
        xml_attribute_value(element, "schemeID", scheme, sizeof(scheme));
    }
    snprintf(found, sizeof(found), "%s%s%s", scheme, *scheme ? " " : "", text);
    if (strcmp(found, expected) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", path, found, expected);
    xml_tree_free(tree);
    free(out.bytes);
}

#define SELLER "AccountingSupplierParty/Party/"
#define BUYER  "AccountingCustomerParty/Party/"

static void each_countrys_rules_are_kept(void **state)
{
    static const char *const rules[][3] = {
        {"DE", SELLER "Contact/Name", "Accounts"},                        /* DE-R-005 */
        {"DE", SELLER "Contact/Telephone", "+49 30 1234567"},             /* DE-R-006 */
        {"DE", SELLER "Contact/ElectronicMail", "bills@company.example"}, /* DE-R-007 */
        {"DE", SELLER "PostalAddress/PostalZone", "10115"},               /* DE-R-004 */
        {"DE", BUYER "PostalAddress/CityName", "Town"},                   /* DE-R-008 */
        {"DE", "BuyerReference", "https://crawler.example"},              /* DE-R-015 */
        {"DE", SELLER "PartyLegalEntity/CompanyID", "HRB 12345"},         /* no scheme knows it */
        {"DE", SELLER "PartyTaxScheme/CompanyID", "DE123456789"},         /* BR-CO-09 */
        {"DE", "PaymentMeans/PaymentMeansCode", "30"},                    /* DE-R-001 */
        {"NL", SELLER "PartyLegalEntity/CompanyID", "0106 12345678"},     /* NL-R-003 */
        {"NL", BUYER "PartyLegalEntity/CompanyID", "0106 12345678"},      /* NL-R-005 */
        {"NL", SELLER "PostalAddress/StreetName", "Street 1"},            /* NL-R-002 */
        {"NL", "PaymentMeans/PaymentMeansCode", "30"},                    /* NL-R-008 */
        {"DK", SELLER "PartyLegalEntity/CompanyID", "0184 88146328"},     /* DK-R-002, DK-R-014 */
        {"DK", BUYER "PartyLegalEntity/CompanyID", "0184 88146328"},      /* DK-R-017 */
        {"DK", "PaymentMeans/PaymentMeansCode", "42"},                    /* DK-R-005 */
        {"DK", "PaymentMeans/PayeeFinancialAccount/ID", "0440116243"},    /* DK-R-006 */
        {"DK", "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID", "0040"},
        {"IS", SELLER "PartyLegalEntity/CompanyID", "0196 5902697199"}, /* IS-R-002 */
        {"IS", BUYER "PartyLegalEntity/CompanyID", "0196 5902697199"},  /* IS-R-004 */
        {"GR", "ID", "094259216|30/11/2026|0|2.1|INV-2026-|000123"},    /* GR-R-001 */
        {"GR", SELLER "PartyName/Name", "A Company"},                   /* GR-R-002 */
        {"GR", BUYER "PartyName/Name", "A Company"},                    /* GR-R-005 */
        {"GR", "AdditionalDocumentReference/ID", "400001234567890"},    /* GR-R-004-1 */
        {"GR", "AdditionalDocumentReference/DocumentDescription", "##M.AR.K##"},
        {"GR", SELLER "EndpointID", "9933 094259216"},                  /* GR-R-009 */
        {"SE", SELLER "PartyLegalEntity/CompanyID", "0007 5567037485"}, /* SE-R-003, SE-R-013 */
        {"NO", SELLER "PartyTaxScheme/CompanyID", "NO923829644MVA"},    /* NO-R-001 */
        {"NO", SELLER "PartyLegalEntity/CompanyID", "0192 923829644"},
        {"FR", SELLER "PartyLegalEntity/CompanyID", "0002 552100554"},
        {"BE", SELLER "PartyLegalEntity/CompanyID", "0208 0202239951"}, /* PEPPOL-COMMON-R043 */
        {"IT", SELLER "PostalAddress/PostalZone", "10115"},             /* IT-R-004 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        json_t *document = document_of(company_of(rules[i][0]), false);
        assert_element(document, rules[i][1], rules[i][2]);
        json_decref(document);
    }
}

/* NO-R-002 and SE-R-005: the second number stands after the VAT number, with another scheme. */
static void a_second_tax_number_is_no_vat_number(void **state)
{
    static const char *const countries[] = {"DE", "NO", "SE"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        json_t *document = document_of(company_of(countries[i]), false);
        struct format_output out = {0};
        char error[200], text[80];
        assert_true(document_render(document, ubl_render, &out));
        struct xml_tree *tree = xml_read(slice_bytes(out.bytes, out.len), error);
        const xml_element *vat = xml_find(xml_root(tree), SELLER "PartyTaxScheme"), *other = xml_next(vat);
        assert_string_equal(xml_value(vat, "TaxScheme/ID", text, sizeof(text)), "VAT");
        assert_string_equal(xml_value(other, "TaxScheme/ID", text, sizeof(text)), "TAX");
        assert_string_equal(xml_value(other, "CompanyID", text, sizeof(text)),
                            company_of(countries[i])->second);
        xml_tree_free(tree);
        free(out.bytes);
        json_decref(document);
    }
}

static void a_number_without_prefix_is_no_vat_number(void **state)
{
    json_t *document = document_of(company_of("FR"), false);
    (void)state;
    set(document, "seller", "tax_id", "12-3456789");
    set(document, "seller", "country", "US");
    set(document, "seller", "registration", "");
    set(document, "buyer", "tax_id", "98-7654321");
    assert_element(document, SELLER "PartyTaxScheme/TaxScheme/ID", "TAX");
    assert_element(document, SELLER "PartyTaxScheme/CompanyID", "12-3456789");
    assert_element(document, SELLER "PartyIdentification/ID", "12-3456789"); /* BR-CO-26 */
    assert_element(document, BUYER "PartyTaxScheme/CompanyID", "");
    json_decref(document);
}

static void what_a_countrys_rules_miss_is_told(void **state)
{
    static const char *const cases[][5] = {
        {"DE", "seller", "phone", "",
         "seller.phone, which e-invoices within DE need (DE-R-006); set billing"},
        {"DE", "seller", "contact", "", "DE-R-005"},
        {"DE", "seller", "email", "", "DE-R-007"},
        {"DE", "seller", "postal_code", "", "DE-R-004"},
        {"DE", "buyer", "city", "",
         "buyer.city, which e-invoices within DE need (DE-R-008); set buyer in the"},
        {"DK", "seller", "registration", "", "which e-invoices from DK need (DK-R-002)"},
        {"DK", "seller", "registration", "HRB 1", "is of no scheme that DK takes: 0184 (DK-R-002)"},
        {"DK", "buyer", "registration", "1", "DK-R-017"},
        {"IS", "buyer", "registration", "", "IS-R-004"},
        {"IS", "seller", "street", "", "IS-R-003"},
        {"IT", "seller", "street", "", "IT-R-002"},
        {"NL", "buyer", "street", "", "NL-R-004"},
        {"NL", "seller", "registration", "KVK", "is of no scheme that NL takes: 0106 0190 (NL-R-003)"},
        {"SE", "seller", "registration", "5567037486", "SE-R-013"},
        {"GR", "seller", "endpoint", "0088:7300010000001", "GR-R-009"},
        {"GR", "seller", "tax_id", "094259216", "GR-S-011"},
        {"GR", "buyer", "tax_id", "", "GR-R-006"},
        {"GR", "buyer", "tax_id", "GR094259216", "buyer.tax_id \"GR094259216\" begins with GR, but Greek"},
        {"NO", "seller", "tax_id", "NO923829644", "has not the form that VAT numbers of its country have"},
        {"FR", "seller", "endpoint", "0088:7300010000002",
         "seller.endpoint \"0088:7300010000002\" is not a GLN"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *document = document_of(company_of(cases[i][0]), false);
        struct format_output out = {0};
        set(document, cases[i][1], cases[i][2], cases[i][3]);
        assert_false(document_render(document, ubl_render, &out));
        if (!strstr(out.error, cases[i][4]) || !strstr(out.error, "invoice INV-2026-000123"))
            fail_msg("%s: %s", cases[i][4], out.error);
        json_decref(document);
    }
    json_t *document = document_of(company_of("GR"), false);
    struct format_output out = {0};
    json_object_del(document, "mark");
    assert_false(document_render(document, ubl_render, &out));
    assert_non_null(strstr(out.error, "GR-R-004"));
    json_decref(document);
}

/* A rule within a country does not bind what leaves it. */
static void abroad_less_is_asked(void **state)
{
    json_t *document = document_of(company_of("DE"), false);
    (void)state;
    set(document, "seller", "phone", "");
    set(document, "buyer", "country", "FR");
    assert_element(document, SELLER "Contact/Telephone", "");
    assert_element(document, SELLER "Contact/Name", "Accounts");
    json_decref(document);
    document = document_of(company_of("DK"), false);
    set(document, "buyer", "country", "FR");
    assert_element(document, "PaymentMeans/PaymentMeansCode", "30");
    set(document, "buyer", "registration", "1");
    assert_element(document, BUYER "PartyLegalEntity/CompanyID", "1");
    set(document, "buyer", "registration_scheme", "0002");
    assert_element(document, BUYER "PartyLegalEntity/CompanyID", "0002 1");
    json_decref(document);
}

static void ways_of_paying_are_those_of_the_country(void **state)
{
    static const char *const cases[][4] = {
        {"FR", "card", "48", "yes"}, {"DE", "card", "1", "yes"}, {"NL", "x402", "57", "yes"},
        {"FR", "x402", "1", "yes"},  {"FR", "ach", "1", "yes"},  {"NL", "none", "57", ""},
        {"FR", "none", "1", ""},     {"DK", "none", "1", ""},    {"DK", "none", "58", "FR"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *document = document_of(company_of(cases[i][0]), false);
        json_object_set_new(party(document, "settlement"), "rail", json_string(cases[i][1]));
        if (!*cases[i][3])
            set(document, "seller", "iban", "");
        if (strcmp(cases[i][3], "FR") == 0)
            set(document, "seller", "iban", "FR1420041010050500013M02606");
        assert_element(document, "PaymentMeans/PaymentMeansCode", cases[i][2]);
        json_decref(document);
    }
}

/* NL-R-001, GR-R-001 of the corrected invoice, and DE-R-014 outside the scope of tax. */
static void credit_notes_and_no_tax_keep_the_rules(void **state)
{
    json_t *document = document_of(company_of("NL"), true);
    (void)state;
    assert_element(document, "BillingReference/InvoiceDocumentReference/ID", "INV-2026-000007");
    assert_element(document, "PaymentMeans/PaymentMeansCode", "57");
    json_decref(document);
    /* An invoice in place of another names it as well (BG-3). */
    document = document_of(company_of("DE"), false);
    json_object_set_new(document, "replaces",
                        json_pack("{s:s,s:s}", "number", "INV-2026-000009", "date", "2026-10-31"));
    assert_element(document, "InvoiceTypeCode", "380");
    assert_element(document, "BillingReference/InvoiceDocumentReference/ID", "INV-2026-000009");
    assert_element(document, "BillingReference/InvoiceDocumentReference/IssueDate", "2026-10-31");
    json_decref(document);
    document = document_of(company_of("GR"), true);
    assert_element(document, "ID", "094259216|30/11/2026|0|5.1|CN-2026-|000009");
    assert_element(document, "BillingReference/InvoiceDocumentReference/ID",
                   "094259216|31/10/2026|0|2.1|INV-2026-|000007");
    json_decref(document);
    document = document_of(company_of("DE"), false);
    json_object_set_new(
        document, "tax",
        json_pack("{s:s,s:i,s:i,s:s}", "treatment", "none", "rate_ppm", 0, "amount_minor", 0, "note", ""));
    assert_element(document, "TaxTotal/TaxSubtotal/TaxCategory/Percent", "0");
    assert_element(document, "InvoiceLine/Item/ClassifiedTaxCategory/Percent", "");
    assert_element(document, SELLER "PartyTaxScheme/TaxScheme/ID", "TAX"); /* BR-O-02 */
    json_decref(document);
}

/* 5 crawls at 0.3 yen are 1.5: the line is 2, and 5 cost 2. */
static void fractions_of_a_yen_are_priced_by_the_quantity(void **state)
{
    json_t *document = document_of(company_of("FR"), false);
    (void)state;
    json_object_set_new(document, "currency", json_string("JPY"));
    json_object_set_new(document, "currency_decimals", json_integer(0));
    json_object_set_new(document, "lines",
                        json_pack("[{s:i,s:s,s:i,s:i,s:i}]", "line", 1, "description", "Crawls", "quantity",
                                  5, "unit_price_micros", 300000, "amount_micros", 1500000));
    assert_element(document, "InvoiceLine/LineExtensionAmount", "2");
    assert_element(document, "InvoiceLine/Price/PriceAmount", "2");
    assert_element(document, "InvoiceLine/Price/BaseQuantity", "5");
    json_object_set_new(document, "lines",
                        json_pack("[{s:i,s:s,s:i,s:i,s:i}]", "line", 1, "description", "Crawls", "quantity",
                                  10, "unit_price_micros", 300000, "amount_micros", 3000000));
    assert_element(document, "InvoiceLine/Price/PriceAmount", "0.30");
    assert_element(document, "InvoiceLine/Price/BaseQuantity", "");
    json_decref(document);
}

static void what_does_not_go_over_peppol_does_not_say_so(void **state)
{
    json_t *document = document_of(company_of("DE"), false);
    (void)state;
    assert_element(document, "CustomizationID",
                   "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0");
    set(document, "seller", "endpoint", "EM:bills@gazette.example");
    assert_element(document, SELLER "EndpointID", "EM bills@gazette.example");
    assert_element(document, "CustomizationID",
                   "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0");
    set(document, "buyer", "country", "FR");
    assert_element(document, "CustomizationID", "urn:cen.eu:en16931:2017");
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_countrys_rules_are_kept),
        cmocka_unit_test(a_second_tax_number_is_no_vat_number),
        cmocka_unit_test(a_number_without_prefix_is_no_vat_number),
        cmocka_unit_test(what_a_countrys_rules_miss_is_told),
        cmocka_unit_test(abroad_less_is_asked),
        cmocka_unit_test(ways_of_paying_are_those_of_the_country),
        cmocka_unit_test(credit_notes_and_no_tax_keep_the_rules),
        cmocka_unit_test(fractions_of_a_yen_are_priced_by_the_quantity),
        cmocka_unit_test(what_does_not_go_over_peppol_does_not_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
