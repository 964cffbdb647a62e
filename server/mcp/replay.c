#include "server/mcp/replay.h"

#include "ledger/base/object.h"
#include "server/mcp/answer.h"

#include <assert.h>
#include <stdlib.h>

#define REPLAY_MAGIC 0xa92c6e07u

struct replay {
    struct exchange_stream stream; /* first */
    uint32_t magic;
    struct calls *calls;
    struct call *call;
    struct buffer rest;
};

static struct replay *replay_of(struct exchange_stream *stream)
{
    struct replay *replay = (struct replay *)(void *)stream;
    OBJECT_CHECK(replay, REPLAY_MAGIC);
    return replay;
}

static ptrdiff_t read_replay(struct exchange_stream *stream, char *out, size_t room)
{
    struct replay *replay = replay_of(stream);
    struct slice rest = buffer_all(&replay->rest);
    size_t bytes = rest.len < room ? rest.len : room;
    if (bytes == 0) {
        calls_delivered(replay->calls, replay->call); /* all before was sent */
        return EXCHANGE_END;
    }
    memcpy(out, rest.data, bytes);
    buffer_drop(&replay->rest, bytes);
    return (ptrdiff_t)bytes;
}

static void close_replay(struct exchange_stream *stream)
{
    struct replay *replay = replay_of(stream);
    calls_let_go(replay->calls, replay->call);
    buffer_free(&replay->rest);
    OBJECT_END(replay, REPLAY_MAGIC);
    free(replay);
}

struct exchange_stream *replay_new(struct calls *calls, struct call *call, struct slice id)
{
    enum err err;
    struct slice result = calls_result(call, &err);
    struct replay *replay = calloc(1, sizeof(*replay));
    assert(err == ERR_OK && result.data);
    if (!replay)
        return NULL;
    if (!answer_result(&replay->rest, id, result)) {
        buffer_free(&replay->rest);
        free(replay);
        return NULL;
    }
    OBJECT_MAKE(replay, REPLAY_MAGIC);
    replay->stream = (struct exchange_stream){.read = read_replay, .close = close_replay};
    replay->calls = calls;
    replay->call = call;
    return &replay->stream;
}
