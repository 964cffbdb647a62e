/* CSV (RFC 4180) on standard output. */
#ifndef TOOLS_CRAWLTAB_FRAME_CSV_H
#define TOOLS_CRAWLTAB_FRAME_CSV_H

/* A field in quotes; NULL is empty. A spreadsheet takes a cell that begins with one of "=+-@", a tab or a
 * return for a formula, and crawlers choose what stands here: such a one gets an apostrophe in front. */
void csv_text(const char *text);

#endif
