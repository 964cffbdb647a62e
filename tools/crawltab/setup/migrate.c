#include "tools/crawltab/frame/command.h"

#include "ledger/pg/schema.h"

#include <stdio.h>

#define CONNECT_MS   10000
#define MIGRATION_MS 600000

static void tell(const char *what, const char *name)
{
    printf("%s %s\n", what, name);
    fflush(stdout);
}

static enum exit_status migrate(const struct config *config, bool citus)
{
    struct pg *pg = pg_open(&(struct pg_options){.config = config,
                                                 .role = config->ledger_owner_role,
                                                 .application = "crawltab migrate",
                                                 .connect_ms = CONNECT_MS,
                                                 .timeout_ms = MIGRATION_MS});
    bool ok = pg && schema_migrate(pg, config, command_actor(), tell) == ERR_OK &&
              (!citus || schema_spread(pg, command_actor(), tell) == ERR_OK);
    pg_close(pg);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status migrate_ledger(const char *config_path, int argc, char **argv)
{
    bool bootstrap = false, citus = false;
    const char *superuser = NULL;
    const struct command_option options[] = {{"--bootstrap", NULL, &bootstrap},
                                             {"--superuser", &superuser, NULL},
                                             {"--citus", NULL, &citus},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("migrate takes no arguments", words.items[0], "see crawltab migrate --help");
    if (superuser && !bootstrap)
        return command_misused("--superuser goes with --bootstrap", superuser, "see crawltab migrate --help");
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    if (config && (!bootstrap || schema_bootstrap(config, superuser, tell) == ERR_OK))
        status = migrate(config, citus);
    config_free(config);
    return status;
}

const struct command migrate_command = {
    "migrate", "make the ledger's tables, or bring them up to date",
    "usage: crawltab migrate [--bootstrap [--superuser NAME]] [--citus]\n"
    "\n"
    "Brings the ledger's schema to the version that this program needs, as the owner\n"
    "role of the configuration. Can be run at any time and any number of times; a\n"
    "schema that is newer than the program is refused.\n"
    "\n"
    "options:\n"
    "  --bootstrap       first make what is missing of the four roles and the\n"
    "                    database; connects to database \"postgres\" as a superuser\n"
    "  --superuser NAME  that superuser (default: libpq's, PGUSER or your own name)\n"
    "  --citus           then spread the entries over the workers of the database's\n"
    "                    Citus cluster, and compare them with what they were\n"
    "  --config FILE     the configuration (default: config.yaml)\n",
    "  crawltab migrate --bootstrap --superuser postgres\n"
    "  crawltab migrate\n",
    migrate_ledger};
