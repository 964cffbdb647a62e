/* Plain-text accounting: the journal that hledger and ledger both read, with what their strict checks want to
 * be declared; only a currency without decimals is declared to each in its own way. An invoice debits what
 * the crawler owes and credits income and tax; a credit note the other way round; a payment moves what is
 * owed to the bank, and what was written off goes to bad debt. Amounts are those of the invoice, in minor
 * units. */
#include "ledger/format/bill/rendering.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/bill/booking.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What would end a description or start a comment becomes a space. */
static void words(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || strchr(";|()", *text) ? ' ' : *text, out);
}

static void posting(FILE *out, const struct booking *book, const char *account, int64_t minor)
{
    char amount[AMOUNT_TEXT_MAX];
    /* Without tax there is no posting of tax: a zero would only ask for an account that nobody has. */
    if (minor != 0)
        fprintf(out, "    %-48s  %20s %s\n", account, amount_format_minor(minor, book->decimals, amount),
                book->currency);
}

static void head(FILE *out, const struct booking *book, const char *date, const char *what)
{
    fprintf(out, "\n%.10s * (", date);
    words(out, book->document->number);
    fputs(") ", out);
    words(out, book->document->buyer.name);
    fprintf(out, "\n    ; %s\n    ; ", what);
    words(out, book->document->agent);
    fputc('\n', out);
}

/* hledger wants a decimal mark also where no decimals follow, which ledger cannot read. */
static void declarations(FILE *out, const struct booking *book, bool mark)
{
    assert(book->decimals >= 0 && book->decimals <= 4);
    /* By a sample number, whose decimals are those that the commodity is shown with. */
    fprintf(out, "commodity %s\n    format 1000%s%.*s %s\n\n", book->currency,
            mark || book->decimals > 0 ? "." : "", book->decimals, "0000", book->currency);
    for (size_t i = 0; i < BOOKING_COUNT; i++)
        if (i != BOOKING_BAD_DEBT || *book->document->written_off_on)
            fprintf(out, "account %s\n", book->accounts[i]);
}

struct page {
    FILE *out;
    const struct booking *book;
};

static void write_loss(void *context, const struct booking_loss *loss)
{
    const struct page *page = context;
    head(page->out, page->book, loss->date, loss->minor > 0 ? "written off" : "came after all");
    posting(page->out, page->book, page->book->accounts[BOOKING_BAD_DEBT], loss->minor);
    posting(page->out, page->book, page->book->accounts[BOOKING_RECEIVABLE], -loss->minor);
}

static bool render(const struct document *document, bool mark, struct format_output *out)
{
    struct booking book;
    if (!booking_open(&book, document, out))
        return false;
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    assert(book.net + book.tax == book.total); /* or the three postings would not balance */
    declarations(file, &book, mark);
    head(file, &book, document->issue_date, book.sign > 0 ? "invoice for crawls" : "credit note for crawls");
    posting(file, &book, book.accounts[BOOKING_RECEIVABLE], book.sign * book.total);
    posting(file, &book, book.accounts[BOOKING_INCOME], -book.sign * book.net);
    posting(file, &book, book.accounts[BOOKING_TAX], -book.sign * book.tax);
    for (size_t i = 0; i < document->payments.count; i++) {
        const struct document_payment *payment = &document->payments.items[i];
        int64_t minor = payment->amount_minor;
        head(file, &book, payment->received_on, "payment");
        posting(file, &book, book.accounts[BOOKING_BANK], minor);
        posting(file, &book, book.accounts[BOOKING_RECEIVABLE], -minor);
    }
    booking_losses(&book, write_loss, &(struct page){file, &book});
    return format_close(file, out);
}

bool hledger_render(const struct document *document, struct format_output *out)
{
    return render(document, true, out);
}

bool ledger_render(const struct document *document, struct format_output *out)
{
    return render(document, false, out);
}
