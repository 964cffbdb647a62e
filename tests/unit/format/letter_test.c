/* Letters: texts of any length and script go over pages, and the same letter is the same file.
 * Tests ledger/format/paper/pdf_letter.c, ledger/format/paper/pdf_sheet.c, ledger/format/party.c */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/support.h"

#include "ledger/format/paper/pdf_letter.h"

#include <jansson.h>

struct papers {
    json_t *party;
    struct document_party seller;
    struct letter letter;
};

static void papers_make(struct papers *papers, const char *country)
{
    char problem[DOCUMENT_PROBLEM_MAX];
    papers->party = json_pack("{s:s,s:s,s:s,s:s}", "name", "Söhne <& Co>", "street", "東京都千代田区", "city",
                              "Łódź", "country", country);
    assert_true(document_party_open(papers->party, &papers->seller, problem));
    papers->letter = (struct letter){.seller = &papers->seller,
                                     .title = "Evidence",
                                     .opening = "What stands below.",
                                     .notice = "",
                                     .at = "2026-11-20T11:07:16.123Z"};
}

/* How many streams the file has: one for each page, and some for fonts. */
static int streams_of(const struct format_output *out)
{
    static const char word[] = "endstream";
    int streams = 0;
    for (const char *at = out->bytes;
         (at = memmem(at, out->len - (size_t)(at - out->bytes), word, sizeof(word) - 1)); at++)
        streams++;
    return streams;
}

static int render(const struct letter *letter)
{
    struct format_output out = {.bytes = NULL}, again = {.bytes = NULL};
    assert_true(letter_render(letter, &out));
    assert_true(letter_render(letter, &again));
    assert_int_equal(out.len, again.len);
    assert_memory_equal(out.bytes, again.bytes, out.len);
    assert_memory_equal(out.bytes, "%PDF-1.", 7);
    int streams = streams_of(&out);
    free(out.bytes);
    free(again.bytes);
    return streams;
}

static void a_short_one_has_what_there_is(void **state)
{
    static const char *const items[] = {"One.", "Two."};
    struct papers papers;
    (void)state;
    papers_make(&papers, "DE");
    letter_pair(&papers.letter, "Payment", "01a217ba-1b66-7a36-9f83-90507f07ea30");
    letter_pair(&papers.letter, "Nothing", "");
    letter_part(&papers.letter, &(struct letter_part){"Proven", LETTER_NUMBERED, items, 2});
    letter_part(&papers.letter, &(struct letter_part){"Nothing", LETTER_NUMBERED, items, 0});
    assert_int_equal(papers.letter.pair_count, 1);
    assert_int_equal(papers.letter.part_count, 1);
    assert_in_range(render(&papers.letter), 2, 9);
    json_decref(papers.party);
}

static void texts_of_any_length_go_over_pages(void **state)
{
    enum { WORD = 20000, ITEMS = 120 };
    static char word[WORD + 1];
    const char *items[ITEMS];
    static const enum letter_style styles[] = {LETTER_TEXT, LETTER_NUMBERED, LETTER_VERBATIM};
    (void)state;
    memset(word, 'x', WORD);
    for (size_t i = 0; i < ITEMS; i++)
        items[i] = i % 7 == 0 ? word + WORD - 900 : i % 5 == 0 ? "" : "a\nb \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d";
    for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++) {
        struct papers papers;
        papers_make(&papers, i == 0 ? "US" : "DE");
        letter_pair(&papers.letter, "URL", word);
        letter_part(&papers.letter, &(struct letter_part){"Proven", styles[i], items, ITEMS});
        assert_in_range(render(&papers.letter), 14, 80);
        json_decref(papers.party);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_one_has_what_there_is),
        cmocka_unit_test(texts_of_any_length_go_over_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
