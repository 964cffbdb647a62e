/* What can be disputed, by whom, and until when; and that the gate's role can open a crawler's dispute and do
 * nothing else. Tests ledger/dispute/opening.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/bill/adjustment.h"
#include "ledger/dispute/opening.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "https://a.example"
#define B "https://b.example"

static char output[OUTPUT_MAX];
static char paid[UUID_TEXT_MAX], others[UUID_TEXT_MAX], old[UUID_TEXT_MAX];

static struct pg *connect_as(const char *role)
{
    struct pg *one = pg_open(&(struct pg_options){.config = ledger_config(),
                                                  .role = role,
                                                  .application = "opening_test",
                                                  .connect_ms = 10000,
                                                  .timeout_ms = 10000});
    assert_non_null(one);
    return one;
}

static int setup(void **state)
{
    ledger_judged(false);
    ledger_setup(state);
    uuid_format(days_charge(71, A, 2500000, 1), old);
    uuid_format(days_charge(3, B, 40000, 3), others);
    uuid_format(days_charge(3, A, 1250000, 3), paid);
    return 0;
}

static int64_t crawler_of(const char *agent)
{
    char text[200];
    snprintf(text, sizeof(text), "SELECT crawler_id FROM crawler WHERE agent = '%s'", agent);
    return strtoll(sql(text), NULL, 10);
}

static struct dispute_subject payment_of(const char *id)
{
    struct dispute_subject subject = {.number = NULL};
    snprintf(subject.payment_id, sizeof(subject.payment_id), "%s", id);
    return subject;
}

static struct dispute_subject line_of(const char *number, int64_t line)
{
    return (struct dispute_subject){.number = number, .line = line};
}

/* As the gate does, when the crawler has signed. Returns "outcome: cause cause …", static. */
static const char *open_signed_as(struct pg *pg, const char *agent, const char *reason,
                                  const struct dispute_subject *subjects, size_t count)
{
    static char text[600];
    static const uint8_t key[32] = "a thumbprint has thirty-two byte";
    const struct dispute_opening opening = {1, reason, "we never had it", subjects, count, 60, 14};
    const struct dispute_request request = {crawler_of(agent), SLICE("{\"reason\":…}"),
                                            SLICE("\"@method\": POST"), SLICE("\x01\x02\xff"),
                                            slice_bytes(key, sizeof(key))};
    struct dispute_opened opened;
    size_t at;
    json_t *subject;
    assert_int_equal(dispute_open_signed(pg, &opening, &request, clock_now_ms(), &opened), ERR_OK);
    snprintf(text, sizeof(text), "%s:", json_string_value(json_object_get(opened.answer, "outcome")));
    json_array_foreach(json_object_get(opened.answer, "subjects"), at, subject)
    {
        const char *cause = json_string_value(json_object_get(subject, "cause"));
        /* Each cause has its sentence, and what is opened has none. */
        assert_int_equal(json_object_get(subject, "sentence") != NULL, *cause != '\0');
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", *cause ? cause : "ok");
    }
    assert_int_equal(json_array_size(json_object_get(opened.answer, "subjects")), count);
    assert_int_equal(opened.id[0] != '\0', opened.outcome != DISPUTE_REFUSED);
    json_decref(opened.answer);
    return text;
}

static const char *open_signed(const char *agent, const char *reason, const struct dispute_subject *subjects,
                               size_t count)
{
    struct pg *pg = connect_as("crawltab_gate");
    const char *text = open_signed_as(pg, agent, reason, subjects, count);
    pg_close(pg);
    return text;
}

static const char *open_one(const char *agent, struct dispute_subject subject)
{
    return open_signed(agent, "service_not_delivered", &subject, 1);
}

static void a_crawler_opens_what_is_its_own(void **state)
{
    const struct dispute_subject both[] = {payment_of(paid), payment_of(others)};
    const struct dispute_subject twice[] = {payment_of(paid), payment_of(paid)};
    (void)state;
    /* Another's payment is as unknown as one that nobody has made. */
    assert_string_equal(open_signed(A, "other", both, 2), "refused: ok unknown");
    assert_string_equal(open_one(A, payment_of("01890000-0000-7000-8000-000000000001")), "refused: unknown");
    assert_string_equal(open_signed(A, "other", twice, 2), "refused: ok twice");
    assert_string_equal(open_one(A, payment_of(old)), "refused: late");
    assert_string_equal(sql("SELECT count(*) FROM dispute"), "0");
    assert_string_equal(open_one(A, payment_of(paid)), "opened: ok");
    assert_string_equal(
        sql("SELECT opened_by, reason, statement, convert_from(signature_base, 'UTF8'), evidence_name,"
            " due_at - opened_at, crawler_id = (SELECT crawler_id FROM crawler WHERE agent = '" A "'),"
            " amount_micros, event, d.actor FROM dispute d JOIN dispute_subject USING (dispute_id)"
            " JOIN dispute_event USING (dispute_id)"),
        "crawler|service_not_delivered|we never had it|\"@method\": POST|request|14 "
        "days|t|1250000|opened|" A);
    assert_string_equal(sql("SELECT status, open, upheld_micros, claimed_micros FROM dispute_state"),
                        "opened|t|0|1250000");
    /* Sent again it is the same; for another reason it is disputed already. */
    assert_string_equal(open_one(A, payment_of(paid)), "known: disputed");
    const struct dispute_subject again = payment_of(paid);
    assert_string_equal(open_signed(A, "overcharge", &again, 1), "refused: disputed");
    assert_string_equal(sql("SELECT count(*) FROM dispute"), "1");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

static void lines_of_invoices_can_be_disputed(void **state)
{
    char number[64], credit[64], text[256];
    (void)state;
    if (CRAWLTAB(output, "nightly", "--day", days_date(2)) != 0)
        fail_msg("%s", output);
    snprintf(number, sizeof(number), "%s",
             sql("SELECT number FROM invoice WHERE agent = '" A "' ORDER BY local_date DESC LIMIT 1"));
    assert_string_equal(open_one(A, line_of("INV-1999-000001", 1)), "refused: unknown-invoice");
    assert_string_equal(open_one(B, line_of(number, 1)), "refused: unknown-invoice");
    assert_string_equal(open_one(A, line_of(number, 7)), "refused: unknown-line");
    assert_string_equal(open_one(A, line_of(number, 1)), "opened: ok");
    assert_string_equal(open_one(A, line_of(number, 1)), "known: disputed");
    /* A payment of that line is disputed with it. */
    assert_string_equal(open_one(A, payment_of(paid)), "refused: disputed");
    /* The invoice of the old crawl was made just now, and its window counts from there. */
    assert_string_equal(open_one(A, payment_of(old)), "opened: ok");
    /* What was taken back is no longer in dispute. */
    assert_int_equal(CRAWLTAB(output, "adjust", others, "--reversal", "--reason", "empty"), 0);
    assert_string_equal(open_one(B, payment_of(others)), "refused: taken-back");
    snprintf(credit, sizeof(credit), "%s",
             sql("SELECT number FROM invoice WHERE agent = '" B "' AND kind = 'invoice'"));
    static char other[UUID_TEXT_MAX];
    /* Ids of one millisecond have no order. */
    snprintf(text, sizeof(text),
             "SELECT c.payment_id FROM charge c JOIN crawler USING (crawler_id) WHERE agent = '" B "'"
             " AND payment_id <> '%s' LIMIT 1",
             others);
    snprintf(other, sizeof(other), "%s", sql(text));
    assert_string_equal(open_one(B, payment_of(other)), "opened: ok");
    assert_string_equal(open_one(B, line_of(credit, 1)), "refused: disputed");
    assert_int_equal(CRAWLTAB(output, "invoice", "void", credit, "--reason", "wrong"), 0);
    assert_string_equal(open_one(B, line_of(credit, 1)), "refused: disputed");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
}

/* An entry like `paid`, but for what `change` says in JSON; static. */
static const char *entry_with(const char *change)
{
    static char id[UUID_TEXT_MAX];
    static int lane;
    char text[1024];
    snprintf(text, sizeof(text), "SELECT left('%s', 28) || '000000%02x'", paid, ++lane);
    snprintf(id, sizeof(id), "%s", sql(text));
    snprintf(
        text, sizeof(text),
        "INSERT INTO charge SELECT (jsonb_populate_record(NULL::charge, to_jsonb(c) || jsonb_build_object("
        "'payment_id', '%s', 'lane', %d) || '%s')).* FROM charge c WHERE payment_id = '%s'",
        id, lane, change, paid);
    sql(text);
    return id;
}

/* The publisher opens it, of a payment or two or of an invoice's line; the command says why it cannot be. */
static void assert_refused(const char *sentence, const char *first, const char *second)
{
    const char *const line[] = {"dispute", "open",     "--invoice", first, "--line",
                                second,    "--reason", "other",     NULL};
    const char *const payments[] = {"dispute", "open", first, "--reason", "other", second, NULL};
    assert_int_equal(crawltab(output, first[0] == '0' ? payments : line), 1);
    if (!strstr(output, sentence))
        fail_msg("%s is not in %s", sentence, output);
}

/* As a command did then, which the next close makes a credit note of. */
static bool take_back_yesterday(const char *id)
{
    struct pg *pg = connect_as("crawltab_operator");
    uint8_t payment_id[UUID_SIZE];
    const struct adjustment_row row = {
        .kind = "reversal", .payment_id = payment_id, .reason = "empty", .actor = "test"};
    enum adjustment_outcome outcome;
    struct adjustment_made made;
    assert_true(uuid_parse(slice_of(id), payment_id));
    enum err err = adjustment_make(pg, &row, days_base_ms() - 36 * (int64_t)3600000, &outcome, &made);
    pg_close(pg);
    return err == ERR_OK && outcome == ADJUSTMENT_DONE;
}

static void each_other_cause_has_its_sentence(void **state)
{
    static const char gone[] = "01890000-0000-7000-8000-000000000001"; /* of 2023-06-28 */
    char number[64], credit[64], free_crawl[UUID_TEXT_MAX], text[512];
    (void)state;
    assert_refused("it is another crawler's than the subjects before", paid, others);
    sql("INSERT INTO archive (utc_date, event, entries, sum_micros, rows_digest, file_digest, file, "
        "happened_at,"
        " actor) SELECT (uuid_instant('01890000-0000-7000-8000-000000000001') AT TIME ZONE 'UTC')::date,"
        " 'archived', 1, 1, sha256(''), sha256(''), '/x', now(), 'x'");
    assert_refused("the entries of its day are archived: they have to be restored first", gone, NULL);
    snprintf(free_crawl, sizeof(free_crawl), "%s", entry_with("{\"amount_micros\": 0}"));
    assert_refused("nothing was charged for it", free_crawl, NULL);
    snprintf(text, sizeof(text),
             "INSERT INTO unproven SELECT payment_id, site_id, crawler_id, amount_micros,"
             " 'signature' FROM charge WHERE payment_id = '%s'",
             others);
    sql(text);
    assert_refused("it is not billed: its entry is not what was signed", others, NULL);
    sql("ALTER TABLE unproven DISABLE TRIGGER append_only; DELETE FROM "
        "unproven;"
        "ALTER TABLE unproven ENABLE ALWAYS TRIGGER append_only");
    assert_refused("it is named twice", paid, paid);
    assert_refused("it is too late: it could be disputed for 60 days after the crawl, or its invoice", old,
                   NULL);
    if (CRAWLTAB(output, "nightly", "--day", days_date(3)) != 0 || !take_back_yesterday(others) ||
        CRAWLTAB(output, "nightly", "--day", days_date(2)) != 0)
        fail_msg("%s", output);
    snprintf(number, sizeof(number), "%s",
             sql("SELECT number FROM invoice WHERE agent = '" A "' ORDER BY local_date DESC LIMIT 1"));
    snprintf(credit, sizeof(credit), "%s", sql("SELECT number FROM invoice WHERE kind = 'credit-note'"));
    assert_refused("this is a credit note: it takes back, and bills nothing", credit, "1");
    const struct dispute_subject same[] = {line_of(number, 2), line_of(number, 2)};
    assert_string_equal(open_signed(A, "other", same, 2), "refused: ok twice");
    assert_refused("nothing was charged for it", number, "1"); /* of the crawl that was free */
    sql("INSERT INTO invoice_line SELECT (jsonb_populate_record(NULL::invoice_line, to_jsonb(l)"
        " || '{\"line\": 8, \"kind\": \"fee\"}')).* FROM invoice_line l WHERE line = 1");
    assert_refused("this line is no line of crawls but a matter of the agreement: ", number, "8");
    sql("INSERT INTO invoice_line SELECT (jsonb_populate_record(NULL::invoice_line, to_jsonb(l)"
        " || jsonb_build_object('line', 9, 'quantity', 10001, 'unit_price_micros', 1000, 'amount_micros', "
        "10001000))).*"
        " FROM invoice_line l WHERE line = 1");
    assert_refused("the line has 10001 crawls, too many for one dispute", number, "9");
    sql("INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)"
        " VALUES ('other', 'USD', 2, 'UTC', 'example:402', 'x', now())");
    assert_refused("the payment was made at another site: other",
                   entry_with("{\"site_id\": 2, \"resource\": \"http://other.example/\"}"), NULL);
    assert_int_equal(
        CRAWLTAB(output, "agreement", "set", A, "disputes.window_days=0", "--reason", "contract"), 0);
    assert_refused("it is too late: it could be disputed for 0 days after the crawl, or its invoice", number,
                   "2");
}

static void agreements_have_windows_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(CRAWLTAB(output, "agreement", "set", A, "disputes.window_days=90",
                              "disputes.answer_days=3", "--reason", "contract"),
                     0);
    assert_string_equal(open_one(A, payment_of(old)), "opened: ok");
    assert_string_equal(sql("SELECT due_at - opened_at FROM dispute"), "3 days");
    assert_int_equal(
        CRAWLTAB(output, "agreement", "set", A, "disputes.window_days=0", "--reason", "contract"), 0);
    assert_string_equal(open_one(A, payment_of(paid)), "refused: late");
}

struct second {
    struct pg *pg;
    enum err err;
    struct dispute_opened opened;
};

static void *open_second(void *argument)
{
    struct second *second = argument;
    const struct dispute_subject subject = payment_of(paid);
    const struct dispute_opening opening = {1, "other", "", &subject, 1, 60, 14};
    const struct dispute_request request = {1, SLICE(""), SLICE("base"), SLICE("\x01"),
                                            SLICE("a thumbprint has thirty-two byte")};
    second->err = dispute_open_signed(second->pg, &opening, &request, clock_now_ms(), &second->opened);
    return NULL;
}

/* Two gates get the same request at once: one of them opens, the other waits and finds it open. */
static void two_at_once_open_one(void **state)
{
    struct pg *first = connect_as("crawltab_gate");
    struct second second = {.pg = connect_as("crawltab_gate")};
    const struct dispute_subject subject = payment_of(paid);
    pthread_t thread;
    (void)state;
    assert_int_equal(crawler_of(A), 1);
    assert_int_equal(pg_begin(first), ERR_OK);
    assert_string_equal(open_signed_as(first, A, "other", &subject, 1), "opened: ok");
    assert_int_equal(pthread_create(&thread, NULL, open_second, &second), 0);
    wait_for_sql("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)");
    assert_int_equal(pg_commit(first), ERR_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(second.err, ERR_OK);
    assert_int_equal(second.opened.outcome, DISPUTE_KNOWN);
    assert_string_equal(second.opened.id, sql("SELECT dispute_id FROM dispute"));
    json_decref(second.opened.answer);
    pg_close(first);
    pg_close(second.pg);
}

static void the_gate_can_do_nothing_else(void **state)
{
    static const char *const refused[] = {
        "INSERT INTO dispute SELECT * FROM dispute",
        "INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor)"
        " SELECT dispute_id, 2, 1, 'upheld', now(), 'x' FROM dispute",
        "INSERT INTO dispute_finding SELECT dispute_id, gen_random_uuid(), 1, 'x', 0, NULL, now(), 'x'"
        " FROM dispute",
        "INSERT INTO adjustment SELECT * FROM adjustment", "DELETE FROM dispute",
        /* Without a signed request, or at another time than now. */
        "SELECT open_dispute(uuid_floor(now()), 1, 1, 'other', '', ARRAY[gen_random_uuid()], ARRAY[''],"
        " ARRAY[0], NULL, NULL, NULL, NULL, 1, 1)",
        "SELECT open_dispute(uuid_floor(now() - interval '2 hours'), 1, 1, 'other', '',"
        " ARRAY[gen_random_uuid()], ARRAY[''], ARRAY[0], NULL, '\\x01', '\\x01', sha256(''), 1, 1)"};
    (void)state;
    assert_string_equal(open_one(A, payment_of(paid)), "opened: ok");
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (sql_as("crawltab_gate", refused[i], output))
            fail_msg("the gate may: %s", refused[i]);
    /* For the publisher, of what could be disputed: it may look, and not write. */
    char add[400];
    snprintf(
        add, sizeof(add),
        "SELECT dispute_add(jsonb_populate_record(NULL::dispute, '{\"dispute_id\": \"%s\", \"site_id\": 1,"
        " \"opened_by\": \"publisher\", \"reason\": \"other\", \"statement\": \"\", \"actor\": \"x\"}'),"
        " ARRAY['%s'::uuid], ARRAY[''], ARRAY[0], 9999, 1)",
        paid, old);
    assert_false(sql_as("crawltab_gate", add, output));
    assert_non_null(strstr(output, "permission denied for table dispute"));
    assert_false(sql_as("crawltab_owner", "UPDATE dispute SET reason = 'other'", output));
    assert_true(sql_as("crawltab_gate", "SELECT * FROM dispute_state", output));
    assert_string_equal(sql("SELECT count(*) FROM dispute_event"), "1");
    /* A superuser's row is named. */
    sql("INSERT INTO dispute_event SELECT dispute_id, 2, 1, 'upheld', now(), 'x' FROM dispute");
    assert_int_not_equal(CRAWLTAB(output, "audit"), 0);
    assert_non_null(strstr(output, "dispute_event"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crawler_opens_what_is_its_own, setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(lines_of_invoices_can_be_disputed, setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(each_other_cause_has_its_sentence, setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(agreements_have_windows_of_their_own, setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(two_at_once_open_one, setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(the_gate_can_do_nothing_else, setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
