/* What an invoice that was written off does to the books, in each format of plain-text accounting.
 * Tests ledger/format/bill/booking.c, ledger/format/bill/journal.c, ledger/format/bill/beancount.c */
#define _DEFAULT_SOURCE /* strsep */
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *rendered(const char *format, const json_t *document)
{
    struct format_output out = {0};
    if (!document_render(document, rendering_called(format)->render, &out))
        fail_msg("%s: %s", format, out.error);
    return out.bytes;
}

/* What the postings to an account come to, in minor units. */
static int64_t posted(const char *format, const json_t *document, const char *account)
{
    char *text = rendered(format, document);
    int64_t sum = 0;
    for (char *at = text, *line; (line = strsep(&at, "\n"));) {
        char name[80], number[40];
        if (sscanf(line, " %79s %39s EUR", name, number) != 2 ||
            strncmp(name, account, strlen(account)) != 0 || !strchr(number, '.'))
            continue;
        char *dot = strchr(number, '.');
        memmove(dot, dot + 1, strlen(dot));
        sum += strtoll(number, NULL, 10);
    }
    free(text);
    return sum;
}

static void pay(json_t *document, int64_t minor, const char *date)
{
    json_array_append_new(
        json_object_get(document, "payments"),
        json_pack("{s:I,s:s,s:s}", "amount_minor", minor, "reference", date, "received_on", date));
    json_object_set_new(document, "open_minor", json_integer(format_number(document, "open_minor") - minor));
}

static void assert_books(const json_t *document, int64_t owed, int64_t lost)
{
    static const char *const formats[] = {"hledger", "ledger", "beancount"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        assert_int_equal(posted(formats[i], document, "Assets:Receivable"), owed);
        assert_int_equal(posted(formats[i], document, "Expenses:Bad-Debt"), lost);
    }
}

static void what_is_written_off_is_bad_debt(void **state)
{
    const int64_t total = 2400;
    (void)state;
    json_t *document =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:I,s:I,s:s,s:{s:s},s:{s:I},s:[]}", "number",
                  "INV-2026-000123", "kind", "invoice", "site", "gazette", "agent", "https://crawler.example",
                  "issue_date", "2026-11-30", "currency", "EUR", "currency_decimals", 2, "net_minor",
                  total - 400, "total_minor", total, "open_minor", total, "status", "issued", "buyer", "name",
                  "Crawler GmbH", "tax", "amount_minor", INT64_C(400), "payments");
    assert_non_null(document);
    pay(document, 1, "2026-12-05");
    assert_books(document, total - 1, 0);
    json_object_set_new(document, "status", json_string("written-off"));
    json_object_set_new(document, "written_off_on", json_string("2026-12-05"));
    assert_books(document, 0, total - 1);
    /* What comes later was not lost; what more comes is owed back, and no gain. */
    pay(document, 2, "2026-12-06");
    assert_books(document, 0, total - 3);
    pay(document, total, "2026-12-07");
    assert_books(document, -3, 0);
    pay(document, -3, "2026-12-08");
    assert_books(document, 0, 0);
    json_object_set_new(
        document, "credit_notes",
        json_pack("[{s:s,s:s,s:I}]", "number", "CN-1", "date", "2026-12-09", "total_minor", total));
    pay(document, -total, "2026-12-09");
    json_object_set_new(document, "open_minor", json_integer(0));
    /* The credit note takes the same from what is owed, in a file of its own. */
    assert_books(document, total, 0);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_off_is_bad_debt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
