#include "server/mcp/buffer.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_FIRST 1024

void buffer_add(struct buffer *buffer, struct slice piece)
{
    if (piece.len == 0 || buffer->failed)
        return;
    if (piece.len > buffer->room - buffer->end && buffer->begin > 0) {
        memmove(buffer->data, buffer->data + buffer->begin, buffer->end - buffer->begin);
        buffer->end -= buffer->begin;
        buffer->begin = 0;
    }
    if (piece.len > buffer->room - buffer->end) {
        size_t room = (buffer->end + piece.len) * 2;
        room = room < ROOM_FIRST ? ROOM_FIRST : room;
        char *data = realloc(buffer->data, room);
        if (!data) {
            buffer->failed = true;
            return;
        }
        buffer->data = data;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->end, piece.data, piece.len);
    buffer->end += piece.len;
    assert(buffer->begin <= buffer->end && buffer->end <= buffer->room);
}

struct slice buffer_all(const struct buffer *buffer)
{
    return buffer->data ? (struct slice){buffer->data + buffer->begin, buffer->end - buffer->begin}
                        : (struct slice){"", 0};
}

void buffer_drop(struct buffer *buffer, size_t bytes)
{
    assert(bytes <= buffer->end - buffer->begin);
    buffer->begin += bytes;
    if (buffer->begin == buffer->end)
        buffer->begin = buffer->end = 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.data = NULL};
}
