/* What a statement has answered. Columns are read by name: of those that a statement's file declares,
 * sql/embed.awk makes a struct and a function that fills it in,
 *
 *     struct invoice_list_row invoice = invoice_list_row(&rows, i);   (sql/rows/bill.h)
 *
 * and pg.c compares them with what the server says. The functions here that take a column's position are for
 * those headers alone. */
#ifndef LEDGER_PG_PG_ROWS_H
#define LEDGER_PG_PG_ROWS_H

#include "ledger/base/slice.h"
#include "ledger/pg/sql.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of a result. Start with {0}; pg_rows_free is right in any state, and ends the life of every text. */
struct pg_rows {
    const struct sql_statement *statement;
    void *result;
    int count;
};
void pg_rows_free(struct pg_rows *rows);

/* One row of a stream, in PostgreSQL's binary form. */
struct pg_row {
    const struct pg_rows *page;
    int number;
};

/* A bytea of a row, "" for NULL. */
struct pg_hex {
    const char *text;
};

/* Its bytes: at most `room` are written, all are counted. */
size_t pg_hex_bytes(struct pg_hex hex, uint8_t *out, size_t room);

/* --- Rows of any statement, for who writes them out and has nothing else to do with them --- */

/* What the statement's rows consist of, ended by a NULL name. */
const struct sql_column *pg_columns(const char *statement);

/* A value of a stream's row. `bytes` are those of a text, uuid or bytea, valid until the row has been told;
 * `number` is a bigint's, or of a timestamptz the milliseconds since 1970, rounded down. */
struct pg_cell {
    bool null;
    int64_t number;
    struct slice bytes;
};
struct pg_cell pg_row_cell(const struct pg_row *row, int column);

/* Whether the columns are those that the statement declares, in name, type and order; if not, a log line says
 * which is not. A statement that declares none has no reader. */
bool pg_rows_match(const struct pg_rows *rows);

/* --- For sql/rows --- */

/* Asserts that there is such a row, and that the statement's rows have this name. */
void pg_rows_expect(const struct pg_rows *rows, int row, const char *name);
bool pg_rows_null(const struct pg_rows *rows, int row, int column);
/* "" and 0 for NULL, but where it says so. */
const char *pg_rows_text(const struct pg_rows *rows, int row, int column);
const char *pg_rows_text_or_null(const struct pg_rows *rows, int row, int column);
int64_t pg_rows_number(const struct pg_rows *rows, int row, int column);
bool pg_rows_flag(const struct pg_rows *rows, int row, int column);
struct pg_hex pg_rows_hex(const struct pg_rows *rows, int row, int column);

/* The same of a stream's row: a bigint, 0 for NULL; a timestamptz in milliseconds since 1970, rounded down;
 * and the bytes of a uuid, text or bytea, which are valid until the row has been told. */
void pg_row_expect(const struct pg_row *row, const char *name);
int64_t pg_row_number(const struct pg_row *row, int column);
int64_t pg_row_ms(const struct pg_row *row, int column);
struct slice pg_row_bytes(const struct pg_row *row, int column);

#endif
