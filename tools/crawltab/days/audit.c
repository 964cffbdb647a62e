#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/days/checkpoint_change.h"
#include "tools/crawltab/frame/deed.h"
#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/frame/trust.h"

#include "ledger/audit/audit.h"
#include "ledger/base/clock.h"

#include <inttypes.h>

#define DETAIL_MAX 400

static void print_finding(void *context, const char *site, const char *row, const char *problem)
{
    (void)context;
    if (*site) {
        show_text(stdout, site);
        fputs(": ", stdout);
    }
    show_text(stdout, row);
    fputs(": ", stdout);
    show_text(stdout, problem);
    fputc('\n', stdout);
}

static void add_finding(void *context, const char *site, const char *row, const char *problem)
{
    json_array_append_new(context, json_pack("{s:s,s:s,s:s}", "site", site, "row", row, "problem", problem));
}

static bool tell(const struct audit_result *result, json_t *findings)
{
    if (findings)
        return show_json(
            json_pack("{s:I,s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:O}", "sites", result->sites, "days",
                      result->days, "away", result->away, "entries_only_days", result->bare,
                      "entries_only_until", result->bare_until, "judged", result->judged, "unjudged_days",
                      result->unjudged, "unproven", result->unproven, "conflicts", result->conflicts,
                      "conflicts_kept", result->conflicts_kept, "busy", result->busy, "findings", findings),
            JSON_INDENT(2));
    printf("%" PRId64 " site%s, %" PRId64 " closed day%s audited: ", result->sites,
           result->sites == 1 ? "" : "s", result->days, result->days == 1 ? "" : "s");
    if (result->away > 0)
        printf("entries of %" PRId64 " are in files and were not read; ", result->away);
    if (result->bare > 0)
        printf("in %" PRId64 " day%s, until %s, entries alone are sealed; ", result->bare,
               result->bare == 1 ? "" : "s", result->bare_until);
    if (result->unjudged > 0)
        printf("entries of %" PRId64 " day%s were not judged again, no offer key is at hand; ",
               result->unjudged, result->unjudged == 1 ? "" : "s");
    if (result->unproven > 0)
        printf("%" PRId64 " entr%s not proven and not billed; ", result->unproven,
               result->unproven == 1 ? "y is" : "ies are");
    if (result->conflicts > 0)
        printf("%" PRId64 " attempt%s to use a payment id again, %" PRId64 " kept; ", result->conflicts,
               result->conflicts == 1 ? "" : "s", result->conflicts_kept);
    if (result->findings == 0)
        puts("everything adds up");
    else
        printf("%" PRId64 " finding%s\n", result->findings, result->findings == 1 ? "" : "s");
    return true;
}

/* False after telling that the checkpoint is of no log that was audited. */
static bool tell_kept(const struct trust *trust, const struct audit_result *result, bool json)
{
    if (!trust_kept(trust) || result->busy)
        return true;
    if (!result->compared) {
        LOG(ERROR, "the kept checkpoint is of no log that was audited", {"file", trust->kept_file},
            {"log", trust->kept.origin});
        return false;
    }
    if (!result->kept.problem[0] && !json)
        printf("%s: its %" PRIu64 " day%s are the beginning of the log, which has %" PRIu64 " now\n",
               trust->kept_file, trust->kept.size, trust->kept.size == 1 ? "" : "s", result->kept.size);
    return true;
}

/* What came of it, in a few words, for whoever asks later whether anybody looked. False after telling that it
 * could not be recorded. */
static bool record(struct pg *pg, const char *site, const struct audit_result *result, int64_t ms)
{
    char detail[DETAIL_MAX], found[64] = "everything adds up";
    if (result->findings > 0)
        snprintf(found, sizeof(found), "%" PRId64 " finding%s", result->findings,
                 result->findings == 1 ? "" : "s");
    else if (result->busy)
        snprintf(found, sizeof(found), "a night was at work, and not all was audited");
    snprintf(detail, sizeof(detail), "%s: %s; %" PRId64 " closed day%s, %" PRId64 ".%" PRId64 " seconds",
             site ? site : "all sites", found, result->days, result->days == 1 ? "" : "s", ms / 1000,
             ms % 1000 / 100);
    fflush(stdout); /* what is logged now stands after the findings, and in no line of them */
    return deed_record_audit(pg, detail);
}

/* What a run has to go by. */
struct means {
    const struct config *config;
    const struct trust *trust;
    struct evidence_book *book;
};

static enum exit_status audit(const struct means *means, struct pg *pg, const char *site, json_t *findings)
{
    const struct trust *trust = means->trust;
    const struct audit_order order = {.config = means->config,
                                      .site = site,
                                      .trust = &trust->log,
                                      .kept = trust_kept(trust),
                                      .book = means->book,
                                      .tell = findings ? add_finding : print_finding,
                                      .context = findings};
    struct audit_result result;
    int64_t started_ms = clock_monotonic_ms();
    if (audit_run(pg, &order, &result) != ERR_OK)
        return EXIT_FAILED;
    int64_t ms = clock_monotonic_ms() - started_ms;
    /* Whose signatures those were that held. */
    if (!findings && checkpoint_change_list(pg, site, false) != EXIT_DONE)
        return EXIT_FAILED;
    if (site && result.sites == 0 && !result.busy) {
        LOG(ERROR, "the ledger has no such site", {"site", site});
        return EXIT_FAILED;
    }
    bool recorded = record(pg, site, &result, ms);
    bool compared = tell_kept(trust, &result, findings != NULL);
    if (!tell(&result, findings) || result.findings > 0 || !compared || !recorded)
        return EXIT_FAILED;
    if (result.busy)
        LOG(WARN, "a night is at work: its site was not audited", {"hint", "run again when it is done"});
    return result.busy ? EXIT_BUSY : EXIT_DONE;
}

/* With what entries are judged by, as far as it is at hand. */
static enum exit_status audit_judging(const struct config *config, const struct trust *trust, struct pg *pg,
                                      const char *site, json_t *findings)
{
    struct offer_keys keys = {.items = NULL};
    struct evidence_book book = {.magic = 0};
    enum exit_status status = EXIT_FAILED;
    bool read = offer_keys_read(config, &keys);
    if (read && keys.problem)
        LOG(WARN, "entries are not judged", {"file", keys.file}, {"detail", keys.problem});
    bool judges = read && keys.count > 0 && !keys.problem;
    const struct means means = {config, trust, judges ? &book : NULL};
    if (read && (!judges || evidence_book_open(pg, config, &keys, &book) == ERR_OK))
        status = audit(&means, pg, site, findings);
    evidence_book_close(&book);
    offer_keys_free(&keys);
    return status;
}

static enum exit_status audit_ledger(const char *config_path, int argc, char **argv)
{
    const char *site = NULL, *verifier = NULL, *kept = NULL;
    bool json = false;
    const struct command_option options[] = {{"--site", &site, NULL},
                                             {"--json", NULL, &json},
                                             {"--vkey", &verifier, NULL},
                                             {"--checkpoint", &kept, NULL},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    struct trust trust = {.note = NULL};
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("audit takes no arguments", words.items[0], "see crawltab audit --help");
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    bool trusted = config && trust_load(config, verifier, kept, &trust);
    struct pg *pg = trusted ? command_open(config, "crawltab audit") : NULL;
    json_t *findings = json ? json_array() : NULL;
    if (pg)
        status = audit_judging(config, &trust, pg, site, findings);
    json_decref(findings);
    trust_free(&trust);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command audit_command = {
    "audit", "compute everything again from the rows and compare",
    "usage: crawltab audit [--site NAME] [--checkpoint FILE] [--vkey KEY] [--json]\n"
    "\n"
    "Reads all entries of all closed days and makes of them again what the nights\n"
    "made: totals, discounts, fees, accounts, invoices, credit notes, number series,\n"
    "trees and checkpoints; judges again whether each entry is what was signed, which\n"
    "takes offer.key_file or offer.history_file. Compares rows on which money depends\n"
    "beside the entries (invoices, payments, agreements, keys, operators' commands\n"
    "and so on) with what was noted when they were made, and with what their day\n"
    "sealed. Names every row that differs, at most 20 of each kind, and 1000 of the\n"
    "last one. Checks too that functions, views, triggers, constraints, rights and\n"
    "owners are as this version makes them, and that nothing else is at work in the\n"
    "database: rules, row security, event triggers, publications, subscriptions,\n"
    "extensions. What is there on purpose is named in ledger.audit_allows.\n"
    "\n"
    "Signatures are checked by the key in ledger.checkpoint_key_file, and by those\n"
    "from or to which signed changes lead; a key in the database alone is not\n"
    "believed.\n"
    "\n"
    "That it was run, and what came of it, is recorded among the operators' deeds,\n"
    "unless the role may only read.\n"
    "\n"
    "exit status: 0 everything adds up, 1 something does not, 75 a night is at work\n"
    "\n"
    "options:\n"
    "  --site NAME        only this site\n"
    "  --checkpoint FILE  a checkpoint that was kept elsewhere: has the log grown\n"
    "                     from it? finds a restored old state and a night that was\n"
    "                     run again\n"
    "  --vkey KEY         the log's public key, from crawltab checkpoint key; then\n"
    "                     the configured one is not needed\n"
    "  --json             for programs\n"
    "  --config FILE      the configuration (default: config.yaml)\n",
    "  crawltab audit --checkpoint kept.checkpoint\n", audit_ledger};
