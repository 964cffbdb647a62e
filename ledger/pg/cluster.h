/* A ledger whose entries are on the servers of a Citus cluster. A few functions of the database have another
 * text there (sql/cluster/); all else is the same. */
#ifndef LEDGER_PG_CLUSTER_H
#define LEDGER_PG_CLUSTER_H

#include "ledger/pg/pg.h"

/* Whether the ledger is one. */
enum err cluster_read(struct pg *pg, bool *spread) MUST_USE;

/* Makes those functions in `schema`, "public" or "pg_temp", inside the open transaction. */
enum err cluster_make(struct pg *pg, const char *schema) MUST_USE;

/* Spreads an ordinary ledger, empty or not, over the workers of its database's cluster, in the open
 * transaction. The owner's connection. ERR_INTERNAL, with a log line that says what to do: there is no
 * cluster, or it does not give back what it got. */
enum err cluster_spread(struct pg *pg) MUST_USE;

#endif
