/* Conditional requests (RFC 9110 section 13): what the conditions of a GET or HEAD make of its answer, given
 * the page as it is now. Pure. */
#ifndef SERVER_CONTENT_PRECONDITION_H
#define SERVER_CONTENT_PRECONDITION_H

#include "ledger/base/http/message.h"

#include <stdint.h>

/* The page as it is now. */
struct precondition_page {
    struct slice etag; /* strong, with its quotes */
    int64_t modified;  /* as Last-Modified says, in seconds since 1970; not later than `now` */
    int64_t now;       /* seconds since 1970 */
};

enum precondition {
    PRECONDITION_MET,          /* or there is none */
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED,       /* 412 */
};

/* Section 13.2.2, steps 1 to 4. To be asked only where the answer without conditions would be a 200 (section
 * 13.2.1). */
enum precondition precondition_judge(const struct message *message, const struct precondition_page *page);

/* Step 5: whether Range counts as far as If-Range is concerned, which must name the page as it is now by a
 * strong validator. */
bool precondition_range_counts(const struct message *message, const struct precondition_page *page);

#endif
