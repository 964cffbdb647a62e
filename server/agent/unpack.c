/* A directory is asked for unpacked; some servers pack it all the same. What unpacks to more than fits is
 * refused without being unpacked: 256 KiB can be made to be a quarter of a gigabyte. */
#define ZLIB_CONST /* what zlib reads it may not write */
#include "server/agent/unpack.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define ANY_HEADER 32 /* added to the window's bits: gzip's header or zlib's, whichever is there */

enum unpack_coding unpack_coding(const struct message *answer)
{
    static const struct slice known[] = {SLICE("gzip"), SLICE("x-gzip"), SLICE("deflate")};
    enum unpack_coding coding = UNPACK_NONE;
    for (const struct message_field *field = message_field(answer, SLICE("content-encoding")); field;
         field = message_field_next(answer, field)) {
        struct slice name = slice_trim(field->value);
        bool taken = false;
        if (slice_eq_nocase(name, SLICE("identity")))
            continue;
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            taken = taken || slice_eq_nocase(name, known[i]);
        coding = taken && coding == UNPACK_NONE ? UNPACK_KNOWN : UNPACK_UNKNOWN;
    }
    return coding;
}

/* All of the input into the room: Z_STREAM_END; or what is wrong. */
static int inflate_all(z_stream *stream)
{
    int state = inflateInit2(stream, MAX_WBITS + ANY_HEADER);
    if (state != Z_OK)
        return state;
    state = inflate(stream, Z_FINISH);
    inflateEnd(stream);
    return state;
}

char *unpack_body(struct slice body, size_t room, size_t *len, const char **why)
{
    char *out = malloc(room);
    *why = "no memory";
    if (!out)
        return NULL;
    assert(body.len <= UINT_MAX && room <= UINT_MAX);
    z_stream stream = {.next_in = (const Bytef *)body.data,
                       .avail_in = (uInt)body.len,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)room};
    /* In one go into bounded room: a packed body of 256 KiB could unpack to a quarter of a gigabyte. */
    int state = inflate_all(&stream);
    if (state == Z_STREAM_END && stream.avail_in == 0) {
        *len = room - stream.avail_out;
        assert(*len <= room);
        *why = NULL;
        return out;
    }
    if (state == Z_BUF_ERROR && stream.avail_out == 0)
        *why = "unpacked it is larger than directory.max_bytes";
    else if (state != Z_MEM_ERROR)
        *why = "it does not unpack as its Content-Encoding says";
    free(out);
    return NULL;
}
