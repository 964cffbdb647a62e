/* Movements as CSV. A record that is odd is left for a person by itself; only a head line that is odd makes
 * the file unreadable. */
#include "ledger/format/bank/movement.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64
#define FIELD_MAX  1024

enum { REFERENCE, AMOUNT, CURRENCY, DATE, TEXT, ACCOUNT, COLUMN_COUNT };

static const char *const column_names[] = {"reference", "amount", "currency", "date", "text", "account"};
_Static_assert(sizeof(column_names) / sizeof(*column_names) == COLUMN_COUNT, "a name for each column");

struct reader {
    struct slice rest;
    char separator;    /* a comma, or a semicolon where the comma is the decimal sign */
    size_t line;       /* of the record's start */
    size_t lines_read; /* line feeds so far */
    char fields[FIELDS_MAX][FIELD_MAX];
    size_t count;
    char problem[160]; /* of the record, or "" */
};

static struct slice after(struct slice text, size_t at)
{
    assert(at <= text.len);
    return (struct slice){text.data + at, text.len - at};
}

/* Takes one field; `last` tells whether the record ends with it. False: quotes that do not match, or a field
 * that is too long. */
static bool take_field(struct reader *reader, char *out, bool *last)
{
    size_t len = 0, at = 0;
    const struct slice rest = reader->rest;
    bool quoted = rest.len > 0 && rest.data[0] == '"';
    /* RFC 4180: within quotes two are one, and a line feed is text. */
    for (at = quoted; at < rest.len; at++) {
        char c = rest.data[at];
        if (quoted && c == '"') {
            if (at + 1 == rest.len || rest.data[at + 1] != '"')
                break;
            at++;
        } else if (!quoted && (c == reader->separator || c == '\n' || c == '\r')) {
            break;
        }
        reader->lines_read += c == '\n';
        if (len + 1 == FIELD_MAX)
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    if (quoted && at++ == rest.len)
        return false;
    /* CRLF or LF, both are about. */
    if (at < rest.len && rest.data[at] == '\r')
        at++;
    *last = at >= rest.len || rest.data[at] == '\n';
    if (!*last && rest.data[at] != reader->separator)
        return false;
    reader->lines_read += at < rest.len && *last;
    assert(len < FIELD_MAX && at <= rest.len + 1);
    reader->rest = after(rest, at < rest.len ? at + 1 : rest.len);
    return true;
}

/* Whether the record could be taken apart. If not, the reader goes on with the next line: quotes that are
 * never closed must not swallow the rest of the file. */
static bool take_record(struct reader *reader)
{
    const struct slice start = reader->rest;
    bool last = false;
    reader->line = reader->lines_read + 1;
    *reader->problem = '\0';
    for (reader->count = 0; !last; reader->count++) {
        if (reader->count == FIELDS_MAX)
            snprintf(reader->problem, sizeof(reader->problem), "it has more than %d columns", FIELDS_MAX);
        else if (!take_field(reader, reader->fields[reader->count], &last))
            snprintf(reader->problem, sizeof(reader->problem),
                     "its column %zu has unmatched quotes, or is longer than %d bytes", reader->count + 1,
                     FIELD_MAX - 1);
        if (*reader->problem) {
            size_t end = slice_find(start, '\n');
            reader->rest = after(start, end < start.len ? end + 1 : end);
            /* Back to the line that it began with: what was counted within its quotes is read once more. */
            reader->lines_read = reader->line - (end == start.len);
            return false;
        }
    }
    assert(reader->count > 0 && reader->count <= FIELDS_MAX);
    return true;
}

static bool find_columns(const struct reader *reader, size_t columns[COLUMN_COUNT], struct format_output *out)
{
    assert(reader->count > 0);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        columns[c] = SIZE_MAX;
        for (size_t i = 0; i < reader->count; i++)
            if (strcmp(reader->fields[i], column_names[c]) == 0)
                columns[c] = i;
        if (columns[c] == SIZE_MAX && c != ACCOUNT)
            return format_fail(out,
                               "line 1: there is no column \"%s\"; the columns needed are reference,"
                               " amount, currency, date, text",
                               column_names[c]);
    }
    assert(columns[REFERENCE] < reader->count && columns[TEXT] < reader->count);
    return true;
}

/* "12,30" is 12.30: one comma with one or two digits behind cannot part thousands. "1,234" may mean both, and
 * is left as it stands, for a person. */
static void decimal_comma(char *amount)
{
    char *comma = strchr(amount, ',');
    size_t behind = comma ? strspn(comma + 1, "0123456789") : 0;
    if (comma && comma > amount && strspn(amount, "0123456789") == (size_t)(comma - amount) &&
        (behind == 1 || behind == 2) && !comma[1 + behind])
        *comma = '.';
}

/* Without spaces around it, and in `kind` whether it came in. */
static const char *amount_of(char *text, const char **kind)
{
    while (isspace((unsigned char)*text))
        text++;
    *kind = *text == '-' ? "debit" : "credit";
    text += *text == '-' || *text == '+';
    for (size_t len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]);)
        text[--len] = '\0';
    decimal_comma(text);
    return text;
}

static const char *value_of(const struct reader *reader, size_t column)
{
    return column < reader->count ? reader->fields[column] : "";
}

static json_t *movement_of(struct reader *reader, const size_t columns[COLUMN_COUNT], size_t width)
{
    assert(width > 0);
    const char *kind = "credit", *amount = "";
    char place[40];
    if (columns[AMOUNT] < reader->count)
        amount = amount_of(reader->fields[columns[AMOUNT]], &kind);
    snprintf(place, sizeof(place), "line %zu", reader->line);
    json_t *movement = movement_new(kind, place);
    /* The readers' own names, and as text: what is no amount or date is told, and not thrown away. */
    movement_set(movement, "reference", value_of(reader, columns[REFERENCE]));
    movement_set(movement, "amount", amount);
    movement_set(movement, "currency", value_of(reader, columns[CURRENCY]));
    movement_set(movement, "booked_on", value_of(reader, columns[DATE]));
    movement_set(movement, "account", value_of(reader, columns[ACCOUNT]));
    movement_set(movement, "text", value_of(reader, columns[TEXT]));
    if (strcmp(kind, "debit") == 0) {
        json_object_set_new(movement, "unmarked", json_true());
        movement_set(movement, "reason", value_of(reader, columns[TEXT]));
    }
    bool wider = false; /* empty columns behind the last are nobody's mistake */
    for (size_t i = width; i < reader->count; i++)
        wider = wider || *reader->fields[i];
    if (reader->count < width || wider) {
        snprintf(reader->problem, sizeof(reader->problem), "it has %zu columns, the first line has %zu%s",
                 reader->count, width, wider ? ": is there a comma in an amount or text?" : "");
        movement_odd(movement, reader->problem);
    }
    return movement;
}

static json_t *broken(const struct reader *reader)
{
    assert(*reader->problem);
    char place[40];
    snprintf(place, sizeof(place), "line %zu", reader->line);
    json_t *movement = movement_new("credit", place);
    movement_odd(movement, reader->problem);
    return movement;
}

static bool is_blank(const struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        if (*reader->fields[i])
            return false;
    return true;
}

static json_t *read_all(struct reader *reader, struct format_output *out)
{
    size_t columns[COLUMN_COUNT], width;
    json_t *list = json_array(), *lines = json_array();
    if (!list || !lines || !take_record(reader) || !find_columns(reader, columns, out)) {
        if (!*out->error)
            format_fail(out, "line 1: %s", *reader->problem ? reader->problem : "no memory");
        json_decref(list);
        json_decref(lines);
        return NULL;
    }
    width = reader->count;
    while (reader->rest.len > 0) {
        if (!take_record(reader))
            json_array_append_new(lines, broken(reader));
        else if (!is_blank(reader))
            json_array_append_new(lines, movement_of(reader, columns, width));
    }
    if (movement_add(list, lines))
        return list;
    json_decref(list);
    format_fail(out, "no memory");
    return NULL;
}

json_t *movement_csv_read(struct slice file, struct format_output *out)
{
    /* On the heap, as its fields take 64 KiB. */
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        format_fail(out, "no memory");
        return NULL;
    }
    struct slice head = slice_bytes(file.data, slice_find(file, '\n'));
    /* Spreadsheets write semicolons where the comma is the decimal sign; the head line shows which. */
    bool semicolons = slice_find(head, ';') < head.len && slice_find(head, ',') == head.len;
    reader->separator = semicolons ? ';' : ',';
    reader->rest = file;
    json_t *list = read_all(reader, out);
    free(reader);
    return list;
}
