#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/instant.h"

#include <stdlib.h>
#include <unistd.h>

static bool harmless(const char *at, const char *start)
{
    unsigned char c = (unsigned char)*at;
    /* U+0080 to U+009F are control characters too: C2 80 to C2 9F in UTF-8. */
    bool second = at > start && (unsigned char)at[-1] == 0xc2 && c >= 0x80 && c < 0xa0;
    return c >= 0x20 && c != 0x7f && !second;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

void show_text(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++)
        fputc(harmless(c, text) ? *c : '?', out);
}

void show_column(FILE *out, const char *text, int width)
{
    int columns = 0;
    for (const char *c = text; *c; c++)
        columns += starts_character(*c);
    /* A line that is too long is what a person is spared; a program wants the whole name. */
    if (columns > width && !isatty(fileno(out))) {
        show_text(out, text);
        return;
    }
    int room = columns > width ? width - 3 : width;
    int used = 0;
    for (const char *c = text; *c; c++) {
        if (starts_character(*c) && used == room)
            break;
        used += starts_character(*c);
        fputc(harmless(c, text) ? *c : '?', out);
    }
    fprintf(out, "%*s", width - used, columns > width ? "..." : "");
}

const char *show_micros(int64_t micros, const char *currency, char out[SHOW_MONEY_MAX])
{
    char amount[AMOUNT_TEXT_MAX];
    snprintf(out, SHOW_MONEY_MAX, "%s %.8s", amount_format(micros, amount), currency);
    return out;
}

const char *show_minor(int64_t minor, int64_t decimals, const char *currency, char out[SHOW_MONEY_MAX])
{
    char amount[AMOUNT_TEXT_MAX];
    snprintf(out, SHOW_MONEY_MAX, "%s %.8s", amount_format_minor(minor, (int)decimals, amount), currency);
    return out;
}

const char *show_instant(int64_t ms, char out[SHOW_INSTANT_MAX])
{
    char text[INSTANT_TEXT_MAX];
    instant_format(ms, text);
    snprintf(out, SHOW_INSTANT_MAX, ms % 1000 == 0 ? "%.19sZ" : "%s", text);
    return out;
}

char *show_raw(struct pg_hex bytes, size_t *len)
{
    *len = pg_hex_bytes(bytes, NULL, 0);
    uint8_t *raw = malloc(*len + 1);
    if (!raw)
        return NULL;
    pg_hex_bytes(bytes, raw, *len);
    raw[*len] = '\0';
    return (char *)raw;
}

static char *encode(struct pg_hex bytes, size_t (*encoder)(const void *, size_t, char *))
{
    size_t len;
    char *raw = show_raw(bytes, &len);
    char *text = raw ? malloc(ENCODING_BASE64_LEN(len) + 1) : NULL;
    if (text)
        text[encoder(raw, len, text)] = '\0';
    free(raw);
    return text;
}

char *show_base64(struct pg_hex bytes)
{
    return encode(bytes, encoding_base64);
}

char *show_base64url(struct pg_hex bytes)
{
    return encode(bytes, encoding_base64url);
}

json_t *show_json_bytes(struct pg_hex bytes)
{
    size_t len;
    char *raw = show_raw(bytes, &len);
    json_t *json = raw ? json_stringn(raw, len) : NULL;
    free(raw);
    if (json)
        return json;
    char *base64 = show_base64(bytes);
    json = base64 ? json_pack("{s:s}", "base64", base64) : NULL;
    free(base64);
    return json;
}

json_t *show_json_text(const char *text)
{
    return text ? json_string(text) : json_null();
}

bool show_json(json_t *value, size_t flags)
{
    bool ok = value && json_dumpf(value, stdout, flags) == 0 && fputc('\n', stdout) != EOF;
    json_decref(value);
    if (!ok)
        LOG(ERROR, "cannot write JSON", {"detail", "out of memory, or the output is closed"});
    return ok;
}
