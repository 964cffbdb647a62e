/* The door to PostgreSQL, and, with pg_connect.c, pg_rows.c and pg_target.c, the only user of libpq. Every
 * statement has a name and stands in sql/statements; there is no function that runs a text made at run time.
 * Every call has a deadline, looking up a host's name included: when it passes, or when the connection
 * breaks, the connection is given up and what the server did is unknown (PG_LOST). Failures are logged here,
 * once. One connection serves one thread. */
#ifndef LEDGER_PG_PG_H
#define LEDGER_PG_PG_H

#include "ledger/base/config/config.h"
#include "ledger/base/err.h"
#include "ledger/pg/pg_params.h"
#include "ledger/pg/pg_rows.h"

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

/* Runs the statement, prepared on first use. ERR_LEDGER_UNAVAILABLE: PG_LOST or PG_RETRY; ERR_INTERNAL: the
 * rest. `params` and `rows` may be NULL. Outside a transaction the statement is committed when this returns
 * OK. */
enum err pg_run(struct pg *pg, const char *statement, const struct pg_params *params,
                struct pg_rows *rows) MUST_USE;

/* Asks the server, in one round trip, whether it understands every statement and would answer it with the
 * columns that it declares; nothing is run. ERR_INTERNAL, with a log line that names the statement and the
 * column, if not: the connection is given up then. It takes the server as long as two new connections do, so
 * it is for a start. */
enum err pg_compare(struct pg *pg) MUST_USE;

/* Runs a text of sql/ with all its commands as one transaction of its own, or inside the open one. */
enum err pg_script(struct pg *pg, const char *name, const char *text) MUST_USE;

/* Transactions, READ COMMITTED. */
enum err pg_begin(struct pg *pg) MUST_USE;
enum err pg_commit(struct pg *pg) MUST_USE;
/* Fine in any state. */
void pg_rollback(struct pg *pg);

/* Called for one row after the other; its values are valid until it returns. An error ends the stream. */
typedef enum err pg_row_tell(void *context, const struct pg_row *row);

/* Runs the statement, which declares a cursor named "stream", inside the open transaction, and tells all its
 * rows. Memory does not grow with their number; while some are told, the server makes the next ones. */
enum err pg_stream(struct pg *pg, const char *statement, const struct pg_params *params, pg_row_tell *tell,
                   void *context) MUST_USE;

enum pg_failure pg_failure(const struct pg *pg);

/* False once the server has closed the connection. Costs a poll, no round trip. */
bool pg_alive(struct pg *pg);

#endif
