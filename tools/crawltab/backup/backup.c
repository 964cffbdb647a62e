/* Tests tests/e2e/programs/backup.test.js */
#include "tools/crawltab/backup/bundle.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/base/version.h"
#include "ledger/pg/pg_program.h"
#include "ledger/pg/schema.h"
#include "sql/rows/archive.h"
#include "sql/rows/proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16 << 20)

struct backup {
    const struct config *config;
    const char *folder;
    json_t *files; /* of the manifest */
    json_t *absent;
};

static bool refuse(const char *path, const char *detail)
{
    LOG(ERROR, "the backup cannot be written", {"file", path}, {"detail", detail});
    return false;
}

/* Writes a file of the backup and puts it into the manifest; `origin`, NULL for none, is where it belongs. */
static bool add(struct backup *backup, const char *name, const char *origin)
{
    json_t *file = bundle_describe(backup->folder, name);
    bool ok = file && (!origin || json_object_set_new(file, "path", json_string(origin)) == 0) &&
              json_array_append(backup->files, file) == 0;
    json_decref(file);
    return ok;
}

static bool write_text(struct backup *backup, const char *name, const char *text, size_t len)
{
    char path[PATH_MAX];
    enum file_named named = FILE_MADE;
    if (!bundle_path(backup->folder, name, path))
        return false;
    const char *problem = file_make(path, text, len, &named);
    if (!problem && named == FILE_OTHER)
        problem = "there is another file of this name";
    return problem ? refuse(path, problem) : true;
}

static bool copy(struct backup *backup, const char *name, const char *path)
{
    size_t len;
    char *text = file_read(path, FILE_MAX, &len, NULL);
    if (!text) {
        LOG(ERROR, "a file cannot be read for the backup", {"key", name}, {"file", path},
            {"detail", strerror(errno)}, {"hint", "run this as the user who owns the files"});
        return false;
    }
    bool ok = write_text(backup, name, text, len) && add(backup, name, path);
    explicit_bzero(text, len);
    free(text);
    return ok;
}

/* A key that was never needed is not there. */
static bool copy_if_there(void *context, const char *name, const char *path)
{
    struct backup *backup = context;
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return copy(backup, name, path);
    return json_array_append_new(backup->absent, json_sprintf("%s: %s is not there", name, path)) == 0;
}

/* --- What the ledger says --- */

static bool keep_checkpoints(struct backup *backup, struct pg *pg)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, NULL);
    pg_params_text(&params, NULL);
    bool ok = pg_run(pg, "checkpoint_show", &params, &rows) == ERR_OK;
    for (int i = 0; ok && i < rows.count; i++) {
        const struct checkpoint_show_row row = checkpoint_show_row(&rows, i);
        char name[BUNDLE_NAME_MAX];
        snprintf(name, sizeof(name), "%s.checkpoint", row.site);
        ok = write_text(backup, name, row.note, strlen(row.note)) && add(backup, name, NULL);
    }
    pg_rows_free(&rows);
    return ok;
}

static bool name_archives(struct backup *backup, struct pg *pg)
{
    struct pg_rows rows = {0};
    bool ok = pg_run(pg, "archive_list", NULL, &rows) == ERR_OK;
    for (int i = 0; ok && i < rows.count; i++) {
        const struct archive_list_row day = archive_list_row(&rows, i);
        ok = json_array_append_new(
                 backup->absent, json_sprintf("the archived entries of %s: %s", day.utc_date, day.file)) == 0;
    }
    pg_rows_free(&rows);
    return ok;
}

static bool dump(struct backup *backup)
{
    char path[PATH_MAX];
    const char *const words[] = {"--format=custom", "--no-password", "--file", path, NULL};
    return bundle_path(backup->folder, BUNDLE_DATABASE, path) &&
           pg_program_run(backup->config, backup->config->ledger_owner_role, "pg_dump", words) &&
           add(backup, BUNDLE_DATABASE, NULL);
}

/* --- All of it --- */

static bool write_manifest(struct backup *backup, bool database)
{
    char made[SHOW_INSTANT_MAX];
    json_t *manifest =
        json_pack("{s:s,s:s,s:I,s:b,s:O,s:O}", "crawltab", CRAWLTAB_VERSION, "made",
                  show_instant(clock_now_ms(), made), "schema", (json_int_t)schema_wanted(), "database",
                  database, "files", backup->files, "not_included", backup->absent);
    char *text = manifest ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    bool ok = text && write_text(backup, BUNDLE_MANIFEST, text, strlen(text));
    free(text);
    json_decref(manifest);
    return ok;
}

/* Checkpoints first, keys last: the database that is dumped between them has all that the checkpoints speak
 * of, and no entry in it is of a key that came after the keys were copied. */
static bool back_up(struct backup *backup, struct pg *pg, const char *config_path, bool database)
{
    bool ok = keep_checkpoints(backup, pg) && name_archives(backup, pg) && (!database || dump(backup)) &&
              copy(backup, BUNDLE_CONFIGURATION, config_path) &&
              bundle_each(backup->config, copy_if_there, backup);
    if (ok && !database)
        ok = json_array_append_new(backup->absent, json_string("the database (--no-database)")) == 0;
    return ok &&
           json_array_append_new(backup->absent,
                                 json_string("the sites' own files, and certificates of fronts")) == 0 &&
           write_manifest(backup, database);
}

static void tell(const struct backup *backup)
{
    size_t i;
    json_t *item;
    printf("in %s:\n", backup->folder);
    json_array_foreach(backup->files, i, item)
        printf("  %s\n", json_string_value(json_object_get(item, "name")));
    puts("not in it:");
    json_array_foreach(backup->absent, i, item) printf("  %s\n", json_string_value(item));
    puts("It has keys and passwords in it: whoever has it can sign as you do. Keep it where\n"
         "the ledger's superuser does not reach, and try it: crawltab restore --check");
}

static enum exit_status back_up_ledger(const char *config_path, int argc, char **argv)
{
    struct backup backup = {.folder = NULL};
    bool without = false;
    const struct command_option options[] = {
        {"--to", &backup.folder, NULL}, {"--no-database", NULL, &without}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0 || !backup.folder)
        return command_misused("backup needs --to FOLDER and nothing else",
                               words.count ? words.items[0] : NULL, "see crawltab backup --help");
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab backup") : NULL;
    bool ok = pg != NULL;
    umask(077); /* pg_dump's file too */
    if (ok && mkdir(backup.folder, 0700) != 0)
        ok =
            refuse(backup.folder, errno == EEXIST ? "it is there already: each backup has a folder of its own"
                                                  : strerror(errno));
    backup.config = config;
    backup.files = json_array();
    backup.absent = json_array();
    ok = ok && back_up(&backup, pg, config_path, !without);
    if (ok)
        tell(&backup);
    json_decref(backup.files);
    json_decref(backup.absent);
    pg_close(pg);
    config_free(config);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command backup_command = {
    "backup", "the ledger, its keys and its configuration in a folder",
    "usage: crawltab backup --to FOLDER [--no-database]\n"
    "\n"
    "Makes FOLDER, which must not exist, with the database as pg_dump writes it,\n"
    "every key and secret that the configuration names, the configuration itself, the\n"
    "newest checkpoint of each site, and manifest.json with the SHA-256 of each. Says\n"
    "what is in it and what is not. The gate and the nights go on meanwhile. A folder\n"
    "without manifest.json is of a backup that did not end.\n"
    "\n"
    "options:\n"
    "  --no-database  for those who back up PostgreSQL by their own tool, such as\n"
    "                 pgBackRest: all the rest, made after that tool's backup\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab backup --to /srv/backup/2026-11-30\n"
    "  crawltab backup --to /srv/backup/2026-12-01 --no-database\n",
    back_up_ledger};
