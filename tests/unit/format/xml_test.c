/* XML written by us is read back as it was meant; what XML cannot hold, and what is dangerous, is refused. */
#include "tests/unit/support.h"

#include "ledger/format/xml.h"

#include <stdlib.h>
#include <string.h>

static void written_is_escaped(void **state)
{
    size_t len = 0;
    (void)state;
    struct xml *xml = xml_new("Invoice", "urn:a");
    xml_prefix(xml, "cbc", "urn:b");
    xml_leaf(xml, "cbc:ID", "a < b & \"c\"");
    xml_leaf(xml, "cbc:Empty", "");
    xml_open(xml, "cbc:Amount");
    xml_attribute(xml, "currencyID", "E\"R<");
    xml_text(xml, "12.30");
    char *text = xml_finish(xml, &len);
    assert_string_equal(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                              "<Invoice xmlns=\"urn:a\" xmlns:cbc=\"urn:b\">\n"
                              "  <cbc:ID>a &lt; b &amp; &quot;c&quot;</cbc:ID>\n"
                              "  <cbc:Amount currencyID=\"E&quot;R&lt;\">12.30</cbc:Amount>\n"
                              "</Invoice>\n");
    assert_int_equal(len, strlen(text));
    free(text);
}

static void unwritable_text_fails(void **state)
{
    static const char *const texts[] = {"\x01", "a\x1f", "\xff\xfe", "\xc3"};
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct xml *xml = xml_new("a", "urn:a");
        xml_leaf(xml, "b", texts[i]);
        xml_leaf(xml, "c", "good");
        assert_null(xml_finish(xml, &len));
    }
}

static void read_by_local_names(void **state)
{
    static const char text[] =
        "<d:Doc xmlns:d='urn:x'><d:N a='1'> one </d:N><O/><d:N a='2'><i>&lt;2</i></d:N>"
        "</d:Doc>";
    char error[200], out[16];
    (void)state;
    struct xml_tree *tree = xml_read(SLICE(text), error);
    assert_non_null(tree);
    const xml_element *element = xml_find(xml_root(tree), "N");
    assert_string_equal(xml_name(xml_root(tree)), "Doc");
    assert_string_equal(xml_value(element, "", out, sizeof(out)), "one");
    assert_string_equal(xml_value(element, "i", out, sizeof(out)), "");
    element = xml_next(element);
    assert_string_equal(xml_attribute_value(element, "a", out, sizeof(out)), "2");
    assert_string_equal(xml_value(element, "i", out, sizeof(out)), "<2");
    assert_string_equal(xml_value(element, "i", out, 2), ""); /* it does not fit */
    assert_null(xml_next(element));
    assert_null(xml_find(xml_root(tree), "N/i/j"));
    xml_tree_free(tree);
}

static void bad_documents_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "<a>",
        "<a></b>",
        "plain text",
        "<a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x 'yy'>]><a>&x;&x;</a>",
    };
    char error[200];
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        error[0] = '\0';
        assert_null(xml_read(slice_of(texts[i]), error));
        assert_true(strlen(error) > 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_escaped),
        cmocka_unit_test(unwritable_text_fails),
        cmocka_unit_test(read_by_local_names),
        cmocka_unit_test(bad_documents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
