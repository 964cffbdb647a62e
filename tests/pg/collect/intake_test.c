/* What a bank's file says is booked once, on the invoice that it is for; what came back opens it again; and
 * what is not sure is left for a person (ledger/collect/intake, event). Files as a bank writes them are taken
 * in one after another; invoices are over a fee each. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/collect/event.h"
#include "ledger/collect/intake.h"
#include "ledger/format/bank/movement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT   "DE89370400440532013000"
#define MAX_TOLD  32
#define FIRST_DAY INT64_C(1790812800000) /* 2026-10-01 */

static char output[OUTPUT_MAX];
static struct pg *pg;

/* --- A ledger with invoices --- */

static struct pg *operator_session(void)
{
    struct pg *session = pg_open(&(struct pg_options){.config = ledger_config(),
                                                      .role = "crawltab_operator",
                                                      .application = "test",
                                                      .connect_ms = 5000,
                                                      .timeout_ms = 10000});
    assert_non_null(session);
    return session;
}

/* TEST-INV-2026-000001 and so on, over these amounts in minor units, ending with 0. */
static void invoices(const int *minor)
{
    static char text[1024];
    clock_set_offset_ms(FIRST_DAY + 43200000 - clock_now_ms());
    writer_stop(writer_start_ready()); /* makes the site and its days */
    clock_set_offset_ms(0);
    for (int n = 1; *minor; n++, minor++) {
        snprintf(text, sizeof(text),
                 "WITH account AS (INSERT INTO crawler (agent, first_seen_at) VALUES ('https://c%d.example',"
                 " now()) RETURNING *) INSERT INTO agreement (site_id, crawler_id, version, valid_from,"
                 " recorded_at, actor, reason, status, cadence, subscription, fee_micros, included_crawls,"
                 " minimum_fee_micros, minimum_invoice_micros, tax_treatment, tax_rate_ppm, due_days, buyer,"
                 " settlement) SELECT 1, crawler_id, 1, instant(0), now(), 'test', 'test', 'active', 'daily',"
                 " false, %d0000, 0, 0, 0, 'none', 0, 14, '{\"name\": \"Crawler\"}', '{}' FROM account",
                 n, *minor);
        sql_own(text);
    }
    if (CRAWLTAB(output, "nightly", "--day", "2026-10-01") != 0)
        fail_msg("%s", output);
    pg = operator_session();
}

static int teardown(void **state)
{
    pg_close(pg);
    pg = NULL;
    return ledger_teardown(state);
}

static const char *number_of(int n)
{
    static char text[4][24];
    static size_t next;
    char *out = text[next++ % 4];
    snprintf(out, sizeof(text[0]), "TEST-INV-2026-%06d", n);
    return out;
}

static int64_t open_of(int n)
{
    const struct event_subject subject = {.number = number_of(n), .site = "example", .actor = "test"};
    struct event_invoice invoice;
    struct event_state state;
    enum event_outcome outcome;
    assert_int_equal(event_begin(pg, &subject, &invoice, &outcome), ERR_OK);
    assert_int_equal(outcome, EVENT_DONE);
    assert_int_equal(event_read(pg, &invoice, &state), ERR_OK);
    pg_rollback(pg);
    return state.open_minor;
}

static void paid_by_hand(int n, int64_t minor, const char *reference)
{
    const struct event_subject subject = {number_of(n), "example", "test", clock_now_ms(), false};
    const struct event_money money = {.amount_micros = minor * 10000, .reference = reference};
    struct event_state state;
    enum event_outcome outcome;
    assert_int_equal(event_receive(pg, &subject, &money, &outcome, &state), ERR_OK);
    assert_int_equal(outcome, EVENT_DONE);
}

/* How often, and as what last, the invoice was returned. */
static const char *returns_of(int n)
{
    static char text[256];
    snprintf(text, sizeof(text),
             "SELECT count(*), (array_agg(detail ORDER BY step DESC))[1] FROM invoice_event"
             " WHERE number = '%s' AND event = 'returned'",
             number_of(n));
    return sql(text);
}

/* --- Files --- */

/* What was told of the last file. */
static struct {
    enum intake_kind kind;
    char number[24];
    char amount[24];
    char told[INTAKE_TOLD_MAX];
} told[MAX_TOLD];
static size_t told_count;

static void note(void *context, const json_t *movement, const struct intake_result *result)
{
    (void)context;
    (void)movement;
    assert_true(told_count < MAX_TOLD);
    told[told_count].kind = result->kind;
    snprintf(told[told_count].number, sizeof(told[0].number), "%s", result->number ? result->number : "-");
    snprintf(told[told_count].amount, sizeof(told[0].amount), "%s", result->amount);
    snprintf(told[told_count++].told, sizeof(told[0].told), "%s", result->told);
}

static void take(const char *text, bool dry_run)
{
    struct intake intake = {.pg = pg,
                            .site_id = 1,
                            .site = "example",
                            .currency = "USD",
                            .account = ACCOUNT,
                            .actor = "test",
                            .dry_run = dry_run};
    struct format_output out = {0};
    const json_t *movement;
    size_t i;
    json_t *list = movement_read(slice_of(text), &out);
    if (!list)
        fail_msg("%s", out.error);
    list = movement_sorted(list);
    told_count = 0;
    assert_int_equal(intake_open(&intake), ERR_OK);
    json_array_foreach(list, i, movement)
    {
        assert_int_equal(intake_take(&intake, movement, note, NULL), ERR_OK);
    }
    intake_close(&intake);
    json_decref(list);
}

/* Takes the file in and expects of its movements, in order: b, booked; r, returned; =, booked before; l,
 * left;
 * ., none. */
static void expect_of(const char *text, bool dry_run, const char *kinds)
{
    static const char letters[] = {[INTAKE_BOOKED] = 'b',
                                   [INTAKE_RETURNED] = 'r',
                                   [INTAKE_BEFORE] = '=',
                                   [INTAKE_LEFT] = 'l',
                                   [INTAKE_NONE] = '.'};
    char found[MAX_TOLD + 1] = "";
    take(text, dry_run);
    for (size_t i = 0; i < told_count; i++)
        found[i] = letters[told[i].kind];
    if (strcmp(found, kinds) != 0)
        fail_msg("\"%s\", not \"%s\"; first: %s", found, kinds, told_count ? told[0].told : "nothing");
}

static void expect(const char *text, const char *kinds)
{
    expect_of(text, false, kinds);
}

static void expect_told(size_t at, const char *number, const char *words)
{
    assert_true(at < told_count);
    assert_string_equal(told[at].number, number);
    if (!strstr(told[at].told, words))
        fail_msg("\"%s\" does not say \"%s\"", told[at].told, words);
}

#define FILE_OF(entries)            FILE_FROM(ACCOUNT, entries)
#define FILE_FROM(account, entries) HEAD STATEMENT(account, entries) TAIL
#define HEAD                                                                                                 \
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><GrpHdr>"               \
    "<MsgId>M</MsgId></GrpHdr>"
#define TAIL "</BkToCstmrStmt></Document>"
#define STATEMENT(account, entries)                                                                          \
    "<Stmt><Id>1</Id><Acct><Id><IBAN>" account "</IBAN></Id></Acct>" entries "</Stmt>"
#define AMOUNT(amount) "<Amt Ccy='USD'>" amount "</Amt>"
#define ENTRY(side, amount, day, reference, details)                                                         \
    "<Ntry>" AMOUNT(amount) "<CdtDbtInd>" side                                                               \
                            "</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-" day                  \
                            "</Dt></BookgDt><AcctSvcrRef>" reference "</AcctSvcrRef><NtryDtls>" details      \
                            "</NtryDtls></Ntry>"
#define TEXT(text) "<RmtInf><Ustrd>" text "</Ustrd></RmtInf>"
#define ONE(inner) "<TxDtls>" inner "</TxDtls>"
/* Paid, and gone back with a reason. */
#define PAID(amount, day, reference, text) ENTRY("CRDT", amount, day, reference, ONE(TEXT(text)))
#define BACK(amount, day, reference, text, more)                                                             \
    ENTRY("DBIT", amount, day, reference, ONE(TEXT(text) more "<RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf>"))
#define CSV    "reference,amount,currency,date,text\n"
#define INV(n) "TEST-INV-2026-00000" n

/* --- Tests --- */

static void two_true_movements_are_two(void **state)
{
#define TWIN PAID("5.00", "20", "NONREF", INV("1"))
    (void)state;
    invoices((const int[]){10000, 10000, 0});
    expect(FILE_OF(TWIN TWIN), "bb");
    assert_int_equal(open_of(1), 9000);
    expect(FILE_OF(TWIN TWIN), "==");
    /* A statement that overlaps, in which a third one is, and two statements in one file with the same day.
     */
    expect(FILE_OF(PAID("5.00", "19", "NONREF", INV("1")) TWIN TWIN TWIN), "b==b");
    expect(HEAD STATEMENT(ACCOUNT, TWIN TWIN) STATEMENT(ACCOUNT, TWIN) TAIL, "===");
    assert_int_equal(open_of(1), 8000);
    /* Lines counted anew in each statement are no names; nor do they part what overlaps. */
    expect(FILE_OF(PAID("5.00", "20", "0001", "part of " INV("2"))), "b");
    expect(FILE_OF(PAID("5.00", "23", "0001", "part of " INV("2"))), "b");
    expect(FILE_OF(PAID("5.00", "20", "0001", "rest of " INV("2"))), "b");
    expect(FILE_OF(PAID("1.00", "19", "0001", "else") PAID("5.00", "20", "0002", "part of " INV("2"))), "l=");
    assert_int_equal(open_of(2), 8500);
#undef TWIN
}

static void names_hold_from_file_to_file(void **state)
{
    (void)state;
    invoices((const int[]){10000, 10000, 10000, 0});
    /* Whatever the text in another format; what a person has told by it, also on another day. */
    expect(FILE_OF(PAID("5.00", "20", "BANK-77", INV("1"))), "b");
    expect(CSV "BANK-77,5.00,USD,2026-11-20,for " INV("1") " thanks\n", "=");
    paid_by_hand(1, 700, "BANK-78");
    expect(FILE_OF(PAID("7.00", "20", "BANK-78", INV("1"))), "=");
    expect(FILE_OF(PAID("6.00", "20", "BANK-78", INV("1"))), "l");
    expect_told(0, number_of(1), "booked before, with another amount");
    /* A name that comes again on another day was none. */
    expect(FILE_OF(PAID("5.00", "21", "BANK-77", INV("1"))), "b");
    assert_int_equal(open_of(1), 8300);
    /* One for two entries of a statement. */
    expect(FILE_OF(PAID("5.00", "20", "SHARED-1", INV("2")) PAID("3.00", "20", "SHARED-1", INV("2"))), "bb");
    expect(FILE_OF(PAID("5.00", "20", "SHARED-1", INV("2")) PAID("3.00", "20", "SHARED-1", INV("2"))), "==");
    assert_int_equal(open_of(2), 9200);
    /* What a version that knew only references has booked. */
    sql_own(
        "INSERT INTO invoice_payment SELECT site_id, number, r, 500, '2026-11-20', now(), 'x' FROM invoice,"
        " unnest('{NONREF,B1/2}'::text[]) AS r WHERE number = 'TEST-INV-2026-000003'");
    expect(FILE_OF(PAID("5.00", "20", "NONREF", INV("3")) PAID("5.00", "20", "NONREF", INV("3"))), "=b");
    expect(FILE_OF(ENTRY("CRDT", "10.00", "20", "B1",
                         ONE("<AmtDtls><TxAmt>" AMOUNT("5.00") "</TxAmt></AmtDtls>" TEXT("rent"))
                             ONE("<AmtDtls><TxAmt>" AMOUNT("5.00") "</TxAmt></AmtDtls>" TEXT(INV("3"))))),
           "l=");
    /* What the payer sent is not what came in. */
    expect(FILE_OF(ENTRY("CRDT", "5.00", "22", "X1",
                         ONE("<AmtDtls><InstdAmt>" AMOUNT("9.99") "</InstdAmt></AmtDtls>" TEXT(INV("3"))))),
           "b");
    assert_int_equal(open_of(3), 8000);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

static void what_is_not_sure_is_left(void **state)
{
    (void)state;
    invoices((const int[]){5, 10000, 10000, 0});
    /* One odd entry is its own affair. */
    expect(FILE_OF(PAID("1,00", "20", "R1", INV("2")) PAID("1.00", "20", "R2", INV("2"))
                       PAID("1.00", "41", "R3", INV("2"))),
           "lbl");
    expect(CSV
           "C1,1.00,USD,2026-11-20,rent\nC2,1.00,EUR,2026-11-20," INV("2") "\nC3,0.001,USD,2026-11-20," INV(
               "2") "\nC4,1.00,USD,2026-11-20," INV("1") " " INV("2") "\nC5,-700.00,USD,2026-11-20,rent\n"
                                                                      "C6,\"1,00\",USD,2026-11-20," INV(
                                                                          "2") "\n",
           "llllb.");
    expect_told(0, "-", "names no invoice");
    expect_told(1, number_of(2), "another currency");
    expect_told(2, number_of(2), "more decimals than the currency");
    expect_told(3, "-", "several invoices");
    expect_told(5, "-", "money that went out");
    assert_int_equal(open_of(2), 9800);
    /* Another account's statement, in one file with the site's own. */
    expect(HEAD STATEMENT("DE02120300000000202051", PAID("1.00", "21", "R4", INV("2")))
               STATEMENT(ACCOUNT, PAID("2.00", "21", "R5", INV("2"))) TAIL,
           "lb");
    expect_told(0, number_of(2), "on account DE02120300000000202051, but the site's is " ACCOUNT);
    /* Too much: a little is booked and told, far too much is not booked. */
    expect(FILE_OF(PAID("300.05", "20", "R6", INV("1"))), "l");
    expect_told(0, number_of(1), "only 0.05 USD is open");
    expect(FILE_OF(PAID("0.07", "20", "R7", INV("1"))), "b");
    expect_told(0, number_of(1), "booked; 0.02 USD more than was open");
    expect(FILE_OF(PAID("0.06", "20", "R8", INV("1"))), "l");
    expect_told(0, number_of(1), "only 0.00 USD is open");
    assert_int_equal(open_of(1), -2);
    assert_int_equal(CRAWLTAB(output, "invoice", "void", number_of(3), "--reason", "a mistake"), 0);
    expect(FILE_OF(PAID("1.00", "20", "R9", INV("3"))), "l");
    expect_told(0, number_of(3), "the invoice is void");
    /* Money that went out is no return unless it says so. */
    expect(FILE_OF(ENTRY("DBIT", "1.00", "20", "R10", ONE(TEXT(INV("2"))))
                       ENTRY("DBIT", "1.00", "20", "R11", ONE(TEXT("rent")))),
           "l.");
    expect_told(0, number_of(2), "went out and names an invoice");
    assert_int_equal(open_of(2), 9600);
}

static void announced_money_is_not_booked(void **state)
{
#define WITH(status)                                                                                         \
    "<Ntry>" AMOUNT("1.00") "<CdtDbtInd>CRDT</CdtDbtInd>" status "<BookgDt><Dt>2026-11-20</Dt>"              \
                            "</BookgDt><AcctSvcrRef>R1</AcctSvcrRef><AddtlNtryInf>" INV(                     \
                                "1") "</AddtlNtryInf></Ntry>"
    (void)state;
    invoices((const int[]){10000, 0});
    expect(FILE_OF(WITH("<Sts><Cd>INFO</Cd></Sts>") WITH("<Sts><Cd>FUTR</Cd></Sts>")
                       WITH("<Sts><Cd>PDNG</Cd></Sts>") WITH("<Sts>INFO</Sts>") WITH("<Sts>FUTR</Sts>")
                           WITH("<Sts>PDNG</Sts>")),
           "......");
    expect(FILE_OF(WITH("") WITH("<Sts><Cd>NONE</Cd></Sts>")), "ll");
    assert_int_equal(open_of(1), 10000);
    /* A dry run says what the file would do, each movement after the other, and does nothing. */
    expect_of(FILE_OF(WITH("<Sts>BOOK</Sts>") BACK("1.00", "21", "R2", INV("1"), "")), true, "br");
    assert_int_equal(open_of(1), 10000);
    expect(FILE_OF(WITH("<Sts>BOOK</Sts>")), "b");
    assert_int_equal(open_of(1), 9900);
#undef WITH
}

static void what_came_back_opens_the_invoice(void **state)
{
    (void)state;
    invoices((const int[]){1000, 1000, 0});
    /* The bank may list the return first. */
    expect(FILE_OF(BACK("10.00", "20", "RT-1", INV("1"), "") PAID("10.00", "20", "NONREF", INV("1"))), "br");
    assert_int_equal(open_of(1), 1000);
    assert_string_equal(returns_of(1), "1|AM04 (insufficient funds); RT-1");
    expect(FILE_OF(BACK("10.00", "20", "RT-1", INV("1"), "") PAID("10.00", "20", "NONREF", INV("1"))), "==");
    /* The bank's charges are not the payer's. */
    expect(FILE_OF(PAID("10.00", "21", "NONREF", INV("2"))
                       BACK("13.00", "22", "RT-2", INV("2"),
                            "<AmtDtls><InstdAmt>" AMOUNT("10.00") "</InstdAmt></AmtDtls>")),
           "br");
    expect_told(1, number_of(2),
                "returned (AM04 (insufficient funds)): 10.00 USD open; 3.00 USD are the bank's");
    assert_int_equal(open_of(2), 1000);
    /* A negative line of CSV, with what it says for a reason; twice the same is two. */
    expect(CSV "P1,5.00,USD,2026-11-23," INV("2") "\nP2,5.00,USD,2026-11-23," INV("2") "\n", "bb");
    expect(CSV ",-5.00,USD,2026-11-24,gone " INV("2") "\n,-5.00,USD,2026-11-24,gone " INV("2") "\n", "rr");
    expect(CSV ",-5.00,USD,2026-11-24,gone " INV("2") "\n", "=");
    assert_int_equal(open_of(2), 1000);
    assert_memory_equal(returns_of(2), "3|gone TEST-INV-2026-000002; 2026-11-24/", 35);
    /* A batch of returns. */
    expect(FILE_OF(PAID("10.00", "25", "P3", INV("1")) PAID("10.00", "25", "P4", INV("2")) ENTRY(
               "DBIT", "20.00", "26", "B2",
               ONE(AMOUNT("10.00") TEXT(INV("1")) "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>")
                   ONE(AMOUNT("10.00") TEXT(INV("2")) "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>"))),
           "bbrr");
    assert_int_equal(open_of(1), 1000);
    assert_int_equal(open_of(2), 1000);
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* A return whose payment was never booked takes nothing that came in later. */
static void what_had_not_come_in_is_not_taken_back(void **state)
{
    (void)state;
    invoices((const int[]){1000, 0});
    expect(FILE_OF(BACK("10.00", "20", "RT-3", INV("1"), "")), "l");
    expect_told(0, number_of(1), "but only 0.00 USD was booked as received");
    expect(FILE_OF(PAID("10.00", "25", "P1", INV("1"))), "b");
    expect(FILE_OF(BACK("10.00", "20", "RT-3", INV("1"), "")), "l");
    assert_int_equal(open_of(1), 0);
    assert_string_equal(returns_of(1), "1|AM04 (insufficient funds); RT-3");
    /* The payment of the day before, in a file that is given later, is what came back. */
    expect(FILE_OF(PAID("10.00", "19", "P0", INV("1")) BACK("10.00", "20", "RT-3", INV("1"), "")), "br");
    assert_int_equal(open_of(1), 0);
    assert_string_equal(returns_of(1), "1|AM04 (insufficient funds); RT-3");
    expect(FILE_OF(BACK("10.00", "20", "RT-3", INV("1"), "")), "=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_true_movements_are_two, ledger_setup, teardown),
        cmocka_unit_test_setup_teardown(names_hold_from_file_to_file, ledger_setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_sure_is_left, ledger_setup, teardown),
        cmocka_unit_test_setup_teardown(announced_money_is_not_booked, ledger_setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_back_opens_the_invoice, ledger_setup, teardown),
        cmocka_unit_test_setup_teardown(what_had_not_come_in_is_not_taken_back, ledger_setup, teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
