/* What an invoice does to the books is decided once, for all formats. The three amounts must come to zero:
 * a program that is given a transaction that does not balance refuses the file, or worse, adds what is
 * missing. */
#include "ledger/format/bill/booking.h"

#include "ledger/base/text/amount.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A part of an account's name that all programs take: letters, digits and dashes, a capital letter or digit
 * first. The exact name of who it is stands in each transaction. */
static void name(char out[BOOKING_NAME_MAX], const char *above, const char *text)
{
    const char *scheme = strstr(text, "://");
    size_t start = (size_t)snprintf(out, BOOKING_NAME_MAX, "%s:", above);
    size_t len = start;
    assert(start < BOOKING_NAME_MAX);
    /* One dash for each run of other characters, and none at the ends, so that a URL can still be read. */
    for (const char *c = scheme ? scheme + 3 : text; *c && len + 1 < BOOKING_NAME_MAX; c++)
        if (isalnum((unsigned char)*c) || (len > start && out[len - 1] != '-'))
            out[len++] = isalnum((unsigned char)*c) ? *c : '-';
    len -= len > start && out[len - 1] == '-';
    assert(len < BOOKING_NAME_MAX);
    out[len] = '\0';
    out[start] = (char)toupper((unsigned char)out[start]);
    if (len == start)
        snprintf(out + start, BOOKING_NAME_MAX - start, "Unknown");
    assert(isupper((unsigned char)out[start]) || isdigit((unsigned char)out[start]));
}

bool booking_open(struct booking *book, const struct document *document, struct format_output *out)
{
    *book = (struct booking){.document = document,
                             .currency = document->currency,
                             .decimals = (int)document->currency_decimals,
                             .sign = document_is_credit_note(document) ? -1 : 1,
                             .net = document->net_minor,
                             .tax = document->tax.amount_minor,
                             .total = document->total_minor};
    /* Looked at, and not asserted: the document may come from a file. */
    int64_t sum;
    bool adds_up = amount_add(book->net, book->tax, &sum) && sum == book->total;
    if (!adds_up || book->decimals < 0 || book->decimals > 4)
        return format_fail(out, "invoice %.60s does not add up", document->number);
    if (strlen(book->currency) != 3 || strlen(document->issue_date) != 10)
        return format_fail(out, "invoice %.60s has no currency or date", document->number);
    name(book->accounts[BOOKING_RECEIVABLE], "Assets:Receivable", document->agent);
    name(book->accounts[BOOKING_INCOME], "Income:Crawls", document->site);
    snprintf(book->accounts[BOOKING_TAX], BOOKING_NAME_MAX, "Liabilities:Tax");
    snprintf(book->accounts[BOOKING_BANK], BOOKING_NAME_MAX, "Assets:Bank");
    snprintf(book->accounts[BOOKING_BAD_DEBT], BOOKING_NAME_MAX, "Expenses:Bad-Debt");
    assert(book->accounts[BOOKING_RECEIVABLE][0] && book->accounts[BOOKING_INCOME][0]);
    return true;
}

struct losses {
    const char *since;
    int64_t open; /* at some time then or later; below zero if more came */
    int64_t lost; /* as told */
    void (*tell)(void *context, const struct booking_loss *loss);
    void *context;
};

static bool is_later(const struct losses *losses, const char *date)
{
    return strncmp(date, losses->since, 10) > 0;
}

static void tell_change(struct losses *losses, const char *date)
{
    int64_t lost = losses->open > 0 ? losses->open : 0;
    if (lost != losses->lost)
        losses->tell(losses->context, &(struct booking_loss){date, lost - losses->lost});
    losses->lost = lost;
}

static void receive(struct losses *losses, const char *date, int64_t minor)
{
    if (!is_later(losses, date))
        return;
    losses->open -= minor;
    tell_change(losses, date);
}

void booking_losses(const struct booking *book, void (*tell)(void *context, const struct booking_loss *loss),
                    void *context)
{
    const struct document *document = book->document;
    struct losses losses = {document->written_off_on, document->open_minor, 0, tell, context};
    if (!*losses.since)
        return;
    for (size_t i = 0; i < document->payments.count; i++)
        if (is_later(&losses, document->payments.items[i].received_on))
            losses.open += document->payments.items[i].amount_minor;
    for (size_t i = 0; i < document->credit_notes.count; i++)
        if (is_later(&losses, document->credit_notes.items[i].date))
            losses.open += document->credit_notes.items[i].total_minor;
    tell_change(&losses, losses.since);
    for (size_t i = 0; i < document->payments.count; i++)
        receive(&losses, document->payments.items[i].received_on, document->payments.items[i].amount_minor);
    for (size_t i = 0; i < document->credit_notes.count; i++)
        receive(&losses, document->credit_notes.items[i].date, document->credit_notes.items[i].total_minor);
}
