/* Columns are compared, by name and type, the first time that a statement answers: a schema that was
 * changed by hand shows as one sentence at the start, and not as a wrong number on a bill. After that a
 * position is as good as a name. */
#include "ledger/pg/pg_rows.h"

#include "ledger/base/text/encoding.h"
#include "ledger/base/log.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_MS ((int64_t)946684800000)

void pg_rows_free(struct pg_rows *rows)
{
    PQclear(rows->result);
    *rows = (struct pg_rows){0};
}

size_t pg_hex_bytes(struct pg_hex hex, uint8_t *out, size_t room)
{
    struct slice text = slice_of(hex.text);
    if (text.len < 2)
        return 0;
    assert(text.data[0] == '\\' && text.data[1] == 'x'); /* session_settings asks for it */
    size_t len = (text.len - 2) / 2;
    size_t kept = len < room ? len : room;
    bool read = encoding_unhex((struct slice){text.data + 2, 2 * kept}, out, kept);
    assert(read);
    return len;
}

/* --- Declared and answered --- */

static void differ(const struct pg_rows *rows, int at, const struct sql_column *wanted)
{
    char detail[256] = "the server has no such column";
    if (!wanted)
        snprintf(detail, sizeof(detail), "the server has a column %d more, \"%.60s\"", at + 1,
                 PQfname(rows->result, at));
    else if (at < PQnfields(rows->result))
        snprintf(
            detail, sizeof(detail),
            "the server's column %d is \"%.60s\" of type %u, the program reads \"%.60s\" of type %u (%s)",
            at + 1, PQfname(rows->result, at), PQftype(rows->result, at), wanted->name, wanted->type,
            wanted->type_name);
    LOG(ERROR, "ledger_columns_differ", {"statement", rows->statement->name},
        {"column", wanted ? wanted->name : PQfname(rows->result, at)}, {"detail", detail},
        {"hint", "was the schema changed by other means than crawltab migrate? Restore it as it was"});
}

bool pg_rows_match(const struct pg_rows *rows)
{
    assert(rows->statement && rows->result);
    int at = 0;
    if (!rows->statement->columns)
        return true;
    for (const struct sql_column *column = rows->statement->columns; column->name; column++, at++)
        if (at >= PQnfields(rows->result) || strcmp(PQfname(rows->result, at), column->name) != 0 ||
            PQftype(rows->result, at) != column->type) {
            differ(rows, at, column);
            return false;
        }
    if (at == PQnfields(rows->result))
        return true;
    differ(rows, at, NULL);
    return false;
}

/* --- Rows as text --- */

void pg_rows_expect(const struct pg_rows *rows, int row, const char *name)
{
    /* The generated readers name their statement: rows of another one never pass for its own. */
    assert(row >= 0 && row < rows->count && strcmp(rows->statement->rows, name) == 0);
}

bool pg_rows_null(const struct pg_rows *rows, int row, int column)
{
    assert(column >= 0 && column < PQnfields(rows->result));
    return PQgetisnull(rows->result, row, column) != 0;
}

const char *pg_rows_text(const struct pg_rows *rows, int row, int column)
{
    assert(column >= 0 && column < PQnfields(rows->result));
    return PQgetvalue(rows->result, row, column);
}

const char *pg_rows_text_or_null(const struct pg_rows *rows, int row, int column)
{
    return pg_rows_null(rows, row, column) ? NULL : pg_rows_text(rows, row, column);
}

int64_t pg_rows_number(const struct pg_rows *rows, int row, int column)
{
    assert(column >= 0 && column < PQnfields(rows->result));
    return strtoll(PQgetvalue(rows->result, row, column), NULL, 10);
}

bool pg_rows_flag(const struct pg_rows *rows, int row, int column)
{
    assert(column >= 0 && column < PQnfields(rows->result));
    return PQgetvalue(rows->result, row, column)[0] == 't';
}

struct pg_hex pg_rows_hex(const struct pg_rows *rows, int row, int column)
{
    return (struct pg_hex){PQgetvalue(rows->result, row, column)};
}

/* --- Rows of a stream --- */

void pg_row_expect(const struct pg_row *row, const char *name)
{
    pg_rows_expect(row->page, row->number, name);
}

int64_t pg_row_number(const struct pg_row *row, int column)
{
    const PGresult *page = row->page->result;
    uint64_t number = 0;
    assert(PQgetlength(page, row->number, column) == 8 || PQgetisnull(page, row->number, column));
    const char *value = PQgetvalue(page, row->number, column);
    for (int i = 0; i < PQgetlength(page, row->number, column); i++)
        number = number << 8 | (uint8_t)value[i];
    return (int64_t)number;
}

int64_t pg_row_ms(const struct pg_row *row, int column)
{
    int64_t micros = pg_row_number(row, column);
    /* Down, also before the epoch: a millisecond has begun when its first microsecond has. */
    return EPOCH_MS + micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
}

struct slice pg_row_bytes(const struct pg_row *row, int column)
{
    assert(column >= 0 && column < PQnfields(row->page->result));
    const PGresult *page = row->page->result;
    return slice_bytes(PQgetvalue(page, row->number, column), (size_t)PQgetlength(page, row->number, column));
}

/* --- Rows of any statement --- */

const struct sql_column *pg_columns(const char *statement)
{
    const struct sql_statement *found = sql_statements;
    while (found->name && strcmp(found->name, statement) != 0)
        found++;
    assert(found->name && found->columns); /* statements are named in the source alone */
    return found->columns;
}

struct pg_cell pg_row_cell(const struct pg_row *row, int column)
{
    const struct sql_column *declared = &row->page->statement->columns[column];
    struct pg_cell cell = {.null = PQgetisnull(row->page->result, row->number, column) != 0};
    if (cell.null)
        return cell;
    if (strcmp(declared->type_name, "bigint") == 0)
        cell.number = pg_row_number(row, column);
    else if (strcmp(declared->type_name, "timestamptz") == 0)
        cell.number = pg_row_ms(row, column);
    else
        cell.bytes = pg_row_bytes(row, column);
    return cell;
}
