/* The invoice document: every member is read, and missed with its name. */
#include "tests/unit/support.h"

#include "ledger/base/identifier/einvoice.h"
#include "ledger/format/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(kind, name, ...) +1

/* A credit note with everything that a document can have. */
static const char whole[] =
    "{\"number\":\"CN-7\",\"kind\":\"credit-note\",\"replaces\":{\"number\":\"a\",\"date\":\"b\"},"
    "\"replaced_by\":{\"number\":\"c\",\"date\":\"d\"},\"corrects\":{\"number\":\"INV-3\","
    "\"date\":\"2026-10-31\"},\"site\":\"gazette\",\"network\":\"gazette:402\","
    "\"agent\":\"https://crawler.example\",\"issue_date\":\"2026-11-30\","
    "\"issued_at\":\"2026-12-01T00:01:00.000Z\",\"made_at\":\"2026-12-01T00:01:00.000Z\",\"scheduled_at\":"
    "\"2026-12-01T00:00:00.000Z\",\"due_date\":\"2026-12-30\",\"currency\":\"EUR\","
    "\"currency_decimals\":2,\"period\":{\"first_date\":\"2026-11-01\",\"last_date\":\"2026-11-30\","
    "\"starts_at\":\"2026-10-31T23:00:00.000Z\",\"ends_at\":\"2026-11-30T23:00:00.000Z\","
    "\"time_zone\":\"Europe/Paris\"},\"seller\":{\"name\":\"Gazette\",\"street\":\"a\","
    "\"street_2\":\"b\",\"city\":\"c\",\"postal_code\":\"d\",\"region\":\"e\",\"country\":\"FR\","
    "\"tax_id\":\"f\",\"registration\":\"g\",\"registration_scheme\":\"0002\",\"contact\":\"u\","
    "\"phone\":\"v\",\"tax_registration\":\"w\",\"email\":\"h\",\"website\":\"i\",\"endpoint\":\"j:k\","
    "\"purchase_order\":\"l\",\"reference\":\"x\",\"logo\":\"m\",\"iban\":\"n\",\"bic\":\"o\","
    "\"creditor_id\":\"p\",\"ach_destination\":\"q\",\"ach_destination_name\":\"r\","
    "\"ach_origin\":\"s\",\"ach_company_id\":\"t\"},\"buyer\":{\"name\":\"Crawler\",\"street\":\"a\","
    "\"street_2\":\"b\",\"city\":\"c\",\"postal_code\":\"d\",\"region\":\"e\",\"country\":\"DE\","
    "\"tax_id\":\"f\",\"registration\":\"g\",\"registration_scheme\":\"0002\",\"contact\":\"u\","
    "\"phone\":\"v\",\"tax_registration\":\"w\",\"email\":\"h\",\"website\":\"i\",\"endpoint\":\"j:k\","
    "\"purchase_order\":\"l\",\"reference\":\"x\",\"logo\":\"m\",\"iban\":\"n\",\"bic\":\"o\","
    "\"creditor_id\":\"p\",\"ach_destination\":\"q\",\"ach_destination_name\":\"r\","
    "\"ach_origin\":\"s\",\"ach_company_id\":\"t\"},\"settlement\":{\"rail\":\"ach\",\"scheme\":\"a\","
    "\"iban\":\"b\",\"bic\":\"c\",\"mandate_id\":\"d\",\"mandate_date\":\"e\",\"routing_number\":\"f\","
    "\"account\":\"g\",\"kind\":\"h\",\"network\":\"i\",\"asset\":\"j\",\"pay_to\":\"k\",\"currency\":\"l\","
    "\"decimals\":6},\"agreement\":{\"version\":3,\"text\":\"Agreed.\"},\"lines\":[{\"line\":1,"
    "\"kind\":\"refund\",\"description\":\"Refund\",\"quantity\":1,\"unit_price_micros\":2500000,"
    "\"amount_micros\":2500000,\"payment_id\":\"x\"},{\"line\":2,\"kind\":\"void\","
    "\"description\":\"Void\",\"quantity\":-2,\"unit_price_micros\":9000000000000000000,"
    "\"amount_micros\":-5,\"payment_id\":null}],\"entries\":0,\"carried_in_micros\":1,"
    "\"subtotal_micros\":2,\"net_micros\":3,\"carried_out_micros\":4,\"net_minor\":5,"
    "\"tax\":{\"treatment\":\"standard\",\"rate_ppm\":190000,\"amount_minor\":6,\"note\":\"\"},"
    "\"total_minor\":7,\"total\":\"0.07\",\"rounding\":\"Down.\",\"notice\":\"A "
    "trial.\",\"status\":\"issued\","
    "\"status_at\":\"2026-12-01T00:01:00.000Z\",\"paid_minor\":8,\"credited_minor\":9,\"applied_minor\":2,"
    "\"open_minor\":-10,\"written_off_on\":\"2027-02-03\",\"disputed_micros\":12,"
    "\"events\":[{\"event\":\"issued\",\"at\":\"2026-12-01T00:01:00.000Z\","
    "\"actor\":\"root\",\"detail\":\"\"}],\"payments\":[{\"amount_minor\":1,\"reference\":\"r\","
    "\"received_on\":\"2026-12-05\",\"recorded_at\":\"2026-12-06T00:00:00.000Z\"}],"
    "\"applied\":[{\"number\":\"INV-2\",\"amount_minor\":-3,\"at\":\"2026-12-06T00:00:00.000Z\"}],"
    "\"credit_notes\":[{\"number\":\"CN-1\",\"date\":\"2026-11-02\",\"total_minor\":1}],"
    "\"days\":[{\"date\":\"2026-11-01\",\"entries\":1,\"sum_micros\":5}],"
    "\"entries_url\":\"https://gazette.example/crawls\",\"mark\":\"400001\","
    "\"mark_url\":\"https://tax.example\"}";

static json_t *load(void)
{
    json_t *json = json_loads(whole, 0, NULL);
    assert_non_null(json);
    return json;
}

/* Whether a document may be without this member. */
static bool may_be_left_out(const char *path)
{
    return strncmp(path, "settlement.", 11) == 0 || strcmp(path, "entries_url") == 0 ||
           strcmp(path, "disputed_micros") == 0 || strcmp(path, "notice") == 0 || strcmp(path, "mark") == 0 ||
           strcmp(path, "mark_url") == 0 || strcmp(path, "written_off_on") == 0 ||
           (strncmp(path, "seller.", 7) == 0 && strcmp(path, "seller.name") != 0) ||
           (strncmp(path, "buyer.", 6) == 0 && strcmp(path, "buyer.name") != 0);
}

static bool may_be_null(const char *path)
{
    static const char *const paths[] = {"corrects", "replaces", "replaced_by",         "agreement",
                                        "made_at",  "due_date", "lines[0].payment_id", "lines[1].payment_id"};
    bool found = may_be_left_out(path);
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        found = found || strcmp(paths[i], path) == 0;
    return found;
}

static void everything_is_read(void **state)
{
    char problem[DOCUMENT_PROBLEM_MAX] = "";
    struct document document;
    json_t *json = load();
    (void)state;
    if (!document_open(json, &document, problem))
        fail_msg("%s", problem);
    json_decref(json); /* the document has a reference of its own */
    assert_true(document_is_credit_note(&document));
    assert_string_equal(document.corrects.number, "INV-3");
    assert_string_equal(document.period.ends_at, "2026-11-30T23:00:00.000Z");
    assert_string_equal(document.seller.ach_company_id, "t");
    assert_string_equal(document.buyer.name, "Crawler");
    assert_int_equal(document.settlement.decimals, 6);
    assert_int_equal(document.agreement.version, 3);
    assert_int_equal(document.lines.count, 2);
    assert_int_equal(document.lines.items[1].quantity, -2);
    assert_int_equal(document.lines.items[1].unit_price_micros, INT64_C(9000000000000000000));
    assert_string_equal(document.lines.items[0].payment_id, "x");
    assert_string_equal(document.lines.items[1].payment_id, "");
    assert_int_equal(document.tax.rate_ppm, 190000);
    assert_int_equal(document.open_minor, -10);
    assert_string_equal(document.written_off_on, "2027-02-03");
    assert_int_equal(document.disputed_micros, 12);
    assert_string_equal(document.notice, "A trial.");
    assert_string_equal(document.events.items[0].actor, "root");
    assert_string_equal(document.payments.items[0].received_on, "2026-12-05");
    assert_int_equal(document.credit_notes.items[0].total_minor, 1);
    assert_int_equal(document.days.items[0].sum_micros, 5);
    assert_ptr_equal(document.settlement.json, json_object_get(document.json, "settlement"));
    assert_true(document_set_entries_url(&document, "https://other.example/"));
    assert_string_equal(document.entries_url, "https://other.example/");
    assert_false(document_set_entries_url(&document, "\xff"));
    assert_true(document_set_mark(&document, "4000", NULL));
    assert_string_equal(document.mark, "4000");
    assert_string_equal(document.mark_url, "https://tax.example");
    document_free(&document);
    document_free(&document);
}

/* So that the tests below try every one that is listed. */
static void the_whole_has_what_is_listed(void **state)
{
    json_t *json = load();
    (void)state;
    assert_int_equal(json_object_size(json), DOCUMENT(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "corrects")), DOCUMENT_REFERENCE(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "period")), DOCUMENT_PERIOD(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "seller")), DOCUMENT_PARTY(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "buyer")), DOCUMENT_PARTY(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "settlement")), DOCUMENT_SETTLEMENT(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "agreement")), DOCUMENT_AGREEMENT(COUNT));
    assert_int_equal(json_object_size(json_object_get(json, "tax")), DOCUMENT_TAX(COUNT));
    const json_t *line = json_array_get(json_object_get(json, "lines"), 1),
                 *event = json_array_get(json_object_get(json, "events"), 0),
                 *payment = json_array_get(json_object_get(json, "payments"), 0),
                 *note = json_array_get(json_object_get(json, "credit_notes"), 0),
                 *day = json_array_get(json_object_get(json, "days"), 0);
    assert_int_equal(json_object_size(line), DOCUMENT_LINE(COUNT));
    assert_int_equal(json_object_size(event), DOCUMENT_EVENT(COUNT));
    assert_int_equal(json_object_size(payment), DOCUMENT_PAYMENT(COUNT));
    assert_int_equal(json_object_size(note), DOCUMENT_CREDIT_NOTE(COUNT));
    assert_int_equal(json_object_size(day), DOCUMENT_DAY(COUNT));
    json_decref(json);
}

/* Opens the document as it is now; `expected` NULL: it can be opened. */
static void expect(json_t *json, const char *path, const char *expected)
{
    char problem[DOCUMENT_PROBLEM_MAX] = "";
    struct document document;
    bool opened = document_open(json, &document, problem);
    if (opened != !expected)
        fail_msg("%s: %s, not %s", path, opened ? "opened" : problem, expected ? expected : "opened");
    if (expected) {
        char whole_problem[DOCUMENT_PROBLEM_MAX];
        snprintf(whole_problem, sizeof(whole_problem), "%s %s", path, expected);
        assert_string_equal(problem, whole_problem);
        assert_null(document.json);
    }
    document_free(&document);
}

static const char *kind_of(const json_t *value)
{
    return json_is_string(value)    ? "is no text"
           : json_is_integer(value) ? "is no integer"
           : json_is_object(value)  ? "is no object"
                                    : "is no list";
}

/* Takes each member of the object away, makes it null, and makes it something else, and puts it back. */
static size_t try_members(json_t *top, json_t *object, const char *path)
{
    size_t tried = 0;
    json_t *copy = json_copy(object), *value;
    const char *name;
    json_object_foreach(copy, name, value)
    {
        char at[96];
        snprintf(at, sizeof(at), "%s%s", path, name);
        bool null = json_is_null(value);
        json_object_del(object, name);
        expect(top, at, may_be_left_out(at) ? NULL : "is missing");
        json_object_set_new(object, name, json_null());
        expect(top, at, may_be_null(at) ? NULL : kind_of(value));
        json_object_set_new(object, name, json_true());
        expect(top, at, null ? "is no text" : kind_of(value));
        json_object_set_new(object, name, json_real(1.5));
        expect(top, at, null ? "is no text" : kind_of(value));
        json_object_set(object, name, value);
        tried++;
    }
    json_decref(copy);
    return tried;
}

static size_t try_all(json_t *top, json_t *object, const char *path)
{
    size_t tried = try_members(top, object, path), i;
    const char *name;
    json_t *value, *item;
    char at[96];
    json_object_foreach(object, name, value)
    {
        snprintf(at, sizeof(at), "%s%s.", path, name);
        if (json_is_object(value))
            tried += try_all(top, value, at);
        json_array_foreach(value, i, item)
        {
            snprintf(at, sizeof(at), "%s%s[%zu].", path, name, i);
            tried += try_all(top, item, at);
        }
    }
    return tried;
}

static void each_member_is_missed_by_name(void **state)
{
    json_t *json = load();
    (void)state;
    size_t tried = try_all(json, json, "");
    assert_int_equal(tried, DOCUMENT(COUNT) + 3 * (DOCUMENT_REFERENCE(COUNT)) + DOCUMENT_PERIOD(COUNT) +
                                2 * (DOCUMENT_PARTY(COUNT)) + DOCUMENT_SETTLEMENT(COUNT) +
                                DOCUMENT_AGREEMENT(COUNT) + DOCUMENT_TAX(COUNT) + 2 * (DOCUMENT_LINE(COUNT)) +
                                DOCUMENT_EVENT(COUNT) + DOCUMENT_PAYMENT(COUNT) + DOCUMENT_APPLIED(COUNT) +
                                DOCUMENT_CREDIT_NOTE(COUNT) + DOCUMENT_DAY(COUNT));
    expect(json, "", NULL); /* all is back */
    json_array_set_new(json_object_get(json, "lines"), 1, json_string("x"));
    expect(json, "lines[1]", "is no object");
    json_decref(json);
    json = json_array();
    expect(json, "number", "is missing");
    json_decref(json);
}

static void what_is_null_reads_as_empty(void **state)
{
    char problem[DOCUMENT_PROBLEM_MAX];
    struct document document;
    json_t *json = load();
    (void)state;
    json_object_set_new(json, "corrects", json_null());
    json_object_set_new(json, "agreement", json_null());
    json_object_set_new(json, "due_date", json_null());
    json_object_set_new(json, "settlement", json_object());
    json_object_set_new(json, "days", json_array());
    assert_true(document_open(json, &document, problem));
    assert_string_equal(document.corrects.number, "");
    assert_null(document.corrects.json);
    assert_int_equal(document.agreement.version, 0);
    assert_string_equal(document.agreement.text, "");
    assert_string_equal(document.due_date, "");
    assert_string_equal(document.settlement.rail, "");
    assert_int_equal(document.settlement.decimals, 0);
    assert_int_equal(document.days.count, 0);
    document_free(&document);
    json_decref(json);
}

/* The rules of countries name members of parties. */
static void a_party_is_read_by_names_of_rules(void **state)
{
    char problem[DOCUMENT_PROBLEM_MAX];
    struct document document;
    json_t *json = load();
    (void)state;
    assert_true(document_open(json, &document, problem));
    assert_string_equal(document_party_text(&document.seller, "tax_registration"), "w");
    assert_string_equal(document_party_text(&document.buyer, "name"), "Crawler");
    for (const struct einvoice_need *need = einvoice_needs; *need->country; need++)
        assert_true(*document_party_text(&document.seller, need->member));
    document_free(&document);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(the_whole_has_what_is_listed),
        cmocka_unit_test(each_member_is_missed_by_name),
        cmocka_unit_test(what_is_null_reads_as_empty),
        cmocka_unit_test(a_party_is_read_by_names_of_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
