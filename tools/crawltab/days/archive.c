/* Old days of entries in files. */
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/archive/archive.h"
#include "ledger/base/text/encoding.h"
#include "ledger/base/instant.h"
#include "ledger/pg/sandbox.h"
#include "ledger/pg/schema.h"
#include "sql/rows/archive.h"

#include <inttypes.h>
#include <stdio.h>

#define CONNECT_MS 10000
#define CALL_MS    3600000

static void tell(const char *what, const struct archive_day *day)
{
    char hex[2 * DIGEST_SIZE + 1];
    printf("%s %" PRId64 " %s: %s\n  SHA-256 %s\n", what, day->entries,
           day->entries == 1 ? "entry" : "entries", day->path, encoding_hex(day->digest, DIGEST_SIZE, hex));
}

static enum exit_status make(struct pg *pg, const char *date, const char *folder)
{
    struct archive_day day;
    if (archive_day(pg, date, folder, command_actor(), &day) == ERR_OK) {
        tell("archived", &day);
        return EXIT_DONE;
    }
    if (pg_failure(pg) != PG_LOCKED)
        return EXIT_FAILED;
    LOG(ERROR, "somebody reads or writes the entries", {"detail", "nothing was taken out of the ledger"},
        {"hint", "try again when no export runs"});
    return EXIT_BUSY;
}

static enum exit_status restore(struct pg *pg, const char *path)
{
    struct archive_day day;
    if (archive_restore(pg, path, command_actor(), &day) != ERR_OK)
        return EXIT_FAILED;
    tell("restored", &day);
    return EXIT_DONE;
}

static enum exit_status list_json(const struct pg_rows *rows)
{
    char at[SHOW_INSTANT_MAX];
    json_t *list = json_array();
    for (int i = 0; i < rows->count; i++) {
        const struct archive_list_row day = archive_list_row(rows, i);
        json_array_append_new(list, json_pack("{s:s,s:I,s:s,s:o,s:o,s:s}", "date", day.utc_date, "entries",
                                              day.entries, "archived_at", show_instant(day.archived_ms, at),
                                              "by", show_json_text(day.actor), "file",
                                              show_json_text(day.file), "sha256", day.sha256));
    }
    return show_json(list, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status list(struct pg *pg, bool json)
{
    struct pg_rows rows = {0};
    char at[SHOW_INSTANT_MAX];
    if (pg_run(pg, "archive_list", NULL, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (json) {
        enum exit_status status = list_json(&rows);
        pg_rows_free(&rows);
        return status;
    }
    for (int i = 0; i < rows.count; i++) {
        const struct archive_list_row day = archive_list_row(&rows, i);
        printf("%s  %" PRId64 " entries, archived %s by ", day.utc_date, day.entries,
               show_instant(day.archived_ms, at));
        show_text(stdout, day.actor);
        printf("\n  ");
        show_text(stdout, day.file);
        printf("\n  SHA-256 %s\n", day.sha256);
    }
    if (rows.count == 0)
        puts("nothing is archived");
    pg_rows_free(&rows);
    return EXIT_DONE;
}

/* As the owner of the tables: nobody else can take entries out of the ledger. */
static struct pg *open_owner(const struct config *config)
{
    struct pg *pg = pg_open(&(struct pg_options){.config = config,
                                                 .role = config->ledger_owner_role,
                                                 .application = "crawltab archive",
                                                 .connect_ms = CONNECT_MS,
                                                 .timeout_ms = CALL_MS});
    if (pg && (schema_check(pg) != ERR_OK || sandbox_enter(pg, "crawltab archive") != ERR_OK)) {
        pg_close(pg);
        pg = NULL;
    }
    return pg;
}

static enum exit_status archive_days(const char *config_path, int argc, char **argv)
{
    const char *folder = NULL;
    bool json = false;
    const struct command_option options[] = {
        {"--to", &folder, NULL}, {"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    const char *verb = words.count > 0 ? words.items[0] : "";
    bool dated = words.count == 1 && instant_is_date(slice_of(verb));
    bool listing = words.count == 1 && strcmp(verb, "list") == 0;
    bool restoring = words.count == 2 && strcmp(verb, "restore") == 0;
    if (!dated && !listing && !restoring)
        return command_misused("use: crawltab archive YYYY-MM-DD --to FOLDER, list, or restore FILE",
                               words.count > 0 ? verb : NULL, "see crawltab archive --help");
    if (dated != (folder != NULL))
        return command_misused(dated ? "--to is missing: where is the file to be?" : "--to goes with a date",
                               folder, "see crawltab archive --help");
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = !config ? NULL : listing ? command_open(config, "crawltab archive") : open_owner(config);
    if (pg)
        status = dated ? make(pg, verb, folder) : listing ? list(pg, json) : restore(pg, words.items[1]);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command archive_command = {
    "archive", "move an old day of entries to a file, or back",
    "usage: crawltab archive YYYY-MM-DD --to FOLDER\n"
    "       crawltab archive list [--json]\n"
    "       crawltab archive restore FILE\n"
    "\n"
    "Writes the entries of a day (UTC), all of whose billing days are closed, to\n"
    "FOLDER/entries-YYYY-MM-DD.jsonl and then takes them out of the ledger. Invoices\n"
    "and checkpoints stay. The file is JSON lines: what it is, then one entry a line\n"
    "with all its columns. The ledger keeps its SHA-256 on record: sha256sum tells\n"
    "whether it is whole. Keep copies: it is the only place of its entries.\n"
    "\n"
    "No payment of an archived day can be made again. restore brings the entries\n"
    "back, if they are those that left. Killed at any point, the entries are in the\n"
    "ledger or in a complete file; run it again. Both connect as the owner role.\n"
    "\n"
    "options:\n"
    "  --to FOLDER    where the file is written\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab archive 2026-03-01 --to /srv/archive\n"
    "  crawltab archive list\n",
    archive_days};
