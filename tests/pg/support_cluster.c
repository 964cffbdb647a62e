/* A worker beside the server, which is then the coordinator of a Citus cluster. Both have the same databases:
 * those that are copied are copied on both. */
#include "tests/pg/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 320

static char worker[PATH_MAX_BYTES];

bool citus_wanted(void)
{
    const char *kind = getenv("LEDGER");
    return kind && strcmp(kind, "citus") == 0;
}

static void postgres(const char *verb, const char *folder)
{
    static char output[OUTPUT_MAX];
    const char *const start[] = {"tools/dev/postgres.sh", "start", "--fast", folder, NULL};
    const char *const stop[] = {"tools/dev/postgres.sh", "stop", folder, NULL};
    if (run_program(strcmp(verb, "start") == 0 ? start : stop, output) != 0)
        fail_msg("%s", output);
}

/* One after the other, in no transaction. `second` may be NULL. */
static void tell(const char *folder, const char *database, const char *first, const char *second)
{
    static char output[OUTPUT_MAX];
    const char *const words[] = {
        "psql", "-X",     "-q", "-v",  "ON_ERROR_STOP=1",    "-h",   folder, "-U", "postgres",
        "-d",   database, "-c", first, second ? "-c" : NULL, second, NULL};
    if (run_program(words, output) != 0)
        fail_msg("%s", output);
}

static void set_up(const char *folder)
{
    tell(folder, "postgres", "ALTER SYSTEM SET shared_preload_libraries = 'citus'",
         "ALTER SYSTEM SET max_prepared_transactions = 100");
    postgres("stop", folder);
    postgres("start", folder);
    tell(folder, "postgres", "ALTER SYSTEM SET citus.node_conninfo = 'sslmode=disable'",
         "SELECT pg_reload_conf()");
}

void citus_start(void)
{
    snprintf(worker, sizeof(worker), "%.*s/w1", (int)(strrchr(server_path(), '/') - server_path()),
             server_path());
    postgres("start", worker);
    set_up(worker);
    set_up(server_path());
}

void citus_stop(void)
{
    postgres("stop", worker);
}

void citus_spread(const char *database)
{
    static char output[OUTPUT_MAX];
    char command[2 * PATH_MAX_BYTES], add[2 * PATH_MAX_BYTES];
    if (strcmp(sql("SELECT count(*) FROM pg_extension WHERE extname = 'citus'"), "0") == 0) {
        snprintf(command, sizeof(command), "CREATE DATABASE %s", database);
        tell(worker, "postgres", command, NULL);
        tell(worker, database, "CREATE EXTENSION citus", NULL);
        snprintf(command, sizeof(command), "SELECT citus_set_coordinator_host('%s', 5432)", server_path());
        tell(server_path(), database, "CREATE EXTENSION citus", command);
        snprintf(add, sizeof(add), "SELECT citus_add_node('%s', 5432)", worker);
        tell(server_path(), database, add, NULL);
    }
    if (CRAWLTAB(output, "migrate", "--citus") != 0)
        fail_msg("%s", output);
}

void citus_administer(const char *command)
{
    /* Citus keeps a process in each database that it has seen, which comes back in seconds. */
    static const char alone[] = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                                " WHERE datname LIKE 'test%' AND pid <> pg_backend_pid()";
    char database[64], set[160];
    tell(server_path(), "postgres", alone, NULL);
    tell(worker, "postgres", alone, command);
    tell(server_path(), "postgres", alone, command);
    /* What `crawltab migrate --citus` sets for a database is not copied with it. */
    if (sscanf(command, "CREATE DATABASE %63s", database) == 1) {
        snprintf(set, sizeof(set), "ALTER DATABASE %s SET citus.enable_unsafe_triggers = on", database);
        tell(server_path(), "postgres", set, NULL);
    }
}
