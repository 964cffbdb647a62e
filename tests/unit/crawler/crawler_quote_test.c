/* What a crawler reads of an offer: the price exactly or not at all, and only for the page it asked for. */
#include "tests/unit/support.h"

#include "ledger/base/text/encoding.h"
#include "tools/crawler/purse.h"
#include "tools/crawler/target.h"

#define URL "https://example.com/page?a=1"

static const char good[] =
    "{\"x402Version\":2,\"error\":\"pay\",\"resource\":{\"url\":\"" URL "\"},\"accepts\":["
    "{\"scheme\":\"exact\",\"network\":\"eip155:1\",\"amount\":\"1\",\"asset\":\"0x0\"},"
    "{\"scheme\":\"deferred\",\"network\":\"example:402\",\"resource\":\"" URL "\",\"amount\":\"2500\","
    "\"asset\":\"USD\",\"extra\":{\"id\":\"abc\",\"termsUrl\":\"https://example.com/"
    "terms\",\"decimals\":6}}]}";

static void the_deferred_requirement_is_read(void **state)
{
    (void)state;
    struct quote quote;
    assert_int_equal(quote_read(fresh_arena(), slice_of(good), SLICE(URL), &quote), QUOTE_OK);
    assert_string_equal(quote.id, "abc");
    assert_string_equal(quote.network, "example:402");
    assert_string_equal(quote.currency, "USD");
    assert_string_equal(quote.terms_url, "https://example.com/terms");
    assert_int_equal(quote.price_micros, 2500);
}

static void the_header_says_the_same_in_base64(void **state)
{
    (void)state;
    struct quote quote;
    struct arena *arena = fresh_arena();
    size_t len = sizeof(good) - 1;
    char *value = arena_bytes(arena, ENCODING_BASE64_LEN(len));
    len = encoding_base64(good, len, value);
    assert_int_equal(quote_read_base64(arena, slice_bytes(value, len), SLICE(URL), &quote), QUOTE_OK);
    assert_string_equal(quote.id, "abc");
    assert_int_equal(quote_read_base64(arena, SLICE("no base64"), SLICE(URL), &quote), QUOTE_UNREADABLE);
}

/* An offer with one deferred requirement and these members. */
static enum quote_outcome read_with(const char *members, struct quote *quote)
{
    struct arena *arena = fresh_arena();
    struct slice json = arena_format(arena, "{\"accepts\":[{\"scheme\":\"deferred\",%s}]}", members);
    return quote_read(arena, json, SLICE(URL), quote);
}

static void offers_that_do_not_do_are_refused(void **state)
{
    static const struct {
        const char *members;
        enum quote_outcome outcome;
    } cases[] = {
#define HERE   "\"resource\":\"" URL "\","
#define SIGNED "\"network\":\"n:1\",\"asset\":\"USD\","
        {HERE SIGNED "\"amount\":\"1\",\"extras\":{\"id\":\"a\",\"decimals\":6}", QUOTE_OK},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"a\"},\"extras\":{\"decimals\":6}", QUOTE_OK},
        {"\"resource\":\"HTTPS://EXAMPLE.com:443/%70age?a=1\"," SIGNED
         "\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":6}",
         QUOTE_OK},
        {SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":6}", QUOTE_OTHER_URL},
        {"\"resource\":\"https://example.com/page\"," SIGNED "\"amount\":\"1\"", QUOTE_OTHER_URL},
        {"\"resource\":\"http://example.com/page?a=1\"," SIGNED "\"amount\":\"1\"", QUOTE_OTHER_URL},
        {"\"resource\":7," SIGNED "\"amount\":\"1\"", QUOTE_OTHER_URL},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"decimals\":6}", QUOTE_BAD_ID},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"\",\"decimals\":6}", QUOTE_BAD_ID},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"a\\r\\nb: c\",\"decimals\":6}", QUOTE_BAD_ID},
        {HERE "\"asset\":\"USD\",\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":6}", QUOTE_BAD_ID},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"a\"}", QUOTE_BAD_PRICE},
        {HERE SIGNED "\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":\"6\"}", QUOTE_BAD_PRICE},
        {HERE SIGNED "\"amount\":1,\"extra\":{\"id\":\"a\",\"decimals\":6}", QUOTE_BAD_PRICE},
        {HERE SIGNED "\"amount\":\"-1\",\"extra\":{\"id\":\"a\",\"decimals\":6}", QUOTE_BAD_PRICE},
        {HERE SIGNED "\"amount\":\"9223372036854775808\",\"extra\":{\"id\":\"a\",\"decimals\":6}",
         QUOTE_BAD_PRICE},
        {HERE "\"network\":\"n:1\",\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":6}",
         QUOTE_BAD_PRICE},
    };
    (void)state;
    struct quote quote;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (read_with(cases[i].members, &quote) != cases[i].outcome)
            fail_msg("not \"%s\": %s", quote_sentence(cases[i].outcome), cases[i].members);
    assert_int_equal(quote_read(fresh_arena(), SLICE("<html>"), SLICE(URL), &quote), QUOTE_UNREADABLE);
    assert_int_equal(quote_read(fresh_arena(), SLICE("{}"), SLICE(URL), &quote), QUOTE_UNREADABLE);
    assert_int_equal(quote_read(fresh_arena(), SLICE("{\"accepts\":[]}"), SLICE(URL), &quote),
                     QUOTE_NO_DEFERRED);
}

static void both_places_of_the_url_must_agree(void **state)
{
    (void)state;
    struct quote quote;
    struct slice json =
        SLICE("{\"resource\":{\"url\":\"https://example.com/other\"},\"accepts\":["
              "{\"scheme\":\"deferred\",\"resource\":\"" URL "\",\"network\":\"n:1\","
              "\"asset\":\"USD\",\"amount\":\"1\",\"extra\":{\"id\":\"a\",\"decimals\":6}}]}");
    assert_int_equal(quote_read(fresh_arena(), json, SLICE(URL), &quote), QUOTE_OTHER_URL);
}

static void amounts_become_micro_units_exactly(void **state)
{
    static const struct {
        const char *amount;
        int64_t decimals;
        int64_t micros; /* -1: refused */
    } cases[] = {
        {"2500", 6, 2500},
        {"5", 2, 50000},
        {"0", 6, 0},
        {"007", 6, 7},
        {"3", 0, 3000000},
        {"9223372036854775807", 6, INT64_MAX},
        {"9223372036854775808", 6, -1},
        {"922337203685477", 2, 9223372036854770000},
        {"922337203685478", 2, -1},
        {"99999999999999999999", 6, -1},
        {"2500000", 9, 2500},
        {"2500001", 9, -1},
        {"1", 18, -1},
        {"1", 19, -1},
        {"1", -1, -1},
        {"", 6, -1},
        {"+1", 6, -1},
        {"1.5", 6, -1},
        {" 1", 6, -1},
        {"1e3", 6, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t micros = -1;
        bool read = quote_micros(slice_of(cases[i].amount), cases[i].decimals, &micros);
        assert_int_equal(read, cases[i].micros >= 0);
        assert_int_equal(micros, cases[i].micros);
    }
}

static void prices_on_the_command_line(void **state)
{
    (void)state;
    char currency[PURSE_CURRENCY_MAX];
    int64_t micros;
    assert_true(purse_parse(SLICE("USD 0.05"), currency, &micros));
    assert_string_equal(currency, "USD");
    assert_int_equal(micros, 50000);
    static const char *const bad[] = {"",         "USD",      "0.05",    "USD ",      "usd 1",
                                      "USD  1",   "XXY 1",    "USD -1",  "USD 1 ",    "USD 0.0000001",
                                      "1.00 USD", "USDD 1.0", "USD 1e3", "USD\t1.00", "USD 99999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(purse_parse(slice_of(bad[i]), currency, &micros));
}

static void a_purse_keeps_to_price_budget_and_currency(void **state)
{
    (void)state;
    struct arena *arena = fresh_arena();
    struct quote quote = {.id = "a", .network = "n:1", .currency = "USD", .price_micros = 50000};
    struct purse purse = {.currency = "USD", .price_micros = 50000, .budget_micros = 120000};
    assert_null(purse_refuse(&purse, arena, &quote));
    purse.paid_micros = 70000;
    assert_null(purse_refuse(&purse, arena, &quote));
    purse.doubt_micros = 1;
    assert_string_equal(purse_refuse(&purse, arena, &quote),
                        "it costs USD 0.05, and USD 0.049999 is left of --budget");
    purse.doubt_micros = 0;
    quote.price_micros = 50001;
    assert_string_equal(purse_refuse(&purse, arena, &quote),
                        "it costs USD 0.050001, above --max-price USD 0.05");
    quote.price_micros = 1;
    quote.currency = "JPY";
    assert_string_equal(purse_refuse(&purse, arena, &quote),
                        "it costs JPY 0.000001, and --max-price is in USD");
    quote.currency = "USD";
    *purse.currency = '\0';
    assert_non_null(purse_refuse(&purse, arena, &quote));
    purse = (struct purse){"USD", INT64_MAX, INT64_MAX, INT64_MAX, 0};
    assert_string_equal(purse_refuse(&purse, arena, &quote),
                        "all prices together are more than can be counted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deferred_requirement_is_read),
        cmocka_unit_test(the_header_says_the_same_in_base64),
        cmocka_unit_test(offers_that_do_not_do_are_refused),
        cmocka_unit_test(both_places_of_the_url_must_agree),
        cmocka_unit_test(amounts_become_micro_units_exactly),
        cmocka_unit_test(prices_on_the_command_line),
        cmocka_unit_test(a_purse_keeps_to_price_budget_and_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
