/* A table in which each version has one place, that of another one if need be: nothing is searched, and its
 * memory does not grow. */
#include "ledger/delivery/file_digests.h"

#include "ledger/base/object.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES      4096 /* 400 KB */
#define PIECE_BYTES 65536

#define FILE_DIGESTS_MAGIC 0x6e10c4b9u

struct place {
    struct file_version version;
    uint8_t digest[DIGEST_SIZE];
    bool taken;
};

struct file_digests {
    uint32_t magic;
    pthread_mutex_t mutex;
    struct place places[PLACES];
};

struct file_digests *file_digests_new(void)
{
    struct file_digests *digests = calloc(1, sizeof(*digests));
    if (!digests)
        return NULL;
    OBJECT_MAKE(digests, FILE_DIGESTS_MAGIC);
    pthread_mutex_init(&digests->mutex, NULL);
    return digests;
}

void file_digests_free(struct file_digests *digests)
{
    if (!digests)
        return;
    OBJECT_END(digests, FILE_DIGESTS_MAGIC);
    pthread_mutex_destroy(&digests->mutex);
    free(digests);
}

/* Padding there is none: every member has eight bytes. */
_Static_assert(sizeof(struct file_version) == 7 * sizeof(uint64_t), "compared as bytes");

static struct place *place_of(struct file_digests *digests, const struct file_version *version)
{
    uint64_t hash = 0;
    uint64_t words[7];
    memcpy(words, version, sizeof(words));
    for (size_t i = 0; i < 7; i++)
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
    return &digests->places[(hash >> 32) % PLACES];
}

static bool same(const struct place *place, const struct file_version *version)
{
    return place->taken && memcmp(&place->version, version, sizeof(*version)) == 0;
}

bool file_digests_find(struct file_digests *digests, const struct file_version *version,
                       uint8_t out[DIGEST_SIZE])
{
    OBJECT_CHECK(digests, FILE_DIGESTS_MAGIC);
    struct place *place = place_of(digests, version);
    pthread_mutex_lock(&digests->mutex);
    bool found = same(place, version);
    if (found)
        memcpy(out, place->digest, DIGEST_SIZE);
    pthread_mutex_unlock(&digests->mutex);
    return found;
}

void file_digests_keep(struct file_digests *digests, const struct file_version *version,
                       const uint8_t digest[DIGEST_SIZE])
{
    OBJECT_CHECK(digests, FILE_DIGESTS_MAGIC);
    struct place *place = place_of(digests, version);
    pthread_mutex_lock(&digests->mutex);
    place->taken = true;
    place->version = *version;
    memcpy(place->digest, digest, DIGEST_SIZE);
    pthread_mutex_unlock(&digests->mutex);
}

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool is_still(int fd, const struct file_version *version)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (uint64_t)status.st_dev == version->device &&
           (uint64_t)status.st_ino == version->inode && (uint64_t)status.st_size == version->size &&
           nanoseconds(status.st_mtim) == version->modified_ns &&
           nanoseconds(status.st_ctim) == version->changed_ns;
}

bool file_digest_read(int fd, const struct file_version *version, uint8_t out[DIGEST_SIZE])
{
    struct digest *digest = digest_begin();
    char *piece = malloc(PIECE_BYTES);
    uint64_t done = 0;
    ssize_t bytes = 1;
    while (piece && done < version->length && bytes > 0) {
        uint64_t left = version->length - done;
        bytes = pread(fd, piece, left < PIECE_BYTES ? left : PIECE_BYTES, (off_t)(version->offset + done));
        if (bytes > 0) {
            digest_add(digest, slice_bytes((const uint8_t *)piece, (size_t)bytes));
            done += (uint64_t)bytes;
        }
    }
    digest_end(digest, out);
    free(piece);
    /* Asked after it was read: what was written meanwhile shows in its times. */
    return done == version->length && is_still(fd, version);
}
