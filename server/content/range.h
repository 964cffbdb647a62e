/* Ranges of bytes (RFC 9110 section 14). Pure. */
#ifndef SERVER_CONTENT_RANGE_H
#define SERVER_CONTENT_RANGE_H

#include "ledger/base/slice.h"

enum range {
    RANGE_WHOLE,   /* 200 */
    RANGE_PART,    /* 206 */
    RANGE_OUTSIDE, /* 416 */
};

/* What the field Range asks for of a page of `size` bytes. RANGE_PART with the part's place, which is left as
 * it was otherwise. What does not parse, other units than bytes, and several ranges that can be given are
 * answered with the whole page, as section 14.2 allows: it is what was paid for. */
enum range range_judge(struct slice value, uint64_t size, uint64_t *offset, uint64_t *length);

#endif
