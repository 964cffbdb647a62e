/* What ICU tells us: names of countries. */
#include "tests/unit/support.h"

#include "ledger/format/unicode.h"

static void countries_have_names(void **state)
{
    static const char *const cases[][2] = {{"DE", "Germany"},
                                           {"FR", "France"},
                                           {"US", "United States"},
                                           {"CI", "C\u00f4te d\u2019Ivoire"},
                                           {"", ""},
                                           {"Germany", "Germany"},
                                           {"QQ", "QQ"}};
    char name[UNICODE_COUNTRY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(unicode_country(cases[i][0], name), cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(countries_have_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
