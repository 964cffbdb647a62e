/* What ICU tells us: names of countries, and how letters of other scripts are written in Latin. */
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

static void every_script_has_latin_letters(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"Crawler & S\u00f6hne <GmbH>", "Crawler & Sohne <GmbH>"},
        {"Stra\u00dfe \u00c6r\u00f8 \u0141\u00f3d\u017a", "Strasse AEro Lodz"},
        {"\u0391\u03b8\u03ae\u03bd\u03b1", "Athena"},
        {"\u0411\u044a\u043b\u0433\u0430\u0440\u0438\u044f", "B\"lgaria"},
        {"\u5317\u4eac", "bei jing"},
        {"e\u0301te\u0301 \u2013 \u201cx\u201d", "ete - \"x\""},
        {"a\U0001f600b", "a?b"},
        {"\xff"
         "a",
         "?a"}};
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(unicode_ascii(cases[i][0], out, sizeof(out)), cases[i][1]);
    assert_string_equal(unicode_ascii("\u00c6\u00c6", out, 4), "AEA");
    assert_string_equal(unicode_ascii("\u00c6", out, 1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(countries_have_names),
                                       cmocka_unit_test(every_script_has_latin_letters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
