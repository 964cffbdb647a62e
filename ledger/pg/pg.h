/* The door to PostgreSQL, and, with pg_target.c and pg_connect.c, the only user of libpq. Every statement has
 * a name and stands in sql/statements; there is no function that runs a text made at run time. Every call has
 * a deadline, looking up a host's name included: when it passes, or when the connection breaks, the
 * connection is given up and what the server did is unknown (PG_LOST). Failures are logged here, once. One
 * connection serves one thread. */
#ifndef LEDGER_PG_PG_H
#define LEDGER_PG_PG_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/pg/pg_params.h"

/* Why the last call failed. */
enum pg_failure {
    PG_NONE,
    PG_LOST,      /* no connection any more: the statement may or may not have been committed */
    PG_RETRY,     /* rolled back for no fault of its own (deadlock, out of resources, cancelled): try again */
    PG_LOCKED,    /* somebody else holds the lock; not logged */
    PG_DUPLICATE, /* a row with this key is there */
    PG_DATA,      /* the values do not fit: text that is not UTF-8, a CHECK */
    PG_DENIED,    /* the role may not */
    PG_OTHER      /* such as a partition that is missing */
};

struct pg;

struct pg_options {
    const struct config *config; /* ledger_connection and folder */
    const char *role;            /* NULL: libpq's default, the operating system's user */
    const char *database;        /* NULL: as in ledger_connection */
    const char *application;     /* shown in pg_stat_activity */
    int64_t connect_ms;          /* the longest that connecting may take */
    int64_t deadline_ms;         /* as for pg_deadline, from the start on; pg_deadline takes it back */
    int64_t timeout_ms;          /* the longest that a call may take */
    bool limit_server;           /* the server, too, gives up after timeout_ms */
};

/* Connects and prepares the session. NULL after a failure. */
struct pg *pg_open(const struct pg_options *options) MUST_USE;
void pg_close(struct pg *pg);

/* Name of the database in ledger_connection, or NULL with a log line; the caller frees. */
char *pg_database_name(const struct config *config);

/* Until the next call of this function, calls end at this moment (clock_monotonic_ms) and not after
 * timeout_ms. 0 takes that back. */
void pg_deadline(struct pg *pg, int64_t monotonic_ms);

/* Rows of a result. Start with {0}; pg_rows_free is right in any state. */
struct pg_rows {
    void *result;
    int count;
};

/* Runs the statement, prepared on first use. ERR_LEDGER_UNAVAILABLE: PG_LOST or PG_RETRY; ERR_INTERNAL: the
 * rest. `params` and `rows` may be NULL. Outside a transaction the statement is committed when this returns
 * OK. */
enum err pg_run(struct pg *pg, const char *statement, const struct pg_params *params,
                struct pg_rows *rows) MUST_USE;

/* Runs a text of sql/ with all its commands as one transaction of its own, or inside the open one. */
enum err pg_script(struct pg *pg, const char *name, const char *text) MUST_USE;

/* Transactions, READ COMMITTED. */
enum err pg_begin(struct pg *pg) MUST_USE;
enum err pg_commit(struct pg *pg) MUST_USE;
/* Fine in any state. */
void pg_rollback(struct pg *pg);

/* One row of a stream, in PostgreSQL's binary form. */
struct pg_row;

/* Called for one row after the other; its values are valid until it returns. An error ends the stream. */
typedef enum err pg_row_tell(void *context, const struct pg_row *row);

/* Runs the statement, which declares a cursor named "stream", inside the open transaction, and tells all its
 * rows. Memory does not grow with their number; while some are told, the server makes the next ones. */
enum err pg_stream(struct pg *pg, const char *statement, const struct pg_params *params, pg_row_tell *tell,
                   void *context) MUST_USE;

/* A bigint, 0 for NULL; a timestamptz in milliseconds since 1970, rounded down; and the bytes of a uuid, text
 * or bytea. */
int64_t pg_row_number(const struct pg_row *row, int column);
int64_t pg_row_ms(const struct pg_row *row, int column);
struct slice pg_row_bytes(const struct pg_row *row, int column);

enum pg_failure pg_failure(const struct pg *pg);

/* False once the server has closed the connection. Costs a poll, no round trip. */
bool pg_alive(struct pg *pg);

/* Values by row and column. Text: "" for NULL, valid until pg_rows_free. */
bool pg_null(const struct pg_rows *rows, int row, int column);
const char *pg_text(const struct pg_rows *rows, int row, int column);
int64_t pg_number(const struct pg_rows *rows, int row, int column);
bool pg_flag(const struct pg_rows *rows, int row, int column);
/* A bytea: at most `room` bytes are written, all are counted. */
size_t pg_bytes(const struct pg_rows *rows, int row, int column, uint8_t *out, size_t room);
void pg_rows_free(struct pg_rows *rows);

#endif
