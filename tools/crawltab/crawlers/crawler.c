#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/terms/agreement.h"
#include "ledger/base/clock.h"
#include "sql/rows/entry.h"

#include <inttypes.h>
#include <stdlib.h>

static enum err read_list(struct pg *pg, const char *agent, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, agent);
    pg_params_number(&params, clock_now_ms());
    return pg_run(pg, "crawler_list", &params, rows);
}

/* --- list --- */

/* True if what comes in is another account's now, of which the row's is a part. */
static bool is_former(const struct crawler_list_row *crawler)
{
    return strcmp(crawler->agent, crawler->account) != 0;
}

static bool is_last_of_crawler(const struct pg_rows *rows, int row)
{
    return row + 1 == rows->count ||
           crawler_list_row(rows, row).crawler_id != crawler_list_row(rows, row + 1).crawler_id;
}

static void print_list_row(const struct crawler_list_row *crawler)
{
    char money[SHOW_MONEY_MAX], version[24];
    show_column(stdout, crawler->agent, 30);
    if (!crawler->site) {
        puts(" -");
        return;
    }
    fputc(' ', stdout);
    show_column(stdout, crawler->site, 12);
    snprintf(version, sizeof(version), crawler->version_null ? "none" : "v%" PRId64, crawler->version);
    printf(" %-9s %-9s %16s\n", crawler->status, version,
           show_micros(crawler->open_micros, crawler->currency, money));
}

static void print_list(const struct pg_rows *rows)
{
    if (rows->count == 0) {
        puts("no crawlers yet");
        return;
    }
    printf("%-30s %-12s %-9s %-9s %16s\n", "Crawler", "Site", "Status", "Agreement", "Not billed");
    for (int i = 0; i < rows->count; i++) {
        const struct crawler_list_row crawler = crawler_list_row(rows, i);
        print_list_row(&crawler);
        if (!is_former(&crawler) || !is_last_of_crawler(rows, i))
            continue;
        fputs("  keeps what it has; its account is ", stdout);
        show_text(stdout, crawler.account);
        puts(" now");
    }
}

static json_t *site_json(const struct crawler_list_row *crawler)
{
    return json_pack(
        "{s:s,s:s,s:o,s:I,s:I,s:s}", "site", crawler->site, "status", crawler->status, "agreement_version",
        crawler->version_null ? json_null() : json_integer(crawler->version), "open_entries",
        crawler->open_entries, "open_micros", crawler->open_micros, "currency", crawler->currency);
}

/* One object a crawler: rows of the same one follow each other. */
static json_t *list_json(const struct pg_rows *rows)
{
    json_t *list = json_array(), *sites = NULL;
    int64_t crawler_id = 0;
    for (int i = 0; i < rows->count; i++) {
        const struct crawler_list_row crawler = crawler_list_row(rows, i);
        char seen[SHOW_INSTANT_MAX];
        if (i == 0 || crawler.crawler_id != crawler_id) {
            sites = json_array();
            json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o}", "agent", crawler.agent, "account",
                                                  crawler.account, "first_seen",
                                                  show_instant(crawler.first_seen_ms, seen), "sites", sites));
        }
        crawler_id = crawler.crawler_id;
        if (crawler.site)
            json_array_append_new(sites, site_json(&crawler));
    }
    return list;
}

static enum exit_status list(struct pg *pg, bool json)
{
    struct pg_rows rows = {0};
    bool ok = true;
    if (read_list(pg, NULL, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (json)
        ok = show_json(list_json(&rows), JSON_INDENT(2));
    else
        print_list(&rows);
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --- show --- */

static void print_keys(const struct pg_rows *keys)
{
    char seen[SHOW_INSTANT_MAX];
    puts(keys->count > 0 ? "\nKeys that have paid" : "\nNo key has paid yet.");
    for (int i = 0; i < keys->count; i++) {
        const struct crawler_keys_row key = crawler_keys_row(keys, i);
        char *thumbprint = show_base64url(key.thumbprint);
        printf("  %s since %s\n    ", thumbprint ? thumbprint : "", show_instant(key.first_seen_ms, seen));
        show_text(stdout, key.directory_url);
        fputc('\n', stdout);
        free(thumbprint);
    }
}

static void print_site(const struct crawler_list_row *crawler)
{
    char money[SHOW_MONEY_MAX];
    fputs("\nSite ", stdout);
    show_text(stdout, crawler->site);
    printf(": %s\n", crawler->status);
    if (crawler->version_null)
        puts("  agreement   none in force: the price list holds");
    else
        printf("  agreement   version %" PRId64 ", valid from %s (%s)\n", crawler->version,
               crawler->valid_from, crawler->time_zone);
    printf("  not billed  %s, %" PRId64 " crawls of days not closed and what was carried\n",
           show_micros(crawler->open_micros, crawler->currency, money), crawler->open_entries);
}

static void print_crawler(const struct pg_rows *rows, const struct pg_rows *keys)
{
    const struct crawler_list_row crawler = crawler_list_row(rows, 0);
    char seen[SHOW_INSTANT_MAX];
    fputs("CRAWLER ", stdout);
    show_text(stdout, crawler.agent);
    printf("\n\nFirst seen %s\n", show_instant(crawler.first_seen_ms, seen));
    if (is_former(&crawler)) {
        fputs("Keeps what it has; its account is ", stdout);
        show_text(stdout, crawler.account);
        puts(" now");
    }
    for (int i = 0; i < rows->count; i++) {
        const struct crawler_list_row place = crawler_list_row(rows, i);
        if (place.site)
            print_site(&place);
    }
    print_keys(keys);
}

static json_t *crawler_json(const struct pg_rows *rows, const struct pg_rows *keys)
{
    json_t *list = list_json(rows), *json = json_incref(json_array_get(list, 0)), *array = json_array();
    for (int i = 0; i < keys->count; i++) {
        char seen[SHOW_INSTANT_MAX];
        const struct crawler_keys_row key = crawler_keys_row(keys, i);
        char *thumbprint = show_base64url(key.thumbprint);
        json_array_append_new(array, json_pack("{s:s,s:s,s:s}", "thumbprint", thumbprint ? thumbprint : "",
                                               "directory_url", key.directory_url, "first_seen",
                                               show_instant(key.first_seen_ms, seen)));
        free(thumbprint);
    }
    json_object_set_new(json, "keys", array);
    json_decref(list);
    return json;
}

static enum exit_status show(struct pg *pg, const char *agent, int64_t crawler_id, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0}, keys = {0};
    bool ok = false;
    pg_params_number(&params, crawler_id);
    if (read_list(pg, agent, &rows) != ERR_OK || rows.count == 0 ||
        pg_run(pg, "crawler_keys", &params, &keys) != ERR_OK)
        goto out;
    if (json) {
        ok = show_json(crawler_json(&rows, &keys), JSON_INDENT(2));
    } else {
        print_crawler(&rows, &keys);
        ok = true;
    }
out:
    pg_rows_free(&rows);
    pg_rows_free(&keys);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --- add --- */

static enum err insert(struct pg *pg, const char *agent)
{
    struct pg_params crawler = {0}, action = {0};
    int64_t now_ms = clock_now_ms();
    enum err err;
    pg_params_text(&crawler, agent);
    pg_params_number(&crawler, now_ms);
    pg_params_number(&action, now_ms);
    pg_params_text(&action, command_actor());
    pg_params_text(&action, "crawler add");
    pg_params_text(&action, agent);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "crawler_insert", &crawler, NULL));
    TRY(pg_run(pg, "operator_action_insert", &action, NULL));
    TRY(pg_commit(pg));
out:
    if (err != ERR_OK)
        pg_rollback(pg);
    return err;
}

static enum exit_status add(struct pg *pg, const struct config *config, const char *agent)
{
    int64_t crawler_id;
    if (argument_find(pg, config, agent, &crawler_id) != ERR_OK)
        return EXIT_FAILED;
    if (crawler_id == 0 && insert(pg, agent) != ERR_OK)
        return EXIT_FAILED;
    printf(crawler_id == 0 ? "added %s\n" : "%s has an account already\n", agent);
    return EXIT_DONE;
}

/* --- suspend, resume --- */

static enum exit_status set_status(struct pg *pg, const struct argument_site *site,
                                   const struct agreement_order *order, const char *status)
{
    struct agreement_result result = {0};
    enum exit_status exit = EXIT_DONE;
    if (agreement_set_status(pg, order, status, &result) != ERR_OK)
        return EXIT_FAILED;
    if (result.outcome == AGREEMENT_OVERTAKEN) {
        LOG(ERROR, "others record versions of this agreement all the time", {"detail", "nothing was changed"},
            {"hint", "try again"});
        exit = EXIT_BUSY;
    } else if (result.outcome == AGREEMENT_UNCHANGED) {
        printf("nothing to change: the crawler is %s at site %s\n", status, site->name);
    } else {
        printf("the crawler is %s at site %s now: version %" PRId64 "\n", status, site->name, result.version);
    }
    agreement_result_free(&result);
    return exit;
}

/* --- the command --- */

enum verb { LIST, SHOW, ADD, SUSPEND, RESUME, NO_VERB };

static enum verb verb_of(const struct command_words *words)
{
    static const char *const names[] = {"list", "show", "add", "suspend", "resume"};
    for (int i = 0; i < NO_VERB; i++)
        if (words->count == (i == LIST ? 1 : 2) && strcmp(words->items[0], names[i]) == 0)
            return (enum verb)i;
    return NO_VERB;
}

struct options {
    const char *site, *reason;
    const char *given; /* the agent as it was written */
    bool json;
};

static enum exit_status run_on(struct pg *pg, const struct config *config, enum verb verb, const char *agent,
                               const struct options *options)
{
    struct argument_site site;
    int64_t crawler_id;
    if (verb == ADD)
        return add(pg, config, agent);
    /* As the list shows it: what an account of before has is asked for by its name. */
    if (verb == SHOW && argument_named(pg, options->given, &crawler_id) == ERR_OK && crawler_id != 0)
        return show(pg, options->given, crawler_id, options->json);
    if (!argument_crawler(pg, config, agent, &crawler_id))
        return EXIT_FAILED;
    if (verb == SHOW)
        return show(pg, agent, crawler_id, options->json);
    if (!argument_site(pg, config, options->site, &site))
        return EXIT_FAILED;
    const struct agreement_order order = {.site_id = site.site_id,
                                          .crawler_id = crawler_id,
                                          .currency = site.currency,
                                          .actor = command_actor(),
                                          .reason = options->reason,
                                          .expect_version = -1,
                                          .errors = stderr};
    return set_status(pg, &site, &order, verb == SUSPEND ? "suspended" : "active");
}

static enum exit_status manage_crawlers(const char *config_path, int argc, char **argv)
{
    struct options options = {0};
    const struct command_option known[] = {{"--site", &options.site, NULL},
                                           {"--reason", &options.reason, NULL},
                                           {"--json", NULL, &options.json},
                                           {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, known, &words))
        return EXIT_USAGE;
    enum verb verb = verb_of(&words);
    if (verb == NO_VERB)
        return command_misused("use: crawltab crawler list, or show, add, suspend or resume AGENT", NULL,
                               "see crawltab crawler --help");
    if ((verb == SUSPEND || verb == RESUME) && (!options.reason || !*options.reason))
        return command_misused("a reason is missing", NULL, "say why with --reason \"…\"; it is recorded");
    struct config *config = command_config(config_path);
    if (!config)
        return EXIT_FAILED;
    enum exit_status status = EXIT_FAILED;
    struct pg *pg = NULL;
    char room[8192];
    struct arena arena;
    arena_init(&arena, room, sizeof(room));
    options.given = verb == LIST ? NULL : words.items[1];
    const char *agent = verb == LIST ? NULL : argument_agent(&arena, config, options.given);
    if (verb == ADD && !agent)
        status =
            command_misused("this is no crawler's identity", options.given,
                            "it is the URL that its Signature-Agent names, e.g. https://crawler.example");
    else if ((pg = command_open(config, "crawltab crawler")))
        status = verb == LIST ? list(pg, options.json)
                              : run_on(pg, config, verb, agent ? agent : options.given, &options);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command crawler_command = {
    "crawler", "list crawlers, add, suspend and resume them",
    "usage: crawltab crawler list [--json]\n"
    "       crawltab crawler show AGENT [--json]\n"
    "       crawltab crawler add AGENT\n"
    "       crawltab crawler suspend AGENT [--site NAME] --reason TEXT\n"
    "       crawltab crawler resume AGENT [--site NAME] --reason TEXT\n"
    "\n"
    "A crawler is known by the URL of its Signature-Agent. It gets an account when it\n"
    "first pays, or ahead of that with add, so that an agreement can be made. Status\n"
    "is a part of the agreement: suspend and resume record a new version of it.\n"
    "\n"
    "options:\n"
    "  --site NAME    needed if the configuration has several sites\n"
    "  --reason TEXT  why; recorded with who\n"
    "  --json         for programs: amounts in micro-units\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab crawler list\n"
    "  crawltab crawler suspend https://crawler.example --reason 'does not pay'\n",
    manage_crawlers};
