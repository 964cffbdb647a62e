/* What an export's manifest says: which rows its file has, and by what whoever gets it sees that these are
 * they. It is a signed note (c2sp.org/signed-note) under the names of the logs of the sites that are in it,
 * by the key that signs their checkpoints. Its text is lines of UTF-8, a word and what follows it:
 *     crawltab-export/1
 *     key VERIFIER                    as crawltab checkpoint key prints it, one for each signature
 *     kind entries
 *     format csv                      or jsonl
 *     compression zstd                or gzip, none
 *     from 2026-11-01                 and so on: what was chosen of the ledger (see below)
 *     file november.csv.zst
 *     bytes 81723
 *     sha256 HEX                      of the file
 *     rows 12000                      without the line of column names
 *     index november.csv.zst.index
 *     index-sha256 HEX
 *     sum EUR 12000 600.00            of the rows in a currency: how many, and what they come to
 *     day gazette 2026-11-01 EUR 400 20.00 sealed 12 400 20.00 BASE64
 *                                     of entries: those in the file of a site's day; what was sealed with
 *                                     the day: as which number of the log, how many, their sum, their root
 *     day gazette 2026-11-30 EUR 8 0.40 open
 *     checkpoint ORIGIN 12 BASE64     the newest of the site's log that a day above is in: size and root
 * Chosen were: from, to (the first day that is left out), site, crawler, path, invoice, ids (how many, and
 * the SHA-256 of their 16 bytes each, in their order).
 *
 * The index has a line for each of the file's, packed like it: the first 8 bytes of the SHA-256 of that line
 * with its end, in hex, a space, and the row's first column. By it a row that was changed, removed, added or
 * moved has its name. */
#ifndef LEDGER_EXPORT_MANIFEST_H
#define LEDGER_EXPORT_MANIFEST_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/file/packing.h"

#define MANIFEST_TITLE     "crawltab-export/1"
#define MANIFEST_SUFFIX    ".manifest"
#define MANIFEST_INDEX     ".index"
#define MANIFEST_BYTES_MAX ((size_t)64 << 20)
#define MANIFEST_HASH_SIZE 8

/* What a reader has to know. Texts are parts of the note. */
struct manifest {
    struct slice text; /* that is signed */
    struct slice kind, file, index;
    bool csv;
    enum packing packing;
    int64_t bytes, rows;
    uint8_t sha256[DIGEST_SIZE], index_sha256[DIGEST_SIZE];
};

/* Reads the text of one; NULL, or what is wrong with it, static. Signatures are not looked at. */
const char *manifest_read(struct slice text, struct manifest *manifest);

/* The text of a note, which ends with the line feed before the last empty line. */
struct slice manifest_text(struct slice note);

/* Cuts the next line off the front: its first word and the rest. False at the end. */
bool manifest_next(struct slice *rest, struct slice *word, struct slice *value);

/* The hash of a line as it stands in the index. */
void manifest_hash(struct slice line, uint8_t out[MANIFEST_HASH_SIZE]);

#endif
