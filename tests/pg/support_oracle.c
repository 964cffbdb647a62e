#define _GNU_SOURCE /* strptime, timegm */
#include "tests/pg/support_oracle.h"

#include "tests/pg/support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef __int128 wide;

/* Days since 1970 of a date. */
static int64_t number_of(const char *date)
{
    struct tm tm = {0};
    assert_non_null(strptime(date, "%Y-%m-%d", &tm));
    return (int64_t)timegm(&tm) / 86400;
}

/* A period ends with a date when the next billing day is of another week or month; weeks begin on Monday. */
static bool ends_period(enum oracle_cadence cadence, const char *date, const char *next)
{
    if (cadence == ORACLE_WEEKLY)
        return (number_of(date) + 3) / 7 != (number_of(next) + 3) / 7;
    return cadence == ORACLE_DAILY || strncmp(date, next, 7) != 0;
}

/* Off one crawl, the nth of its period from 1, rounded down to the micro-unit. */
static int64_t discount(const struct oracle_terms *terms, int64_t nth, int64_t price, int64_t **line,
                        struct oracle_document *open)
{
    int64_t ppm = 0;
    *line = terms->subscription ? &open->subscription : &open->included;
    if (terms->subscription || nth <= terms->included)
        return price;
    *line = &open->tiers;
    for (size_t i = 0; i < terms->tier_count; i++)
        if (nth - terms->included >= terms->tiers[i].from)
            ppm = terms->tiers[i].ppm;
    return (int64_t)((wide)price * ppm / 1000000);
}

/* Half up. */
static int64_t tax(int64_t minor, int64_t ppm)
{
    return (int64_t)(((wide)minor * ppm + 500000) / 1000000);
}

static struct oracle_document *add_document(struct oracle *oracle, const struct oracle_document *made)
{
    oracle->documents = realloc(oracle->documents, (oracle->document_count + 1) * sizeof(*made));
    assert_non_null(oracle->documents);
    oracle->documents[oracle->document_count] = *made;
    return &oracle->documents[oracle->document_count++];
}

/* The terms in force at the end of the day that is being closed: what is valid from that end on is not. */
static const struct oracle_terms *terms_of(const struct oracle *oracle, const struct oracle_account *account)
{
    static const struct oracle_terms none = {.cadence = ORACLE_DAILY, .due_days = 30};
    const struct oracle_terms *found = &none;
    for (size_t i = 0; i < account->terms_count; i++)
        if (account->terms[i].from_ms < oracle->days[oracle->closed].ends_ms)
            found = &account->terms[i];
    return found;
}

static void add_crawls(struct oracle *oracle, size_t crawler, const struct oracle_terms *terms, size_t end)
{
    struct oracle_account *account = &oracle->accounts[crawler];
    for (size_t i = oracle->entries_closed; i < end; i++) {
        const struct oracle_entry *entry = &oracle->entries[i];
        int64_t *line;
        if (entry->crawler != crawler)
            continue;
        account->period_crawls += entry->amount > 0; /* what is free is no included crawl, and on no tier */
        int64_t off = discount(terms, account->period_crawls, entry->amount, &line, &account->open);
        *line -= off;
        account->open.crawls += entry->amount;
        account->open.entries++;
        account->period_micros += entry->amount - off;
    }
}

static size_t invoice_of(const struct oracle *oracle, const struct oracle_adjustment *adjustment)
{
    return adjustment->entry == ORACLE_NONE ? adjustment->invoice
                                            : oracle->entries[adjustment->entry].invoice;
}

int64_t oracle_left(const struct oracle *oracle, size_t invoice)
{
    int64_t left = oracle->documents[invoice].net;
    for (size_t i = 0; i < oracle->adjustment_count; i++) {
        const struct oracle_adjustment *adjustment = &oracle->adjustments[i];
        bool since = adjustment->day == ORACLE_NONE || adjustment->day > oracle->documents[invoice].day;
        if (since && invoice_of(oracle, adjustment) == invoice)
            left -= adjustment->amount;
    }
    return left;
}

/* Whether the days that are closed, and this one, took back all that the invoice says, or it is void. */
static bool is_reversed(const struct oracle *oracle, size_t index)
{
    int64_t left = oracle->documents[index].subtotal;
    for (size_t i = 0; i < oracle->adjustment_count; i++) {
        const struct oracle_adjustment *adjustment = &oracle->adjustments[i];
        bool since = adjustment->day != ORACLE_NONE && adjustment->day > oracle->documents[index].day;
        if (!since || invoice_of(oracle, adjustment) != index)
            continue;
        if (adjustment->entry == ORACLE_NONE)
            return true;
        left -= adjustment->amount;
    }
    return left <= 0;
}

/* A credit note over what the day took back of the invoice, in whole minor units and no more than is left, or
 * over all that is left when nothing else remains of it; the rest is to the crawler's credit or debt. Without
 * a minor unit to say, all of it is a line of the next invoice. */
static void credit(struct oracle *oracle, struct oracle_account *account, size_t index, int64_t taken)
{
    const struct oracle_document invoice = oracle->documents[index];
    int64_t left = invoice.net - invoice.credited;
    int64_t net = taken < left && !is_reversed(oracle, index) ? taken : left;
    net -= net % oracle->minor;
    if (net <= 0) {
        account->open.corrected -= taken;
        return;
    }
    struct oracle_document note = {.credit_note = true,
                                   .crawler = invoice.crawler,
                                   .day = oracle->closed,
                                   .corrects = index,
                                   .subtotal = taken,
                                   .corrected = taken,
                                   .net = net,
                                   .carried_out = taken - net,
                                   .net_minor = net / oracle->minor};
    note.tax_minor =
        tax(left / oracle->minor, invoice.tax_ppm) - tax((left - net) / oracle->minor, invoice.tax_ppm);
    note.total_minor = note.net_minor + note.tax_minor;
    account->carried -= note.carried_out;
    add_document(oracle, &note);
    oracle->documents[index].credited += net;
    oracle->documents[index].credited_total_minor += note.total_minor;
}

/* What was taken back until the day's end: what stands on one invoice together, by documents of days before.
 */
static void take_back(struct oracle *oracle, size_t crawler)
{
    struct oracle_account *account = &oracle->accounts[crawler];
    int64_t end_ms = oracle->days[oracle->closed].ends_ms;
    size_t documents = oracle->document_count;
    int64_t *taken = calloc(documents + 1, sizeof(*taken));
    for (size_t i = 0; i < oracle->adjustment_count; i++) {
        struct oracle_adjustment *adjustment = &oracle->adjustments[i];
        if (adjustment->crawler != crawler || adjustment->day != ORACLE_NONE || adjustment->at_ms >= end_ms)
            continue;
        size_t invoice = invoice_of(oracle, adjustment);
        adjustment->day = oracle->closed;
        if (invoice == ORACLE_NONE)
            account->open.corrected -= adjustment->amount;
        else
            taken[invoice] += adjustment->amount;
    }
    for (size_t i = 0; i < documents; i++)
        if (taken[i] > 0)
            credit(oracle, account, i, taken[i]);
    free(taken);
}

static int64_t subtotal_of(const struct oracle_document *open)
{
    return open->crawls + open->included + open->tiers + open->subscription + open->fees + open->minimums +
           open->corrected;
}

static void end_period(struct oracle_account *account, const struct oracle_terms *terms)
{
    int64_t lacking = terms->minimum_fee - account->period_micros - terms->fee;
    account->open.fees += terms->fee;
    if (lacking > 0)
        account->open.minimums += lacking;
    account->period_crawls = 0;
    account->period_micros = 0;
}

/* An invoice over all since the last one, or nothing while too little is due. What credit notes left over
 * makes none by itself. */
static void invoice(struct oracle *oracle, size_t crawler, const struct oracle_terms *terms, size_t end)
{
    struct oracle_account *account = &oracle->accounts[crawler];
    int64_t subtotal = subtotal_of(&account->open), due = account->carried + subtotal;
    if (subtotal <= 0 || due < oracle->minor || due < terms->minimum_invoice)
        return;
    struct oracle_document made = account->open;
    made.crawler = crawler;
    made.day = oracle->closed;
    made.carried_in = account->carried;
    made.subtotal = subtotal;
    made.carried_out = due % oracle->minor;
    made.net = due - made.carried_out;
    made.net_minor = made.net / oracle->minor;
    made.tax_ppm = terms->tax_ppm;
    made.tax_minor = tax(made.net_minor, terms->tax_ppm);
    made.total_minor = made.net_minor + made.tax_minor;
    made.due_days = terms->due_days;
    account->carried = made.carried_out;
    account->open = (struct oracle_document){0};
    add_document(oracle, &made);
    for (size_t i = 0; i < end; i++)
        if (oracle->entries[i].crawler == crawler && oracle->entries[i].invoice == ORACLE_NONE)
            oracle->entries[i].invoice = oracle->document_count - 1;
}

void oracle_close(struct oracle *oracle)
{
    assert_true(oracle->closed + 1 < oracle->day_count);
    const struct oracle_day *day = &oracle->days[oracle->closed];
    size_t end = oracle->entries_closed;
    while (end < oracle->entry_count && oracle->entries[end].at_ms < day->ends_ms)
        end++;
    for (size_t crawler = 0; crawler < oracle->account_count; crawler++) {
        const struct oracle_terms *terms = terms_of(oracle, &oracle->accounts[crawler]);
        add_crawls(oracle, crawler, terms, end);
        take_back(oracle, crawler);
        if (!ends_period(terms->cadence, day->date, day[1].date))
            continue;
        end_period(&oracle->accounts[crawler], terms);
        invoice(oracle, crawler, terms, end);
    }
    oracle->entries_closed = end;
    oracle->closed++;
}

int64_t oracle_owed(const struct oracle *oracle, size_t crawler)
{
    int64_t owed = oracle->accounts[crawler].carried + subtotal_of(&oracle->accounts[crawler].open);
    for (size_t i = 0; i < oracle->document_count; i++) {
        const struct oracle_document *document = &oracle->documents[i];
        if (document->crawler == crawler)
            owed += (document->credit_note ? -document->total_minor
                                           : document->total_minor - document->paid_minor) *
                    oracle->minor;
    }
    return owed;
}
