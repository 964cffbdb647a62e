/* Streams: a page of entries at a time, each page from where the last one ended. */
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/amount.h"
#include "ledger/base/instant.h"
#include "ledger/base/uuid.h"

#include <stdlib.h>

/* Columns of export_page. */
enum {
    PAGE_ID,
    PAGE_RECORDED,
    PAGE_SITE,
    PAGE_AGENT,
    PAGE_THUMBPRINT,
    PAGE_RESOURCE,
    PAGE_RULE,
    PAGE_AMOUNT,
    PAGE_CURRENCY,
    PAGE_SIGNATURE,
    PAGE_BASE,
    PAGE_AGREEMENT
};

struct range {
    const char *from, *to; /* "YYYY-MM-DD" */
    const char *site;      /* NULL: all */
    bool csv;
};

/* --- CSV (RFC 4180)
 * ----------------------------------------------------------------------------------------- */

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

static void csv_entry(const struct pg_rows *rows, int row)
{
    char recorded[INSTANT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    char *thumbprint = show_base64url(rows, row, PAGE_THUMBPRINT);
    char *signature = show_base64(rows, row, PAGE_SIGNATURE);
    size_t len = 0;
    char *base = show_raw(rows, row, PAGE_BASE, &len);
    printf("%s,%s,", pg_text(rows, row, PAGE_ID),
           instant_format(pg_number(rows, row, PAGE_RECORDED), recorded));
    csv_text(pg_text(rows, row, PAGE_SITE));
    csv_text(pg_text(rows, row, PAGE_AGENT));
    printf("%s,", thumbprint ? thumbprint : "");
    csv_text(pg_text(rows, row, PAGE_RESOURCE));
    csv_text(pg_text(rows, row, PAGE_RULE));
    printf("%s,%s,%s,%s,", amount_format(pg_number(rows, row, PAGE_AMOUNT), amount),
           pg_text(rows, row, PAGE_CURRENCY), pg_text(rows, row, PAGE_AMOUNT), signature ? signature : "");
    csv_field(base ? base : "", len);
    printf("%s\r\n", pg_text(rows, row, PAGE_AGREEMENT));
    free(thumbprint);
    free(signature);
    free(base);
}

/* --- JSON lines
 * --------------------------------------------------------------------------------------------- */

static bool json_entry(const struct pg_rows *rows, int row)
{
    char recorded[INSTANT_TEXT_MAX], amount[AMOUNT_TEXT_MAX];
    char *thumbprint = show_base64url(rows, row, PAGE_THUMBPRINT);
    char *signature = show_base64(rows, row, PAGE_SIGNATURE);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:o,s:I}", "payment_id", pg_text(rows, row, PAGE_ID),
        "recorded_at", instant_format(pg_number(rows, row, PAGE_RECORDED), recorded), "site",
        pg_text(rows, row, PAGE_SITE), "agent", pg_text(rows, row, PAGE_AGENT), "thumbprint",
        thumbprint ? thumbprint : "", "resource", pg_text(rows, row, PAGE_RESOURCE), "rule",
        pg_text(rows, row, PAGE_RULE), "amount", amount_format(pg_number(rows, row, PAGE_AMOUNT), amount),
        "currency", pg_text(rows, row, PAGE_CURRENCY), "amount_micros", pg_number(rows, row, PAGE_AMOUNT),
        "signature", signature ? signature : "", "signature_base", show_json_bytes(rows, row, PAGE_BASE),
        "agreement_version", (json_int_t)pg_number(rows, row, PAGE_AGREEMENT));
    free(thumbprint);
    free(signature);
    return show_json(json, JSON_COMPACT);
}

/* --- pages
 * -------------------------------------------------------------------------------------------------- */

static bool write_page(const struct range *range, const struct pg_rows *rows)
{
    for (int row = 0; row < rows->count; row++) {
        if (range->csv)
            csv_entry(rows, row);
        else if (!json_entry(rows, row))
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
        snprintf(cursor->last, sizeof(cursor->last), "%s", pg_text(&rows, rows.count - 1, PAGE_ID));
    cursor->started = true;
    pg_rows_free(&rows);
    return status;
}

static enum exit_status export(struct pg *pg, const struct range *range) {
    struct pg_params params = {0}; struct pg_rows bounds = {0}; struct cursor cursor = {.started = false};
    enum exit_status status = EXIT_DONE; pg_params_text(&params, range->from);
    pg_params_text(&params, range->to);
    if (pg_run(pg, "export_start", &params, &bounds) != ERR_OK) return EXIT_FAILED;
    if (!pg_null(&bounds, 0, 2)){
        LOG(ERROR, "entries of these days are archived", {"file", pg_text(&bounds, 0, 2)},
            {"hint", "crawltab archive list tells which; restore them, or export the other days"});
        status = EXIT_FAILED;}
snprintf(cursor.last, sizeof(cursor.last), "%s", pg_text(&bounds, 0, 0));
snprintf(cursor.end, sizeof(cursor.end), "%s", pg_text(&bounds, 0, 1));
pg_rows_free(&bounds);
if (range->csv && status == EXIT_DONE)
    csv_head();
for (bool more = true; more && status == EXIT_DONE;)
    status = next_page(pg, range, &cursor, &more);
return status;
}

/* --- the command
 * -------------------------------------------------------------------------------------------- */

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
        status = export(pg, &range);
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
