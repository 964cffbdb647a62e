/* Sends a message to the publisher's own system, or to a witness. The only user of libcurl in this program.
 */
#ifndef TOOLS_CRAWLTAB_FRAME_POST_H
#define TOOLS_CRAWLTAB_FRAME_POST_H

#include "ledger/base/slice.h"

#include <stdbool.h>

#define POST_HEADERS_MAX 8
#define POST_DETAIL_MAX  256

struct post {
    const char *url;
    const char *headers[POST_HEADERS_MAX]; /* "name: value", ending with NULL */
    const char *type;                      /* of the body; NULL: application/json */
    struct slice body;
    char *reply; /* gets the answer's body, as far as there is room; NULL: that is of no use */
    size_t reply_room;
};

/* The status of the answer, whatever it is; redirects are not followed. 0 when there was no answer within 15
 * seconds; `detail` then says why, and is "" otherwise. The reply ends with a NUL. */
long post_send(const struct post *post, char detail[POST_DETAIL_MAX]);

#endif
