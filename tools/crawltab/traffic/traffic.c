#include "tools/crawltab/traffic/request.h"

#include "ledger/pg/schema.h"
#include "sql/rows/traffic.h"

#include <inttypes.h>
#include <stdio.h>

#define CONNECT_MS 10000
#define CALL_MS    600000

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

static enum exit_status with_config(const char *config_path, const struct traffic_request *request,
                                    const char *forgotten)
{
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    if (config && forgotten) {
        status = forget(config, forgotten);
    } else if (config) {
        struct pg *pg = command_open(config, "crawltab traffic");
        if (pg)
            status = traffic_request_tell(pg, config, request);
        pg_close(pg);
    }
    config_free(config);
    return status;
}

static enum exit_status traffic(const char *config_path, int argc, char **argv)
{
    struct traffic_request request = {0};
    const char *before = NULL;
    const struct command_option options[] = {
        {"--site", &request.site, NULL}, {"--from", &request.from, NULL}, {"--to", &request.to, NULL},
        {"--by", &request.by, NULL},     {"--json", NULL, &request.json}, {"--csv", NULL, &request.csv},
        {"--html", &request.html, NULL}, {"--before", &before, NULL},     {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    bool forgetting = words.count == 1 && strcmp(words.items[0], "forget") == 0;
    bool trying = words.count == 2 && strcmp(words.items[0], "try") == 0;
    request.tried = trying ? words.items[1] : NULL;
    if (words.count == 1 && strcmp(words.items[0], "try") == 0)
        return command_misused("use: crawltab traffic try FILE", NULL, "a configuration with other rules");
    if (words.count > 0 && !forgetting && !trying)
        return command_misused("this is not expected", words.items[0], "see crawltab traffic --help");
    if (forgetting != (before != NULL))
        return command_misused("use: crawltab traffic forget --before DATE", NULL, NULL);
    if (before && !command_date("this is no date", before))
        return EXIT_USAGE;
    if (forgetting && !command_confirm("The counts of all months before that date are dropped."))
        return EXIT_FAILED;
    enum exit_status wrong = traffic_request_check(&request);
    return wrong != EXIT_DONE ? wrong : with_config(config_path, &request, before);
}

const struct command traffic_command = {
    "traffic", "what crawlers asked for, and what it earned or would have earned",
    "usage: crawltab traffic [--site NAME] [--from DATE] [--to DATE] [--by WHAT]\n"
    "                        [--json | --csv]\n"
    "       crawltab traffic try FILE [--site NAME] [--from DATE] [--to DATE]\n"
    "                        [--json | --csv]\n"
    "       crawltab traffic forget --before DATE\n"
    "\n"
    "Counts of requests, for each crawler: how many there were, were answered by an\n"
    "offer, paid, refused (and why) or free, how many different pages (give or take\n"
    "7 %), how many bytes, and what was earned. Where the gate observes only, what\n"
    "would have been earned if every request had paid. A gate writes its counts\n"
    "every few seconds; the money that crawlers owe is not counted here but in the\n"
    "ledger's entries. \"others\" are all whom the gate does not know: people too.\n"
    "By path are counted requests of crawlers for what has a price, a day's two\n"
    "thousand most requested paths; the rest, and those of people, have none.\n"
    "\n"
    "try takes another configuration, with other prices, paths or rules, and decides\n"
    "by its rules on what crawlers asked for, as the gate would: what those who paid\n"
    "would have paid, and what would have been earned if every offer had been paid,\n"
    "beside the same by the present rules; and which paths come under another rule.\n"
    "\n"
    "forget drops the counts of all months (UTC) before that of the date.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --from, --to   dates, both included (default: the last thirty days)\n"
    "  --by WHAT      crawler, rule, path, outcome, hour or day (default:\n"
    "                 crawler)\n"
    "  --json, --csv  for programs\n"
    "  --html FILE    one page with charts, that can be mailed\n"
    "  --yes          on a terminal: do not ask\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab traffic --by rule --from 2026-11-01 --to 2026-11-30\n"
    "  crawltab traffic --by path --csv >paths.csv\n"
    "  crawltab traffic try dearer.yaml\n",
    traffic};
