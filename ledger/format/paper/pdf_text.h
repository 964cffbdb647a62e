/* Texts on paper: their looks, their sizes, and how they are broken into lines. */
#ifndef LEDGER_FORMAT_PAPER_PDF_TEXT_H
#define LEDGER_FORMAT_PAPER_PDF_TEXT_H

#include "ledger/format/paper/pdf_library.h"

#include <stdbool.h>

enum pdf_colour { PDF_INK, PDF_SOFT, PDF_LINE, PDF_BAR, PDF_COLOUR_COUNT };

/* How a text is set. Lines are a quarter of the size apart. */
struct pdf_type {
    int size;
    bool bold, fixed; /* fixed: all letters are alike wide, and none looks like another */
    enum pdf_colour colour;
    PangoAlignment align;
};

void pdf_set_colour(cairo_t *cr, enum pdf_colour colour);

/* A text laid out within a width, in points; pdf.g_object_unref ends it. */
PangoLayout *pdf_layout(cairo_t *cr, const struct pdf_type *type, const char *text, int width);
int pdf_height(PangoLayout *layout);

/* How high a text is at that width. */
int pdf_measure(cairo_t *cr, const struct pdf_type *type, const char *text, int width);

/* Draws it with its upper left corner at x, y, and returns its height. */
int pdf_draw(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width);

/* The same of an address: what has no spaces and is too long for a line is broken at its signs, before @ and
 * points, behind dashes and slashes, and not in mid-word. */
int pdf_draw_address(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width);

/* The type of numbers in columns. */
extern const struct pdf_type pdf_figures;

/* The same of a number with FORMAT_PAD behind it, to the right, in any type: its pads are as wide as digits
 * of pdf_figures.
 */
int pdf_draw_figure(cairo_t *cr, const struct pdf_type *type, const char *text, int x, int y, int width);

#endif
