/* The schema: which version a database has, and how it gets the one that this program was built with. */
#ifndef LEDGER_PG_SCHEMA_H
#define LEDGER_PG_SCHEMA_H

#include "ledger/pg/pg.h"

/* The newest migration that sql/baseline/ contains; sql/README.md says how it is renewed. */
#define SCHEMA_BASELINE 16

/* The version that this program was built with: the number of the last migration. */
int64_t schema_wanted(void);

/* ERR_OK if the database has exactly the wanted version. Otherwise ERR_LEDGER_UNAVAILABLE, with a log line
 * that says what to do. */
enum err schema_check(struct pg *pg) MUST_USE;

/* What schema_migrate and schema_bootstrap did, told as it happens: a few words. */
typedef void schema_tell(const char *what, const char *name);

/* Brings the database to the wanted version: an empty one by the baseline and the migrations after it, any
 * other by the migrations that it lacks. Each is a transaction that another run cannot enter. `pg` is the
 * owner's connection. A database with a newer schema is refused. */
enum err schema_migrate(struct pg *pg, const struct config *config, const char *actor,
                        schema_tell *tell) MUST_USE;

/* Makes the roles and the database of `config` that do not exist. `superuser` NULL: libpq's default. */
enum err schema_bootstrap(const struct config *config, const char *superuser, schema_tell *tell) MUST_USE;

#endif
