/* RFC 9651 section 4.1. */
#include "ledger/verify/sf.h"

#include "ledger/base/text/encoding.h"

#include <assert.h>

static void write_string(struct text *out, struct slice text)
{
    assert(text.data || text.len == 0);
    text_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            text_char(out, '\\');
        text_char(out, text.data[i]);
    }
    text_char(out, '"');
}

static void write_decimal(struct text *out, int64_t thousandths)
{
    int64_t size = thousandths < 0 ? -thousandths : thousandths;
    if (thousandths < 0)
        text_char(out, '-');
    text_number(out, size / 1000);
    text_char(out, '.');
    int64_t rest = size % 1000;
    assert(rest >= 0 && size / 1000 <= INT64_C(999999999999)); /* section 4.1.5: twelve digits */
    text_char(out, (char)('0' + rest / 100));
    if (rest % 100 != 0)
        text_char(out, (char)('0' + rest / 10 % 10));
    if (rest % 10 != 0)
        text_char(out, (char)('0' + rest % 10));
}

static void write_bytes(struct text *out, struct slice bytes)
{
    char digits[4];
    text_char(out, ':');
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t part = bytes.len - i < 3 ? bytes.len - i : 3;
        text_add(out, slice_bytes(digits, encoding_base64(bytes.data + i, part, digits)));
    }
    text_char(out, ':');
}

static void write_display(struct text *out, struct slice text)
{
    char hex[3];
    text_add(out, SLICE("%\""));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' || c == '"' || c < 0x20 || c > 0x7e) {
            text_char(out, '%');
            text_add(out, slice_of(encoding_hex(&c, 1, hex)));
        } else {
            text_char(out, c);
        }
    }
    text_char(out, '"');
}

void sf_write_bare(struct text *out, const struct sf_bare *value)
{
    switch (value->kind) {
    case SF_INTEGER:
        text_number(out, value->number);
        return;
    case SF_DECIMAL:
        write_decimal(out, value->number);
        return;
    case SF_STRING:
        write_string(out, value->text);
        return;
    case SF_TOKEN:
        text_add(out, value->text);
        return;
    case SF_BYTES:
        write_bytes(out, value->text);
        return;
    case SF_BOOLEAN:
        text_add(out, value->number ? SLICE("?1") : SLICE("?0"));
        return;
    case SF_DATE:
        text_char(out, '@');
        text_number(out, value->number);
        return;
    case SF_DISPLAY:
        write_display(out, value->text);
        return;
    case SF_INNER:
        return; /* not a bare item */
    }
}

void sf_write_parameters(struct text *out, const struct sf_parameter *parameters)
{
    for (; parameters; parameters = parameters->next) {
        text_char(out, ';');
        text_add(out, parameters->key);
        if (parameters->value.kind == SF_BOOLEAN && parameters->value.number)
            continue;
        text_char(out, '=');
        sf_write_bare(out, &parameters->value);
    }
}

void sf_write_member(struct text *out, const struct sf_member *member)
{
    if (member->value.kind == SF_INNER) {
        text_char(out, '(');
        for (const struct sf_member *item = member->items; item; item = item->next) {
            sf_write_member(out, item);
            if (item->next)
                text_char(out, ' ');
        }
        text_char(out, ')');
    } else {
        sf_write_bare(out, &member->value);
    }
    sf_write_parameters(out, member->parameters);
}

void sf_write_list(struct text *out, const struct sf_list *list)
{
    for (const struct sf_member *member = list->first; member; member = member->next) {
        sf_write_member(out, member);
        if (member->next)
            text_add(out, SLICE(", "));
    }
}

void sf_write_dictionary(struct text *out, const struct sf_list *dictionary)
{
    for (const struct sf_member *member = dictionary->first; member; member = member->next) {
        text_add(out, member->key);
        if (member->value.kind == SF_BOOLEAN && member->value.number) {
            sf_write_parameters(out, member->parameters);
        } else {
            text_char(out, '=');
            sf_write_member(out, member);
        }
        if (member->next)
            text_add(out, SLICE(", "));
    }
}
