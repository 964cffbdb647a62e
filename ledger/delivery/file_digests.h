/* SHA-256 of files, or of parts of them, once for each version: a page is sent to many. From any thread. */
#ifndef LEDGER_DELIVERY_FILE_DIGESTS_H
#define LEDGER_DELIVERY_FILE_DIGESTS_H

#include "ledger/base/crypto/digest.h"

#include <stdbool.h>

/* A part of a file as it was: who writes into it changes one of these. All zero but offset and length: it is
 * no file. */
struct file_version {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
    uint64_t offset, length;
};

struct file_digests;

struct file_digests *file_digests_new(void); /* NULL without memory */
void file_digests_free(struct file_digests *digests);

bool file_digests_find(struct file_digests *digests, const struct file_version *version,
                       uint8_t out[DIGEST_SIZE]);
void file_digests_keep(struct file_digests *digests, const struct file_version *version,
                       const uint8_t digest[DIGEST_SIZE]);

/* Reads the part of the open file. False if it is not, or no longer, this version, or cannot be read. */
bool file_digest_read(int fd, const struct file_version *version, uint8_t out[DIGEST_SIZE]);

#endif
