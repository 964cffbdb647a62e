/* Raw requests as text: what becomes of each, and what is no request. Tests
 * ledger/base/http/message.c */
#include "tests/unit/support.h"

#include "tools/crawltab/gate/raw_request.h"

#include <stdio.h>

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
    assert_true(parse("GET http://a.example?x=/y HTTP/1.1\n\n", "http", &message, &why));
    assert_slice(message.authority, "a.example");
    assert_slice(message.target, "/?x=/y");
    assert_slice(message.absolute_target, "http://a.example?x=/y");
}

static void bytes_that_no_field_holds(void **state)
{
    static const char name_bytes[] = "\t \x01\x7f\x80\"(),/;<=>?@[\\]{}";
    (void)state;
    for (int c = 0; c < 256; c++) {
        char value[] = {'a', (char)c, 'b'};
        char name[] = {'a', (char)c, 'b'};
        bool plain = (c >= 0x20 || c == '\t') && c != 0x7f;
        bool token = c > 0x20 && c < 0x7f && !strchr(name_bytes, c) && c != ':';
        assert_int_equal(!message_field_fault(SLICE("a"), slice_bytes(value, 3)), plain);
        assert_int_equal(!message_field_fault(slice_bytes(name, 3), SLICE("a")), token);
    }
    assert_non_null(message_field_fault(SLICE(""), SLICE("a")));
    assert_null(message_field_fault(SLICE("a"), SLICE("")));
}

static void where_a_body_ends(void **state)
{
    static const struct {
        const char *fields;
        size_t length; /* read up to 10; SIZE_MAX: nobody can tell */
    } cases[] = {
        {"", 0},
        {"Content-Length: 0\n", 0},
        {"Content-Length: 000\n", 0},
        {"content-length:\t 7 \n", 7},
        {"Content-Length: 10\n", 10},
        {"Content-Length: 11\n", 10},
        {"Content-Length: 99999999999999999999999999\n", 10},
        {"Transfer-Encoding: chunked\n", 10},
        {"Transfer-Encoding: x\nTransfer-Encoding: chunked\n", 10},
        {"Content-Length: 0\nTransfer-Encoding: chunked\n", SIZE_MAX},
        {"Content-Length: 0\nContent-Length: 0\n", SIZE_MAX},
        {"Content-Length: 0\nContent-Length: 40\n", SIZE_MAX},
        {"Content-Length: 4, 4\n", SIZE_MAX},
        {"Content-Length:\n", SIZE_MAX},
        {"Content-Length: -1\n", SIZE_MAX},
        {"Content-Length: 1 0\n", SIZE_MAX},
        {"Content-Length: 0x1\n", SIZE_MAX},
        {"Content-Length: 999999999999999999999999x\n", SIZE_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[256];
        struct message message;
        const char *why;
        size_t length = SIZE_MAX;
        snprintf(text, sizeof(text), "GET / HTTP/1.1\nHost: a\n%s\n0123456789abc", cases[i].fields);
        (void)parse(text, "https", &message, &why);
        if (message_body_length(&message, 10, &length))
            length = SIZE_MAX;
        if (length != cases[i].length)
            fail_msg("%s: %zu", cases[i].fields, length);
    }
}

static void what_is_no_request_is_told(void **state)
{
    static const char *const cases[][2] = {
        {"", "the first line is not"},
        {"hello", "the first line is not"},
        {"GET /", "the first line is not"},
        {"GET  HTTP/1.1\nHost: a\n\n", "the first line is not"},
        {"GET /a b HTTP/1.1\nHost: a\n\n", "the first line is not"},
        {"G(T / HTTP/1.1\nHost: a\n\n", "the method is no token"},
        {"GET /\xc3\xa9 HTTP/1.1\nHost: a\n\n", "the target holds"},
        {"GET / HTTP/1.1\n\n", "Host is missing"},
        {"GET / HTTP/1.1\nHost:\n\n", "Host is missing"},
        {"GET / HTTP/1.1\nHost: a\nHost: a\n\n", "Host stands twice"},
        {"GET / HTTP/1.1\nHost: a b\n\n", "Host holds"},
        {"GET http:// HTTP/1.1\nHost: a\n\n", "Host is missing"},
        {"GET * HTTP/1.1\nHost: a\n\n", "the target is neither"},
        {"GET a HTTP/1.1\nHost: a\n\n", "the target is neither"},
        {"GET / HTTP/1.1\nHost: a\nnonsense\n\n", "a line is not"},
        {"GET / HTTP/1.1\nHost : a\n\n", "a field's name is no token"},
        {"GET / HTTP/1.1\n: a\n\n", "a field's name is no token"},
        {"GET / HTTP/1.1\n folded: a\n\n", "a field goes over several lines"},
        {"GET / HTTP/1.1\nHost: a\nX: a\n\tb\n\n", "a field goes over several lines"},
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
        cmocka_unit_test(absolute_targets_name_their_host),
        cmocka_unit_test(bytes_that_no_field_holds),
        cmocka_unit_test(where_a_body_ends),
        cmocka_unit_test(what_is_no_request_is_told),
        cmocka_unit_test(too_many_fields_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
