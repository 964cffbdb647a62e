#include "ledger/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_stamp file_stamp_of(const struct stat *status)
{
    return (struct file_stamp){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = status->st_size,
        .seconds = status->st_mtim.tv_sec,
        .nanoseconds = status->st_mtim.tv_nsec,
    };
}

struct file_stamp file_stamp(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? file_stamp_of(&status) : (struct file_stamp){.size = 0};
}

bool file_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
           a->nanoseconds == b->nanoseconds;
}

bool file_write_all(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(fd, text + done, len - done);
        if (wrote < 0 && errno != EINTR)
            return false;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

static void make_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (slash && snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) < (int)sizeof(folder))
        mkdir(folder, 0700);
}

bool file_make(const char *path, const char *text, size_t len, bool *made)
{
    char beside[4096];
    *made = false;
    make_folder(path);
    if (snprintf(beside, sizeof(beside), "%s.%ld", path, (long)getpid()) >= (int)sizeof(beside)) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = file_write_all(fd, text, len) && fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (ok) {
        *made = link(beside, path) == 0;
        why = errno;
        ok = *made || errno == EEXIST;
    }
    unlink(beside);
    errno = why;
    return ok;
}

/* Wiped where it was: it may be a key. */
static void forget(char *text, size_t len)
{
    if (text)
        explicit_bzero(text, len);
    free(text);
}

/* Twice the room, and the old block wiped, which realloc would not do. NULL without memory. */
static char *grow(char *text, size_t len, size_t *room)
{
    char *more = malloc(*room = *room * 2 + 4096);
    if (more && len > 0)
        memcpy(more, text, len);
    forget(text, len);
    return more;
}

/* Without a FILE, whose buffer would keep a copy. */
char *file_read(const char *path, size_t max, size_t *len)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *len = 0;
    if (fd < 0)
        return NULL;
    while (got != 0 && *len <= max) {
        if (*len + 1 >= room && !(text = grow(text, *len, &room)))
            break;
        got = read(fd, text + *len, room - *len - 1);
        if (got < 0 && errno != EINTR)
            break;
        *len += got > 0 ? (size_t)got : 0;
    }
    int why = !text ? ENOMEM : *len > max ? EFBIG : errno;
    close(fd);
    if (text && got == 0 && *len <= max) {
        text[*len] = '\0';
        return text;
    }
    forget(text, *len);
    errno = why;
    return NULL;
}
