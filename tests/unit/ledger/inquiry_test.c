/* What a crawler asks of its account: each part with its own parameters, and nothing that is not understood.
 */
#include "tests/unit/support.h"

#include "ledger/account/inquiry.h"

#include <stdio.h>

static enum err read_as(const char *method, const char *target, struct inquiry *inquiry)
{
    const struct message message = {.method = slice_of(method), .target = slice_of(target)};
    assert_true(inquiry_asked(&message));
    return inquiry_read(fresh_arena(), &message, inquiry);
}

#define BASE "/.well-known/crawltab/account"

static void only_the_path_and_what_is_below(void **state)
{
    static const struct {
        const char *target;
        bool asked;
    } cases[] = {
        {BASE, true},        {BASE "/", true},  {BASE "?a", true},
        {BASE "/x/y", true}, {BASE "s", false}, {"/.well-known/crawltab/health", false},
        {"/x" BASE, false},  {"/", false},      {"/.well-known/crawltab/accoun", false},
        {"//" BASE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct message message = {.method = SLICE("GET"), .target = slice_of(cases[i].target)};
        assert_int_equal(inquiry_asked(&message), cases[i].asked);
    }
}

static void parts_and_parameters(void **state)
{
    struct inquiry inquiry;
    (void)state;
    assert_int_equal(read_as("GET", BASE, &inquiry), ERR_OK);
    assert_int_equal(inquiry.topic, INQUIRY_SUMMARY);
    assert_int_equal(read_as("GET", BASE "/entries", &inquiry), ERR_OK);
    assert_int_equal(inquiry.topic, INQUIRY_ENTRIES);
    assert_int_equal(inquiry.limit, INQUIRY_LIMIT);
    assert_null(inquiry.from);
    assert_null(inquiry.to);
    assert_null(inquiry.after);
    assert_string_equal(inquiry.path, BASE "/entries");
    assert_int_equal(read_as("GET",
                             BASE "/entries?limit=5000&to=2026-12-31&from=2024-02-29&after="
                                  "019a2bcf-b697-7781-a61e-34bac005299e",
                             &inquiry),
                     ERR_OK);
    assert_int_equal(inquiry.limit, 5000);
    assert_string_equal(inquiry.from, "2024-02-29");
    assert_string_equal(inquiry.to, "2026-12-31");
    assert_string_equal(inquiry.after, "019a2bcf-b697-7781-a61e-34bac005299e");
}

static void parts_that_have_a_name(void **state)
{
    static const struct {
        const char *target;
        enum inquiry_topic topic;
        const char *name, *format;
    } cases[] = {
        {"/invoices/INV-2026-000001", INQUIRY_INVOICE, "INV-2026-000001", "json"},
        {"/invoices/INV-2026-000001.pdf", INQUIRY_INVOICE, "INV-2026-000001", "pdf"},
        {"/invoices/INV-2026-000001.xml", INQUIRY_INVOICE, "INV-2026-000001", "ubl"},
        {"/invoices/INV.2026.1", INQUIRY_INVOICE, "INV.2026.1", "json"},
        {"/invoices/R%2f2026%2F1.csv", INQUIRY_INVOICE, "R/2026/1", "csv"},
        {"/invoices/%C3%BC.1", INQUIRY_INVOICE, "\xc3\xbc.1", "json"},
        {"/invoices/entries", INQUIRY_INVOICE, "entries", "json"},
        {"/invoices/INV-1/entries?limit=1", INQUIRY_INVOICE_ENTRIES, "INV-1", NULL},
        {"/invoices/INV-1.pdf/entries", INQUIRY_INVOICE_ENTRIES, "INV-1.pdf", NULL},
        {"/proofs/019A2BCF-b697-7781-a61e-34bac005299e", INQUIRY_PROOF,
         "019a2bcf-b697-7781-a61e-34bac005299e", NULL},
    };
    static const struct {
        const char *target;
        enum err err;
    } wrong[] = {
        {"/invoices/", ERR_ACCOUNT_PATH_UNKNOWN},
        {"/invoices/a/b", ERR_ACCOUNT_PATH_UNKNOWN},
        {"/invoices//entries", ERR_ACCOUNT_PATH_UNKNOWN},
        {"/invoices/.pdf", ERR_INVOICE_UNKNOWN},
        {"/invoices/a%00", ERR_INVOICE_UNKNOWN},
        {"/invoices/a%0", ERR_INVOICE_UNKNOWN},
        {"/invoices/a%", ERR_INVOICE_UNKNOWN},
        {"/invoices/%ff", ERR_INVOICE_UNKNOWN},
        {"/invoices/%c0%af", ERR_INVOICE_UNKNOWN},
        {"/invoices/a?from=2026-01-01", ERR_MALFORMED_QUERY},
        {"/invoices/a/entries?from=2026-01-01", ERR_MALFORMED_QUERY},
        {"/invoices?after=", ERR_MALFORMED_QUERY},
        {"/checkpoints?after=INV-1", ERR_MALFORMED_QUERY},
        {"/checkpoints?after=99999999999999999999", ERR_MALFORMED_QUERY},
        {"/statement?limit=1", ERR_MALFORMED_QUERY},
        {"/proofs/a", ERR_ENTRY_UNKNOWN},
    };
    struct inquiry inquiry;
    char target[256];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(target, sizeof(target), BASE "%s", cases[i].target);
        assert_int_equal(read_as("GET", target, &inquiry), ERR_OK);
        assert_int_equal(inquiry.topic, cases[i].topic);
        assert_string_equal(inquiry.name, cases[i].name);
        if (cases[i].format)
            assert_string_equal(inquiry.format->name, cases[i].format);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(target, sizeof(target), BASE "%s", wrong[i].target);
        assert_int_equal(read_as("GET", target, &inquiry), wrong[i].err);
    }
    assert_int_equal(read_as("GET", BASE "/invoices?after=R%2F1&limit=2", &inquiry), ERR_OK);
    assert_string_equal(inquiry.after, "R/1");
    assert_int_equal(read_as("GET", BASE "/checkpoints?after=12", &inquiry), ERR_OK);
    assert_string_equal(inquiry.after, "12");
}

static void only_a_dispute_has_a_body(void **state)
{
    static const struct {
        const char *method, *target, *methods;
        size_t room;
    } cases[] = {
        {"POST", BASE "/disputes", "GET, POST", INQUIRY_BODY_MAX},
        {"GET", BASE "/disputes", "GET, POST", 0},
        {"POST", BASE "/disputes/a", "GET", 0},
        {"POST", BASE, "GET", 0},
        {"PUT", BASE "/disputes", "GET, POST", 0},
    };
    struct inquiry inquiry;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct message message = {.method = slice_of(cases[i].method),
                                        .target = slice_of(cases[i].target)};
        assert_int_equal(inquiry_body_room(&message), cases[i].room);
        assert_string_equal(inquiry_methods(&message), cases[i].methods);
    }
    assert_int_equal(read_as("POST", BASE "/disputes", &inquiry), ERR_OK);
    assert_int_equal(inquiry.topic, INQUIRY_DISPUTE_OPENING);
    assert_int_equal(read_as("GET", BASE "/disputes?limit=2", &inquiry), ERR_OK);
    assert_int_equal(inquiry.topic, INQUIRY_DISPUTES);
}

static void what_is_not_understood_is_refused(void **state)
{
    static const char *const queries[] = {"form=2026-01-01",
                                          "from=2026-01-01&from=2026-01-01",
                                          "from=2025-02-29",
                                          "from=",
                                          "from",
                                          "from=2026-01-02&to=2026-01-01",
                                          "limit=0",
                                          "limit=5001",
                                          "limit=18446744073709551617",
                                          "limit=+1",
                                          "limit=1x",
                                          "limit=",
                                          "after=x",
                                          "&",
                                          "limit=1&&",
                                          "Limit=1"};
    struct inquiry inquiry;
    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        char target[256];
        snprintf(target, sizeof(target), BASE "/entries?%s", queries[i]);
        assert_int_equal(read_as("GET", target, &inquiry), ERR_MALFORMED_QUERY);
    }
    assert_int_equal(read_as("GET", BASE "?limit=1", &inquiry), ERR_MALFORMED_QUERY);
    assert_int_equal(read_as("GET", BASE "/", &inquiry), ERR_ACCOUNT_PATH_UNKNOWN);
    assert_int_equal(read_as("GET", BASE "/entries/", &inquiry), ERR_ACCOUNT_PATH_UNKNOWN);
    assert_int_equal(read_as("GET", BASE "/Entries", &inquiry), ERR_ACCOUNT_PATH_UNKNOWN);
    assert_int_equal(read_as("PUT", BASE, &inquiry), ERR_METHOD_NOT_ALLOWED);
    assert_int_equal(read_as("POST", BASE "/entries", &inquiry), ERR_METHOD_NOT_ALLOWED);
    assert_int_equal(read_as("POST", BASE "/disputes/x", &inquiry), ERR_METHOD_NOT_ALLOWED);
    assert_int_equal(read_as("POST", BASE "/disputes?limit=1", &inquiry), ERR_MALFORMED_QUERY);
    assert_int_equal(read_as("GET", BASE "/disputes/x", &inquiry), ERR_DISPUTE_UNKNOWN);
    assert_int_equal(read_as("HEAD", BASE "/entries", &inquiry), ERR_METHOD_NOT_ALLOWED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_path_and_what_is_below),
        cmocka_unit_test(parts_and_parameters),
        cmocka_unit_test(parts_that_have_a_name),
        cmocka_unit_test(only_a_dispute_has_a_body),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
