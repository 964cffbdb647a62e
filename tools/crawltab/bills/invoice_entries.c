#include "tools/crawltab/bills/invoice_entries.h"
#include "tools/crawltab/frame/csv.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/text/amount.h"
#include "ledger/bill/invoice_entries.h"
#include "ledger/entry/payment_id.h"
#include "sql/rows/bill.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define WHY_MAX 2048

struct printing {
    const struct invoice_entries *entries;
    const struct invoice_entry_head_row *head;
    bool begun;
};

bool invoice_entries_check(struct invoice_entries *entries)
{
    char *end = NULL;
    if (entries->csv && entries->json)
        return command_misused("choose one of --csv and --json", NULL, "see crawltab invoice --help") ==
               EXIT_DONE;
    entries->line_number = entries->line ? strtoll(entries->line, &end, 10) : 0;
    if (entries->line && (*end || end == entries->line || entries->line_number < 1))
        return command_misused("this is no line's number", entries->line,
                               "crawltab invoice show NUMBER has the lines; the first is 1") == EXIT_DONE;
    return true;
}

/* --- why --- */

static void add(char why[WHY_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One more reason. */
static void add(char why[WHY_MAX], const char *format, ...)
{
    size_t len = strlen(why);
    va_list values;
    if (len > 0 && len + 3 < WHY_MAX)
        len += (size_t)snprintf(why + len, WHY_MAX - len, "; ");
    va_start(values, format);
    vsnprintf(why + len, WHY_MAX - len, format, values);
    va_end(values);
}

/* What the crawler signed to pay at most; -1 if what it signed names no id. */
static int64_t signed_price(const struct invoice_entry *entry)
{
    uint8_t uuid[UUID_SIZE], raw[PAYMENT_ID_SIZE];
    char id[PAYMENT_ID_TEXT + 1] = "";
    size_t len;
    char *base = show_raw(entry->signature_base, &len);
    if (base && uuid_parse(slice_of(entry->payment_id), uuid))
        payment_id_signed((struct slice){base, len}, uuid, id);
    free(base);
    return *id && payment_id_bytes(slice_of(id), raw) ? payment_id_price(raw) : -1;
}

static void say_crawl(const struct invoice_entry *entry, char why[WHY_MAX])
{
    char money[AMOUNT_TEXT_MAX];
    int64_t price = signed_price(entry);
    add(why, "rule %s at %s", entry->rule, amount_format(entry->price_micros, money));
    if (entry->repeats)
        add(why, "free: an unchanged page within free_recrawl, paid by %s", entry->repeats);
    else if (price > entry->price_micros)
        add(why, "lowered by the site's own server from %s", amount_format(price, money));
    if (entry->offer_version > 0)
        add(why, "price of agreement version %" PRId64, entry->offer_version);
    if (entry->crawl > 0 && entry->terms_version > 0)
        add(why, "crawl %" PRId64 " of the period under agreement version %" PRId64, entry->crawl,
            entry->terms_version);
    if (strcmp(entry->discount_kind, "included") == 0)
        add(why, "included");
    else if (strcmp(entry->discount_kind, "subscription") == 0)
        add(why, "covered by the subscription");
    else if (*entry->discount_kind)
        add(why, "%s", entry->detail);
    if (entry->taken_micros > 0)
        add(why, "of which %s was taken back", amount_format(entry->taken_micros, money));
}

static const char *why_of(const struct invoice_entry *entry, char why[WHY_MAX])
{
    *why = '\0';
    if (entry->form == INVOICE_ENTRY_CRAWL) {
        say_crawl(entry, why);
    } else if (entry->form == INVOICE_ENTRY_AWAY) {
        add(why, "%s: %" PRId64 " crawl%s of %s, archived in %s", entry->description, entry->quantity,
            entry->quantity == 1 ? "" : "s", entry->date, entry->file);
    } else {
        add(why, "%s", entry->description);
        if (entry->actor)
            add(why, "by %s", entry->actor);
        if (entry->dispute_id)
            add(why, "dispute %s", entry->dispute_id);
    }
    return why;
}

/* --- the three forms --- */

static void print_text(const struct printing *printing, const struct invoice_entry *entry)
{
    char money[SHOW_MONEY_MAX], at[SHOW_INSTANT_MAX], why[WHY_MAX];
    printf("line %-4" PRId64 " %-36s %s\n", entry->line, entry->payment_id ? entry->payment_id : entry->kind,
           show_micros(entry->amount_micros, printing->head->currency, money));
    if (entry->resource) {
        printf("          %s  ", show_instant(entry->offered_ms, at));
        show_text(stdout, entry->resource);
        putchar('\n');
    }
    fputs("          ", stdout);
    show_text(stdout, why_of(entry, why));
    putchar('\n');
}

static void print_number(int64_t number, bool given)
{
    if (given)
        printf("%" PRId64, number);
    putchar(',');
}

static void print_field(const char *text)
{
    csv_text(text);
    putchar(',');
}

static void print_csv(const struct printing *printing, const struct invoice_entry *entry)
{
    char at[SHOW_INSTANT_MAX], amount[AMOUNT_TEXT_MAX], why[WHY_MAX];
    bool crawl = entry->form == INVOICE_ENTRY_CRAWL;
    print_field(printing->entries->number);
    print_number(entry->line, true);
    print_number(entry->discount_line, entry->discount_line > 0);
    print_field(entry->kind);
    print_field(entry->date);
    print_field(entry->payment_id);
    printf("%s,", entry->payment_id ? show_instant(entry->offered_ms, at) : "");
    print_field(entry->resource);
    print_field(entry->rule);
    print_number(entry->quantity, true);
    print_number(entry->price_micros, crawl || entry->price_micros > 0);
    print_number(entry->discount_micros, crawl);
    printf("%s,%" PRId64 ",%s,", amount_format(entry->amount_micros, amount), entry->amount_micros,
           printing->head->currency);
    print_number(entry->crawl, entry->crawl > 0);
    print_number(entry->offer_version, entry->offer_version > 0);
    print_number(entry->terms_version, entry->terms_version > 0);
    print_field(entry->repeats);
    print_number(entry->taken_micros, crawl);
    print_field(entry->adjustment_id);
    print_field(entry->dispute_id);
    print_field(entry->file);
    print_field(why_of(entry, why));
    csv_text(entry->delivered);
    fputs("\r\n", stdout);
}

static bool print_json(struct printing *printing, const struct invoice_entry *entry)
{
    char at[SHOW_INSTANT_MAX], why[WHY_MAX];
    bool crawl = entry->form == INVOICE_ENTRY_CRAWL;
    json_t *json = json_pack(
        "{s:I,s:s,s:I,s:I,s:s?,s:s?,s:s?,s:s?,s:s?,s:s?,s:s?,s:s?,s:s?,s:s,s:s?}", "line", entry->line,
        "kind", entry->kind, "quantity", entry->quantity, "amount_micros", entry->amount_micros, "date",
        entry->date, "payment_id", entry->payment_id, "offered_at",
        entry->payment_id ? show_instant(entry->offered_ms, at) : NULL, "resource", entry->resource, "rule",
        entry->rule, "repeats", entry->repeats, "adjustment_id", entry->adjustment_id, "dispute_id",
        entry->dispute_id, "archive", entry->file, "why", why_of(entry, why), "delivered", entry->delivered);
    if (crawl && json) {
        json_t *more =
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "discount_line", entry->discount_line, "price_micros",
                      entry->price_micros, "discount_micros", entry->discount_micros, "crawl", entry->crawl,
                      "offer_version", entry->offer_version, "terms_version", entry->terms_version,
                      "taken_micros", entry->taken_micros);
        json_object_update(json, more);
        json_decref(more);
    }
    fputs(printing->begun ? ",\n" : "\n", stdout);
    bool written = json && json_dumpf(json, stdout, JSON_COMPACT) == 0;
    json_decref(json);
    return written;
}

static bool tell(const struct invoice_entry *entry, void *context)
{
    struct printing *printing = context;
    bool ok = true;
    if (printing->entries->json)
        ok = print_json(printing, entry);
    else if (printing->entries->csv)
        print_csv(printing, entry);
    else
        print_text(printing, entry);
    printing->begun = true;
    return ok && !ferror(stdout);
}

/* --- before and after --- */

/* One document, which is written as it comes. */
static void begin_json(const struct printing *printing)
{
    json_t *head = json_pack("{s:s,s:s,s:s,s:s,s:I}", "number", printing->entries->number, "site",
                             printing->head->site, "kind", printing->head->kind, "currency",
                             printing->head->currency, "line", printing->entries->line_number);
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    if (text)
        printf("%.*s,\"entries\":[", (int)strlen(text) - 1, text);
    free(text);
    json_decref(head);
}

static void begin(const struct printing *printing)
{
    if (printing->entries->json)
        begin_json(printing);
    else if (printing->entries->csv)
        fputs(
            "invoice,line,discount_line,kind,date,payment_id,offered_at,resource,rule,quantity,price_micros,"
            "discount_micros,amount,amount_micros,currency,crawl,offer_version,terms_version,repeats,"
            "taken_micros,adjustment_id,dispute_id,archive,why,delivered\r\n",
            stdout);
}

static void end(const struct printing *printing, const struct invoice_entries_sum *sum)
{
    char money[SHOW_MONEY_MAX];
    if (printing->entries->json) {
        printf("\n],\"archived\":%" PRId64 ",\"sum_micros\":%" PRId64 ",\"billed_micros\":%" PRId64 "}\n",
               sum->archived, sum->told_micros, sum->billed_micros);
    } else if (!printing->entries->csv) {
        printf("\n%" PRId64 " item%s: %s, as %s\n", sum->items, sum->items == 1 ? "" : "s",
               show_micros(sum->told_micros, printing->head->currency, money),
               printing->entries->line_number ? "the line says" : "its lines say");
        if (sum->archived > 0)
            printf("%" PRId64 " crawls are archived: crawltab archive restore FILE brings them back\n",
                   sum->archived);
    }
}

static enum exit_status print(struct pg *pg, struct printing *printing)
{
    const struct invoice_entries *entries = printing->entries;
    const struct invoice_entries_order order = {printing->head->site_id, entries->number,
                                                entries->line_number, tell, printing};
    struct invoice_entries_sum sum;
    char line[32];
    begin(printing);
    if (invoice_entries_read(pg, &order, &sum) != ERR_OK)
        return EXIT_FAILED;
    bool whole = sum.line_known && sum.told_micros == sum.billed_micros && sum.wrong_line == 0;
    if (whole || entries->json)
        end(printing, &sum);
    snprintf(line, sizeof(line), "%" PRId64, sum.wrong_line ? sum.wrong_line : entries->line_number);
    if (!sum.line_known)
        LOG(ERROR, "the invoice has no such line", {"number", entries->number}, {"line", line},
            {"hint", "crawltab invoice show NUMBER has them"});
    else if (!whole)
        LOG(ERROR, "the entries do not come to what is billed", {"number", entries->number}, {"line", line},
            {"hint", "entries were removed, added or changed: run crawltab audit"});
    return whole && !ferror(stdout) ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status invoice_entries_run(struct pg *pg, const struct invoice_entries *entries)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, entries->number);
    pg_params_text(&params, entries->site);
    if (pg_run(pg, "invoice_entry_head", &params, &rows) != ERR_OK)
        return EXIT_FAILED;
    if (rows.count == 1) {
        const struct invoice_entry_head_row head = invoice_entry_head_row(&rows, 0);
        struct printing printing = {.entries = entries, .head = &head};
        status = print(pg, &printing);
    } else if (rows.count == 0) {
        LOG(ERROR, "there is no such invoice", {"number", entries->number}, {"site", entries->site},
            {"hint", "crawltab lookup NUMBER says which may be meant"});
    } else {
        LOG(ERROR, "several sites have an invoice with this number", {"number", entries->number},
            {"hint", "say which one with --site"});
    }
    pg_rows_free(&rows);
    return status;
}
