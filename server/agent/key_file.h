/* The file of our own keys (`identity.key_file`): a private JSON Web Key Set that only its owner may read.
 * It is replaced as a whole, so that whoever reads it finds the old keys or the new ones. */
#ifndef SERVER_AGENT_KEY_FILE_H
#define SERVER_AGENT_KEY_FILE_H

#include "ledger/base/config/config.h"
#include "ledger/base/file/file.h"
#include "server/agent/key_ring.h"

/* How the keys of this configuration change, at `now` (seconds). */
struct key_ring_timing key_file_timing(const struct config *config, int64_t now);

/* Reads the file; *stamp (may be NULL) is of what was read. False after logging why. */
bool key_file_read(const char *path, struct key_ring *ring, struct file_stamp *stamp);

/* Reads the file, and makes it first, with one key, if it is not there. Programs that start at once end up
 * with the same key. False after logging why. */
bool key_file_make(const char *path, const struct key_ring_timing *timing, struct key_ring *ring,
                   struct file_stamp *stamp);

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
