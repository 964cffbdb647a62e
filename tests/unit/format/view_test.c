/* What the page and the paper have in common. Tests ledger/format/bill/view.c, as format_test.c does. */
#include "ledger/format/bill/rendering.h"
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

/* What was held back until there was an agreement may be of two years, which are more than a page has points:
 * both pictures of the days are drawn all the same. */
static void a_bill_of_more_days_than_points_is_drawn(void **state)
{
    static const char *const formats[] = {"pdf", "html"};
    json_t *document = json_pack("{s:s,s:s,s:s,s:i}", "number", "INV-1", "kind", "invoice", "currency", "USD",
                                 "currency_decimals", 2);
    json_t *days = json_array();
    (void)state;
    for (int i = 0; i < 800; i++)
        json_array_append_new(
            days, json_pack("{s:s,s:i,s:i}", "date", "2026-11-20", "entries", 1, "sum_micros", 1000 * i));
    json_object_set_new(document, "days", days);
    struct document opened;
    document_open_complete(document, &opened);
    assert_int_equal(opened.days.count, 800);
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        struct format_output out = {0};
        if (!rendering_called(formats[i])->render(&opened, &out))
            fail_msg("%s: %s", formats[i], out.error);
        assert_true(out.len > 1000);
        free(out.bytes);
    }
    document_free(&opened);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_room_for_all_facts),
        cmocka_unit_test(a_bill_of_more_days_than_points_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
