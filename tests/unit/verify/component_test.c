/* Components of RFC 9421: the examples of its section 2, what each parameter does, and what is refused.
 * Tests ledger/base/http/message.c, ledger/verify/query_param.c */
#include "tests/unit/support.h"

#include "ledger/verify/component.h"
#include "ledger/verify/query_param.h"

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
    return component_base(arena, message, list.first, base, NULL);
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
        {"\"signature-agent\";sf", "\"https://a.example\""},
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
        const char *why = NULL;
        enum err err =
            query_param_value(fresh_arena(), slice_of(cases[i].query), slice_of(cases[i].name), &value, &why);
        if (err != (cases[i].value ? ERR_OK : ERR_MALFORMED_SIGNATURE))
            fail_msg("err %d: %s in %s", err, cases[i].name, cases[i].query);
        assert_int_equal(why != NULL, err == ERR_MALFORMED_SIGNATURE);
        if (err == ERR_OK)
            assert_slice(value, cases[i].value);
    }
}

/* Names that are passed over cost no memory: requests may have many. */
static void a_long_query_takes_no_more_memory(void **state)
{
    char memory[1024], query[8192];
    struct arena arena;
    struct slice value;
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(query) - 3; i += 4)
        memcpy(query + i, "ab=&", 4);
    memcpy(query + sizeof(query) - 4, "z=1", 4);
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(query_param_value(&arena, slice_of(query), SLICE("z"), &value, &why), ERR_OK);
    assert_slice(value, "1");
}

/* RFC 9421 section 2.2.5. */
static void the_request_target_is_as_it_was_sent(void **state)
{
    struct arena *arena = fresh_arena();
    struct message message = request_of(arena, "GET /p?x=1\nhost: a.example");
    struct slice base;
    (void)state;
    assert_int_equal(base_of(arena, &message, "(\"@request-target\" \"@path\")", &base), ERR_OK);
    assert_true(slice_starts(base, SLICE("\"@request-target\": /p?x=1\n\"@path\": /p\n")));
    message.absolute_target = SLICE("https://a.example/p?x=1");
    assert_int_equal(base_of(arena, &message, "(\"@request-target\" \"@path\")", &base), ERR_OK);
    assert_true(slice_starts(base, SLICE("\"@request-target\": https://a.example/p?x=1\n\"@path\": /p\n")));
}

/* What is wrong, and the text that it is about. */
static const struct {
    const char *input;
    const char *why;
    const char *text;
} not_covered[] = {
    {"(\"missing\")", "the field is not there", "missing"},
    {"(\"missing\";bs)", "the field is not there", "missing"},
    {"(\"{x\")", "this is no name of a field, in lower case", "{x"},
    {"(\"@query-param\";name=\"\")", "the query does not have this parameter", ""},
    {"(\"host\" \"host\")", "a component is covered twice", "host"},
    {"(\"@method\" \"@method\")", "a component is covered twice", "@method"},
    {"(\"dict\";key=\"a\" \"dict\";key=\"a\")", "a component is covered twice", "dict"},
    {"(\"payment\";key=\"id\";sf \"payment\";sf;key=\"id\")", "a component is covered twice", "payment"},
    {"(\"@query-param\";name=\"x\" \"@query-param\";name=\"x\")", "a component is covered twice",
     "@query-param"},
    {"(\"dict\";key=\"zz\")", "the field does not have the covered member", "zz"},
    {"(\"dict\";key=\"\")", "the field does not have the covered member", ""},
    {"(\"dict\";sf)", "with ;sf the type of the field must be known, and it is not", "dict"},
    {"(\"dict\";sf;key=\"a\")", "with ;sf and ;key the field must be known as a dictionary, and is not",
     "dict"},
    {"(\"cache-status\";sf;key=\"a\")",
     "with ;sf and ;key the field must be known as a dictionary, and is not", "cache-status"},
    {"(\"priority\";sf)", "with ;sf the field must parse as its type, and does not", "priority"},
    {"(\"twice\";key=\"a\")", "a member is covered of a field in which one stands twice", "twice"},
    {"(\"x-two\";bs;sf)", "the parameter ;bs excludes ;sf and ;key", "x-two"},
    {"(\"dict\";bs;key=\"a\")", "the parameter ;bs excludes ;sf and ;key", "dict"},
    {"(\"x-two\";bs=?0)", "a component's parameter is not known, or not of its type", "bs"},
    {"(\"x-two\";bs=1)", "a component's parameter is not known, or not of its type", "bs"},
    {"(\"payment\";sf=\"x\")", "a component's parameter is not known, or not of its type", "sf"},
    {"(\"host\";key=\"a\")", "the field does not have the covered member", "a"},
    {"(\"x-bytes\";key=\"a\")", "a member is covered of a field that is no dictionary", "x-bytes"},
    {"(\"host\";name=\"a\")", "a field has no parameter ;name", "host"},
    {"(\"@status\")", "a request has no status", "@status"},
    {"(\"@unknown\")", "there is no such component", "@unknown"},
    {"(\"@signature-params\")", "there is no such component", "@signature-params"},
    {"(\"@\")", "there is no such component", "@"},
    {"(\"@method\";sf)", "the parameters ;sf, ;bs and ;key are for fields", "@method"},
    {"(\"@method\";bs)", "the parameters ;sf, ;bs and ;key are for fields", "@method"},
    {"(\"@method\";key=\"a\")", "the parameters ;sf, ;bs and ;key are for fields", "@method"},
    {"(\"@method\";name=\"a\")", "only @query-param has a parameter ;name", "@method"},
    {"(\"@authority\";req)", "the parameter ;req is for responses", "@authority"},
    {"(\"host\";req)", "the parameter ;req is for responses", "host"},
    {"(\"host\";req=?0)", "a component's parameter is not known, or not of its type", "req"},
    {"(\"host\";tr)", "a component's parameter is not known, or not of its type", "tr"},
    {"(\"host\";unknown)", "a component's parameter is not known, or not of its type", "unknown"},
    {"(\"@query-param\")", "@query-param has no ;name", "@query-param"},
    {"(\"@query-param\";name=x)", "a component's parameter is not known, or not of its type", "name"},
    {"(\"@query-param\";name=\"z\")", "the query does not have this parameter", "z"},
    {"(\"dict\";key=\"a\";key=\"b\")", "a component has a parameter twice", "dict"},
    {"(\"dict\";key=a)", "a component's parameter is not known, or not of its type", "key"},
    {"(\"Host\")", "this is no name of a field, in lower case", "Host"},
    {"(\"\")", "this is no name of a field, in lower case", ""},
    {"(\"ho st\")", "this is no name of a field, in lower case", "ho st"},
    {"(\"host\\\"\")", "this is no name of a field, in lower case", "host\""},
    {"(host)", "a component is no string in double quotes", ""},
    {"(1)", "a component is no string in double quotes", ""},
    {"(\"x-bytes\")", "its value has control characters, or others than ASCII", "x-bytes"},
    {"(\"@unknown-header\")", "there is no such component", "@unknown-header"},
};

static void what_cannot_be_covered_is_refused_and_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_covered) / sizeof(*not_covered); i++) {
        struct arena *arena = fresh_arena();
        struct message message = request_of(arena, request_text);
        struct fault fault = {"nothing", SLICE("")};
        struct sf_list list;
        struct slice base;
        assert_true(sf_parse_list(arena, slice_of(not_covered[i].input), &list));
        if (component_base(arena, &message, list.first, &base, &fault) != ERR_MALFORMED_SIGNATURE ||
            strcmp(fault.why, not_covered[i].why) != 0 ||
            !slice_eq(fault.text, slice_of(not_covered[i].text)))
            fail_msg("%s, %.*s: %s", fault.why, (int)fault.text.len, fault.text.data, not_covered[i].input);
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
        enum err err = component_base(&small, &message, list.first, &base, NULL);
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
    response.status = 999;
    assert_int_equal(response_base(arena, &response, "(\"@status\")", &base), ERR_OK);
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
        cmocka_unit_test(a_long_query_takes_no_more_memory),
        cmocka_unit_test(names_of_query_parameters_are_written_anew),
        cmocka_unit_test(what_cannot_be_covered_is_refused_and_told),
        cmocka_unit_test(the_request_target_is_as_it_was_sent),
        cmocka_unit_test(different_members_are_different_components),
        cmocka_unit_test(line_ends_and_controls_are_no_values),
        cmocka_unit_test(a_field_without_bytes_is_empty_and_not_absent),
        cmocka_unit_test(too_many_components_are_refused),
        cmocka_unit_test(a_full_arena_is_a_refusal),
        cmocka_unit_test(responses_cover_their_request_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
