/* What a front asks, in each way of saying it, and what it must not be able to say.
 * Tests server/decisions/question.c */
#include "tests/unit/support.h"

#include "server/decisions/question.h"

#define FIELDS_MAX 6

struct question {
    const char *prefix;
    const char *target;
    struct message_field fields[FIELDS_MAX];
    const char *fault; /* NULL: it is understood */
    const char *method, *authority, *wanted;
};

#define F(name, value)                                                                                       \
    {                                                                                                        \
        SLICE(name), SLICE(value)                                                                            \
    }

static const struct question questions[] = {
    /* Caddy, Traefik */
    {"",
     "/",
     {F("x-forwarded-method", "HEAD"), F("x-forwarded-uri", "/a?b=%20")},
     NULL,
     "HEAD",
     "front",
     "/a?b=%20"},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-host", "Shop.Example")},
     NULL,
     "GET",
     "shop.example",
     "/a"},
    /* nginx */
    {"", "/x", {F("x-original-method", "POST"), F("x-original-uri", " /a ")}, NULL, "POST", "front", "/a"},
    {"", "/x", {F("x-original-url", "https://shop.example/a?b")}, NULL, "GET", "shop.example", "/a?b"},
    {"", "/x", {F("x-original-url", "https://shop.example?b")}, NULL, "GET", "shop.example", "/?b"},
    {"", "/x", {F("x-original-url", "/a")}, NULL, "GET", "front", "/a"},
    /* Envoy */
    {"/decide", "/decide/a?b", {F("x", "y")}, NULL, "GET", "front", "/a?b"},
    {"/decide/", "/decide/a", {F("x", "y")}, NULL, "GET", "front", "/a"},
    {"/decide", "/decide", {F("x", "y")}, NULL, "GET", "front", "/"},
    /* the same said twice */
    {"", "/", {F("x-forwarded-uri", "/a"), F("x-original-uri", "/a")}, NULL, "GET", "front", "/a"},
    {"",
     "/",
     {F("x-original-url", "https://front/a"), F("x-original-uri", "/a")},
     NULL,
     "GET",
     "front",
     "/a"},
    /* what a client may try */
    {"", "/", {F("x", "y")}, "nothing says which URI is asked for", 0, 0, 0},
    {"/decide", "/decided/a", {F("x", "y")}, "nothing says which URI is asked for", 0, 0, 0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-original-uri", "/free")},
     "the fields that say the URI differ",
     0,
     0,
     0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-uri", "/free")},
     "the fields that say the URI differ",
     0,
     0,
     0},
    {"/decide", "/decide/a", {F("x-forwarded-uri", "/free")}, "the path and a field differ", 0, 0, 0},
    {"",
     "/",
     {F("x-original-url", "https://front/a"), F("x-forwarded-uri", "/free")},
     "the fields that say the URI differ",
     0,
     0,
     0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-method", "GET"), F("x-original-method", "HEAD")},
     "the fields that say the method differ",
     0,
     0,
     0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-host", "a"), F("x-original-host", "b")},
     "the fields that say the host differ",
     0,
     0,
     0},
    {"", "/", {F("x-forwarded-uri", "https://other.example/a")}, "what says the URI is no path", 0, 0, 0},
    {"", "/", {F("x-forwarded-uri", "/a b")}, "the target holds other bytes than visible ASCII", 0, 0, 0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-method", "G T")},
     "the method is no token",
     0,
     0,
     0},
    {"",
     "/",
     {F("x-forwarded-uri", "/a"), F("x-forwarded-host", "a b")},
     "Host holds other bytes than visible ASCII",
     0,
     0,
     0},
};

static void each_way_of_asking(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
        const struct question *question = &questions[i];
        size_t count = 0;
        while (count < FIELDS_MAX && question->fields[count].name.len > 0)
            count++;
        struct message message = {.method = SLICE("GET"),
                                  .authority = SLICE("front"),
                                  .target = slice_of(question->target),
                                  .fields = question->fields,
                                  .field_count = count};
        const char *fault = question_read(fresh_arena(), slice_of(question->prefix), &message);
        if (question->fault) {
            assert_non_null(fault);
            assert_string_equal(fault, question->fault);
            assert_true(slice_eq(message.target, slice_of(question->target)));
            continue;
        }
        if (fault)
            fail_msg("question %zu: %s", i, fault);
        assert_slice(message.method, question->method);
        assert_slice(message.authority, question->authority);
        assert_slice(message.target, question->wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_way_of_asking)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
