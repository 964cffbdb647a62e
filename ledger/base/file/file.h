/* Files: read whole, and written so that a name stands for all of a content or for none of it, also after a
 * crash, on a full disk, and whoever else is at it. */
#ifndef LEDGER_BASE_FILE_FILE_H
#define LEDGER_BASE_FILE_FILE_H

#include "ledger/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct stat;

#define FILE_PRIVATE 0600 /* for its owner alone: keys, secrets, whatever holds account numbers */
#define FILE_PUBLIC  0666 /* less what umask takes away */

/* --- Reading --- */

/* What tells that a file has been replaced. All zero: there was none. */
struct file_stamp {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t seconds;
    int64_t nanoseconds;
};

struct file_stamp file_stamp(const char *path);
struct file_stamp file_stamp_of(const struct stat *status);
bool file_same(const struct file_stamp *a, const struct file_stamp *b);

/* Reads the whole file into memory, NUL-terminated behind its length; the caller frees. What it returns is
 * the only copy: who reads a key wipes it. *status (NULL is fine) is of what was read. NULL with errno; EFBIG
 * when it is larger than `max`. */
char *file_read(const char *path, size_t max, size_t *len, struct stat *status) MUST_USE;

/* The same from where an open file stands. Leaves it open. */
char *file_read_open(int fd, size_t max, size_t *len) MUST_USE;

/* True for a file of secrets that is none: everybody may read it, or others than its owner may write to it.
 * Its group may read it, which is how several accounts of one machine share a key. */
bool file_is_exposed(const struct stat *status);
#define FILE_EXPOSED      "everybody on this machine may read it, or others may write to it"
#define FILE_EXPOSED_HINT "chmod 600 it; if somebody may have read it, put a new one in its place"

/* --- Writing ---
 * What fails returns what is wrong in words, to be told with the file's name; NULL is success. */

/* What stands behind a name that was to be made. */
enum file_named {
    FILE_MADE,  /* by this call */
    FILE_SAME,  /* it was there, the caller's own and with this very content; others may read it no more than
                 * if  it had been made now */
    FILE_OTHER, /* it was there with another content or owner, and is as it was */
};

/* Makes a private file and, if it is missing, its folder (0700; not the folder's parents). Of several
 * programs that start at once one makes it. */
const char *file_make(const char *path, const char *text, size_t len, enum file_named *named) MUST_USE;

/* Writes the file anew, with this mode, in place of the caller's own of that name if there is one. Nothing
 * else gives way: no symbolic link, folder or device, and nobody else's file. */
const char *file_replace(const char *path, const char *text, size_t len, unsigned mode) MUST_USE;

/* A file on its way, for what is written in parts: under a name of its own beside the last one until it is
 * whole, then flushed to the disk and named in one step, and the folder flushed too. So a program that is
 * killed leaves a ".NAME.RANDOM.part" at the most, which stops nobody. */
struct file_draft;

/* Begins a draft for `path`, which is relative to the open folder `at` (AT_FDCWD is fine). *draft is to be
 * ended by one of the last three; NULL after a failure. */
const char *file_draft_begin(int at, const char *path, unsigned mode, struct file_draft **draft) MUST_USE;

/* Adds to it. What fails is told at the end. */
void file_draft_write(struct file_draft *draft, const char *text, size_t len);

/* Or to write to, instead; the draft closes it. NULL with errno. */
FILE *file_draft_stream(struct file_draft *draft);

/* Makes it somebody else's, if it is not. What fails is told at the end. */
void file_draft_give(struct file_draft *draft, const struct stat *like);

/* Gives it its name, if nothing has it. Frees the draft, like the next. */
const char *file_draft_make(struct file_draft *draft, enum file_named *named) MUST_USE;

/* Gives it its name, in place of what file_replace may replace: "own" is what has the draft's owner. With
 * `over_links` a symbolic link gives way as well; it is never followed. */
const char *file_draft_replace(struct file_draft *draft, bool over_links) MUST_USE;

/* Gives it up and leaves nothing behind. NULL is fine. */
void file_draft_discard(struct file_draft *draft);

/* Writes all of it, however often the kernel takes only a part. False with errno. */
bool file_write_all(int fd, const char *text, size_t len);

#endif
