/* The formats of an invoice: hostile texts, sums of e-invoices, and files that are the same every time.
 * Tests ledger/format/bill/beancount.c, ledger/format/bill/booking.c, ledger/format/bill/html.c,
 * ledger/format/bill/journal.c, ledger/format/bill/pdf.c, ledger/format/bill/rendering.c,
 * ledger/format/bill/view.c, ledger/format/paper/pdf_logo.c, ledger/format/paper/pdf_text.c */
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/xml.h"
#include "ledger/format/bill/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "<script>\"'&</td>=1+1\\(;|"
#define PIXEL                                                                                                \
    "data:image/png;base64,"                                                                                 \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

static uint64_t seed = 88172645463325252ULL;

static uint32_t chance(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed % below);
}

/* What a document is to be. */
struct wish {
    const char *kind, *currency, *treatment;
    int decimals, lines;
    int64_t rate_ppm;
    const char *name;
};

static json_t *lines_of(const struct wish *wish, int64_t *sum)
{
    json_t *lines = json_array();
    *sum = 0;
    for (int i = 0; i < wish->lines; i++) {
        int64_t quantity = 1 + chance(5000), price = chance(4) ? chance(100000) : chance(9);
        bool less = i % 5 == 4;
        quantity = less ? -(quantity / 20 + 1) : quantity;
        json_array_append_new(
            lines, json_pack("{s:i,s:s,s:s,s:I,s:I,s:I}", "line", i + 1, "kind", less ? "included" : "crawls",
                             "description", i == 0 ? wish->name : "Crawls, rule articles", "quantity",
                             quantity, "unit_price_micros", price, "amount_micros", quantity * price));
        *sum += quantity * price;
    }
    return lines;
}

static json_t *party(const char *name, const char *country)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", name, "street", "12 Example Street", "city",
                     "Town", "country", country, "tax_id", "DE123456789", "endpoint", "0088:7300010000001",
                     "email", "billing@party.example");
}

static json_t *document_of(const struct wish *wish)
{
    int64_t unit = amount_minor_micros(wish->decimals), sum, in = chance((uint32_t)unit);
    json_t *lines = lines_of(wish, &sum);
    if (sum < unit) { /* an invoice of nothing is never made */
        json_array_append_new(lines, json_pack("{s:i,s:s,s:s,s:i,s:I,s:I}", "line", wish->lines + 1, "kind",
                                               "fee", "description", "Fee", "quantity", 1,
                                               "unit_price_micros", unit - sum, "amount_micros", unit - sum));
        sum = unit;
    }
    int64_t net = (in + sum) / unit, tax = (net * wish->rate_ppm + 500000) / 1000000;
    bool credit = strcmp(wish->kind, "credit-note") == 0;
    json_t *document = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s}", "number",
        "INV-2026-000123", "kind", wish->kind, "site", "gazette", "agent", "https://crawler.example",
        "network", "gazette:402", "issue_date", "2026-11-30", "issued_at", "2026-12-01T00:01:00.000Z",
        "currency", wish->currency, "currency_decimals", wish->decimals, "entries", (json_int_t)wish->lines,
        "carried_in_micros", in, "subtotal_micros", sum, "carried_out_micros", in + sum - net * unit,
        "net_minor", net, "total_minor", net + tax, "open_minor", credit ? INT64_C(0) : net + tax, "status",
        "issued", "rounding", "Rounded down once.");
    assert_non_null(document);
    json_object_set_new(document, "due_date", credit ? json_null() : json_string("2026-12-30"));
    json_object_set_new(document, "corrects",
                        credit ? json_pack("{s:s,s:s}", "number", "INV-2026-000007", "date", "2026-10-31")
                               : json_null());
    json_object_set_new(document, "period",
                        json_pack("{s:s,s:s,s:s}", "first_date", "2026-11-01", "last_date", "2026-11-30",
                                  "time_zone", "Europe/Paris"));
    json_object_set_new(document, "seller", party("The Example Gazette", "FR"));
    json_object_set_new(document, "buyer", party(wish->name, "DE"));
    json_object_set_new(document, "settlement", json_pack("{s:s}", "rail", "none"));
    json_object_set_new(document, "tax",
                        json_pack("{s:s,s:I,s:I,s:s}", "treatment", wish->treatment, "rate_ppm",
                                  wish->rate_ppm, "amount_minor", tax, "note", ""));
    json_object_set_new(document, "lines", lines);
    json_object_set_new(document, "payments",
                        json_pack("[{s:I,s:s,s:s}]", "amount_minor", INT64_C(1), "reference", "r",
                                  "received_on", "2026-12-05"));
    json_object_set_new(document, "days",
                        json_pack("[{s:s,s:i,s:I},{s:s,s:i,s:I}]", "date", "2026-11-01", "entries", 1,
                                  "sum_micros", INT64_C(5), "date", "2026-11-02", "entries", 2, "sum_micros",
                                  INT64_C(9000000000000000000)));
    return document;
}

static const struct wish usual = {"invoice", "EUR", "standard", 2, 3, 190000, "Crawler GmbH"};

static char *rendered(const char *format, const json_t *document, size_t *len)
{
    struct format_output out = {0};
    size_t ignored;
    if (!document_render(document, rendering_called(format)->render, &out))
        fail_msg("%s: %s", format, out.error);
    *(len ? len : &ignored) = out.len;
    return out.bytes;
}

static void every_format_is_found_and_repeats_itself(void **state)
{
    json_t *document = document_of(&usual);
    (void)state;
    assert_null(rendering_called("docx"));
    for (const struct rendering *rendering = renderings; rendering->name; rendering++) {
        size_t first_len, second_len;
        char *first = rendered(rendering->name, document, &first_len);
        char *second = rendered(rendering->name, document, &second_len);
        assert_true(first_len > 0 && first_len == second_len);
        assert_memory_equal(first, second, first_len);
        free(first);
        free(second);
    }
    json_decref(document);
}

/* --- CSV --- */

static void csv_says_everything_in_rows(void **state)
{
    struct wish wish = usual;
    wish.name = "=cmd|'\"\r\n";
    (void)state;
    json_t *document = document_of(&wish);
    char *text = rendered("csv", document, NULL), expected[64];
    assert_memory_equal(text,
                        "number,kind,issue_date,due_date,site,seller,buyer,agent,currency,row,description,"
                        "quantity,unit_price,amount\r\n\"INV-2026-000123\",\"invoice\",",
                        132);
    assert_non_null(strstr(text, ",\"'=cmd|'\"\"\r\n\","));
    assert_null(strstr(text, "\"=cmd"));
    snprintf(expected, sizeof(expected), ",\"total\",\"\",,,%" PRId64 ".%02d\r\n",
             format_number(document, "total_minor") / 100,
             (int)(format_number(document, "total_minor") % 100));
    assert_non_null(strstr(text, expected));
    free(text);
    json_decref(document);
}

/* Amounts of e-invoices have the currency's decimals; the sum of lines is that of the rounded ones. */
static void halves_of_lines_are_rounded_away_from_zero(void **state)
{
    static const int64_t micros[] = {25000, 24999, -15000, -14999};
    static const char *const rounded[] = {">0.03<", ">0.02<", ">-0.02<", ">-0.01<"};
    (void)state;
    for (size_t i = 0; i < sizeof(micros) / sizeof(*micros); i++) {
        json_t *document = document_of(&usual);
        json_object_set_new(document, "lines",
                            json_pack("[{s:i,s:s,s:s,s:i,s:I,s:I}]", "line", 1, "kind", "fee", "description",
                                      "Fee", "quantity", 1, "unit_price_micros", micros[i], "amount_micros",
                                      micros[i]));
        char *text = rendered("ubl", document, NULL);
        const char *sum = strchr(strstr(text, "<cbc:LineExtensionAmount"), '>');
        assert_memory_equal(sum, rounded[i], strlen(rounded[i]));
        free(text);
        json_decref(document);
    }
}

/* --- HTML --- */

static void html_lets_nothing_through(void **state)
{
    struct wish wish = usual;
    wish.name = HOSTILE;
    (void)state;
    json_t *document = document_of(&wish);
    json_object_set_new(document, "agent", json_string(HOSTILE));
    json_object_set_new(document, "number", json_string(HOSTILE));
    json_object_set_new(document, "status", json_string(HOSTILE));
    json_object_set_new(json_object_get(document, "seller"), "logo",
                        json_string("data:image/png;base64,AA==\" onload=\"x"));
    json_object_set_new(document, "entries_url", json_string("javascript:alert(1)"));
    char *text = rendered("html", document, NULL);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "onload"));
    assert_null(strstr(text, "javascript:"));
    assert_null(strstr(text, "<img"));
    assert_non_null(strstr(text, "&lt;script&gt;&quot;&#39;&amp;&lt;/td&gt;=1+1"));
    free(text);
    json_object_set_new(json_object_get(document, "seller"), "logo", json_string(PIXEL));
    json_object_set_new(document, "entries_url", json_string("https://a.example/?a=1&b=\"2\""));
    text = rendered("html", document, NULL);
    assert_non_null(strstr(text, "<img alt=\"\" src=\"" PIXEL "\">"));
    assert_non_null(strstr(text, "<a href=\"https://a.example/?a=1&amp;b=&quot;2&quot;\">"));
    assert_null(strstr(text, "http-equiv=\"refresh"));
    free(text);
    json_decref(document);
}

/* --- PDF --- */

static void any_logo_leaves_a_page(void **state)
{
    static const char *const logos[] = {PIXEL,
                                        "",
                                        "data:image/png;base64,AAAA",
                                        "data:image/png;base64,!",
                                        "data:image/png;base64,",
                                        "data:image/jpeg;base64,/9j/wAARCAAB",
                                        "data:image/jpeg;base64,/9j/4AAA",
                                        "data:image/svg+xml;base64,AAAA",
                                        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA"};
    json_t *document = document_of(&usual);
    (void)state;
    for (size_t i = 0; i < sizeof(logos) / sizeof(*logos); i++) {
        size_t len;
        json_object_set_new(json_object_get(document, "seller"), "logo", json_string(logos[i]));
        char *bytes = rendered("pdf", document, &len);
        assert_memory_equal(bytes, "%PDF-1.", 7);
        free(bytes);
    }
    json_decref(document);
}

/* --- UBL --- */

/* A decimal with at most two decimals, in hundredths; the norm allows no more (BR-DEC). */
static int64_t hundredths(const xml_element *element, const char *path)
{
    char text[64];
    int64_t micros;
    xml_value(element, path, text, sizeof(text));
    if (!*text)
        return 0;
    const char *digits = *text == '-' ? text + 1 : text, *point = strchr(digits, '.');
    assert_true(!point || strlen(point) <= 3);
    assert_true(amount_parse(slice_of(digits), &micros));
    return (*text == '-' ? -1 : 1) * micros / 10000;
}

static int64_t micros_of(const xml_element *element, const char *path)
{
    char text[64];
    int64_t micros;
    xml_value(element, path, text, sizeof(text));
    assert_true(amount_parse(slice_of(text), &micros));
    return micros;
}

/* Line by line: quantity * price, rounded, is the line (BR-CO-10's other half, PEPPOL-EN16931-R120). */
static int64_t sum_of_lines(const xml_element *root, bool credit, int64_t unit)
{
    const xml_element *line = xml_find(root, credit ? "CreditNoteLine" : "InvoiceLine");
    int64_t sum = 0;
    assert_non_null(line);
    for (; line; line = xml_next(line)) {
        char quantity[32];
        xml_value(line, credit ? "CreditedQuantity" : "InvoicedQuantity", quantity, sizeof(quantity));
        char base[32];
        xml_value(line, "Price/BaseQuantity", base, sizeof(base));
        int64_t exact = strtoll(quantity, NULL, 10) * micros_of(line, "Price/PriceAmount");
        int64_t amount = hundredths(line, "LineExtensionAmount") * 10000;
        assert_true(amount % unit == 0);
        assert_true(llabs(exact / (*base ? strtoll(base, NULL, 10) : 1) - amount) <= 20000);
        sum += amount / 10000;
    }
    return sum;
}

static void check_sums(const json_t *document, bool credit)
{
    char error[200];
    size_t len;
    char *text = rendered("ubl", document, &len);
    struct xml_tree *tree = xml_read(slice_bytes(text, len), error);
    assert_non_null(tree);
    const xml_element *root = xml_root(tree), *totals = xml_find(root, "LegalMonetaryTotal"),
                      *one = xml_find(root, "AllowanceCharge");
    int64_t decimals = format_number(document, "currency_decimals");
    int64_t unit = amount_minor_micros((int)decimals);
    int64_t to_hundredths = unit / 10000, allowances = 0, charges = 0;
    char text_of[200];
    for (; one; one = xml_next(one)) {
        bool charge = strcmp(xml_value(one, "ChargeIndicator", text_of, sizeof(text_of)), "true") == 0;
        *(charge ? &charges : &allowances) += hundredths(one, "Amount");
        assert_true(hundredths(one, "Amount") > 0);
        assert_true(*xml_value(one, "AllowanceChargeReason", text_of, sizeof(text_of)) !=
                    '\0'); /* BR-33, 38 */
    }
    int64_t lines = hundredths(totals, "LineExtensionAmount"), net = hundredths(totals, "TaxExclusiveAmount"),
            gross = hundredths(totals, "TaxInclusiveAmount"), tax = hundredths(root, "TaxTotal/TaxAmount");
    assert_int_equal(lines, sum_of_lines(root, credit, unit));                     /* BR-CO-10 */
    assert_int_equal(hundredths(totals, "AllowanceTotalAmount"), allowances);      /* BR-CO-11 */
    assert_int_equal(hundredths(totals, "ChargeTotalAmount"), charges);            /* BR-CO-12 */
    assert_int_equal(net, lines - allowances + charges);                           /* BR-CO-13 */
    assert_int_equal(tax, hundredths(root, "TaxTotal/TaxSubtotal/TaxAmount"));     /* BR-CO-14 */
    assert_int_equal(gross, net + tax);                                            /* BR-CO-15 */
    assert_int_equal(hundredths(totals, "PayableAmount"), gross);                  /* BR-CO-16 */
    assert_int_equal(net, hundredths(root, "TaxTotal/TaxSubtotal/TaxableAmount")); /* BR-S-8 and others */
    assert_int_equal(gross, format_number(document, "total_minor") * to_hundredths);
    int64_t rate = format_number(document, "tax.rate_ppm");
    assert_true(llabs(net * rate - tax * 1000000) <= 500000 * to_hundredths); /* BR-CO-17 */
    assert_true(*xml_value(root, credit ? "PaymentTerms/Note" : "DueDate", text_of, sizeof(text_of)) != '\0');
    xml_tree_free(tree);
    free(text);
}

static void sums_of_e_invoices_hold(void **state)
{
    static const char *const treatments[] = {"standard", "zero", "exempt", "reverse-charge", "none"};
    (void)state;
    for (int i = 0; i < 600; i++) {
        bool credit = i % 3 == 2, yen = i % 7 == 6;
        int64_t rate = i % 5 == 0 ? 1 + chance(1000000) : 0;
        struct wish wish = {credit ? "credit-note" : "invoice",
                            yen ? "JPY" : "EUR",
                            treatments[i % 5],
                            yen ? 0 : 2,
                            1 + (int)chance(40),
                            rate,
                            "Crawler & Söhne"};
        json_t *document = document_of(&wish);
        check_sums(document, credit);
        json_decref(document);
    }
}

/* The element's text; "" if there is none. */
static void assert_text(const json_t *document, const char *path, const char *expected)
{
    char error[200], text[300];
    size_t len;
    char *bytes = rendered("ubl", document, &len);
    struct xml_tree *tree = xml_read(slice_bytes(bytes, len), error);
    assert_non_null(tree);
    assert_string_equal(xml_value(xml_root(tree), path, text, sizeof(text)), expected);
    xml_tree_free(tree);
    free(bytes);
}

static void e_invoices_follow_peppol(void **state)
{
    static const char *const categories[][3] = {{"standard", "S", ""},
                                                {"zero", "Z", ""},
                                                {"exempt", "E", "Exempt from tax"},
                                                {"reverse-charge", "AE", "Reverse charge"},
                                                {"none", "O", "Not subject to VAT"}};
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct wish wish = usual;
        wish.treatment = categories[i][0];
        wish.rate_ppm = i == 0 ? 88750 : 0;
        json_t *document = document_of(&wish);
        assert_text(document, "TaxTotal/TaxSubtotal/TaxCategory/ID", categories[i][1]);
        assert_text(document, "InvoiceLine/Item/ClassifiedTaxCategory/ID", categories[i][1]);
        assert_text(document, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason", categories[i][2]);
        assert_text(document, "TaxTotal/TaxSubtotal/TaxCategory/Percent",
                    i == 0   ? "8.875"
                    : i == 4 ? ""
                             : "0");
        assert_text(document, "AccountingSupplierParty/Party/PartyTaxScheme/CompanyID",
                    i == 4 ? "" : "DE123456789");
        json_decref(document);
    }
    json_t *document = document_of(&usual);
    assert_text(document, "InvoiceTypeCode", "380");
    assert_text(document, "BuyerReference", "https://crawler.example");
    assert_text(document, "AccountingCustomerParty/Party/EndpointID", "7300010000001");
    assert_text(document, "PaymentMeans/PaymentMeansCode", "1");
    json_object_set_new(json_object_get(document, "seller"), "iban", json_string("FR14"));
    assert_text(document, "PaymentMeans/PaymentMeansCode", "30");
    assert_text(document, "PaymentMeans/PayeeFinancialAccount/ID", "FR14");
    json_object_set_new(
        document, "settlement",
        json_pack("{s:s,s:s,s:s}", "rail", "sepa-direct-debit", "mandate_id", "M-1", "iban", "DE89"));
    json_object_set_new(json_object_get(document, "seller"), "creditor_id",
                        json_string("DE98ZZZ09999999999"));
    assert_text(document, "PaymentMeans/PaymentMeansCode", "59");
    assert_text(document, "PaymentMeans/PaymentMandate/PayerFinancialAccount/ID", "DE89");
    json_object_set_new(json_object_get(document, "buyer"), "purchase_order", json_string("PO-1"));
    json_object_set_new(json_object_get(document, "buyer"), "reference",
                        json_string("04011000-1234512345-06"));
    assert_text(document, "OrderReference/ID", "PO-1");
    assert_text(document, "BuyerReference", "04011000-1234512345-06");
    json_decref(document);
    struct wish wish = usual;
    wish.kind = "credit-note";
    document = document_of(&wish);
    assert_text(document, "CreditNoteTypeCode", "381");
    assert_text(document, "BillingReference/InvoiceDocumentReference/ID", "INV-2026-000007");
    json_decref(document);
}

static void what_an_e_invoice_lacks_is_told(void **state)
{
    static const char *const members[][3] = {{"seller", "country", "seller.country"},
                                             {"seller", "endpoint", "seller.endpoint"},
                                             {"seller", "tax_id", "seller.tax_id"},
                                             {"buyer", "name", "buyer.name"},
                                             {"buyer", "endpoint", "buyer.endpoint"}};
    struct format_output out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        json_t *document = document_of(&usual);
        json_object_del(json_object_get(document, members[i][0]), members[i][1]);
        assert_false(document_render(document, ubl_render, &out));
        assert_null(out.bytes);
        assert_non_null(strstr(out.error, members[i][2]));
        assert_non_null(strstr(out.error, "INV-2026-000123"));
        json_decref(document);
    }
    struct wish wish = usual;
    wish.currency = "KWD";
    wish.decimals = 3;
    json_t *document = document_of(&wish);
    assert_false(document_render(document, ubl_render, &out));
    assert_non_null(strstr(out.error, "two decimals"));
    json_decref(document);
    document = document_of(&usual);
    json_object_set_new(json_object_get(document, "buyer"), "name", json_string("a\x01"));
    assert_false(document_render(document, ubl_render, &out));
    assert_non_null(strstr(out.error, "cannot be written as XML"));
    json_decref(document);
}

/* --- Plain-text accounting --- */

static void bookings_of_a_credit_note_are_turned_round(void **state)
{
    struct wish wish = usual;
    (void)state;
    json_t *invoice = document_of(&wish);
    wish.kind = "credit-note";
    json_t *credit = json_deep_copy(invoice);
    json_object_set_new(credit, "kind", json_string("credit-note"));
    char amount[64], *first = rendered("ledger", invoice, NULL), *second = rendered("ledger", credit, NULL);
    int64_t total = format_number(invoice, "total_minor");
    snprintf(amount, sizeof(amount), " %" PRId64 ".%02d EUR\n", total / 100, (int)(total % 100));
    assert_non_null(strstr(first, amount));
    snprintf(amount, sizeof(amount), " -%" PRId64 ".%02d EUR\n", total / 100, (int)(total % 100));
    assert_null(strstr(first, amount));
    assert_non_null(strstr(second, amount));
    free(first);
    free(second);
    json_object_set_new(credit, "net_minor", json_integer(1));
    struct format_output out = {0};
    assert_false(document_render(credit, ledger_render, &out));
    assert_false(document_render(credit, hledger_render, &out));
    assert_false(document_render(credit, beancount_render, &out));
    assert_non_null(strstr(out.error, "does not add up"));
    json_decref(invoice);
    json_decref(credit);
}

/* ledger cannot read a decimal mark without decimals behind it, hledger wants one. */
static void whole_currencies_are_declared_to_each_program(void **state)
{
    struct wish wish = usual;
    (void)state;
    wish.currency = "JPY";
    wish.decimals = 0;
    json_t *document = document_of(&wish);
    char *to_ledger = rendered("ledger", document, NULL), *to_hledger = rendered("hledger", document, NULL);
    assert_non_null(strstr(to_ledger, "\n    format 1000 JPY\n"));
    assert_non_null(strstr(to_hledger, "\n    format 1000. JPY\n"));
    free(to_ledger);
    free(to_hledger);
    json_decref(document);
}

/* --- The view --- */

static void a_view_says_how_to_pay(void **state)
{
    static const struct {
        const char *rail, *words;
    } cases[] = {{"none", "Please pay EUR "},
                 {"sepa-direct-debit", "collected by SEPA direct debit from the account ending in 3000"},
                 {"ach", "by ACH debit from the account ending in 6789"},
                 {"card", "charged to the card on file"},
                 {"x402", "requested over x402 on eip155:8453"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *document = document_of(&usual);
        json_object_set_new(document, "settlement",
                            json_pack("{s:s,s:s,s:s,s:s}", "rail", cases[i].rail, "iban",
                                      "DE89370400440532013000", "account", "0123456789", "network",
                                      "eip155:8453"));
        struct document opened;
        document_open_complete(document, &opened);
        struct view *view = view_of(&opened);
        const char *note = view->notes.items[0];
        if (!strstr(note, cases[i].words))
            assert_string_equal(note, cases[i].words);
        assert_null(strstr(note, "DE8937"));
        assert_int_equal(view->days[1].share, 1000);
        view_free(view);
        document_free(&opened);
        json_decref(document);
    }
}

/* How many places a number of the view has behind its point, with what stands for those that it lacks; of the
 * last column also its text in front of the pads. */
static int places(const char *number)
{
    const char *pads = number + strcspn(number, FORMAT_PAD FORMAT_POINT_PAD), *point = strchr(number, '.');
    int count = point ? (int)(pads - point - 1) : -1;
    if (!point && strncmp(pads, FORMAT_POINT_PAD, 3) == 0)
        count = 0, pads += 3;
    for (; strncmp(pads, FORMAT_PAD, 3) == 0; pads += 3)
        count++;
    assert_true(count >= 2 && *pads == '\0');
    return count;
}

static void points_stand_below_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct wish wish = usual;
        wish.decimals = (int[]){0, 2, 3}[i % 3];
        wish.lines = 1 + i % 20;
        json_t *document = document_of(&wish);
        struct document opened;
        document_open_complete(document, &opened);
        struct view *view = view_of(&opened);
        int price = places(view->rows[0].cells[VIEW_UNIT_PRICE]), amount = places(view->sums.items[0].value);
        for (size_t k = 0; k < view->row_count; k++) {
            const char *text = view->rows[k].cells[VIEW_AMOUNT];
            assert_int_equal(places(view->rows[k].cells[VIEW_UNIT_PRICE]), price);
            assert_int_equal(places(text), amount);
            /* No more zeros than money needs: "25.00", not "25.0000". */
            const char *end = text + strcspn(text, FORMAT_PAD);
            assert_false(end - strchr(text, '.') > 3 && end[-1] == '0');
        }
        for (size_t k = 0; k < view->sums.count; k++)
            assert_int_equal(places(view->sums.items[k].value), amount);
        view_free(view);
        document_free(&opened);
        json_decref(document);
    }
}

static void a_view_has_words_for_codes(void **state)
{
    json_t *document = document_of(&usual);
    (void)state;
    json_object_set_new(json_object_get(document, "seller"), "iban",
                        json_string("FR1420041010050500013M02606"));
    struct document opened;
    document_open_complete(document, &opened);
    struct view *view = view_of(&opened);
    assert_string_equal(view->seller.lines.items[2], "France");
    assert_non_null(strstr(view->notes.items[0],
                           "IBAN FR14\u00a02004\u00a01010\u00a00505\u00a00001\u00a03M02\u00a0606,"));
    assert_string_equal(view->currency, "EUR");
    view_free(view);
    document_free(&opened);
    json_object_set_new(json_object_get(document, "buyer"), "email",
                        json_string("a.very.long.address@sub-domain.crawler.example"));
    char *page = rendered("html", document, NULL);
    assert_non_null(strstr(page, "\na<wbr>.very<wbr>.long<wbr>.address<wbr>@sub-<wbr>domain<wbr>.crawler"));
    assert_non_null(strstr(page, "<dd>2026-11-30</dd>"));
    assert_non_null(strstr(page, "Amount (EUR)"));
    free(page);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_found_and_repeats_itself),
        cmocka_unit_test(csv_says_everything_in_rows),
        cmocka_unit_test(halves_of_lines_are_rounded_away_from_zero),
        cmocka_unit_test(html_lets_nothing_through),
        cmocka_unit_test(any_logo_leaves_a_page),
        cmocka_unit_test(sums_of_e_invoices_hold),
        cmocka_unit_test(e_invoices_follow_peppol),
        cmocka_unit_test(what_an_e_invoice_lacks_is_told),
        cmocka_unit_test(bookings_of_a_credit_note_are_turned_round),
        cmocka_unit_test(whole_currencies_are_declared_to_each_program),
        cmocka_unit_test(a_view_says_how_to_pay),
        cmocka_unit_test(points_stand_below_each_other),
        cmocka_unit_test(a_view_has_words_for_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
