/* Files: what the system's calls leave to do. */
#ifndef LEDGER_BASE_FILE_H
#define LEDGER_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

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

/* Writes all of it, however often the kernel takes only a part. False with errno. */
bool file_write_all(int fd, const char *text, size_t len);

/* Makes a file that only its owner may read, and its folder if that is missing (not the folder's parents).
 * Written beside, flushed to the disk and linked into place, so that of several programs that start at once
 * one makes it, and nobody finds half of it. *made tells who; it is no failure when another was first. False
 * with errno. */
bool file_make(const char *path, const char *text, size_t len, bool *made);

/* Reads the whole file into memory, NUL-terminated behind its length; the caller frees. What it returns is
 * the only copy: who reads a key wipes it. NULL with errno; EFBIG when it is larger than `max`. */
char *file_read(const char *path, size_t max, size_t *len);

#endif
