#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/days/interim.h"
#include "tools/crawltab/frame/court.h"
#include "tools/crawltab/days/publish.h"
#include "tools/crawltab/frame/checkpoint_key.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/night/clocks.h"
#include "ledger/night/day.h"
#include "ledger/entry/entry.h"
#include "ledger/site/site.h"
#include "sql/rows/bill.h"
#include "sql/rows/night.h"
#include "sql/rows/site.h"

#include <inttypes.h>
#include <unistd.h>

/* Invoices of one day that are listed one by one. */
#define LISTED_MAX 20

struct night {
    const struct config *config;
    struct pg *pg;
    const char *site; /* NULL: all */
    const char *day;  /* NULL: all that are due */
    bool dry_run, unknown_offers;
    int64_t now_ms; /* by which days are over */
    json_t *days;   /* with --json */
    struct publish_count published;
    struct checkpoint_keys keys;
    struct offer_keys offer_keys;
    struct evidence_book book; /* not open: nothing is judged */
    size_t closed;
    int64_t entries, invoices; /* of all days that were closed */
    int64_t unproven;
    int64_t unlike; /* entries that are not what an interim checkpoint had */
    enum exit_status status;
};

/* One row of site_list. */
struct night_site {
    struct night *night;
    int64_t site_id;
    const char *name;
    const char *currency;
    int64_t decimals;
    int64_t started_ms; /* monotonic: when the entries of the day at hand began to be read */
};

static enum err read_invoices(struct pg *pg, const char *site, const char *date, struct pg_rows *rows)
{
    struct pg_params params = {0};
    pg_params_text(&params, site);
    pg_params_text(&params, date);
    pg_params_text(&params, date);
    pg_params_text(&params, NULL);
    pg_params_text(&params, NULL);
    pg_params_number(&params, clock_now_ms());
    return pg_run(pg, "invoice_list", &params, rows);
}

static void print_invoices(const struct pg_rows *rows)
{
    char money[SHOW_MONEY_MAX];
    for (int i = 0; i < rows->count && i < LISTED_MAX; i++) {
        const struct invoice_list_row invoice = invoice_list_row(rows, i);
        bool credit = strcmp(invoice.kind, "credit-note") == 0;
        printf("  %-16s ", invoice.number);
        show_column(stdout, invoice.agent, 40);
        printf(" %18s\n", show_minor(credit ? -invoice.total_minor : invoice.total_minor,
                                     invoice.currency_decimals, invoice.currency, money));
    }
    if (rows->count > LISTED_MAX)
        printf("  and %d more: crawltab invoice list\n", rows->count - LISTED_MAX);
}

static void print_day(const struct night_site *site, const struct day_closed *closed,
                      const struct pg_rows *invoices)
{
    char sum[SHOW_MONEY_MAX];
    printf("%s %s: %" PRId64 " %s for %s, %" PRId64 " %s%s\n", site->name, closed->date, closed->entries,
           closed->entries == 1 ? "entry" : "entries", show_micros(closed->sum_micros, site->currency, sum),
           closed->invoices, closed->invoices == 1 ? "invoice" : "invoices",
           site->night->dry_run ? " (dry run)" : "");
    print_invoices(invoices);
    if (closed->unproven.entries > 0)
        printf("  NOT PROVEN and not billed: %" PRId64 " %s for %s\n", closed->unproven.entries,
               closed->unproven.entries == 1 ? "entry" : "entries",
               show_micros(closed->unproven.micros, site->currency, sum));
}

static json_t *day_json(const struct night_site *site, const struct day_closed *closed,
                        const struct pg_rows *invoices)
{
    json_t *list = json_array();
    for (int i = 0; i < invoices->count; i++) {
        const struct invoice_list_row invoice = invoice_list_row(invoices, i);
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:I}", "number", invoice.number, "kind",
                                              invoice.kind, "agent", invoice.agent, "entries",
                                              invoice.entries, "total_minor", invoice.total_minor));
    }
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:s,s:o}", "site", site->name, "date", closed->date,
                     "entries", closed->entries, "sum_micros", closed->sum_micros, "invoiced_micros",
                     closed->invoiced_micros, "unproven", closed->unproven.entries, "unproven_micros",
                     closed->unproven.micros, "currency", site->currency, "invoices", list);
}

static enum err tell_day(struct pg *pg, const struct day_closed *closed, void *context)
{
    const struct night_site *site = context;
    struct night *night = site->night;
    struct pg_rows invoices = {0};
    enum err err;
    night->closed++;
    night->entries += closed->entries;
    night->invoices += closed->invoices;
    night->unproven += closed->unproven.entries;
    TRY(read_invoices(pg, site->name, closed->date, &invoices));
    if (night->days)
        json_array_append_new(night->days, day_json(site, closed, &invoices));
    else
        print_day(site, closed, &invoices);
out:
    pg_rows_free(&invoices);
    return err;
}

/* True if the day asked for can be closed; says why not. */
static bool can_close(struct night *night, const struct night_site *site)
{
    struct day_status status;
    char due[SHOW_INSTANT_MAX], hint[80];
    if (!night->day)
        return true;
    /* Days are made by gates, too, but there may have been none for long. */
    if (site_make_days(night->pg, site->site_id, night->now_ms) != ERR_OK ||
        day_read(night->pg, site->site_id, night->day, &status) != ERR_OK) {
        night->status = EXIT_FAILED;
        return false;
    }
    if (!status.known) {
        LOG(ERROR, "the ledger has no such day", {"site", site->name}, {"day", night->day},
            {"detail", "it is before the gate's first start, or more than three days ahead"});
        night->status = EXIT_FAILED;
        return false;
    }
    if (!status.closed && status.due_ms > night->now_ms) {
        snprintf(hint, sizeof(hint), "it will be possible from %s", show_instant(status.due_ms, due));
        LOG(ERROR, "the day cannot be closed yet", {"site", site->name}, {"day", night->day},
            {"detail", "entries of this day may still arrive"}, {"hint", hint});
        night->status = EXIT_FAILED;
        return false;
    }
    if (status.closed && !night->days)
        printf("%s %s: already closed\n", site->name, night->day);
    return !status.closed;
}

/* One line on a terminal that is written again and again, and is gone at the end. */
static void show_progress(void *context, int64_t done, int64_t all)
{
    struct night_site *site = context;
    int64_t now = clock_monotonic_ms();
    if (site->started_ms == 0)
        site->started_ms = now;
    int64_t ms = now - site->started_ms;
    if (done >= all) {
        fputs("\r\033[K", stderr);
        site->started_ms = 0;
    } else if (ms > 0) {
        fprintf(stderr,
                "\r\033[K%s: %" PRId64 " of %" PRId64 " entries, %" PRId64 " a second, %" PRId64 " s left",
                site->name, done, all, done * 1000 / ms, (all - done) * ms / done / 1000);
    }
}

/* What somebody has changed behind the ledger is named before it is billed. The night goes on: what is gone
 * cannot be billed, and what was put in or changed is not what its crawler signed, and not billed either. */
static bool look_at_interims(struct night *night, const struct night_site *site)
{
    int64_t differ = 0;
    if (interim_look(night->pg, site->site_id, site->name, &differ) != ERR_OK) {
        night->status = EXIT_FAILED;
        return false;
    }
    night->unlike += differ;
    return true;
}

static void close_site(struct night *night, struct night_site *site)
{
    struct invoice_seller seller;
    const struct note_key *key =
        night->dry_run ? NULL : checkpoint_keys_of_site(night->pg, &night->keys, site->site_id, site->name);
    const struct day_order order = {.site_id = site->site_id,
                                    .seller = &seller,
                                    .last_date = night->day,
                                    .actor = command_actor(),
                                    .now_ms = night->now_ms,
                                    .dry_run = night->dry_run,
                                    .key = key,
                                    .book = night->book.magic ? &night->book : NULL,
                                    .unknown_offers = night->unknown_offers,
                                    .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
                                    .progress_context = site};
    bool busy = false;
    if (!night->dry_run && !key)
        night->status = EXIT_FAILED;
    if ((!night->dry_run && !key) || !can_close(night, site) || !look_at_interims(night, site))
        return;
    if (!invoice_seller_init(&seller, night->config, site->name) ||
        day_close_due(night->pg, &order, tell_day, site, &busy) != ERR_OK)
        night->status = EXIT_FAILED;
    invoice_seller_free(&seller);
    if (busy) {
        LOG(WARN, "another run is closing the days of this site", {"site", site->name},
            {"hint", "there is nothing to do here; run again if it should fail"});
        if (night->status == EXIT_DONE)
            night->status = EXIT_BUSY;
    }
}

/* Also when no day was closed: a run that was killed may have left something. */
static void publish(struct night *night, const struct night_site *site)
{
    struct publish_count count;
    if (night->dry_run)
        return;
    if (!publish_site(night->pg, night->config, site->site_id, site->name, &count))
        night->status = EXIT_FAILED;
    if (count.files > 0 && !night->days)
        printf("%s: %" PRId64 " checkpoint%s written to %s\n", site->name, count.files,
               count.files == 1 ? "" : "s", night->config->seal_publish_folder);
    if (count.messages > 0 && !night->days)
        printf("%s: %" PRId64 " checkpoint%s for its webhook; crawltab webhook deliver sends them\n",
               site->name, count.messages, count.messages == 1 ? "" : "s");
    if (count.cosigned > 0 && !night->days)
        printf("%s: %" PRId64 " cosignature%s of its newest checkpoint\n", site->name, count.cosigned,
               count.cosigned == 1 ? "" : "s");
    night->published.cosigned += count.cosigned;
    night->published.files += count.files;
    night->published.messages += count.messages;
}

/* When the next day of the site can be closed, for whoever wonders why nothing happened. */
static void print_next(struct night *night, const struct night_site *site)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    char due[SHOW_INSTANT_MAX];
    pg_params_number(&params, site->site_id);
    pg_params_text(&params, NULL);
    pg_params_number(&params, ENTRY_LATEST_MS);
    if (pg_run(night->pg, "day_next", &params, &rows) == ERR_OK && rows.count > 0)
        printf("%s: nothing to do; %s can be closed from %s\n", site->name, day_next_row(&rows, 0).local_date,
               show_instant(day_next_row(&rows, 0).due_ms, due));
    pg_rows_free(&rows);
}

/* Its invoices would get other numbers and no particulars of the seller, for ever: false after a warning,
 * unless somebody asked for this site. */
static bool is_ours(const struct night *night, const char *site)
{
    bool ours = night->site || config_site_called(night->config, site);
    if (!ours)
        LOG(WARN, "a site of the ledger is not in this configuration: its days stay open", {"site", site},
            {"hint", "use the configuration that has it; --site closes it without the seller's particulars"});
    return ours;
}

static void tell_ruling(const char *dispute_id, const struct ruling *ruling, void *context)
{
    char money[SHOW_MONEY_MAX];
    const struct night_site *site = context;
    if (!site->night->days)
        printf("%s: dispute %s is %s, %s back\n", site->name, dispute_id, ruling->status,
               show_micros(ruling->upheld_micros, site->currency, money));
}

/* What crawlers have opened at the gate, which may not decide. It belongs to today, as a person's decision
 * would, and not to a day that is closed now; that it fails keeps no day from being closed. */
static void rule_on_disputes(struct night *night, struct night_site *site)
{
    struct court court = {.pg = NULL};
    if (night->dry_run)
        return;
    if (court_open(night->pg, night->config, &court) != ERR_OK ||
        court_rule(&court, site->site_id, site->name, tell_ruling, site) != ERR_OK)
        night->status = EXIT_FAILED;
    court_close(&court);
}

static enum err close_sites(struct night *night)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, night->site);
    TRY(pg_run(night->pg, "site_list", &params, &rows));
    if (rows.count == 0 && night->site) {
        LOG(ERROR, "the ledger has no such site", {"site", night->site},
            {"hint", "a site is registered when its gate starts for the first time"});
        night->status = EXIT_FAILED;
    } else if (rows.count == 0 && !night->days) {
        puts("no sites yet: a site is registered when its gate starts for the first time");
    }
    for (int i = 0; i < rows.count; i++) {
        const struct site_list_row row = site_list_row(&rows, i);
        struct night_site site = {night, row.site_id, row.name, row.currency, row.currency_decimals, 0};
        size_t before = night->closed;
        if (!is_ours(night, site.name))
            continue;
        rule_on_disputes(night, &site);
        close_site(night, &site);
        publish(night, &site);
        if (night->closed == before && !night->day && !night->days && night->status == EXIT_DONE)
            print_next(night, &site);
        fflush(stdout);
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* With keys that could not be read, what they made would pass for forged. */
static bool read_offer_keys(struct night *night)
{
    const struct offer_keys *keys = &night->offer_keys;
    if (!offer_keys_read(night->config, &night->offer_keys))
        return false;
    if (!keys->problem)
        return night->dry_run || offer_keys_keep(night->config, &night->offer_keys);
    LOG(ERROR, "entries cannot be judged", {"file", keys->file}, {"detail", keys->problem},
        {"hint", "each line is an offer key of 64 hexadecimal digits, which only its owner reads"});
    return false;
}

/* By all that judges entries, unless the configuration says that none are. */
static bool prepare_judgement(struct night *night)
{
    if (strcmp(night->config->nightly_verify, "none") == 0)
        return true;
    return read_offer_keys(night) &&
           evidence_book_open(night->pg, night->config, &night->offer_keys, &night->book) == ERR_OK;
}

/* Nothing is lost, and nobody is charged for what he did not sign; but somebody has to look at it. */
static void tell_unproven(struct night *night)
{
    char count[LOG_NUMBER_MAX];
    if (night->unlike > 0)
        LOG(ERROR, "entries of open days are not what they were at their interim checkpoints",
            {"entries", log_number(night->unlike, count)},
            {"hint", "they are named above, and by crawltab audit from now on"});
    if (night->unlike > 0 && night->status == EXIT_DONE)
        night->status = EXIT_UNPROVEN;
    if (night->unproven == 0)
        return;
    LOG(ERROR, "entries are not what was signed", {"entries", log_number(night->unproven, count)},
        {"detail", "they are not billed; all others are"},
        {"hint", "crawltab unproven lists them with the reasons"});
    if (night->status == EXIT_DONE)
        night->status = EXIT_UNPROVEN;
}

static enum exit_status close_days(struct night *night)
{
    if (!checkpoint_keys_load(night->config, &night->keys))
        return EXIT_FAILED;
    night->pg = command_open(night->config, "crawltab nightly");
    if (!night->pg || pg_compare(night->pg) != ERR_OK)
        return EXIT_FAILED;
    if (!night->dry_run && !checkpoint_keys_make_first(night->pg, night->config, &night->keys))
        return EXIT_FAILED;
    if (clocks_agree(night->pg, &night->now_ms) != ERR_OK || !prepare_judgement(night))
        return EXIT_FAILED;
    /* The gate makes its own partitions; this is the second pair of eyes. */
    bool ok = night->dry_run || site_make_partitions(night->pg, clock_now_ms()) == ERR_OK;
    if (!ok || close_sites(night) != ERR_OK)
        night->status = EXIT_FAILED;
    if (!night->days && night->closed > 1)
        printf("%s%zu days: %" PRId64 " entries, %" PRId64 " invoices\n",
               night->dry_run ? "would close " : "closed ", night->closed, night->entries, night->invoices);
    if (night->days &&
        !show_json(json_pack("{s:b,s:O,s:{s:I,s:I,s:I}}", "dry_run", night->dry_run, "days", night->days,
                             "checkpoints_published", "files", night->published.files, "messages",
                             night->published.messages, "cosignatures", night->published.cosigned),
                   JSON_INDENT(2)))
        night->status = EXIT_FAILED;
    tell_unproven(night);
    return night->status;
}

static enum exit_status bill_days(const char *config_path, int argc, char **argv)
{
    struct night night = {.status = EXIT_DONE};
    bool json = false;
    const struct command_option options[] = {{"--site", &night.site, NULL},
                                             {"--day", &night.day, NULL},
                                             {"--dry-run", NULL, &night.dry_run},
                                             {"--unknown-offers", NULL, &night.unknown_offers},
                                             {"--json", NULL, &json},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    struct config *config = NULL;
    enum exit_status status = EXIT_USAGE;
    if (!command_parse(argc, argv, options, &words))
        goto out;
    if (words.count > 0) {
        command_misused("nightly takes no arguments", words.items[0], "see crawltab nightly --help");
        goto out;
    }
    if (!command_date("--day is no date", night.day))
        goto out;
    status = EXIT_FAILED;
    config = command_config(config_path);
    if (!config)
        goto out;
    night.config = config;
    night.days = json ? json_array() : NULL;
    status = close_days(&night);
out:
    checkpoint_keys_clear(&night.keys);
    evidence_book_close(&night.book);
    offer_keys_free(&night.offer_keys);
    json_decref(night.days);
    pg_close(night.pg);
    config_free(config);
    return status;
}

const struct command nightly_command = {
    "nightly", "close the days that are over and make their invoices",
    "usage: crawltab nightly [--site NAME] [--day YYYY-MM-DD] [--dry-run] [--json]\n"
    "\n"
    "Closes every day that is over, oldest first, into one invoice per crawler. A day\n"
    "can be closed 61 minutes after its local midnight: the longest life of an offer\n"
    "and of a commit. Run twice, it changes nothing; killed, it can be run again.\n"
    "What is less than the currency's smallest unit is carried forward.\n"
    "\n"
    "Each entry is judged before its day is billed (nightly.verify): signature, key,\n"
    "payment id, price, URL, time. What its crawler did not sign is not billed, and\n"
    "listed by crawltab unproven; the rest of the day is billed.\n"
    "\n"
    "exit status: 0 done; 1 failed; 3 done, and there were entries that are not\n"
    "proven, or not what their interim checkpoint had; 75 another run is at it\n"
    "\n"
    "options:\n"
    "  --site NAME       only this site (default: all of the configuration)\n"
    "  --day YYYY-MM-DD  only up to this day; refused while it cannot be closed\n"
    "  --dry-run         show what would be billed, change nothing\n"
    "  --unknown-offers  close a day even if no offer key that is known here has made\n"
    "                    any of its ids: nothing of it is billed\n"
    "  --json            what was closed, for programs\n"
    "  --config FILE     the configuration (default: config.yaml)\n",
    "  crawltab nightly --dry-run\n"
    "  crawltab nightly --json\n",
    bill_days};
