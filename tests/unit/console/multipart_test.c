/* Forms with files: what browsers send is taken apart, and what is broken is refused, wherever it is cut. */
#include "tests/unit/support.h"

#include "server/console/base/multipart.h"

#define TYPE "multipart/form-data; boundary=AaB03x"
#define FORM                                                                                                 \
    "--AaB03x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n7\r\n"                                   \
    "--AaB03x\r\ncontent-type: text/plain\r\n"                                                               \
    "content-disposition: form-data; name=\"file\"; filename=\"a;b.txt\"\r\n\r\n"                            \
    "one\r\n--AaB03\r\r\ntwo\r\n"                                                                            \
    "--AaB03x\r\nContent-Disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n--AaB03x--"

static void parts_are_what_was_sent(void **state)
{
    (void)state;
    struct multipart form;
    struct multipart_part part;
    assert_true(multipart_begin(&form, SLICE(TYPE), SLICE(FORM "\r\n")));
    assert_true(multipart_next(&form, &part));
    assert_true(slice_eq(part.name, SLICE("id")) && slice_eq(part.content, SLICE("7")));
    assert_null(part.filename.data);
    assert_true(multipart_next(&form, &part));
    assert_true(slice_eq(part.name, SLICE("file")) && slice_eq(part.filename, SLICE("a;b.txt")));
    assert_true(slice_eq(part.content, SLICE("one\r\n--AaB03\r\r\ntwo")));
    assert_true(multipart_next(&form, &part));
    assert_true(slice_eq(part.name, SLICE("empty")) && part.filename.data && part.filename.len == 0);
    assert_int_equal(part.content.len, 0);
    assert_false(multipart_next(&form, &part));
    assert_true(form.ended);
}

static void a_form_that_is_cut_never_ends(void **state)
{
    (void)state;
    const struct slice whole = SLICE(FORM);
    for (size_t len = 0; len < whole.len; len++) {
        struct multipart form;
        struct multipart_part part;
        int parts = 0;
        if (!multipart_begin(&form, SLICE(TYPE), (struct slice){whole.data, len}))
            continue;
        while (multipart_next(&form, &part))
            parts++;
        assert_true(parts <= 3);
        assert_false(form.ended);
    }
}

static void types_name_a_boundary(void **state)
{
    (void)state;
    struct multipart form;
    const struct slice body = SLICE("--a b--");
    assert_true(multipart_begin(&form, SLICE("multipart/form-data; charset=utf-8; boundary=\"a b\""), body));
    assert_true(slice_eq(form.boundary, SLICE("a b")));
    assert_true(multipart_begin(&form, SLICE("multipart/form-data;boundary=a"), SLICE("--a--")));
    assert_false(multipart_begin(&form, SLICE("multipart/form-data"), body));
    assert_false(multipart_begin(&form, SLICE("multipart/form-data; boundary="), body));
    assert_false(multipart_begin(&form, SLICE("multipart/form-data; boundary=\"\""), body));
    assert_false(multipart_begin(&form, SLICE("multipart/form-data; boundary=b"), body));
    assert_false(multipart_begin(&form, SLICE("multipart/form-data; boundary=a"), SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_what_was_sent),
        cmocka_unit_test(a_form_that_is_cut_never_ends),
        cmocka_unit_test(types_name_a_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
