/* The head of an origin's answer, line by line. */
#include "server/origin/origin_head.h"
#include "tests/unit/support.h"

#include <stdio.h>

static char memory[8192];
static struct arena arena;
static struct origin_head head;

static void begin(size_t room)
{
    arena_init(&arena, memory, sizeof(memory));
    origin_head_begin(&head, &arena, room);
}

/* What the last of the lines made of it. */
static enum origin_head_line lines(const char *text)
{
    enum origin_head_line result = ORIGIN_HEAD_MORE;
    while (*text && result != ORIGIN_HEAD_REFUSED) {
        size_t len = strcspn(text, "\n") + 1;
        result = origin_head_line(&head, slice_bytes(text, len));
        text += len;
    }
    return result;
}

static const char *names(void)
{
    static char text[512];
    *text = '\0';
    for (const struct exchange_header *field = head.fields; field; field = field->next) {
        strcat(text, field->name); /* lint: banned, short names into a large room */
        strcat(text, " ");         /* lint: banned, likewise */
    }
    return text;
}

static void fields_come_in_order_without_those_of_one_hop(void **state)
{
    (void)state;
    begin(4096);
    assert_int_equal(lines("HTTP/1.1 206 Partial Content\r\nSet-Cookie: a=1\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
                           "Connection: close, x-MINE\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n"
                           "Empty:\r\n\r\n"),
                     ORIGIN_HEAD_END);
    assert_int_equal(head.status, 206);
    assert_string_equal(names(), "Set-Cookie Set-Cookie Empty ");
    assert_string_equal(head.fields->value, "a=1");
    assert_string_equal(head.fields->next->next->value, "");
    assert_true(head.length == EXCHANGE_UNKNOWN_LENGTH);
    /* Trailers are no fields of the head. */
    assert_int_equal(lines("X-Trailer: 1\r\n"), ORIGIN_HEAD_MORE);
    assert_string_equal(names(), "Set-Cookie Set-Cookie Empty ");
}

static void a_length_is_no_field(void **state)
{
    (void)state;
    begin(4096);
    assert_int_equal(lines("HTTP/1.1 200 OK\r\ncontent-length: 4294967296\r\n\r\n"), ORIGIN_HEAD_END);
    assert_true(head.length == 4294967296ULL);
    assert_string_equal(names(), "");
    static const char *const wrong[] = {"", "-1", "1x", "99999999999999999999", "1, 2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char text[128];
        begin(4096);
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n", wrong[i]);
        assert_int_equal(lines(text), ORIGIN_HEAD_REFUSED);
        assert_string_equal(head.refusal, "its Content-Length does not parse");
    }
}

static void informational_answers_and_second_tries_start_over(void **state)
{
    (void)state;
    begin(4096);
    assert_int_equal(lines("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), ORIGIN_HEAD_MORE);
    assert_int_equal(lines("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: \"a\"\r\n"), ORIGIN_HEAD_MORE);
    assert_int_equal(lines("HTTP/1.1 404 Not Found\r\nX: y\r\n\r\n"), ORIGIN_HEAD_END);
    assert_int_equal(head.status, 404);
    assert_string_equal(names(), "X ");
    assert_true(head.length == EXCHANGE_UNKNOWN_LENGTH);
}

static void what_is_no_head_is_refused(void **state)
{
    static const char *const wrong[] = {
        "HTTP/1.1\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "HTTP/1.1 000 Nothing\r\nA: b\r\n",
        "HTTP/1.1 200 OK\r\nno field\r\n",
        "HTTP/1.1 200 OK\r\n: value\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n",
        "HTTP/1.1 200 OK\r\nA: b\x01\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        begin(4096);
        assert_int_equal(lines(wrong[i]), ORIGIN_HEAD_REFUSED);
        assert_non_null(head.refusal);
    }
}

static void a_head_has_as_much_room_as_there_is(void **state)
{
    (void)state;
    begin(14); /* "Name: value" takes 13 */
    assert_int_equal(lines("HTTP/1.1 200 OK\r\nName: value\r\n\r\n"), ORIGIN_HEAD_END);
    begin(12);
    assert_int_equal(lines("HTTP/1.1 200 OK\r\nName: value\r\n\r\n"), ORIGIN_HEAD_REFUSED);
    arena_init(&arena, memory, 64);
    origin_head_begin(&head, &arena, 4096);
    assert_int_equal(lines("HTTP/1.1 200 OK\r\nName: value\r\nOther-name: value of some length\r\n\r\n"),
                     ORIGIN_HEAD_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_order_without_those_of_one_hop),
        cmocka_unit_test(a_length_is_no_field),
        cmocka_unit_test(informational_answers_and_second_tries_start_over),
        cmocka_unit_test(what_is_no_head_is_refused),
        cmocka_unit_test(a_head_has_as_much_room_as_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
