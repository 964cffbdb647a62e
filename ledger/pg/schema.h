/* The schema: which version a database has, and how it gets the one that this program was built with. */
#ifndef LEDGER_PG_SCHEMA_H
#define LEDGER_PG_SCHEMA_H

#include "ledger/pg/pg.h"

/* The newest migration that sql/baseline/ contains; sql/README.md says how it is renewed. */
#define SCHEMA_BASELINE 54

/* The first migration that says which gates can go on with it: a line "-- Gates since 46 go on." names the
 * oldest by the version that it was built with. Without such a line there are none. */
#define SCHEMA_OLDEST_GATE 46

/* The version that this program was built with: the number of the last migration. */
int64_t schema_wanted(void);

/* ERR_OK if the database has exactly the wanted version. Otherwise ERR_LEDGER_UNAVAILABLE, with a log line
 * that says what to do. */
enum err schema_check(struct pg *pg) MUST_USE;

/* The same for a gate, which may also be older than the database, if all migrations that it does not know let
 * it go on: it adds what it always added. */
enum err schema_check_gate(struct pg *pg) MUST_USE;

/* What schema_migrate and schema_bootstrap did, told as it happens: a few words. */
typedef void schema_tell(const char *what, const char *name);

/* Brings the database to the wanted version: an empty one by the baseline and the migrations after it, any
 * other by the migrations that it lacks. Each is a transaction that another run cannot enter. Payments wait
 * for half a second at most if a table that it needs is in use, and it for minutes. `pg` is the owner's
 * connection. A database with a newer schema is refused. */
enum err schema_migrate(struct pg *pg, const struct config *config, const char *actor,
                        schema_tell *tell) MUST_USE;

/* Spreads the entries of a ledger of the wanted version over the servers of its database's cluster, and
 * compares them with what they were (cluster_spread). Nothing to do is no error. `pg` is the owner's
 * connection. */
enum err schema_spread(struct pg *pg, const char *actor, schema_tell *tell) MUST_USE;

/* Makes the roles and the database of `config` that do not exist. `superuser` NULL: libpq's default. */
enum err schema_bootstrap(const struct config *config, const char *superuser, schema_tell *tell) MUST_USE;

#endif
