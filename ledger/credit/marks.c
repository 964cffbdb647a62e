/* How far each writer's batches were read, by quarter of an hour: a few dozen, sorted, so that a quarter
 * which is over goes as a whole. */
#include "ledger/credit/marks.h"

#include <assert.h>
#include <stdlib.h>

static int compare(const struct credit_mark *mark, int64_t quarter, const uint8_t writer_id[UUID_SIZE])
{
    if (mark->quarter != quarter)
        return mark->quarter < quarter ? -1 : 1;
    return memcmp(mark->writer_id, writer_id, UUID_SIZE);
}

/* Where the writer's mark is, or would be. */
static size_t seek(const struct marks *marks, int64_t quarter, const uint8_t writer_id[UUID_SIZE])
{
    /* The first that is not below it: of a quarter without a writer, the quarter's first. */
    size_t low = 0, high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&marks->items[middle], quarter, writer_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct credit_mark *marks_find(const struct marks *marks, int64_t quarter, const uint8_t writer_id[UUID_SIZE])
{
    size_t at = seek(marks, quarter, writer_id);
    bool found = at < marks->count && compare(&marks->items[at], quarter, writer_id) == 0;
    return found ? &marks->items[at] : NULL;
}

bool marks_make(struct marks *marks, int64_t quarter, const uint8_t writer_id[UUID_SIZE])
{
    if (marks_find(marks, quarter, writer_id))
        return true;
    if (marks->count == marks->room) {
        size_t room = 2 * marks->room + 8;
        struct credit_mark *items = realloc(marks->items, room * sizeof(*items));
        if (!items)
            return false;
        marks->items = items;
        marks->room = room;
    }
    size_t at = seek(marks, quarter, writer_id);
    assert(at <= marks->count && marks->count < marks->room);
    memmove(&marks->items[at + 1], &marks->items[at], (marks->count - at) * sizeof(*marks->items));
    marks->items[at] = (struct credit_mark){.quarter = quarter};
    memcpy(marks->items[at].writer_id, writer_id, UUID_SIZE);
    marks->count++;
    assert(at == 0 || compare(&marks->items[at - 1], quarter, writer_id) < 0);
    assert(at + 1 == marks->count || compare(&marks->items[at + 1], quarter, writer_id) > 0);
    return true;
}

/* The room stays: it is needed again in the next quarter. */
void marks_drop_before(struct marks *marks, int64_t quarter)
{
    static const uint8_t lowest[UUID_SIZE];
    size_t dropped = seek(marks, quarter, lowest);
    assert(dropped <= marks->count);
    marks->count -= dropped;
    if (dropped > 0)
        memmove(marks->items, &marks->items[dropped], marks->count * sizeof(*marks->items));
}

void marks_free(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){.items = NULL};
}
