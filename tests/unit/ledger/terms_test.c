/* The terms of agreements: what is said of each kind of mistake, and that what is written can be read.
 * Tests ledger/terms/terms_check.c, ledger/terms/terms_write.c */
#include "tests/unit/support.h"

#include "ledger/terms/terms.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *said;
static size_t said_len;

/* Reads the text; what is said about it goes to `said`. */
static struct terms *read_text(const char *text, const char *currency)
{
    free(said);
    FILE *errors = open_memstream(&said, &said_len);
    FILE *file = tmpfile();
    assert_true(errors && file);
    fputs(text, file);
    rewind(file);
    struct terms *terms = terms_read(file, "t", currency, errors);
    fclose(file);
    fclose(errors);
    return terms;
}

static struct terms *change(const struct terms *terms, const char *text)
{
    free(said);
    FILE *errors = open_memstream(&said, &said_len);
    assert_non_null(errors);
    struct terms *changed = terms_change(terms, &text, 1, "EUR", errors);
    fclose(errors);
    return changed;
}

static char *written(const struct terms *terms)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    terms_write(terms, out);
    fclose(out);
    return text;
}

static void assert_same(const struct terms *a, const struct terms *b)
{
    json_t *first = terms_json(a), *second = terms_json(b);
    assert_true(first && second && json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

#define SEPA                                                                                                 \
    "settlement:\n  rail: sepa-direct-debit\n  iban: DE89370400440532013000\n  mandate_id: M-1\n"            \
    "  mandate_date: 2026-01-31\n"
#define ACH                                                                                                  \
    "settlement:\n  rail: ach\n  routing_number: \"011000015\"\n  account: \"123\"\n  kind: checking\n"

static void a_file_gives_the_terms(void **state)
{
    (void)state;
    struct terms *terms = read_text("status: suspended\ncadence: monthly\nfee: 99.5\nincluded_crawls: 1000\n"
                                    "limits:\n  day: 12.345678\ntax:\n  treatment: standard\n  rate: 8.875\n"
                                    "prices:\n  - rule: articles\n    price: 0.0025\n"
                                    "  - paths: [\"/a/**\", /b]\n    price: 0\n"
                                    "tiers:\n  - from_crawl: 10\n    discount: 5\n"
                                    "  - from_crawl: 20\n    discount: 100\n" SEPA,
                                    "EUR");
    assert_string_equal(said, "");
    assert_string_equal(terms->status, "suspended");
    assert_int_equal(terms->fee, 99500000);
    assert_int_equal(terms->day_limit, 12345678);
    assert_int_equal(terms->balance_limit, -1);
    assert_int_equal(terms->tax_rate, 88750);
    assert_int_equal(terms->price_count, 2);
    assert_string_equal(terms->prices[0].rule, "articles");
    assert_int_equal(terms->prices[0].price, 2500);
    assert_string_equal(terms->prices[1].paths.items[1], "/b");
    assert_int_equal(terms->tiers[1].discount, 1000000);
    assert_int_equal(terms->due_days, 30);
    assert_string_equal(terms->mandate_id, "M-1");
    terms_free(terms);
}

static void mistakes_are_told_with_line_and_hint(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "t: the file is empty, start from crawltab agreement template\n"},
        {"statsu: active\n", "t:1: unknown key \"statsu\", did you mean \"status\"?\n"},
        {"what: ever\n", "t:1: unknown key \"what\"; crawltab agreement template lists all keys\n"},
        {"\nbuyer:\n  nmae: x\n", "t:3: unknown key \"buyer.nmae\", did you mean \"buyer.name\"?\n"},
        {"prices:\n  - rule: x\n    prise: 1\n", "t:3: unknown key \"prise\", did you mean \"price\"?\n"},
        {"prices:\n  - rule: x\n", "t:2: price is missing: Price of one crawl, in the site's currency.\n"},
        {"prices:\n  - rule: x\n    price: # none\n", "t:3: price: \"\" is not an amount"},
        {"prices: 5\n", "t:1: prices: a list is expected here, each item after a dash\n"},
        {"prices: [5]\n", "t:1: \"key: value\" lines are expected here\n"},
        {"prices:\n  - price: 1\n", "t:2: prices: say for what the price is, with either rule or paths\n"},
        {"prices:\n  - {rule: a, paths: [/a], price: 1}\n", "t:2: prices: say for what the price is"},
        {"prices:\n  - {paths: [a],\n price: 1}\n", "t:2: paths: \"a\" must start with a slash\n"},
        {"prices:\n  - {paths: [\"\"], price: 1}\n", "t:2: paths: an item is empty, remove it\n"},
        {"tiers:\n  - {from_crawl: 9, discount: 1}\n  - {from_crawl: 9, discount: 2}\n",
         "t:3: tiers: from_crawl must rise from one to the next\n"},
        {"tiers:\n  - {from_crawl: 0, discount: 1}\n", "t:2: from_crawl: 0 is out of range, use 1 to "},
        {"fee: -1\n", "t:1: fee: \"-1\" is not an amount, write a decimal"},
        {"fee: 1e3\n", "t:1: fee: \"1e3\" is not an amount"},
        {"fee: 0.0000001\n", "t:1: fee: \"0.0000001\" is not an amount"},
        {"fee: 100000000000.01\n",
         "t:1: fee: \"100000000000.01\" is too much, at most \"100000000000.00\" fits\n"},
        {"cadence: yearly\n", "t:1: cadence: \"yearly\" is unknown, use daily, weekly or monthly\n"},
        {"status: off\n", "t:1: status: \"off\" is unknown, use active or suspended\n"},
        {"due_days: 400\n", "t:1: due_days: 400 is out of range, use 0 to 366\n"},
        {"subscription: true\n", "t:1: subscription: without a fee nothing would ever be billed; set fee\n"},
        {"subscription: true\nfee: 1\nincluded_crawls: 5\n", "t:1: subscription: covers every crawl"},
        {"tax:\n  rate: 19\n", "t:2: tax.rate: only with treatment standard"},
        {"tax:\n  treatment: standard\n", "t: tax.rate: treatment standard needs a rate above zero"},
        {"tax:\n  treatment: standard\n  rate: 101\n", "t:3: tax.rate: \"101\" is not a percentage"},
        {"tax:\n  treatment: standard\n  rate: 8.87555\n", "t:3: tax.rate: \"8.87555\" is not a percentage"},
        {"tax:\n  treatment: reverse-charge\n", "t: buyer.tax_id: is missing"},
        {"buyer:\n  country: UK\n", "t:2: buyer.country: \"UK\" is not an ISO 3166 code"},
        {"buyer:\n  country: de\n", "t:2: buyer.country: \"de\" is not an ISO 3166 code"},
        {"buyer:\n  email: nobody\n", "t:2: buyer.email: \"nobody\" is not an address"},
        {"buyer:\n  email: a@b@c.example\n", "t:2: buyer.email: "},
        {"buyer:\n  email: a@\n", "t:2: buyer.email: "},
        {"buyer:\n  email: a@b\n", "t:2: buyer.email: "},
        {"buyer:\n  email: a b@c.example\n", "t:2: buyer.email: "},
        {"buyer:\n  endpoint: x\n", "t:2: buyer.endpoint: \"x\" is not SCHEME:ID"},
        {"buyer:\n  endpoint: \"0088:\"\n", "t:2: buyer.endpoint: "},
        {"buyer:\n  endpoint: GLN:1\n", "t:2: buyer.endpoint: "},
        {"buyer:\n  name: \"a\\nb\"\n", "t:2: buyer.name: has a control character, remove it\n"},
        {"buyer:\n  name: \"a\\u202eb\"\n", "t:2: buyer.name: has a control character, remove it\n"},
        {"buyer:\n  name: \"a\\0b\"\n", "t:2: a text has a NUL character in it, remove it\n"},
        {"settlement:\n  rail: cash\n", "t:2: settlement.rail: \"cash\" is unknown"},
        {"settlement:\n  iban: x\n", "t:2: settlement.iban: does not belong to rail none, remove it\n"},
        {SEPA "  network: a:b\n", "t:6: settlement.network: does not belong to rail sepa-direct-debit"},
        {SEPA "  bic: DEUTDE\n", "t:6: settlement.bic: \"DEUTDE\" is not a BIC"},
        {SEPA "  scheme: b2c\n", "t:6: settlement.scheme: \"b2c\" is unknown, use b2b or core\n"},
        {"settlement:\n  rail: sepa-direct-debit\n  iban: DE89 3704 0044 0532 0131 00\n  mandate_id: M\n"
         "  mandate_date: 2026-02-30\n",
         "t:3: settlement.iban: \"DE89370400440532013100\" is not an IBAN: the check digits say that it is "
         "mistyped\n"
         "t:5: settlement.mandate_date: \"2026-02-30\" is not a date such as 2026-11-30\n"},
        {ACH, "t:2: settlement.rail: ach collects USD, but the site bills in EUR\n"},
        {"settlement:\n  rail: x402\n", "t: settlement.network: \"\" is not namespace:reference"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_text(cases[i].text, "EUR"));
        if (strncmp(said, cases[i].expected, strlen(cases[i].expected)) != 0)
            assert_string_equal(said, cases[i].expected);
    }
}

/* An asset that is worth dollars pays no euros. */
static void assets_have_a_currency(void **state)
{
#define COIN "settlement:\n  rail: x402\n  network: \"a:b\"\n  asset: x\n  pay_to: x\n  decimals: 6\n"
    (void)state;
    assert_null(read_text(COIN, "EUR"));
    assert_string_equal(said,
                        "t:2: settlement.rail: the asset of x402 is worth USD, but the site bills in EUR;"
                        " settlement.currency says what it is\n");
    assert_null(read_text(COIN "  currency: eur\n", "EUR"));
    assert_string_equal(said, "t:7: settlement.currency: \"eur\" is not an ISO 4217 code such as EUR\n");
    assert_null(read_text(COIN "  currency: EUR\n", "USD"));
    assert_null(read_text("fee_proration: hourly\n", "USD"));
    assert_string_equal(said, "t:1: fee_proration: \"hourly\" is unknown, use none or daily\n");
}

static void addresses_are_checked_by_their_scheme(void **state)
{
    (void)state;
    assert_null(read_text("buyer:\n  endpoint: \"0088:7300010000002\"\n", "EUR"));
    assert_string_equal(said,
                        "t:2: buyer.endpoint: \"0088:7300010000002\" is not a GLN: thirteen digits, the "
                        "last one a check digit\n");
    assert_null(read_text("buyer:\n  endpoint: \"EM:nobody\"\n", "EUR"));
    assert_string_equal(said, "t:2: buyer.endpoint: \"EM:nobody\" is not an e-mail address\n");
}

static void assert_taken(const char *text, const char *currency)
{
    struct terms *terms = read_text(text, currency);
    if (!terms)
        fail_msg("%s: %s", text, said);
    terms_free(terms);
}

static void good_particulars_are_taken(void **state)
{
    static const char *const ibans[] = {"GB29NWBK60161331926819", "FR1420041010050500013M02606",
                                        "MT84MALT011000012345MTLCAST001S", "NO9386011117947"};
    static const char *const numbers[] = {"011000015", "021000021", "122105155"};
    char text[400];
    (void)state;
    for (size_t i = 0; i < sizeof(ibans) / sizeof(*ibans); i++) {
        snprintf(text, sizeof(text),
                 "settlement: {rail: sepa-direct-debit, iban: %s, mandate_id: \"M 1/2\","
                 " mandate_date: 2024-02-29, bic: MARKDEF1100, scheme: core}",
                 ibans[i]);
        assert_taken(text, "EUR");
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        snprintf(text, sizeof(text),
                 "settlement: {rail: ach, routing_number: \"%s\", account: \"00-1\", kind: "
                 "savings}",
                 numbers[i]);
        assert_taken(text, "USD");
    }
    assert_taken("settlement: {rail: x402, network: \"eip155:8453\", asset: \"0x83\", pay_to: \"0x20\", "
                 "decimals: 6, currency: EUR}",
                 "EUR");
    assert_taken("settlement: {rail: x402, network: \"eip155:8453\", asset: \"0x83\", pay_to: \"0x20\", "
                 "decimals: 6}",
                 "USD");
    assert_taken("settlement: {rail: card}\nbuyer: {country: AX, email: a.b+c@d.example}\n"
                 "limits: {day: \"\"}\n",
                 "EUR");
}

/* Any one digit that is changed makes the number wrong. */
static void mistyped_accounts_are_found(void **state)
{
    char sepa[] = SEPA, ach[] = ACH;
    char *iban = strstr(sepa, "DE89") + 2, *number = strstr(ach, "0110");
    (void)state;
    for (int place = 0; place < 20; place++)
        for (char digit = '0'; digit <= '9'; digit++) {
            char kept = iban[place];
            iban[place] = digit;
            struct terms *terms = read_text(sepa, "EUR");
            assert_int_equal(terms != NULL, digit == kept);
            terms_free(terms);
            iban[place] = kept;
        }
    for (int place = 0; place < 9; place++)
        for (char digit = '0'; digit <= '9'; digit++) {
            char kept = number[place];
            number[place] = digit;
            struct terms *terms = read_text(ach, "USD");
            assert_int_equal(terms != NULL, digit == kept);
            terms_free(terms);
            number[place] = kept;
        }
}

/* The countries are those of the system's time zone data. */
static void countries_are_those_of_iso_3166(void **state)
{
    FILE *table = fopen("/usr/share/zoneinfo/iso3166.tab", "r");
    char known[26 * 26] = {0}, line[200];
    (void)state;
    if (!table)
        skip();
    while (fgets(line, sizeof(line), table))
        if (isupper((unsigned char)line[0]))
            known[(line[0] - 'A') * 26 + line[1] - 'A'] = 1;
    fclose(table);
    for (int i = 0; i < 26 * 26; i++) {
        char text[40];
        snprintf(text, sizeof(text), "buyer: {country: %c%c}\n", 'A' + i / 26, 'A' + i % 26);
        struct terms *terms = read_text(text, NULL);
        assert_int_equal(terms != NULL, known[i]);
        terms_free(terms);
    }
}

static void the_template_gives_the_defaults(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    (void)state;
    terms_write_template(out);
    fclose(out);
    struct terms *terms = read_text(text, "EUR"), *defaults = terms_new();
    assert_string_equal(said, "");
    assert_same(terms, defaults);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    terms_free(terms);
    terms_free(defaults);
    free(text);
}

static void single_terms_are_changed(void **state)
{
    static const struct {
        const char *change, *expected;
    } wrong[] = {
        {"fee", "terms: \"fee\" is not key=value in UTF-8\n"},
        {"fee=x", "terms: fee: \"x\" is not an amount"},
        {"fees=1", "terms: unknown key \"fees\", did you mean \"fee\"?\n"},
        {"buyer.name=\xff", "terms: \"?\" is not key=value in UTF-8\n"},
        {"prices=5", "terms:1: prices: a list is expected here"},
        {"prices=[", "terms:2: not YAML"},
        {"tiers= ", "terms: tiers: a list is expected here\n"},
        {"cadence=hourly", "terms: cadence: \"hourly\" is unknown"},
    };
    (void)state;
    struct terms *first = read_text("fee: 5\nbuyer:\n  name: Ann\n", "EUR");
    struct terms *second = change(first, "buyer.name=Bob: [x] #1");
    assert_string_equal(second->buyer_name, "Bob: [x] #1");
    assert_int_equal(second->fee, 5000000);
    struct terms *third = change(second, "prices=[{rule: a, price: 1}, {paths: [/x], price: 0.5}]");
    assert_int_equal(third->price_count, 2);
    struct terms *fourth = change(third, "prices=");
    assert_same(second, fourth);
    struct terms *fifth = change(fourth, "fee=");
    assert_int_equal(fifth->fee, 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_null(change(first, wrong[i].change));
        if (strncmp(said, wrong[i].expected, strlen(wrong[i].expected)) != 0)
            assert_string_equal(said, wrong[i].expected);
    }
    terms_free(first);
    terms_free(second);
    terms_free(third);
    terms_free(fourth);
    terms_free(fifth);
}

static void differences_are_shown(void **state)
{
    (void)state;
    struct terms *a = read_text("fee: 5\nbuyer:\n  name: Ann\ntax: {treatment: standard, rate: 19}\n", "EUR");
    struct terms *b = read_text("fee: 7.25\ntax: {treatment: standard, rate: 8.875}\n"
                                "prices:\n  - {paths: [/a, /b], price: 1}\n",
                                "EUR");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(terms_write_changes(a, b, out), 4);
    assert_int_equal(terms_write_changes(a, a, out), 0);
    fclose(out);
    assert_string_equal(text, "- fee: \"5.00\"\n+ fee: \"7.25\"\n- tax.rate: \"19\"\n+ tax.rate: \"8.875\"\n"
                              "- buyer.name: \"Ann\"\n"
                              "+ prices:\n+   - paths:\n+       - \"/a\"\n+       - \"/b\"\n"
                              "+     price: \"1.00\"\n");
    free(text);
    terms_free(a);
    terms_free(b);
}

static void json_of_another_form_is_refused(void **state)
{
    static const char *const texts[] = {"[]",
                                        "null",
                                        "{\"status\":5}",
                                        "{\"fee_micros\":\"1\"}",
                                        "{\"fee_micros\":-1}",
                                        "{\"subscription\":1}",
                                        "{\"prices\":[5]}",
                                        "{\"prices\":[{\"paths\":[1],\"price_micros\":1}]}",
                                        "{\"buyer\":{\"name\":[]}}"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        json_t *json = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_null(terms_from_json(json));
        json_decref(json);
    }
}

/* --- Random terms --- */

static uint32_t chance(uint32_t below)
{
    static uint64_t seed = 88172645463325252ULL;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed % below);
}

static const char *word(void)
{
    static const char *const words[] = {
        "a",      "true", "no",       "12",     "0x1", "Zoë \"the\" cat", "- x",
        "#c",     "a: b", "\\",       "{}",     "'q'", "日本語",          "~",
        "100 % ", "|",    "&a *b !c", "@x, [y", " s",  "ends:",           "\xf0\x9f\x90\x88"};
    return words[chance(sizeof(words) / sizeof(*words))];
}

static void random_file(FILE *out)
{
    static const char *const cadences[] = {"daily", "weekly", "monthly"};
    json_t *json = json_object(), *list = json_array();
    json_object_set_new(json, "cadence", json_string(cadences[chance(3)]));
    if (chance(2))
        json_object_set_new(json, "fee", json_sprintf("%u.%06u", chance(100000000), chance(1000000)));
    if (chance(2))
        json_object_set_new(json, "limits",
                            json_pack("{s:o}", "day", json_sprintf("%u.%u", chance(9), chance(999999))));
    if (chance(2))
        json_object_set_new(json, "tax",
                            json_pack("{s:s,s:o}", "treatment", "standard", "rate",
                                      json_sprintf("%u.%04u", chance(100), 1 + chance(9999))));
    if (chance(3))
        json_object_set_new(json, "buyer",
                            json_pack("{s:s,s:s,s:s}", "name", word(), "street", word(), "city", word()));
    for (uint32_t i = chance(4); i > 0; i--) {
        json_t *price = chance(2) ? json_pack("{s:s}", "rule", word())
                                  : json_pack("{s:[o,o]}", "paths", json_sprintf("/%s", word()),
                                              json_sprintf("/%s/**", word()));
        json_object_set_new(price, "price", json_sprintf("%u.%04u", chance(10), chance(10000)));
        json_array_append_new(list, price);
    }
    json_object_set_new(json, "prices", list);
    list = json_array();
    for (uint32_t i = chance(4), from = 1; i > 0; i--)
        json_array_append_new(list, json_pack("{s:i,s:o}", "from_crawl", (int)(from += 1 + chance(1000)),
                                              "discount", json_sprintf("%u", chance(101))));
    json_object_set_new(json, "tiers", list);
    assert_int_equal(json_dumpf(json, out, 0), 0); /* JSON is YAML, too */
    json_decref(json);
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        random_file(out);
        fclose(out);
        struct terms *terms = read_text(text, "EUR");
        if (!terms)
            fail_msg("%s: %s", text, said);
        char *yaml = written(terms);
        struct terms *again = read_text(yaml, "EUR");
        if (!again)
            fail_msg("%s: %s", yaml, said);
        assert_same(terms, again);
        json_t *json = terms_json(terms);
        struct terms *stored = terms_from_json(json);
        assert_same(terms, stored);
        FILE *nowhere = tmpfile();
        assert_int_equal(terms_write_changes(terms, stored, nowhere), 0);
        fclose(nowhere);
        json_decref(json);
        free(text);
        free(yaml);
        terms_free(terms);
        terms_free(again);
        terms_free(stored);
    }
}

static int forget(void **state)
{
    (void)state;
    free(said);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gives_the_terms),
        cmocka_unit_test(assets_have_a_currency),
        cmocka_unit_test(addresses_are_checked_by_their_scheme),
        cmocka_unit_test(mistakes_are_told_with_line_and_hint),
        cmocka_unit_test(good_particulars_are_taken),
        cmocka_unit_test(mistyped_accounts_are_found),
        cmocka_unit_test(countries_are_those_of_iso_3166),
        cmocka_unit_test(the_template_gives_the_defaults),
        cmocka_unit_test(single_terms_are_changed),
        cmocka_unit_test(differences_are_shown),
        cmocka_unit_test(json_of_another_form_is_refused),
        cmocka_unit_test(what_is_written_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
