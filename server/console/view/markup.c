#include "server/console/view/markup.h"

#include "ledger/base/log.h"
#include "ledger/base/text/amount.h"
#include "server/console/base/asked.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

/* Control characters would be none of HTML, and stand for themselves nowhere. */
static void escape(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)(text ? text : ""); *c; c++) {
        if (*c == '&')
            fputs("&amp;", out);
        else if (*c == '<')
            fputs("&lt;", out);
        else if (*c == '>')
            fputs("&gt;", out);
        else if (*c == '"')
            fputs("&quot;", out);
        else if (*c == '\'')
            fputs("&#39;", out);
        else if (*c < 0x20 && *c != '\n' && *c != '\t')
            fputs("\xef\xbf\xbd", out);
        else
            fputc(*c, out);
    }
}

void markup(FILE *out, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (const char *c = format; *c; c++) {
        if (*c != '%') {
            fputc(*c, out);
            continue;
        }
        switch (*++c) {
        case 's':
            escape(out, va_arg(values, const char *));
            break;
        case 'u': {
            const char *text = va_arg(values, const char *);
            asked_escape(out, text ? text : "");
            break;
        }
        case 'd':
            fprintf(out, "%lld", (long long)va_arg(values, int64_t));
            break;
        default:
            fputc(*c, out);
        }
    }
    va_end(values);
}

/* Digits in groups of three, up to a point. */
static void group(FILE *out, const char *digits)
{
    size_t whole = strcspn(digits, ".");
    for (size_t i = 0; digits[i]; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0 && digits[i - 1] != '-')
            fputc(',', out);
        fputc(digits[i], out);
    }
}

void markup_number(FILE *out, int64_t number)
{
    group(out, LOG_NUMBER(number));
}

void markup_money(FILE *out, int64_t micros, const char *currency)
{
    char text[AMOUNT_TEXT_MAX];
    group(out, amount_format(micros, text));
    markup(out, currency && *currency ? " %s" : "", currency);
}

void markup_name(FILE *out, const char *name)
{
    for (const char *c = name; *c; c++)
        fputc(c == name ? toupper((unsigned char)*c) : *c == '_' ? ' ' : *c, out);
}

static bool ends(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && strcmp(name + len - tail, end) == 0;
}

/* Text that somebody has signed has lines, which matter. */
static void value_of(FILE *out, const char *name, const json_t *value, const char *currency)
{
    if (json_is_string(value))
        markup(out, strchr(json_string_value(value), '\n') ? "<pre>%s</pre>" : "%s",
               json_string_value(value));
    else if (json_is_integer(value) && ends(name, "_micros"))
        markup_money(out, json_integer_value(value), currency);
    else if (json_is_integer(value))
        markup_number(out, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", out);
    else if (json_is_object(value))
        markup_object(out, value);
}

void markup_object(FILE *out, const json_t *object)
{
    const char *currency = json_string_value(json_object_get(object, "currency")), *name;
    json_t *value;
    fputs("<dl>", out);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        bool nothing = json_is_null(value) || json_is_array(value) ||
                       (json_is_string(value) && !*json_string_value(value)) ||
                       (json_is_object(value) && json_object_size(value) == 0);
        if (nothing)
            continue;
        fputs("<div><dt>", out);
        markup_name(out, name);
        fputs("</dt><dd>", out);
        value_of(out, name, value, currency);
        fputs("</dd></div>\n", out);
    }
    fputs("</dl>\n", out);
}
