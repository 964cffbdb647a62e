#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/base/instant.h"
#include "ledger/bill/invoice.h"
#include "ledger/collect/settlement.h"
#include "ledger/format/format.h"
#include "sql/rows/collect.h"
#include "sql/rows/site.h"

#include <errno.h>
#include <inttypes.h>

/* Banks want to know of a debit some days ahead. */
#define COLLECT_AFTER_MS (INT64_C(5) * 86400 * 1000)

struct settling {
    const struct config *config;
    struct pg *pg;
    const char *site;
    const char *rail;
    const char *again;
    const char *out;
    const char *collect_on;
    char date[INSTANT_TEXT_MAX]; /* of collect_on, when nobody gave one */
    int64_t now_ms;
    bool dry_run;
    json_t *batches; /* with --json */
    size_t made;
    json_t *applied;   /* credit that has paid invoices of the site, and is not told yet */
    int64_t told_site; /* whose credit was told: in a dry run each rail applies it anew */
};

static const struct settlement_rail *rail_called(const char *name)
{
    for (const struct settlement_rail *rail = settlement_rails; rail->name; rail++)
        if (strcmp(rail->name, name) == 0)
            return rail;
    return NULL;
}

/* Nobody but its owner may read the file: it holds account numbers. */
static bool write_file(const char *folder, const char *name, const char *bytes, size_t len, char *path)
{
    enum file_named named = FILE_MADE;
    const char *problem = snprintf(path, 4096, "%s/%s", folder, name) < 4096
                              ? file_make(path, bytes, len, &named)
                              : strerror(ENAMETOOLONG);
    if (!problem && named == FILE_OTHER)
        problem = "another file has this name";
    if (problem)
        LOG(ERROR, "the file cannot be written", {"file", path}, {"detail", problem},
            {"hint", "the batch is in the ledger; crawltab settle write BATCH writes its file again"});
    return !problem;
}

/* What was applied stands beside the site's first batch, or by itself if there is none. */
static void tell_applied(struct settling *settling, const char *site)
{
    const json_t *one;
    size_t i;
    if (json_array_size(settling->applied) == 0)
        return;
    if (settling->batches)
        json_array_append_new(settling->batches,
                              json_pack("{s:s,s:O}", "site", site, "applied", settling->applied));
    json_array_foreach(settling->applied, i, one)
    {
        if (settling->batches)
            break;
        printf("%s: %s %s of it are paid by the credit of %s\n", format_text(one, "invoice"),
               format_text(one, "amount"), format_text(one, "currency"), format_text(one, "from"));
    }
    json_decref(settling->applied);
    settling->applied = json_array();
}

static void tell(struct settling *settling, const struct settlement_order *order,
                 const struct settlement_made *made, const char *path)
{
    char money[SHOW_MONEY_MAX];
    if (settling->batches) {
        json_array_append_new(settling->batches,
                              json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:O}", "site", order->site, "rail",
                                        order->rail->name, "batch", made->batch_id, "invoices",
                                        (json_int_t)made->invoices, "total_minor", made->total_minor,
                                        "currency", made->currency, "collect_on", made->collect_on, "file",
                                        path, "applied", settling->applied));
        json_decref(settling->applied);
        settling->applied = json_array();
        return;
    }
    tell_applied(settling, order->site);
    printf("%s, %s: %zu invoice%s, %s, to be collected on %s%s\n", order->site, order->rail->name,
           made->invoices, made->invoices == 1 ? "" : "s",
           show_minor(made->total_minor, made->decimals, made->currency, money), made->collect_on,
           settling->dry_run ? " (dry run)" : "");
    if (!settling->dry_run)
        printf("  batch %s\n  %s\n", made->batch_id,
               order->rail->extension ? path : "told by crawltab webhook deliver");
}

/* The publisher as the configuration describes it now; NULL if it has no such site. False after a message: an
 * invoice's own copy may say an account that is no longer right. */
static bool read_seller(const struct config *config, const char *site, json_t **party)
{
    struct invoice_seller seller;
    *party = NULL;
    bool ok = invoice_seller_init(&seller, config, site);
    if (ok && seller.party)
        ok = (*party = json_loads(seller.party, 0, NULL)) != NULL;
    invoice_seller_free(&seller);
    return ok;
}

static bool settle_rail(struct settling *settling, int64_t site_id, const char *site,
                        const struct settlement_rail *rail)
{
    struct settlement_made made = {0};
    char path[4096] = "";
    json_t *seller;
    if (!read_seller(settling->config, site, &seller))
        return false;
    const struct settlement_order order = {.site_id = site_id,
                                           .site = site,
                                           .rail = rail,
                                           .seller = seller,
                                           .again = settling->again,
                                           .collect_on = settling->collect_on,
                                           .actor = command_actor(),
                                           .now_ms = settling->now_ms,
                                           .dry_run = settling->dry_run};
    bool ok = settlement_make(settling->pg, &order, &made) == ERR_OK;
    if (!ok)
        LOG(ERROR, "nothing was collected", {"site", site}, {"rail", rail->name},
            {"detail", made.content.error[0] ? made.content.error : "the ledger refused"},
            {"hint",
             made.content.error[0] ? "see crawltab agreement, and billing in the configuration" : NULL});
    if (ok && !(settling->dry_run && settling->told_site == site_id)) {
        json_array_extend(settling->applied, made.applied);
        settling->made += json_array_size(made.applied);
        settling->told_site = site_id;
    }
    if (ok && made.batch_id[0]) {
        settling->made++;
        if (rail->extension && !settling->dry_run)
            ok = write_file(settling->out, made.file, made.content.bytes, made.content.len, path);
        tell(settling, &order, &made, path);
    }
    settlement_made_free(&made);
    json_decref(seller);
    return ok;
}

static bool settle_sites(struct settling *settling)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, settling->site);
    bool ok = pg_run(settling->pg, "site_list", &params, &rows) == ERR_OK;
    if (ok && rows.count == 0) {
        LOG(ERROR, "the ledger has no such site", {"site", settling->site});
        ok = false;
    }
    for (int i = 0; i < rows.count; i++) {
        const struct site_list_row site = site_list_row(&rows, i);
        for (const struct settlement_rail *rail = settlement_rails; rail->name; rail++)
            if (!settling->rail || strcmp(rail->name, settling->rail) == 0)
                ok = settle_rail(settling, site.site_id, site.name, rail) && ok;
        tell_applied(settling, site.name);
    }
    pg_rows_free(&rows);
    return ok;
}

/* Numbers are unique within a site. False after a message. */
static bool again_is_one(struct settling *settling)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    pg_params_text(&params, settling->again);
    pg_params_text(&params, settling->site);
    bool ok = pg_run(settling->pg, "invoice_find", &params, &rows) == ERR_OK;
    bool several = ok && rows.count > 1;
    if (several)
        LOG(ERROR, "several sites have an invoice with this number", {"number", settling->again},
            {"hint", "say which one with --site"});
    pg_rows_free(&rows);
    return ok && !several;
}

static enum exit_status make(struct settling *settling, bool json)
{
    if (settling->again && !again_is_one(settling))
        return EXIT_FAILED;
    settling->now_ms = clock_now_ms();
    if (!settling->collect_on) {
        instant_format(settling->now_ms + COLLECT_AFTER_MS, settling->date);
        settling->date[10] = '\0';
        settling->collect_on = settling->date;
    }
    settling->batches = json ? json_array() : NULL;
    settling->applied = json_array();
    bool ok = settle_sites(settling);
    json_decref(settling->applied);
    if (ok && settling->again && settling->made == 0) {
        LOG(ERROR, "the invoice cannot be collected", {"number", settling->again},
            {"hint", "it is paid, void or written off, or its crawler's agreement names no rail"});
        ok = false;
    } else if (ok && settling->made == 0 && !json) {
        puts("nothing to collect: every invoice with a rail is in a batch, paid or void");
    }
    if (settling->batches)
        ok = show_json(settling->batches, JSON_INDENT(2)) && ok;
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum err read_list(struct pg *pg, const char *site, const char *batch, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, site);
    pg_params_text(&params, batch);
    return pg_run(pg, "settlement_list", &params, rows);
}

static enum exit_status list(struct pg *pg, const char *site, bool json)
{
    struct pg_rows rows = {0};
    json_t *batches = json ? json_array() : NULL;
    char money[SHOW_MONEY_MAX];
    if (read_list(pg, site, NULL, &rows) != ERR_OK)
        return EXIT_FAILED;
    for (int i = 0; i < rows.count; i++) {
        const struct settlement_list_row batch = settlement_list_row(&rows, i);
        if (json)
            json_array_append_new(batches,
                                  json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:s}", "batch", batch.batch_id, "site",
                                            batch.site, "rail", batch.rail, "invoices", batch.invoices,
                                            "total_minor", batch.total_minor, "currency", batch.currency,
                                            "collect_on", batch.collect_on));
        else
            printf("%s %-17s %s %3" PRId64 " %s\n", batch.batch_id, batch.rail, batch.collect_on,
                   batch.invoices,
                   show_minor(batch.total_minor, batch.currency_decimals, batch.currency, money));
    }
    if (rows.count == 0 && !json)
        puts("no batches yet");
    pg_rows_free(&rows);
    return !json || show_json(batches, JSON_INDENT(2)) ? EXIT_DONE : EXIT_FAILED;
}

/* The bytes that were made then. */
static enum exit_status write_again(struct pg *pg, const char *batch, const char *out)
{
    struct pg_rows rows = {0};
    char path[4096], name[128];
    uint8_t id[UUID_SIZE];
    size_t len;
    if (!uuid_parse(slice_of(batch), id))
        return command_misused("this is no batch", batch, "crawltab settle list shows them");
    if (read_list(pg, NULL, batch, &rows) != ERR_OK)
        return EXIT_FAILED;
    const struct settlement_list_row made =
        rows.count ? settlement_list_row(&rows, 0) : (struct settlement_list_row){.rail = ""};
    const struct settlement_rail *rail = rail_called(made.rail);
    bool ok = rail && rail->extension;
    if (!ok) {
        LOG(ERROR, rail ? "this batch is a call and has no file" : "there is no such batch",
            {"batch", batch});
    } else {
        char *bytes = show_raw(made.content, &len);
        snprintf(name, sizeof(name), "%s-%s-%s.%s", rail->name, made.collect_on, made.batch_id,
                 rail->extension);
        ok = bytes && write_file(out, name, bytes, len, path);
        if (ok)
            puts(path);
        free(bytes);
    }
    pg_rows_free(&rows);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status settle_invoices(const char *config_path, int argc, char **argv)
{
    struct settling settling = {.out = "."};
    bool json = false;
    const struct command_option options[] = {{"--site", &settling.site, NULL},
                                             {"--rail", &settling.rail, NULL},
                                             {"--again", &settling.again, NULL},
                                             {"--collect-on", &settling.collect_on, NULL},
                                             {"--out", &settling.out, NULL},
                                             {"--dry-run", NULL, &settling.dry_run},
                                             {"--json", NULL, &json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    const char *verb = words.count > 0 ? words.items[0] : "";
    bool listing = words.count == 1 && strcmp(verb, "list") == 0;
    bool writing = words.count == 2 && strcmp(verb, "write") == 0;
    if (words.count > 0 && !listing && !writing)
        return command_misused("use: crawltab settle, settle list or settle write BATCH", NULL,
                               "see crawltab settle --help");
    if (settling.rail && !rail_called(settling.rail))
        return command_misused("there is no such rail", settling.rail,
                               "use sepa-direct-debit, ach, x402 or card");
    if (!command_date("--collect-on is no date", settling.collect_on))
        return EXIT_USAGE;
    enum exit_status status = EXIT_FAILED;
    struct config *config = command_config(config_path);
    settling.config = config;
    settling.pg = config ? command_open(config, "crawltab settle") : NULL;
    if (settling.pg)
        status = listing   ? list(settling.pg, settling.site, json)
                 : writing ? write_again(settling.pg, words.items[1], settling.out)
                           : make(&settling, json);
    pg_close(settling.pg);
    config_free(config);
    return status;
}

const struct command settle_command = {
    "settle", "collect invoices: SEPA and ACH files, x402, card",
    "usage: crawltab settle [--site NAME] [--rail RAIL] [--collect-on YYYY-MM-DD]\n"
    "                       [--again NUMBER] [--out FOLDER] [--dry-run] [--json]\n"
    "       crawltab settle list [--site NAME] [--json]\n"
    "       crawltab settle write BATCH [--out FOLDER]\n"
    "\n"
    "Puts every invoice that is still to be paid, and whose crawler's agreement names\n"
    "a rail, into one batch per site and rail. An invoice is in one batch only: run\n"
    "it as often as you like. If a collection fails, --again collects that invoice\n"
    "again. What a crawler has paid too much, or was credited after it had paid, pays\n"
    "its other open invoices first.\n"
    "\n"
    "  sepa-direct-debit  pain.008.001.08, for your bank\n"
    "  ach                NACHA file of 94 columns, for your bank\n"
    "  x402               payment requests in a stablecoin, as JSON\n"
    "  card               a webhook to your own system, which charges the card\n"
    "\n"
    "Nothing is sent to a bank: give the file to yours. write writes the same bytes\n"
    "again. What comes in is booked by crawltab invoice.\n"
    "\n"
    "options:\n"
    "  --collect-on DATE  when the bank shall collect, or on the next banking day\n"
    "                     after it (default: in five days)\n"
    "  --out FOLDER       where the file goes (default: here)\n"
    "  --config FILE      the configuration (default: config.yaml)\n",
    "  crawltab settle --dry-run\n"
    "  crawltab settle --rail sepa-dd --out /srv/bank\n",
    settle_invoices};
