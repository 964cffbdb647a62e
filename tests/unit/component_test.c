/* Components of RFC 9421: the examples of its section 2, what each parameter does, and what is refused. */
#include "tests/unit/support.h"

#include "server/verify/component.h"
#include "server/verify/query_param.h"

#include <stdio.h>

static const char request_text[] = "GET /p%41th?x=1&y\n"
                                   "host: a.example\n"
                                   "x-two: a \n"
                                   "x-two:   b\n"
                                   "x-empty:\n"
                                   "x-tab: a\tb\n"
                                   "dict: a=1,    b=2;x=1;y=2\n"
                                   "dict: c=(a   b), d\n"
                                   "twice: a=1, a=2\n"
                                   "payment: scheme=\"deferred\",   id=\"x\"\n"
                                   "cache-status: a;hit ,   b\n"
                                   "client-cert:  :AAAA: \n"
                                   "priority: u=1, u=2\n"
                                   "signature-agent: \"https://a.example\"\n"
                                   "x-bytes: \xc3\xbc, x";

/* "\x01." in a request's text stands for CR LF: the texts are read by lines. */
static void fold(struct arena *arena)
{
    for (size_t i = 0; i + 1 < arena->used; i++)
        if (arena->memory[i] == '\x01' && arena->memory[i + 1] == '.') {
            arena->memory[i] = '\r';
            arena->memory[i + 1] = '\n';
        }
}

static enum err base_of(struct arena *arena, const struct message *message, const char *input,
                        struct slice *base)
{
    struct sf_list list;
    assert_true(sf_parse_list(arena, slice_of(input), &list));
    return component_base(arena, message, list.first, base);
}

static void covers(const char *request, const char *component, const char *value)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, request);
    char input[256];
    char expected[1024];
    struct slice base;
    fold(arena);
    snprintf(input, sizeof(input), "(%s)", component);
    snprintf(expected, sizeof(expected), "%s: %s\n\"@signature-params\": %s", component, value, input);
    enum err err = base_of(arena, &message, input, &base);
    if (err != ERR_OK)
        fail_msg("err %d: %s", err, component);
    assert_slice(base, expected);
}

struct component_case {
    const char *component;
    const char *value;
};

static void components_have_the_values_of_the_rfc(void **state)
{
    static const struct component_case cases[] = {
        {"\"@method\"", "GET"},
        {"\"@scheme\"", "https"},
        {"\"@authority\"", "a.example"},
        {"\"@target-uri\"", "https://a.example/p%41th?x=1&y"},
        {"\"@request-target\"", "/p%41th?x=1&y"},
        {"\"@path\"", "/p%41th"},
        {"\"@query\"", "?x=1&y"},
        {"\"@query-param\";name=\"x\"", "1"},
        {"\"@query-param\";name=\"y\"", ""},
        {"\"x-two\"", "a, b"},
        {"\"x-empty\"", ""},
        {"\"x-tab\"", "a\tb"},
        {"\"dict\";key=\"a\"", "1"},
        {"\"dict\";key=\"b\"", "2;x=1;y=2"},
        {"\"dict\";key=\"c\"", "(a b)"},
        {"\"dict\";key=\"d\"", "?1"},
        {"\"payment\"", "scheme=\"deferred\",   id=\"x\""},
        {"\"payment\";sf", "scheme=\"deferred\", id=\"x\""},
        {"\"payment\";sf;key=\"id\"", "\"x\""},
        {"\"payment\";key=\"id\";sf", "\"x\""},
        {"\"cache-status\";sf", "a;hit, b"},
        {"\"client-cert\";sf", ":AAAA:"},
        {"\"x-two\";bs", ":YQ==:, :Yg==:"},
        {"\"x-empty\";bs", "::"},
        {"\"x-bytes\";bs", ":w7wsIHg=:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        covers(request_text, cases[i].component, cases[i].value);
}

/* Sections 2.1, 2.1.2, 2.1.3 and 2.2.8, as printed. */
static void the_examples_of_section_2(void **state)
{
    static const char fields[] = "GET /parameters?var=this%20is%20a%20big%0Amultiline%20value&"
                                 "bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something\n"
                                 "host: www.example.com\n"
                                 "x-ows-header:   Leading and trailing whitespace.   \n"
                                 "x-obs-fold-header: Obsolete\x01.    line folding.\n"
                                 "cache-control: max-age=60\n"
                                 "cache-control:    must-revalidate\n"
                                 "example-dict:  a=1,    b=2;x=1;y=2,   c=(a   b   c), d\n"
                                 "example-header: value, with, lots\n"
                                 "example-header: of, commas";
    static const struct component_case cases[] = {
        {"\"host\"", "www.example.com"},
        {"\"x-ows-header\"", "Leading and trailing whitespace."},
        {"\"x-obs-fold-header\"", "Obsolete line folding."},
        {"\"cache-control\"", "max-age=60, must-revalidate"},
        {"\"example-dict\"", "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"},
        {"\"example-dict\";key=\"a\"", "1"},
        {"\"example-dict\";key=\"d\"", "?1"},
        {"\"example-dict\";key=\"b\"", "2;x=1;y=2"},
        {"\"example-dict\";key=\"c\"", "(a b c)"},
        {"\"example-header\"", "value, with, lots, of, commas"},
        {"\"example-header\";bs", ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"},
        {"\"@query-param\";name=\"var\"", "this%20is%20a%20big%0Amultiline%20value"},
        {"\"@query-param\";name=\"bar\"", "with%20plus%20whitespace"},
        {"\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\"", "something"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        covers(fields, cases[i].component, cases[i].value);
    const char *query = "GET /path?param=value&foo=bar&baz=batman&qux=\nhost: a";
    covers(query, "\"@query-param\";name=\"baz\"", "batman");
    covers(query, "\"@query-param\";name=\"qux\"", "");
    covers(query, "\"@query-param\";name=\"param\"", "value");
    covers("GET /\nx!#$%&'*+-.^_`|~9z: 1", "\"x!#$%&'*+-.^_`|~9z\"", "1");
    covers("GET /?\nhost: a", "\"@query\"", "?");
    covers("GET /\nhost: a", "\"@query\"", "?");
    covers("OPTIONS *\nhost: a", "\"@request-target\"", "*");
    covers("GET ?a\nhost: a", "\"@path\"", "/");
}

static void folded_lines_are_unfolded(void **state)
{
    static const struct component_case cases[] = {
        {"a \x01. \tb", "a b"}, {"a\x01. b\x01. c", "a b c"}, {"\x01. a", "a"},
        {"a\x01. ", "a"},       {"\x01. \x01. a", "a"},       {"\x01. ", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char request[128];
        snprintf(request, sizeof(request), "GET /\nhost: a\nfolded:%s", cases[i].component);
        covers(request, "\"folded\"", cases[i].value);
    }
}

static void names_of_query_parameters_are_written_anew(void **state)
{
    static const struct {
        const char *query;
        const char *name;
        const char *value; /* NULL: refused */
    } cases[] = {
        {"a=1&b=2", "a", "1"},
        {"a=1&a=1", "a", NULL},
        {"a=1&%61=2", "a", NULL},
        {"a=1&b=2", "c", NULL},
        {"", "a", NULL},
        {"a", "a", ""},
        {"a=b=c", "a", "b%3Dc"},
        {"&&a=1&&", "a", "1"},
        {"=1", "", "1"},
        {"a=~!*'()-._", "a", "%7E%21*%27%28%29-._"},
        {"a=%7e%2a%zz%4", "a", "%7E*%25zz%254"},
        {"a=%", "a", "%25"},
        {"a%20b=1", "a%20b", "1"},
        {"a+b=1", "a%20b", "1"},
        {"a+b=1", "a+b", NULL},
        {"a%20b=1&a+b=2", "a%20b", NULL},
        {"a=\xc3\xa9", "a", "%C3%A9"},
        {"a=%c3%a9Z9", "a", "%C3%A9Z9"},
        {"a=%c3", "a", NULL},
        {"a=1&%ff=2", "a", NULL},
        {"a=1&A=2", "A", "2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice value;
        enum err err =
            query_param_value(fresh_arena(), slice_of(cases[i].query), slice_of(cases[i].name), &value);
        if (err != (cases[i].value ? ERR_OK : ERR_MALFORMED_SIGNATURE))
            fail_msg("err %d: %s in %s", err, cases[i].name, cases[i].query);
        if (err == ERR_OK)
            assert_slice(value, cases[i].value);
    }
}

static void what_cannot_be_covered_is_refused(void **state)
{
    static const char *const inputs[] = {
        "(\"missing\")",
        "(\"missing\";bs)",
        "(\"{x\")",
        "(\"@query-param\";name=\"\")",
        "(\"host\" \"host\")",
        "(\"@method\" \"@method\")",
        "(\"dict\";key=\"a\" \"dict\";key=\"a\")",
        "(\"payment\";key=\"id\";sf \"payment\";sf;key=\"id\")",
        "(\"@query-param\";name=\"x\" \"@query-param\";name=\"x\")",
        "(\"dict\";key=\"zz\")",
        "(\"dict\";key=\"\")",
        "(\"dict\";sf)",
        "(\"dict\";sf;key=\"a\")",
        "(\"cache-status\";sf;key=\"a\")",
        "(\"signature-agent\";sf)",
        "(\"priority\";sf)",
        "(\"twice\";key=\"a\")",
        "(\"x-two\";bs;sf)",
        "(\"dict\";bs;key=\"a\")",
        "(\"x-two\";bs=?0)",
        "(\"x-two\";bs=1)",
        "(\"payment\";sf=\"x\")",
        "(\"host\";key=\"a\")",
        "(\"x-bytes\";key=\"a\")",
        "(\"host\";name=\"a\")",
        "(\"@status\")",
        "(\"@unknown\")",
        "(\"@signature-params\")",
        "(\"@\")",
        "(\"@method\";sf)",
        "(\"@method\";bs)",
        "(\"@method\";key=\"a\")",
        "(\"@method\";name=\"a\")",
        "(\"@authority\";req)",
        "(\"host\";req)",
        "(\"host\";req=?0)",
        "(\"host\";tr)",
        "(\"host\";unknown)",
        "(\"@query-param\")",
        "(\"@query-param\";name=x)",
        "(\"@query-param\";name=\"z\")",
        "(\"dict\";key=\"a\";key=\"b\")",
        "(\"dict\";key=a)",
        "(\"Host\")",
        "(\"\")",
        "(\"ho st\")",
        "(\"host\\\"\")",
        "(host)",
        "(1)",
        "(\"x-bytes\")",
        "(\"@unknown-header\")",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(*inputs); i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(arena, request_text);
        struct slice base;
        if (base_of(arena, &message, inputs[i], &base) != ERR_MALFORMED_SIGNATURE)
            fail_msg("taken: %s", inputs[i]);
    }
}

static void different_members_are_different_components(void **state)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, request_text);
    struct slice base;
    (void)state;
    assert_int_equal(base_of(arena, &message,
                             "(\"dict\";key=\"a\" \"dict\";key=\"b\" \"dict\" \"dict\";bs \"payment\" "
                             "\"payment\";sf \"@query-param\";name=\"x\" \"@query-param\";name=\"y\")",
                             &base),
                     ERR_OK);
}

static void line_ends_and_controls_are_no_values(void **state)
{
    static const struct slice values[] = {
        {"a\rb", 3},  {"a\nb", 3},  {"a\r\nb", 4}, {"a\0b", 3},
        {"a\x7f", 2}, {"a\x80", 2}, {"\r\n", 2},   {"a\r", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct arena *arena = fresh_arena();
        struct message_field field = {SLICE("x"), values[i]};
        struct message message = {.fields = &field, .field_count = 1};
        struct slice base;
        assert_int_equal(base_of(arena, &message, "(\"x\")", &base), ERR_MALFORMED_SIGNATURE);
        assert_int_equal(base_of(arena, &message, "(\"x\";bs)", &base), ERR_OK);
    }
    struct message tab = {.method = SLICE("GE\tT"), .target = SLICE("/")};
    struct slice base;
    assert_int_equal(base_of(fresh_arena(), &tab, "(\"@method\")", &base), ERR_MALFORMED_SIGNATURE);
}

static void a_field_without_bytes_is_empty_and_not_absent(void **state)
{
    struct message_field field = {SLICE("x"), {NULL, 0}};
    struct message message = {.fields = &field, .field_count = 1};
    bool absent;
    (void)state;
    assert_slice(component_field(fresh_arena(), &message, SLICE("x"), &absent), "");
    assert_false(absent);
    assert_null(component_field(fresh_arena(), &message, SLICE("y"), &absent).data);
    assert_true(absent);
    assert_null(message_field_next(&message, &field));
}

static void too_many_components_are_refused(void **state)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, "GET /\nhost: a.example\ndict: a");
    char input[1024] = "(";
    struct slice base;
    (void)state;
    for (int i = 0; i < 25; i++)
        snprintf(input + strlen(input), sizeof(input) - strlen(input), "%s\"@query-param\";name=\"x%d\"",
                 i ? " " : "", i);
    snprintf(input + strlen(input), sizeof(input) - strlen(input), ")");
    message.target =
        SLICE("/?x0&x1&x2&x3&x4&x5&x6&x7&x8&x9&x10&x11&x12&x13&x14&x15&x16&x17&x18&x19&x20&x21&x22"
              "&x23&x24");
    assert_int_equal(base_of(arena, &message, input, &base), ERR_MALFORMED_SIGNATURE);
    char *last = strrchr(input, ' ');
    snprintf(last, 3, ")");
    assert_int_equal(base_of(arena, &message, input, &base), ERR_OK);
}

/* Every step may find the arena full; that is said, and nothing worse happens. */
static void a_full_arena_is_a_refusal(void **state)
{
    static char memory[16384];
    static char input_memory[8192];
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, request_text);
    struct arena inputs;
    struct sf_list list;
    bool built = false;
    size_t refused = 0;
    (void)state;
    arena_init(&inputs, input_memory, sizeof(input_memory));
    assert_true(sf_parse_list(
        &inputs,
        SLICE("(\"@target-uri\" \"@query-param\";name=\"y\" \"x-two\";bs \"x-two\" \"dict\";key=\"b\" "
              "\"payment\";sf \"@query\")"),
        &list));
    for (size_t size = 0; size <= sizeof(memory); size++) {
        struct arena small;
        struct slice base;
        arena_init(&small, memory, size);
        enum err err = component_base(&small, &message, list.first, &base);
        assert_true(err == ERR_OK || !built);
        assert_true(err == ERR_OK || err == ERR_REQUEST_TOO_LARGE || err == ERR_MALFORMED_SIGNATURE);
        refused += err == ERR_REQUEST_TOO_LARGE;
        built = err == ERR_OK;
    }
    assert_true(built && refused > 100);
}

static enum err response_base(struct arena *arena, const struct message_response *response, const char *input,
                              struct slice *base)
{
    struct sf_list list;
    assert_true(sf_parse_list(arena, slice_of(input), &list));
    return component_response_base(arena, response, list.first, base);
}

/* Section 2.4, and the directory's proof of Web Bot Auth. */
static void responses_cover_their_request_too(void **state)
{
    static const char *const refused[] = {
        "(\"@authority\")", "(\"@method\")",      "(\"@status\";req)",         "(\"@status\";name=\"a\")",
        "(\"x-two\")",      "(\"missing\";req)",  "(\"content-digest\";req)",  "(\"@status\";sf)",
        "(\"@status\";bs)", "(\"@unknown\";req)", "(\"content-digest\";req=1)"};
    struct arena *arena = fresh_arena();
    struct message request = request_of(arena, request_text);
    struct message_field fields[] = {{SLICE("content-digest"), SLICE("sha-256=:AAAA:")},
                                     {SLICE("host"), SLICE("other")}};
    struct message_response response = {
        .status = 200, .fields = fields, .field_count = 2, .request = &request};
    struct slice base;
    (void)state;
    assert_int_equal(response_base(arena, &response,
                                   "(\"@status\" \"@authority\";req \"content-digest\" \"host\" \"host\";req "
                                   "\"dict\";key=\"b\";req \"x-two\";req;bs \"content-digest\";sf)",
                                   &base),
                     ERR_OK);
    assert_slice(base, "\"@status\": 200\n"
                       "\"@authority\";req: a.example\n"
                       "\"content-digest\": sha-256=:AAAA:\n"
                       "\"host\": other\n"
                       "\"host\";req: a.example\n"
                       "\"dict\";key=\"b\";req: 2;x=1;y=2\n"
                       "\"x-two\";req;bs: :YQ==:, :Yg==:\n"
                       "\"content-digest\";sf: sha-256=:AAAA:\n"
                       "\"@signature-params\": (\"@status\" \"@authority\";req \"content-digest\" \"host\" "
                       "\"host\";req \"dict\";key=\"b\";req \"x-two\";req;bs \"content-digest\";sf)");
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (response_base(arena, &response, refused[i], &base) != ERR_MALFORMED_SIGNATURE)
            fail_msg("taken: %s", refused[i]);
    response.request = NULL;
    assert_int_equal(response_base(arena, &response, "(\"host\";req)", &base), ERR_MALFORMED_SIGNATURE);
    assert_int_equal(response_base(arena, &response, "(\"host\")", &base), ERR_OK);
    response.status = 99;
    assert_int_equal(response_base(arena, &response, "(\"@status\")", &base), ERR_MALFORMED_SIGNATURE);
    response.status = 1000;
    assert_int_equal(response_base(arena, &response, "(\"@status\")", &base), ERR_MALFORMED_SIGNATURE);
    response.status = 200;
    struct sf_list list;
    assert_true(sf_parse_list(arena, SLICE("(\"@status\")"), &list));
    arena_init(arena, NULL, 0);
    assert_int_equal(component_response_base(arena, &response, list.first, &base), ERR_REQUEST_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_have_the_values_of_the_rfc),
        cmocka_unit_test(the_examples_of_section_2),
        cmocka_unit_test(folded_lines_are_unfolded),
        cmocka_unit_test(names_of_query_parameters_are_written_anew),
        cmocka_unit_test(what_cannot_be_covered_is_refused),
        cmocka_unit_test(different_members_are_different_components),
        cmocka_unit_test(line_ends_and_controls_are_no_values),
        cmocka_unit_test(a_field_without_bytes_is_empty_and_not_absent),
        cmocka_unit_test(too_many_components_are_refused),
        cmocka_unit_test(a_full_arena_is_a_refusal),
        cmocka_unit_test(responses_cover_their_request_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
