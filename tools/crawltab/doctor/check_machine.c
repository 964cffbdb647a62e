/* What is on this machine's disks. */
#include "tools/crawltab/doctor/checks.h"

#include "ledger/base/file/file.h"
#include "ledger/entry/offer_key.h"
#include "ledger/outbox/webhook.h"
#include "server/agent/key_file.h"
#include "sql/rows/site.h"
#include "tools/crawltab/frame/checkpoint_key.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDERS_MAX   8
#define LOW_PERCENT   10 /* less than that is free */
#define EMPTY_PERCENT 2
#define EMPTY_BYTES   ((uint64_t)64 << 20)
#define PLENTY_BYTES  ((uint64_t)4 << 30) /* a small part of a large disk may be enough */

/* --- keys --- */

/* False after telling; true, and nothing is told, for a file that only its owner may read. */
static bool is_private(struct diagnosis *diagnosis, const char *path, const char *made_by)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        bool none = errno == ENOENT;
        diagnosis_add(diagnosis, "keys", none ? DIAGNOSIS_WARN : DIAGNOSIS_BAD,
                      none ? made_by : "crawltab doctor runs as a user who may see it", "%s: %s", path,
                      none ? "it is not there" : strerror(errno));
        return false;
    }
    if (file_is_exposed(&status)) {
        diagnosis_add(diagnosis, "keys", DIAGNOSIS_BAD, FILE_EXPOSED_HINT, "%s: %s", path, FILE_EXPOSED);
        return false;
    }
    if (access(path, R_OK) == 0)
        return true;
    diagnosis_add(diagnosis, "keys", DIAGNOSIS_WARN, "run crawltab doctor as the user whom it is for",
                  "%s: %s", path, strerror(errno));
    return false;
}

static void check_offer_key(struct diagnosis *diagnosis, const struct config *config)
{
    const char *path = config->offer_key_file;
    struct offer_key key;
    if (!is_private(diagnosis, path, "the gate makes it when it starts; if it was there, put the copy back"))
        return;
    const char *fault = offer_key_read(path, &key);
    explicit_bzero(&key, sizeof(key));
    diagnosis_add(diagnosis, "keys", fault ? DIAGNOSIS_BAD : DIAGNOSIS_OK,
                  fault ? "put a copy back: without it offers that were made cannot be paid" : NULL, "%s%s%s",
                  path, fault ? ": " : "", fault ? fault : "");
}

static void check_identity(struct diagnosis *diagnosis, const struct config *config)
{
    const char *path = config->identity_key_file;
    struct key_ring ring;
    if (!is_private(diagnosis, path, "the gate makes it when it starts; if it was there, put the copy back"))
        return;
    diagnosis_listen(diagnosis);
    bool ok = key_file_read(path, &ring, NULL);
    diagnosis_hear(diagnosis, "keys", DIAGNOSIS_BAD);
    explicit_bzero(&ring, sizeof(ring));
    if (ok)
        diagnosis_add(diagnosis, "keys", DIAGNOSIS_OK, NULL, "%s", path);
}

/* That each site's log can be gone on with. */
static bool signs_each_site(struct pg *pg, const struct checkpoint_keys *keys)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    bool ok = true;
    pg_params_text(&params, NULL);
    ok = pg_run(pg, "site_list", &params, &rows) == ERR_OK;
    for (int i = 0; ok && i < rows.count; i++) {
        const struct site_list_row row = site_list_row(&rows, i);
        ok = checkpoint_keys_of_site(pg, keys, row.site_id, row.name) != NULL;
    }
    pg_rows_free(&rows);
    return ok;
}

static void check_checkpoint_key(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    const char *path = config->ledger_checkpoint_key_file;
    struct checkpoint_keys keys;
    if (!is_private(diagnosis, path, "the first night makes it; if it was there, put the copy back"))
        return;
    diagnosis_listen(diagnosis);
    bool ok = checkpoint_keys_load(config, &keys) && (!pg || signs_each_site(pg, &keys));
    diagnosis_hear(diagnosis, "keys", DIAGNOSIS_BAD);
    checkpoint_keys_clear(&keys);
    if (ok)
        diagnosis_add(diagnosis, "keys", DIAGNOSIS_OK, NULL, "%s; keep a copy elsewhere", path);
}

static void check_webhook_secret(struct diagnosis *diagnosis, const char *path)
{
    struct webhook_secret secret;
    size_t len = 0;
    if (!is_private(diagnosis, path, "crawltab webhook secret makes and shows it"))
        return;
    char *text = file_read(path, 4096, &len, NULL);
    const struct slice line = {text ? text : "", text ? strcspn(text, "\r\n") : 0};
    bool ok = webhook_secret_parse(line, &secret);
    diagnosis_add(diagnosis, "keys", ok ? DIAGNOSIS_OK : DIAGNOSIS_BAD, ok ? NULL : "put a copy back", "%s%s",
                  path, ok ? "" : ": it is no secret of a webhook");
    explicit_bzero(&secret, sizeof(secret));
    if (text)
        explicit_bzero(text, len);
    free(text);
}

void check_keys(struct diagnosis *diagnosis, struct pg *pg, const struct config *config)
{
    check_offer_key(diagnosis, config);
    check_identity(diagnosis, config);
    check_checkpoint_key(diagnosis, pg, config);
    for (size_t i = 0; i < config->site_count; i++)
        if (*config->sites[i].webhook_url)
            check_webhook_secret(diagnosis, config->sites[i].webhook_secret_file);
}

/* --- disk --- */

struct folders {
    char paths[FOLDERS_MAX][PATH_MAX];
    int count;
};

static void add_folder(struct folders *folders, const char *path)
{
    for (int i = 0; i < folders->count; i++)
        if (strcmp(folders->paths[i], path) == 0)
            return;
    if (folders->count < FOLDERS_MAX)
        snprintf(folders->paths[folders->count++], PATH_MAX, "%s", path);
}

static void add_folder_of(struct folders *folders, const char *file)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", file);
    add_folder(folders, dirname(copy));
}

static void check_folder(struct diagnosis *diagnosis, const char *path)
{
    static const char check[] = "disk";
    struct statvfs space;
    if (statvfs(path, &space) != 0 || access(path, W_OK | X_OK) != 0) {
        diagnosis_add(diagnosis, check, DIAGNOSIS_BAD, "make it, and let the user who runs this write to it",
                      "%s: %s", path, strerror(errno));
        return;
    }
    uint64_t bytes = (uint64_t)space.f_bavail * space.f_frsize;
    uint64_t percent = space.f_blocks == 0 ? 100 : (uint64_t)space.f_bavail * 100 / space.f_blocks;
    bool bad = bytes < EMPTY_BYTES || (percent < EMPTY_PERCENT && bytes < PLENTY_BYTES);
    bool low = percent < LOW_PERCENT && bytes < PLENTY_BYTES;
    diagnosis_add(diagnosis, check,
                  bad   ? DIAGNOSIS_BAD
                  : low ? DIAGNOSIS_WARN
                        : DIAGNOSIS_OK,
                  bad || low ? "make room, or take a larger disk" : NULL,
                  "%s: %" PRIu64 " MiB are free, %" PRIu64 " %%", path, bytes >> 20, percent);
}

void check_disk(struct diagnosis *diagnosis, const struct config *config)
{
    struct folders folders = {.count = 0};
    add_folder_of(&folders, config->offer_key_file);
    add_folder_of(&folders, config->offer_history_file);
    add_folder_of(&folders, config->identity_key_file);
    add_folder_of(&folders, config->ledger_checkpoint_key_file);
    if (*config->seal_publish_folder)
        add_folder(&folders, config->seal_publish_folder);
    for (int i = 0; i < folders.count; i++)
        check_folder(diagnosis, folders.paths[i]);
}
