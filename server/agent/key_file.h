/* The file of our own keys (`identity.key_file`): a private JSON Web Key Set that only its owner may read.
 * It is replaced as a whole, so that whoever reads it finds the old keys or the new ones. */
#ifndef SERVER_AGENT_KEY_FILE_H
#define SERVER_AGENT_KEY_FILE_H

#include "server/agent/key_ring.h"

/* What tells that the file has been replaced. All zero: there was none. */
struct key_file_stamp {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t seconds;
    int64_t nanoseconds;
};

struct key_file_stamp key_file_stamp(const char *path);
bool key_file_same(const struct key_file_stamp *a, const struct key_file_stamp *b);

/* Reads the file; *stamp (may be NULL) is of what was read. False after logging why. */
bool key_file_read(const char *path, struct key_ring *ring, struct key_file_stamp *stamp);

/* Reads the file, and makes it first, with one key, if it is not there. Programs that start at once end up
 * with the same key. False after logging why. */
bool key_file_make(const char *path, const struct key_ring_timing *timing, struct key_ring *ring,
                   struct key_file_stamp *stamp);

/* What a rotation did. */
struct key_file_rotation {
    struct key_ring ring; /* as it is now; the new key is the first */
    size_t dropped;       /* keys that had expired */
    bool made;            /* the file was not there */
};

/* Drops the keys that have expired, adds a new one and replaces the file; makes it if it is not there. One at
 * a time: a second rotation waits for the first. False after logging why; then the file is as it was. */
bool key_file_rotate(const char *path, const struct key_ring_timing *timing,
                     struct key_file_rotation *rotation);

#endif
