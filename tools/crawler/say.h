/* What the crawler tells a person: problems, and the header fields that went over the wire. */
#ifndef TOOLS_CRAWLER_SAY_H
#define TOOLS_CRAWLER_SAY_H

#include "ledger/base/slice.h"

#include <stdio.h>

#define SAY_COLUMNS 80

/* Writes "crawler: …" and a line end to standard error. Control characters, which may come from a site,
 * become '?'. */
void say_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same on standard output, with nothing in front: one line of results. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes one line of a message's head as "> line" (`mark` is '>' or '<'), broken for SAY_COLUMNS columns:
 * between words or parameters where there are some, else inside; what goes on is indented by four more
 * columns. */
void say_head_line(FILE *out, char mark, struct slice line);

#endif
