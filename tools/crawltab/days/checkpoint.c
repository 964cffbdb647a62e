#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/days/checkpoint_change.h"
#include "tools/crawltab/days/cosign.h"
#include "tools/crawltab/days/interim.h"
#include "tools/crawltab/frame/checkpoint_key.h"
#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/frame/trust.h"

#include "ledger/base/text/encoding.h"
#include "ledger/proof/log.h"
#include "sql/rows/proof.h"
#include "sql/rows/site.h"

#include <inttypes.h>

struct request {
    const char *site; /* NULL: all */
    const char *day;  /* NULL: the newest, or all */
    const char *reason;
    const char *verifier; /* --vkey; NULL: the configured key */
    const char *kept;     /* --checkpoint; NULL: none */
    bool json;
    bool lost;
};

static enum err list_sites(struct pg *pg, const struct request *request, struct pg_rows *rows)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_text(&params, request->site);
    TRY(pg_run(pg, "site_list", &params, rows));
    if (rows->count == 0) {
        LOG(ERROR, "the ledger has no such site", {"site", request->site},
            {"hint", "a site is registered when its gate starts for the first time"});
        err = ERR_INTERNAL;
    }
out:
    return err;
}

/* --- show --- */

static enum exit_status show(struct pg *pg, const struct request *request)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, request->site);
    pg_params_text(&params, request->day);
    if (pg_run(pg, "checkpoint_show", &params, &rows) != ERR_OK)
        goto out;
    if (rows.count == 0) {
        LOG(ERROR, "there is no such checkpoint", {"site", request->site}, {"day", request->day},
            {"hint", "crawltab nightly makes one for each day that it closes"});
    } else if (rows.count > 1) {
        LOG(ERROR, "more than one site has checkpoints", {"hint", "name one with --site"});
    } else if (request->json) {
        const struct checkpoint_show_row row = checkpoint_show_row(&rows, 0);
        json_t *json = json_pack("{s:s,s:s,s:I,s:s+,s:s,s:o}", "site", row.site, "date", row.local_date,
                                 "log_size", row.log_size, "checkpoint", row.note, row.cosigned,
                                 "verifier_key", row.verifier_key, "leaf", show_json_bytes(row.leaf));
        status = show_json(json, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    } else {
        fputs(checkpoint_show_row(&rows, 0).note, stdout);
        fputs(checkpoint_show_row(&rows, 0).cosigned, stdout);
        status = EXIT_DONE;
    }
out:
    pg_rows_free(&rows);
    return status;
}

/* --- key --- */

/* The ledger is asked only where there is no key yet. */
static bool load_keys(const struct config *config, struct checkpoint_keys *keys)
{
    if (!checkpoint_keys_load(config, keys))
        return false;
    if (keys->count > 0)
        return true;
    struct pg *pg = command_open(config, "crawltab checkpoint");
    bool ok = pg && checkpoint_keys_make_first(pg, config, keys);
    pg_close(pg);
    return ok;
}

static enum exit_status show_keys(const struct config *config, const struct request *request)
{
    struct checkpoint_keys keys;
    enum exit_status status = EXIT_FAILED;
    if (!load_keys(config, &keys))
        return EXIT_FAILED;
    for (size_t i = 0; i < config->site_count; i++) {
        const struct config_site *site = &config->sites[i];
        char origin[LEAF_ORIGIN_MAX], verifier[NOTE_VERIFIER_MAX];
        if (request->site && strcmp(site->name, request->site) != 0)
            continue;
        if (leaf_origin(site->network, site->name, origin) &&
            note_verifier(origin, keys.items[0].public_key, verifier)) {
            puts(verifier);
            status = EXIT_DONE;
        }
    }
    checkpoint_keys_clear(&keys);
    if (status != EXIT_DONE)
        LOG(ERROR, "the configuration has no such site", {"site", request->site});
    return status;
}

/* --- check --- */

static void print_finding(const char *site, const struct checkpoint_finding *finding)
{
    printf("%s %s: %s", site, finding->date, finding->problem);
    if (finding->tile >= 0)
        printf("; the first difference is in the 256 entries from number %lld on%s%s",
               (long long)finding->tile * DAY_TREE_TILE, finding->first_id[0] ? ", payment id " : "",
               finding->first_id);
    putchar('\n');
}

static enum err check_days(struct pg *pg, int64_t site_id, const char *name, const struct request *request,
                           size_t *findings)
{
    struct checkpoint_finding finding;
    struct pg_params params = {0};
    struct pg_rows days = {0};
    int archived = 0, bare = 0;
    bool sealed;
    enum err err;
    pg_params_number(&params, site_id);
    pg_params_text(&params, request->day);
    TRY(pg_run(pg, "checkpoint_days", &params, &days));
    for (int i = 0; i < days.count; i++) {
        const struct checkpoint_days_row day = checkpoint_days_row(&days, i);
        const struct day_tree_order order = {.site_id = site_id, .date = day.local_date};
        TRY(checkpoint_check_facts(pg, &order, &finding, &sealed));
        bare += !sealed;
        if (finding.problem)
            print_finding(name, &finding);
        *findings += finding.problem != NULL;
        if (day.archived) {
            printf("%s: %s is archived; crawltab archive restore brings it back for checking\n", name,
                   day.local_date);
            archived++;
            continue;
        }
        TRY(checkpoint_check_day(pg, &order, &finding));
        if (finding.problem)
            print_finding(name, &finding);
        *findings += finding.problem != NULL;
    }
    printf("%s: %d closed day%s read again\n", name, days.count - archived,
           days.count - archived == 1 ? "" : "s");
    if (bare > 0)
        printf("%s: %d of the days seal%s entries alone, since an earlier version closed %s\n", name, bare,
               bare == 1 ? "s" : "", bare == 1 ? "it" : "them");
out:
    pg_rows_free(&days);
    return err;
}

static void print_growth(const struct trust *trust, const struct log_kept_result *growth)
{
    char base64[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    printf("%s: its %" PRIu64 " day%s are the beginning of the log, which has %" PRIu64
           " now; consistency proof (RFC 6962):\n",
           trust->kept_file, trust->kept.size, trust->kept.size == 1 ? "" : "s", growth->size);
    for (size_t i = 0; i < growth->steps; i++) {
        base64[encoding_base64(growth->proof[i], DIGEST_SIZE, base64)] = '\0';
        printf("  %s\n", base64);
    }
}

/* One run over the sites. */
struct checking {
    struct pg *pg;
    const struct request *request;
    struct trust trust;
    bool compared; /* the log of the kept checkpoint was among them */
    size_t findings;
};

static enum err check_kept(struct checking *checking, int64_t site_id, const char *name)
{
    const struct log_kept *kept = trust_kept(&checking->trust);
    struct log_kept_result growth;
    char origin[LEAF_ORIGIN_MAX];
    enum err err = ERR_OK;
    if (!kept)
        return ERR_OK;
    TRY(log_origin(checking->pg, site_id, origin));
    if (strcmp(origin, kept->origin) != 0)
        goto out;
    checking->compared = true;
    TRY(log_kept_check(checking->pg, site_id, &checking->trust.log, kept, &growth));
    checking->findings += growth.problem[0] != '\0';
    if (growth.problem[0])
        printf("%s: the checkpoint in %s %s\n", name, checking->trust.kept_file, growth.problem);
    else
        print_growth(&checking->trust, &growth);
out:
    return err;
}

static enum err check_site(struct checking *checking, int64_t site_id, const char *name)
{
    struct checkpoint_finding finding;
    struct pg *pg = checking->pg;
    enum err err;
    TRY(pg_begin(pg));
    TRY(log_check(pg, site_id, &checking->trust.log, &finding));
    if (finding.problem)
        print_finding(name, &finding);
    checking->findings += finding.problem != NULL;
    TRY(check_kept(checking, site_id, name));
    TRY(check_days(pg, site_id, name, checking->request, &checking->findings));
out:
    pg_rollback(pg); /* nothing was written */
    return err;
}

static enum err check_sites(struct checking *checking)
{
    struct pg_rows sites = {0};
    enum err err;
    TRY(list_sites(checking->pg, checking->request, &sites));
    for (int i = 0; i < sites.count; i++) {
        const struct site_list_row site = site_list_row(&sites, i);
        TRY(check_site(checking, site.site_id, site.name));
    }
    if (trust_kept(&checking->trust) && !checking->compared) {
        LOG(ERROR, "the kept checkpoint is of no log that was checked", {"file", checking->trust.kept_file},
            {"log", checking->trust.kept.origin});
        err = ERR_INTERNAL;
    }
out:
    pg_rows_free(&sites);
    return err;
}

static enum exit_status check(struct pg *pg, const struct config *config, const struct request *request)
{
    struct checking checking = {.pg = pg, .request = request};
    bool whole = trust_load(config, request->verifier, request->kept, &checking.trust) &&
                 check_sites(&checking) == ERR_OK;
    trust_free(&checking.trust);
    return whole && checking.findings == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* --- the command --- */

static enum exit_status run_with_ledger(const struct config *config, const char *verb,
                                        const struct request *request)
{
    struct pg *pg = command_open(config, "crawltab checkpoint");
    enum exit_status status = EXIT_FAILED;
    if (!pg)
        return status;
    if (strcmp(verb, "show") == 0)
        status = show(pg, request);
    else if (strcmp(verb, "check") == 0)
        status = check(pg, config, request);
    else if (strcmp(verb, "interim") == 0)
        status = interim_run(pg, config, request->site);
    else if (strcmp(verb, "witness") == 0)
        status = cosign_run(pg, config, request->site);
    else if (strcmp(verb, "list") == 0)
        status = checkpoint_change_list(pg, request->site, request->json);
    else
        status = checkpoint_change_rotate(pg, config, request->reason, request->lost);
    pg_close(pg);
    return status;
}

/* The last word of what was asked; NULL: none that is known. */
static const char *verb_of(const struct command_words *words)
{
    static const char *const verbs[] = {"show", "check", "interim", "witness", "key"};
    static const char *const key_verbs[] = {"list", "rotate"};
    bool of_key = words->count == 2 && strcmp(words->items[0], "key") == 0;
    const char *const *known = of_key ? key_verbs : verbs;
    size_t count = of_key ? 2 : 5;
    for (size_t i = 0; i < count && words->count == 1 + of_key; i++)
        if (strcmp(words->items[of_key], known[i]) == 0)
            return known[i];
    return NULL;
}

static enum exit_status show_checkpoints(const char *config_path, int argc, char **argv)
{
    struct request request = {.site = NULL};
    const struct command_option options[] = {
        {"--site", &request.site, NULL},       {"--day", &request.day, NULL},
        {"--reason", &request.reason, NULL},   {"--json", NULL, &request.json},
        {"--lost", NULL, &request.lost},       {"--vkey", &request.verifier, NULL},
        {"--checkpoint", &request.kept, NULL}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    const char *verb = verb_of(&words);
    if (!verb)
        return command_misused("use: crawltab checkpoint show, check, interim, witness, key, key list or "
                               "key rotate",
                               NULL, "see crawltab checkpoint --help");
    if (strcmp(verb, "rotate") == 0 && !request.reason)
        return command_misused("key rotate needs --reason", NULL, "it is recorded, and shown by key list");
    if (!command_date("--day is no date", request.day))
        return EXIT_USAGE;
    if (strcmp(verb, "rotate") == 0 && !command_confirm("Checkpoints are signed by a new key from now on."))
        return EXIT_FAILED;
    struct config *config = command_config(config_path);
    enum exit_status status = EXIT_FAILED;
    if (config)
        status =
            strcmp(verb, "key") == 0 ? show_keys(config, &request) : run_with_ledger(config, verb, &request);
    config_free(config);
    return status;
}

const struct command checkpoint_command = {
    "checkpoint", "what was signed for the closed days, and whether it still holds",
    "usage: crawltab checkpoint show [--site NAME] [--day YYYY-MM-DD] [--json]\n"
    "       crawltab checkpoint key [--site NAME]\n"
    "       crawltab checkpoint key list [--site NAME] [--json]\n"
    "       crawltab checkpoint key rotate --reason WHY [--lost]\n"
    "       crawltab checkpoint check [--site NAME] [--day YYYY-MM-DD]\n"
    "           [--checkpoint FILE] [--vkey KEY]\n"
    "       crawltab checkpoint interim [--site NAME]\n"
    "       crawltab checkpoint witness [--site NAME]\n"
    "\n"
    "Each site has a log of its closed days: a tree of hashes (RFC 6962). Closing a\n"
    "day adds it and signs the log's size and root. Keep these checkpoints elsewhere\n"
    "too: whoever has one can tell if anything before it was changed.\n"
    "\n"
    "show   the newest checkpoint, or that of a day (c2sp.org/tlog-checkpoint), with\n"
    "       the cosignatures of witnesses\n"
    "key    the public keys that verify them (c2sp.org/signed-note)\n"
    "       key list: every key that ever signed, from when to when\n"
    "       key rotate: makes a new key; the old one signs the change\n"
    "check  reads the entries again and compares them with what was signed, by the\n"
    "       key in ledger.checkpoint_key_file or those to or from which signed\n"
    "       changes lead\n"
    "interim\n"
    "       signs what was added to the open days since the last time, as far as\n"
    "       nothing can be added to it any more: the life of an offer and two minutes\n"
    "       ago. Run it every ten minutes (crawltab-interim.timer, or the gate with\n"
    "       nightly.at): audit names each entry that is not what it was then\n"
    "witness\n"
    "       shows the newest checkpoint to those of seal.witnesses that have not\n"
    "       cosigned it, as the night does, and interim (c2sp.org/tlog-witness)\n"
    "\n"
    "options:\n"
    "  --site NAME       only this site\n"
    "  --day YYYY-MM-DD  only this day\n"
    "  --checkpoint FILE check: has the log grown from one that was kept elsewhere?\n"
    "  --vkey KEY        check: by this public key, and not by the configured one\n"
    "  --json            show: the log's leaf and the key as well\n"
    "  --reason WHY      key rotate: recorded for whoever checks the log\n"
    "  --lost            key rotate: the old key is gone and cannot sign\n"
    "  --yes             on a terminal: do not ask\n"
    "  --config FILE     the configuration (default: config.yaml)\n",
    "  crawltab checkpoint show --day 2026-11-30\n"
    "  crawltab checkpoint check --checkpoint kept.checkpoint\n",
    show_checkpoints};
