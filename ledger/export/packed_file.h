/* A file on its way to its name, packed as it is written, and with the digest of what it then consists of. */
#ifndef LEDGER_EXPORT_PACKED_FILE_H
#define LEDGER_EXPORT_PACKED_FILE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/file/packing.h"

struct packed_file;

/* Begins one; NULL after logging why. `path` NULL: standard output. */
struct packed_file *packed_file_begin(const char *path, enum packing packing) MUST_USE;

/* What fails is told at the end. */
void packed_file_write(struct packed_file *file, struct slice piece);

/* What it consists of. */
struct packed_file_whole {
    int64_t bytes;
    uint8_t sha256[DIGEST_SIZE];
};

/* All of it is written then, and has no name yet. */
void packed_file_end(struct packed_file *file, struct packed_file_whole *whole);

/* Gives it its name, in place of the caller's own file of that name, and frees it. False after logging why.
 */
bool packed_file_name(struct packed_file *file) MUST_USE;

/* Gives it up and leaves nothing behind. NULL is fine. */
void packed_file_discard(struct packed_file *file);

#endif
