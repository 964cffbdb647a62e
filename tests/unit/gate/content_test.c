/* Conditions and ranges where they are hardly ones: what does not parse, and numbers without end. What does
 * is tested over HTTP, in tests/e2e/http/conditions.test.js.
 * Tests server/content/precondition.c, server/content/range.c */
#include "tests/unit/support.h"

#include "server/content/precondition.h"
#include "server/content/range.h"

#define NOW      1795800000
#define MODIFIED 784111777

static const struct precondition_page page = {{"\"a,b\"", 5}, MODIFIED, NOW};

static struct message asking(const char *fields)
{
    struct arena *arena = fresh_arena();
    return request_of(arena, arena_format(arena, "GET /\nhost: a.example\n%s", fields).data);
}

static void a_tag_is_found_in_what_parses(void **state)
{
    static const struct {
        const char *field;
        enum precondition judged;
    } cases[] = {
        {"if-match: \"a,b\"", PRECONDITION_MET},
        {"if-match: \"x\" \"a,b\"", PRECONDITION_FAILED},
        {"if-match: \"x, \"a,b\"", PRECONDITION_FAILED},
        {"if-match: a,b", PRECONDITION_FAILED},
        {"if-match: \"a", PRECONDITION_FAILED},
        {"if-match: \"a,b\"x", PRECONDITION_FAILED},
        {"if-match: *, \"x\"", PRECONDITION_FAILED},
        {"if-match: *\nif-match: \"x\"", PRECONDITION_FAILED},
        {"if-match: **", PRECONDITION_FAILED},
        {"if-match: w/\"a,b\"", PRECONDITION_FAILED},
        {"if-match:", PRECONDITION_FAILED},
        {"if-match: broken, \"a,b\"", PRECONDITION_MET},
        {"if-none-match: w/\"a,b\"", PRECONDITION_MET},
        {"if-none-match: W/W/\"a,b\"", PRECONDITION_MET},
        {"if-none-match: \"x\",W/\"a,b\"", PRECONDITION_NOT_MODIFIED},
        {"if-none-match:", PRECONDITION_MET},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message message = asking(cases[i].field);
        if (precondition_judge(&message, &page) != cases[i].judged)
            fail_msg("%s", cases[i].field);
    }
}

static void the_first_condition_that_fails_decides(void **state)
{
    static const char since[] = "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT";
    static const char unmodified[] = "if-unmodified-since: Sun, 06 Nov 1994 08:49:36 GMT";
    struct message message;
    (void)state;
    message = asking(since);
    assert_int_equal(precondition_judge(&message, &page), PRECONDITION_NOT_MODIFIED);
    message = asking(unmodified);
    assert_int_equal(precondition_judge(&message, &page), PRECONDITION_FAILED);
    struct arena *arena = fresh_arena();
    message =
        request_of(arena, arena_format(arena, "GET /\nhost: a\n%s\n%s\nif-match: *", since, unmodified).data);
    assert_int_equal(precondition_judge(&message, &page), PRECONDITION_NOT_MODIFIED);
    arena = fresh_arena();
    message = request_of(
        arena, arena_format(arena, "GET /\nhost: a\n%s\nif-match: *\nif-none-match: \"x\"", since).data);
    assert_int_equal(precondition_judge(&message, &page), PRECONDITION_MET);
}

static void a_range_has_one_validator(void **state)
{
    struct message message;
    (void)state;
    message = asking("range: bytes=0-1");
    assert_true(precondition_range_counts(&message, &page));
    message = asking("if-range: \"a,b\"");
    assert_true(precondition_range_counts(&message, &page));
    message = asking("if-range: \"a,b\"\nif-range: \"a,b\"");
    assert_false(precondition_range_counts(&message, &page));
    message = asking("if-range: *");
    assert_false(precondition_range_counts(&message, &page));
    message = asking("if-range: Sunday, 06-Nov-94 08:49:37 GMT");
    assert_true(precondition_range_counts(&message, &page));
    struct precondition_page fresh = {page.etag, MODIFIED, MODIFIED};
    assert_false(precondition_range_counts(&message, &fresh));
}

static void ranges_have_numbers_of_any_length(void **state)
{
    static const struct {
        const char *value;
        enum range kind;
        uint64_t offset, length;
    } cases[] = {
        {"bytes=0-18446744073709551615", RANGE_PART, 0, 100},
        {"bytes=-18446744073709551616", RANGE_PART, 0, 100},
        {"bytes=99-340282366920938463463374607431768211456", RANGE_PART, 99, 1},
        {"bytes=18446744073709551616-", RANGE_OUTSIDE, 0, 0},
        {"bytes=18446744073709551616-18446744073709551615", RANGE_WHOLE, 0, 0},
        {"bytes=18446744073709551616-18446744073709551616", RANGE_OUTSIDE, 0, 0},
        {"bytes=0000000000000000000000005-0000000000000000000000006", RANGE_PART, 5, 2},
        {"bytes=200-,300-,1-1", RANGE_PART, 1, 1},
        {"bytes=0-0,1-1", RANGE_WHOLE, 0, 0},
        {"\t bytes=0-0 \t", RANGE_PART, 0, 1},
        {"bytes =0-0", RANGE_WHOLE, 0, 0},
        {"=0-0", RANGE_WHOLE, 0, 0},
        {"bytes", RANGE_WHOLE, 0, 0},
        {"", RANGE_WHOLE, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t offset = 0;
        uint64_t length = 0;
        enum range kind = range_judge(slice_of(cases[i].value), 100, &offset, &length);
        if (kind != cases[i].kind || offset != cases[i].offset || length != cases[i].length)
            fail_msg("%s", cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_found_in_what_parses),
        cmocka_unit_test(the_first_condition_that_fails_decides),
        cmocka_unit_test(a_range_has_one_validator),
        cmocka_unit_test(ranges_have_numbers_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
