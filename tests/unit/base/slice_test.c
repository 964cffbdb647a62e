/* Slices: comparing, searching, trimming, also where there is nothing. */
#include "tests/unit/support.h"

#include "ledger/base/slice.h"

static const struct slice nothing = {NULL, 0};

static void letters_are_compared_without_case(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(SLICE("Aa-Zz09@["), SLICE("aA-zZ09@[")));
    assert_false(slice_eq_nocase(SLICE("@"), SLICE("`"))); /* as far apart as letters, and none */
    assert_false(slice_eq_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_eq_nocase(SLICE("ab"), SLICE("abc")));
    assert_true(slice_eq_nocase(nothing, SLICE("")));
}

static void what_is_searched_is_found_at_either_end(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("abc"), SLICE("abc")) && slice_starts(SLICE("abc"), SLICE("")));
    assert_false(slice_starts(SLICE("ab"), SLICE("abc")) || slice_starts(SLICE("abc"), SLICE("b")));
    assert_int_equal(slice_find(SLICE("abc"), 'a'), 0);
    assert_int_equal(slice_find(SLICE("abcb"), 'b'), 1);
    assert_int_equal(slice_find(SLICE("abc"), 'x'), 3);
    assert_int_equal(slice_find(nothing, 'x'), 0);
    assert_int_equal(slice_find(slice_bytes("abc", 2), 'c'), 2); /* not beyond its end */
    assert_true(slice_contains_nocase(SLICE("xAb"), SLICE("aB")) &&
                slice_contains_nocase(SLICE("abx"), SLICE("AB")));
    assert_true(slice_contains_nocase(nothing, SLICE("")));
    assert_false(slice_contains_nocase(SLICE("ab"), SLICE("abc")));
    assert_false(slice_contains_nocase(slice_bytes("abc", 2), SLICE("bc")));
}

static void spaces_and_tabs_are_trimmed_and_nothing_else(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t a b\t ")), "a b");
    assert_slice(slice_trim(SLICE("\na\r")), "\na\r");
    assert_slice(slice_trim(SLICE(" \t ")), "");
    assert_slice(slice_trim(SLICE("")), "");
}

static void hashes_are_those_of_fnv(void **state)
{
    (void)state;
    assert_true(slice_hash(SLICE("")) == UINT64_C(0xcbf29ce484222325));
    assert_true(slice_hash(SLICE("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(slice_hash(SLICE("foobar")) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_compared_without_case),
        cmocka_unit_test(what_is_searched_is_found_at_either_end),
        cmocka_unit_test(spaces_and_tabs_are_trimmed_and_nothing_else),
        cmocka_unit_test(hashes_are_those_of_fnv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
