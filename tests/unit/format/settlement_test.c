/* Files that collect money: their columns, sums and refusals.
 * Tests ledger/format/bank/ach.c, ledger/format/bank/sepa.c */
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

#include "ledger/format/xml.h"
#include "ledger/format/bank/settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An invoice that says nothing but what batches are made from. */
static json_t *invoice(const char *number, const char *currency, const char *account_kind)
{
    json_t *json = json_pack(
        "{s:s,s:s,s:i,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s},s:{s:s},"
        "s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}}",
        "number", number, "currency", currency, "currency_decimals", 2, "agent", "https://crawler.example",
        "seller", "name", "The Example Gazette", "iban", "DE89370400440532013000", "bic", "COBADEFFXXX",
        "creditor_id", "DE98ZZZ09999999999", "ach_destination", "021000021", "ach_destination_name", "A Bank",
        "ach_origin", "1234567890", "ach_company_id", "1234567890", "buyer", "name", "Crawler & Söhne <GmbH>",
        "settlement", "iban", "FR1420041010050500013M02606", "bic", "", "mandate_id", "M-1", "mandate_date",
        "2026-01-31", "routing_number", "011000015", "account", "0123456789", "kind", account_kind, "network",
        "eip155:8453", "asset", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "pay_to",
        "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "decimals", 6);
    assert_non_null(json);
    return document_complete(json);
}

/* A batch of `count` invoices over 1000, 1001, ... minor units. */
static struct settlement_batch batch_of(int count, const char *currency)
{
    struct settlement_batch batch = {.id = "019343d0-0000-7000-8000-000000000001",
                                     .made_at = "2026-11-21T02:03:04.000Z",
                                     .collect_on = "2026-11-26"};
    for (int i = 0; i < count; i++) {
        struct format_output out = {0};
        char number[32];
        snprintf(number, sizeof(number), "INV-2026-%06d", i + 1);
        json_t *json = invoice(number, currency, i % 2 ? "savings" : "checking");
        if (!settlement_add(&batch, json, 1000 + i, 1, &out))
            fail_msg("%s", out.error);
        json_decref(json);
    }
    return batch;
}

static char *rendered(settlement_render *render, const struct settlement_batch *batch)
{
    struct format_output out = {0};
    assert_true(render(batch, &out));
    assert_int_equal(strlen(out.bytes), out.len);
    return out.bytes;
}

/* Sets a text of the second invoice, and expects a refusal that names the invoice and the word. */
static void refused(settlement_render *render, const char *currency, size_t member, const char *word)
{
    struct format_output out = {0};
    struct settlement_batch batch = batch_of(3, currency);
    const char *empty = "";
    memcpy((char *)&batch.dues[1].document + member, &empty, sizeof(empty));
    assert_false(render(&batch, &out));
    assert_null(out.bytes);
    assert_non_null(strstr(out.error, "INV-2026-000002"));
    assert_non_null(strstr(out.error, word));
    settlement_free(&batch);
}
#define REFUSED(render, currency, member)                                                                    \
    refused(render, currency, offsetof(struct document, member), #member)

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
        struct settlement_batch batch = batch_of(counts[c], "USD");
        char *text = rendered(ach_render, &batch);
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
        settlement_free(&batch);
    }
}

static void ach_records(void **state)
{
    struct settlement_batch batch = batch_of(2, "USD");
    char *text = rendered(ach_render, &batch);
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
                        "6270110000150123456789       0000001000INV-2026-000001CRAWLER & SOHNE  GMBH   "
                        "0021000020000001",
                        94);
    assert_int_equal(digits(text + 285, 1, 2), 37); /* savings */
    free(text);
    settlement_free(&batch);
}

/* The sum over 250 banks has eleven digits, and the file has room for the last ten. */
static void ach_cuts_the_hash_to_ten_digits(void **state)
{
    struct settlement_batch batch = batch_of(250, "USD");
    (void)state;
    for (size_t i = 0; i < batch.count; i++)
        batch.dues[i].document.settlement.routing_number = "999999992";
    char *text = rendered(ach_render, &batch);
    const char *control = strstr(text, "\n8225"), *last = strstr(text, "\n9000001");
    assert_true(control && last);
    assert_int_equal(digits(control + 1, 10, 10), 4999999750); /* of 24999999750 */
    assert_int_equal(digits(control + 1, 20, 12), 250 * 1000 + 250 * 249 / 2);
    assert_int_equal(digits(last + 1, 21, 10), 4999999750);
    free(text);
    settlement_free(&batch);
}

/* NACHA tells files of one day apart by a letter or digit. */
static void ach_files_of_a_day_differ(void **state)
{
    struct settlement_batch batch = batch_of(1, "USD");
    const char *const modifiers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct format_output out = {0};
    (void)state;
    for (; batch.file_of_day < 36; batch.file_of_day++) {
        char *text = rendered(ach_render, &batch);
        assert_int_equal(text[33], modifiers[batch.file_of_day]);
        free(text);
    }
    assert_false(ach_render(&batch, &out));
    assert_non_null(strstr(out.error, "36 files a day"));
    settlement_free(&batch);
}

static void ach_refuses(void **state)
{
    (void)state;
    REFUSED(ach_render, "USD", settlement.account);
    REFUSED(ach_render, "USD", settlement.routing_number);
    REFUSED(ach_render, "USD", buyer.name);
    refused(ach_render, "USD", offsetof(struct document, currency), "USD");
}

static void sepa_adds_up(void **state)
{
    struct settlement_batch batch = batch_of(3, "EUR");
    char *text = rendered(sepa_render, &batch);
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
    assert_string_equal(xml_value(debit, "Dbtr/Nm", out, sizeof(out)), "Crawler + Sohne .GmbH.");
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
    settlement_free(&batch);
}

/* Patterns of numbers may have an underscore, which banks refuse. */
static void sepa_ids_are_of_its_characters(void **state)
{
    struct settlement_batch batch = batch_of(1, "EUR");
    char error[200], out[64];
    (void)state;
    batch.dues[0].document.number = "INV_2026_000001";
    char *text = rendered(sepa_render, &batch);
    struct xml_tree *tree = xml_read(slice_of(text), error);
    assert_non_null(tree);
    assert_string_equal(
        xml_value(xml_root(tree), "CstmrDrctDbtInitn/PmtInf/DrctDbtTxInf/PmtId/EndToEndId", out, sizeof(out)),
        "INV.2026.000001");
    xml_tree_free(tree);
    free(text);
    settlement_free(&batch);
}

/* A CORE mandate does not allow a B2B debit, nor the other way round. */
static void sepa_keeps_schemes_apart(void **state)
{
    struct settlement_batch batch = batch_of(3, "EUR");
    char error[200], out[64];
    (void)state;
    batch.dues[1].document.settlement.scheme = "core";
    char *text = rendered(sepa_render, &batch);
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
    settlement_free(&batch);
}

static void has_address(const char *debtor, const char *creditor, bool expected)
{
    struct settlement_batch batch = batch_of(1, "EUR");
    struct document *document = &batch.dues[0].document;
    document->settlement.iban = debtor;
    document->seller.iban = creditor;
    struct format_output out = {0};
    if (expected) {
        assert_false(sepa_render(&batch, &out));
        assert_non_null(strstr(out.error, "INV-2026-000001 has no buyer.city"));
        document->buyer.city = "Z\u00fcrich";
        assert_false(sepa_render(&batch, &out));
        assert_non_null(strstr(out.error, "buyer.country"));
        document->buyer.country = "CH";
    }
    char *text = rendered(sepa_render, &batch);
    assert_int_equal(strstr(text, "<PstlAdr>") != NULL, expected);
    free(text);
    settlement_free(&batch);
}

/* Where a bank of either side is outside the European Economic Area, the debtor's address must be told. */
static void sepa_tells_addresses_outside_the_eea(void **state)
{
    static const char german[] = "DE89370400440532013000", swiss[] = "CH9300762011623852957",
                      british[] = "GB29NWBK60161331926819", icelandic[] = "IS140159260076545510730339",
                      monacan[] = "MC5811222000010123456789030";
    char error[200], out[64];
    (void)state;
    has_address(german, german, false);
    has_address(icelandic, german, false);
    has_address(swiss, german, true);
    has_address(british, german, true);
    has_address(monacan, icelandic, true);
    has_address(german, british, true);
    struct settlement_batch batch = batch_of(1, "EUR");
    struct document *document = &batch.dues[0].document;
    document->settlement.iban = swiss;
    document->buyer.street = "Bahnhofstra\u00dfe 1";
    document->buyer.postal_code = "8001";
    document->buyer.city = "Z\u00fcrich";
    document->buyer.country = "CH";
    char *text = rendered(sepa_render, &batch);
    struct xml_tree *tree = xml_read(slice_of(text), error);
    assert_non_null(tree);
    const xml_element *debtor = xml_find(xml_root(tree), "CstmrDrctDbtInitn/PmtInf/DrctDbtTxInf/Dbtr");
    assert_string_equal(xml_value(debtor, "PstlAdr/StrtNm", out, sizeof(out)), "Bahnhofstrasse 1");
    assert_string_equal(xml_value(debtor, "PstlAdr/PstCd", out, sizeof(out)), "8001");
    assert_string_equal(xml_value(debtor, "PstlAdr/TwnNm", out, sizeof(out)), "Zurich");
    assert_string_equal(xml_value(debtor, "PstlAdr/Ctry", out, sizeof(out)), "CH");
    xml_tree_free(tree);
    free(text);
    settlement_free(&batch);
}

static void sepa_refuses(void **state)
{
    (void)state;
    REFUSED(sepa_render, "EUR", settlement.iban);
    REFUSED(sepa_render, "EUR", settlement.mandate_date);
    REFUSED(sepa_render, "EUR", seller.creditor_id);
    refused(sepa_render, "EUR", offsetof(struct document, currency), "EUR");
}

static void x402_counts_base_units(void **state)
{
    struct settlement_batch batch = batch_of(2, "USD");
    char *text = rendered(x402_render, &batch);
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
    settlement_free(&batch);
    REFUSED(x402_render, "USD", settlement.pay_to);
    struct format_output out = {0};
    batch = batch_of(2, "USD");
    batch.dues[1].document.settlement.decimals = 1;
    assert_false(x402_render(&batch, &out));
    assert_non_null(strstr(out.error, "INV-2026-000002: an asset of 1 decimals"));
    settlement_free(&batch);
}

/* Five cents of a euro are no five cents of a dollar. */
static void x402_keeps_to_the_assets_currency(void **state)
{
    struct settlement_batch batch = batch_of(1, "EUR");
    struct format_output out = {0};
    (void)state;
    assert_false(x402_render(&batch, &out));
    assert_null(out.bytes);
    assert_string_equal(out.error,
                        "invoice INV-2026-000001 is in EUR, and the agreement's asset is worth USD:"
                        " see settlement.currency");
    batch.dues[0].document.settlement.currency = "EUR";
    free(rendered(x402_render, &batch));
    settlement_free(&batch);
    batch = batch_of(1, "USD");
    batch.dues[0].document.settlement.currency = "EUR";
    assert_false(x402_render(&batch, &out));
    settlement_free(&batch);
}

static void an_empty_batch_is_refused(void **state)
{
    settlement_render *const renders[] = {sepa_render, ach_render, x402_render, card_render};
    struct settlement_batch none = batch_of(0, "EUR"), nothing = batch_of(1, "EUR");
    (void)state;
    nothing.dues[0].due_minor = 0;
    for (size_t i = 0; i < sizeof(renders) / sizeof(*renders); i++) {
        struct format_output out = {0};
        assert_false(renders[i](&none, &out));
        assert_false(renders[i](&nothing, &out));
        assert_true(strlen(out.error) > 10);
        assert_null(out.bytes);
    }
    settlement_free(&none);
    settlement_free(&nothing);
}

static void a_document_that_lacks_a_member_is_not_added(void **state)
{
    struct settlement_batch batch = batch_of(1, "EUR");
    struct format_output out = {0};
    json_t *json = invoice("INV-2", "EUR", "checking");
    (void)state;
    json_object_set_new(json_object_get(json, "settlement"), "decimals", json_string("6"));
    assert_false(settlement_add(&batch, json, 1, 1, &out));
    assert_string_equal(out.error, "invoice INV-2: settlement.decimals is no integer");
    assert_int_equal(batch.count, 1);
    settlement_free(&batch);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ach_has_94_columns),
        cmocka_unit_test(ach_records),
        cmocka_unit_test(ach_cuts_the_hash_to_ten_digits),
        cmocka_unit_test(ach_files_of_a_day_differ),
        cmocka_unit_test(ach_refuses),
        cmocka_unit_test(sepa_adds_up),
        cmocka_unit_test(sepa_ids_are_of_its_characters),
        cmocka_unit_test(sepa_keeps_schemes_apart),
        cmocka_unit_test(sepa_tells_addresses_outside_the_eea),
        cmocka_unit_test(sepa_refuses),
        cmocka_unit_test(x402_counts_base_units),
        cmocka_unit_test(x402_keeps_to_the_assets_currency),
        cmocka_unit_test(an_empty_batch_is_refused),
        cmocka_unit_test(a_document_that_lacks_a_member_is_not_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
