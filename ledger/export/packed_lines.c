#include "ledger/export/packed_lines.h"

#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAGIC 0x2e94ab71u
#define READ_SIZE   ((size_t)1 << 17)

struct packed_lines {
    uint32_t magic;
    int fd;
    enum line_end end;
    struct packer *packer;
    struct digest *digest;
    int64_t bytes;
    bool over, broken;
    char *data; /* what has been unpacked, from `at` to `len` not told yet */
    size_t at, len, room;
};

static void take(void *context, struct slice piece)
{
    struct packed_lines *lines = context;
    if (lines->at > 0 && lines->len + piece.len > lines->room) {
        memmove(lines->data, lines->data + lines->at, lines->len - lines->at);
        lines->len -= lines->at;
        lines->at = 0;
    }
    if (lines->len + piece.len > lines->room) {
        size_t room = 2 * (lines->len + piece.len);
        char *data = realloc(lines->data, room);
        if (!data) {
            lines->broken = true;
            return;
        }
        lines->data = data;
        lines->room = room;
    }
    memcpy(lines->data + lines->len, piece.data, piece.len);
    lines->len += piece.len;
}

struct packed_lines *packed_lines_open(const char *path, enum packing packing, enum line_end end)
{
    struct packed_lines *lines = calloc(1, sizeof(*lines));
    if (lines) {
        OBJECT_MAKE(lines, LINES_MAGIC);
        lines->end = end;
        lines->digest = digest_begin();
        lines->packer = packer_new(packing, true, take, lines);
        lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (lines && lines->packer && lines->fd >= 0)
        return lines;
    LOG(ERROR, "the file cannot be read", {"file", path},
        {"detail", lines && lines->packer ? strerror(errno) : "no memory"});
    packed_lines_close(lines);
    return NULL;
}

void packed_lines_close(struct packed_lines *lines)
{
    uint8_t unused[DIGEST_SIZE];
    if (!lines)
        return;
    OBJECT_END(lines, LINES_MAGIC);
    if (lines->digest)
        digest_end(lines->digest, unused);
    packer_free(lines->packer);
    if (lines->fd >= 0)
        close(lines->fd);
    free(lines->data);
    free(lines);
}

static void read_more(struct packed_lines *lines)
{
    char room[READ_SIZE];
    ssize_t got = read(lines->fd, room, sizeof(room));
    if (got < 0 && errno == EINTR)
        return;
    lines->over = got <= 0;
    if (got < 0 || (got == 0 && !packer_end(lines->packer)))
        lines->broken = true;
    if (got <= 0)
        return;
    const struct slice piece = {room, (size_t)got};
    lines->bytes += got;
    digest_add(lines->digest, piece);
    if (!lines->broken && !packer_add(lines->packer, piece))
        lines->broken = true; /* the rest is read for its digest alone */
}

/* What begins so, perhaps with a quote before it, as a cell of text has. */
static bool begins(struct slice rest, const char *expected)
{
    if (rest.len > 0 && rest.data[0] == '"')
        rest = (struct slice){rest.data + 1, rest.len - 1};
    return expected && *expected && slice_starts(rest, slice_of(expected));
}

/* The length of the first line with its end; 0 if its end is not there. */
static size_t line_len(enum line_end end, struct slice rest, const char *expected)
{
    bool quoted = false;
    if (end == LINE_FEED) {
        size_t len = slice_find(rest, '\n');
        return len < rest.len ? len + 1 : 0;
    }
    for (size_t i = 0; i < rest.len && i < LINE_BYTES_MAX; i++) {
        quoted ^= rest.data[i] == '"';
        if (rest.data[i] != '\n' || i == 0 || rest.data[i - 1] != '\r')
            continue;
        if (!quoted || begins((struct slice){rest.data + i + 1, rest.len - i - 1}, expected))
            return i + 1;
    }
    return 0;
}

/* The same where quotes do not close. */
static size_t damaged_len(struct slice rest)
{
    for (size_t i = 1; i < rest.len; i++)
        if (rest.data[i] == '\n' && rest.data[i - 1] == '\r')
            return i + 1;
    return rest.len;
}

bool packed_lines_next(struct packed_lines *lines, const char *expected, struct slice *line)
{
    OBJECT_CHECK(lines, LINES_MAGIC);
    for (;;) {
        struct slice rest = {lines->data ? lines->data + lines->at : "", lines->len - lines->at};
        size_t len = line_len(lines->end, rest, expected);
        if (len == 0 && rest.len > 0 && (lines->over || rest.len > LINE_BYTES_MAX))
            len = lines->end == LINE_CSV ? damaged_len(rest) : rest.len;
        if (len > 0) {
            assert(len <= rest.len);
            *line = (struct slice){rest.data, len};
            lines->at += len;
            return true;
        }
        if (lines->over)
            return false;
        read_more(lines);
    }
}

void packed_lines_end(struct packed_lines *lines, struct packed_file_whole *whole, bool *broken)
{
    OBJECT_CHECK(lines, LINES_MAGIC);
    while (!lines->over) {
        lines->at = lines->len = 0;
        read_more(lines);
    }
    digest_end(lines->digest, whole->sha256);
    lines->digest = NULL;
    whole->bytes = lines->bytes;
    *broken = lines->broken;
}
