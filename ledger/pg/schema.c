/* Each migration is a transaction that also records its number, under a lock that all runs take: killed or
 * run twice at once, a database has all of a migration or nothing of it. A program runs with exactly the
 * schema that it was built with; to be newer or older by one is refused at the start, where a person is
 * looking. A gate alone may be older, where the migrations say so: gates are replaced one after the other,
 * and those that still wait for it lose their connection like any others. */
#include "ledger/pg/schema.h"

#include "ledger/base/clock.h"
#include "ledger/pg/cluster.h"
#include "sql/rows/pg.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATION_TIMEOUT_MS 600000
#define CONNECT_MS           10000

/* Whoever waits for a lock on a table keeps all others from it who come after him: a migration waits for so
 * long and then lets them through, and comes again, until its patience is at an end. */
#define LOCKED_PAUSE_MS 1000
#define PATIENCE_MS     300000

static int64_t number_of(const struct sql_file *migration)
{
    return strtoll(migration->name, NULL, 10);
}

int64_t schema_wanted(void)
{
    int64_t wanted = 0;
    for (const struct sql_file *migration = sql_migrations; migration->name; migration++) {
        assert(number_of(migration) == wanted + 1);
        wanted++;
    }
    return wanted;
}

/* The version of the database; 0 if nothing was ever migrated. */
static enum err read_version(struct pg *pg, int64_t *version)
{
    enum err err;
    struct pg_rows rows = {0};
    *version = 0;
    TRY(pg_run(pg, "schema_table", NULL, &rows));
    assert(rows.count == 1);
    bool exists = schema_table_row(&rows, 0).exists;
    pg_rows_free(&rows);
    if (!exists)
        goto out;
    TRY(pg_run(pg, "schema_version", NULL, &rows));
    *version = schema_version_row(&rows, 0).version;
out:
    pg_rows_free(&rows);
    return err;
}

static enum err compare(int64_t version)
{
    if (version == schema_wanted())
        return ERR_OK;
    LOG(ERROR, "ledger_schema_differs", {"found", LOG_NUMBER(version)},
        {"wanted", LOG_NUMBER(schema_wanted())},
        {"detail", version > schema_wanted() ? "the database's schema is newer than this program"
                                             : "the database's schema is older than this program"},
        {"hint", version > schema_wanted() ? "install the version of crawltab that made it, or a newer one"
                                           : "run crawltab migrate"});
    return ERR_LEDGER_UNAVAILABLE;
}

enum err schema_check(struct pg *pg)
{
    int64_t version;
    enum err err;
    TRY(read_version(pg, &version));
    err = compare(version);
out:
    return err;
}

enum err schema_check_gate(struct pg *pg)
{
    struct pg_rows rows = {0};
    int64_t version;
    enum err err;
    TRY(read_version(pg, &version));
    if (version > schema_wanted()) {
        TRY(pg_run(pg, "schema_oldest_gate", NULL, &rows));
        if (schema_oldest_gate_row(&rows, 0).version <= schema_wanted())
            goto out;
    }
    err = compare(version);
out:
    pg_rows_free(&rows);
    return err;
}

static enum err set_role_names(struct pg *pg, const struct config *config)
{
    struct pg_params params = {0};
    /* The scripts grant rights to roles whose names the configuration chooses. */
    pg_params_text(&params, config->ledger_owner_role);
    pg_params_text(&params, config->ledger_gate_role);
    pg_params_text(&params, config->ledger_operator_role);
    pg_params_text(&params, config->ledger_auditor_role);
    return pg_run(pg, "role_settings", &params, NULL);
}

static enum err log_action(struct pg *pg, const char *actor, const char *migration)
{
    struct pg_params params = {0};
    pg_params_number(&params, clock_now_ms());
    pg_params_text(&params, actor);
    pg_params_text(&params, "migrate");
    pg_params_text(&params, migration);
    return pg_run(pg, "operator_action_insert", &params, NULL);
}

/* The oldest gates that can go on with what the migration leaves: a line of it says which, or else there are
 * none but those that know it. */
static int64_t oldest_gate(const struct sql_file *migration)
{
    static const char says[] = "\n-- Gates since ";
    const char *line = strstr(migration->text, says);
    int64_t oldest = line ? strtoll(line + sizeof(says) - 1, NULL, 10) : number_of(migration);
    assert(oldest > 0 && oldest <= number_of(migration));
    return oldest;
}

static enum err record(struct pg *pg, const struct sql_file *migration)
{
    assert(number_of(migration) > 0 && number_of(migration) <= schema_wanted());
    struct pg_params params = {0};
    pg_params_number(&params, number_of(migration));
    pg_params_text(&params, migration->name);
    pg_params_number(&params, clock_now_ms());
    if (number_of(migration) < SCHEMA_OLDEST_GATE)
        return pg_run(pg, "schema_version_insert", &params, NULL);
    pg_params_number(&params, oldest_gate(migration));
    return pg_run(pg, "schema_version_gate_insert", &params, NULL);
}

/* What one transaction does: scripts that lead from one version to another. */
struct step {
    const struct sql_file *scripts;
    size_t count;
    int64_t from;
    int64_t to;
};

/* Applies a step unless another run did so while this one waited for the lock. `locked`: nothing was done
 * since a table is in use. */
static enum err apply(struct pg *pg, const struct config *config, const struct step *step, const char *actor,
                      schema_tell *tell, bool *locked)
{
    assert(step->from < step->to && step->to <= schema_wanted() && step->count > 0);
    const char *newest = sql_migrations[step->to - 1].name;
    enum err err;
    int64_t version;
    bool spread;
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "schema_lock", NULL, NULL));
    TRY(read_version(pg, &version));
    TRY(cluster_read(pg, &spread));
    /* Asked again under the lock: what was read before it may be old. */
    if (version > step->from) {
        tell("another run came before", newest);
        goto out;
    }
    TRY(set_role_names(pg, config));
    TRY(pg_run(pg, "schema_lock_timeout", NULL, NULL));
    for (size_t i = 0; i < step->count; i++)
        TRY(pg_script(pg, step->scripts[i].name, step->scripts[i].text));
    /* Which a migration makes as one database has them. */
    if (spread)
        TRY(cluster_make(pg, "public"));
    for (version = step->from; version < step->to; version++)
        TRY(record(pg, &sql_migrations[version]));
    TRY(log_action(pg, actor, newest));
    TRY(pg_commit(pg));
    tell(step->from == 0 ? "made the tables as of" : "applied migration", newest);
out:
    *locked = err != ERR_OK && pg_failure(pg) == PG_LOCKED;
    pg_rollback(pg);
    return err;
}

/* Applies a step as soon as nobody holds what it needs, such as an export or a backup. */
static enum err apply_patiently(struct pg *pg, const struct config *config, const struct step *step,
                                const char *actor, schema_tell *tell)
{
    const char *newest = sql_migrations[step->to - 1].name;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    bool locked;
    enum err err = apply(pg, config, step, actor, tell, &locked);
    if (locked)
        tell("waits for a table that somebody else is using, before", newest);
    while (locked && clock_monotonic_ms() < until_ms) {
        poll(NULL, 0, LOCKED_PAUSE_MS);
        err = apply(pg, config, step, actor, tell, &locked);
    }
    if (locked)
        LOG(ERROR, "ledger_table_in_use", {"migration", newest},
            {"detail", "another session holds a lock on a table that it needs"},
            {"hint", "end exports and backups, or wait for them, and run crawltab migrate again"});
    return err;
}

/* An empty database does not go through what ledgers have been before. */
static enum err apply_baseline(struct pg *pg, const struct config *config, const char *actor,
                               schema_tell *tell)
{
    struct step step = {.scripts = sql_baseline, .from = 0, .to = SCHEMA_BASELINE};
    assert(SCHEMA_BASELINE <= schema_wanted());
    while (sql_baseline[step.count].name)
        step.count++;
    return apply_patiently(pg, config, &step, actor, tell);
}

/* Makes the table that migrations lock, if this is the first run. */
static enum err make_table(struct pg *pg)
{
    struct pg_rows rows = {0};
    enum err err;
    TRY(pg_begin(pg));
    /* A lock that needs no table: there is none yet, and two first runs must not both make it. */
    TRY(pg_run(pg, "schema_first", NULL, NULL));
    TRY(pg_run(pg, "schema_table", NULL, &rows));
    if (!schema_table_row(&rows, 0).exists)
        TRY(pg_run(pg, "schema_table_create", NULL, NULL));
    TRY(pg_commit(pg));
out:
    pg_rows_free(&rows);
    pg_rollback(pg);
    return err;
}

/* Also where nothing was migrated: the role may be newer than the tables. One run at a time, since the server
 * refuses two that grant rights on one table. */
static enum err let_auditor_read(struct pg *pg, const struct config *config)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_text(&params, config->ledger_auditor_role);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "schema_lock", NULL, NULL));
    TRY(pg_run(pg, "auditor_read", &params, NULL));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}

enum err schema_migrate(struct pg *pg, const struct config *config, const char *actor, schema_tell *tell)
{
    assert(actor && tell);
    enum err err;
    int64_t version;
    TRY(make_table(pg));
    TRY(read_version(pg, &version));
    if (version > schema_wanted()) {
        err = compare(version);
        goto out;
    }
    if (version == schema_wanted())
        tell("nothing to do, the schema is", sql_migrations[version - 1].name);
    if (version == 0) {
        TRY(apply_baseline(pg, config, actor, tell));
        TRY(read_version(pg, &version)); /* another run, perhaps of an older program, may have come before */
    }
    for (; version < schema_wanted(); version++)
        TRY(apply_patiently(pg, config, &(struct step){&sql_migrations[version], 1, version, version + 1},
                            actor, tell));
    TRY(let_auditor_read(pg, config));
    /* What was applied is looked at as a gate would: a wrong column shows now, and not at its start. */
    TRY(schema_check(pg));
    err = pg_compare(pg);
out:
    return err;
}

enum err schema_spread(struct pg *pg, const char *actor, schema_tell *tell)
{
    enum err err;
    bool spread;
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "schema_lock", NULL, NULL));
    TRY(cluster_read(pg, &spread));
    if (spread) {
        tell("nothing to do, the entries are", "spread over a cluster");
        goto out;
    }
    TRY(cluster_spread(pg));
    TRY(log_action(pg, actor, "citus"));
    TRY(pg_commit(pg));
    tell("spread the entries over a cluster, which gave back", "what it got");
out:
    pg_rollback(pg);
    return err;
}

static enum err make_roles(struct pg *pg, const struct config *config, schema_tell *tell)
{
    struct pg_params params = {0};
    struct pg_rows missing = {0};
    const struct sql_file *script = &sql_scripts[SQL_SCRIPT_ROLES];
    enum err err;
    assert(strcmp(script->name, "roles") == 0 && !sql_scripts[SQL_SCRIPT_COUNT].name);
    pg_params_text(&params, config->ledger_owner_role);
    pg_params_text(&params, config->ledger_gate_role);
    pg_params_text(&params, config->ledger_operator_role);
    pg_params_text(&params, config->ledger_auditor_role);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "role_missing", &params, &missing));
    TRY(set_role_names(pg, config));
    TRY(pg_script(pg, script->name, script->text));
    TRY(pg_commit(pg));
    for (int i = 0; i < missing.count; i++)
        tell("created role", role_missing_row(&missing, i).name);
out:
    pg_rollback(pg);
    pg_rows_free(&missing);
    return err;
}

static enum err make_database(struct pg *pg, const struct config *config, const char *name, schema_tell *tell)
{
    struct pg_params params = {0};
    struct pg_rows command = {0};
    enum err err;
    pg_params_text(&params, name);
    pg_params_text(&params, config->ledger_owner_role);
    /* CREATE DATABASE takes no parameters: the server itself quotes the names into its text. */
    TRY(pg_run(pg, "database_command", &params, &command));
    if (command.count > 0) {
        TRY(pg_script(pg, "database_create", database_command_row(&command, 0).command));
        tell("created database", name);
    }
out:
    pg_rows_free(&command);
    return err;
}

enum err schema_bootstrap(const struct config *config, const char *superuser, schema_tell *tell)
{
    enum err err = ERR_LEDGER_UNAVAILABLE;
    struct pg *pg = NULL;
    char *name = pg_database_name(config);
    if (!name)
        goto out;
    pg = pg_open(&(struct pg_options){.config = config,
                                      .role = superuser,
                                      .database = "postgres",
                                      .application = "crawltab migrate",
                                      .connect_ms = CONNECT_MS,
                                      .timeout_ms = MIGRATION_TIMEOUT_MS});
    if (!pg)
        goto out;
    TRY(make_roles(pg, config, tell));
    TRY(make_database(pg, config, name, tell));
out:
    pg_close(pg);
    free(name);
    return err;
}
