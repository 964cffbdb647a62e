/* Prices of a thousandth of a cent are usual, so that amounts are millionths: the largest that a bigint
 * holds is nine trillion, and a billion crawls of a cent are ten million. All text of money, also in SQL's
 * documents, is made of these integers: nothing that binary fractions could falsify comes near them. */
#include "ledger/base/text/amount.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>

#define MICROS 1000000

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool amount_parse(struct slice text, int64_t *micros)
{
    size_t point = slice_find(text, '.');
    size_t decimals = point < text.len ? text.len - point - 1 : 0;
    if (point == 0 || (point < text.len && decimals == 0) || decimals > 6)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (i == point)
            continue;
        if (!digit(text.data[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    }
    for (size_t i = decimals; i < 6; i++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    assert(value >= 0); /* there is no sign, and what would overflow into one was refused */
    *micros = value;
    return true;
}

/* All money becomes text here: a count of units, `exponent` of whose decimals stand behind the point. Returns
 * the length. Whole and rest are parted as numbers, not as characters: nothing has to be padded or cut. */
static size_t write_decimal(int64_t amount, int exponent, char out[AMOUNT_TEXT_MAX])
{
    assert(exponent >= 0 && exponent <= 6);
    uint64_t size = amount < 0 ? 0 - (uint64_t)amount : (uint64_t)amount, unit = 1;
    size_t len = 0;
    for (int i = 0; i < exponent; i++)
        unit *= 10;
    if (amount < 0)
        out[len++] = '-';
    len += encoding_decimal(size / unit, 1, out + len);
    if (exponent > 0) {
        out[len++] = '.';
        len += encoding_decimal(size % unit, (size_t)exponent, out + len);
    }
    out[len] = '\0';
    assert(len < AMOUNT_TEXT_MAX);
    return len;
}

const char *amount_format_minor(int64_t minor, int exponent, char out[AMOUNT_TEXT_MAX])
{
    write_decimal(minor, exponent, out);
    return out;
}

/* Cut off, not rounded: what is shown is never more than what is owed. */
const char *amount_format_decimals(int64_t micros, int decimals, char out[AMOUNT_TEXT_MAX])
{
    assert(decimals >= 0 && decimals <= 6);
    size_t len = write_decimal(micros, 6, out) - (size_t)(6 - decimals);
    out[decimals > 0 ? len : len - 1] = '\0'; /* without decimals the point goes, too */
    return out;
}

int amount_decimals(int64_t micros)
{
    int decimals = 6;
    for (; decimals > 2 && micros % 10 == 0; decimals--)
        micros /= 10;
    return decimals;
}

const char *amount_format(int64_t micros, char out[AMOUNT_TEXT_MAX])
{
    return amount_format_decimals(micros, amount_decimals(micros), out);
}

const char *amount_format_percent(int64_t ppm, char out[AMOUNT_TEXT_MAX])
{
    size_t len = write_decimal(ppm, 4, out);
    assert(len > 0 && len < AMOUNT_TEXT_MAX);
    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[--len] = '\0';
    return out;
}

bool amount_add(int64_t a, int64_t b, int64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* Four decimals at the most (CLF, UYW), so that a minor unit is a whole number of micro-units: amounts become
 * minor units by division, and only there is anything rounded. */
int64_t amount_minor_micros(int exponent)
{
    assert(exponent >= 0 && exponent <= 4);
    int64_t micros = MICROS;
    for (int i = 0; i < exponent; i++)
        micros /= 10;
    assert(micros > 0 && MICROS % micros == 0);
    return micros;
}

int amount_exponent(struct slice currency)
{
    /* ISO 4217:2015 list one, active currencies with another number of decimals than two. */
    static const char other[] = "BIF0CLP0DJF0GNF0ISK0JPY0KMF0KRW0PYG0RWF0UGX0VND0VUV0XAF0XOF0XPF0"
                                "BHD3IQD3JOD3KWD3LYD3OMR3TND3CLF4UYW4";
    static const char two[] =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
        "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
        "MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD "
        "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS "
        "VED VES WST XCD YER ZAR ZMW ZWG";
    _Static_assert((sizeof(other) - 1) % 4 == 0 && sizeof(two) % 4 == 0, "codes of one width");
    if (currency.len != 3)
        return -1;
    for (size_t i = 0; i + 4 <= sizeof(other) - 1; i += 4)
        if (memcmp(other + i, currency.data, 3) == 0)
            return other[i + 3] - '0';
    for (size_t i = 0; i + 3 <= sizeof(two) - 1; i += 4)
        if (memcmp(two + i, currency.data, 3) == 0)
            return 2;
    return -1;
}
