/* The head of an origin's answer as it comes, line by line, without what is for one hop alone (RFC 9110
 * section 7.6.1). Bounded. Pure. */
#ifndef SERVER_ORIGIN_ORIGIN_HEAD_H
#define SERVER_ORIGIN_ORIGIN_HEAD_H

#include "ledger/base/http/exchange.h"

struct origin_head {
    struct arena *arena; /* takes names and values */
    size_t room;         /* bytes that the fields may have */
    size_t used;
    unsigned status; /* 0: no status line yet */
    bool ended;
    struct exchange_header *fields; /* in the order of their coming */
    struct exchange_header **tail;
    uint64_t length;     /* of the body, as Content-Length says; or EXCHANGE_UNKNOWN_LENGTH */
    const char *refusal; /* why a line was refused; or NULL */
};

void origin_head_begin(struct origin_head *head, struct arena *arena, size_t room);

enum origin_head_line {
    ORIGIN_HEAD_MORE,
    ORIGIN_HEAD_END, /* it was the last line of a final answer's head: once */
    ORIGIN_HEAD_REFUSED,
};

/* Takes a line with its line break. A status line starts over: an informational answer went before, or a
 * connection that had died was tried again. Lines after the end are trailers, which are left out. */
enum origin_head_line origin_head_line(struct origin_head *head, struct slice line);

/* True if a field of this name is for one hop, or is one that `connection` (a Connection field's value;
 * empty: none) names. */
bool origin_head_is_hop(struct slice name, struct slice connection);

#endif
