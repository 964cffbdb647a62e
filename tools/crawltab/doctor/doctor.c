/* One command that says whether all is well. It changes nothing, and asks nobody but the database and, unless
 * told not to, the crawlers' directories. */
#include "tools/crawltab/doctor/checks.h"

#include "ledger/pg/schema.h"
#include "tools/crawltab/frame/command.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define CALL_MS    30000

static struct config *check_config(struct diagnosis *diagnosis, const char *path)
{
    static const char check[] = "configuration";
    if (access(path, R_OK) != 0) {
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD,
                      "name it with --config FILE; config.yaml.example is a start", "%s: %s", path,
                      strerror(errno));
        return NULL;
    }
    char *warnings = NULL;
    size_t len = 0;
    FILE *ear = diagnosis_ear(diagnosis), *aside = open_memstream(&warnings, &len);
    struct config *config = ear && aside ? config_load(path, ear, aside) : NULL;
    int count = diagnosis_hear(diagnosis, check, DIAGNOSIS_BAD);
    if (aside)
        fclose(aside);
    if (count == 0 && warnings && *warnings && (ear = diagnosis_ear(diagnosis))) {
        fputs(warnings, ear);
        count = diagnosis_hear(diagnosis, check, DIAGNOSIS_WARN);
    }
    free(warnings);
    if (config && count == 0)
        diagnosis_add(diagnosis, check, DIAGNOSIS_OK, NULL, "%s, %zu site%s", path, config->site_count,
                      config->site_count == 1 ? "" : "s");
    return config;
}

/* NULL after telling why nothing can be asked. */
static struct pg *check_database(struct diagnosis *diagnosis, const struct config *config)
{
    diagnosis_listen(diagnosis);
    struct pg *pg = pg_open(&(struct pg_options){.config = config,
                                                 .role = config->ledger_operator_role,
                                                 .application = "crawltab doctor",
                                                 .connect_ms = CONNECT_MS,
                                                 .timeout_ms = CALL_MS,
                                                 .limit_server = true});
    diagnosis_hear(diagnosis, "database", DIAGNOSIS_BAD);
    if (!pg)
        return NULL;
    diagnosis_add(diagnosis, "database", DIAGNOSIS_OK, NULL, "reached as \"%s\"",
                  config->ledger_operator_role);
    diagnosis_listen(diagnosis);
    enum err err = schema_check(pg);
    diagnosis_hear(diagnosis, "schema", DIAGNOSIS_BAD);
    if (err != ERR_OK) {
        pg_close(pg);
        return NULL;
    }
    diagnosis_add(diagnosis, "schema", DIAGNOSIS_OK, NULL, "version %d, as this program wants it",
                  (int)schema_wanted());
    return pg;
}

static void examine(struct diagnosis *diagnosis, const char *config_path, bool offline)
{
    struct config *config = check_config(diagnosis, config_path);
    struct pg *pg = config ? check_database(diagnosis, config) : NULL;
    if (pg) {
        check_ledger(diagnosis, pg, config);
        check_nights(diagnosis, pg, config);
    }
    if (config) {
        check_keys(diagnosis, pg, config);
        check_disk(diagnosis, config);
    }
    if (pg && !offline)
        check_directories(diagnosis, pg, config);
    pg_close(pg);
    config_free(config);
}

static enum exit_status doctor(const char *config_path, int argc, char **argv)
{
    static const enum exit_status ends[DIAGNOSIS_STATES] = {EXIT_DONE, EXIT_FAILED, EXIT_BAD};
    bool json = false, offline = false;
    const struct command_option options[] = {
        {"--json", NULL, &json}, {"--offline", NULL, &offline}, {NULL, NULL, NULL}};
    struct command_words words;
    struct diagnosis diagnosis;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("this is not expected", words.items[0], "see crawltab doctor --help");
    diagnosis_begin(&diagnosis);
    examine(&diagnosis, config_path, offline);
    enum exit_status status = ends[diagnosis_state(&diagnosis)];
    if (!json)
        diagnosis_print(&diagnosis);
    else if (!diagnosis_json(&diagnosis))
        status = EXIT_BAD;
    diagnosis_end(&diagnosis);
    return status;
}

const struct command doctor_command = {
    "doctor", "is all well? Each thing ok, warn or bad, with what to do",
    "usage: crawltab doctor [--offline] [--json]\n"
    "\n"
    "Looks at whatever the ledger depends on, and says of each thing whether it is\n"
    "ok, to be looked at (warn) or bad, and what to do:\n"
    "  configuration   it can be read, and nothing in it is odd\n"
    "  database        it is reached, and keeps on disk what it has committed\n"
    "  schema          its version is this program's\n"
    "  roles           gate and operator have the rights that they need\n"
    "  guards          nobody has more, and rows are kept from being changed\n"
    "  clock           this machine, the database and the gates agree\n"
    "  partitions      there is room for the entries of the days to come\n"
    "  replication     nobody who should follow has stayed behind\n"
    "  night           each site's days are closed\n"
    "  audit           the newest one found nothing, and is not older than 35 days\n"
    "  checkpoint      each site's newest one is where it is published\n"
    "  keys            they are there, whole, and nobody else's to read\n"
    "  disk            there is room where files are written\n"
    "  directories     crawlers' keys can be fetched, a few at a time\n"
    "\n"
    "It changes nothing. The first line is the sum, with the worst that was found.\n"
    "Whether keys and database have copies elsewhere cannot be seen from here.\n"
    "\n"
    "options:\n"
    "  --offline      asks no directory\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n"
    "\n"
    "exit status: 0 ok, 1 warn, 2 bad, as Nagios has it; 64 wrong usage\n",
    "  crawltab doctor\n"
    "  crawltab doctor --offline --json\n",
    doctor};
