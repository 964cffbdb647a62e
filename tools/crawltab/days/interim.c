#include "tools/crawltab/days/interim.h"

#include "ledger/night/clocks.h"
#include "ledger/proof/interim.h"
#include "tools/crawltab/days/cosign.h"
#include "tools/crawltab/days/publish.h"
#include "tools/crawltab/frame/checkpoint_key.h"
#include "sql/rows/audit.h"
#include "sql/rows/site.h"

#include <inttypes.h>

/* One run. */
struct run {
    struct pg *pg;
    const struct config *config;
    struct checkpoint_keys keys;
    int64_t now_ms;
    enum exit_status status;
};

static void run_site(struct run *run, const struct site_list_row *site)
{
    const struct note_key *key = checkpoint_keys_of_site(run->pg, &run->keys, site->site_id, site->name);
    struct interim_made made;
    int64_t published = 0, cosigned = 0;
    if (!key || interim_make(run->pg, site->site_id, run->now_ms, key, &made) != ERR_OK) {
        run->status = EXIT_FAILED;
        return;
    }
    /* Those that did not answer at night; it has told who did not, and its exit code says so. */
    (void)cosign_site(run->pg, run->config, site->site_id, site->name, &cosigned);
    if (!publish_interims(run->pg, run->config, site->site_id, &published))
        run->status = EXIT_FAILED;
    printf("%s: %" PRId64 " interim checkpoint%s over %" PRId64 " entr%s and %" PRId64 " fact%s", site->name,
           made.checkpoints, made.checkpoints == 1 ? "" : "s", made.entries, made.entries == 1 ? "y" : "ies",
           made.facts, made.facts == 1 ? "" : "s");
    if (published > 0)
        printf(", %" PRId64 " written to %s", published, run->config->seal_publish_folder);
    if (cosigned > 0)
        printf(", %" PRId64 " cosignature%s of the newest closed day", cosigned, cosigned == 1 ? "" : "s");
    putchar('\n');
}

static enum err run_sites(struct run *run, const char *only)
{
    struct pg_params params = {0};
    struct pg_rows sites = {0};
    enum err err;
    pg_params_text(&params, only);
    TRY(clocks_agree(run->pg, &run->now_ms));
    TRY(pg_run(run->pg, "site_list", &params, &sites));
    if (sites.count == 0 && only) {
        LOG(ERROR, "the ledger has no such site", {"site", only}, {"hint", "see crawltab site list"});
        err = ERR_INTERNAL;
    }
    for (int i = 0; i < sites.count; i++) {
        const struct site_list_row site = site_list_row(&sites, i);
        if (only || config_site_called(run->config, site.name))
            run_site(run, &site);
    }
out:
    pg_rows_free(&sites);
    return err;
}

enum exit_status interim_run(struct pg *pg, const struct config *config, const char *site)
{
    struct run run = {.pg = pg, .config = config, .status = EXIT_DONE};
    bool ok = checkpoint_keys_load(config, &run.keys) && checkpoint_keys_make_first(pg, config, &run.keys) &&
              run_sites(&run, site) == ERR_OK;
    checkpoint_keys_clear(&run.keys);
    return ok ? run.status : EXIT_FAILED;
}

enum err interim_look(struct pg *pg, int64_t site_id, const char *site, int64_t *differ)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    *differ = 0;
    pg_params_number(&params, site_id);
    pg_params_text(&params, "true");
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "session_plain", NULL, NULL));
    TRY(pg_run(pg, "audit_interim", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct audit_finding_row row = audit_finding_row(&rows, i);
        LOG(ERROR, "an open day is not what it was", {"site", site}, {"row", row.subject},
            {"detail", row.problem});
    }
    *differ = rows.count;
out:
    pg_rollback(pg);
    pg_rows_free(&rows);
    return err;
}
