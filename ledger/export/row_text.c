#include "ledger/export/row_text.h"

#include "ledger/base/identifier/uuid.h"
#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

enum style {
    STYLE_TEXT,
    STYLE_WORD, /* a text that needs no quotes */
    STYLE_ID,
    STYLE_NUMBER,
    STYLE_AMOUNT,
    STYLE_TIME,
    STYLE_BYTES,
    STYLE_URL,
    STYLE_SIGNED
};

void row_text_free(struct row_text *text)
{
    free(text->data);
    *text = (struct row_text){.data = NULL};
}

/* Room for so many more; NULL without memory. */
static char *more(struct row_text *text, size_t len)
{
    if (text->len + len > text->room && !text->full) {
        size_t room = 2 * (text->len + len) + 1024;
        char *data = realloc(text->data, room);
        text->full = !data;
        if (data) {
            text->data = data;
            text->room = room;
        }
    }
    return text->full ? NULL : text->data + text->len;
}

static void add(struct row_text *text, struct slice piece)
{
    char *to = more(text, piece.len);
    if (to && piece.len > 0) {
        memcpy(to, piece.data, piece.len);
        text->len += piece.len;
    }
}

/* --- Which column how --- */

static int style_of(const struct sql_column *column)
{
    static const struct {
        const char *type;
        enum style style;
    } types[] = {{"text", STYLE_TEXT},
                 {"uuid", STYLE_ID},
                 {"bigint", STYLE_NUMBER},
                 {"timestamptz", STYLE_TIME},
                 {"bytea", STYLE_BYTES}};
    if (strcmp(column->name, "amount") == 0)
        return STYLE_AMOUNT;
    if (strcmp(column->name, "currency") == 0 || strcmp(column->name, "billing_day") == 0)
        return STYLE_WORD;
    if (strcmp(column->name, "thumbprint") == 0)
        return STYLE_URL;
    if (strcmp(column->name, "signature_base") == 0)
        return STYLE_SIGNED;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(column->type_name, types[i].type) == 0)
            return (int)types[i].style;
    assert(false); /* such a type cannot be declared of a stream */
    return STYLE_TEXT;
}

void row_form_of(const char *statement, bool csv, struct row_form *form)
{
    *form = (struct row_form){
        .columns = pg_columns(statement), .amount = -1, .currency = -1, .resource = -1, .csv = csv};
    for (; form->columns[form->count].name; form->count++) {
        assert(form->count < ROW_COLUMNS_MAX);
        const char *name = form->columns[form->count].name;
        form->style[form->count] = style_of(&form->columns[form->count]);
        if (strcmp(name, "amount") == 0)
            form->amount = form->count;
        else if (strcmp(name, "currency") == 0)
            form->currency = form->count;
        else if (strcmp(name, "resource") == 0)
            form->resource = form->count;
    }
}

/* --- CSV --- */

/* A spreadsheet takes a cell that starts like this for a formula, and crawlers choose what stands here. */
static bool is_formula(struct slice cell)
{
    return cell.len > 0 && memchr("=+-@\t\r", cell.data[0], 6);
}

static void add_quoted(struct row_text *text, struct slice cell)
{
    add(text, SLICE("\""));
    if (is_formula(cell))
        add(text, SLICE("'"));
    while (cell.len > 0) {
        size_t len = slice_find(cell, '"');
        bool quote = len < cell.len;
        add(text, (struct slice){cell.data, len + quote});
        if (quote)
            add(text, SLICE("\""));
        cell = (struct slice){cell.data + len + quote, cell.len - len - quote};
    }
    add(text, SLICE("\""));
}

/* --- JSON --- */

static void add_escaped(struct row_text *text, struct slice piece)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.data[i];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        char escape[6] = {'\\', (char)c};
        size_t len = 2;
        const char *letter = c < ' ' ? memchr("\b\f\n\r\t", c, 5) : NULL;
        if (letter) {
            escape[1] = "bfnrt"[strchr("\b\f\n\r\t", c) - "\b\f\n\r\t"];
        } else if (c < ' ') {
            memcpy(escape + 1, "u00", 3);
            escape[4] = digits[c >> 4];
            escape[5] = digits[c & 15];
            len = 6;
        }
        add(text, (struct slice){piece.data + from, i - from});
        add(text, (struct slice){escape, len});
        from = i + 1;
    }
    add(text, (struct slice){piece.data + from, piece.len - from});
}

static void add_string(struct row_text *text, struct slice piece)
{
    add(text, SLICE("\""));
    add_escaped(text, piece);
    add(text, SLICE("\""));
}

/* --- A value --- */

static void add_base64(struct row_text *text, struct slice bytes, bool url)
{
    char *to = more(text, ENCODING_BASE64_LEN(bytes.len));
    if (to)
        text->len +=
            url ? encoding_base64url(bytes.data, bytes.len, to) : encoding_base64(bytes.data, bytes.len, to);
}

static bool is_utf8(struct slice bytes)
{
    json_t *string = json_stringn(bytes.data, bytes.len);
    json_decref(string);
    return string;
}

static void add_signed(const struct row_form *form, struct row_text *text, struct slice bytes)
{
    if (form->csv) {
        add_quoted(text, bytes);
    } else if (is_utf8(bytes)) {
        add_string(text, bytes);
    } else {
        add(text, SLICE("{\"base64\":\""));
        add_base64(text, bytes, false);
        add(text, SLICE("\"}"));
    }
}

/* What never needs quotes in CSV, and has them in JSON. */
static void add_plain(struct row_text *text, enum style style, const struct pg_cell *cell)
{
    char room[INSTANT_TEXT_MAX + AMOUNT_TEXT_MAX + UUID_TEXT_MAX];
    if (style == STYLE_BYTES || style == STYLE_URL)
        add_base64(text, cell->bytes, style == STYLE_URL);
    else if (style == STYLE_ID)
        add(text, slice_of(uuid_format((const uint8_t *)cell->bytes.data, room)));
    else if (style == STYLE_WORD)
        add(text, cell->bytes);
    else
        add(text, slice_of(style == STYLE_TIME ? instant_format(cell->number, room)
                                               : amount_format(cell->number, room)));
}

static void add_number(struct row_text *text, int64_t number)
{
    char room[ENCODING_DECIMAL_MAX + 1];
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    if (number < 0)
        add(text, SLICE("-"));
    add(text, (struct slice){room, encoding_decimal(size, 1, room)});
}

static void add_cell(const struct row_form *form, struct row_text *text, enum style style,
                     const struct pg_cell *cell)
{
    if (cell->null) {
        add(text, form->csv ? SLICE("") : SLICE("null"));
    } else if (style == STYLE_NUMBER) {
        add_number(text, cell->number);
    } else if (style == STYLE_SIGNED) {
        add_signed(form, text, cell->bytes);
    } else if (style == STYLE_TEXT) {
        if (form->csv)
            add_quoted(text, cell->bytes);
        else
            add_string(text, cell->bytes);
    } else {
        add(text, form->csv ? SLICE("") : SLICE("\""));
        add_plain(text, style, cell);
        add(text, form->csv ? SLICE("") : SLICE("\""));
    }
}

void row_text_head(const struct row_form *form, struct row_text *text)
{
    text->len = 0;
    for (int i = 0; form->csv && i < form->count; i++) {
        add(text, slice_of(form->columns[i].name));
        add(text, i + 1 < form->count ? SLICE(",") : SLICE("\r\n"));
    }
}

void row_text_write(const struct row_form *form, const struct pg_row *row, struct row_text *text)
{
    text->len = 0;
    for (int i = 0; i < form->count; i++) {
        const struct pg_cell cell = pg_row_cell(row, i);
        if (!form->csv) {
            add(text, i == 0 ? SLICE("{\"") : SLICE(",\""));
            add(text, slice_of(form->columns[i].name));
            add(text, SLICE("\":"));
        } else if (i > 0) {
            add(text, SLICE(","));
        }
        add_cell(form, text, (enum style)form->style[i], &cell);
    }
    add(text, form->csv ? SLICE("\r\n") : SLICE("}\n"));
}

/* --- Back --- */

/* Up to the quote that is not doubled. */
static void name_in_quotes(struct slice rest, struct row_text *text)
{
    while (rest.len > 0) {
        size_t len = slice_find(rest, '"');
        bool twice = len + 1 < rest.len && rest.data[len + 1] == '"';
        add(text, (struct slice){rest.data, len + twice});
        if (!twice)
            return;
        rest = (struct slice){rest.data + len + 2, rest.len - len - 2};
    }
}

static void name_in_json(struct slice line, struct row_text *text)
{
    json_t *row = json_loadb(line.data, line.len, 0, NULL);
    json_t *first = json_object_iter_value(json_object_iter(row));
    if (json_is_string(first))
        add(text, slice_bytes(json_string_value(first), json_string_length(first)));
    else if (json_is_integer(first))
        add_number(text, json_integer_value(first));
    json_decref(row);
}

/* A string without escapes needs no parser: `{"payment_id":"018f...` */
static bool plain_name(struct slice line, struct slice *name)
{
    size_t colon = slice_find(line, ':');
    if (line.len < 2 || line.data[0] != '{' || colon + 2 >= line.len || line.data[colon + 1] != '"')
        return false;
    struct slice rest = {line.data + colon + 2, line.len - colon - 2};
    *name = (struct slice){rest.data, slice_find(rest, '"')};
    return name->len < rest.len && slice_find(*name, '\\') == name->len;
}

void row_text_name(bool csv, struct slice line, struct row_text *text)
{
    struct slice name;
    text->len = 0;
    if (csv && line.len > 0 && line.data[0] == '"') {
        name_in_quotes((struct slice){line.data + 1, line.len - 1}, text);
    } else if (csv) {
        size_t len = slice_find(line, ',');
        add(text, (struct slice){line.data, len < line.len ? len : slice_find(line, '\r')});
    } else if (plain_name(line, &name)) {
        add(text, name);
    } else {
        name_in_json(line, text);
    }
    for (size_t i = 0; i < text->len && !text->full; i++)
        if ((unsigned char)text->data[i] < ' ')
            text->data[i] = ' ';
}
