/* Plain-text accounting for beancount: the same bookings as in journal.c. Accounts are opened by a plugin
 * that comes with it, so that files can be put together. */
#include "ledger/format/bill/rendering.h"

#include "ledger/base/text/amount.h"
#include "ledger/format/bill/booking.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void quoted(FILE *out, const char *text)
{
    /* No line feeds: a name that a crawler chose must not look like a posting of its own. */
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
    fputc('"', out);
}

/* Links have a small alphabet. */
static void link_to(FILE *out, const char *number)
{
    fputs(" ^", out);
    for (; *number; number++)
        fputc(isalnum((unsigned char)*number) || strchr("-_/.", *number) ? *number : '-', out);
}

static void posting(FILE *out, const struct booking *book, enum booking_account account, int64_t minor)
{
    assert(account < BOOKING_COUNT);
    char amount[AMOUNT_TEXT_MAX];
    if (minor != 0)
        fprintf(out, "  %-48s  %20s %s\n", book->accounts[account],
                amount_format_minor(minor, book->decimals, amount), book->currency);
}

static void head(FILE *out, const struct booking *book, const char *date, const char *what)
{
    char narration[120];
    int len = snprintf(narration, sizeof(narration), "%s %.80s", what, book->document->number);
    assert(len > 0 && (size_t)len < sizeof(narration));
    fprintf(out, "\n%.10s * ", date);
    quoted(out, book->document->buyer.name);
    fputc(' ', out);
    quoted(out, narration);
    link_to(out, book->document->number);
    fputs("\n  agent: ", out);
    quoted(out, book->document->agent);
    fputc('\n', out);
}

struct page {
    FILE *out;
    const struct booking *book;
};

static void write_loss(void *context, const struct booking_loss *loss)
{
    const struct page *page = context;
    head(page->out, page->book, loss->date, loss->minor > 0 ? "written off:" : "came after all:");
    posting(page->out, page->book, BOOKING_BAD_DEBT, loss->minor);
    posting(page->out, page->book, BOOKING_RECEIVABLE, -loss->minor);
}

bool beancount_render(const struct document *document, struct format_output *out)
{
    struct booking book;
    if (!booking_open(&book, document, out))
        return false;
    FILE *file = open_memstream(&out->bytes, &out->len);
    if (!file)
        return format_fail(out, "no memory");
    fputs("plugin \"beancount.plugins.auto_accounts\"\n", file);
    head(file, &book, document->issue_date, book.sign > 0 ? "invoice" : "credit note");
    /* The three come to zero, as booking_open has seen to: beancount refuses what does not. */
    assert(book.net + book.tax == book.total);
    posting(file, &book, BOOKING_RECEIVABLE, book.sign * book.total);
    posting(file, &book, BOOKING_INCOME, -book.sign * book.net);
    posting(file, &book, BOOKING_TAX, -book.sign * book.tax);
    for (size_t i = 0; i < document->payments.count; i++) {
        const struct document_payment *payment = &document->payments.items[i];
        int64_t minor = payment->amount_minor;
        head(file, &book, payment->received_on, "payment of");
        posting(file, &book, BOOKING_BANK, minor);
        posting(file, &book, BOOKING_RECEIVABLE, -minor);
    }
    booking_losses(&book, write_loss, &(struct page){file, &book});
    return format_close(file, out);
}
