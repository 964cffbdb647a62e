/* What the page and the paper have in common. Tests ledger/format/bill/view.c, as format_test.c does. */
#include "ledger/format/bill/view.h"
#include "tests/unit/support.h"
#include "tests/unit/support_document.h"

/* An invoice that replaces one, was replaced by another, and has an order's number. */
static void there_is_room_for_all_facts(void **state)
{
    static const char *const labels[] = {"Number", "Date", "Due",     "Replaces", "Replaced by", "Period",
                                         "Made",   "Site", "Crawler", "Crawls",   "Order"};
    json_t *document = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:{s:s,s:s,s:s},s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s}}",
        "number", "INV-2", "kind", "invoice", "issue_date", "2026-11-21", "due_date", "2026-12-21", "made_at",
        "2026-11-21T01:01:00.000Z", "scheduled_at", "2026-11-21T01:00:00.000Z", "site", "news", "agent",
        "https://crawler.example", "entries", 3, "currency", "USD", "currency_decimals", 2, "period",
        "first_date", "2026-11-20", "last_date", "2026-11-20", "time_zone", "UTC", "replaces", "number",
        "INV-1", "date", "2026-11-20", "replaced_by", "number", "INV-3", "date", "2026-11-22", "buyer",
        "name", "Crawler Inc.", "purchase_order", "PO-1");
    struct document opened;
    (void)state;
    assert_non_null(document);
    document_open_complete(document, &opened);
    struct view *view = view_of(&opened);
    assert_non_null(view);
    assert_int_equal(view->facts.count, sizeof(labels) / sizeof(*labels));
    for (size_t i = 0; i < view->facts.count; i++)
        assert_string_equal(view->facts.items[i].label, labels[i]);
    assert_string_equal(view->facts.items[3].value, "INV-1 of 2026-11-20");
    assert_string_equal(view->facts.items[4].value, "INV-3 of 2026-11-22");
    assert_string_equal(view->facts.items[10].value, "PO-1");
    view_free(view);
    document_free(&opened);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_room_for_all_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
