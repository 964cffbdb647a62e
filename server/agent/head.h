/* The header of an HTTP answer as it comes, line by line. Bounded. Pure. */
#ifndef SERVER_AGENT_HEAD_H
#define SERVER_AGENT_HEAD_H

#include "ledger/base/http/message.h"

#define HEAD_FIELDS_MAX 100
#define HEAD_BYTES_MAX  16384
#define HEAD_VALUE_MAX  512 /* of a validator that is sent back */

/* Starts as zeros. */
struct head {
    struct message_field fields[HEAD_FIELDS_MAX];
    size_t count;
    size_t used;
    bool ended;
    char bytes[HEAD_BYTES_MAX]; /* what the fields point to */
};

/* Adds a line, with its line break. A status line starts over: an informational answer went before. Lines
 * after the empty one are trailers and are left out. False when it does not parse or does not fit. */
bool head_line(struct head *head, struct slice line);

#endif
