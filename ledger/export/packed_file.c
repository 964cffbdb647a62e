#include "ledger/export/packed_file.h"

#include "ledger/base/file/file.h"
#include "ledger/base/log.h"
#include "ledger/base/object.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#define FILE_MAGIC 0x6a0d51f3u
#define HELD_SIZE  ((size_t)1 << 18)

struct packed_file {
    uint32_t magic;
    const char *path; /* NULL: standard output */
    struct file_draft *draft;
    struct packer *packer;
    struct digest *digest; /* NULL once it has been told */
    int64_t bytes;
    size_t held;
    bool failed;
    char room[HELD_SIZE]; /* rows are short: packers and system calls are asked for many at once */
};

static void take(void *context, struct slice piece)
{
    struct packed_file *file = context;
    file->bytes += (int64_t)piece.len;
    if (!file->draft) {
        file->failed |= fwrite(piece.data, 1, piece.len, stdout) != piece.len;
        return;
    }
    digest_add(file->digest, piece);
    file_draft_write(file->draft, piece.data, piece.len);
}

struct packed_file *packed_file_begin(const char *path, enum packing packing)
{
    struct packed_file *file = calloc(1, sizeof(*file));
    const char *problem = "no memory";
    if (!file)
        goto out;
    OBJECT_MAKE(file, FILE_MAGIC);
    file->path = path;
    file->digest = digest_begin();
    file->packer = packer_new(packing, false, take, file);
    problem = !file->packer ? "no memory"
              : path        ? file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &file->draft)
                            : NULL;
out:
    if (!problem)
        return file;
    LOG(ERROR, "the file cannot be written", {"file", path ? path : "standard output"}, {"detail", problem});
    packed_file_discard(file);
    return NULL;
}

static void flush(struct packed_file *file)
{
    if (!packer_add(file->packer, (struct slice){file->room, file->held}))
        file->failed = true;
    file->held = 0;
}

void packed_file_write(struct packed_file *file, struct slice piece)
{
    OBJECT_CHECK(file, FILE_MAGIC);
    assert(file->digest);
    if (piece.len > HELD_SIZE - file->held)
        flush(file);
    if (piece.len > HELD_SIZE) {
        file->failed |= !packer_add(file->packer, piece);
        return;
    }
    memcpy(file->room + file->held, piece.data, piece.len);
    file->held += piece.len;
}

void packed_file_end(struct packed_file *file, struct packed_file_whole *whole)
{
    OBJECT_CHECK(file, FILE_MAGIC);
    assert(file->digest);
    flush(file);
    file->failed |= !packer_end(file->packer);
    digest_end(file->digest, whole->sha256);
    file->digest = NULL;
    whole->bytes = file->bytes;
}

bool packed_file_name(struct packed_file *file)
{
    OBJECT_CHECK(file, FILE_MAGIC);
    assert(!file->digest); /* it is whole */
    const char *problem = file->failed ? "it could not all be packed" : NULL;
    if (!problem && file->draft) {
        problem = file_draft_replace(file->draft, false);
        file->draft = NULL;
    }
    if (problem)
        LOG(ERROR, "the file cannot be written", {"file", file->path ? file->path : "standard output"},
            {"detail", problem});
    packed_file_discard(file);
    return !problem;
}

void packed_file_discard(struct packed_file *file)
{
    uint8_t unused[DIGEST_SIZE];
    if (!file)
        return;
    OBJECT_END(file, FILE_MAGIC);
    if (file->digest)
        digest_end(file->digest, unused);
    file_draft_discard(file->draft);
    packer_free(file->packer);
    free(file);
}
