#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/gate/traffic_page.h"

#include "ledger/base/clock.h"
#include "ledger/pg/schema.h"
#include "sql/rows/traffic.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define CONNECT_MS 10000
#define CALL_MS    600000

static const char *const groups[] = {"crawler", "rule", "outcome", "hour", NULL};

struct request {
    const char *site;      /* NULL: each */
    const char *from, *to; /* NULL: the thirty days up to today */
    const char *by;
    bool json, csv;
};

static enum err read_report(struct pg *pg, const struct request *request,
                            const struct traffic_spans_row *span, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_number(&params, span->site_id);
    pg_params_number(&params, span->from_ms);
    pg_params_number(&params, span->to_ms);
    pg_params_text(&params, request->by);
    pg_params_text(&params, span->time_zone);
    return pg_run(pg, "traffic_report", &params, rows);
}

static enum exit_status show_sites(struct pg *pg, const struct request *request, const struct pg_rows *spans)
{
    enum exit_status status = EXIT_DONE;
    json_t *list = json_array();
    if (request->csv)
        traffic_page_csv_head();
    for (int i = 0; i < spans->count && status == EXIT_DONE; i++) {
        const struct traffic_spans_row span = traffic_spans_row(spans, i);
        struct pg_rows rows = {0};
        const struct traffic_page page = {&span, request->by, &rows};
        if (i > 0 && !request->json && !request->csv)
            putchar('\n');
        if (read_report(pg, request, &span, &rows) != ERR_OK)
            status = EXIT_FAILED;
        else if (request->json)
            json_array_append_new(list, traffic_page_json(&page));
        else if (request->csv)
            traffic_page_csv(&page);
        else
            traffic_page_print(&page);
        pg_rows_free(&rows);
    }
    if (!request->json || status != EXIT_DONE)
        json_decref(list);
    else if (!show_json(list, JSON_INDENT(2)))
        status = EXIT_FAILED;
    return status;
}

static enum exit_status tell(struct pg *pg, const struct request *request)
{
    struct pg_params params = {0};
    struct pg_rows spans = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, request->site);
    pg_params_text(&params, request->from);
    pg_params_text(&params, request->to);
    pg_params_number(&params, clock_now_ms());
    if (pg_run(pg, "traffic_spans", &params, &spans) != ERR_OK)
        return EXIT_FAILED;
    if (spans.count > 0)
        status = show_sites(pg, request, &spans);
    else
        LOG(ERROR, "the ledger has no such site", {"site", request->site},
            {"hint", "a gate registers its sites when it starts; was it misspelled?"});
    pg_rows_free(&spans);
    return status;
}

/* As the owner of the tables: nobody else can drop what was counted. */
static enum exit_status forget(const struct config *config, const char *before)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    struct pg *pg = pg_open(&(struct pg_options){.config = config,
                                                 .role = config->ledger_owner_role,
                                                 .application = "crawltab traffic",
                                                 .connect_ms = CONNECT_MS,
                                                 .timeout_ms = CALL_MS});
    pg_params_text(&params, before);
    if (!pg || schema_check(pg) != ERR_OK)
        goto out;
    if (pg_run(pg, "traffic_forget", &params, &rows) == ERR_OK) {
        int64_t months = traffic_forget_row(&rows, 0).months;
        printf("the counts of %" PRId64 " %s are gone\n", months, months == 1 ? "month" : "months");
        status = EXIT_DONE;
    } else if (pg_failure(pg) == PG_LOCKED) {
        LOG(ERROR, "somebody reads what was counted", {"detail", "nothing was dropped"},
            {"hint", "try again when no report runs"});
        status = EXIT_BUSY;
    }
out:
    pg_rows_free(&rows);
    pg_close(pg);
    return status;
}

static bool known_group(const char *by)
{
    for (size_t i = 0; groups[i]; i++)
        if (strcmp(groups[i], by) == 0)
            return true;
    return false;
}

static enum exit_status check(const struct request *request)
{
    assert(request->by); /* it has a default */
    if (!command_date("this is no date", request->from) || !command_date("this is no date", request->to))
        return EXIT_USAGE;
    if (request->from && request->to && strcmp(request->from, request->to) > 0)
        return command_misused("--from is after --to", request->from, NULL);
    if (!known_group(request->by))
        return command_unknown("--by cannot be", request->by, groups, "see crawltab traffic --help");
    if (request->json && request->csv)
        return command_misused("--json and --csv are two formats", NULL, "choose one");
    return EXIT_DONE;
}

static enum exit_status with_config(const char *config_path, const struct request *request,
                                    const char *forgotten)
{
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    if (config && forgotten) {
        status = forget(config, forgotten);
    } else if (config) {
        struct pg *pg = command_open(config, "crawltab traffic");
        if (pg)
            status = tell(pg, request);
        pg_close(pg);
    }
    config_free(config);
    return status;
}

static enum exit_status traffic(const char *config_path, int argc, char **argv)
{
    struct request request = {.by = "crawler"};
    const char *before = NULL;
    const struct command_option options[] = {{"--site", &request.site, NULL}, {"--from", &request.from, NULL},
                                             {"--to", &request.to, NULL},     {"--by", &request.by, NULL},
                                             {"--json", NULL, &request.json}, {"--csv", NULL, &request.csv},
                                             {"--before", &before, NULL},     {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    bool forgetting = words.count == 1 && strcmp(words.items[0], "forget") == 0;
    if (words.count > 0 && !forgetting)
        return command_misused("this is not expected", words.items[0], "see crawltab traffic --help");
    if (forgetting != (before != NULL))
        return command_misused("use: crawltab traffic forget --before DATE", NULL, NULL);
    if (before && !command_date("this is no date", before))
        return EXIT_USAGE;
    enum exit_status wrong = check(&request);
    return wrong != EXIT_DONE ? wrong : with_config(config_path, &request, before);
}

const struct command traffic_command = {
    "traffic", "what crawlers asked for, and what it earned or would have earned",
    "usage: crawltab traffic [--site NAME] [--from DATE] [--to DATE] [--by WHAT]\n"
    "                        [--json | --csv]\n"
    "       crawltab traffic forget --before DATE\n"
    "\n"
    "Counts of requests, for each crawler: how many there were, were answered by an\n"
    "offer, paid, refused (and why) or free, how many different pages (give or take\n"
    "7 %), how many bytes, and what was earned. Where the gate observes only, what\n"
    "would have been earned if every request had paid. A gate writes its counts\n"
    "every few seconds; the money that crawlers owe is not counted here but in the\n"
    "ledger's entries. \"others\" are all whom the gate does not know: people too.\n"
    "\n"
    "forget drops the counts of all months (UTC) before that of the date.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --from, --to   dates, both included (default: the last thirty days)\n"
    "  --by WHAT      crawler, rule, outcome or hour (default: crawler)\n"
    "  --json, --csv  for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    traffic};
