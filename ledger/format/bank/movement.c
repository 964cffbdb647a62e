/* Movements as CSV. */
#include "ledger/format/bank/movement.h"

#include "ledger/base/instant.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64
#define FIELD_MAX  1024

enum { REFERENCE, AMOUNT, CURRENCY, DATE, TEXT, COLUMN_COUNT };

static const char *const column_names[] = {"reference", "amount", "currency", "date", "text"};

struct reader {
    struct slice rest;
    size_t line;       /* of the record's start */
    size_t lines_read; /* line feeds so far */
    char fields[FIELDS_MAX][FIELD_MAX];
    size_t count;
};

static struct slice after(struct slice text, size_t at)
{
    return (struct slice){text.data + at, text.len - at};
}

/* Takes one field; `last` tells whether the record ends with it. False: quotes that do not match, or a field
 * that is too long. */
static bool take_field(struct reader *reader, char *out, bool *last)
{
    size_t len = 0, at = 0;
    const struct slice rest = reader->rest;
    bool quoted = rest.len > 0 && rest.data[0] == '"';
    for (at = quoted; at < rest.len; at++) {
        char c = rest.data[at];
        if (quoted && c == '"') {
            if (at + 1 == rest.len || rest.data[at + 1] != '"')
                break;
            at++;
        } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
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
    if (at < rest.len && rest.data[at] == '\r')
        at++;
    *last = at == rest.len || rest.data[at] == '\n';
    if (!*last && rest.data[at] != ',')
        return false;
    reader->lines_read += at < rest.len && *last;
    reader->rest = after(rest, at < rest.len ? at + 1 : at);
    return true;
}

static bool take_record(struct reader *reader, struct format_output *out)
{
    bool last = false;
    reader->line = reader->lines_read + 1;
    for (reader->count = 0; !last; reader->count++) {
        if (reader->count == FIELDS_MAX)
            return format_fail(out, "line %zu: more than %d columns", reader->line, FIELDS_MAX);
        if (!take_field(reader, reader->fields[reader->count], &last))
            return format_fail(out, "line %zu: column %zu has unmatched quotes, or is longer than %d bytes",
                               reader->line, reader->count + 1, FIELD_MAX - 1);
    }
    return true;
}

static bool find_columns(const struct reader *reader, size_t columns[COLUMN_COUNT], struct format_output *out)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        columns[c] = SIZE_MAX;
        for (size_t i = 0; i < reader->count; i++)
            if (strcmp(reader->fields[i], column_names[c]) == 0)
                columns[c] = i;
        if (columns[c] == SIZE_MAX)
            return format_fail(out,
                               "line 1: there is no column \"%s\"; the columns needed are reference,"
                               " amount, currency, date, text",
                               column_names[c]);
    }
    return true;
}

static bool add(json_t *list, const struct reader *reader, const size_t columns[COLUMN_COUNT],
                struct format_output *out)
{
    const char *values[COLUMN_COUNT];
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        if (columns[c] >= reader->count)
            return format_fail(out, "line %zu: %zu columns, fewer than the first line has", reader->line,
                               reader->count);
        values[c] = reader->fields[columns[c]];
    }
    for (size_t c = 0; c < TEXT; c++)
        if (!*values[c])
            return format_fail(out, "line %zu: no %s", reader->line, column_names[c]);
    if (!instant_is_date(slice_of(values[DATE])))
        return format_fail(out, "line %zu: \"%.40s\" is no date YYYY-MM-DD", reader->line, values[DATE]);
    if (values[AMOUNT][0] == '-')
        return true; /* money that went out */
    return json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s}", "reference", values[REFERENCE],
                                                 "text", values[TEXT], "amount", values[AMOUNT], "currency",
                                                 values[CURRENCY], "booked_on", values[DATE])) == 0 ||
           format_fail(out, "line %zu is not UTF-8", reader->line);
}

json_t *movement_csv_read(struct slice file, struct format_output *out)
{
    const struct slice mark = SLICE("\xef\xbb\xbf");
    struct reader *reader = calloc(1, sizeof(*reader));
    size_t columns[COLUMN_COUNT];
    json_t *list = json_array();
    bool ok = reader != NULL && list != NULL;
    if (ok) {
        reader->rest = slice_starts(file, mark) ? after(file, mark.len) : file;
        ok = take_record(reader, out) && find_columns(reader, columns, out);
    }
    while (ok && reader->rest.len > 0) {
        ok = take_record(reader, out);
        bool blank = ok && reader->count == 1 && !reader->fields[0][0];
        ok = ok && (blank || add(list, reader, columns, out));
    }
    free(reader);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}
