/* The page and the paper show the same numbers because they are made into words here, once. Amounts are
 * never rounded for looks: each column has the decimals of its longest number, and figure spaces bring the
 * points below each other. */
#include "ledger/format/bill/view.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/format.h"
#include "ledger/format/party.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(VIEW_PAIRS_MAX >= 12, "room for all facts of an invoice, also of one that replaces another");
_Static_assert(VIEW_TEXTS_MAX >= PARTY_LINES_MAX, "room for all lines of a party");

/* A text that was made for the view. */
struct view_text {
    struct view_text *next;
    char *text;
};

/* What the parts of a view are made with. */
struct making {
    struct view *view;
    const struct document *document;
    bool failed; /* no memory */
};

static const char *made(struct making *making, const char *pattern, ...)
    __attribute__((format(printf, 2, 3)));

static const char *made(struct making *making, const char *pattern, ...)
{
    /* Kept in a list of the view's, also when the text fails: view_free needs no case of its own for that. */
    struct view_text *made = calloc(1, sizeof(*made));
    va_list arguments;
    va_start(arguments, pattern);
    if (made) {
        made->text = format_vprinted(pattern, arguments);
        made->next = making->view->made;
        making->view->made = made;
    }
    va_end(arguments);
    if (made && made->text)
        return made->text;
    making->failed = true;
    return "";
}

static void add(struct view_texts *texts, const char *text)
{
    if (!*text)
        return;
    assert(texts->count < VIEW_TEXTS_MAX);
    texts->items[texts->count++] = text;
}

/* A label with a value; nothing when there is no value. */
static void pair(struct view_pairs *pairs, const char *label, const char *value)
{
    if (!*value)
        return;
    assert(pairs->count < VIEW_PAIRS_MAX);
    pairs->items[pairs->count].label = label;
    pairs->items[pairs->count++].value = value;
}

/* "USD 12.34". */
static const char *money(const struct document *document, int64_t minor, char out[64])
{
    char amount[AMOUNT_TEXT_MAX];
    /* The code and not a sign: there are a dozen currencies that write "$". */
    amount_format_minor(minor, (int)document->currency_decimals, amount);
    int len = snprintf(out, 64, "%.8s %s", document->currency, amount);
    assert(len > 0 && len < 64);
    return out;
}

/* --- Parties --- */

static void view_party(struct making *making, const struct document_party *party, struct view_party *view)
{
    struct party_lines lines;
    view->name = party->name;
    if (!party_lines_of(party, &lines))
        making->failed = true;
    for (size_t i = 0; i < lines.count; i++)
        add(&view->lines, made(making, "%s", lines.items[i]));
    party_lines_free(&lines);
}

/* --- Facts --- */

/* "2026-11-28 10:11 UTC" of "2026-11-28T10:11:12.000Z". */
static const char *minute_of(struct making *making, const char *instant)
{
    bool whole = strlen(instant) > strlen("2026-11-28T10:11");
    return whole ? made(making, "%.10s %.5s UTC", instant, instant + strlen("2026-11-28T")) : instant;
}

/* When it was made, and when it could be made first: a night may come late. */
static const char *made_text(struct making *making)
{
    const struct document *document = making->document;
    /* Invoices of an old version have no such time, and it is not made up. */
    const char *at = *document->made_at ? minute_of(making, document->made_at) : "not recorded";
    return made(making, "%s (scheduled %s)", at, minute_of(making, document->scheduled_at));
}

static void view_facts(struct making *making, struct view_pairs *facts)
{
    const struct document *document = making->document;
    const char *first = document->period.first_date, *last = document->period.last_date;
    bool one_day = strcmp(first, last) == 0;
    pair(facts, "Number", document->number);
    pair(facts, "Date", document->issue_date);
    pair(facts, "Due", document->due_date);
    /* What else there is about the same crawls stands near the top: whoever books the bill must see it. */
    if (*document->corrects.number)
        pair(facts, "Corrects", made(making, "%s of %s", document->corrects.number, document->corrects.date));
    if (*document->replaces.number)
        pair(facts, "Replaces", made(making, "%s of %s", document->replaces.number, document->replaces.date));
    if (*document->replaced_by.number)
        pair(facts, "Replaced by",
             made(making, "%s of %s", document->replaced_by.number, document->replaced_by.date));
    pair(facts, "Period",
         made(making, "%s%s%s (%s)", first, one_day ? "" : " to ", one_day ? "" : last,
              document->period.time_zone));
    pair(facts, "Made", made_text(making));
    pair(facts, "Site", document->site);
    pair(facts, "Crawler", document->agent);
    if (!document_is_credit_note(document))
        pair(facts, "Crawls", made(making, "%" PRId64, document->entries));
    pair(facts, "Order", document->buyer.purchase_order);
}

/* --- Lines and sums --- */

static int more_of(int one, int other)
{
    return one > other ? one : other;
}

/* The most decimals in the column of unit prices. */
static int price_decimals(const struct document *document)
{
    int most = 2;
    for (size_t i = 0; i < document->lines.count; i++)
        most = more_of(most, amount_decimals(document->lines.items[i].unit_price_micros));
    return most;
}

/* The most decimals in the column of amounts, lines and sums. */
static int sum_decimals(const struct document *document)
{
    /* Also the currency's own, since net, tax and total have all of them: dinars have three. */
    int most = more_of(2, (int)document->currency_decimals);
    most = more_of(most, amount_decimals(document->subtotal_micros));
    most = more_of(most, amount_decimals(document->carried_in_micros));
    most = more_of(most, amount_decimals(document->carried_out_micros));
    for (size_t i = 0; i < document->lines.count; i++)
        most = more_of(most, amount_decimals(document->lines.items[i].amount_micros));
    return most;
}

/* The number with what brings its point below those with `decimals`. */
static const char *padded(struct making *making, const char *number, int decimals)
{
    assert(decimals >= 0 && decimals <= 6);
    char pads[8 * sizeof(FORMAT_PAD)] = "";
    const char *point = strchr(number, '.');
    size_t len = 0;
    assert(!point || (int)strlen(point + 1) <= decimals); /* every number of the column was looked at */
    if (!point)
        len += (size_t)snprintf(pads, sizeof(pads), FORMAT_POINT_PAD);
    for (int i = point ? (int)strlen(point + 1) : 0; i < decimals; i++)
        len += (size_t)snprintf(pads + len, sizeof(pads) - len, FORMAT_PAD);
    assert(len < sizeof(pads));
    return made(making, "%s%s", number, pads);
}

static const char *padded_micros(struct making *making, int64_t micros, int decimals)
{
    char amount[AMOUNT_TEXT_MAX];
    return padded(making, amount_format(micros, amount), decimals);
}

static void view_rows(struct making *making, struct view *view)
{
    const struct document *document = making->document;
    int price = price_decimals(document), decimals = sum_decimals(document);
    /* One more than there are: an invoice without lines has rows, too, and is not taken for want of memory.
     */
    view->rows = calloc(document->lines.count + 1, sizeof(*view->rows));
    making->failed = making->failed || !view->rows;
    for (size_t i = 0; view->rows && i < document->lines.count; i++) {
        const struct document_line *line = &document->lines.items[i];
        const char **cells = view->rows[view->row_count++].cells;
        cells[VIEW_DESCRIPTION] = line->description;
        cells[VIEW_QUANTITY] = made(making, "%" PRId64, line->quantity);
        cells[VIEW_UNIT_PRICE] = padded_micros(making, line->unit_price_micros, price);
        cells[VIEW_AMOUNT] = padded_micros(making, line->amount_micros, decimals);
    }
}

static const char *tax_label(struct making *making)
{
    char rate[AMOUNT_TEXT_MAX];
    if (strcmp(making->document->tax.treatment, "standard") != 0)
        return "Tax";
    return made(making, "Tax %s %%", amount_format_percent(making->document->tax.rate_ppm, rate));
}

/* An amount in minor units; what is to be paid has its currency. */
static const char *padded_minor(struct making *making, int64_t minor, int decimals, bool last)
{
    char amount[AMOUNT_TEXT_MAX], text[64];
    return padded(making,
                  last ? money(making->document, minor, text)
                       : amount_format_minor(minor, (int)making->document->currency_decimals, amount),
                  decimals);
}

static void view_sums(struct making *making, struct view_pairs *sums)
{
    const struct document *document = making->document;
    int64_t in = document->carried_in_micros, forward = document->carried_out_micros;
    int64_t paid = document->paid_minor, credited = document->credited_minor,
            applied = document->applied_minor;
    int decimals = sum_decimals(document);
    /* The last of the sums is what the reader pays. Before anything has happened that is the total itself. */
    bool more = paid != 0 || credited != 0 || applied != 0;
    pair(sums, "Subtotal", padded_micros(making, document->subtotal_micros, decimals));
    if (in != 0)
        pair(sums, "Carried in from the last invoice", padded_micros(making, in, decimals));
    if (forward != 0)
        pair(sums, "Carried forward to the next invoice", padded_micros(making, -forward, decimals));
    pair(sums, "Net amount", padded_minor(making, document->net_minor, decimals, false));
    if (strcmp(document->tax.treatment, "none") != 0)
        pair(sums, tax_label(making), padded_minor(making, document->tax.amount_minor, decimals, false));
    pair(sums, "Total", padded_minor(making, document->total_minor, decimals, !more));
    if (paid != 0)
        pair(sums, "Paid", padded_minor(making, paid, decimals, false));
    if (credited != 0)
        pair(sums, "Credited", padded_minor(making, credited, decimals, false));
    if (applied != 0)
        pair(sums, applied > 0 ? "Paid by other invoices' credit" : "Credit used for other invoices",
             padded_minor(making, applied, decimals, false));
    if (more)
        pair(sums, "To be paid", padded_minor(making, document->open_minor, decimals, true));
    assert(sums->count >= 3); /* subtotal, net and total: the last is what is to be paid */
}

/* --- Notes --- */

/* Accounts are recognised by their last four characters; no more is printed. */
static const char *tail_of(const char *account)
{
    /* Bills are forwarded and printed: a whole account number on one is somebody's to misuse. */
    size_t len = strlen(account);
    const char *tail = len > 4 ? account + len - 4 : account;
    assert(strlen(tail) <= 4);
    return tail;
}

/* "FR14 2004 …", in fours that no line breaks. */
static const char *grouped(const char *iban, char out[64])
{
    size_t len = 0;
    /* The registry's print format. With spaces that break no line: half of an account number is none. */
    for (size_t i = 0; iban[i] && len + 4 < 64; i++) {
        if (i > 0 && i % 4 == 0)
            len += (size_t)snprintf(out + len, 64 - len, "\xc2\xa0");
        out[len++] = iban[i];
    }
    out[len] = '\0';
    assert(len < 64);
    return out;
}

/* How the rest is paid. */
static const char *payment_note(struct making *making)
{
    const struct document *document = making->document;
    const char *rail = document->settlement.rail, *bic = document->seller.bic;
    char amount[64], account[64];
    money(document, document->open_minor, amount);
    /* A credit note first, whatever is agreed on: nothing of it is ever collected. */
    if (document_is_credit_note(document))
        return made(making, "This amount is credited against invoice %s; there is nothing to pay.",
                    document->corrects.number);
    if (document->open_minor <= 0)
        return "Nothing is left to pay.";
    /* The EPC's rules want the debtor told of mandate and creditor before each debit. */
    if (strcmp(rail, "sepa-direct-debit") == 0)
        return made(making,
                    "%s will be collected by SEPA direct debit from the account ending in %s, "
                    "mandate %s, creditor %s.",
                    amount, tail_of(document->settlement.iban), document->settlement.mandate_id,
                    document->seller.creditor_id);
    if (strcmp(rail, "ach") == 0)
        return made(making, "%s will be collected by ACH debit from the account ending in %s.", amount,
                    tail_of(document->settlement.account));
    if (strcmp(rail, "card") == 0)
        return made(making, "%s will be charged to the card on file.", amount);
    if (strcmp(rail, "x402") == 0)
        return made(making, "%s is requested over x402 on %s.", amount, document->settlement.network);
    if (*document->seller.iban)
        return made(making, "Please pay %s by %s to IBAN %s%s%s, reference %s.", amount, document->due_date,
                    grouped(document->seller.iban, account), *bic ? ", BIC " : "", bic, document->number);
    return made(making, "Please pay %s by %s, reference %s.", amount, document->due_date, document->number);
}

static void view_notes(struct making *making, struct view_texts *notes)
{
    /* What the law wants said of tax, and why lines and sum differ, stands below the sums that it is about.
     */
    add(notes, making->document->notice);
    add(notes, payment_note(making));
    add(notes, making->document->tax.note);
    add(notes, making->document->rounding);
    add(notes, making->document->agreement.text);
}

/* --- Days --- */

static void view_days(struct making *making, struct view *view)
{
    const struct document *document = making->document;
    int64_t most = 1;
    for (size_t i = 0; i < document->days.count; i++)
        most = document->days.items[i].sum_micros > most ? document->days.items[i].sum_micros : most;
    /* Days are compared with the largest and not with the sum: a bar's height says what its day has. */
    int64_t scale = most > INT64_MAX / 1000 ? 1000 : 1; /* so that the product fits */
    if (document->days.count < 2)                       /* one day is all of the sum */
        return;
    view->days = calloc(document->days.count, sizeof(*view->days));
    making->failed = making->failed || !view->days;
    for (size_t i = 0; view->days && i < document->days.count; i++) {
        const struct document_day *day = &document->days.items[i];
        char amount[AMOUNT_TEXT_MAX];
        view->days[view->day_count++] = (struct view_day){
            .date = day->date,
            .label = made(making, "%.20s: %.8s %s, %" PRId64 " crawls", day->date, document->currency,
                          amount_format(day->sum_micros, amount), day->entries),
            .share = day->sum_micros > 0 ? day->sum_micros / scale * 1000 / (most / scale) : 0};
        assert(view->days[view->day_count - 1].share >= 0 && view->days[view->day_count - 1].share <= 1000);
    }
}

struct view *view_of(const struct document *document)
{
    struct view *view = calloc(1, sizeof(*view));
    struct making making = {.view = view, .document = document};
    if (!view)
        return NULL;
    /* That a bill was issued and sent is nothing that its receiver needs to be told; that nobody counts on
     * his money he must not be. */
    bool quiet = strcmp(document->status, "issued") == 0 || strcmp(document->status, "sent") == 0 ||
                 strcmp(document->status, "written-off") == 0;
    bool note = document_is_credit_note(document);
    view->title = *document->notice ? note ? "Trial credit note" : "Trial invoice"
                  : note            ? "Credit note"
                                    : "Invoice";
    view->number = document->number;
    view->status = quiet ? "" : document->status;
    view->currency = document->currency;
    view_party(&making, &document->seller, &view->seller);
    view_party(&making, &document->buyer, &view->buyer);
    view_facts(&making, &view->facts);
    view_rows(&making, view);
    view_sums(&making, &view->sums);
    view_notes(&making, &view->notes);
    view_days(&making, view);
    assert(making.failed || view->row_count == document->lines.count);
    assert(making.failed || view->day_count == 0 || view->day_count == document->days.count);
    if (!making.failed)
        return view;
    view_free(view);
    return NULL;
}

void view_free(struct view *view)
{
    if (!view)
        return;
    while (view->made) {
        struct view_text *made = view->made;
        view->made = made->next;
        free(made->text);
        free(made);
    }
    free(view->rows);
    free(view->days);
    free(view);
}
