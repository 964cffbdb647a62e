/* Structured fields: what parses becomes its canonical form, what must not parse does not (RFC 9651).
 * Tests ledger/verify/sf_keys.c, ledger/verify/sf_parse.c, ledger/verify/sf_write.c, ledger/verify/utf8.c */
#include "tests/unit/support.h"

#include "ledger/verify/sf.h"
#include "ledger/verify/sf_keys.h"

#include <stdio.h>

enum type { ITEM, LIST, DICTIONARY };

/* Parses and serialises; NULL when it does not parse. */
static const char *canonical(enum type type, struct slice field)
{
    struct arena *arena = fresh_arena();
    struct sf_member item;
    struct sf_list list;
    bool ok = type == ITEM   ? sf_parse_item(arena, field, &item)
              : type == LIST ? sf_parse_list(arena, field, &list)
                             : sf_parse_dictionary(arena, field, &list);
    if (!ok)
        return NULL;
    struct text text = text_begin(arena);
    if (type == ITEM)
        sf_write_member(&text, &item);
    else if (type == LIST)
        sf_write_list(&text, &list);
    else
        sf_write_dictionary(&text, &list);
    return text_end(&text).data;
}

static void good_fields_become_canonical(void **state)
{
    static const struct {
        enum type type;
        const char *field;
        const char *canonical;
    } cases[] = {
        {ITEM, "42", "42"},
        {ITEM, "  -042  ", "-42"},
        {ITEM, "-0", "0"},
        {ITEM, "999999999999999", "999999999999999"},
        {ITEM, "1.500", "1.5"},
        {ITEM, "-0.125", "-0.125"},
        {ITEM, "999999999999.999", "999999999999.999"},
        {ITEM, "2.0", "2.0"},
        {ITEM, "\"a \\\"b\\\\\"", "\"a \\\"b\\\\\""},
        {ITEM, "*a/b:c", "*a/b:c"},
        {ITEM, ":aGVsbG8:", ":aGVsbG8=:"},
        {ITEM, "::", "::"},
        {ITEM, "?0", "?0"},
        {ITEM, "@1659578233", "@1659578233"},
        {ITEM, "%\"f%c3%bc\"", "%\"f%c3%bc\""},
        {ITEM, "a;b;  c=1;b=?0", "a;b=?0;c=1"},
        {ITEM, "a;b=?1", "a;b"},
        {LIST, "", ""},
        {LIST, "a , b\t,  c", "a, b, c"},
        {LIST, "( a  b );x, ()", "(a b);x, ()"},
        {DICTIONARY, "a=1,b;x=2,  c=(\"d\");y", "a=1, b;x=2, c=(\"d\");y"},
        {DICTIONARY, "a=1, b=2, a=3", "a=3, b=2"},
        {DICTIONARY, "a=?1", "a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *got = canonical(cases[i].type, slice_of(cases[i].field));
        assert_non_null(got);
        assert_string_equal(got, cases[i].canonical);
    }
}

static void bad_fields_do_not_parse(void **state)
{
    static const struct {
        enum type type;
        const char *field;
    } cases[] = {
        {ITEM, ""},
        {ITEM, "1 2"},
        {ITEM, "1000000000000000"},
        {ITEM, "1."},
        {ITEM, "1.0001"},
        {ITEM, "1000000000000.0"},
        {ITEM, "--1"},
        {ITEM, "-"},
        {ITEM, "\"a"},
        {ITEM, "\"a\\n\""},
        {ITEM, "\"\x7f\""},
        {ITEM, ":a b=:"},
        {ITEM, ":aGVsbG8="},
        {ITEM, ":_-8=:"},
        {ITEM, "?2"},
        {ITEM, "?"},
        {ITEM, "@1.5"},
        {ITEM, "%\"%C3%BC\""},
        {ITEM, "%\"%c3\""},
        {ITEM, "%\"%ed%a0%80\""},
        {ITEM, "a;B=1"},
        {ITEM, "a; =1"},
        {ITEM, "a;b="},
        {ITEM, "a ;b"},
        {ITEM, "(a)"},
        {ITEM, "a\t"},
        {LIST, "a,"},
        {LIST, ",a"},
        {LIST, "a b"},
        {LIST, "(a"},
        {LIST, "(a,b)"},
        {LIST, "(\"a\"\"b\")"},
        {LIST, "\ta"},
        {DICTIONARY, "A=1"},
        {DICTIONARY, "a=1,"},
        {DICTIONARY, "a=1 b=2"},
        {DICTIONARY, "a= 1"},
        {DICTIONARY, "=1"},
        {DICTIONARY, "a=1,,b=2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (canonical(cases[i].type, slice_of(cases[i].field)))
            fail_msg("parsed: %s", cases[i].field);
    assert_null(canonical(ITEM, slice_bytes("\"a\0b\"", 5)));
    assert_null(canonical(ITEM, slice_bytes("a\0", 2)));
}

static void what_stands_twice_is_remembered(void **state)
{
    struct arena *arena = fresh_arena();
    struct sf_list dictionary;
    (void)state;
    assert_true(sf_parse_dictionary(arena, SLICE("a=1, b=2;x;x"), &dictionary));
    assert_false(dictionary.key_repeated);
    assert_false(sf_find(&dictionary, SLICE("a"))->parameter_repeated);
    assert_true(sf_find(&dictionary, SLICE("b"))->parameter_repeated);
    assert_true(sf_parse_dictionary(arena, SLICE("a=1, a=2"), &dictionary));
    assert_true(dictionary.key_repeated);
    assert_int_equal(dictionary.count, 1);
}

static void a_full_arena_is_a_refusal_and_nothing_worse(void **state)
{
    char memory[4096];
    struct slice field =
        SLICE("a=\"te\\\\xt\";x=:aGVsbG8=:;yy, b=(1 2 \"three\";y;y);z, c=%\"d\", d, d=1, e;g=%\"\"");
    bool parsed = false;
    (void)state;
    for (size_t size = 0; size <= sizeof(memory); size++) {
        struct arena arena;
        struct sf_list dictionary;
        arena_init(&arena, memory, size);
        bool ok = sf_parse_dictionary(&arena, field, &dictionary);
        assert_true(ok || !parsed);
        parsed = ok;
    }
    assert_true(parsed);
}

/* Appends to a buffer that is known to be large enough. */
__attribute__((format(printf, 2, 3))) static void grow(char **at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *at += vsnprintf(*at, 64, format, arguments);
    va_end(arguments);
}

static char large[8 << 20];
static struct arena arena;

enum kind { SHORT, SAME_START, SAME_END, PREFIXES, KINDS };

/* The `i`th of `count` different keys of a kind. */
static size_t make_key(enum kind kind, int i, char out[2048])
{
    int len = 0;
    if (kind == SHORT)
        len = snprintf(out, 2048, "k%d", i);
    else if (kind == SAME_START)
        len = snprintf(out, 2048, "k%0500d", i);
    else if (kind == SAME_END)
        len = snprintf(out, 2048, "k%d-%0400d", i, 0);
    else
        len = snprintf(out, 2048, "k%0*d", 1 + i, 0);
    return (size_t)len;
}

/* Steps grow with the bytes of the keys and with nothing else: counted, for keys that share all but their
 * ends, all but their beginnings, and that each begin with the one before. */
static void keys_are_told_apart_in_linear_time(void **state)
{
    enum { COUNT = 1900 };
    static char texts[COUNT][2048];
    static struct slice keys[COUNT];
    (void)state;
    for (enum kind kind = SHORT; kind < KINDS; kind++)
        for (int descending = 0; descending < 2; descending++) {
            struct sf_keys set = {.root = NULL};
            size_t bytes = 0;
            arena_init(&arena, large, sizeof(large));
            for (int i = 0; i < COUNT; i++) {
                keys[i] = slice_bytes(texts[i], make_key(kind, descending ? COUNT - 1 - i : i, texts[i]));
                bytes += keys[i].len;
                assert_null(sf_keys_find(&set, keys[i]));
                assert_true(sf_keys_add(&set, &arena, &keys[i]));
            }
            for (int i = 0; i < COUNT; i++)
                assert_ptr_equal(sf_keys_find(&set, keys[i]), &keys[i]);
            if (set.steps > 16 * bytes)
                fail_msg("kind %d: %zu steps for %zu bytes", (int)kind, set.steps, bytes);
        }
}

/* Twice the text takes at most twice the arena, and a bit. */
static void the_arena_grows_linearly(void **state)
{
    static char raw[1 << 20];
    size_t used[2];
    (void)state;
    for (int round = 0; round < 2; round++) {
        char *at = raw;
        for (int i = 0; i < 8000 << round; i++)
            grow(&at, i ? ",k%d;a;b" : "k%d;a;b", i);
        struct sf_list list;
        arena_init(&arena, large, sizeof(large));
        assert_true(sf_parse_dictionary(&arena, slice_of(raw), &list));
        assert_int_equal(list.count, 8000 << round);
        used[round] = arena.used;
    }
    assert_true(used[1] <= 2 * used[0] + 64);
}

/* What is parsed or written beside the parser: an inner list is no bare item, and nothing is written of it.
 */
static void an_inner_list_is_no_bare_item(void **state)
{
    struct sf_bare inner = {.kind = SF_INNER};
    struct text text = text_begin(fresh_arena());
    (void)state;
    sf_write_bare(&text, &inner);
    assert_slice(text_end(&text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_fields_become_canonical),
        cmocka_unit_test(bad_fields_do_not_parse),
        cmocka_unit_test(what_stands_twice_is_remembered),
        cmocka_unit_test(a_full_arena_is_a_refusal_and_nothing_worse),
        cmocka_unit_test(keys_are_told_apart_in_linear_time),
        cmocka_unit_test(the_arena_grows_linearly),
        cmocka_unit_test(an_inner_list_is_no_bare_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
