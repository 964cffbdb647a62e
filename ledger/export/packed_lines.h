/* The lines of a packed file, one after the other, and the digest of the file when all have been read. */
#ifndef LEDGER_EXPORT_PACKED_LINES_H
#define LEDGER_EXPORT_PACKED_LINES_H

#include "ledger/export/packed_file.h"

/* How a line ends. */
enum line_end {
    LINE_FEED,
    LINE_CSV, /* at CR LF outside of quotes. Where quotes do not close within LINE_MAX, because somebody was
               * at them, at the first CR LF: so one damaged line does not swallow those after it. */
};
#define LINE_BYTES_MAX ((size_t)1 << 20)

struct packed_lines;

/* NULL after logging why the file cannot be read. */
struct packed_lines *packed_lines_open(const char *path, enum packing packing, enum line_end end) MUST_USE;
void packed_lines_close(struct packed_lines *lines);

/* The next line with its end; valid until the next call. `expected` is how the line after it begins, if that
 * is known; NULL or "" if not. False when there is none any more, or no memory. */
bool packed_lines_next(struct packed_lines *lines, const char *expected, struct slice *line);

/* Reads what is left. *broken: it does not unpack, or cannot be read to its end. */
void packed_lines_end(struct packed_lines *lines, struct packed_file_whole *whole, bool *broken);

#endif
