/* Strict both ways, since what is encoded here is compared and signed: a text that could be written in two
 * ways, with stray bits at its end or a line break in it, is refused. The one exception is asked for by
 * name. */
#include "ledger/base/text/encoding.h"

#include <assert.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The two digits of every 12 bits. An offer is some 900 bytes in base64, for which one digit at a time took a
 * tenth of its instructions. */
static char pairs[4096][2];

__attribute__((constructor)) static void fill_pairs(void)
{
    for (unsigned bits = 0; bits < 4096; bits++) {
        pairs[bits][0] = base64_alphabet[bits >> 6];
        pairs[bits][1] = base64_alphabet[bits & 63];
    }
}

static unsigned group_of(const uint8_t bytes[3])
{
    return (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
}

static size_t encode(const uint8_t *bytes, size_t len, const char *alphabet, char *out)
{
    size_t at = 0;
    size_t i = 0;
    for (; len - i >= 3; i += 3) {
        unsigned group = group_of(bytes + i);
        out[at++] = alphabet[group >> 18];
        out[at++] = alphabet[group >> 12 & 63];
        out[at++] = alphabet[group >> 6 & 63];
        out[at++] = alphabet[group & 63];
    }
    if (i < len) {
        unsigned group = (unsigned)bytes[i] << 16;
        if (i + 1 < len)
            group |= (unsigned)bytes[i + 1] << 8;
        for (size_t k = 0; k <= len - i; k++)
            out[at++] = alphabet[group >> (18 - 6 * k) & 63];
    }
    assert(at == ENCODING_BASE64URL_LEN(len));
    return at;
}

size_t encoding_base64(const void *bytes, size_t len, char *out)
{
    const size_t room = ENCODING_BASE64_LEN(len);
    const uint8_t *in = bytes;
    size_t at = 0;
    for (; len >= 3; in += 3, len -= 3, at += 4) {
        unsigned group = group_of(in);
        memcpy(out + at, pairs[group >> 12], 2);
        memcpy(out + at + 2, pairs[group & 4095], 2);
    }
    at += encode(in, len, base64_alphabet, out + at);
    while (at % 4 != 0)
        out[at++] = '=';
    assert(at == room);
    return at;
}

size_t encoding_base64url(const void *bytes, size_t len, char *out)
{
    return encode(bytes, len, base64url_alphabet, out);
}

/* One more than the value of a digit of either alphabet; 0: no digit. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['-'] = 63,
    ['/'] = 64, ['_'] = 64,
};

static int value_of(char c, bool url)
{
    int value = values[(unsigned char)c] - 1;
    return value < 62 || c == (url ? base64url_alphabet : base64_alphabet)[value] ? value : -1;
}

/* Digits without padding. Stray bits behind the last byte are refused unless `lenient`. */
static bool decode(struct slice text, bool url, bool lenient, uint8_t *out, size_t room, size_t *len)
{
    size_t bytes = text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1);
    if (text.len % 4 == 1 || bytes > room)
        return false;
    unsigned held = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i], url);
        if (value < 0)
            return false;
        held = (held << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(held >> bits);
        }
    }
    assert(at == bytes && at <= room);
    *len = at;
    return lenient || (held & ((1U << bits) - 1)) == 0;
}

bool encoding_unbase64(struct slice text, bool lenient, uint8_t *out, size_t room, size_t *len)
{
    size_t digits = text.len;
    while (digits > 0 && text.len - digits < 2 && text.data[digits - 1] == '=')
        digits--;
    bool padded = text.len % 4 == 0;
    if (!padded && !(lenient && digits == text.len))
        return false;
    assert(text.len - digits <= 2);
    return decode((struct slice){text.data, digits}, false, lenient, out, room, len);
}

bool encoding_unbase64url(struct slice text, uint8_t *out, size_t room, size_t *len)
{
    return decode(text, true, false, out, room, len);
}

char *encoding_hex(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

static int hex_value(char c)
{
    c = slice_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool encoding_unhex(struct slice text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t encoding_decimal(uint64_t number, size_t digits, char *out)
{
    assert(digits <= ENCODING_DECIMAL_MAX);
    size_t len = 1;
    for (uint64_t rest = number / 10; rest > 0; rest /= 10)
        len++;
    if (len < digits)
        len = digits;
    for (size_t i = len; i > 0; i--, number /= 10)
        out[i - 1] = (char)('0' + number % 10);
    assert(number == 0 && len <= ENCODING_DECIMAL_MAX);
    return len;
}
