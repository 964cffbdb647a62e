/* One try to connect to one server, with a deadline that holds whatever hangs. */
#ifndef LEDGER_PG_PG_CONNECT_H
#define LEDGER_PG_PG_CONNECT_H

#include "ledger/pg/pg_target.h"

#include <stdint.h>

#define PG_CONNECT_PROBLEM_MAX 512

/* libpq's PGconn. */
struct pg_conn;

/* Connects to the host that pg_target_set_host has set, until `deadline_ms` (clock_monotonic_ms) at the
 * latest. Returns a non-blocking connection, which the caller ends with PQfinish, or NULL with what is
 * wrong in `problem`, without a line feed at its end. */
struct pg_conn *pg_connect(const struct pg_target *target, int64_t deadline_ms,
                           char problem[PG_CONNECT_PROBLEM_MAX]);

/* Waits until the connection's socket is ready for one of the `events` of poll(2); false at the deadline. */
bool pg_connect_wait(struct pg_conn *conn, short events, int64_t deadline_ms);

#endif
