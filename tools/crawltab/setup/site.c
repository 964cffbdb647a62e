#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "sql/rows/site.h"

#include <stdio.h>

struct change {
    const char *site, *zone;
    const char *from; /* NULL: as early as can be */
};

static bool refuse(const char *what, const char *value, const char *hint)
{
    LOG(ERROR, what, {"value", value}, {"hint", hint});
    return false;
}

/* "-infinity" without any days: then every date will do, and one must be said. */
static bool find_date(struct change *change, const char *first)
{
    char hint[64];
    bool any = first[0] == '-';
    snprintf(hint, sizeof(hint), "the first date that can be changed is %s", first);
    if (!change->from && any)
        return refuse("the site has no days yet", change->site, "say from which date with --from");
    if (!change->from)
        change->from = first;
    return any || strcmp(change->from, first) >= 0 ||
           refuse("the days before and on this date are already made, and stay as they are", change->from,
                  hint);
}

static enum err record(struct pg *pg, const struct change *change, int64_t site_id)
{
    struct pg_params zone = {0}, action = {0};
    char detail[256];
    enum err err;
    int64_t now_ms = clock_now_ms();
    pg_params_number(&zone, site_id);
    pg_params_text(&zone, change->zone);
    pg_params_text(&zone, change->from);
    pg_params_number(&zone, now_ms);
    pg_params_text(&zone, command_actor());
    snprintf(detail, sizeof(detail), "site %s: days end at midnight in %s from %s on", change->site,
             change->zone, change->from);
    pg_params_number(&action, now_ms);
    pg_params_text(&action, command_actor());
    pg_params_text(&action, "site zone");
    pg_params_text(&action, detail);
    TRY(pg_begin(pg));
    TRY(pg_run(pg, "site_zone_insert", &zone, NULL));
    TRY(pg_run(pg, "operator_action_insert", &action, NULL));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    return err;
}

static enum exit_status change_zone(struct pg *pg, struct change *change)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, change->site);
    pg_params_text(&params, change->zone);
    if (pg_run(pg, "site_zone_read", &params, &rows) != ERR_OK)
        goto out;
    if (rows.count != 1) {
        refuse("the ledger has no such site", change->site,
               "a site is registered when its gate starts for the first time");
        goto out;
    }
    const struct site_zone_read_row site = site_zone_read_row(&rows, 0);
    bool ok = site.known || refuse("PostgreSQL does not know this time zone", change->zone,
                                   "it has a name of the tz database, e.g. Europe/Paris");
    ok = ok && find_date(change, site.first_date);
    if (!ok || record(pg, change, site.site_id) != ERR_OK)
        goto out;
    printf("From %s on, days of %s end at midnight in %s instead of %s. That day starts where the one\n"
           "before it ends, so it is shorter or longer. Now change time_zone in the configuration, too:\n"
           "until that day gates take either.\n",
           change->from, change->site, change->zone, site.time_zone);
    status = EXIT_DONE;
out:
    pg_rows_free(&rows);
    return status;
}

/* A site's row is followed by those of its changes of zone. */
static bool list_json(const struct pg_rows *rows)
{
    json_t *list = json_array(), *changes = NULL;
    for (int i = 0; i < rows->count; i++) {
        const struct site_zones_row row = site_zones_row(rows, i);
        if (*row.from_date) {
            json_array_append_new(changes,
                                  json_pack("{s:s,s:s}", "from", row.from_date, "time_zone", row.time_zone));
            continue;
        }
        changes = json_array();
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:o}", "site", row.site, "currency",
                                              row.currency, "network", row.network, "time_zone",
                                              row.time_zone, "changes", changes));
    }
    return show_json(list, JSON_INDENT(2));
}

static enum exit_status list(struct pg *pg, bool json)
{
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    if (pg_run(pg, "site_zones", NULL, &rows) != ERR_OK)
        goto out;
    if (json) {
        status = list_json(&rows) ? EXIT_DONE : EXIT_FAILED;
        goto out;
    }
    for (int i = 0; i < rows.count; i++) {
        const struct site_zones_row row = site_zones_row(&rows, i);
        if (*row.from_date)
            printf("%-20s from %s  %s\n", "", row.from_date, row.time_zone);
        else
            printf("%-20s %s  %s  %s\n", row.site, row.currency, row.network, row.time_zone);
    }
    status = EXIT_DONE;
out:
    pg_rows_free(&rows);
    return status;
}

static enum exit_status manage_sites(const char *config_path, int argc, char **argv)
{
    struct change change = {.from = NULL};
    bool json = false;
    const struct command_option options[] = {
        {"--from", &change.from, NULL}, {"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    bool listing = words.count == 1 && strcmp(words.items[0], "list") == 0;
    if (!listing && !(words.count == 3 && strcmp(words.items[0], "zone") == 0))
        return command_misused("use: crawltab site list, or crawltab site zone NAME ZONE", NULL,
                               "see crawltab site --help");
    if (!command_date("--from is no date", change.from))
        return EXIT_USAGE;
    change.site = words.items[1];
    change.zone = words.items[2];
    if (!listing && !command_confirm("The site's days end at another midnight from that date on."))
        return EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab site") : NULL;
    enum exit_status status = EXIT_FAILED;
    if (pg)
        status = listing ? list(pg, json) : change_zone(pg, &change);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command site_command = {
    "site", "list the sites of the ledger, or change the time zone of one",
    "usage: crawltab site list [--json]\n"
    "       crawltab site zone NAME ZONE [--from YYYY-MM-DD]\n"
    "\n"
    "zone records that from a date on the site's days end at midnight in another time\n"
    "zone. Days are made three days ahead and keep their instants, so the date is\n"
    "after them: by default the first one. The first new day starts where the last\n"
    "old one ends and is shorter or longer; nothing overlaps and nothing is lost.\n"
    "Then change time_zone in the configuration: until the date gates take either\n"
    "zone, and from it on only the new one.\n"
    "\n"
    "options:\n"
    "  --from YYYY-MM-DD  the first local date in the new zone\n"
    "  --json             for programs\n"
    "  --yes              on a terminal: do not ask\n"
    "  --config FILE      the configuration (default: config.yaml)\n",
    "  crawltab site list\n"
    "  crawltab site zone gazette Europe/Paris --from 2027-01-01\n",
    manage_sites};
