/* Bank files are read as they are meant (ledger/format/bank/camt, status_report and movement_csv); what is
 * odd is named, and nothing is counted twice. What payers write is matched with invoices.
 * Tests ledger/format/bank/camt.c, ledger/format/bank/movement_csv.c, ledger/format/bank/remittance.c,
 * ledger/format/bank/status_report.c */
#include "tests/unit/support.h"

#include "ledger/format/bank/movement.h"
#include "ledger/format/bank/remittance.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                                 \
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr/>"            \
    "<Stmt><Acct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id></Acct>"
#define TAIL "</Stmt></BkToCstmrStmt></Document>"
#define MORE "</Stmt><Stmt><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
#define BODY(side, amount, day, reference, details)                                                          \
    "<Ntry><Amt Ccy=\"EUR\">" amount "</Amt><CdtDbtInd>" side "</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"         \
    "<BookgDt><Dt>" day "</Dt></BookgDt><AcctSvcrRef>" reference "</AcctSvcrRef>" details "</Ntry>"
#define ENTRY(reference, amount, details) BODY("CRDT", amount, "2026-11-20", reference, details)
#define DETAILS(inner)                    "<NtryDtls><TxDtls>" inner "</TxDtls></NtryDtls>"
#define PAID(reference, amount, text)                                                                        \
    ENTRY(reference, amount, DETAILS("<RmtInf><Ustrd>" text "</Ustrd></RmtInf>"))

static json_t *read_all(const char *text)
{
    struct format_output out = {0};
    json_t *list = movement_read(slice_of(text), &out);
    if (!list)
        print_message("%s\n", out.error);
    assert_non_null(list);
    return list;
}

static void refused_bytes(struct slice bytes, const char *words)
{
    struct format_output out = {0};
    assert_null(movement_read(bytes, &out));
    if (!strstr(out.error, words))
        fail_msg("\"%s\" does not say \"%s\"", out.error, words);
}

static void refused(const char *text, const char *words)
{
    refused_bytes(slice_of(text), words);
}

static const char *member(const json_t *list, size_t at, const char *name)
{
    assert_true(at < json_array_size(list));
    return format_text(json_array_get(list, at), name);
}

static bool flag(const json_t *list, size_t at, const char *name)
{
    return json_is_true(json_object_get(json_array_get(list, at), name));
}

/* A sound credit of 2026-11-20. */
static void expect(const json_t *list, size_t at, const char *reference, const char *amount, const char *text)
{
    assert_string_equal(member(list, at, "problem"), "");
    assert_string_equal(member(list, at, "kind"), "credit");
    assert_string_equal(member(list, at, "reference"), reference);
    assert_string_equal(member(list, at, "amount"), amount);
    assert_string_equal(member(list, at, "currency"), "EUR");
    assert_string_equal(member(list, at, "booked_on"), "2026-11-20");
    assert_string_equal(member(list, at, "text"), text);
}

/* One that is not sound, and why. */
static void odd(const json_t *list, size_t at, const char *words)
{
    if (!strstr(member(list, at, "problem"), words))
        fail_msg("\"%s\" does not say \"%s\"", member(list, at, "problem"), words);
}

/* --- camt.053 --- */

static void camt_one_transaction(void **state)
{
    (void)state;
    json_t *list =
        read_all(HEAD ENTRY("R1", "12.30",
                            DETAILS("<Refs><EndToEndId>INV-2026-000001</EndToEndId></Refs>"
                                    "<RmtInf><Ustrd>for INV</Ustrd><Ustrd>thanks</Ustrd></RmtInf>"))
                     ENTRY("R2", "5.00", "<AddtlNtryInf>x</AddtlNtryInf>")
                         ENTRY("R3", "6.00",
                               DETAILS("<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Strd>"
                                       "<CdtrRefInf><Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>"
                                       "<AddtlTxInf>y</AddtlTxInf>")) TAIL);
    assert_int_equal(json_array_size(list), 3);
    expect(list, 0, "R1", "12.30", "for INV thanks INV-2026-000001");
    expect(list, 1, "R2", "5.00", "x");
    expect(list, 2, "R3", "6.00", "RF18 y");
    assert_string_equal(member(list, 0, "account"), "DE89370400440532013000");
    assert_string_equal(member(list, 1, "place"), "entry 2");
    json_decref(list);
    /* What the payer sent, before charges and in a currency of his own, is not what came in. */
    list =
        read_all(HEAD ENTRY("R1", "4.50",
                            DETAILS("<Amt Ccy='USD'>5.80</Amt><AmtDtls><InstdAmt><Amt Ccy='USD'>5.80</Amt>"
                                    "</InstdAmt><TxAmt><Amt Ccy='USD'>5.80</Amt></TxAmt></AmtDtls>")) TAIL);
    expect(list, 0, "R1", "4.50", "");
    json_decref(list);
}

#define TRANSACTION(amount, name)                                                                            \
    "<TxDtls><Refs><AcctSvcrRef>" name "</AcctSvcrRef></Refs>" amount "</TxDtls>"
#define OWN(amount)    "<Amt Ccy=\"EUR\">" amount "</Amt>"
#define OWN2(amount)   "<AmtDtls><TxAmt>" OWN(amount) "</TxAmt></AmtDtls>"
#define BATCH(details) ENTRY("B1", "3.00", "<NtryDtls>" details "</NtryDtls>")

static void camt_several_transactions(void **state)
{
    (void)state;
    json_t *list = read_all(HEAD BATCH(TRANSACTION(OWN("1.00"), "A1") TRANSACTION(OWN2("2.00"), "B2")) TAIL);
    assert_int_equal(json_array_size(list), 2);
    expect(list, 0, "A1", "1.00", "");
    expect(list, 1, "B2", "2.00", "");
    assert_string_equal(member(list, 1, "place"), "entry 1, transaction 2");
    json_decref(list);
    /* The text of a batch belongs to none of its transactions. */
    list = read_all(HEAD ENTRY(
        "B1", "3.00",
        "<NtryDtls>" TRANSACTION(OWN("1.00"), "")
            TRANSACTION(OWN("2.00"), "") "</NtryDtls><AddtlNtryInf>INV-2026-000001</AddtlNtryInf>") TAIL);
    expect(list, 0, "B1/1", "1.00", "");
    expect(list, 1, "B1/2", "2.00", "");
    json_decref(list);
    /* A bank that puts the batch's name on each. */
    list = read_all(HEAD BATCH(TRANSACTION(OWN("1.00"), "B1") TRANSACTION(OWN("2.00"), "B1")) TAIL);
    expect(list, 0, "B1", "1.00", "");
    expect(list, 1, "B1/2", "2.00", "");
    json_decref(list);
    /* What is taken from a credit is no payment: a return if it says so. */
    list = read_all(HEAD BATCH("<TxDtls>" OWN(
        "2.00") "<CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
                "<TxDtls>" OWN("1.50") "<CdtDbtInd>DBIT</CdtDbtInd><RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf>"
                                       "</TxDtls><TxDtls>" OWN("6.50") "<CdtDbtInd>CRDT</CdtDbtInd></TxDtls>")
                        TAIL);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(member(list, 0, "kind"), "debit");
    assert_string_equal(member(list, 1, "kind"), "return");
    assert_string_equal(member(list, 1, "reason"), "MD06 (refund requested by the debtor)");
    expect(list, 2, "B1/3", "6.50", "");
    json_decref(list);
}

static void camt_batches_add_up(void **state)
{
    static const char *const files[][2] = {
        {HEAD BATCH(TRANSACTION("", "A1") TRANSACTION("", "B2")) TAIL, "amount in EUR of its own"},
        {HEAD ENTRY("B1", "3.00",
                    "<NtryDtls>" TRANSACTION("", "A1") "</NtryDtls><NtryDtls>" TRANSACTION(
                        "", "B2") "</NtryDtls>") TAIL,
         "amount in EUR of its own"},
        {HEAD BATCH(TRANSACTION(OWN("1.00"), "A1") TRANSACTION("<Amt Ccy=\"USD\">2.00</Amt>", "B2")) TAIL,
         "amount in EUR of its own"},
        {HEAD BATCH(TRANSACTION(OWN("3.00"), "A1") TRANSACTION(OWN("3.00"), "B2")) TAIL,
         "come to 6.00, the batch to 3.00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        json_t *list = read_all(files[i][0]);
        assert_int_equal(json_array_size(list), 2);
        odd(list, 0, files[i][1]);
        odd(list, 1, files[i][1]);
        json_decref(list);
    }
    json_t *list = read_all(HEAD ENTRY("B1", "3.00",
                                       "<NtryDtls><Btch><PmtInfId>P-C</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"
                                       "</NtryDtls><AddtlNtryInf>INV-2026-000001</AddtlNtryInf>") TAIL);
    assert_int_equal(format_number(json_array_get(list, 0), "payments"), 3);
    assert_string_equal(member(list, 0, "text"), "");
    assert_string_equal(member(list, 0, "collection"), "P-C");
    json_decref(list);
}

/* Only what is booked has moved money, in the spelling of each version. */
static void camt_counts_what_is_booked(void **state)
{
#define WITH(status)                                                                                         \
    "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd>" status "<BookgDt><DtTm>2026-11-20T23:00:00"    \
    "</DtTm></BookgDt><NtryRef>R7</NtryRef></Ntry>"
    (void)state;
    json_t *list =
        read_all(HEAD WITH("<Sts>PDNG</Sts>") WITH("<Sts><Cd>PDNG</Cd></Sts>") WITH("<Sts>INFO</Sts>")
                     WITH("<Sts><Cd>INFO</Cd></Sts>") WITH("<Sts>FUTR</Sts>") WITH("<Sts><Cd>FUTR</Cd></Sts>")
                         WITH("<Sts>BOOK</Sts>") WITH("<Sts><Cd>BOOK</Cd></Sts>") WITH("")
                             WITH("<Sts><Cd>XXXX</Cd></Sts>") WITH("<Sts><Prtry>BOOK</Prtry></Sts>") TAIL);
    assert_int_equal(json_array_size(list), 11);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(member(list, i, "kind"), "announced");
    expect(list, 6, "R7", "1", "");
    expect(list, 7, "R7", "1", "");
    odd(list, 8, "its status is \"\", not BOOK");
    odd(list, 9, "its status is \"XXXX\", not BOOK");
    odd(list, 10, "not BOOK");
    json_decref(list);
#undef WITH
}

static void camt_returns(void **state)
{
#define DEBIT(more, details) BODY("DBIT", "3.12", "2026-11-20", "R1", more details)
#define REASON(code, more)   "<RtrInf><Rsn><Cd>" code "</Cd></Rsn>" more "</RtrInf>"
    static const struct {
        const char *file, *kind, *reason, *original;
    } cases[] = {
        {DEBIT("", ""), "debit", "", ""},
        {DEBIT("<RvslInd>false</RvslInd>", ""), "debit", "", ""},
        {DEBIT("<RvslInd>true</RvslInd>", DETAILS("<RmtInf><Ustrd>no money</Ustrd></RmtInf>")), "return",
         "no money", ""},
        {DEBIT("<RvslInd>1</RvslInd>", "<AddtlNtryInf>gone</AddtlNtryInf>"), "return", "gone", ""},
        {DEBIT("", DETAILS(REASON("AM04", ""))), "return", "AM04 (insufficient funds)", ""},
        {DEBIT("", DETAILS(REASON("XX99", "<AddtlInf>as it is</AddtlInf>"))), "return", "XX99 as it is", ""},
        {DEBIT("<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd></Fmly></Domn></BkTxCd>", ""), "return", "",
         ""},
        {DEBIT("<BkTxCd><Prtry><Cd>NRTI+109</Cd></Prtry></BkTxCd>", ""), "return", "", ""},
        {DEBIT("<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd></Fmly></Domn></BkTxCd>", ""), "debit", "", ""},
        {DEBIT("", DETAILS("<AmtDtls><InstdAmt>" OWN("0.12") "</InstdAmt></AmtDtls>" REASON("AC04", ""))),
         "return", "AC04 (account closed)", "0.12"},
        {DEBIT("", DETAILS(REASON("AC04", "") "<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>3.00</TtlChrgsAndTaxAmt>"
                                              "</Chrgs>")),
         "return", "AC04 (account closed)", "0.12"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char file[2048];
        snprintf(file, sizeof(file), "%s%s%s", HEAD, cases[i].file, TAIL);
        json_t *list = read_all(file);
        assert_int_equal(json_array_size(list), 1);
        assert_string_equal(member(list, 0, "kind"), cases[i].kind);
        assert_string_equal(member(list, 0, "reason"), cases[i].reason);
        assert_string_equal(member(list, 0, "amount"), "3.12");
        assert_string_equal(member(list, 0, "original"), cases[i].original);
        json_decref(list);
    }
    json_t *list =
        read_all(HEAD "<Ntry><Amt Ccy='EUR'>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd>"
                      "<Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry>" TAIL);
    odd(list, 0, "takes back a debit");
    json_decref(list);
}

/* One odd entry is its own affair. */
static void camt_odd_entries(void **state)
{
    (void)state;
    json_t *list = read_all(
        HEAD PAID("R1", "", "a") PAID("R2", "1,00", "b") PAID("R3", "0.00", "c") PAID("R4", "5.00", "d")
            BODY("CRDT", "1.00", "2026-13-01", "R5", "") BODY("CRDT", "1.00", "", "R6", "")
                BODY("", "1.00", "2026-11-20", "R7",
                     "") "<Ntry><Amt>1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>" TAIL);
    assert_int_equal(json_array_size(list), 8);
    odd(list, 0, "no amount");
    odd(list, 1, "\"1,00\" is no decimal");
    odd(list, 2, "above 0");
    expect(list, 3, "R4", "5.00", "d");
    odd(list, 4, "\"2026-13-01\" is no date");
    odd(list, 5, "no date");
    odd(list, 6, "neither CRDT nor DBIT");
    odd(list, 7, "no currency");
    json_decref(list);
}

/* --- Identity --- */

static void assert_identity(const json_t *a, size_t i, const json_t *b, size_t k, bool same)
{
    bool equal = strcmp(member(a, i, "identity"), member(b, k, "identity")) == 0;
    if (equal != same)
        fail_msg("movements %zu (%s) and %zu (%s)", i, member(a, i, "identity"), k, member(b, k, "identity"));
}

static void references_that_name(void **state)
{
    static const char *const names[] = {"R1", "2026112000017", "0000012345678", "NL26ABNA/17", "a1"};
    static const char *const none[] = {"",       "NONREF", "NOTPROVIDED", "0",       "000000000000", "1",
                                       "000017", "123456", "12-4",        "UNKNOWN", "KEINE",        "-"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_true(movement_is_name(names[i]));
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        assert_false(movement_is_name(none[i]));
}

/* Equal movements of a day are counted; statements that overlap count alike, each by itself. */
static void twins_are_two_and_overlaps_are_one(void **state)
{
#define TWIN(reference) PAID(reference, "5.00", "INV 1")
    (void)state;
    json_t *first = read_all(HEAD TWIN("NONREF") TWIN("NONREF") PAID("NONREF", "5.00", "INV 2") TAIL);
    json_t *second = read_all(HEAD BODY("CRDT", "5.00", "2026-11-19", "NONREF", "") TWIN("NONREF")
                                  TWIN("NONREF") TWIN("NONREF") MORE TWIN("NONREF") TAIL);
    assert_identity(first, 0, first, 1, false);
    assert_identity(first, 0, first, 2, false);
    assert_identity(first, 0, second, 1, true);
    assert_identity(first, 1, second, 2, true);
    assert_identity(first, 1, second, 3, false);
    assert_identity(first, 0, second, 4, true); /* the other statement begins anew */
    assert_true(flag(first, 0, "first"));
    assert_false(flag(first, 1, "first"));
    assert_true(flag(first, 2, "first"));
    assert_false(flag(first, 0, "unique"));
    json_decref(second);
    /* Numbers of a statement's lines say nothing, and 5.0 is 5.00. */
    second = read_all(HEAD PAID("7", "5.0", "inv-1") PAID("8", "5", "INV 1") TAIL);
    assert_identity(first, 0, second, 0, true);
    assert_identity(first, 1, second, 1, true);
    assert_false(flag(second, 0, "unique"));
    json_decref(second);
    /* Another day, amount, side or account is another movement. */
    second = read_all(HEAD BODY("CRDT", "5.00", "2026-11-21", "", "<AddtlNtryInf>INV 1</AddtlNtryInf>") PAID(
        "", "5.01", "INV 1") BODY("DBIT", "5.00", "2026-11-20", "",
                                  "<AddtlNtryInf>INV 1</AddtlNtryInf>") "</Stmt><Stmt>" TWIN("") TAIL);
    assert_int_equal(json_array_size(second), 4);
    for (size_t i = 0; i < 4; i++)
        assert_identity(first, 0, second, i, false);
    json_decref(second);
    json_decref(first);
}

static void names_of_banks_are_told_from_counters(void **state)
{
    (void)state;
    json_t *list = read_all(HEAD PAID("R1", "5.00", "a") PAID("R2", "5.00", "a") PAID("R2", "6.00", "b")
                                BODY("DBIT", "5.00", "2026-11-20", "R1", "") TAIL);
    assert_true(flag(list, 0, "unique")); /* a payment and its charge may share a reference */
    assert_false(flag(list, 1, "unique"));
    assert_false(flag(list, 2, "unique"));
    assert_true(flag(list, 3, "unique"));
    assert_identity(list, 0, list, 1, false);
    json_decref(list);
    /* A transaction's own name comes first; NtryRef is one if it looks like one. */
    list =
        read_all(HEAD ENTRY("NONREF", "5.00", DETAILS("<Refs><TxId>T-1</TxId></Refs>"))
                     ENTRY("E1", "5.00", DETAILS("<Refs><AcctSvcrRef>0</AcctSvcrRef></Refs>"))
                         ENTRY("", "5.00", "<NtryRef>1</NtryRef>") ENTRY("", "6.00", "<NtryRef>X12</NtryRef>")
                             ENTRY("NONREF", "3.00",
                                   "<NtryDtls>" TRANSACTION(OWN("1.00"), "")
                                       TRANSACTION(OWN("2.00"), "") "</NtryDtls>") TAIL);
    static const char *const references[] = {"T-1", "E1", "1", "X12", "NONREF", "NONREF"};
    for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
        assert_string_equal(member(list, i, "reference"), references[i]);
        assert_int_equal(flag(list, i, "unique"), i != 2 && i < 4);
    }
    json_decref(list);
}

/* --- pain.002 --- */

#define REPORT(inner)                                                                                        \
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><CreDtTm>"   \
    "2026-11-20T08:00:00</CreDtTm></GrpHdr>" inner "</CstmrPmtStsRpt></Document>"
#define MESSAGE(status)                                                                                      \
    "<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><GrpSts>" status "</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd>" \
    "</Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
#define REFUSAL(id, status)                                                                                  \
    "<TxInfAndSts><StsId>S1</StsId><OrgnlEndToEndId>" id "</OrgnlEndToEndId>" status                         \
    "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>IBAN</AddtlInf></StsRsnInf><OrgnlTxRef><Amt>"              \
    "<InstdAmt Ccy='EUR'>0.12</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"

static void status_reports(void **state)
{
    (void)state;
    json_t *list =
        read_all(REPORT(MESSAGE("PART") "<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1-B</OrgnlPmtInfId>" REFUSAL(
            "INV-1", "<TxSts>RJCT</TxSts>") REFUSAL("INV-2", "<TxSts>ACSC</TxSts>")
                            REFUSAL("INV-3", "") "</OrgnlPmtInfAndSts>"));
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(member(list, 0, "kind"), "rejection");
    assert_string_equal(member(list, 0, "text"), "INV-1");
    assert_string_equal(member(list, 0, "amount"), "0.12");
    assert_string_equal(member(list, 0, "collection"), "M1-B");
    assert_string_equal(member(list, 0, "reason"), "AC01 (incorrect account number) IBAN");
    assert_string_equal(member(list, 0, "problem"), "");
    json_t *again =
        read_all(REPORT(MESSAGE("RJCT") "<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1-B</OrgnlPmtInfId>" REFUSAL(
            "INV-1", "") REFUSAL("INV-2", "<TxSts>ACSC</TxSts>") "</OrgnlPmtInfAndSts>"));
    assert_int_equal(json_array_size(again), 1);
    assert_identity(list, 0, again, 0, true);
    json_decref(again);
    json_decref(list);
    list = read_all(REPORT(MESSAGE("RJCT")));
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(member(list, 0, "collection"), "M1");
    assert_string_equal(member(list, 0, "reason"), "FF01 (file format incorrect)");
    json_decref(list);
    list = read_all(
        REPORT(MESSAGE("PART") "<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1-C</OrgnlPmtInfId><PmtInfSts>RJCT"
                               "</PmtInfSts></OrgnlPmtInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>M1-B"
                               "</OrgnlPmtInfId><PmtInfSts>ACCP</PmtInfSts></OrgnlPmtInfAndSts>"));
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(member(list, 0, "collection"), "M1-C");
    assert_string_equal(member(list, 0, "reason"), "rejected by the bank");
    json_decref(list);
    list = read_all(REPORT(MESSAGE("ACCP")));
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    refused(REPORT(""), "no OrgnlGrpInfAndSts");
}

/* --- CSV --- */

static void csv_is_read(void **state)
{
    (void)state;
    json_t *list = read_all("\xef\xbb\xbf"
                            "date,more,text,amount,currency,reference\r\n"
                            "2026-11-20,x,\"INV, \"\"one\"\"\nand two\",12.30,EUR,R1\r\n"
                            "\r\n"
                            "2026-11-20,x,bounced,-1.00,EUR,R2\r\n"
                            "2026-11-20,,,+1.00,EUR,R3");
    assert_int_equal(json_array_size(list), 3);
    expect(list, 0, "R1", "12.30", "INV, \"one\"\nand two");
    assert_string_equal(member(list, 1, "kind"), "debit");
    assert_true(flag(list, 1, "unmarked"));
    assert_string_equal(member(list, 1, "amount"), "1.00");
    assert_string_equal(member(list, 1, "reason"), "bounced");
    assert_string_equal(member(list, 1, "place"), "line 5");
    expect(list, 2, "R3", "1.00", "");
    json_decref(list);
    /* As offices in half of Europe write it. */
    list = read_all("reference;amount;currency;date;text;account\n"
                    "R1;12,30;EUR;2026-11-20;a, b;DE89370400440532013000\n"
                    "R2;12,3;EUR;2026-11-20;;\n"
                    "R3;1,234;EUR;2026-11-20;;\nR4;1.234,50;EUR;2026-11-20;;\n");
    expect(list, 0, "R1", "12.30", "a, b");
    assert_string_equal(member(list, 0, "account"), "DE89370400440532013000");
    expect(list, 1, "R2", "12.3", "");
    odd(list, 2, "\"1,234\" is no decimal");
    odd(list, 3, "\"1.234,50\" is no decimal");
    json_decref(list);
}

static void csv_odd_lines(void **state)
{
#define COLUMNS "reference,amount,currency,date,text\n"
    static char text[1300] = COLUMNS "R1,1.00,EUR,2026-11-20,\"";
    (void)state;
    json_t *list = read_all(COLUMNS "R1,1.00,EUR\n"
                                    "R2,1.00,EUR,20.11.2026,\n"
                                    ",1.00,EUR,2026-11-20,no name\n"
                                    "R4,0,05,EUR,2026-11-20,comma\n"
                                    "R5,1.00,EUR,2026-11-20,\"a\"b\n"
                                    "R6,1.00,EUR,2026-11-20,\"open\n"
                                    "R7,1.00,EUR,2026-11-20,M\xfcller\n"
                                    "R8,1.00,EUR,2026-11-20,fine,,\n");
    assert_int_equal(json_array_size(list), 8);
    odd(list, 0, "it has 3 columns, the first line has 5");
    assert_string_equal(member(list, 0, "place"), "line 2");
    odd(list, 1, "\"20.11.2026\" is no date");
    expect(list, 2, "", "1.00", "no name");
    odd(list, 3, "6 columns, the first line has 5: is there a comma");
    odd(list, 4, "unmatched quotes");
    odd(list, 5, "unmatched quotes");
    assert_string_equal(member(list, 5, "place"), "line 7");
    expect(list, 6, "R7", "1.00", "M?ller");
    expect(list, 7, "R8", "1.00", "fine");
    assert_string_equal(member(list, 7, "place"), "line 9");
    json_decref(list);
    size_t len = strlen(text);
    memset(text + len, 'a', sizeof(text) - 1 - len);
    list = read_all(text);
    odd(list, 0, "longer than 1023 bytes");
    json_decref(list);
#undef COLUMNS
}

/* --- Other files --- */

static void what_is_no_statement_is_told(void **state)
{
    static char wide[5000];
    static const char utf16[] = "\xff\xfe<\0?\0x\0m\0l\0", bare[] = "<\0?\0", big[] = "\0<\0?",
                      zip[] = "PK\x03\x04\x14\0\0", binary[] = "reference,\0amount";
    (void)state;
    refused("", "it is empty");
    refused(" \n\t", "it is empty");
    refused_bytes(slice_bytes(utf16, sizeof(utf16) - 1), "UTF-16");
    refused_bytes(slice_bytes(bare, sizeof(bare) - 1), "UTF-16");
    refused_bytes(slice_bytes(big, sizeof(big) - 1), "UTF-16");
    refused_bytes(slice_bytes(zip, sizeof(zip) - 1), "zip archive");
    refused_bytes(slice_bytes(binary, sizeof(binary) - 1), "zero bytes");
    refused("\x1f\x8b\x08", "gzip");
    refused("%PDF-1.7", "PDF");
    refused(":20:STARTUMSE\r\n:25:", "MT940");
    refused("{1:F01BANKDEFF", "MT940");
    refused("<Document>", "no XML");
    refused("<Document/>", "no camt.053");
    refused("<Document><BkToCstmrStmt/></Document>", "no statement (Stmt)");
    refused("<Document><BkToCstmrAcctRpt/></Document>", "camt.052");
    refused("<Document><BkToCstmrDbtCdtNtfctn/></Document>", "camt.054");
    refused("<Document><CstmrDrctDbtInitn/></Document>", "pain.008");
    refused("a,b\n", "no column \"reference\"");
    refused("reference,amount,currency,date\n", "no column \"text\"");
    refused("reference,\"amount\n", "line 1: its column 2 has unmatched quotes");
    memset(wide, ',', 200);
    refused(wide, "more than 64 columns");
    memset(wide, 'a', sizeof(wide) - 1);
    refused(wide, "longer than");
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
        cmocka_unit_test(camt_batches_add_up),
        cmocka_unit_test(camt_counts_what_is_booked),
        cmocka_unit_test(camt_returns),
        cmocka_unit_test(camt_odd_entries),
        cmocka_unit_test(references_that_name),
        cmocka_unit_test(twins_are_two_and_overlaps_are_one),
        cmocka_unit_test(names_of_banks_are_told_from_counters),
        cmocka_unit_test(status_reports),
        cmocka_unit_test(csv_is_read),
        cmocka_unit_test(csv_odd_lines),
        cmocka_unit_test(what_is_no_statement_is_told),
        cmocka_unit_test(remittances_name_invoices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
