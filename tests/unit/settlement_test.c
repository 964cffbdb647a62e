/* Files that collect money: their columns, sums and refusals. */
#include "tests/unit/support.h"

#include "ledger/format/xml.h"
#include "ledger/format/bank/settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch of `count` invoices over 1000, 1001, ... minor units. */
static json_t *batch_of(int count, const char *currency)
{
    json_t *invoices = json_array();
    for (int i = 0; i < count; i++) {
        char number[32];
        snprintf(number, sizeof(number), "INV-2026-%06d", i + 1);
        json_t *document = json_pack(
            "{s:s,s:s,s:i,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s},s:{s:s},"
            "s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}}",
            "number", number, "currency", currency, "currency_decimals", 2, "agent",
            "https://crawler.example", "seller", "name", "The Example Gazette", "iban",
            "DE89370400440532013000", "bic", "COBADEFFXXX", "creditor_id", "DE98ZZZ09999999999",
            "ach_destination", "021000021", "ach_destination_name", "A Bank", "ach_origin", "1234567890",
            "ach_company_id", "1234567890", "buyer", "name", "Crawler & Söhne <GmbH>", "settlement", "iban",
            "FR1420041010050500013M02606", "bic", "", "mandate_id", "M-1", "mandate_date", "2026-01-31",
            "routing_number", "011000015", "account", "0123456789", "kind", i % 2 ? "savings" : "checking",
            "network", "eip155:8453", "asset", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "pay_to",
            "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "decimals", 6);
        assert_non_null(document);
        json_array_append_new(invoices, json_pack("{s:o,s:i}", "document", document, "due_minor", 1000 + i));
    }
    return json_pack("{s:s,s:s,s:s,s:o}", "id", "019343d0-0000-7000-8000-000000000001", "made_at",
                     "2026-11-21T02:03:04.000Z", "collect_on", "2026-11-26", "invoices", invoices);
}

static char *rendered(settlement_render *render, const json_t *batch)
{
    struct format_output out = {0};
    assert_true(render(batch, &out));
    assert_int_equal(strlen(out.bytes), out.len);
    return out.bytes;
}

/* Sets a member of the second invoice, and expects a refusal that names the invoice and the word. */
static void refused(settlement_render *render, const char *currency, const char *object, const char *member,
                    const char *word)
{
    struct format_output out = {0};
    json_t *batch = batch_of(3, currency);
    json_t *invoice = json_array_get(json_object_get(batch, "invoices"), 1);
    json_t *document = json_object_get(invoice, "document");
    json_object_set_new(*object ? json_object_get(document, object) : document, member, json_string(""));
    assert_false(render(batch, &out));
    assert_null(out.bytes);
    assert_non_null(strstr(out.error, "INV-2026-000002"));
    assert_non_null(strstr(out.error, word));
    json_decref(batch);
}

static int64_t digits(const char *line, int from, int count)
{
    char text[24];
    snprintf(text, sizeof(text), "%.*s", count, line + from);
    return strtoll(text, NULL, 10);
}

static void ach_has_94_columns(void **state)
{
    static const int counts[] = {1, 5, 6, 7, 16, 250};
    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
        int64_t sum = 0, hash = 0, lines = 0, entries = 0;
        json_t *batch = batch_of(counts[c], "USD");
        char *text = rendered(ach_render, batch);
        for (char *line = text; *line; line += 95, lines++) {
            assert_int_equal(strcspn(line, "\n"), 94);
            if (line[0] == '6') {
                sum += digits(line, 29, 10);
                hash += digits(line, 3, 8);
                assert_int_equal(digits(line, 87, 7), ++entries);
            } else if (line[0] == '8') {
                assert_int_equal(digits(line, 4, 6), entries);
                assert_int_equal(digits(line, 10, 10), hash);
                assert_int_equal(digits(line, 20, 12), sum);
                assert_int_equal(digits(line, 32, 12), 0);
            } else if (line[0] == '9' && line[1] == '0') {
                assert_int_equal(digits(line, 13, 8), entries);
                assert_int_equal(digits(line, 21, 10), hash);
                assert_int_equal(digits(line, 31, 12), sum);
                assert_int_equal(digits(line, 7, 6) * 10, (counts[c] + 4 + 9) / 10 * 10);
            }
        }
        assert_int_equal(lines % 10, 0);
        assert_int_equal(entries, counts[c]);
        assert_int_equal(sum, 1000 * counts[c] + counts[c] * (counts[c] - 1) / 2);
        free(text);
        json_decref(batch);
    }
}

static void ach_records(void **state)
{
    json_t *batch = batch_of(2, "USD");
    char *text = rendered(ach_render, batch);
    (void)state;
    assert_memory_equal(text,
                        "101 0210000211234567890261121"
                        "0203A094101A BANK                 THE EXAMPLE GAZETTE    ",
                        94 - 8);
    assert_memory_equal(text + 95,
                        "5225THE EXAMPLE GAZE                    1234567890CCDINVOICES  261121261126   "
                        "1021000020000001",
                        94);
    assert_memory_equal(text + 190,
                        "6270110000150123456789       0000001000INV-2026-000001CRAWLER & S HNE  GMBH   "
                        "0021000020000001",
                        94);
    assert_int_equal(digits(text + 285, 1, 2), 37); /* savings */
    free(text);
    json_decref(batch);
}

static void ach_refuses(void **state)
{
    (void)state;
    refused(ach_render, "USD", "settlement", "account", "settlement.account");
    refused(ach_render, "USD", "settlement", "routing_number", "settlement.routing_number");
    refused(ach_render, "USD", "buyer", "name", "buyer.name");
    refused(ach_render, "USD", "", "currency", "USD");
}

static void sepa_adds_up(void **state)
{
    json_t *batch = batch_of(3, "EUR");
    char *text = rendered(sepa_render, batch);
    char error[200], out[64];
    int count = 0;
    (void)state;
    struct xml_tree *tree = xml_read(slice_of(text), error);
    assert_non_null(tree);
    const xml_element *body = xml_find(xml_root(tree), "CstmrDrctDbtInitn");
    assert_string_equal(xml_value(body, "GrpHdr/MsgId", out, sizeof(out)),
                        "019343d0000070008000000000000001");
    assert_string_equal(xml_value(body, "GrpHdr/CreDtTm", out, sizeof(out)), "2026-11-21T02:03:04");
    assert_string_equal(xml_value(body, "GrpHdr/NbOfTxs", out, sizeof(out)), "3");
    assert_string_equal(xml_value(body, "GrpHdr/CtrlSum", out, sizeof(out)), "30.03");
    assert_string_equal(xml_value(body, "PmtInf/CtrlSum", out, sizeof(out)), "30.03");
    assert_string_equal(xml_value(body, "PmtInf/CdtrSchmeId/Id/PrvtId/Othr/Id", out, sizeof(out)),
                        "DE98ZZZ09999999999");
    const xml_element *debit = xml_find(body, "PmtInf/DrctDbtTxInf");
    assert_string_equal(xml_value(debit, "Dbtr/Nm", out, sizeof(out)), "Crawler . S.hne .GmbH.");
    assert_string_equal(xml_value(debit, "DbtrAgt/FinInstnId/Othr/Id", out, sizeof(out)), "NOTPROVIDED");
    assert_string_equal(xml_value(debit, "DrctDbtTx/MndtRltdInf/DtOfSgntr", out, sizeof(out)), "2026-01-31");
    for (; debit; debit = xml_next(debit)) {
        char expected[16];
        snprintf(expected, sizeof(expected), "10.%02d", count++);
        assert_string_equal(xml_value(debit, "InstdAmt", out, sizeof(out)), expected);
        assert_string_equal(xml_attribute_value(xml_find(debit, "InstdAmt"), "Ccy", out, sizeof(out)), "EUR");
    }
    assert_int_equal(count, 3);
    xml_tree_free(tree);
    free(text);
    json_decref(batch);
}

/* Patterns of numbers may have an underscore, which banks refuse. */
static void sepa_ids_are_of_its_characters(void **state)
{
    json_t *batch = batch_of(1, "EUR");
    json_t *document = json_object_get(json_array_get(json_object_get(batch, "invoices"), 0), "document");
    char error[200], out[64];
    (void)state;
    json_object_set_new(document, "number", json_string("INV_2026_000001"));
    char *text = rendered(sepa_render, batch);
    struct xml_tree *tree = xml_read(slice_of(text), error);
    assert_non_null(tree);
    assert_string_equal(
        xml_value(xml_root(tree), "CstmrDrctDbtInitn/PmtInf/DrctDbtTxInf/PmtId/EndToEndId", out, sizeof(out)),
        "INV.2026.000001");
    xml_tree_free(tree);
    free(text);
    json_decref(batch);
}

/* A CORE mandate does not allow a B2B debit, nor the other way round. */
static void sepa_keeps_schemes_apart(void **state)
{
    json_t *batch = batch_of(3, "EUR");
    json_t *second = json_array_get(json_object_get(batch, "invoices"), 1);
    char error[200], out[64];
    (void)state;
    json_object_set_new(json_object_get(json_object_get(second, "document"), "settlement"), "scheme",
                        json_string("core"));
    char *text = rendered(sepa_render, batch);
    struct xml_tree *tree = xml_read(slice_of(text), error);
    assert_non_null(tree);
    const xml_element *core = xml_find(xml_root(tree), "CstmrDrctDbtInitn/PmtInf");
    const xml_element *b2b = xml_next(core);
    assert_non_null(b2b);
    assert_null(xml_next(b2b));
    assert_string_equal(xml_value(core, "PmtTpInf/LclInstrm/Cd", out, sizeof(out)), "CORE");
    assert_string_equal(xml_value(core, "CtrlSum", out, sizeof(out)), "10.01");
    assert_string_equal(xml_value(core, "DrctDbtTxInf/PmtId/EndToEndId", out, sizeof(out)),
                        "INV-2026-000002");
    assert_string_equal(xml_value(b2b, "PmtInfId", out, sizeof(out)), "019343d0000070008000000000000001-B");
    assert_string_equal(xml_value(b2b, "PmtTpInf/LclInstrm/Cd", out, sizeof(out)), "B2B");
    assert_string_equal(xml_value(b2b, "NbOfTxs", out, sizeof(out)), "2");
    assert_string_equal(xml_value(b2b, "CtrlSum", out, sizeof(out)), "20.02");
    xml_tree_free(tree);
    free(text);
    json_decref(batch);
}

static void sepa_refuses(void **state)
{
    (void)state;
    refused(sepa_render, "EUR", "settlement", "iban", "settlement.iban");
    refused(sepa_render, "EUR", "settlement", "mandate_date", "settlement.mandate_date");
    refused(sepa_render, "EUR", "seller", "creditor_id", "seller.creditor_id");
    refused(sepa_render, "EUR", "", "currency", "EUR");
}

static void x402_counts_base_units(void **state)
{
    json_t *batch = batch_of(2, "USD");
    char *text = rendered(x402_render, batch);
    json_t *file = json_loads(text, 0, NULL);
    const json_t *request = json_array_get(json_object_get(file, "requests"), 1);
    const json_t *accepts = json_array_get(json_object_get(request, "accepts"), 0);
    (void)state;
    assert_string_equal(format_text(accepts, "amount"), "10010000");
    assert_string_equal(format_text(accepts, "scheme"), "exact");
    assert_string_equal(format_text(accepts, "extra.invoice"), "INV-2026-000002");
    assert_int_equal(format_number(request, "x402Version"), 2);
    json_decref(file);
    free(text);
    json_decref(batch);
    refused(x402_render, "USD", "settlement", "pay_to", "settlement.pay_to");
    refused(x402_render, "USD", "settlement", "decimals", "decimals");
}

static void an_empty_batch_is_refused(void **state)
{
    settlement_render *const renders[] = {sepa_render, ach_render, x402_render, card_render};
    json_t *none = batch_of(0, "EUR"), *nothing = batch_of(1, "EUR");
    (void)state;
    json_object_set_new(json_array_get(json_object_get(nothing, "invoices"), 0), "due_minor",
                        json_integer(0));
    for (size_t i = 0; i < sizeof(renders) / sizeof(*renders); i++) {
        struct format_output out = {0};
        assert_false(renders[i](none, &out));
        assert_false(renders[i](nothing, &out));
        assert_true(strlen(out.error) > 10);
        assert_null(out.bytes);
    }
    json_decref(none);
    json_decref(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ach_has_94_columns),
        cmocka_unit_test(ach_records),
        cmocka_unit_test(ach_refuses),
        cmocka_unit_test(sepa_adds_up),
        cmocka_unit_test(sepa_ids_are_of_its_characters),
        cmocka_unit_test(sepa_keeps_schemes_apart),
        cmocka_unit_test(sepa_refuses),
        cmocka_unit_test(x402_counts_base_units),
        cmocka_unit_test(an_empty_batch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
