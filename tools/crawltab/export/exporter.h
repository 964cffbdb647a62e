/* The rows of an export, from the ledger into its file and its index. */
#ifndef TOOLS_CRAWLTAB_EXPORT_EXPORTER_H
#define TOOLS_CRAWLTAB_EXPORT_EXPORTER_H

#include "ledger/export/packed_file.h"
#include "tools/crawltab/export/selection.h"

#define EXPORT_CURRENCIES_MAX 32

/* What rows come to. */
struct export_sum {
    char currency[4];
    int64_t rows, micros;
};

/* What was written. */
struct export_made {
    int64_t rows;
    struct export_sum sums[EXPORT_CURRENCIES_MAX]; /* by currency */
    size_t currencies;
    struct pg_rows days;        /* of the statement export_days; none of a kind without sites */
    struct export_sum *of_days; /* beside them, of entries */
    struct packed_file_whole file, index;
};
void export_made_free(struct export_made *made);

/* Writes the rows; `index` NULL: there is none. ERR_INTERNAL after logging why not. The caller ends the
 * files, whatever comes back, and frees what was made. */
enum err export_rows(struct pg *pg, const struct selection *selection, struct packed_file *file,
                     struct packed_file *index, struct export_made *made) MUST_USE;

#endif
