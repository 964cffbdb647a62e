#include "tools/crawltab/traffic/request.h"

#include "tools/crawltab/frame/show.h"
#include "tools/crawltab/traffic/traffic_html.h"
#include "tools/crawltab/traffic/traffic_page.h"
#include "tools/crawltab/traffic/trial_page.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const groups[] = {"crawler", "rule", "path", "outcome", "hour", "day", NULL};
static const char *const groups_of_today[] = {"crawler", "rule", "path", "outcome", "hour", NULL};

static bool is_one_of(const char *by, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, by) == 0)
            return true;
    return false;
}

enum exit_status traffic_request_check(struct traffic_request *request)
{
    const char *const *names = request->today ? groups_of_today : groups;
    if (!command_date("this is no date", request->from) || !command_date("this is no date", request->to))
        return EXIT_USAGE;
    if (request->from && request->to && strcmp(request->from, request->to) > 0)
        return command_misused("--from is after --to", request->from, NULL);
    if (request->tried && (request->by || request->html))
        return command_misused("--by and --html are not for what is tried", NULL,
                               "it is told by rule and path, as a table, --json or --csv");
    if (request->html && request->by)
        return command_misused("--by is for the table, --json and --csv", NULL,
                               "a page tells by time, by crawler and by rule");
    if (!request->by)
        request->by = "crawler";
    if (!is_one_of(request->by, names))
        return command_unknown("--by cannot be", request->by, names,
                               request->today ? "see crawltab today --help" : "see crawltab traffic --help");
    if (request->json + request->csv + (request->html != NULL) > 1)
        return command_misused("--json, --csv and --html are formats", NULL, "choose one");
    return EXIT_DONE;
}

/* The list of all sites, which is taken; nothing of it where one failed or another format is wanted. */
static enum exit_status tell_list(const struct traffic_request *request, json_t *list,
                                  enum exit_status status)
{
    if (!request->json || status != EXIT_DONE)
        json_decref(list);
    else if (!show_json(list, JSON_INDENT(2)))
        status = EXIT_FAILED;
    return status;
}

static enum exit_status tell_lines(struct pg *pg, const struct traffic_request *request,
                                   const struct pg_rows *spans)
{
    enum exit_status status = EXIT_DONE;
    /* Paths are counted by the day: until this hour of another one nothing is known. */
    bool compared = request->today && strcmp(request->by, "hour") != 0 && strcmp(request->by, "path") != 0;
    json_t *list = json_array();
    if (request->csv)
        traffic_page_csv_head(compared);
    for (int i = 0; i < spans->count && status == EXIT_DONE; i++) {
        const struct traffic_spans_row span = traffic_spans_row(spans, i);
        struct traffic_report report;
        if (i > 0 && !request->json && !request->csv)
            putchar('\n');
        const struct traffic_report wanted = {.span = &span,
                                              .by = request->by,
                                              .compared = compared,
                                              .parted = request->json || (request->csv && !compared)};
        if (traffic_report_read(pg, &wanted, &report) != ERR_OK)
            status = EXIT_FAILED;
        else if (request->json)
            json_array_append_new(list, traffic_page_json(&report));
        else if (request->csv)
            traffic_page_csv(&report);
        else
            traffic_page_print(&report);
        traffic_report_free(&report);
    }
    return tell_list(request, list, status);
}

/* The whole page first: a file that was there stays until there is another one. */
static enum exit_status tell_html(struct pg *pg, const struct traffic_request *request,
                                  const struct pg_rows *spans, int64_t now_ms)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        LOG(ERROR, "the page cannot be made", {"detail", "no memory"});
        return EXIT_FAILED;
    }
    bool ok = traffic_html_write(pg, spans, request->today, now_ms, out) == ERR_OK;
    ok = fclose(out) == 0 && ok;
    const char *problem = ok ? file_replace(request->html, text, len, FILE_PRIVATE) : NULL;
    if (problem)
        LOG(ERROR, "the page cannot be written", {"file", request->html}, {"detail", problem});
    free(text);
    return ok && !problem ? EXIT_DONE : EXIT_FAILED;
}

/* Of each site, or none of them: half an answer would be taken for a whole one. */
static enum exit_status tell_trials(struct pg *pg, const struct traffic_request *request,
                                    const struct trial_sets *sets, const struct pg_rows *spans)
{
    enum exit_status status = EXIT_DONE;
    json_t *list = json_array();
    for (int i = 0; i < spans->count; i++)
        if (!trial_fits(sets, traffic_spans_row(spans, i).site))
            status = EXIT_FAILED;
    if (request->csv && status == EXIT_DONE)
        trial_page_csv_head();
    for (int i = 0; i < spans->count && status == EXIT_DONE; i++) {
        const struct traffic_spans_row span = traffic_spans_row(spans, i);
        struct trial trial;
        if (i > 0 && !request->json && !request->csv)
            putchar('\n');
        if (trial_read(pg, sets, &span, &trial) != ERR_OK)
            status = EXIT_FAILED;
        else if (request->json)
            json_array_append_new(list, trial_page_json(&trial));
        else if (request->csv)
            trial_page_csv(&trial);
        else
            trial_page_print(&trial, request->from || request->to ? "these days" : "the last thirty days");
        trial_free(&trial);
    }
    return tell_list(request, list, status);
}

static enum exit_status tell_tried(struct pg *pg, const struct config *config,
                                   const struct traffic_request *request, const struct pg_rows *spans)
{
    struct trial_sets sets = {.agreements = NULL};
    struct config *tried = command_config(request->tried);
    enum exit_status status = EXIT_FAILED;
    if (tried && trial_sets_make(pg, config, tried, &sets) == ERR_OK)
        status = tell_trials(pg, request, &sets, spans);
    trial_sets_free(&sets);
    config_free(tried);
    return status;
}

enum exit_status traffic_request_tell(struct pg *pg, const struct config *config,
                                      const struct traffic_request *request)
{
    struct pg_params params = {0};
    struct pg_rows spans = {0};
    enum exit_status status = EXIT_FAILED;
    assert(request->by); /* it was checked */
    int64_t now_ms = clock_now_ms();
    pg_params_text(&params, request->site);
    pg_params_text(&params, request->from);
    pg_params_text(&params, request->to);
    pg_params_number(&params, now_ms);
    pg_params_number(&params, request->today);
    if (pg_run(pg, "traffic_settings", NULL, NULL) != ERR_OK ||
        pg_run(pg, "traffic_spans", &params, &spans) != ERR_OK)
        return EXIT_FAILED;
    if (spans.count > 0 && request->tried)
        status = tell_tried(pg, config, request, &spans);
    else if (spans.count > 0)
        status = request->html ? tell_html(pg, request, &spans, now_ms) : tell_lines(pg, request, &spans);
    else
        LOG(ERROR, "the ledger has no such site", {"site", request->site},
            {"hint", "a gate registers its sites when it starts; was it misspelled?"});
    pg_rows_free(&spans);
    return status;
}
