/* Letters with a head: what a publisher sends beside a file, on paper. */
#ifndef LEDGER_FORMAT_PAPER_PDF_LETTER_H
#define LEDGER_FORMAT_PAPER_PDF_LETTER_H

#include "ledger/format/document.h"
#include "ledger/format/format.h"

#define LETTER_PAIRS_MAX 16
#define LETTER_PARTS_MAX 24

enum letter_style {
    LETTER_TEXT,
    LETTER_NUMBERED, /* 1., 2., ... */
    LETTER_VERBATIM, /* to be typed off: in letters that cannot be taken for each other */
};

/* One part: a head, "" for none, and paragraphs. */
struct letter_part {
    const char *head;
    enum letter_style style;
    const char *const *items;
    size_t count;
};

struct letter {
    const struct document_party *seller; /* whose letter it is; `logo` is a data: URL or "" */
    const char *title, *opening;
    const char *notice; /* above everything; "": none */
    const char *at;     /* when it is made, an instant */
    struct {
        const char *label, *value;
    } pairs[LETTER_PAIRS_MAX];
    size_t pair_count;
    struct letter_part parts[LETTER_PARTS_MAX];
    size_t part_count;
};

/* Adds to it what is not "". */
void letter_pair(struct letter *letter, const char *label, const char *value);
void letter_part(struct letter *letter, const struct letter_part *part);

/* A4, or letter in North America, with a line for a signature at its end. The same letter is the same bytes.
 */
bool letter_render(const struct letter *letter, struct format_output *out);

#endif
