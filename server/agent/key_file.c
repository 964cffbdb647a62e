#define _GNU_SOURCE /* mkostemp */
#include "server/agent/key_file.h"

#include "ledger/base/log.h"
#include "ledger/base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Eight keys take less than 3 KB. */
#define FILE_MAX      16384
#define FILE_PATH_MAX 4096

static bool fail(const char *path, const char *detail, const char *hint)
{
    LOG(ERROR, "identity_key_refused", {"file", path}, {"detail", detail}, {"hint", hint});
    return false;
}

/* All that can be read, at most `room` bytes; false with errno. */
static bool read_all(int fd, char *text, size_t room, size_t *len)
{
    for (*len = 0; *len < room;) {
        ssize_t got = read(fd, text + *len, room - *len);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        *len += got > 0 ? (size_t)got : 0;
    }
    errno = EFBIG;
    return false;
}

static bool read_from(int fd, const char *path, struct key_ring *ring)
{
    char text[FILE_MAX];
    size_t len;
    bool ok = read_all(fd, text, sizeof(text), &len);
    const char *why = ok ? NULL : strerror(errno);
    const char *problem = ok ? key_ring_parse(slice_bytes(text, len), ring) : NULL;
    explicit_bzero(text, sizeof(text));
    if (!ok)
        return fail(path, why, NULL);
    return !problem || fail(path, problem,
                            "put a copy back; or move the file away, then `crawltab key rotate` makes a new "
                            "identity");
}

bool key_file_read(const char *path, struct key_ring *ring, struct file_stamp *stamp)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(path, strerror(errno), NULL);
    bool ok = fstat(fd, &status) == 0 || fail(path, strerror(errno), NULL);
    ok = ok && read_from(fd, path, ring);
    if (ok && (status.st_mode & 077) != 0)
        LOG(WARN, "identity_key_exposed", {"file", path}, {"detail", "others may read the private keys"},
            {"hint", "chmod 600"});
    if (ok && stamp)
        *stamp = file_stamp_of(&status);
    close(fd);
    return ok;
}

/* Makes the folder of the file if it is missing; not its parents. */
static void make_folder(const char *path)
{
    char folder[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash && snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) < (int)sizeof(folder))
        mkdir(folder, 0700);
}

/* Writes the ring to a new file beside `path`, readable by its owner alone, and on to the disk. `like` (may
 * be NULL) says whom it is to belong to. */
static bool write_beside(const char *path, const struct key_ring *ring, const struct stat *like,
                         char beside[FILE_PATH_MAX])
{
    json_t *set = key_ring_private(ring);
    char *text = set ? json_dumps(set, JSON_INDENT(2)) : NULL;
    int fd = -1;
    bool ok = false;
    errno = ENOMEM;
    if (text && snprintf(beside, FILE_PATH_MAX, "%s.XXXXXX", path) < FILE_PATH_MAX)
        fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 */
    if (fd >= 0) {
        ok = (!like || like->st_uid == geteuid() || fchown(fd, like->st_uid, like->st_gid) == 0) &&
             file_write_all(fd, text, strlen(text)) && file_write_all(fd, "\n", 1) && fsync(fd) == 0;
        int why = errno;
        close(fd);
        if (!ok)
            unlink(beside);
        errno = why;
    }
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    json_decref(set);
    return ok || fail(path, strerror(errno), "the folder of identity.key_file must exist and be writable");
}

/* A name is on the disk when its folder is. */
static bool sync_folder(const char *path)
{
    char folder[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
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

/* Linked into place, which fails where another was faster: its file is as good. */
static bool make(const char *path, const struct key_ring_timing *timing, bool *made)
{
    char beside[FILE_PATH_MAX];
    struct key_ring ring = {.count = 0};
    make_folder(path);
    bool ok = add_key(path, timing, &ring) && write_beside(path, &ring, NULL, beside);
    key_ring_forget(&ring);
    if (!ok)
        return false;
    *made = link(beside, path) == 0;
    ok = *made || errno == EEXIST;
    int why = errno;
    unlink(beside);
    ok = ok && sync_folder(path);
    return ok || fail(path, strerror(why), NULL);
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
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

bool key_file_rotate(const char *path, const struct key_ring_timing *timing,
                     struct key_file_rotation *rotation)
{
    char beside[FILE_PATH_MAX];
    struct stat status;
    *rotation = (struct key_file_rotation){.dropped = 0};
    if (is_missing(path)) {
        if (!make(path, timing, &rotation->made))
            return false;
        if (rotation->made)
            return key_file_read(path, &rotation->ring, NULL);
    }
    int fd = open_locked(path, &status);
    if (fd < 0)
        return fail(path, strerror(errno), NULL);
    bool ok = read_from(fd, path, &rotation->ring);
    if (ok) {
        rotation->dropped = key_ring_drop_expired(&rotation->ring, timing->now);
        ok = add_key(path, timing, &rotation->ring) && write_beside(path, &rotation->ring, &status, beside);
    }
    if (ok && (rename(beside, path) != 0 || !sync_folder(path))) {
        ok = fail(path, strerror(errno), NULL);
        unlink(beside);
    }
    close(fd);
    if (!ok)
        key_ring_forget(&rotation->ring);
    return ok;
}
