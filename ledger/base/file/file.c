/* The order of writing, and why: the content is flushed before it gets its name, so that no crash leaves a
 * name for half of it; the name comes by link or rename, which are one step for whoever looks; the folder is
 * flushed last, since a name is on the disk only when its folder is. Whoever is told of the file may rely on
 * it. */
#include "ledger/base/file/file.h"

#include "ledger/base/object.h"
#include "ledger/base/crypto/random.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the last name in the draft's, which has 26 bytes more and must not be longer than a file system takes.
 */
#define PART_NAME_MAX 200
#define PART_TRIES    8

/* Too large for a stack that a thread's may be: on the heap. */
#define COMPARE_BYTES 65536

#define DRAFT_MAGIC 0x3b86a1f5u

struct file_draft {
    uint32_t magic;
    int folder; /* that both names are in */
    int fd;
    FILE *stream; /* over a copy of fd, once asked for */
    unsigned mode;
    int why; /* errno of the first thing that failed; 0: none */
    char name[NAME_MAX + 1];
    char part[NAME_MAX + 1]; /* its name until then; "": it has none any more */
};

/* --- Reading --- */

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

bool file_is_exposed(const struct stat *status)
{
    return (status->st_mode & (S_IRWXO | S_IWGRP)) != 0;
}

static bool fill(int fd, char *room, size_t size, size_t *len)
{
    /* A signal ends a read early, and so may a pipe or a file system of the network: on, until it ends. */
    for (*len = 0; *len < size;) {
        ssize_t got = read(fd, room + *len, size - *len);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        assert(got <= 0 || (size_t)got <= size - *len);
        *len += got > 0 ? (size_t)got : 0;
    }
    assert(*len <= size);
    return true;
}

/* Into one piece of memory, which the kernel gives only as far as it is written to, and without a FILE, whose
 * buffer would keep a copy: a secret is nowhere else, so whoever wipes it has wiped all of it. */
char *file_read_open(int fd, size_t max, size_t *len)
{
    assert(max < SIZE_MAX);
    char *text = malloc(max + 1);
    *len = 0;
    if (!text)
        return NULL;
    bool ok = fill(fd, text, max + 1, len);
    if (ok && *len > max) {
        errno = EFBIG;
        ok = false;
    }
    if (ok) {
        text[*len] = '\0';
        return text;
    }
    int why = errno;
    explicit_bzero(text, *len);
    free(text);
    errno = why;
    return NULL;
}

char *file_read(const char *path, size_t max, size_t *len, struct stat *status)
{
    struct stat spare;
    char *text = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, status ? status : &spare) == 0)
        text = file_read_open(fd, max, len);
    int why = errno;
    close(fd);
    errno = why;
    return text;
}

/* --- A draft --- */

bool file_write_all(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(fd, text + done, len - done);
        if (wrote < 0 && errno != EINTR)
            return false;
        assert(wrote <= 0 || (size_t)wrote <= len - done);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

/* Some file systems cannot flush a folder, and say so: they have nothing to flush. */
static bool flush_folder(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL;
}

/* The length of the folder's part of a path, without slashes at its end; 0: there is none. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    while (len > 0 && path[len - 1] == '/')
        len--;
    return slash && len == 0 ? 1 : len;
}

/* Opens the folder of a path. -1 with errno. */
static int open_folder(int at, const char *path)
{
    char folder[PATH_MAX];
    size_t len = folder_len(path);
    if (len >= sizeof(folder)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(folder, sizeof(folder), "%.*s", len > 0 ? (int)len : 1, len > 0 ? path : ".");
    return openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes the folder of a path if it is missing; that it could not be is seen when it is opened. */
static void make_folder(const char *path)
{
    char folder[PATH_MAX];
    size_t len = folder_len(path);
    if (len == 0 || len >= sizeof(folder))
        return;
    snprintf(folder, sizeof(folder), "%.*s", (int)len, path);
    if (mkdir(folder, 0700) != 0)
        return;
    int parent = open_folder(AT_FDCWD, folder);
    if (parent >= 0) {
        flush_folder(parent);
        close(parent);
    }
}

/* Chance makes the name: a number, such as the process's, would be that of a leftover some day. */
static int open_part(struct file_draft *draft)
{
    int fd = -1;
    assert(draft->folder >= 0 && draft->name[0]);
    for (int i = 0; i < PART_TRIES && fd < 0; i++) {
        uint64_t chance;
        random_bytes(&chance, sizeof(chance));
        snprintf(draft->part, sizeof(draft->part), ".%.*s.%016" PRIx64 ".part", PART_NAME_MAX, draft->name,
                 chance);
        fd = openat(draft->folder, draft->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    draft->mode);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        draft->part[0] = '\0';
    return fd;
}

const char *file_draft_begin(int at, const char *path, unsigned mode, struct file_draft **draft)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    *draft = NULL;
    if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return strerror(EISDIR);
    if (strlen(last) > NAME_MAX)
        return strerror(ENAMETOOLONG);
    struct file_draft *made = calloc(1, sizeof(*made));
    if (!made)
        return strerror(ENOMEM);
    OBJECT_MAKE(made, DRAFT_MAGIC);
    made->mode = mode;
    made->fd = -1;
    memcpy(made->name, last, strlen(last) + 1);
    made->folder = open_folder(at, path);
    if (made->folder >= 0)
        made->fd = open_part(made);
    if (made->fd >= 0) {
        *draft = made;
        return NULL;
    }
    int why = errno;
    file_draft_discard(made);
    return strerror(why);
}

void file_draft_write(struct file_draft *draft, const char *text, size_t len)
{
    OBJECT_CHECK(draft, DRAFT_MAGIC);
    assert(!draft->stream); /* what that holds back would come after what is written here */
    if (draft->why == 0 && !file_write_all(draft->fd, text, len))
        draft->why = errno;
}

void file_draft_give(struct file_draft *draft, const struct stat *like)
{
    OBJECT_CHECK(draft, DRAFT_MAGIC);
    if (draft->why == 0 && like->st_uid != geteuid() && fchown(draft->fd, like->st_uid, like->st_gid) != 0)
        draft->why = errno;
}

FILE *file_draft_stream(struct file_draft *draft)
{
    OBJECT_CHECK(draft, DRAFT_MAGIC);
    int copy = draft->stream ? -1 : fcntl(draft->fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0 && !(draft->stream = fdopen(copy, "w")))
        close(copy);
    return draft->stream;
}

static void drop_part(struct file_draft *draft)
{
    if (draft->part[0])
        unlinkat(draft->folder, draft->part, 0);
    draft->part[0] = '\0';
}

void file_draft_discard(struct file_draft *draft)
{
    if (!draft)
        return;
    OBJECT_END(draft, DRAFT_MAGIC);
    /* The name goes first: a crash between these steps leaves no more than a run that was killed. */
    drop_part(draft);
    if (draft->stream)
        fclose(draft->stream);
    if (draft->fd >= 0)
        close(draft->fd);
    if (draft->folder >= 0)
        close(draft->folder);
    free(draft);
}

/* On to the disk, all that was written. */
static const char *flush(struct file_draft *draft)
{
    OBJECT_CHECK(draft, DRAFT_MAGIC);
    assert(draft->fd >= 0 && draft->part[0]); /* begun, and without its name yet */
    if (draft->why != 0)
        return strerror(draft->why);
    if (draft->stream && (fflush(draft->stream) != 0 || ferror(draft->stream)))
        return strerror(errno);
    return fsync(draft->fd) == 0 ? NULL : strerror(errno);
}

/* --- Its name --- */

/* Why what stands behind the name is nothing to touch, or NULL. */
static const char *untouchable(const struct stat *there)
{
    if (S_ISLNK(there->st_mode))
        return "a symbolic link has this name, and is not followed";
    if (S_ISDIR(there->st_mode))
        return "a folder has this name";
    return S_ISREG(there->st_mode) ? NULL : "what has this name is no file";
}

static bool same_bytes(int a, int b)
{
    char *room = malloc(2 * COMPARE_BYTES);
    assert(a >= 0 && b >= 0);
    size_t len, other;
    bool same = room && lseek(a, 0, SEEK_SET) == 0 && lseek(b, 0, SEEK_SET) == 0;
    do {
        /* Piece by piece, and both from the start: a draft's place is at its end. */
        same = same && fill(a, room, COMPARE_BYTES, &len) &&
               fill(b, room + COMPARE_BYTES, COMPARE_BYTES, &other) && len == other &&
               memcmp(room, room + COMPARE_BYTES, len) == 0;
    } while (same && len > 0);
    free(room);
    return same;
}

/* Another has the name: who, and is it the same? A run that was killed after it had named its file left it
 * so. */
static const char *compare(struct file_draft *draft, enum file_named *named)
{
    struct stat there, mine;
    const char *problem = NULL;
    *named = FILE_OTHER;
    if (fstatat(draft->folder, draft->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return strerror(errno);
    if ((problem = untouchable(&there)))
        return problem;
    int fd = openat(draft->folder, draft->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? NULL : strerror(errno);
    bool ours = fstat(fd, &there) == 0 && fstat(draft->fd, &mine) == 0 && there.st_uid == mine.st_uid;
    if (ours && same_bytes(fd, draft->fd)) {
        /* Nobody may have flushed it, and an older version let everybody read what it wrote. */
        bool kept = fchmod(fd, there.st_mode & mine.st_mode & 07777) == 0 && fsync(fd) == 0;
        problem = kept ? NULL : strerror(errno);
        *named = FILE_SAME;
    }
    close(fd);
    return problem;
}

const char *file_draft_make(struct file_draft *draft, enum file_named *named)
{
    const char *problem = flush(draft);
    *named = FILE_OTHER;
    if (!problem && linkat(draft->folder, draft->part, draft->folder, draft->name, 0) == 0)
        *named = FILE_MADE;
    else if (!problem)
        problem = errno == EEXIST ? compare(draft, named) : strerror(errno);
    drop_part(draft);
    /* Only now: while the draft had its first name, a crash left a file that could be told from others. */
    if (!problem && !flush_folder(draft->folder)) {
        problem = strerror(errno);
        if (*named == FILE_MADE)
            unlinkat(draft->folder, draft->name, 0);
    }
    file_draft_discard(draft);
    return problem;
}

/* Why the draft must not take this file's place, or NULL. */
static const char *irreplaceable(const struct file_draft *draft, bool over_links)
{
    struct stat there, mine;
    if (fstatat(draft->folder, draft->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    /* Seen beforehand, and not by renameat, which asks nobody: between the two a file may come, but whoever
     * may put one here may remove it, too. */
    if (over_links && S_ISLNK(there.st_mode))
        return NULL;
    const char *problem = untouchable(&there);
    if (problem)
        return problem;
    if (fstat(draft->fd, &mine) != 0)
        return strerror(errno);
    return there.st_uid == mine.st_uid ? NULL : "another user's file has this name";
}

const char *file_draft_replace(struct file_draft *draft, bool over_links)
{
    const char *problem = flush(draft);
    if (!problem)
        problem = irreplaceable(draft, over_links);
    if (!problem && renameat(draft->folder, draft->part, draft->folder, draft->name) == 0)
        draft->part[0] = '\0';
    else if (!problem)
        problem = strerror(errno);
    if (!problem && !flush_folder(draft->folder))
        problem = strerror(errno);
    file_draft_discard(draft);
    return problem;
}

const char *file_make(const char *path, const char *text, size_t len, enum file_named *named)
{
    struct file_draft *draft;
    *named = FILE_OTHER;
    make_folder(path);
    const char *problem = file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft);
    if (problem)
        return problem;
    file_draft_write(draft, text, len);
    return file_draft_make(draft, named);
}

const char *file_replace(const char *path, const char *text, size_t len, unsigned mode)
{
    struct file_draft *draft;
    const char *problem = file_draft_begin(AT_FDCWD, path, mode, &draft);
    if (problem)
        return problem;
    file_draft_write(draft, text, len);
    return file_draft_replace(draft, false);
}
