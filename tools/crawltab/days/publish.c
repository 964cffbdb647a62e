/* The newest file on the shelf tells what is there already: nobody needs a list of what was published, and a
 * night costs what it has made. */
#include "tools/crawltab/days/publish.h"
#include "tools/crawltab/days/cosign.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/base/instant.h"
#include "ledger/outbox/outbox.h"
#include "ledger/proof/log.h"
#include "ledger/proof/shelf.h"
#include "tools/crawltab/frame/show.h"
#include "sql/rows/outbox.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static bool refuse(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "checkpoint_not_published", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

/* --- the folder --- */

static bool write_note(const struct shelf *shelf, int64_t size, const char *note, int64_t *made)
{
    char path[PATH_MAX];
    struct file_draft *draft = NULL;
    enum file_named named = FILE_MADE;
    if (!shelf_path(shelf, size, path))
        return refuse(shelf->folder, "the name of the log is too long for a file", NULL);
    const char *problem = file_draft_begin(AT_FDCWD, path, FILE_PUBLIC, &draft);
    if (!problem) {
        file_draft_write(draft, note, strlen(note));
        problem = file_draft_make(draft, &named);
    }
    if (problem)
        return refuse(path, problem, "the folder of seal.publish_folder must exist and be writable");
    if (named == FILE_OTHER)
        return refuse(
            path, "a checkpoint of this size was published before, and it is another one",
            "an old state was restored, or a night was run again: crawltab audit --checkpoint FILE");
    *made += named == FILE_MADE;
    return true;
}

/* From the newest that is there on: it is compared again, and the next must not be there. */
static enum err fill_shelf(struct pg *pg, int64_t site_id, const struct shelf *shelf, int64_t newest,
                           int64_t *made)
{
    char path[PATH_MAX];
    int64_t after = newest - 1;
    bool more = true;
    enum err err = ERR_INTERNAL;
    if (shelf_has(shelf, newest + 1) && shelf_path(shelf, newest + 1, path)) {
        refuse(path, "a longer log was published than the ledger has",
               "an old state was restored, or days were dropped: crawltab audit --checkpoint FILE");
        return ERR_INTERNAL;
    }
    while (after > 0 && !shelf_has(shelf, after + 1))
        after--;
    while (more) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_number(&params, site_id);
        pg_params_number(&params, after);
        err = pg_run(pg, "checkpoint_after", &params, &rows);
        more = err == ERR_OK && rows.count > 0;
        for (int i = 0; more && i < rows.count; i++) {
            const struct checkpoint_after_row row = checkpoint_after_row(&rows, i);
            more = write_note(shelf, row.log_size, row.note, made);
            err = more ? ERR_OK : ERR_INTERNAL;
            after = row.log_size;
        }
        pg_rows_free(&rows);
    }
    return err;
}

static enum err publish_files(struct pg *pg, const char *folder, int64_t site_id, const char *site,
                              int64_t *made)
{
    char origin[LEAF_ORIGIN_MAX];
    struct shelf shelf;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    TRY(log_origin(pg, site_id, origin));
    shelf_begin(&shelf, folder, origin);
    pg_params_text(&params, site);
    pg_params_text(&params, NULL);
    TRY(pg_run(pg, "checkpoint_show", &params, &rows));
    if (rows.count > 0)
        err = fill_shelf(pg, site_id, &shelf, checkpoint_show_row(&rows, 0).log_size, made);
out:
    pg_rows_free(&rows);
    return err;
}

/* --- interim checkpoints --- */

/* The newest that is on the shelf is compared again, and those after it are added. */
static enum err shelve_interims(struct pg *pg, int64_t site_id, const struct shelf *shelf, int64_t *made)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, site_id);
    TRY(pg_run(pg, "interim_newest", &params, &rows));
    int64_t newest = interim_newest_row(&rows, 0).number, after = newest;
    char path[PATH_MAX];
    if (shelf_has(shelf, newest + 1) && shelf_path(shelf, newest + 1, path)) {
        refuse(path, "more interim checkpoints were published than the ledger has",
               "an old state was restored, or some were dropped: crawltab audit");
        err = ERR_INTERNAL;
        goto out;
    }
    while (after > 0 && !shelf_has(shelf, after))
        after--;
    after -= after > 0;
    for (bool more = newest > 0; more;) {
        struct pg_params from = {0};
        pg_rows_free(&rows);
        pg_params_number(&from, site_id);
        pg_params_number(&from, after);
        TRY(pg_run(pg, "interim_list", &from, &rows));
        more = rows.count > 0;
        for (int i = 0; i < rows.count; i++) {
            const struct interim_list_row row = interim_list_row(&rows, i);
            TRY(write_note(shelf, row.number, row.note, made) ? ERR_OK : ERR_INTERNAL);
            after = row.number;
        }
    }
out:
    pg_rows_free(&rows);
    return err;
}

bool publish_interims(struct pg *pg, const struct config *config, int64_t site_id, int64_t *files)
{
    char origin[LEAF_ORIGIN_MAX], name[LEAF_ORIGIN_MAX + 16];
    struct shelf shelf;
    *files = 0;
    if (!*config->seal_publish_folder)
        return true;
    if (log_origin(pg, site_id, origin) != ERR_OK)
        return false;
    snprintf(name, sizeof(name), "%s.interim", origin);
    shelf_begin(&shelf, config->seal_publish_folder, name);
    return shelve_interims(pg, site_id, &shelf, files) == ERR_OK;
}

/* --- the webhook --- */

static char *body_of(const char *site, const struct outbox_checkpoints_row *row)
{
    char at[INSTANT_TEXT_MAX];
    json_t *body = json_pack("{s:s,s:s,s:{s:s,s:s,s:I,s:s,s:s,s:o}}", "type", "checkpoint.signed",
                             "timestamp", instant_format(clock_now_ms(), at), "data", "site", site, "date",
                             row->local_date, "log_size", row->log_size, "checkpoint", row->note,
                             "verifier_key", row->verifier_key, "leaf", show_json_bytes(row->leaf));
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static enum err publish_messages(struct pg *pg, int64_t site_id, const char *site, int64_t *made)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char *body = NULL;
    enum err err;
    pg_params_number(&params, site_id);
    TRY(pg_run(pg, "outbox_checkpoints", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct outbox_checkpoints_row row = outbox_checkpoints_row(&rows, i);
        free(body);
        body = body_of(site, &row);
        TRY(body ? ERR_OK : ERR_OVERLOADED);
        TRY(outbox_put(pg, site_id, row.message_id, "checkpoint.signed", body, clock_now_ms()));
        (*made)++;
    }
out:
    free(body);
    pg_rows_free(&rows);
    return err;
}

bool publish_site(struct pg *pg, const struct config *config, int64_t site_id, const char *site,
                  struct publish_count *count)
{
    const struct config_site *known = config_site_called(config, site);
    assert(site_id > 0 && site);
    *count = (struct publish_count){.files = 0};
    /* Each by itself: a full disk must not keep the receiver from hearing. */
    bool told = !config->seal_publish_webhook || !known || !*known->webhook_url ||
                publish_messages(pg, site_id, site, &count->messages) == ERR_OK;
    bool shelved = !*config->seal_publish_folder ||
                   publish_files(pg, config->seal_publish_folder, site_id, site, &count->files) == ERR_OK;
    bool cosigned = cosign_site(pg, config, site_id, site, &count->cosigned);
    return told && shelved && cosigned;
}
