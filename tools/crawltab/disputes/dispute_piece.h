/* Evidence of a dispute: files that go into the ledger, and out of it again. */
#ifndef TOOLS_CRAWLTAB_DISPUTES_DISPUTE_PIECE_H
#define TOOLS_CRAWLTAB_DISPUTES_DISPUTE_PIECE_H

#include "tools/crawltab/disputes/dispute_steps.h"

/* A file that is evidence; "-" is standard input. `name` is NULL for that of the path. */
struct dispute_file {
    char *bytes; /* freed by dispute_piece_free */
    size_t len;
    const char *media_type;
    char name[256];
};

/* False after telling what is wrong: it cannot be read, is too large, or of no type that is taken. */
bool dispute_piece_load(const char *path, const char *name, struct dispute_file *file);
void dispute_piece_free(struct dispute_file *file);

/* `crawltab dispute add`. */
enum exit_status dispute_piece_add(struct pg *pg, const struct dispute_steps *steps);

/* Writes a piece of evidence to `path`. Without a number what came with the opening: the publisher's file, or
 * the body of the crawler's request, or what it has signed. False after telling what is wrong. */
bool dispute_piece_write(struct pg *pg, const char *dispute_id, const char *number, const char *path);

#endif
