/* Old days of entries in files, and back. A file is JSON lines: the first says what it is, each other one is
 * an entry with all its columns. What leaves the ledger is on record there with the file's SHA-256. */
#ifndef LEDGER_ARCHIVE_ARCHIVE_H
#define LEDGER_ARCHIVE_ARCHIVE_H

#include "ledger/base/crypto/digest.h"
#include "ledger/pg/pg.h"

#define ARCHIVE_PATH_MAX 1024

/* What left, or came back. */
struct archive_day {
    char path[ARCHIVE_PATH_MAX]; /* absolute */
    int64_t entries;
    int64_t sum_micros;
    uint8_t digest[DIGEST_SIZE]; /* SHA-256 of the file */
};

/* Writes the entries of a UTC day ("YYYY-MM-DD"), all of whose billing days are closed, to a file in
 * `folder`, and then takes them out of the ledger. First the file under another name, flushed, then its name,
 * and only then one transaction that removes the entries if they are those of the file: killed at any point,
 * the ledger has them, or a complete file. No file is ever overwritten; one that is there with the same bytes
 * will do. A failure is logged; PG_LOCKED: somebody reads the entries, try again. */
enum err archive_day(struct pg *pg, const char *date, const char *folder, const char *actor,
                     struct archive_day *day) MUST_USE;

/* Brings a file's entries back in one transaction, if they are those that left. A failure is logged. */
enum err archive_restore(struct pg *pg, const char *path, const char *actor,
                         struct archive_day *day) MUST_USE;

#endif
