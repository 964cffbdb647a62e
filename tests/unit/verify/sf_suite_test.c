/* Structured fields: the cases of the HTTP working group's suite, by its files, and what it generates. */
#include "tests/unit/support.h"

#include "ledger/verify/sf.h"

#include <stdio.h>
#include <stdlib.h>

enum type { ITEM, LIST, DICTIONARY };

struct sf_case {
    enum type type;
    const char *raw;       /* several lines joined with ", " */
    const char *canonical; /* NULL: must fail */
};

static char memory[8 << 20];
static struct arena arena;

/* Parses and serialises; NULL when it does not parse. */
static const char *canonical(enum type type, struct slice field)
{
    struct sf_member item;
    struct sf_list list;
    arena_init(&arena, memory, sizeof(memory));
    bool ok = type == ITEM   ? sf_parse_item(&arena, field, &item)
              : type == LIST ? sf_parse_list(&arena, field, &list)
                             : sf_parse_dictionary(&arena, field, &list);
    if (!ok)
        return NULL;
    struct text text = text_begin(&arena);
    if (type == ITEM)
        sf_write_member(&text, &item);
    else if (type == LIST)
        sf_write_list(&text, &list);
    else
        sf_write_dictionary(&text, &list);
    return text_end(&text).data;
}

static void check(const struct sf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = canonical(cases[i].type, slice_of(cases[i].raw));
        if (!got != !cases[i].canonical || (got && strcmp(got, cases[i].canonical) != 0))
            fail_msg("%s: got %s, expected %s", cases[i].raw, got ? got : "failure",
                     cases[i].canonical ? cases[i].canonical : "failure");
    }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

static void numbers(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, "42", "42"},
        {ITEM, "0", "0"},
        {ITEM, "-0", "0"},
        {ITEM, "--0", NULL},
        {ITEM, "-42", "-42"},
        {ITEM, "042", "42"},
        {ITEM, "-042", "-42"},
        {ITEM, "00", "0"},
        {ITEM, "2,3", NULL},
        {ITEM, "-a23", NULL},
        {ITEM, "4-2", NULL},
        {ITEM, "- 42", NULL},
        {ITEM, "123456789012345", "123456789012345"},
        {ITEM, "-123456789012345", "-123456789012345"},
        {ITEM, "1234567890123456", NULL},
        {ITEM, "-1234567890123456", NULL},
        {ITEM, "0000000000000001", NULL},
        {ITEM, "1.23", "1.23"},
        {ITEM, "-1.23", "-1.23"},
        {ITEM, "1. 23", NULL},
        {ITEM, "1 .23", NULL},
        {ITEM, "- 1.23", NULL},
        {ITEM, "123456789012.1", "123456789012.1"},
        {ITEM, "1234567890123.1", NULL},
        {ITEM, "1.5.4", NULL},
        {ITEM, "1..4", NULL},
        {ITEM, "1.", NULL},
        {ITEM, "-1.", NULL},
        {ITEM, ".1", NULL},
        {ITEM, "-.1", NULL},
        {ITEM, "1.123", "1.123"},
        {ITEM, "1.1234", NULL},
        {ITEM, "1.0000", NULL},
        {ITEM, "1.0", "1.0"},
        {ITEM, "1.00", "1.0"},
        {ITEM, "1.000", "1.0"},
        {ITEM, "1.20", "1.2"},
        {ITEM, "1.200", "1.2"},
        {ITEM, "1.230", "1.23"},
        {ITEM, "1.020", "1.02"},
        {ITEM, "1.001", "1.001"},
        {ITEM, "-0.0", "0.0"},
        {ITEM, "-0.001", "-0.001"},
        {ITEM, "000000000001.100", "1.1"},
        {ITEM, "0000000000001.1", NULL},
        {ITEM, "999999999999999", "999999999999999"},
        {ITEM, "999999999999.999", "999999999999.999"},
        {ITEM, "1e5", NULL},
        {ITEM, "+1", NULL},
    };
    (void)state;
    CHECK(cases);
}

static void strings_and_tokens(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, "\"foo bar\"", "\"foo bar\""},
        {ITEM, "\"\"", "\"\""},
        {ITEM, "\"   \"", "\"   \""},
        {ITEM, "\"f\xc3\xbc\xc3\xbc\"", NULL},
        {ITEM, "\"\tfoo\"", NULL},
        {ITEM, "\" \t\"", NULL},
        {ITEM, "\" \n \"", NULL},
        {ITEM, "'foo'", NULL},
        {ITEM, "\"foo", NULL},
        {ITEM, "\"foo \\\"bar\\\" \\\\ baz\"", "\"foo \\\"bar\\\" \\\\ baz\""},
        {ITEM, "\"foo \\,\"", NULL},
        {ITEM, "\"foo \\\"", NULL},
        {ITEM, "\"foo\\", NULL},
        {ITEM, "\"a\\\\\\\"\xff\"", NULL},
        {ITEM, "\"a\\\\\x01\"", NULL},
        {ITEM, "\"foo, bar\"", "\"foo, bar\""},
        {ITEM, "\"foo\" \"bar\"", NULL},
        {ITEM, "a_b-c.d3:f%00/*", "a_b-c.d3:f%00/*"},
        {ITEM, "fooBar", "fooBar"},
        {ITEM, "FooBar", "FooBar"},
        {ITEM, "*foo", "*foo"},
        {ITEM, "a'b", "a'b"},
        {ITEM, "1a", NULL},
        {ITEM, "_a", NULL},
        {ITEM, "a,b", NULL},
        {LIST, "a, b", "a, b"},
        {LIST, "a_b-c3/*", "a_b-c3/*"},
    };
    (void)state;
    CHECK(cases);
}

static void binaries_booleans_and_dates(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, ":aGVsbG8=:", ":aGVsbG8=:"},
        {ITEM, "::", "::"},
        {ITEM, ":=aGVsbG8=:", NULL},
        {ITEM, ":a=GVsbG8=:", NULL},
        {ITEM, ":aGVsbG8:", ":aGVsbG8=:"},
        {ITEM, ":aGVsbG8==:", NULL},
        {ITEM, ":YQ=:", NULL},
        {ITEM, ":YQ:", ":YQ==:"},
        {ITEM, ":Y:", NULL},
        {ITEM, ":=:", NULL},
        {ITEM, ":====:", NULL},
        {ITEM, ":aGVsbG8=", NULL},
        {ITEM, ":aGVsb G8=:", NULL},
        {ITEM, ":    :", NULL},
        {ITEM, ":aGVsbG8=~:", NULL},
        {ITEM, ":aGVsbG8~:", NULL},
        {ITEM, ":aGVsb\xc3\xbc:", NULL},
        {ITEM, ":iZ==:", ":iQ==:"},
        {ITEM, ":/+Ah:", ":/+Ah:"},
        {ITEM, ":_-Ah:", NULL},
        {ITEM, ":", NULL},
        {ITEM, "?1", "?1"},
        {ITEM, "?0", "?0"},
        {ITEM, "?2", NULL},
        {ITEM, "??1", NULL},
        {ITEM, "?T", NULL},
        {ITEM, "?F", NULL},
        {ITEM, "?t", NULL},
        {ITEM, "?true", NULL},
        {ITEM, "? 1", NULL},
        {ITEM, "?10", NULL},
        {ITEM, "?", NULL},
        {ITEM, "@1659578233", "@1659578233"},
        {ITEM, "@-1659578233", "@-1659578233"},
        {ITEM, "@0", "@0"},
        {ITEM, "@-0", "@0"},
        {ITEM, "@1659578233.12", NULL},
        {ITEM, "@1659578233.0", NULL},
        {ITEM, "@", NULL},
        {ITEM, "@a", NULL},
        {ITEM, "@ 1", NULL},
        {ITEM, "@@1", NULL},
        {ITEM, "@253402214400", "@253402214400"},
        {ITEM, "@-62135596800", "@-62135596800"},
        {ITEM, "@999999999999999", "@999999999999999"},
        {ITEM, "@1234567890123456", NULL},
        {ITEM, "@1;a=@2", "@1;a=@2"},
    };
    (void)state;
    CHECK(cases);
}

static void display_strings(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, "%\"foo bar\"", "%\"foo bar\""},
        {ITEM, "%\" !%22#$%25&'()*+,-./0:;<=>?@A[\\]^_`a{|}~\"",
         "%\" !%22#$%25&'()*+,-./0:;<=>?@A[\\]^_`a{|}~\""},
        {ITEM, "%\"foo %22bar%22 \\ baz\"", "%\"foo %22bar%22 \\ baz\""},
        {ITEM, "%\"f%c3%bc%c3%bc\"", "%\"f%c3%bc%c3%bc\""},
        {ITEM, "%\"\"", "%\"\""},
        {ITEM, "%\"%61\"", "%\"a\""},
        {ITEM, "%\"%00%0a%7f\"", "%\"%00%0a%7f\""},
        {ITEM, "%\"%ef%bb%bf\"", "%\"%ef%bb%bf\""},
        {ITEM, "%\"%f0%9f%92%a9\"", "%\"%f0%9f%92%a9\""},
        {ITEM, "%\"f\xc3\xbc\"", NULL},
        {ITEM, "%\"%C3%BC\"", NULL},
        {ITEM, "%\"%c3%bC\"", NULL},
        {ITEM, "%\"%Cc%bc\"", NULL},
        {ITEM, "%\"%c\"", NULL},
        {ITEM, "%\"%", NULL},
        {ITEM, "%\"%c3%28\"", NULL},
        {ITEM, "%\"%a0%a1\"", NULL},
        {ITEM, "%\"%e2%28%a1\"", NULL},
        {ITEM, "%\"%e2%82%28\"", NULL},
        {ITEM, "%\"%f0%28%8c%bc\"", NULL},
        {ITEM, "%\"%f0%90%28%bc\"", NULL},
        {ITEM, "%\"%f0%28%8c%28\"", NULL},
        {ITEM, "%\"%f0%80%80%80\"", NULL},
        {ITEM, "%\"%f4%8f%bf%bf\"", "%\"%f4%8f%bf%bf\""},
        {ITEM, "%\"%f4%90%80%80\"", NULL},
        {ITEM, "%\"%f5%80%80%80\"", NULL},
        {ITEM, "%\"%ff\"", NULL},
        {ITEM, "%\"%c0%80\"", NULL},
        {ITEM, "%\"%c1%bf\"", NULL},
        {ITEM, "%\"%e0%80%80\"", NULL},
        {ITEM, "%\"%e0%a0%80\"", "%\"%e0%a0%80\""},
        {ITEM, "%\"%ed%9f%bf%ee%80%80\"", "%\"%ed%9f%bf%ee%80%80\""},
        {ITEM, "%\"%ed%a0%80\"", NULL},
        {ITEM, "%\"%ed%bf%bf\"", NULL},
        {ITEM, "%\"%c3\"", NULL},
        {ITEM, "%\"%gg\"", NULL},
        {ITEM, "%\"\t\"", NULL},
        {ITEM, "%\"\x7f\"", NULL},
        {ITEM, "%\"foo", NULL},
        {ITEM, "%foo\"", NULL},
        {ITEM, "%", NULL},
        {ITEM, "\"%\"", "\"%\""},
        {LIST, "%\"a,b\";c=%\"d\"", "%\"a,b\";c=%\"d\""},
    };
    (void)state;
    CHECK(cases);
}

static void items_and_their_parameters(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, "", NULL},
        {ITEM, "   ", NULL},
        {ITEM, " \t 1", NULL},
        {ITEM, "1 \t ", NULL},
        {ITEM, "  1  ", "1"},
        {ITEM, "1, 2", NULL},
        {ITEM, "1 2", NULL},
        {ITEM, "1,", NULL},
        {ITEM, "{\"a\":1}", NULL},
        {ITEM, "text/html;charset=utf-8", "text/html;charset=utf-8"},
        {ITEM, "text/html;  charset=utf-8", "text/html;charset=utf-8"},
        {ITEM, "text/html;\tcharset=utf-8", NULL},
        {ITEM, "text/html ;charset=utf-8", NULL},
        {ITEM, "text/html;charset =utf-8", NULL},
        {ITEM, "text/html;charset= utf-8", NULL},
        {ITEM, "text/html;", NULL},
        {ITEM, "text/html; ", NULL},
        {ITEM, "text/html;;a", NULL},
        {ITEM, "a;b;c", "a;b;c"},
        {ITEM, "a;b=?1", "a;b"},
        {ITEM, "a;b=?0;c=?1", "a;b=?0;c"},
        {ITEM, "a;a=1;b=2;a=3", "a;a=3;b=2"},
        {ITEM, "a;A=1", NULL},
        {ITEM, "a;1b=1", NULL},
        {ITEM, "a;*b=1", "a;*b=1"},
        {ITEM, "a;b=(1)", NULL},
        {ITEM, "1;a=\"b\\\"c\";d=:YQ==:;e=1.50;f=@5", "1;a=\"b\\\"c\";d=:YQ==:;e=1.5;f=@5"},
        {ITEM, "a;b=1 ", "a;b=1"},
        {ITEM, "a;b=1\t", NULL},
    };
    (void)state;
    CHECK(cases);
}

static void lists(void **state)
{
    static const struct sf_case cases[] = {
        {LIST, "", ""},
        {LIST, "  ", ""},
        {LIST, "\t", NULL},
        {LIST, "1, 42", "1, 42"},
        {LIST, "1,42", "1, 42"},
        {LIST, "1 , 42", "1, 42"},
        {LIST, "1\t,\t42", "1, 42"},
        {LIST, "1, 42,", NULL},
        {LIST, "1, 42, ", NULL},
        {LIST, "1,,42", NULL},
        {LIST, "1, , 42", NULL},
        {LIST, ", 1", NULL},
        {LIST, "1 42", NULL},
        {LIST, "1\t", "1"},
        {LIST, "\t1", NULL},
        {LIST, "a;b, c;d=1", "a;b, c;d=1"},
        {LIST, "text/html;charset=utf-8;q=0.5,  text/plain;a", "text/html;charset=utf-8;q=0.5, text/plain;a"},
        {LIST, "text/html,text/plain;charset=utf-8;", NULL},
        {LIST, "text/html;charset=utf-8;;q=0.5", NULL},
        {LIST, "text/html , text/plain;  q=0.5;  charset=utf-8", "text/html, text/plain;q=0.5;charset=utf-8"},
        {LIST, "(1 2), (42 43)", "(1 2), (42 43)"},
        {LIST, "(42)", "(42)"},
        {LIST, "()", "()"},
        {LIST, "(    )", "()"},
        {LIST, "(1),(),(42)", "(1), (), (42)"},
        {LIST, "(  1  42  )", "(1 42)"},
        {LIST, "(1\t42)", NULL},
        {LIST, "(1 42", NULL},
        {LIST, "(1 ", NULL},
        {LIST, "(", NULL},
        {LIST, "(1 2, (42 43)", NULL},
        {LIST, "(1 2) (3)", NULL},
        {LIST, "(1 (2))", NULL},
        {LIST, "1)", NULL},
        {LIST, "(abc;a=1;b=2 def);c, ghi;d", "(abc;a=1;b=2 def);c, ghi;d"},
        {LIST, "(abc_123);a=1;b=2, cdef_456", "(abc_123);a=1;b=2, cdef_456"},
        {LIST, "(a;b=c d;  e=f);  g=h, (i)", "(a;b=c d;e=f);g=h, (i)"},
        {LIST, "(a b) ;c", NULL},
        {LIST, "(a,b)", NULL},
        {LIST, "(\"a\"b)", NULL},
        {LIST, "(\"a\";)", NULL},
    };
    (void)state;
    CHECK(cases);
}

static void dictionaries(void **state)
{
    static const struct sf_case cases[] = {
        {DICTIONARY, "", ""},
        {DICTIONARY, "   ", ""},
        {DICTIONARY, "en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:", "en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:"},
        {DICTIONARY, "a=1", "a=1"},
        {DICTIONARY, "a=(1 2)", "a=(1 2)"},
        {DICTIONARY, "a=(1)", "a=(1)"},
        {DICTIONARY, "a=()", "a=()"},
        {DICTIONARY, "a=1,b=2", "a=1, b=2"},
        {DICTIONARY, "a=1 ,  b=2", "a=1, b=2"},
        {DICTIONARY, "a=1\t,\tb=2", "a=1, b=2"},
        {DICTIONARY, "     a=1 ,  b=2", "a=1, b=2"},
        {DICTIONARY, "a =1, b=2", NULL},
        {DICTIONARY, "a= 1, b=2", NULL},
        {DICTIONARY, "a=1, b=2, ", NULL},
        {DICTIONARY, "a=1,,b=2", NULL},
        {DICTIONARY, "a=1,b=2,", NULL},
        {DICTIONARY, ",a=1", NULL},
        {DICTIONARY, "a=1,b=2,a=3", "a=3, b=2"},
        {DICTIONARY, "a=1,b=2,a=3;c", "a=3;c, b=2"},
        {DICTIONARY, "a=1;x,b=2,a", "a, b=2"},
        {DICTIONARY, "a=1,1b=2,a=1", NULL},
        {DICTIONARY, "a=1,B=2,a=1", NULL},
        {DICTIONARY, "a=1,_b=2", NULL},
        {DICTIONARY, "a=1,*b=2", "a=1, *b=2"},
        {DICTIONARY, "a", "a"},
        {DICTIONARY, "a, b, c", "a, b, c"},
        {DICTIONARY, "a, b=1, c", "a, b=1, c"},
        {DICTIONARY, "a=1, b", "a=1, b"},
        {DICTIONARY, "a=?1, b=?0", "a, b=?0"},
        {DICTIONARY, "a=?1;x=1", "a;x=1"},
        {DICTIONARY, "a;b=1;c=?0", "a;b=1;c=?0"},
        {DICTIONARY, "abc=123;a=1;b=2, def=456, ghi=789;q=9;r=\"+w\"",
         "abc=123;a=1;b=2, def=456, ghi=789;q=9;r=\"+w\""},
        {DICTIONARY, "a=1;  b=2", "a=1;b=2"},
        {DICTIONARY, "a=1 ;b=2", NULL},
        {DICTIONARY, "a=1;b =2", NULL},
        {DICTIONARY, "a=(1 2);b=c", "a=(1 2);b=c"},
        {DICTIONARY, "a=", NULL},
        {DICTIONARY, "a=,", NULL},
        {DICTIONARY, "=1", NULL},
        {DICTIONARY, "a==1", NULL},
        {DICTIONARY, "\"a\"=1", NULL},
        {DICTIONARY, "a=1, b=2)", NULL},
        {DICTIONARY, "a;", NULL},
        {DICTIONARY, "a=(1;)", NULL},
        {DICTIONARY, "a.b-c_d*e=1", "a.b-c_d*e=1"},
        {DICTIONARY, "a=1\t", "a=1"},
        {DICTIONARY, "\ta=1", NULL},
    };
    (void)state;
    CHECK(cases);
}

/* The examples of RFC 9651 itself, section by section. */
static void examples_of_the_rfc(void **state)
{
    static const struct sf_case cases[] = {
        {ITEM, "2; foourl=\"https://foo.example.com/\"", "2;foourl=\"https://foo.example.com/\""},
        {LIST, "sugar, tea, rum", "sugar, tea, rum"},
        {LIST, "(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()",
         "(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()"},
        {LIST, "(\"foo\"; a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1",
         "(\"foo\";a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1"},
        {LIST, "abc;a=1;b=2; cde_456, (ghi;jk=4 l);q=\"9\";r=w",
         "abc;a=1;b=2;cde_456, (ghi;jk=4 l);q=\"9\";r=w"},
        {ITEM, "1; a; b=?0", "1;a;b=?0"},
        {DICTIONARY, "en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:", "en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:"},
        {DICTIONARY, "a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"},
        {DICTIONARY, "rating=1.5, feelings=(joy sadness)", "rating=1.5, feelings=(joy sadness)"},
        {DICTIONARY, "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid"},
        {DICTIONARY, "foo=1, bar=2", "foo=1, bar=2"},
        {ITEM, "5; foo=bar", "5;foo=bar"},
        {ITEM, "4.5", "4.5"},
        {ITEM, "\"hello world\"", "\"hello world\""},
        {ITEM, "foo123/456", "foo123/456"},
        {ITEM,
         ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:", ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:"},
        {ITEM, "@1659578233", "@1659578233"},
        {ITEM, "%\"This is intended for display to %c3%bcsers.\"",
         "%\"This is intended for display to %c3%bcsers.\""},
    };
    (void)state;
    CHECK(cases);
}

static bool lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static bool alpha(int c)
{
    return lower(c) || (c >= 'A' && c <= 'Z');
}

static bool digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool among(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* One byte between two texts. */
static void expect(enum type type, const char *before, int c, const char *after, bool good)
{
    char raw[32];
    int len = snprintf(raw, sizeof(raw), "%s%c%s", before, c, after);
    if (good != (canonical(type, slice_bytes(raw, (size_t)len)) != NULL))
        fail_msg("byte 0x%02x between %s and %s: expected %s", (unsigned)c, before, after,
                 good ? "success" : "failure");
}

/* Every byte at every place where only some may stand. */
static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool token = alpha(c) || digit(c) || among(c, "!#$%&'*+-.^_`|~:/");
        bool key = lower(c) || digit(c) || among(c, "_-.*");
        bool space = c == ' ';
        expect(ITEM, "\" ", c, " \"", c >= 0x20 && c <= 0x7e && c != '"' && c != '\\');
        expect(ITEM, "\"\\", c, "\"", c == '"' || c == '\\');
        expect(ITEM, "%\"", c, "\"", c >= 0x20 && c <= 0x7e && c != '%' && c != '"');
        expect(ITEM, "a", c, "a", token || c == ';');
        expect(ITEM, "", c, "a", alpha(c) || c == '*' || space);
        expect(DICTIONARY, "", c, "=1", lower(c) || c == '*');
        expect(DICTIONARY, "a", c, "a=1", key || c == ',' || c == ';');
        expect(DICTIONARY, "", c, "a=1", lower(c) || c == '*' || space);
        expect(LIST, "foo; a", c, "a=1", key || c == ';');
        expect(LIST, "foo; ", c, "a=1", lower(c) || c == '*' || space);
        expect(ITEM, "1", c, "1", digit(c) || c == '.');
        expect(ITEM, ":YWJ", c, ":", alpha(c) || digit(c) || among(c, "+/="));
    }
}

/* Appends to a buffer that is known to be large enough. */
__attribute__((format(printf, 2, 3))) static void grow(char **at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *at += vsnprintf(*at, 64, format, arguments);
    va_end(arguments);
}

static void large_fields_are_taken(void **state)
{
    static char raw[1 << 20];
    char *at = raw;
    (void)state;
    for (int i = 0; i < 1024; i++)
        grow(&at, i ? ", a%d=1" : "a%d=1", i);
    assert_string_equal(canonical(DICTIONARY, slice_of(raw)), raw);
    at = raw;
    for (int i = 0; i < 1024; i++)
        grow(&at, i ? ", a%d" : "a%d", i);
    assert_string_equal(canonical(LIST, slice_of(raw)), raw);
    at = raw;
    for (int i = 0; i < 256; i++)
        grow(&at, i ? " b%d" : "(b%d", i);
    grow(&at, ")");
    assert_string_equal(canonical(LIST, slice_of(raw)), raw);
    at = raw;
    for (int i = 0; i < 256; i++)
        grow(&at, i ? ";a%d=1" : "foo;a%d=1", i);
    assert_string_equal(canonical(ITEM, slice_of(raw)), raw);
    snprintf(raw, sizeof(raw), "\"%01024d\"", 0);
    assert_string_equal(canonical(ITEM, slice_of(raw)), raw);
    snprintf(raw, sizeof(raw), "a%0511d", 0);
    assert_string_equal(canonical(ITEM, slice_of(raw)), raw);
    snprintf(raw, sizeof(raw), "a;k%063d=1", 0);
    assert_string_equal(canonical(ITEM, slice_of(raw)), raw);
    snprintf(raw, sizeof(raw), ":%021848d:", 0);
    assert_string_equal(canonical(ITEM, slice_of(raw)), raw);
}

static void zero_bytes_are_no_end(void **state)
{
    (void)state;
    assert_null(canonical(ITEM, slice_bytes("\"a\0b\"", 5)));
    assert_null(canonical(ITEM, slice_bytes("a\0", 2)));
    assert_null(canonical(ITEM, slice_bytes("1\0", 2)));
    assert_null(canonical(ITEM, slice_bytes(":YQ==\0:", 7)));
    assert_null(canonical(DICTIONARY, slice_bytes("a\0=1", 4)));
    assert_null(canonical(LIST, slice_bytes("\0", 1)));
    assert_null(canonical(ITEM, slice_bytes("a;b\0", 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings_and_tokens),
        cmocka_unit_test(binaries_booleans_and_dates),
        cmocka_unit_test(display_strings),
        cmocka_unit_test(items_and_their_parameters),
        cmocka_unit_test(lists),
        cmocka_unit_test(dictionaries),
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(large_fields_are_taken),
        cmocka_unit_test(zero_bytes_are_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
