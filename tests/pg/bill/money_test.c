/* Money as text: what SQL writes is what C writes. That documents and files say it is
 * tests/e2e/money/money.test.js. */
#include "tests/pg/support.h"

#include "ledger/base/text/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Amounts of every magnitude: powers of ten, what stands beside them, the ends, and random ones of 1 to 63
 * bits; each also below zero. */
#define POWERS  19
#define RANDOMS 126
#define AMOUNTS (2 * (3 * POWERS + RANDOMS) + 3)

static const int64_t *amounts(void)
{
    static int64_t all[AMOUNTS];
    uint64_t seed = 88172645463325252ULL;
    int64_t power = 1;
    size_t count = 0;
    for (int i = 0; i < POWERS; i++, power = i < POWERS ? power * 10 : power)
        for (int64_t beside = -1; beside <= 1; beside++)
            all[count++] = power + beside;
    for (int i = 0; i < RANDOMS; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        all[count++] = (int64_t)(seed >> (1 + i % 63));
    }
    for (size_t i = 0, first = count; i < first; i++)
        all[count++] = -all[i];
    all[count++] = INT64_MAX;
    all[count++] = INT64_MIN;
    all[count++] = 0;
    assert_int_equal(count, AMOUNTS);
    return all;
}

/* The rows of a query over all amounts as `n`, in order, against what `format` makes of each. */
static void compare(const char *expression, const char *(*format)(int64_t amount, int exponent, char *out),
                    int exponent)
{
    static char text[AMOUNTS * 24 + 256];
    const int64_t *all = amounts();
    size_t len = (size_t)snprintf(text, sizeof(text), "SELECT %s FROM unnest('{", expression);
    for (size_t i = 0; i < AMOUNTS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRId64, i ? "," : "", all[i]);
    snprintf(text + len, sizeof(text) - len, "}'::bigint[]) WITH ORDINALITY AS a(n, at) ORDER BY at");
    const char *line = sql(text);
    for (size_t i = 0; i < AMOUNTS; i++) {
        char expected[AMOUNT_TEXT_MAX];
        format(all[i], exponent, expected);
        size_t end = strcspn(line, "\n");
        if (end != strlen(expected) || memcmp(line, expected, end) != 0)
            fail_msg("%s of %" PRId64 " is %.*s, expected %s", expression, all[i], (int)end, line, expected);
        line += end + (line[end] == '\n');
    }
    assert_int_equal(*line, '\0');
}

static const char *micros(int64_t amount, int exponent, char *out)
{
    (void)exponent;
    return amount_format(amount, out);
}

static void sql_writes_what_c_writes(void **state)
{
    (void)state;
    for (int exponent = 0; exponent <= 4; exponent++) {
        char expression[64];
        snprintf(expression, sizeof(expression), "minor_text(n, %d::smallint)", exponent);
        compare(expression, amount_format_minor, exponent);
    }
    compare("micros_text(n)", micros, 0);
    assert_string_equal(sql("SELECT string_agg(rate_text(ppm), ' ' ORDER BY ppm)"
                            " FROM unnest('{0,1,100,88750,100000,190000,1000000}'::integer[]) AS ppm"),
                        "0 % 0.0001 % 0.01 % 8.875 % 10 % 19 % 100 %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sql_writes_what_c_writes, ledger_setup, ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
