/* Amounts, encodings, ids, dates, digests: the base library.
 * Tests ledger/base/text/amount.c, ledger/base/crypto/digest.c, ledger/base/text/encoding.c,
 * ledger/base/err.c, ledger/base/instant.c, ledger/base/identifier/series.c, ledger/base/identifier/uuid.c */
#include "tests/unit/support.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/err.h"
#include "ledger/base/instant.h"
#include "ledger/base/identifier/series.h"
#include "ledger/base/identifier/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void amounts_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t micros;
    } good[] = {{"0.0025", 2500},
                {"1", 1000000},
                {"0.000001", 1},
                {"12.34", 12340000},
                {"0", 0},
                {"007.5", 7500000},
                {"9223372036854.775807", INT64_MAX}};
    static const char *const bad[] = {"",
                                      ".5",
                                      "1.",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1,5",
                                      "0.0000001",
                                      " 1",
                                      "1 ",
                                      "9223372036854.775808",
                                      "99999999999999999999",
                                      "1.2.3",
                                      "0x1"};
    int64_t micros;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(amount_parse(slice_of(good[i].text), &micros));
        assert_int_equal(micros, good[i].micros);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(amount_parse(slice_of(bad[i]), &micros));
}

static void amounts_are_written_as_people_write_them(void **state)
{
    char out[AMOUNT_TEXT_MAX];
    (void)state;
    assert_string_equal(amount_format(2500, out), "0.0025");
    assert_string_equal(amount_format(1000000, out), "1.00");
    assert_string_equal(amount_format(-50000, out), "-0.05");
    assert_string_equal(amount_format(INT64_MIN, out), "-9223372036854.775808");
    assert_string_equal(amount_format_decimals(1999999, 0, out), "1");
    assert_string_equal(amount_format_decimals(-1999999, 3, out), "-1.999");
    assert_string_equal(amount_format_minor(1234, 2, out), "12.34");
    assert_string_equal(amount_format_minor(-5, 2, out), "-0.05");
    assert_string_equal(amount_format_minor(1234, 0, out), "1234");
    assert_string_equal(amount_format_minor(1234, 3, out), "1.234");
    assert_string_equal(amount_format_percent(190000, out), "19");
    assert_string_equal(amount_format_percent(1000000, out), "100");
    assert_string_equal(amount_format_percent(88750, out), "8.875");
    assert_string_equal(amount_format_percent(0, out), "0");
}

/* The digits as the C library prints them, with a point put in: what must come out, for every magnitude. */
static void expect_decimal(int64_t amount, int exponent)
{
    char digits[32], expected[40], out[AMOUNT_TEXT_MAX];
    int len = snprintf(digits, sizeof(digits), "%0*" PRId64, exponent + (amount < 0 ? 2 : 1), amount);
    if (exponent == 0)
        snprintf(expected, sizeof(expected), "%s", digits);
    else
        snprintf(expected, sizeof(expected), "%.*s.%s", len - exponent, digits, digits + len - exponent);
    assert_string_equal(amount_format_minor(amount, exponent, out), expected);
    if (exponent == 6)
        assert_string_equal(amount_format_decimals(amount, 6, out), expected);
}

static void every_magnitude_keeps_its_digits(void **state)
{
    uint64_t seed = 88172645463325252ULL;
    (void)state;
    for (int exponent = 0; exponent <= 6; exponent++) {
        int64_t power = 1;
        for (int i = 0; i < 19; i++, power = i < 19 ? power * 10 : power)
            for (int64_t amount = power - 1; amount <= power + 1; amount++) {
                expect_decimal(amount, exponent);
                expect_decimal(-amount, exponent);
            }
        for (int i = 0; i < 630; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            expect_decimal((int64_t)(seed >> (i % 64)), exponent);
        }
        expect_decimal(INT64_MAX, exponent);
        expect_decimal(INT64_MIN, exponent);
    }
}

static void currencies_have_their_decimals(void **state)
{
    (void)state;
    assert_int_equal(amount_exponent(SLICE("USD")), 2);
    assert_int_equal(amount_exponent(SLICE("JPY")), 0);
    assert_int_equal(amount_exponent(SLICE("KWD")), 3);
    assert_int_equal(amount_exponent(SLICE("usd")), -1);
    assert_int_equal(amount_exponent(SLICE("XYZ")), -1);
    assert_int_equal(amount_exponent(SLICE("USDT")), -1);
    assert_int_equal(amount_exponent(SLICE("UYW")), 4); /* the last of those that have not two */
    assert_int_equal(amount_minor_micros(0), 1000000);
    assert_int_equal(amount_minor_micros(2), 10000);
    assert_int_equal(amount_minor_micros(3), 1000);
}

static void numbers_are_written_in_decimal(void **state)
{
    static const struct {
        uint64_t number;
        size_t digits;
        const char *text;
    } cases[] = {{0, 0, "0"},  {0, 1, "0"},       {9, 1, "9"},     {10, 1, "10"},
                 {0, 2, "00"}, {42, 6, "000042"}, {123, 2, "123"}, {UINT64_MAX, 1, "18446744073709551615"}};
    char out[ENCODING_DECIMAL_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t len = encoding_decimal(cases[i].number, cases[i].digits, out);
        assert_slice(slice_bytes(out, len), cases[i].text);
    }
}

/* RFC 4648 section 10. */
static void base64_follows_the_rfc(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    char text[16];
    uint8_t bytes[16];
    size_t len;
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        size_t chars = encoding_base64(pairs[i][0], strlen(pairs[i][0]), text);
        assert_slice(slice_bytes(text, chars), pairs[i][1]);
        assert_true(encoding_unbase64(slice_of(pairs[i][1]), false, bytes, sizeof(bytes), &len));
        assert_slice(slice_bytes(bytes, len), pairs[i][0]);
    }
}

static void base64_is_strict_unless_told_otherwise(void **state)
{
    uint8_t bytes[8];
    size_t len;
    static const char *const bad[] = {
        "Zg", "Zg=", "Zg===", "Z", "Zh==", "Zm9v=", "Zm 9v", "Zm9-", "====", "Z===", "=Zm9"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(encoding_unbase64(slice_of(bad[i]), false, bytes, sizeof(bytes), &len));
    assert_true(encoding_unbase64(SLICE("Zg"), true, bytes, sizeof(bytes), &len));
    assert_true(encoding_unbase64(SLICE("Zh=="), true, bytes, sizeof(bytes), &len));
    assert_false(encoding_unbase64(SLICE("Zg="), true, bytes, sizeof(bytes), &len));
    assert_false(encoding_unbase64(SLICE("Zm9vYmFyYmF6"), true, bytes, sizeof(bytes), &len)); /* no room */
    assert_true(encoding_unbase64url(SLICE("-_8"), bytes, sizeof(bytes), &len));
    assert_int_equal(len, 2);
    assert_false(encoding_unbase64url(SLICE("-_9"), bytes, sizeof(bytes), &len));
    assert_false(encoding_unbase64url(SLICE("-_8="), bytes, sizeof(bytes), &len));
    assert_false(encoding_unbase64url(SLICE("A"), bytes, sizeof(bytes), &len)); /* six bits are no byte */
    assert_false(encoding_unbase64url(SLICE("-_8AA"), bytes, sizeof(bytes), &len));
    assert_false(encoding_unhex(SLICE("00112"), bytes, 2));
    assert_false(encoding_unhex(SLICE("001122"), bytes, 2));
    assert_true(encoding_unhex(SLICE("0011"), bytes, 2));
}

static void a_uuid_carries_its_time(void **state)
{
    uint8_t random[10];
    uint8_t uuid[UUID_SIZE];
    uint8_t again[UUID_SIZE];
    char text[UUID_TEXT_MAX];
    (void)state;
    memset(random, 0xff, sizeof(random));
    uuid_make(0x017f22e279b0, random, uuid); /* the time of RFC 9562 appendix A.6 */
    assert_string_equal(uuid_format(uuid, text), "017f22e2-79b0-7fff-bfff-ffffffffffff");
    assert_int_equal(uuid_ms(uuid), 0x017f22e279b0);
    assert_true(uuid_is_v7(uuid));
    uuid[6] = 0x8f;
    assert_false(uuid_is_v7(uuid));
    uuid[6] = 0x7f;
    assert_true(uuid_parse(slice_of(text), again));
    assert_memory_equal(uuid, again, UUID_SIZE);
    assert_false(uuid_parse(SLICE("017f22e279b07fffbfffffffffffffff"), again));
    assert_false(uuid_parse(SLICE("017f22e2-79b0-7fff-bfff-fffffffffffg"), again));
    assert_false(uuid_parse(SLICE("017f22e2-79b0-7fff-bfff+ffffffffffff"), again));
    assert_false(uuid_parse(SLICE("017f22e2-79b0-7ff-fbfff-ffffffffffff"), again));
    /* A payment id has the UUID in front. */
    uint8_t id[48];
    char base64[65];
    memset(id, 0xa5, sizeof(id));
    memcpy(id, uuid, UUID_SIZE);
    base64[encoding_base64url(id, sizeof(id), base64)] = '\0';
    assert_int_equal(strlen(base64), 64);
    assert_true(uuid_parse(slice_of(base64), again));
    assert_memory_equal(uuid, again, UUID_SIZE);
    base64[63] = '.';
    assert_false(uuid_parse(slice_of(base64), again));
}

static void dates_are_real(void **state)
{
    (void)state;
    assert_true(instant_is_date(SLICE("2026-11-20")));
    assert_true(instant_is_date(SLICE("2024-02-29")));
    assert_true(instant_is_date(SLICE("2000-02-29")));
    assert_false(instant_is_date(SLICE("2100-02-29")));
    assert_true(instant_of_date("1970-01-01") == 0 && instant_of_date("1969-12-31") == -INSTANT_DAY_MS);
    assert_true(instant_of_date("2024-02-29") == INT64_C(1709164800000));
    assert_false(instant_is_date(SLICE("2026-02-29")));
    assert_false(instant_is_date(SLICE("2026-13-01")));
    assert_false(instant_is_date(SLICE("2026-1-01")));
    assert_false(instant_is_date(SLICE("2026-11-2x")));
}

static void instants_are_written_in_utc(void **state)
{
    char out[INSTANT_TEXT_MAX];
    (void)state;
    assert_string_equal(instant_format(1732101636123, out), "2024-11-20T11:20:36.123Z");
    assert_string_equal(instant_format(-1, out), "1969-12-31T23:59:59.999Z");
    assert_string_equal(instant_format_http(784111777000, out), "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void write_http_date(char *text, size_t room, int form, const struct tm *tm)
{
    char day[24];
    size_t len = form == 0   ? strftime(text, room, "%a, %d %b %Y %H:%M:%S GMT", tm)
                 : form == 1 ? strftime(day, sizeof(day), "%A, %d-%b", tm)
                             : strftime(text, room, "%a %b %e %H:%M:%S %Y", tm);
    assert_true(len > 0);
    if (form == 1)
        snprintf(text, room, "%s-%02d %02d:%02d:%02d GMT", day, tm->tm_year % 100, tm->tm_hour, tm->tm_min,
                 tm->tm_sec);
}

/* What the C library writes in the three forms of RFC 9110 section 5.6.7 is read back, from the year 1000,
 * when it begins to write four digits, to 9999. */
static void http_dates_are_read_in_three_forms(void **state)
{
    int64_t now = 1795800000; /* in 2026 */
    (void)state;
    for (int64_t at = -30610224000; at < 253402300800; at += 86400LL * 137 + 12345)
        for (int form = 0; form < 3; form++) {
            char text[64];
            time_t time = (time_t)at;
            struct tm tm;
            int64_t seconds;
            gmtime_r(&time, &tm);
            if (form == 1 && (tm.tm_year < 77 || tm.tm_year > 176))
                continue; /* two digits do not tell it */
            write_http_date(text, sizeof(text), form, &tm);
            assert_true(instant_parse_http(slice_of(text), now, &seconds));
            assert_int_equal(seconds, at);
        }
}

static void what_is_no_http_date_is_none(void **state)
{
    static const char *const bad[] = {"",
                                      "Sun",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 31 Nov 1994 08:49:37 GMT",
                                      "Sun, 29 Feb 1900 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 0000 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "sun, 06 nov 1994 08:49:37 gmt",
                                      "Sunday, 06 Nov 94 08:49:37 GMT",
                                      "Sun, 06-Nov-94 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sun Nov 06 08:49:37 1994 GMT",
                                      "Sun Nov  16 08:49:37 1994",
                                      "784111777"};
    int64_t seconds = 5;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (instant_parse_http(slice_of(bad[i]), 1795800000, &seconds))
            fail_msg("%s", bad[i]);
    assert_int_equal(seconds, 5);
    assert_true(instant_parse_http(SLICE("Sat, 31 Dec 2016 23:59:60 GMT"), 1795800000, &seconds));
    assert_int_equal(seconds, 1483228800);
    /* Fifty years ahead, and one more. */
    assert_true(instant_parse_http(SLICE("Tuesday, 24-Nov-76 00:00:00 GMT"), 1795800000, &seconds));
    assert_int_equal(seconds, 3373401600);
    assert_true(instant_parse_http(SLICE("Thursday, 24-Nov-77 00:00:00 GMT"), 1795800000, &seconds));
    assert_int_equal(seconds, 249177600);
}

/* FIPS 180-2 "abc", and RFC 4231 test case 2, in two parts. */
static void digests_are_the_published_ones(void **state)
{
    uint8_t out[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    const struct slice abc[] = {SLICE("a"), SLICE("bc")};
    const struct slice data[] = {SLICE("what do ya want "), SLICE("for nothing?")};
    (void)state;
    digest_sha256(abc, 2, out);
    assert_string_equal(encoding_hex(out, sizeof(out), hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct hmac *hmac = hmac_new("Jefe", 4);
    for (int again = 0; again < 2; again++) {
        hmac_sha256(hmac, data, 2, out);
        assert_string_equal(encoding_hex(out, sizeof(out), hex),
                            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
    hmac_free(hmac);
}

/* WIRE.md section 5: status and code of every refusal. */
static void failures_have_the_codes_of_the_protocol(void **state)
{
    static const struct {
        enum err err;
        unsigned status;
        const char *code;
    } wire[] = {
        {ERR_MALFORMED_PAYMENT, 400, "malformed_payment"},
        {ERR_MALFORMED_PAYMENT_SIGNATURE, 400, "malformed_payment_signature"},
        {ERR_MALFORMED_COMMITMENT, 400, "malformed_commitment"},
        {ERR_MALFORMED_X_PAYMENT, 400, "malformed_x_payment"},
        {ERR_MALFORMED_CRAWLER_PRICE, 400, "malformed_crawler_price"},
        {ERR_PRICE_NOT_ACCEPTABLE, 402, "price_not_acceptable"},
        {ERR_X402_VERSION, 402, "x402_version_unsupported"},
        {ERR_MALFORMED_SIGNATURE, 400, "malformed_signature"},
        {ERR_MALFORMED_SIGNATURE_AGENT, 400, "malformed_signature_agent"},
        {ERR_CONFLICTING_PAYMENT, 400, "conflicting_payment"},
        {ERR_PAYMENT_REQUIRED, 402, "payment_required"},
        {ERR_OFFER_EXPIRED, 402, "offer_expired"},
        {ERR_OFFER_MISMATCH, 402, "offer_mismatch"},
        {ERR_PAGE_CHANGED, 402, "page_changed"},
        {ERR_PAYMENT_UNDELIVERED, 402, "payment_undelivered"},
        {ERR_REQUEST_REPEATED, 409, "request_repeated"},
        {ERR_SIGNATURE_REQUIRED, 403, "signature_required"},
        {ERR_SIGNATURE_INVALID, 403, "signature_invalid"},
        {ERR_SIGNATURE_EXPIRED, 403, "signature_expired"},
        {ERR_KEY_UNKNOWN, 403, "key_unknown"},
        {ERR_BLOCKED, 403, "blocked"},
        {ERR_PAYMENT_CONFLICT, 409, "payment_conflict"},
        {ERR_DIRECTORY_UNAVAILABLE, 503, "directory_unavailable"},
        {ERR_LEDGER_UNAVAILABLE, 503, "ledger_unavailable"},
        {ERR_OVERLOADED, 503, "overloaded"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wire) / sizeof(*wire); i++) {
        assert_int_equal(err_status(wire[i].err), wire[i].status);
        assert_string_equal(err_code(wire[i].err), wire[i].code);
        assert_true(strlen(err_sentence(wire[i].err)) > 10);
    }
    for (int err = ERR_OK; err < ERR_COUNT; err++) {
        assert_true(strlen(err_phrase((enum err)err)) > 1);
        assert_null(strpbrk(err_sentence((enum err)err), "\"\\")); /* they go into JSON as they are */
    }
}

static void series_of_numbers(void **state)
{
    static const char *const wrong[] = {"",
                                        "INV",
                                        "INV-{number}",
                                        "INV-{number:0}",
                                        "{number:13}",
                                        "{number:6}{year}",
                                        "A {number:6}",
                                        "A{number:6}{number:6}",
                                        "{number:6",
                                        "a-very-long-text-before-{number:6}"};
    struct series series;
    (void)state;
    assert_true(series_read("INV-{year}-{number:6}", "2026-11-21", &series));
    assert_string_equal(series.name, "INV-2026-*");
    assert_string_equal(series.before, "INV-2026-");
    assert_string_equal(series.after, "");
    assert_int_equal(series.digits, 6);
    assert_true(series_read("{number:10}/x", "2026-11-21", &series));
    assert_string_equal(series.name, "*/x");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(series_read(wrong[i], "2026-11-21", &series));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_read_exactly),
        cmocka_unit_test(amounts_are_written_as_people_write_them),
        cmocka_unit_test(every_magnitude_keeps_its_digits),
        cmocka_unit_test(currencies_have_their_decimals),
        cmocka_unit_test(numbers_are_written_in_decimal),
        cmocka_unit_test(base64_follows_the_rfc),
        cmocka_unit_test(base64_is_strict_unless_told_otherwise),
        cmocka_unit_test(a_uuid_carries_its_time),
        cmocka_unit_test(dates_are_real),
        cmocka_unit_test(instants_are_written_in_utc),
        cmocka_unit_test(http_dates_are_read_in_three_forms),
        cmocka_unit_test(what_is_no_http_date_is_none),
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(failures_have_the_codes_of_the_protocol),
        cmocka_unit_test(series_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
