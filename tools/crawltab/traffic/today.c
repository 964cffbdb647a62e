/* The day so far, beside those before; and again and again for who watches. */
#include "tools/crawltab/traffic/request.h"

#include "ledger/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define WATCH_MS 5000 /* gates write what they have counted about as often */

/* Until the terminal is gone, or somebody interrupts. What was on the screen stays where it is read back. */
static enum exit_status watch(struct pg *pg, const struct config *config,
                              const struct traffic_request *request)
{
    for (;;) {
        fputs("\033[2J\033[H", stdout);
        enum exit_status status = traffic_request_tell(pg, config, request);
        fputs("\nEvery five seconds; Ctrl-C ends it.\n", stdout);
        if (status != EXIT_DONE || fflush(stdout) != 0)
            return status;
        poll(NULL, 0, WATCH_MS);
    }
}

static enum exit_status today(const char *config_path, int argc, char **argv)
{
    struct traffic_request request = {.today = true};
    bool watched = false;
    const struct command_option options[] = {{"--site", &request.site, NULL},
                                             {"--by", &request.by, NULL},
                                             {"--json", NULL, &request.json},
                                             {"--csv", NULL, &request.csv},
                                             {"--html", &request.html, NULL},
                                             {"--watch", NULL, &watched},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("this is not expected", words.items[0], "see crawltab today --help");
    enum exit_status status = traffic_request_check(&request);
    if (status != EXIT_DONE)
        return status;
    if (watched && (request.json || request.csv || request.html))
        return command_misused("--watch is for the table", NULL, "leave --json, --csv or --html out");
    if (watched && !isatty(STDOUT_FILENO))
        return command_misused("--watch is for a terminal", NULL, "leave it out, or run it from a timer");
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab today") : NULL;
    status = EXIT_FAILED;
    if (pg)
        status = watched ? watch(pg, config, &request) : traffic_request_tell(pg, config, &request);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command today_command = {
    "today", "who came in today, who pays and who refuses",
    "usage: crawltab today [--site NAME] [--by WHAT] [--watch]\n"
    "                      [--json | --csv | --html FILE]\n"
    "\n"
    "The site's day so far. For each crawler: how often it asked, was offered the\n"
    "page, paid, and was refused (and why below), how many different pages it asked\n"
    "for (give or take 7 %), how many bytes it got, and what was earned. Where the\n"
    "gate observes only: what would have come of it, and would have been earned if\n"
    "every request had paid. Then how many requests there were against yesterday and\n"
    "against the same day a week ago, each until the end of the hour that goes on.\n"
    "Crawlers that came then, and not today, are listed too.\n"
    "\n"
    "crawltab traffic tells the same of other days.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --by WHAT      crawler, rule, path, outcome or hour (default: crawler)\n"
    "  --watch        again every five seconds, on a terminal\n"
    "  --json, --csv  for programs\n"
    "  --html FILE    one page with charts, that can be mailed\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab today\n"
    "  crawltab today --html today.html\n",
    today};
