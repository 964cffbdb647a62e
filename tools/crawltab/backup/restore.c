/* Tests tests/e2e/programs/backup.test.js */
#include "tools/crawltab/backup/bundle.h"
#include "tools/crawltab/frame/command.h"

#include "ledger/base/file/file.h"
#include "ledger/pg/pg_program.h"
#include "ledger/pg/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (16 << 20)

struct restore {
    const struct config *config;
    const char *config_path;
    const char *folder;
    const char *superuser;
    const char *kept; /* --checkpoint; NULL: those of the backup */
    json_t *manifest;
    int problems;
};

static void bad(struct restore *restore, const char *name, const char *problem)
{
    printf("%s: %s\n", name, problem);
    restore->problems++;
}

static json_t *described(const struct restore *restore, const char *name)
{
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(restore->manifest, "files"), i,
                       file) if (strcmp(json_string_value(json_object_get(file, "name")), name) ==
                                 0) return file;
    return NULL;
}

/* Of a manifest of ours, whoever has changed it since. */
static bool is_manifest(json_t *manifest)
{
    size_t i;
    json_t *file;
    if (!json_is_array(json_object_get(manifest, "files")) ||
        !json_is_integer(json_object_get(manifest, "schema")) ||
        !json_is_boolean(json_object_get(manifest, "database")))
        return false;
    json_array_foreach(json_object_get(manifest, "files"), i,
                       file) if (!json_is_string(json_object_get(file, "name")) ||
                                 !json_is_string(json_object_get(file, "sha256"))) return false;
    return true;
}

static bool read_manifest(struct restore *restore)
{
    char path[PATH_MAX];
    json_error_t wrong;
    if (!bundle_path(restore->folder, BUNDLE_MANIFEST, path))
        return false;
    restore->manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
    if (restore->manifest && is_manifest(restore->manifest))
        return true;
    LOG(ERROR, "this is no backup", {"file", path},
        {"detail", restore->manifest ? "it is no manifest" : wrong.text},
        {"hint", "crawltab backup writes the manifest last: without one it did not end"});
    return false;
}

/* --- Is the backup whole? --- */

static void check_files(struct restore *restore)
{
    size_t i;
    json_t *file;
    size_t whole = json_array_size(json_object_get(restore->manifest, "files"));
    const int before = restore->problems;
    json_array_foreach(json_object_get(restore->manifest, "files"), i, file)
    {
        const char *name = json_string_value(json_object_get(file, "name"));
        json_t *found = bundle_describe(restore->folder, name);
        if (!found)
            restore->problems++;
        else if (!json_equal(json_object_get(found, "sha256"), json_object_get(file, "sha256")))
            bad(restore, name, "is not the file that the manifest names: its SHA-256 is another");
        json_decref(found);
    }
    if (restore->problems == before)
        printf("the backup is whole: %zu files\n", whole);
}

/* --- Are the keys in place? --- */

static bool same_content(const char *a, const char *b)
{
    size_t len[2];
    char *text[2] = {file_read(a, FILE_MAX, &len[0], NULL), file_read(b, FILE_MAX, &len[1], NULL)};
    bool same = text[0] && text[1] && len[0] == len[1] && memcmp(text[0], text[1], len[0]) == 0;
    for (int i = 0; i < 2; i++) {
        if (text[i])
            explicit_bzero(text[i], len[i]);
        free(text[i]);
    }
    return same;
}

static bool check_key(void *context, const char *name, const char *path)
{
    struct restore *restore = context;
    char copy[PATH_MAX];
    if (!described(restore, name))
        return true;
    if (!bundle_path(restore->folder, name, copy))
        return false;
    if (access(path, R_OK) != 0)
        bad(restore, name, errno == ENOENT ? "is not in place: copy it from the backup" : strerror(errno));
    else if (!same_content(path, copy))
        printf("%s: %s is another than the backup's: right only if it was changed since\n", name, path);
    else
        printf("%s: in place\n", name);
    return true;
}

static bool place_key(void *context, const char *name, const char *path)
{
    struct restore *restore = context;
    char copy[PATH_MAX];
    enum file_named named = FILE_MADE;
    size_t len = 0;
    if (!described(restore, name))
        return true;
    char *text = bundle_path(restore->folder, name, copy) ? file_read(copy, FILE_MAX, &len, NULL) : NULL;
    const char *problem = text ? file_make(path, text, len, &named) : strerror(errno);
    if (!problem && named == FILE_OTHER)
        problem = "there is another file in its place; nothing was overwritten";
    if (problem)
        LOG(ERROR, "a file cannot be restored", {"key", name}, {"file", path}, {"detail", problem});
    if (text)
        explicit_bzero(text, len);
    free(text);
    return !problem;
}

/* --- The database --- */

static void tell(const char *what, const char *name)
{
    printf("%s %s\n", what, name);
    fflush(stdout);
}

static bool load_database(struct restore *restore)
{
    char path[PATH_MAX];
    const char *const words[] = {
        "--exit-on-error", "--single-transaction", "--no-owner", "--no-password", path, NULL};
    if (!json_is_true(json_object_get(restore->manifest, "database"))) {
        LOG(ERROR, "the database is not in this backup",
            {"hint", "restore it by your own tool, then --check"});
        return false;
    }
    return bundle_path(restore->folder, BUNDLE_DATABASE, path) &&
           schema_bootstrap(restore->config, restore->superuser, tell) == ERR_OK &&
           pg_program_run(restore->config, restore->config->ledger_owner_role, "pg_restore", words);
}

/* Everything is computed again, and the log must have grown from a checkpoint: the user's, which an attacker
 * of the backup has not had in his hands, or else those in the backup. */
static bool audit(const struct restore *restore)
{
    char checkpoint[] = "--checkpoint", of[] = "--site", path[PATH_MAX], site[BUNDLE_NAME_MAX];
    static const char ending[] = ".checkpoint";
    bool ok = true, any = false;
    size_t i;
    json_t *file;
    char *kept[] = {checkpoint, path};
    if (restore->kept) {
        snprintf(path, sizeof(path), "%s", restore->kept);
        return audit_command.run(restore->config_path, 2, kept) == EXIT_DONE;
    }
    json_array_foreach(json_object_get(restore->manifest, "files"), i, file)
    {
        const char *name = json_string_value(json_object_get(file, "name"));
        size_t len = strlen(name);
        if (len < sizeof(ending) || len >= sizeof(site) ||
            strcmp(name + len + 1 - sizeof(ending), ending) != 0)
            continue;
        snprintf(site, sizeof(site), "%.*s", (int)(len + 1 - sizeof(ending)), name);
        char *words[] = {checkpoint, path, of, site};
        any = true;
        ok = bundle_path(restore->folder, name, path) &&
             audit_command.run(restore->config_path, 4, words) == EXIT_DONE && ok;
    }
    return any ? ok : audit_command.run(restore->config_path, 0, NULL) == EXIT_DONE;
}

static bool restore_ledger(struct restore *restore, bool check)
{
    if (!read_manifest(restore))
        return false;
    check_files(restore);
    if (restore->problems > 0)
        return false;
    if (!check && (!bundle_each(restore->config, place_key, restore) || !load_database(restore)))
        return false;
    return bundle_each(restore->config, check_key, restore) && restore->problems == 0 && audit(restore);
}

static enum exit_status restore_backup(const char *config_path, int argc, char **argv)
{
    struct restore restore = {.config_path = config_path};
    bool check = false;
    const struct command_option options[] = {{"--from", &restore.folder, NULL},
                                             {"--superuser", &restore.superuser, NULL},
                                             {"--checkpoint", &restore.kept, NULL},
                                             {"--check", NULL, &check},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0 || !restore.folder)
        return command_misused("restore needs --from FOLDER", words.count ? words.items[0] : NULL,
                               "see crawltab restore --help");
    if (check && restore.superuser)
        return command_misused("--check makes nothing, so it needs no --superuser", NULL,
                               "see crawltab restore --help");
    struct config *config = command_config(config_path);
    restore.config = config;
    bool ok = config && restore_ledger(&restore, check);
    json_decref(restore.manifest);
    config_free(config);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command restore_command = {
    "restore", "a ledger from a backup, or whether a restored one is right",
    "usage: crawltab restore --from FOLDER [--superuser NAME] [--checkpoint FILE]\n"
    "       crawltab restore --from FOLDER --check [--checkpoint FILE]\n"
    "\n"
    "Checks the files of the backup by their SHA-256, puts keys and secrets where the\n"
    "configuration says (nothing that is there is overwritten), makes the roles and\n"
    "the database, fills it by pg_restore, and then checks the whole. For another\n"
    "machine: put config.yaml of the backup in its place first, and mend what is\n"
    "different there. The files belong to whoever runs this: give them to the user of\n"
    "the gate and the nights.\n"
    "\n"
    "The check, which --check does alone: are the keys in place, does everything add\n"
    "up (crawltab audit), and has the log grown from the checkpoint?\n"
    "\n"
    "exit status: 0 restored and right, 1 not\n"
    "\n"
    "options:\n"
    "  --check            changes nothing; also after a restore by another tool\n"
    "  --checkpoint FILE  compare with this one, which was kept elsewhere; else\n"
    "                     with those in the backup\n"
    "  --superuser NAME   who makes roles and database (default: libpq's)\n"
    "  --config FILE      the configuration (default: config.yaml)\n",
    "  crawltab restore --from /srv/backup/2026-11-30 --superuser postgres\n"
    "  crawltab restore --from /srv/backup/2026-11-30 --check\n",
    restore_backup};
