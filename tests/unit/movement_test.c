/* Bank files are read as they are meant; what is missing is named, and nothing is counted twice. What
 * payers write is matched with invoices. */
#include "tests/unit/support.h"

#include "ledger/format/bank/movement.h"
#include "ledger/format/bank/remittance.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                                 \
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr/><Stmt>"
#define TAIL "</Stmt></BkToCstmrStmt></Document>"
#define ENTRY(reference, amount, details)                                                                    \
    "<Ntry><Amt Ccy=\"EUR\">" amount "</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"             \
    "<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>" reference "</AcctSvcrRef>" details "</Ntry>"

static json_t *read_all(movement_read *read, const char *text)
{
    struct format_output out = {0};
    json_t *list = read(slice_of(text), &out);
    if (!list)
        print_message("%s\n", out.error);
    assert_non_null(list);
    return list;
}

static void refused(movement_read *read, const char *text, const char *words)
{
    struct format_output out = {0};
    assert_null(read(slice_of(text), &out));
    if (!strstr(out.error, words))
        print_message("%s\n", out.error);
    assert_non_null(strstr(out.error, words));
}

static void expect(const json_t *list, size_t at, const char *reference, const char *amount, const char *text)
{
    const json_t *movement = json_array_get(list, at);
    assert_string_equal(format_text(movement, "reference"), reference);
    assert_string_equal(format_text(movement, "amount"), amount);
    assert_string_equal(format_text(movement, "currency"), "EUR");
    assert_string_equal(format_text(movement, "booked_on"), "2026-11-20");
    assert_string_equal(format_text(movement, "text"), text);
}

static void camt_one_transaction(void **state)
{
    (void)state;
    json_t *list = read_all(
        camt_read, HEAD ENTRY("R1", "12.30",
                              "<NtryDtls><TxDtls><Refs><EndToEndId>INV-2026-000001</EndToEndId></Refs>"
                              "<RmtInf><Ustrd>for INV</Ustrd><Ustrd>thanks</Ustrd></RmtInf></TxDtls>"
                              "</NtryDtls>") ENTRY("R2", "5.00", "<AddtlNtryInf>x</AddtlNtryInf>") TAIL);
    assert_int_equal(json_array_size(list), 2);
    expect(list, 0, "R1", "12.30", "for INV thanks INV-2026-000001");
    expect(list, 1, "R2", "5.00", "x");
    json_decref(list);
}

static void camt_several_transactions(void **state)
{
#define DETAILS(amount, name) "<TxDtls><Refs><AcctSvcrRef>" name "</AcctSvcrRef></Refs>" amount "</TxDtls>"
    (void)state;
    json_t *list = read_all(
        camt_read, HEAD ENTRY("R1", "3.00",
                              "<NtryDtls>" DETAILS("<Amt Ccy=\"EUR\">1.00</Amt>", "A")
                                  DETAILS("<AmtDtls><TxAmt><Amt Ccy=\"EUR\">2.00</Amt></TxAmt></AmtDtls>",
                                          "B") "</NtryDtls>") TAIL);
    assert_int_equal(json_array_size(list), 2);
    expect(list, 0, "A", "1.00", "");
    expect(list, 1, "B", "2.00", "");
    json_decref(list);
    /* The entry's amount must not be taken for each of several. */
    refused(camt_read,
            HEAD ENTRY("R1", "3.00", "<NtryDtls>" DETAILS("", "A") DETAILS("", "B") "</NtryDtls>") TAIL,
            "amount");
    refused(camt_read,
            HEAD ENTRY("R1", "3.00",
                       "<NtryDtls>" DETAILS("", "A") "</NtryDtls><NtryDtls>" DETAILS("", "B") "</NtryDtls>")
                TAIL,
            "amount");
    /* A bank that puts the entry's name on each. */
    list =
        read_all(camt_read, HEAD ENTRY("R1", "3.00",
                                       "<NtryDtls>" DETAILS("<Amt Ccy=\"EUR\">1.00</Amt>", "R1")
                                           DETAILS("<Amt Ccy=\"EUR\">2.00</Amt>", "R1") "</NtryDtls>") TAIL);
    expect(list, 0, "R1", "1.00", "");
    expect(list, 1, "R1/2", "2.00", "");
    json_decref(list);
    /* What is taken from a credit is no payment. */
    list = read_all(
        camt_read,
        HEAD ENTRY("R1", "3.00",
                   "<NtryDtls><TxDtls><Amt Ccy=\"EUR\">2.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
                   "<TxDtls><Amt Ccy=\"EUR\">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls></NtryDtls>")
            TAIL);
    assert_int_equal(json_array_size(list), 1);
    expect(list, 0, "R1/2", "5.00", "");
    json_decref(list);
#undef DETAILS
}

static void camt_leaves_out(void **state)
{
    (void)state;
    json_t *list = read_all(
        camt_read, HEAD
        "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts></Ntry>"
        "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>"
        "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts></Ntry>"
        "<Ntry><Amt Ccy='EUR'>7</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>"
        "2026-11-20T23:00:00</DtTm></BookgDt><NtryRef>R</NtryRef></Ntry>" TAIL);
    assert_int_equal(json_array_size(list), 1);
    expect(list, 0, "R", "7", "");
    json_decref(list);
}

static void camt_refuses(void **state)
{
    (void)state;
    refused(camt_read, "", "no XML");
    refused(camt_read, "<Document/>", "no camt.053");
    refused(camt_read, HEAD ENTRY("", "1.00", "") TAIL, "reference");
    refused(camt_read, HEAD ENTRY("R1", "", "") TAIL, "amount");
}

static void csv_is_read(void **state)
{
    (void)state;
    json_t *list = read_all(movement_csv_read, "\xef\xbb\xbf"
                                               "date,more,text,amount,currency,reference\r\n"
                                               "2026-11-20,x,\"INV, \"\"one\"\"\nand two\",12.30,EUR,R1\r\n"
                                               "\r\n"
                                               "2026-11-20,x,,-1.00,EUR,R2\r\n"
                                               "2026-11-20,,,1.00,EUR,R3");
    assert_int_equal(json_array_size(list), 2);
    expect(list, 0, "R1", "12.30", "INV, \"one\"\nand two");
    expect(list, 1, "R3", "1.00", "");
    json_decref(list);
}

static void csv_refuses(void **state)
{
#define COLUMNS "reference,amount,currency,date,text\n"
    static char wide[5000];
    (void)state;
    refused(movement_csv_read, "", "no column \"reference\"");
    refused(movement_csv_read, "reference,amount,currency,date\n", "no column \"text\"");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR,2026-11-20,\"a\n\nb\"\n,1,EUR,2026-11-20,\n", "line 5");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR\n", "line 2: 3 columns");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR,20.11.2026,\n", "line 2: \"20.11.2026\"");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR,2026-11-20,\"open\n", "unmatched quotes");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR,2026-11-20,\"a\"b\n", "unmatched quotes");
    refused(movement_csv_read, COLUMNS "R1,1.00,EUR,2026-11-20,\xff\n", "UTF-8");
    memset(wide, ',', 200);
    refused(movement_csv_read, wide, "more than 64 columns");
    memset(wide, 'a', sizeof(wide) - 1);
    refused(movement_csv_read, wide, "longer than");
#undef COLUMNS
}

static void remittances_name_invoices(void **state)
{
    static const struct {
        const char *text;
        enum remittance found;
        const char *number;
    } cases[] = {
        {"INV-2026-000123", REMITTANCE_ONE, "INV-2026-000123"},
        {"for inv 2026/ 000123, thanks", REMITTANCE_ONE, "INV-2026-000123"},
        {"INV2026000123", REMITTANCE_ONE, "INV-2026-000123"},
        {"INV-2026-000123 EREF INV-2026-000123", REMITTANCE_ONE, "INV-2026-000123"},
        {"INV-2026-0001234", REMITTANCE_NONE, NULL},
        {"XINV-2026-000123", REMITTANCE_NONE, NULL},
        {"\xc3\xa4INV-2026-000123", REMITTANCE_NONE, NULL},
        {"2026-000123", REMITTANCE_NONE, NULL},
        {"INV-2026-000123 and INV-2026-000124", REMITTANCE_SEVERAL, "INV-2026-000124"},
        {"", REMITTANCE_NONE, NULL},
    };
    const char *number;
    json_t *numbers = json_object();
    (void)state;
    assert_int_equal(remittance_add(numbers, "INV-2026-000123"), 0);
    assert_int_equal(remittance_add(numbers, "INV-2026-000124"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(remittance_find(numbers, cases[i].text, &number), cases[i].found);
        if (cases[i].number)
            assert_string_equal(number, cases[i].number);
    }
    /* Two that differ in what banks lose are one for nobody. */
    assert_int_equal(remittance_add(numbers, "A-11"), 0);
    assert_int_equal(remittance_find(numbers, "A-11", &number), REMITTANCE_ONE);
    assert_int_equal(remittance_add(numbers, "A1-1"), 0);
    assert_int_equal(remittance_add(numbers, "A1-1"), 0);
    assert_int_equal(remittance_find(numbers, "A-11", &number), REMITTANCE_SEVERAL);
    json_decref(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(camt_one_transaction),
        cmocka_unit_test(camt_several_transactions),
        cmocka_unit_test(camt_leaves_out),
        cmocka_unit_test(camt_refuses),
        cmocka_unit_test(csv_is_read),
        cmocka_unit_test(csv_refuses),
        cmocka_unit_test(remittances_name_invoices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
