/* The lines are in memory, the entries are not. A crawl belongs to the line of its rule and price, and to a
 * second one if the terms take something off it; each line's crawls are counted as they are told, so that an
 * entry that is missing or was added shows as a line that does not come to what it says. */
#include "ledger/bill/invoice_entries.h"

#include "ledger/base/text/amount.h"
#include "sql/rows/bill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MAX 1024

/* Of one line, how many crawls were told: of the day, and in all. */
struct tally {
    int64_t of_day, told;
};

struct telling {
    struct pg *pg;
    const struct invoice_entries_order *order;
    struct invoice_entries_sum *sum;
    struct pg_rows lines;
    struct tally *tallies; /* for each of the lines */
    bool stopped;
};

static bool is_of_crawls(const char *kind)
{
    return strcmp(kind, "crawls") == 0 || strcmp(kind, "included") == 0 || strcmp(kind, "tier") == 0 ||
           strcmp(kind, "subscription") == 0;
}

/* The line's place, -1 if there is none. Lines of crawls are few: rules, prices and tiers. */
static int find_line(const struct telling *telling, const char *kind, const char *description, int64_t unit)
{
    for (int i = 0; i < telling->lines.count; i++) {
        const struct invoice_entry_lines_row line = invoice_entry_lines_row(&telling->lines, i);
        if (line.unit_price_micros == unit && strcmp(line.kind, kind) == 0 &&
            strcmp(line.description, description) == 0)
            return i;
        if (!is_of_crawls(line.kind))
            break; /* these come first */
    }
    return -1;
}

static int64_t number_of(const struct telling *telling, int place)
{
    return place < 0 ? 0 : invoice_entry_lines_row(&telling->lines, place).line;
}

static void tell(struct telling *telling, const struct invoice_entry *entry)
{
    int64_t sum;
    if (telling->stopped)
        return;
    telling->sum->items++;
    if (entry->form == INVOICE_ENTRY_AWAY && strcmp(entry->kind, "crawls") == 0)
        telling->sum->archived += entry->quantity;
    /* A sum that does not fit is not the one that is billed. */
    if (amount_add(telling->sum->told_micros, entry->amount_micros, &sum))
        telling->sum->told_micros = sum;
    telling->stopped = !telling->order->tell(entry, telling->order->context);
}

/* --- crawls --- */

/* What the line of a discount says, as invoice_lines_insert writes it. */
static void describe_discount(const struct invoice_entries_page_row *row, char text[DESCRIPTION_MAX])
{
    const char *what = strcmp(row->discount_kind, "included") == 0       ? "included"
                       : strcmp(row->discount_kind, "subscription") == 0 ? "covered by the subscription"
                                                                         : row->detail;
    snprintf(text, DESCRIPTION_MAX, "%s, %s", row->rule, what);
}

static void tell_crawl(struct telling *telling, const struct invoice_entry_days_row *day,
                       const struct invoice_entries_page_row *row)
{
    char description[DESCRIPTION_MAX];
    int at = find_line(telling, "crawls", row->rule, row->price_micros), off = -1;
    if (*row->discount_kind) {
        describe_discount(row, description);
        off = find_line(telling, row->discount_kind, description, row->discount_micros);
    }
    if (at >= 0)
        telling->tallies[at].of_day++, telling->tallies[at].told++;
    if (off >= 0)
        telling->tallies[off].of_day++, telling->tallies[off].told++;
    int64_t wanted = telling->order->line, line = number_of(telling, at), other = number_of(telling, off);
    if (wanted > 0 && wanted != line && wanted != other)
        return;
    const struct invoice_entry entry = {
        .form = INVOICE_ENTRY_CRAWL,
        .line = line,
        .discount_line = other,
        .kind = "crawls",
        .description = row->rule,
        .quantity = 1,
        .amount_micros = (wanted == other && other > 0 ? 0 : row->price_micros) -
                         (wanted == line && line > 0 ? 0 : row->discount_micros),
        .price_micros = row->price_micros,
        .discount_micros = row->discount_micros,
        .date = day->local_date,
        .payment_id = row->payment_id,
        .offered_ms = row->offered_ms,
        .resource = row->resource,
        .rule = row->rule,
        .crawl = row->price_micros > 0 ? row->crawl : 0,
        .offer_version = row->offer_version,
        .terms_version = day->terms_version,
        .discount_kind = row->discount_kind,
        .detail = row->detail,
        .repeats = row->repeats,
        .signature_base = row->signature_base,
        .taken_micros = row->taken_micros,
        .delivered = row->delivered,
    };
    tell(telling, &entry);
}

/* What the day's close says and its entries do not. */
static enum err tell_away(struct telling *telling, const struct invoice_entry_days_row *day)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, telling->order->site_id);
    pg_params_number(&params, day->crawler_id);
    pg_params_text(&params, day->local_date);
    TRY(pg_run(telling->pg, "invoice_entry_sums", &params, &rows));
    for (int i = 0; i < rows.count; i++) {
        const struct invoice_entry_sums_row row = invoice_entry_sums_row(&rows, i);
        int at = find_line(telling, row.kind, row.description, row.unit_price_micros);
        if (at < 0)
            continue;
        int64_t sign = row.quantity < 0 ? -1 : 1, line = number_of(telling, at);
        int64_t away = sign * row.quantity - telling->tallies[at].of_day;
        if (away <= 0)
            continue;
        telling->tallies[at].told += away;
        const struct invoice_entry entry = {
            .form = INVOICE_ENTRY_AWAY,
            .line = line,
            .kind = row.kind,
            .description = row.description,
            .quantity = away,
            .amount_micros = sign * away * row.unit_price_micros,
            .price_micros = row.unit_price_micros,
            .date = day->local_date,
            .file = day->file,
        };
        if (telling->order->line == 0 || telling->order->line == line)
            tell(telling, &entry);
    }
out:
    pg_rows_free(&rows);
    return err;
}

static enum err tell_day(struct telling *telling, const struct invoice_entry_days_row *day)
{
    char last[UUID_TEXT_MAX];
    int64_t crawls = day->crawls_before;
    bool after = false, more = true;
    enum err err = ERR_OK;
    snprintf(last, sizeof(last), "%s", day->first_id);
    for (int i = 0; i < telling->lines.count; i++)
        telling->tallies[i].of_day = 0;
    while (more && err == ERR_OK && !telling->stopped) {
        struct pg_params params = {0};
        struct pg_rows rows = {0};
        pg_params_number(&params, telling->order->site_id);
        pg_params_number(&params, day->crawler_id);
        pg_params_text(&params, last);
        pg_params_text(&params, after ? "t" : "f");
        pg_params_text(&params, day->end_id);
        pg_params_number(&params, day->agreement_id);
        pg_params_number(&params, crawls);
        err = pg_run(telling->pg, "invoice_entries_page", &params, &rows);
        more = err == ERR_OK && rows.count > 0;
        for (int i = 0; err == ERR_OK && i < rows.count; i++) {
            const struct invoice_entries_page_row row = invoice_entries_page_row(&rows, i);
            tell_crawl(telling, day, &row);
            crawls = row.crawl;
            snprintf(last, sizeof(last), "%s", row.payment_id);
        }
        after = true;
        pg_rows_free(&rows);
    }
    return err == ERR_OK && day->file && !telling->stopped ? tell_away(telling, day) : err;
}

static enum err tell_days(struct telling *telling)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_number(&params, telling->order->site_id);
    pg_params_text(&params, telling->order->number);
    TRY(pg_run(telling->pg, "invoice_entry_days", &params, &rows));
    for (int i = 0; i < rows.count && !telling->stopped; i++) {
        const struct invoice_entry_days_row day = invoice_entry_days_row(&rows, i);
        TRY(tell_day(telling, &day));
    }
out:
    pg_rows_free(&rows);
    return err;
}

/* --- lines --- */

/* A fee or the like, or an adjustment: the line is all of it. */
static void tell_other(struct telling *telling, const struct invoice_entry_lines_row *line)
{
    const struct invoice_entry entry = {
        .form = INVOICE_ENTRY_OTHER,
        .line = line->line,
        .kind = line->kind,
        .description = line->description,
        .quantity = 1,
        .amount_micros = line->amount_micros,
        .price_micros = line->price_micros,
        .payment_id = line->payment_id,
        .offered_ms = line->offered_ms,
        .resource = line->resource,
        .rule = line->rule,
        .adjustment_id = line->adjustment_id,
        .reason = line->reason,
        .actor = line->actor,
        .dispute_id = line->dispute_id,
    };
    tell(telling, &entry);
}

/* Whether each line of crawls has as many as it says. */
static void compare(struct telling *telling)
{
    for (int i = 0; i < telling->lines.count; i++) {
        const struct invoice_entry_lines_row line = invoice_entry_lines_row(&telling->lines, i);
        int64_t quantity = line.quantity < 0 ? -line.quantity : line.quantity, sum;
        bool wanted = telling->order->line == 0 || telling->order->line == line.line;
        if (wanted && amount_add(telling->sum->billed_micros, line.amount_micros, &sum))
            telling->sum->billed_micros = sum;
        if (wanted && is_of_crawls(line.kind) && telling->tallies[i].told != quantity &&
            telling->sum->wrong_line == 0)
            telling->sum->wrong_line = line.line;
    }
}

enum err invoice_entries_read(struct pg *pg, const struct invoice_entries_order *order,
                              struct invoice_entries_sum *sum)
{
    struct telling telling = {.pg = pg, .order = order, .sum = sum};
    struct pg_params params = {0};
    bool crawls = false;
    enum err err;
    *sum = (struct invoice_entries_sum){.line_known = order->line == 0};
    pg_params_number(&params, order->site_id);
    pg_params_text(&params, order->number);
    TRY(pg_run(pg, "invoice_entry_lines", &params, &telling.lines));
    telling.tallies = calloc((size_t)telling.lines.count + 1, sizeof(*telling.tallies));
    TRY(telling.tallies ? ERR_OK : ERR_OVERLOADED);
    for (int i = 0; i < telling.lines.count; i++) {
        const struct invoice_entry_lines_row line = invoice_entry_lines_row(&telling.lines, i);
        bool wanted = order->line == 0 || order->line == line.line;
        sum->line_known = sum->line_known || wanted;
        crawls = crawls || (wanted && is_of_crawls(line.kind));
    }
    if (crawls)
        TRY(tell_days(&telling));
    for (int i = 0; i < telling.lines.count; i++) {
        const struct invoice_entry_lines_row line = invoice_entry_lines_row(&telling.lines, i);
        if (!is_of_crawls(line.kind) && (order->line == 0 || order->line == line.line))
            tell_other(&telling, &line);
    }
    compare(&telling);
out:
    free(telling.tallies);
    pg_rows_free(&telling.lines);
    return err;
}
