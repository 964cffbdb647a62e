#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/evidence/judge.h"
#include "sql/rows/evidence.h"

/* A later version's reasons are told by their names. */
static const char *sentence_of(const char *reason)
{
    enum evidence_check check = evidence_check_called(reason);
    return check < EVIDENCE_CHECKS ? evidence_check_sentence(check, false) : reason;
}

static void print_row(const struct unproven_list_row *row)
{
    char money[SHOW_MONEY_MAX];
    printf("%s  %s  %s\n  ", row->payment_id, row->local_date ? row->local_date : "(no day)",
           show_micros(row->amount_micros, row->currency, money));
    show_text(stdout, row->site);
    fputs(", ", stdout);
    show_text(stdout, row->agent ? row->agent : "(no such crawler)");
    fputs(", ", stdout);
    show_text(stdout, row->resource ? row->resource : "(its entry is archived)");
    printf("\n  %s: %s\n", row->reason, sentence_of(row->reason));
}

static json_t *row_json(const struct unproven_list_row *row)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s?,s:s,s:s,s:I,s:s}", "site", row->site, "payment_id", row->payment_id, "day",
                  row->local_date, "reason", row->reason, "detail", sentence_of(row->reason), "amount_micros",
                  row->amount_micros, "currency", row->currency);
    json_object_set_new(json, "agent", show_json_text(row->agent));
    json_object_set_new(json, "resource", show_json_text(row->resource));
    return json;
}

static bool tell(const struct pg_rows *rows, bool json)
{
    json_t *list = json ? json_array() : NULL;
    for (int i = 0; i < rows->count; i++) {
        const struct unproven_list_row row = unproven_list_row(rows, i);
        if (json)
            json_array_append_new(list, row_json(&row));
        else
            print_row(&row);
    }
    if (json)
        return show_json(list, JSON_INDENT(2));
    if (rows->count == 0)
        puts("nothing: of all entries of closed days that were judged, each is what was signed");
    return true;
}

static enum exit_status run(const char *config_path, int argc, char **argv)
{
    bool json = false;
    const char *site = NULL, *from = NULL, *to = NULL;
    const struct command_option options[] = {{"--site", &site, NULL},
                                             {"--from", &from, NULL},
                                             {"--to", &to, NULL},
                                             {"--json", NULL, &json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    if (!command_parse(argc, argv, options, &words) || !command_date("--from", from) ||
        !command_date("--to", to))
        return EXIT_USAGE;
    if (words.count != 0)
        return command_misused("use: crawltab unproven", words.items[0], "see crawltab unproven --help");
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab unproven") : NULL;
    pg_params_text(&params, site);
    pg_params_text(&params, from);
    pg_params_text(&params, to);
    bool ok = pg && pg_run(pg, "unproven_list", &params, &rows) == ERR_OK && tell(&rows, json);
    pg_rows_free(&rows);
    pg_close(pg);
    config_free(config);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const struct command unproven_command = {
    "unproven", "entries that are not what was signed, and not billed",
    "usage: crawltab unproven [--site NAME] [--from DATE] [--to DATE] [--json]\n"
    "\n"
    "Lists entries that nights have found not to be what their crawlers signed, with\n"
    "the reason. They stay in the ledger and in its tree, and are on no invoice,\n"
    "today or later. Whoever can write into the ledger's database can put such an\n"
    "entry into it; if you know of nobody who did, find out who it was.\n"
    "\n"
    "offer: no offer key that is known made the id. If a key was changed twice\n"
    "between two nights, the one in between is unknown: add it to offer.history_file\n"
    "in time.\n"
    "\n"
    "options:\n"
    "  --site NAME    of this site alone\n"
    "  --from DATE    of payments from this day on\n"
    "  --to DATE      up to this day\n"
    "  --json         for programs\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab unproven --from 2026-11-01\n", run};
