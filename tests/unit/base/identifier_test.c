/* Identifiers: published ones are taken, and nothing near them. */
#include "tests/unit/support.h"

#include "ledger/base/identifier/identifier.h"

#include <stdio.h>

/* One for each length and some odd forms, from the IBAN registry's examples. */
static const char *const ibans[] = {
    "AD1200012030200359100100",
    "AE070331234567890123456",
    "AT611904300234573201",
    "BE68539007547034",
    "BG80BNBG96611020345678",
    "BR1800360305000010009795493C1",
    "CH9300762011623852957",
    "CZ6508000000192000145399",
    "DE89370400440532013000",
    "DK5000400440116243",
    "EE382200221020145685",
    "ES9121000418450200051332",
    "FI2112345600000785",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GI75NWBK000000007099453",
    "GR1601101250000000012300695",
    "HU42117730161111101800000000",
    "IE29AIBK93115212345678",
    "IS140159260076545510730339",
    "IT60X0542811101000000123456",
    "LI21088100002324013AA",
    "LT121000011101001000",
    "LV80BANK0000435195001",
    "MT84MALT011000012345MTLCAST001S",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "PT50000201231234567890154",
    "SE4550000000058398257466",
    "SM86U0322509800000000270100",
    "LC55HEMM000100010012001200023015",
};

static void ibans_are_checked_digit_by_digit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ibans) / sizeof(*ibans); i++) {
        char iban[64];
        if (identifier_iban_fault(ibans[i]))
            fail_msg("%s %s", ibans[i], identifier_iban_fault(ibans[i]));
        for (size_t place = 2; place < strlen(ibans[i]); place++) {
            snprintf(iban, sizeof(iban), "%.60s", ibans[i]);
            iban[place] = iban[place] == '9' ? '0' : iban[place] == 'Z' ? 'A' : (char)(iban[place] + 1);
            assert_non_null(identifier_iban_fault(iban));
        }
        snprintf(iban, sizeof(iban), "%.60s0", ibans[i]);
        assert_string_equal(identifier_iban_fault(iban), "is not an IBAN: its country's have another length");
    }
    assert_string_equal(identifier_iban_fault("US64SVBKUS6S3300958879"),
                        "is not an IBAN: no country that has them begins so");
    assert_non_null(identifier_iban_fault("DE89 3704 0044 0532 0130 00"));
    assert_non_null(identifier_iban_fault(""));
    assert_non_null(identifier_iban_fault("D"));
}

/* Scheme, one that is right, one that is nearly. */
static void identifiers_of_schemes_are_checked(void **state)
{
    static const char *const cases[][3] = {
        {"0088", "7300010000001", "7300010000011"}, {"0007", "5567037485", "5567037486"},
        {"0151", "51824753556", "51824753557"},     {"0192", "923829644", "923829645"},
        {"0208", "0202239951", "0202239952"},       {"0184", "88146328", "8814632"},
        {"0184", "DK88146328", "SE88146328"},       {"0196", "5902697199", "590269-7199"},
        {"0106", "12345678", "123456789"},          {"0190", "00000001001156789000", "1"},
        {"9933", "094259216", "094259217"},         {"9944", "NL123456789B12", "NL123456789B1"},
        {"0002", "552100554", "55210055"},          {"0009", "55210055400013", "552100554"},
        {"EM", "bills@gazette.example", "bills"},
    };
    char endpoint[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(identifier_fault(cases[i][0], cases[i][1]));
        assert_non_null(identifier_fault(cases[i][0], cases[i][2]));
        snprintf(endpoint, sizeof(endpoint), "%s:%s", cases[i][0], cases[i][1]);
        assert_null(identifier_endpoint_fault(endpoint));
    }
    assert_null(identifier_fault("9930", "whatever"));
    /* Too short for a check digit at all. */
    static const char *const checked[][2] = {
        {"0088", "730001"}, {"0208", "02022"}, {"0192", "92"}, {"0007", "55"}};
    for (size_t i = 0; i < sizeof(checked) / sizeof(*checked); i++)
        assert_non_null(identifier_fault(checked[i][0], checked[i][1]));
    assert_null(identifier_endpoint_fault("AN:O0123:ABC"));
    assert_non_null(identifier_endpoint_fault("abcd:1"));
    assert_non_null(identifier_endpoint_fault("0088"));
    assert_string_equal(identifier_registration_scheme("NL", "12345678"), "0106");
    assert_string_equal(identifier_registration_scheme("NL", "00000001001156789000"), "0190");
    assert_string_equal(identifier_registration_scheme("DE", "HRB12345"), "");
    assert_string_equal(identifier_registration_scheme("", "7300010000001"), "");
}

static void vat_numbers_have_their_countrys_form(void **state)
{
    static const char *const right[] = {"DE123456789",      "FR40303265045",  "NL123456789B12", "ATU13585627",
                                        "EL094259216",      "NO923829644MVA", "SE556703748501", "RO18547290",
                                        "CHE123456788MWST", "IT00743110157",  "ES54362315K",    "IE6433435F",
                                        "XI123456789",      "US123456789",    "DK13585628",     "IS12345"};
    static const char *const wrong[] = {"DE12345678",     "FR1234",      "GR094259216",  "EL094259217",
                                        "NO923829645MVA", "NO923829644", "SE5567037485", "DK1358562"};
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
        if (identifier_vat_fault(right[i]))
            fail_msg("%s %s", right[i], identifier_vat_fault(right[i]));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_non_null(identifier_vat_fault(wrong[i]));
}

static void banks_creditors_and_addresses(void **state)
{
    static const char *const addresses[] = {"a@b.example", "first.last+x@sub.b.example", NULL},
                             *const none[] = {"",
                                              "a",
                                              "a@",
                                              "@b.example",
                                              "a@b",
                                              "a@@b.example",
                                              "a b@c.example",
                                              "a@b.example.",
                                              "a..b@c.example",
                                              "a@.b.example",
                                              ".a@b.example",
                                              NULL};
    char compact[16];
    (void)state;
    for (size_t i = 0; addresses[i]; i++)
        assert_true(identifier_is_email(addresses[i]));
    for (size_t i = 0; none[i]; i++)
        assert_false(identifier_is_email(none[i]));
    assert_true(identifier_is_bic("COBADEFF") && identifier_is_bic("COBADEFFXXX"));
    assert_false(identifier_is_bic("COBADEFFX") || identifier_is_bic("COBA1EFF") || identifier_is_bic(""));
    assert_true(identifier_is_creditor("DE98ZZZ09999999999") && identifier_is_creditor("DE98ABC09999999999"));
    assert_false(identifier_is_creditor("DE98ZZZ09999999998") || identifier_is_creditor("DE98ZZZ"));
    assert_true(identifier_is_country("DE") && identifier_is_country("GB"));
    assert_false(identifier_is_country("UK") || identifier_is_country("de") || identifier_is_country("E A"));
    assert_string_equal(identifier_compact("Kt. 590269-7199", compact, sizeof(compact)), "KT5902697199");
    assert_string_equal(identifier_compact("12 34", compact, 3), "12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ibans_are_checked_digit_by_digit),
        cmocka_unit_test(identifiers_of_schemes_are_checked),
        cmocka_unit_test(vat_numbers_have_their_countrys_form),
        cmocka_unit_test(banks_creditors_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
