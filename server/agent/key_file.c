/* The file is replaced as a whole and under a lock on the file itself, since several people and timers may
 * rotate at once; whoever waited for the lock looks whether what it has locked is still the file of that
 * name. */
#include "server/agent/key_file.h"

#include "ledger/base/log.h"
#include "ledger/base/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Eight keys take less than 3 KB. */
#define FILE_MAX 16384

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "identity_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

static bool parse(const char *path, const char *text, size_t len, struct key_ring *ring)
{
    const char *problem = key_ring_parse(slice_bytes(text, len), ring);
    return !problem || fail(path, problem,
                            "put a copy back; or move the file away, then `crawltab key rotate` makes a new "
                            "identity");
}

static bool check_mode(const char *path, const struct stat *status)
{
    if (file_is_exposed(status))
        return fail(path, FILE_EXPOSED, FILE_EXPOSED_HINT);
    if ((status->st_mode & S_IRWXG) != 0)
        LOG(WARN, "identity_key_exposed", {"file", path}, {"detail", "its group may read the private keys"},
            {"hint", "chmod 600"});
    return true;
}

bool key_file_read(const char *path, struct key_ring *ring, struct file_stamp *stamp)
{
    struct stat status;
    size_t len;
    char *text = file_read(path, FILE_MAX, &len, &status);
    if (!text)
        return fail(path, strerror(errno), NULL);
    bool ok = check_mode(path, &status) && parse(path, text, len, ring);
    if (ok && stamp)
        *stamp = file_stamp_of(&status);
    explicit_bzero(text, len);
    free(text);
    return ok;
}

/* As the file's text; the caller wipes and frees. NULL without memory. */
static char *text_of(const struct key_ring *ring)
{
    json_t *set = key_ring_private(ring);
    char *text = set ? json_dumps(set, JSON_INDENT(2)) : NULL;
    json_decref(set);
    return text;
}

static bool add_key(const char *path, const struct key_ring_timing *timing, struct key_ring *ring)
{
    uint8_t seed[SIGNATURE_ED25519_KEY_SIZE];
    random_bytes(seed, sizeof(seed));
    bool ok = key_ring_add(ring, seed, timing);
    explicit_bzero(seed, sizeof(seed));
    if (!ok && ring->count == KEY_RING_MAX)
        return fail(path, "it lists 8 keys already", "wait until one of them expires");
    return ok || fail(path, "OpenSSL cannot make an Ed25519 key", NULL);
}

/* Where another was faster, its file is as good. */
static bool make(const char *path, const struct key_ring_timing *timing, bool *made)
{
    assert(timing->life_seconds > 0 && !*made);
    struct key_ring ring = {.count = 0};
    enum file_named named;
    if (!add_key(path, timing, &ring))
        return false;
    char *text = text_of(&ring);
    key_ring_forget(&ring);
    if (!text)
        return fail(path, strerror(ENOMEM), NULL);
    const char *problem = file_make(path, text, strlen(text), &named);
    explicit_bzero(text, strlen(text));
    free(text);
    *made = !problem && named == FILE_MADE;
    return !problem || fail(path, problem, "the folder of identity.key_file must exist and be writable");
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

#define DAY_SECONDS 86400

struct key_ring_timing key_file_timing(const struct config *config, int64_t now)
{
    return (struct key_ring_timing){.now = now,
                                    .publish_seconds = config->identity_publish_seconds,
                                    .life_seconds = config->identity_key_days * DAY_SECONDS};
}

bool key_file_make(const char *path, const struct key_ring_timing *timing, struct key_ring *ring,
                   struct file_stamp *stamp)
{
    bool made = false;
    if (is_missing(path) && !make(path, timing, &made))
        return false;
    if (made)
        LOG(INFO, "identity_key_made", {"file", path});
    return key_file_read(path, ring, stamp);
}

/* Opens the file and locks it, until it is closed, against other rotations. One that came first has put
 * another file in its place: then that one is opened. -1 with errno. */
static int open_locked(const char *path, struct stat *status)
{
    for (;;) {
        struct stat named;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) != 0 || fstat(fd, status) != 0 || stat(path, &named) != 0) {
            int why = errno;
            close(fd);
            errno = why;
            return -1;
        }
        if (named.st_ino == status->st_ino && named.st_dev == status->st_dev)
            return fd;
        close(fd);
    }
}

/* Puts the ring in the file's place, with the file's owner: whoever rotates may be another. */
static bool replace(const char *path, const struct key_ring *ring, const struct stat *old)
{
    struct file_draft *draft = NULL;
    char *text = text_of(ring);
    const char *problem = text ? file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft) : strerror(ENOMEM);
    if (!problem) {
        assert(draft);
        file_draft_give(draft, old);
        file_draft_write(draft, text, strlen(text));
        problem = file_draft_replace(draft, false);
    }
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return !problem || fail(path, problem, "the folder of identity.key_file must be writable");
}

static bool rotate_open(int fd, const char *path, const struct stat *status,
                        const struct key_ring_timing *timing, struct key_file_rotation *rotation)
{
    size_t len;
    char *text = file_read_open(fd, FILE_MAX, &len);
    if (!text)
        return fail(path, strerror(errno), NULL);
    bool ok = parse(path, text, len, &rotation->ring);
    explicit_bzero(text, len);
    free(text);
    if (!ok)
        return false;
    /* Before the new key comes: a full ring whose keys have expired takes one more. */
    rotation->dropped = key_ring_drop_expired(&rotation->ring, timing->now);
    return add_key(path, timing, &rotation->ring) && replace(path, &rotation->ring, status);
}

bool key_file_rotate(const char *path, const struct key_ring_timing *timing,
                     struct key_file_rotation *rotation)
{
    struct stat status;
    *rotation = (struct key_file_rotation){.dropped = 0};
    if (is_missing(path)) {
        if (!make(path, timing, &rotation->made))
            return false;
        if (rotation->made)
            return key_file_read(path, &rotation->ring, NULL);
    }
    /* The configuration may name a link on purpose: what it leads to is replaced, and not the link. */
    char *file = realpath(path, NULL);
    int fd = file ? open_locked(file, &status) : -1;
    bool ok = fd >= 0 ? rotate_open(fd, file, &status, timing, rotation) : fail(path, strerror(errno), NULL);
    if (fd >= 0)
        close(fd);
    free(file);
    if (!ok)
        key_ring_forget(&rotation->ring);
    assert(!ok || rotation->ring.count > 0);
    return ok;
}
