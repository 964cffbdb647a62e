/* What the operator reads: lookup, export and invoices of the real command. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS  ((int64_t)86400000)
#define AGENT   "https://crawler.example"
#define PAGE    "http://127.0.0.1:8402/a?b=\"c\",d"
#define FORMULA "=cmd|' /C calc'!A0"

static char output[OUTPUT_MAX];
static struct payment first;

/* Two payments two days ago, one with a conflict. */
static void history(void)
{
    clock_set_offset_ms(-2 * DAY_MS);
    struct writer *writer = writer_start_ready();
    first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    struct payment second = payment_make(clock_now_ms() + 1, FORMULA, 50000, PAGE);
    struct payment other = payment_make(0, "https://thief.example", 2500, PAGE);
    memcpy(other.charge.payment_id, first.charge.payment_id, UUID_SIZE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    assert_int_equal(payment_pay(writer, &second), ERR_OK);
    assert_int_equal(payment_pay(writer, &other), ERR_PAYMENT_CONFLICT);
    writer_stop(writer);
    clock_set_offset_ms(0);
}

static const char *get(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

/* Every line of the output fits a terminal, but for what the crawler wrote, and for its signature and key. */
static void assert_narrow(void)
{
    for (const char *line = output; *line;
         line += strspn(line + strcspn(line, "\n"), "\n") + strcspn(line, "\n"))
        assert_true(strcspn(line, "\n") <= 80 || strncmp(line, "  | ", 4) == 0 ||
                    strncmp(line, "Signature ", 10) == 0 || strncmp(line, "Public key ", 11) == 0);
}

static void lookup_tells_the_whole_story(void **state)
{
    (void)state;
    char id[UUID_TEXT_MAX];
    history();
    uuid_format(first.charge.payment_id, id);
    assert_int_equal(CRAWLTAB(output, "lookup", id), 0);
    assert_non_null(strstr(output, AGENT));
    assert_non_null(strstr(output, "0.0025 USD"));
    assert_non_null(strstr(output, "not yet invoiced"));
    assert_non_null(strstr(output, "https://thief.example"));
    assert_int_equal(CRAWLTAB(output, "lookup", id, "--json"), 0);
    json_t *json = json_loads(output, 0, NULL);
    assert_non_null(json);
    assert_string_equal(get(json, "payment_id"), id);
    assert_string_equal(get(json, "resource"), PAGE);
    assert_string_equal(get(json, "amount"), "0.0025");
    assert_int_equal(json_integer_value(json_object_get(json, "receipt_unix")),
                     first.submission.outcome.recorded_at_ms / 1000);
    char signature[ENCODING_BASE64_LEN(sizeof(first.own.signature)) + 1] = "";
    encoding_base64(first.own.signature, sizeof(first.own.signature), signature);
    assert_string_equal(get(json, "signature"), signature);
    assert_string_equal(get(json, "signature_base"), first.own.base);
    char thumbprint[ENCODING_BASE64URL_LEN(DIGEST_SIZE) + 1] = "";
    encoding_base64url(first.charge.thumbprint, DIGEST_SIZE, thumbprint);
    assert_string_equal(get(json, "thumbprint"), thumbprint);
    assert_string_equal(get(json, "status"), "paid");
    assert_true(json_is_true(json_object_get(json, "holds")));
    assert_int_equal(json_array_size(json_object_get(json, "conflicts")), 1);
    const json_t *count = json_array_get(json_object_get(json, "conflict_counts"), 0);
    assert_string_equal(get(count, "agent"), "https://thief.example");
    assert_int_equal(json_integer_value(json_object_get(count, "attempts")), 1);
    assert_int_equal(json_integer_value(json_object_get(count, "kept")), 1);
    assert_true(json_is_null(json_object_get(json, "invoice")));
    json_decref(json);
    assert_int_equal(CRAWLTAB(output, "lookup", "0199aaaa-0000-7000-8000-000000000000"), 1);
    assert_non_null(strstr(output, "no entry has this payment id"));
    assert_int_equal(CRAWLTAB(output, "lookup", "hello"), 1);
    assert_non_null(strstr(output, "no invoice, credit note or key of this ledger"));
}

/* Of many attempts with one id the first are shown, and how many more there were. */
static void lookup_and_audit_tell_how_often_an_id_was_used(void **state)
{
    enum { ATTEMPTS = 11 };
    (void)state;
    char id[UUID_TEXT_MAX];
    clock_set_offset_ms(-2 * DAY_MS);
    struct writer *writer = writer_start_ready();
    first = payment_make(clock_now_ms(), AGENT, 2500, PAGE);
    assert_int_equal(payment_pay(writer, &first), ERR_OK);
    for (uint8_t i = 0; i < ATTEMPTS; i++) {
        struct payment thief = payment_make(0, "https://thief.example", 2500, PAGE);
        memcpy(thief.charge.payment_id, first.charge.payment_id, UUID_SIZE);
        thief.charge.signature = slice_bytes(&i, 1);
        assert_int_equal(payment_pay(writer, &thief), ERR_PAYMENT_CONFLICT);
    }
    writer_stop(writer);
    clock_set_offset_ms(0);
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(first.charge.payment_id, id)), 0);
    assert_non_null(strstr(output, "Conflict 8 of 8: refused"));
    assert_non_null(strstr(output, "Further     3 attempts were refused, counted and not kept\n"
                                   "Signer      https://thief.example\n"));
    assert_narrow();
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    assert_non_null(strstr(output, "11 attempts to use a payment id again, 8 kept; everything"));
}

static void invoice_is_found_from_the_entry(void **state)
{
    (void)state;
    char id[UUID_TEXT_MAX];
    history();
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    assert_int_equal(CRAWLTAB(output, "lookup", uuid_format(first.charge.payment_id, id)), 0);
    assert_non_null(strstr(output, "was carried forward")); /* 0.0025 is less than a cent */
    assert_int_equal(CRAWLTAB(output, "invoice", "list", "--json"), 0);
    json_t *list = json_loads(output, 0, NULL);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(get(json_array_get(list, 0), "agent"), FORMULA);
    assert_string_equal(get(json_array_get(list, 0), "total"), "0.05");
    const char *number = get(json_array_get(list, 0), "number");
    assert_int_equal(CRAWLTAB(output, "invoice", "show", number, "--json"), 0);
    json_t *invoice = json_loads(output, 0, NULL);
    assert_string_equal(get(json_object_get(invoice, "seller"), "name"), "The Example Gazette");
    assert_int_equal(json_integer_value(json_object_get(invoice, "total_minor")), 5);
    const json_t *line = json_array_get(json_object_get(invoice, "lines"), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "unit_price_micros")), 50000);
    assert_int_equal(CRAWLTAB(output, "invoice", "show", number), 0);
    assert_narrow();
    json_decref(invoice);
    json_decref(list);
    assert_int_equal(CRAWLTAB(output, "invoice", "show", "INV-1999-000001"), 1);
    assert_int_equal(CRAWLTAB(output, "invoice"), 64);
}

static void export_is_complete_and_harmless(void **state)
{
    (void)state;
    char from[16], to[16];
    history();
    snprintf(from, sizeof(from), "%s", sql("SELECT (now() AT TIME ZONE 'UTC')::date - 2"));
    snprintf(to, sizeof(to), "%s", sql("SELECT (now() AT TIME ZONE 'UTC')::date - 1"));
    assert_int_equal(CRAWLTAB(output, "export", "--from", from, "--to", to), 0);
    assert_non_null(strstr(output, "\"" AGENT "\""));
    assert_non_null(strstr(output, "\"'=cmd|")); /* no formula */
    assert_non_null(strstr(output, "\"http://127.0.0.1:8402/a?b=\"\"c\"\",d\""));
    char signature[ENCODING_BASE64_LEN(sizeof(first.own.signature)) + 1] = "", expected[256];
    encoding_base64(first.own.signature, sizeof(first.own.signature), signature);
    snprintf(expected, sizeof(expected), ",0.0025,USD,2500,%s,\"\"\"@authority\"\": 127.0.0.1:8402\n",
             signature);
    assert_non_null(strstr(output, expected));
    assert_int_equal(CRAWLTAB(output, "export", "--from", from, "--to", to, "--format", "jsonl"), 0);
    char *second = strchr(output, '\n');
    *second++ = '\0';
    json_t *json = json_loads(output, 0, NULL);
    assert_string_equal(get(json, "agent"), AGENT);
    assert_int_equal(json_integer_value(json_object_get(json, "amount_micros")), 2500);
    json_decref(json);
    json = json_loads(second, 0, NULL);
    assert_string_equal(get(json, "agent"), FORMULA);
    json_decref(json);
    assert_int_equal(CRAWLTAB(output, "export", "--from", to, "--to", "2099-01-01", "--format", "jsonl"), 0);
    assert_string_equal(output, "");
    assert_int_equal(CRAWLTAB(output, "export", "--from", to, "--to", to), 64);
    assert_int_equal(CRAWLTAB(output, "export", "--from", from, "--to", to, "--format", "xml"), 64);
}

/* More than two pages, so that the seams are crossed. */
static void export_crosses_pages(void **state)
{
    (void)state;
    writer_stop(writer_start_ready());
    sql("INSERT INTO crawler (agent, first_seen_at) VALUES ('" AGENT "', now());"
        "INSERT INTO charge SELECT id, get_byte(uuid_send(id), 15), 1, 1, 100, 'all', 'http://x/', now(),"
        " decode(repeat('5a', 32), 'hex'), '\\x01', '\\x02' FROM (SELECT overlay(uuid_floor(now())::text "
        "placing"
        " '-7000-8000-' || lpad(to_hex(i), 12, '0') from 14)::uuid AS id FROM generate_series(1, 20000) i) "
        "s");
    static const char count[] =
        "\"$0\" --config \"$1\" export --from 2026-01-01 --to 2099-01-01 --format jsonl"
        " | sort -u | wc -l";
    const char *const words[] = {"sh", "-c", count, crawltab_path(), ledger_config_path(), NULL};
    assert_int_equal(run_program(words, output), 0);
    assert_int_equal(strtoll(output, NULL, 10), 20000);
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    assert_int_equal(CRAWLTAB(output, "nightlyy"), 64);
    assert_int_equal(CRAWLTAB(output, "nightly", "--dry"), 64);
    assert_int_equal(CRAWLTAB(output, "nightly", "--site"), 64);
    assert_int_equal(CRAWLTAB(output, "nightly", "--config", "/nowhere.yaml"), 1);
    assert_non_null(strstr(output, "hint:"));
    static const char *const names[] = {"migrate", "nightly", "invoice", "lookup", "export"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_int_equal(CRAWLTAB(output, names[i], "--help"), 0);
        assert_narrow();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lookup_tells_the_whole_story, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(lookup_and_audit_tell_how_often_an_id_was_used, ledger_setup,
                                        ledger_teardown),
        cmocka_unit_test_setup_teardown(invoice_is_found_from_the_entry, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(export_is_complete_and_harmless, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(export_crosses_pages, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(wrong_usage_is_told, ledger_setup, ledger_teardown),
    };
    ledger_judged(false); /* one of the agents is a formula, and can sign nothing */
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
