/* Up to where spending was read: for each writer of each quarter of an hour the number of its last batch. */
#ifndef LEDGER_CREDIT_MARKS_H
#define LEDGER_CREDIT_MARKS_H

#include "ledger/credit/credit.h"

/* Starts as {NULL}; in the order of quarter and writer. */
struct marks {
    struct credit_mark *items;
    size_t count, room;
};

/* NULL: nothing was read of this writer in this quarter. */
struct credit_mark *marks_find(const struct marks *marks, int64_t quarter,
                               const uint8_t writer_id[UUID_SIZE]);

/* Makes the writer's mark, with batch 0, unless there is one. False without memory. */
bool marks_make(struct marks *marks, int64_t quarter, const uint8_t writer_id[UUID_SIZE]);

/* Forgets the marks of quarters before this one. */
void marks_drop_before(struct marks *marks, int64_t quarter);

void marks_free(struct marks *marks);

#endif
