/* The seller's picture on paper. */
#ifndef LEDGER_FORMAT_PAPER_PDF_LOGO_H
#define LEDGER_FORMAT_PAPER_PDF_LOGO_H

#include "ledger/format/paper/pdf_library.h"

/* Draws the PNG or JPEG of a data: URL with its upper left corner at x, y, made smaller to fit. Returns the
 * height that it takes, 0 if there is no such picture: SVG is for pages only. */
int pdf_logo_draw(cairo_t *cr, const char *url, int x, int y);

#endif
