/* The rows of an exported file beside the index that was made along with it: which were changed, removed,
 * added or moved. Both are read once, in memory that grows with the number of differences alone. */
#ifndef LEDGER_EXPORT_ROW_CHECK_H
#define LEDGER_EXPORT_ROW_CHECK_H

#include "ledger/export/packed_file.h"

/* So many differences are told; after them the rows are no longer compared. */
#define ROW_CHECK_FINDINGS_MAX 1000

/* A difference in words: "row 12 (018f…) was changed". */
typedef void row_check_tell(void *context, const char *sentence);

struct row_check_order {
    const char *file, *index;
    enum packing packing;
    bool csv;
    row_check_tell *tell;
    void *context;
};

struct row_check_result {
    struct packed_file_whole file, index; /* what the files consist of */
    int64_t rows;                         /* of the file, without the line of column names */
    int64_t findings;
    bool stopped;     /* at ROW_CHECK_FINDINGS_MAX */
    bool file_broken; /* it does not unpack to its end */
    bool index_broken;
};

/* False after logging that a file cannot be read. */
bool row_check_run(const struct row_check_order *order, struct row_check_result *result) MUST_USE;

#endif
