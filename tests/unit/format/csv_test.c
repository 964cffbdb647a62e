/* Invoices as CSV, cell by cell. Tests ledger/format/bill/csv.c */
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows without the first, of an invoice to this buyer. */
static char *rows_of(const char *buyer)
{
    struct format_output out = {0};
    json_t *document = json_pack(
        "{s:s,s:s,s:s,s:i,s:{s:s},s:[{s:i,s:s,s:s,s:i,s:i,s:i},{s:i,s:s,s:s,s:i,s:i,s:i}],s:i,s:i,s:i,s:i,"
        "s:{s:i},s:i,s:i,s:i,s:i}",
        "number", "INV-1", "kind", "invoice", "currency", "EUR", "currency_decimals", 2, "buyer", "name",
        buyer, "lines", "line", 1, "kind", "crawls", "description", "articles", "quantity", 3,
        "unit_price_micros", 2500, "amount_micros", 7500, "line", 2, "kind", "included", "description",
        "articles, included", "quantity", -1, "unit_price_micros", 2500, "amount_micros", -2500,
        "carried_in_micros", 12300, "carried_out_micros", 7300, "net_minor", 1, "total_minor", 3, "tax",
        "amount_minor", 2, "paid_minor", 12000, "credited_minor", 701, "applied_minor", -123456, "open_minor",
        999);
    assert_non_null(document);
    if (!document_render(document, csv_render, &out))
        fail_msg("%s", out.error);
    json_decref(document);
    char *rows = strdup(strstr(out.bytes, "\r\n") + 2);
    free(out.bytes);
    return rows;
}

/* Whatever it begins with that a spreadsheet would compute. */
static void no_cell_is_a_formula(void **state)
{
    static const char *const starts[] = {"=", "+", "-", "@", "\t", "\r"};
    char buyer[8], cell[16];
    (void)state;
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
        snprintf(buyer, sizeof(buyer), "%sA1", starts[i]);
        char *rows = rows_of(buyer);
        snprintf(cell, sizeof(cell), ",\"'%s\",", buyer);
        assert_non_null(strstr(rows, cell));
        snprintf(cell, sizeof(cell), ",\"%s\",", buyer);
        assert_null(strstr(rows, cell));
        free(rows);
    }
}

static void each_number_is_in_its_row(void **state)
{
    static const char expected[] = "\"crawls\",\"articles\",3,0.0025,0.0075\r\n"
                                   "\"included\",\"articles, included\",-1,0.0025,-0.0025\r\n"
                                   "\"carried-in\",\"\",,,0.0123\r\n"
                                   "\"carried-out\",\"\",,,-0.0073\r\n"
                                   "\"net\",\"\",,,0.01\r\n"
                                   "\"tax\",\"\",,,0.02\r\n"
                                   "\"total\",\"\",,,0.03\r\n"
                                   "\"paid\",\"\",,,120.00\r\n"
                                   "\"credited\",\"\",,,7.01\r\n"
                                   "\"applied-credit\",\"\",,,-1234.56\r\n"
                                   "\"open\",\"\",,,9.99\r\n";
    const char *at = expected;
    char *rows = rows_of("Crawler GmbH");
    (void)state;
    for (const char *row = rows; *row; row = strstr(row, "\r\n") + 2) {
        size_t len = strcspn(at, "\n") + 1;
        assert_memory_equal(strstr(row, "\"EUR\",") + strlen("\"EUR\","), at, len);
        at += len;
    }
    assert_string_equal(at, "");
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cell_is_a_formula),
        cmocka_unit_test(each_number_is_in_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
