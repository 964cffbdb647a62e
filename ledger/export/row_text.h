/* A row as a line of CSV (RFC 4180) or of JSON, whatever statement it is of: its columns' names and types say
 * how. By their names alone stand out
 *     amount            micro-units, written as a decimal, which is a string in JSON
 *     thumbprint        base64url, as in JWK
 *     signature_base    text; in JSON {"base64": ...} if it is not UTF-8
 * Other bytes are base64, times RFC 3339 in UTC. A row that is NULL is empty in CSV and null in JSON. */
#ifndef LEDGER_EXPORT_ROW_TEXT_H
#define LEDGER_EXPORT_ROW_TEXT_H

#include "ledger/pg/pg.h"

/* Text that grows. Starts as {0}. */
struct row_text {
    char *data;
    size_t len, room;
    bool full; /* out of memory: what was added is incomplete */
};
void row_text_free(struct row_text *text);

#define ROW_COLUMNS_MAX 40

/* How the columns of a statement are written. */
struct row_form {
    const struct sql_column *columns;
    int count;
    int style[ROW_COLUMNS_MAX];
    int amount, currency, resource; /* their positions; -1: there is none */
    bool csv;
};
void row_form_of(const char *statement, bool csv, struct row_form *form);

/* Writes the names of the columns; nothing in JSON. In place of what `text` had, as the next. */
void row_text_head(const struct row_form *form, struct row_text *text);
void row_text_write(const struct row_form *form, const struct pg_row *row, struct row_text *text);

/* What the first column of a line says, which names the row, with spaces for control characters. In place of
 * what `text` had. */
void row_text_name(bool csv, struct slice line, struct row_text *text);

#endif
