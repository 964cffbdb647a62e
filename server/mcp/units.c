#include "server/mcp/units.h"

#include <assert.h>

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = slice_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int32_t units_hex(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_of(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The characters of what stands between quotes, one UTF-16 unit after the other, as RFC 8785 compares them.
 */

static uint32_t decode_escape(struct units *units)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = *units->at++;
    if (c != 'u')
        return (uint8_t)values[strchr(letters, c) - letters];
    uint32_t unit = (uint32_t)units_hex(units->at, units->end);
    units->at += 4;
    return unit;
}

static uint32_t decode_wide(struct units *units)
{
    const uint8_t *at = (const uint8_t *)units->at;
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t point = at[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++)
        point = point << 6 | (at[i] & 0x3fu);
    units->at += size;
    if (point < 0x10000)
        return point;
    units->low = 0xdc00 + ((point - 0x10000) & 0x3ff);
    return 0xd800 + ((point - 0x10000) >> 10);
}

int32_t units_next(struct units *units)
{
    uint32_t low = units->low;
    units->low = 0;
    if (low != 0)
        return (int32_t)low;
    if (units->at == units->end)
        return -1;
    if (*units->at == '\\') {
        units->at++;
        return (int32_t)decode_escape(units);
    }
    return (int32_t)((uint8_t)*units->at >= 0x80 ? decode_wide(units) : (uint8_t)*units->at++);
}

int units_compare(struct slice a, struct slice b)
{
    struct units left = {a.data, a.data + a.len, 0}, right = {b.data, b.data + b.len, 0};
    for (;;) {
        int32_t x = units_next(&left), y = units_next(&right);
        if (x != y)
            return x < y ? -1 : 1;
        if (x < 0)
            return 0;
    }
}

size_t units_write(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

uint32_t units_point(struct units *units)
{
    uint32_t unit = (uint32_t)units_next(units);
    if (unit < 0xd800 || unit > 0xdbff)
        return unit;
    uint32_t low = (uint32_t)units_next(units);
    assert(low >= 0xdc00 && low <= 0xdfff);
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}
