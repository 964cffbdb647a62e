/* Streams: a page of entries at a time, each page from where the last one ended. */
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "ledger/base/instant.h"
#include "ledger/base/identifier/uuid.h"
#include "sql/rows/archive.h"

#include <inttypes.h>
#include <stdlib.h>

struct range {
    const char *from, *to; /* "YYYY-MM-DD" */
    const char *site;      /* NULL: all */
    bool csv;
};

/* --- CSV (RFC 4180) --- */

static void csv_field(const char *text, size_t len)
{
    /* A spreadsheet takes a cell that starts like this for a formula, and crawlers choose what stands here.
     */
    bool formula = len > 0 && memchr("=+-@\t\r", text[0], 6);
    fputc('"', stdout);
    if (formula)
        fputc('\'', stdout);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            fputc('"', stdout);
        fputc(text[i], stdout);
    }
    fputc('"', stdout);
    fputc(',', stdout);
}

static void csv_text(const char *text)
{
    csv_field(text ? text : "", text ? strlen(text) : 0);
}

static void csv_head(void)
{
    fputs(
        "payment_id,recorded_at,site,agent,thumbprint,resource,rule,amount,currency,amount_micros,signature,"
        "signature_base,agreement_version\r\n",
        stdout);
}

static void csv_entry(const struct export_page_row *entry)
{
    char recorded[INSTANT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    char *thumbprint = show_base64url(entry->thumbprint);
    char *signature = show_base64(entry->signature);
    size_t len = 0;
    char *base = show_raw(entry->signature_base, &len);
    printf("%s,%s,", entry->payment_id, instant_format(entry->recorded_ms, recorded));
    csv_text(entry->site);
    csv_text(entry->agent);
    printf("%s,", thumbprint ? thumbprint : "");
    csv_text(entry->resource);
    csv_text(entry->rule);
    printf("%s,%s,%" PRId64 ",%s,", amount_format(entry->amount_micros, amount), entry->currency,
           entry->amount_micros, signature ? signature : "");
    csv_field(base ? base : "", len);
    printf("%" PRId64 "\r\n", entry->agreement_version);
    free(thumbprint);
    free(signature);
    free(base);
}

/* --- JSON lines --- */

static bool json_entry(const struct export_page_row *entry)
{
    char recorded[INSTANT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    char *thumbprint = show_base64url(entry->thumbprint);
    char *signature = show_base64(entry->signature);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:o,s:I}", "payment_id", entry->payment_id,
        "recorded_at", instant_format(entry->recorded_ms, recorded), "site", entry->site, "agent",
        entry->agent, "thumbprint", thumbprint ? thumbprint : "", "resource", entry->resource, "rule",
        entry->rule, "amount", amount_format(entry->amount_micros, amount), "currency", entry->currency,
        "amount_micros", entry->amount_micros, "signature", signature ? signature : "", "signature_base",
        show_json_bytes(entry->signature_base), "agreement_version", entry->agreement_version);
    free(thumbprint);
    free(signature);
    return show_json(json, JSON_COMPACT);
}

/* --- pages --- */

static bool write_page(const struct range *range, const struct pg_rows *rows)
{
    for (int row = 0; row < rows->count; row++) {
        const struct export_page_row entry = export_page_row(rows, row);
        if (range->csv)
            csv_entry(&entry);
        else if (!json_entry(&entry))
            return false;
    }
    return !ferror(stdout);
}

struct cursor {
    char last[UUID_TEXT_MAX]; /* the last id that was written, or the first that may be */
    char end[UUID_TEXT_MAX];
    bool started;
};

/* Writes the next page; `more` becomes false after the last one. */
static enum exit_status next_page(struct pg *pg, const struct range *range, struct cursor *cursor, bool *more)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, cursor->last);
    pg_params_text(&params, cursor->started ? "true" : "false");
    pg_params_text(&params, cursor->end);
    pg_params_text(&params, range->site);
    *more = false;
    if (pg_run(pg, "export_page", &params, &rows) == ERR_OK && write_page(range, &rows)) {
        status = EXIT_DONE;
        *more = rows.count > 0;
    }
    if (*more)
        snprintf(cursor->last, sizeof(cursor->last), "%s", export_page_row(&rows, rows.count - 1).payment_id);
    cursor->started = true;
    pg_rows_free(&rows);
    return status;
}

static enum exit_status export_range(struct pg *pg, const struct range *range)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    struct cursor cursor = {.started = false};
    enum exit_status status = EXIT_DONE;
    pg_params_text(&params, range->from);
    pg_params_text(&params, range->to);
    if (pg_run(pg, "export_start", &params, &rows) != ERR_OK)
        return EXIT_FAILED;
    const struct export_start_row start = export_start_row(&rows, 0);
    if (start.archive) {
        LOG(ERROR, "entries of these days are archived", {"file", start.archive},
            {"hint", "crawltab archive list tells which; restore them, or export the other days"});
        status = EXIT_FAILED;
    }
    snprintf(cursor.last, sizeof(cursor.last), "%s", start.first_id);
    snprintf(cursor.end, sizeof(cursor.end), "%s", start.end_id);
    pg_rows_free(&rows);
    if (range->csv && status == EXIT_DONE)
        csv_head();
    for (bool more = true; more && status == EXIT_DONE;)
        status = next_page(pg, range, &cursor, &more);
    return status;
}

/* --- the command --- */

static bool check(const struct range *range, const char *format, const struct command_words *words)
{
    static const char hint[] = "see crawltab export --help";
    if (words->count > 0)
        return command_misused("export takes no arguments", words->items[0], hint) == EXIT_DONE;
    if (!range->from || !range->to)
        return command_misused("--from and --to are needed", NULL, hint) == EXIT_DONE;
    if (!command_date("this is no date", range->from) || !command_date("this is no date", range->to))
        return false;
    if (strcmp(range->from, range->to) >= 0)
        return command_misused("--to must be after --from", range->to, "--to is the first day left out") ==
               EXIT_DONE;
    if (strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0)
        return command_misused("unknown format", format, "use csv or jsonl") == EXIT_DONE;
    return true;
}

/* A mistyped name would give an empty file that looks as if nothing had been charged. */
static bool site_exists(struct pg *pg, const char *site)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, site);
    bool asked = pg_run(pg, "site_list", &params, &rows) == ERR_OK;
    bool found = rows.count > 0;
    if (asked && !found)
        LOG(ERROR, "the ledger has no such site", {"site", site}, {"hint", "see the names in sites"});
    pg_rows_free(&rows);
    return asked && found;
}

static enum exit_status export_entries(const char *config_path, int argc, char **argv)
{
    struct range range = {.csv = true};
    const char *format = "csv";
    const struct command_option options[] = {{"--from", &range.from, NULL},
                                             {"--to", &range.to, NULL},
                                             {"--site", &range.site, NULL},
                                             {"--format", &format, NULL},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words) || !check(&range, format, &words))
        return EXIT_USAGE;
    range.csv = strcmp(format, "csv") == 0;
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    struct pg *pg = config ? command_open(config, "crawltab export") : NULL;
    if (pg && (!range.site || site_exists(pg, range.site)))
        status = export_range(pg, &range);
    pg_close(pg);
    config_free(config);
    return status;
}

const struct command export_command = {
    "export", "write the entries of some days as CSV or JSON lines",
    "usage: crawltab export --from YYYY-MM-DD --to YYYY-MM-DD [--site NAME]\n"
    "                       [--format csv|jsonl]\n"
    "\n"
    "Writes the entries whose payment ids were offered from the first day (included)\n"
    "to the second (not included), both in UTC, in the order of their ids. A page at\n"
    "a time: memory does not grow with the number of entries.\n"
    "\n"
    "CSV is RFC 4180. Text that a spreadsheet would take for a formula gets an\n"
    "apostrophe in front; JSON lines have it as it is.\n"
    "\n"
    "options:\n"
    "  --site NAME    only this site\n"
    "  --format NAME  csv (default) or jsonl\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    export_entries};
