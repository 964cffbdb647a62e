/* A page of entries. The ledger has them in the order of their ids, everybody's together, and an index by
 * crawler would be paid for by each payment: so days on which this crawler has none are passed over, the
 * others are looked through piece by piece, and the page ends when it is full or its time is over. Where it
 * ends there is a cursor for the next one. However large the ledger is, one page costs no more than this. */
#include "ledger/account/answer.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/base/crypto/digest.h"
#include "ledger/base/text/amount.h"
#include "ledger/base/text/encoding.h"
#include "sql/rows/account.h"

#include <assert.h>

#define PAGE_MS 500 /* after so long a page ends where it is, full or not */

struct page {
    const struct answer_account *account;
    json_t *entries, *archived;
    int64_t room;              /* for so many more */
    int64_t until_ms;          /* monotonic */
    char after[UUID_TEXT_MAX]; /* all up to here are in the page, or in one before */
    char end[UUID_TEXT_MAX];
    bool more;
};

static bool is_over(const struct page *page)
{
    return page->room == 0 || clock_monotonic_ms() >= page->until_ms;
}

static void move_to(struct page *page, const char *id)
{
    snprintf(page->after, sizeof(page->after), "%s", id);
}

static void add_ids(struct pg_params *params, const struct page *page)
{
    pg_params_number(params, page->account->site_id);
    pg_params_number(params, page->account->crawler_id);
    pg_params_text(params, page->after);
}

static json_t *entry_json(const struct own_entries_row *row, const char *date)
{
    char amount[AMOUNT_TEXT_MAX], at[INSTANT_TEXT_MAX];
    uint8_t thumbprint[DIGEST_SIZE];
    char keyid[ENCODING_BASE64URL_LEN(DIGEST_SIZE) + 1];
    if (pg_hex_bytes(row->thumbprint, thumbprint, sizeof(thumbprint)) != sizeof(thumbprint))
        memset(thumbprint, 0, sizeof(thumbprint));
    keyid[encoding_base64url(thumbprint, sizeof(thumbprint), keyid)] = '\0';
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s?,s:b,s:o,s:s?}", "payment_id", row->payment_id,
                     "day", date, "recorded_at", instant_format(row->recorded_ms, at), "amount",
                     amount_format(row->amount_micros, amount), "amount_micros", row->amount_micros, "rule",
                     row->rule, "url", row->resource, "keyid", keyid, "unproven", row->unproven,
                     "undelivered", row->undelivered, "final_micros",
                     row->final_micros_null ? json_null() : json_integer(row->final_micros), "delivered",
                     row->delivered);
}

/* One look: entries above `after` and below `end`. */
static enum err read_entries(struct page *page, const char *end, const char *date)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    add_ids(&params, page);
    pg_params_text(&params, end);
    pg_params_number(&params, page->room);
    TRY(pg_run(page->account->pg, "own_entries", &params, &rows));
    assert(rows.count <= page->room);
    for (int i = 0; i < rows.count; i++) {
        const struct own_entries_row row = own_entries_row(&rows, i);
        json_t *entry = entry_json(&row, date);
        TRY(json_array_append_new(page->entries, entry) == 0 ? ERR_OK : ERR_OVERLOADED);
    }
    page->room -= rows.count;
    move_to(page, page->room == 0 ? own_entries_row(&rows, rows.count - 1).payment_id : end);
out:
    pg_rows_free(&rows);
    return err;
}

static enum err read_reach(const struct page *page, const char *end, char reach[UUID_TEXT_MAX])
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum err err;
    pg_params_text(&params, page->after);
    pg_params_text(&params, end);
    TRY(pg_run(page->account->pg, "own_reach", &params, &rows));
    assert(rows.count == 1);
    snprintf(reach, UUID_TEXT_MAX, "%s", own_reach_row(&rows, 0).end_id);
out:
    pg_rows_free(&rows);
    return err;
}

/* UUIDs in their one spelling are in the order of their ids. */
static const char *lower(const char *a, const char *b)
{
    return strcmp(a, b) < 0 ? a : b;
}

static enum err tell_archived(struct page *page, const struct own_days_row *day)
{
    char amount[AMOUNT_TEXT_MAX];
    if (!day->archived || strcmp(page->after, day->first_id) > 0) /* it was told with its first page */
        return ERR_OK;
    json_t *told = json_pack("{s:s,s:I,s:s,s:I}", "day", day->local_date, "entries", day->entries, "amount",
                             amount_format(day->sum_micros, amount), "amount_micros", day->sum_micros);
    return json_array_append_new(page->archived, told) == 0 ? ERR_OK : ERR_OVERLOADED;
}

static enum err read_day(struct page *page, const struct own_days_row *day)
{
    char end[UUID_TEXT_MAX], reach[UUID_TEXT_MAX];
    enum err err;
    TRY(tell_archived(page, day));
    if (strcmp(page->after, day->first_id) < 0)
        move_to(page, day->first_id);
    snprintf(end, sizeof(end), "%s", lower(day->end_id, page->end));
    while (strcmp(page->after, end) < 0 && !is_over(page)) {
        TRY(read_reach(page, end, reach));
        TRY(read_entries(page, reach, day->local_date));
    }
    page->more = strcmp(page->after, end) < 0;
out:
    return err;
}

static enum err read_days(struct page *page)
{
    struct pg_rows rows = {0};
    enum err err;
    do {
        struct pg_params params = {0};
        add_ids(&params, page);
        pg_params_text(&params, page->end);
        pg_params_number(&params, clock_now_ms());
        pg_rows_free(&rows);
        TRY(pg_run(page->account->pg, "own_days", &params, &rows));
        page->more = rows.count > 0;
        for (int i = 0; i < rows.count && (i == 0 || !page->more); i++) {
            const struct own_days_row day = own_days_row(&rows, i);
            TRY(read_day(page, &day));
            page->more = page->more || (is_over(page) && i + 1 < rows.count);
        }
    } while (rows.count > 0 && !page->more && !is_over(page) && strcmp(page->after, page->end) < 0);
    page->more = page->more || (rows.count > 0 && is_over(page));
out:
    pg_rows_free(&rows);
    return err;
}

/* The ids that are asked for: of billing days, or of what an invoice bills. NULL: there are none. */
struct span {
    struct pg_rows rows;
    const char *first, *end;
};

static enum err read_span(const struct answer_account *account, struct span *span)
{
    const struct inquiry *inquiry = account->reading->inquiry;
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_text(&params, inquiry->from);
    pg_params_text(&params, inquiry->to);
    TRY(pg_run(account->pg, "own_span", &params, &span->rows));
    assert(span->rows.count == 1);
    const struct own_span_row row = own_span_row(&span->rows, 0);
    span->first = row.first_id;
    span->end = row.end_id;
out:
    return err;
}

static enum err read_invoice_span(const struct answer_account *account, struct span *span)
{
    struct pg_params params = {0};
    enum err err;
    pg_params_number(&params, account->site_id);
    pg_params_number(&params, account->crawler_id);
    pg_params_text(&params, account->reading->inquiry->name);
    pg_params_number(&params, clock_now_ms());
    TRY(pg_run(account->pg, "own_invoice", &params, &span->rows));
    TRY(span->rows.count == 1 ? ERR_OK : ERR_INVOICE_UNKNOWN);
    const struct own_invoice_row row = own_invoice_row(&span->rows, 0);
    TRY(strcmp(row.kind, "invoice") == 0 ? ERR_OK : ERR_INVOICE_ENTRIES);
    span->first = row.first_id;
    span->end = row.end_id;
out:
    return err;
}

/* *empty: there is nothing to look through. */
static enum err open_page(struct page *page, bool *empty)
{
    const struct inquiry *inquiry = page->account->reading->inquiry;
    bool of_invoice = inquiry->topic == INQUIRY_INVOICE_ENTRIES;
    struct span span = {.first = NULL};
    enum err err;
    TRY(of_invoice ? read_invoice_span(page->account, &span) : read_span(page->account, &span));
    *empty = !span.first || !span.end;
    if (*empty)
        goto out;
    snprintf(page->end, sizeof(page->end), "%s", span.end);
    move_to(page, span.first);
    if (inquiry->after && strcmp(inquiry->after, page->after) > 0)
        move_to(page, inquiry->after);
    *empty = strcmp(page->after, page->end) >= 0;
out:
    pg_rows_free(&span.rows);
    return err;
}

enum err answer_entries(const struct answer_account *account, json_t **answer)
{
    const struct reading *reading = account->reading;
    struct page page = {.account = account,
                        .entries = json_array(),
                        .archived = json_array(),
                        .room = reading->inquiry->limit,
                        .until_ms = clock_monotonic_ms() + PAGE_MS};
    bool empty = true;
    enum err err;
    TRY(open_page(&page, &empty));
    if (!empty)
        TRY(read_days(&page));
    *answer = answer_begin(account);
    json_object_set(*answer, "entries", page.entries);
    json_object_set(*answer, "archived", page.archived);
    bool whole =
        json_object_set_new(*answer, "next", page.more ? answer_next(account, page.after) : json_null()) == 0;
    err = whole ? ERR_OK : ERR_OVERLOADED;
out:
    json_decref(page.entries);
    json_decref(page.archived);
    return err;
}
