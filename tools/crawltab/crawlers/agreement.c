#include "tools/crawltab/frame/argument.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/terms/agreement.h"
#include "ledger/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct options {
    const char *site, *at, *from, *file, *reason, *expect;
    bool history, json, dry_run;
};

/* What a subcommand works on. */
struct scene {
    const struct options *options;
    struct pg *pg;
    struct argument_site site;
    const char *agent;
    int64_t crawler_id;
};

/* --- show --- */

static void print_head(const struct scene *scene, const struct agreement *agreement, const char *note)
{
    printf("# %s at site ", scene->agent);
    show_text(stdout, scene->site.name);
    printf(", version %" PRId64 "%s\n# valid from %s, recorded %s (%s)\n# by ", agreement->version, note,
           agreement->valid_from, agreement->recorded_at, scene->site.time_zone);
    show_text(stdout, agreement->actor);
    fputs("\n# ", stdout);
    show_text(stdout, agreement->reason);
    fputs("\n\n", stdout);
}

static void print_none(const struct scene *scene)
{
    struct terms *terms = terms_new();
    printf("# %s has no agreement with site %s", scene->agent, scene->site.name);
    printf("%s\n# The price list holds, with these terms:\n\n", scene->options->at ? " at that time." : ".");
    terms_write(terms, stdout);
    terms_free(terms);
}

static const char *state_of(const struct agreement_list *list, size_t index, int64_t ms)
{
    if (&list->items[index] == agreement_at(list, ms))
        return "in force";
    return agreement_is_pending(list, index, ms) ? "pending" : "over";
}

static json_t *agreement_json(const struct scene *scene, const struct agreement *agreement, const char *state)
{
    char from[SHOW_INSTANT_MAX], recorded[SHOW_INSTANT_MAX];
    return json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:o}", "site", scene->site.name, "agent", scene->agent,
                     "version", agreement->version, "state", state, "valid_from",
                     show_instant(agreement->valid_from_ms, from), "recorded_at",
                     show_instant(agreement->recorded_at_ms, recorded), "actor", agreement->actor, "reason",
                     agreement->reason, "terms", terms_json(agreement->terms));
}

/* Every version as what it changed. */
static void print_history(const struct scene *scene, const struct agreement_list *list, int64_t ms)
{
    if (list->count == 0)
        print_none(scene);
    for (size_t i = 0; i < list->count; i++) {
        char note[32];
        struct terms *nothing = i == 0 ? terms_new() : NULL;
        snprintf(note, sizeof(note), " (%s)", state_of(list, i, ms));
        print_head(scene, &list->items[i], note);
        terms_write_changes(nothing ? nothing : list->items[i - 1].terms, list->items[i].terms, stdout);
        terms_free(nothing);
        if (i + 1 < list->count)
            fputc('\n', stdout);
    }
}

static json_t *history_json(const struct scene *scene, const struct agreement_list *list, int64_t ms)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, agreement_json(scene, &list->items[i], state_of(list, i, ms)));
    return array;
}

static void print_pending(const struct agreement_list *list, int64_t ms)
{
    for (size_t i = 0; i < list->count; i++)
        if (agreement_is_pending(list, i, ms))
            printf("\n# Version %" PRId64 " follows at %s; --history shows it.\n", list->items[i].version,
                   list->items[i].valid_from);
}

static enum exit_status show(struct scene *scene)
{
    const struct options *options = scene->options;
    struct agreement_list list = {0};
    int64_t ms = clock_now_ms();
    bool ok = true;
    if (options->at && !argument_instant(scene->pg, &scene->site, options->at, &ms))
        return EXIT_USAGE;
    if (agreement_read(scene->pg, scene->site.site_id, scene->crawler_id, &list) != ERR_OK)
        return EXIT_FAILED;
    const struct agreement *now = agreement_at(&list, ms);
    if (options->history && options->json)
        ok = show_json(history_json(scene, &list, ms), JSON_INDENT(2));
    else if (options->history)
        print_history(scene, &list, ms);
    else if (options->json)
        ok = show_json(now ? agreement_json(scene, now, "in force") : json_null(),
                       JSON_INDENT(2) | JSON_ENCODE_ANY);
    else {
        if (now) {
            print_head(scene, now, "");
            terms_write(now->terms, stdout);
        } else {
            print_none(scene);
        }
        print_pending(&list, ms);
    }
    agreement_list_free(&list);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --- set --- */

static enum exit_status refuse(const struct agreement_result *result)
{
    switch (result->outcome) {
    case AGREEMENT_PAST:
        LOG(ERROR, "an agreement cannot begin in the past", {"hint", "crawls of then have been priced"});
        return EXIT_USAGE;
    case AGREEMENT_EARLY:
        LOG(ERROR, "an agreement cannot begin before the newest version does",
            {"newest version", LOG_NUMBER(result->version)},
            {"hint", "that one would never hold; name its beginning, or later, with --from"});
        return EXIT_FAILED;
    case AGREEMENT_OVERTAKEN:
        LOG(ERROR, "somebody else has recorded a version", {"newest version", LOG_NUMBER(result->version)},
            {"detail", "nothing was changed"},
            {"hint", "look at it with crawltab agreement show, and try again"});
        return EXIT_BUSY;
    case AGREEMENT_WRONG:
    case AGREEMENT_RECORDED:
    case AGREEMENT_UNCHANGED:
        break;
    }
    return EXIT_FAILED;
}

static bool rule_exists(const struct config_site *site, const char *rule)
{
    for (size_t i = 0; i < site->rule_count; i++)
        if (strcmp(site->rules[i].name, rule) == 0)
            return true;
    return false;
}

static void warn_of_rules(const struct scene *scene, const struct terms *terms)
{
    for (size_t i = 0; scene->site.configured && i < terms->price_count; i++)
        if (*terms->prices[i].rule && !rule_exists(scene->site.configured, terms->prices[i].rule))
            LOG(WARN, "no rule of the site has this name, so its price has no effect",
                {"rule", terms->prices[i].rule});
}

static enum exit_status tell(const struct scene *scene, const struct agreement_result *result)
{
    char from[SHOW_INSTANT_MAX];
    bool recorded = result->outcome == AGREEMENT_RECORDED;
    if (!recorded && result->outcome != AGREEMENT_UNCHANGED)
        return refuse(result);
    warn_of_rules(scene, result->after);
    show_instant(result->valid_from_ms, from);
    if (scene->options->json) {
        json_t *json =
            json_pack("{s:b,s:b,s:I,s:s,s:o,s:o}", "recorded", recorded && !scene->options->dry_run,
                      "dry_run", scene->options->dry_run, "version", result->version, "valid_from", from,
                      "before", terms_json(result->before), "after", terms_json(result->after));
        return show_json(json, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
    }
    if (!recorded) {
        printf("nothing to change: version %" PRId64 " says the same\n", result->version);
        return EXIT_DONE;
    }
    terms_write_changes(result->before, result->after, stdout);
    printf("%sversion %" PRId64 ", valid from %s\n", scene->options->dry_run ? "would be " : "recorded ",
           result->version, from);
    return EXIT_DONE;
}

/* NULL after messages. "-" is standard input. */
static struct terms *read_file(const char *path, const char *currency)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (!file) {
        LOG(ERROR, "cannot read the terms", {"file", path}, {"detail", strerror(errno)});
        return NULL;
    }
    struct terms *terms = terms_read(file, standard ? "standard input" : path, currency, stderr);
    if (!standard)
        fclose(file);
    return terms;
}

static bool parse_version(const char *text, int64_t *version)
{
    char *end;
    *version = -1;
    if (!text)
        return true;
    errno = 0;
    *version = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0;
}

static enum exit_status set(struct scene *scene, const char *const *changes, size_t count)
{
    const struct options *options = scene->options;
    struct agreement_order order = {.site_id = scene->site.site_id,
                                    .crawler_id = scene->crawler_id,
                                    .currency = scene->site.currency,
                                    .actor = command_actor(),
                                    .reason = options->reason,
                                    .dry_run = options->dry_run,
                                    .errors = stderr};
    struct agreement_result result = {0};
    struct terms *terms = NULL;
    enum err err;
    if (!parse_version(options->expect, &order.expect_version))
        return command_misused("this is no version", options->expect, "0 stands for: none yet");
    if (options->from && !argument_instant(scene->pg, &scene->site, options->from, &order.from_ms))
        return EXIT_USAGE;
    if (options->file && !(terms = read_file(options->file, scene->site.currency)))
        return EXIT_FAILED;
    if (terms)
        err = agreement_replace(scene->pg, &order, terms, &result);
    else
        err = agreement_change(scene->pg, &order, changes, count, &result);
    enum exit_status status = err == ERR_OK ? tell(scene, &result) : EXIT_FAILED;
    agreement_result_free(&result);
    terms_free(terms);
    return status;
}

/* --- the command --- */

static enum exit_status check_words(const struct command_words *words, const struct options *options)
{
    const char *verb = words->count > 0 ? words->items[0] : "";
    if (strcmp(verb, "template") == 0 && words->count == 1)
        return EXIT_DONE;
    if (strcmp(verb, "show") == 0 && words->count == 2)
        return EXIT_DONE;
    if (strcmp(verb, "set") != 0 || words->count < 2)
        return command_misused("use: crawltab agreement show AGENT, set AGENT, or template", NULL,
                               "see crawltab agreement --help");
    if (!options->reason || !*options->reason)
        return command_misused("a reason is missing", NULL, "say why with --reason \"…\"; it is recorded");
    if ((options->file != NULL) == (words->count > 2))
        return command_misused(
            "say what to change", NULL,
            "give either --file FILE or key=value; crawltab agreement template lists keys");
    return EXIT_DONE;
}

static enum exit_status run_on(const struct config *config, struct scene *scene,
                               const struct command_words *words)
{
    char room[8192];
    struct arena arena;
    arena_init(&arena, room, sizeof(room));
    const char *agent = argument_agent(&arena, config, words->items[1]);
    scene->agent = agent ? agent : words->items[1];
    bool showing = strcmp(words->items[0], "show") == 0;
    if (!argument_site(scene->pg, config, scene->options->site, &scene->site))
        return EXIT_FAILED;
    /* What an account of before had agreed is shown under its name; what is set is its present account's. */
    if (showing && argument_named(scene->pg, words->items[1], &scene->crawler_id) == ERR_OK &&
        scene->crawler_id != 0)
        scene->agent = words->items[1];
    else if (!argument_crawler(scene->pg, config, scene->agent, &scene->crawler_id))
        return EXIT_FAILED;
    if (showing)
        return show(scene);
    return set(scene, words->items + 2, (size_t)words->count - 2);
}

static enum exit_status manage_agreements(const char *config_path, int argc, char **argv)
{
    struct options options = {0};
    const struct command_option known[] = {
        {"--site", &options.site, NULL},       {"--at", &options.at, NULL},
        {"--from", &options.from, NULL},       {"--file", &options.file, NULL},
        {"--reason", &options.reason, NULL},   {"--expect-version", &options.expect, NULL},
        {"--history", NULL, &options.history}, {"--json", NULL, &options.json},
        {"--dry-run", NULL, &options.dry_run}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, known, &words))
        return EXIT_USAGE;
    enum exit_status status = check_words(&words, &options);
    if (status != EXIT_DONE)
        return status;
    if (strcmp(words.items[0], "template") == 0) {
        terms_write_template(stdout);
        return EXIT_DONE;
    }
    struct config *config = command_config(config_path);
    struct scene scene = {.options = &options};
    scene.pg = config ? command_open(config, "crawltab agreement") : NULL;
    status = scene.pg ? run_on(config, &scene, &words) : EXIT_FAILED;
    pg_close(scene.pg);
    config_free(config);
    return status;
}

const struct command agreement_command = {
    "agreement", "show and set what was agreed with a crawler",
    "usage: crawltab agreement show AGENT [--site NAME] [--at TIME] [--history]\n"
    "       crawltab agreement set AGENT [--site NAME] --reason TEXT [--from TIME]\n"
    "                          [--dry-run] --file FILE | KEY=VALUE ...\n"
    "       crawltab agreement template\n"
    "\n"
    "An agreement is kept in versions, which are never changed. set records a new\n"
    "one: all terms from a file in YAML, or the newest version with single terms\n"
    "changed, such as cadence=weekly or buyer.name='Crawler Inc.'; an empty value is\n"
    "the default. What show prints can be edited and given to set; template explains\n"
    "every key.\n"
    "\n"
    "options:\n"
    "  --site NAME         needed if the configuration has several sites\n"
    "  --at TIME           what was or will be in force then; without it: now\n"
    "  --history           all versions, with what each one changed\n"
    "  --from TIME         when the version comes into force; without it: now\n"
    "  --file FILE         the terms, - for standard input\n"
    "  --reason TEXT       why; recorded with who\n"
    "  --expect-version N  only if version N is the newest (0: there is none)\n"
    "  --dry-run           only show what would change\n"
    "  --json              for programs: amounts in micro-units, rates in millionths\n"
    "  --config FILE       the configuration (default: config.yaml)\n"
    "\n"
    "TIME is a date such as 2026-12-01, 2026-12-01T08:30, or 2026-12-01T07:30Z; the\n"
    "first two are in the site's time zone.\n",
    "  crawltab agreement show https://crawler.example --history\n"
    "  crawltab agreement set https://crawler.example --reason 'as agreed' \\\n"
    "      --dry-run --file agreement.yaml\n",
    manage_agreements};
