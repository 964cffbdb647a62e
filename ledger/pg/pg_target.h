/* A connection string taken apart: libpq's keys and values, and the servers one by one. */
#ifndef LEDGER_PG_PG_TARGET_H
#define LEDGER_PG_PG_TARGET_H

#include "ledger/base/config/config.h"
#include "ledger/pg/pg_hosts.h"

#define PG_TARGET_OPTIONS_MAX 64

struct pg_target {
    void *parsed; /* libpq's; what `keys` and `values` point to */
    const char *keys[PG_TARGET_OPTIONS_MAX];
    const char *values[PG_TARGET_OPTIONS_MAX];
    size_t count;
    struct pg_hosts hosts;
    char *password; /* of ledger.password_file, or NULL */
};

/* Takes ledger.connection apart, and reads ledger.password_file. False with a log line; the caller frees with
 * pg_target_free, whatever comes back. */
bool pg_target_parse(struct pg_target *target, const struct config *config);
void pg_target_free(struct pg_target *target);

/* Sets a key, unless `value` is NULL. Neither is copied. */
void pg_target_set(struct pg_target *target, const char *key, const char *value);

/* The value of a key, or NULL. */
const char *pg_target_get(const struct pg_target *target, const char *key);

/* Makes this server the one to connect to. */
void pg_target_set_host(struct pg_target *target, const struct pg_host *host);

/* Logs what is wrong with the connection string. Returns false. */
bool pg_target_bad(const char *detail, const char *hint);

#endif
