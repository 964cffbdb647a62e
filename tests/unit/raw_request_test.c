/* Raw requests as text: what becomes of each, and what is no request. */
#include "tests/unit/support.h"

#include "tools/crawltab/gate/raw_request.h"

static bool parse(const char *text, const char *scheme, struct message *message, const char **why)
{
    return raw_request_parse(fresh_arena(), slice_of(text), scheme, message, why);
}

static void a_request_becomes_a_message(void **state)
{
    struct message message;
    const char *why;
    (void)state;
    assert_true(parse(
        "\r\nGET /a?b=c HTTP/1.1\r\nHost: Example.COM:443\r\nX-Two: 1\r\nx-two:2 \r\nEmpty:\r\n\r\nbody",
        "https", &message, &why));
    assert_null(why);
    assert_slice(message.method, "GET");
    assert_slice(message.scheme, "https");
    assert_slice(message.authority, "example.com");
    assert_slice(message.target, "/a?b=c");
    assert_int_equal(message.field_count, 4);
    assert_slice(message.fields[1].name, "x-two");
    assert_slice(slice_trim(message.fields[2].value), "2");
    assert_slice(message.fields[3].name, "empty");
}

static void the_body_is_as_long_as_it_says(void **state)
{
    struct message message;
    const char *why;
    (void)state;
    assert_true(
        parse("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 04 \r\n\r\na\r\nbc", "https", &message, &why));
    assert_slice(message.body, "a\r\nb");
    assert_true(parse("GET / HTTP/1.1\nHost: a\n\n\nmore", "https", &message, &why));
    assert_int_equal(message.body.len, 0);
    assert_true(parse("GET / HTTP/1.1\nHost: a", "https", &message, &why));
    assert_int_equal(message.body.len, 0);
}

static void the_scheme_says_which_port_is_left_out(void **state)
{
    static const struct {
        const char *host, *scheme, *authority;
    } cases[] = {{"a.example:443", "https", "a.example"},
                 {"a.example:80", "https", "a.example:80"},
                 {"a.example:80", "http", "a.example"},
                 {"a.example:8402", "http", "a.example:8402"},
                 {"[2001:DB8::1]:443", "https", "[2001:db8::1]"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct arena *arena = fresh_arena();
        struct message message;
        const char *why;
        struct slice text = arena_format(arena, "GET / HTTP/1.1\nHost: %s\n\n", cases[i].host);
        assert_true(raw_request_parse(arena, text, cases[i].scheme, &message, &why));
        assert_slice(message.authority, cases[i].authority);
    }
}

static void folds_become_one_space(void **state)
{
    struct message message;
    const char *why;
    (void)state;
    assert_true(
        parse("GET / HTTP/1.1\r\nHost: a\r\nX:  one \r\n\t  two\r\n three\r\n\r\n", "https", &message, &why));
    assert_slice(message.fields[1].value, "one two three");
}

static void absolute_targets_name_their_host(void **state)
{
    struct message message;
    const char *why;
    (void)state;
    assert_true(parse("GET https://A.example/x?y HTTP/1.1\nHost: b.example\n\n", "https", &message, &why));
    assert_slice(message.authority, "a.example");
    assert_slice(message.target, "/x?y");
    assert_slice(message.absolute_target, "https://A.example/x?y");
    assert_true(parse("GET http://a.example HTTP/1.1\n\n", "http", &message, &why));
    assert_slice(message.target, "/");
}

static void what_is_no_request_is_told(void **state)
{
    static const char *const cases[][2] = {
        {"", "the first line is not"},
        {"hello", "the first line is not"},
        {"GET /", "the first line is not"},
        {"GET  HTTP/1.1\nHost: a\n\n", "the first line is not"},
        {"GET /a b HTTP/1.1\nHost: a\n\n", "the first line is not"},
        {"G(T / HTTP/1.1\nHost: a\n\n", "the first line is not"},
        {"GET / HTTP/1.1\n\n", "Host is missing"},
        {"GET / HTTP/1.1\nHost:\n\n", "Host is missing"},
        {"GET / HTTP/1.1\nHost: a\nHost: a\n\n", "Host stands twice"},
        {"GET a HTTP/1.1\nHost: a\n\n", "the target is neither"},
        {"GET / HTTP/1.1\nHost: a\nnonsense\n\n", "a line is not"},
        {"GET / HTTP/1.1\nHost : a\n\n", "a line is not"},
        {"GET / HTTP/1.1\n: a\n\n", "a line is not"},
        {"GET / HTTP/1.1\n folded\n\n", "a folded line"},
        {"GET / HTTP/1.1\nHost: a\nX: a\rb\n\n", "a field holds"},
        {"PUT / HTTP/1.1\nHost: a\nContent-Length: 3\n\nab", "the body is shorter than Content-Length says"},
        {"PUT / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999999\n\nab",
         "the body is shorter than Content-Length says"},
        {"PUT / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 1\n\na", "Content-Length stands twice"},
        {"PUT / HTTP/1.1\nHost: a\nContent-Length: +1\n\na", "Content-Length is no number"},
        {"PUT / HTTP/1.1\nHost: a\nContent-Length:\n\na", "Content-Length is no number"},
        {"PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "the body has a Transfer-Encoding"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message message;
        const char *why = NULL;
        if (parse(cases[i][0], "https", &message, &why) ||
            strncmp(why, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("case %zu: %s", i, why ? why : "taken");
    }
}

static void too_many_fields_are_told(void **state)
{
    static char text[RAW_REQUEST_FIELDS_MAX * 8 + 64] = "GET / HTTP/1.1\nHost: a\n";
    struct message message;
    const char *why;
    (void)state;
    for (int i = 0; i < RAW_REQUEST_FIELDS_MAX; i++)
        memcpy(text + strlen(text), "x: y\n", 6);
    assert_false(parse(text, "https", &message, &why));
    assert_string_equal(why, "the request has more fields than are looked at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_a_message),
        cmocka_unit_test(the_body_is_as_long_as_it_says),
        cmocka_unit_test(the_scheme_says_which_port_is_left_out),
        cmocka_unit_test(folds_become_one_space),
        cmocka_unit_test(absolute_targets_name_their_host),
        cmocka_unit_test(what_is_no_request_is_told),
        cmocka_unit_test(too_many_fields_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
