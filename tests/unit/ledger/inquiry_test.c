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
    assert_false(inquiry.has_after);
    assert_int_equal(read_as("GET",
                             BASE "/entries?limit=5000&to=2026-12-31&from=2024-02-29&after="
                                  "019a2bcf-b697-7781-a61e-34bac005299e",
                             &inquiry),
                     ERR_OK);
    assert_int_equal(inquiry.limit, 5000);
    assert_string_equal(inquiry.from, "2024-02-29");
    assert_string_equal(inquiry.to, "2026-12-31");
    assert_true(inquiry.has_after);
    assert_int_equal(inquiry.after[0], 0x01);
    assert_int_equal(inquiry.after[15], 0x9e);
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
    assert_int_equal(read_as("HEAD", BASE "/entries", &inquiry), ERR_METHOD_NOT_ALLOWED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_path_and_what_is_below),
        cmocka_unit_test(parts_and_parameters),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
