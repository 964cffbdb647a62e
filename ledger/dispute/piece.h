/* Evidence that is put to a dispute after it was opened: files on which a person's decision rests. They are
 * facts, and so in the tree of the next day that is closed. */
#ifndef LEDGER_DISPUTE_PIECE_H
#define LEDGER_DISPUTE_PIECE_H

#include "ledger/pg/pg.h"

#define PIECE_MAX      1048576 /* bytes */
#define PIECES_MAX     50      /* of a dispute */
#define PIECE_NAME_MAX 255
#define PIECE_NOTE_MAX 4096
#define PIECE_TYPES    "a PDF, a PNG or JPEG picture, or text in UTF-8"

/* What is in it, by its first bytes and not by its name: "application/pdf", "image/png", "image/jpeg" or
 * "text/plain". NULL: nothing that is taken. */
const char *piece_media_type(struct slice content);

struct piece {
    const char *dispute_id; /* a UUID */
    const char *name;       /* of the file, at most PIECE_NAME_MAX bytes, UTF-8 */
    const char *media_type; /* of piece_media_type */
    struct slice content;   /* 1 to PIECE_MAX bytes */
    const char *note;       /* what is said of it, at most PIECE_NOTE_MAX bytes; "" */
    const char *actor;
};

enum piece_outcome {
    PIECE_ADDED,
    PIECE_KNOWN,      /* the dispute has this very file: nothing was changed */
    PIECE_NO_DISPUTE, /* there is none of this id */
    PIECE_DECIDED,    /* the dispute is decided: what comes later decides nothing */
    PIECE_TOO_MANY    /* the dispute has PIECES_MAX */
};

/* Puts it to the dispute, in a transaction under the lock of corrections, as decisions are made: no decision
 * falls in between. *number is the piece's with PIECE_ADDED and PIECE_KNOWN. */
enum err piece_add(struct pg *pg, const struct piece *piece, int64_t now_ms, enum piece_outcome *outcome,
                   int64_t *number) MUST_USE;

#endif
