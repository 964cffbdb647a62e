/* Bytes that grow at the end and are taken from the front, in memory of their own. */
#ifndef SERVER_MCP_BUFFER_H
#define SERVER_MCP_BUFFER_H

#include "ledger/base/slice.h"

struct buffer {
    char *data;
    size_t begin, end, room;
    bool failed; /* there was no memory: what is in it is not all */
};

void buffer_add(struct buffer *buffer, struct slice piece);
/* What is in it, until it changes. */
struct slice buffer_all(const struct buffer *buffer);
/* Takes so many bytes from the front, at most what is there. */
void buffer_drop(struct buffer *buffer, size_t bytes);
void buffer_free(struct buffer *buffer);

#endif
