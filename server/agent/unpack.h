/* Bodies that come packed although identity was asked for, as some servers and caches send them: gzip and
 * deflate (RFC 9110 section 8.4.1). Pure; the only user of zlib. */
#ifndef SERVER_AGENT_UNPACK_H
#define SERVER_AGENT_UNPACK_H

#include "ledger/base/http/message.h"

/* The codings that the answer's Content-Encoding names: none, one that unpack_body takes, or anything else.
 */
enum unpack_coding { UNPACK_NONE, UNPACK_KNOWN, UNPACK_UNKNOWN };
enum unpack_coding unpack_coding(const struct message *answer);

/* The content of a packed body: at most `room` bytes, of *len, that the caller frees. NULL with *why, static:
 * it is not what it says, or larger than `room`. */
char *unpack_body(struct slice body, size_t room, size_t *len, const char **why);

#endif
