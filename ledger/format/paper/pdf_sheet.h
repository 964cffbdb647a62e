/* Sheets of paper, one after the other: margins, the foot of each page, and where the next part goes. Lengths
 * are whole points. */
#ifndef LEDGER_FORMAT_PAPER_PDF_SHEET_H
#define LEDGER_FORMAT_PAPER_PDF_SHEET_H

#include "ledger/format/format.h"
#include "ledger/format/paper/pdf_text.h"

#define PDF_MARGIN 48

/* The state of one run. What is drawn is laid out twice, as a page says how many there are: both runs must
 * break pages alike, so nothing of the first is left but the number of pages. */
struct pdf_sheet {
    cairo_t *cr;
    int width, height; /* of the paper */
    int y;             /* where the next part goes */
    int page, pages;   /* pages: 0 while they are counted */
    const char *foot;  /* what stands on the left of it, such as "Seller · Invoice 12" */
    void (*draw)(struct pdf_sheet *sheet);
    void (*head)(struct pdf_sheet *sheet); /* draws what a new page begins with; NULL: nothing */
    void *subject;                         /* draw's and head's own */
};

/* What the file says of itself. */
struct pdf_file {
    const char *title, *author;
    const char
        *created; /* an instant. Nothing in the file depends on when and where it is made, but the fonts */
};

/* North America writes on letter, everybody else on A4. The country is "" or an ISO 3166-1 code. */
void pdf_sheet_choose(struct pdf_sheet *sheet, const char *country);

/* How wide a text can be. */
int pdf_sheet_width(const struct pdf_sheet *sheet);

/* A line from margin to margin. */
void pdf_sheet_line(struct pdf_sheet *sheet, int y, enum pdf_colour colour, int width);

/* Makes sure that so much fits below, on this page or the next. */
void pdf_sheet_need(struct pdf_sheet *sheet, int height);

/* Text that may go on on the next page, line by line, so far from the left margin. */
void pdf_sheet_paragraph(struct pdf_sheet *sheet, const struct pdf_type *type, const char *text, int indent);

/* Draws it all, to the output's bytes, which are the caller's to free. False, and no bytes but the error,
 * when it cannot be drawn. */
bool pdf_sheet_render(struct pdf_sheet *sheet, const struct pdf_file *file, struct format_output *out);

#endif
