/* Witnesses (c2sp.org/tlog-witness): somebody else's servers, each of which remembers how long a site's log
 * was when it saw it last, and cosigns a longer one once it has been shown that the log has only grown. Who
 * trusts a witness needs no checkpoint of his own: a log that was cut, or made anew, is cosigned no more.
 *
 * Here is what is said and what the answers mean; who carries it to the witness is the caller. */
#ifndef LEDGER_WITNESS_WITNESS_H
#define LEDGER_WITNESS_WITNESS_H

#include "ledger/pg/pg.h"
#include "ledger/proof/leaf.h"
#include "ledger/proof/note.h"

#define WITNESS_URL_MAX 1024

/* The bytes of an answer that are looked at: a line of a signature or a few, or a size. */
#define WITNESS_REPLY_MAX 16384

struct witness {
    char name[NOTE_NAME_MAX];
    char verifier[NOTE_VERIFIER_MAX];
    char url[WITNESS_URL_MAX]; /* of add-checkpoint */
};

/* Reads "VERIFIER-KEY URL". NULL, or what is wrong with it, static. */
const char *witness_parse(const char *text, struct witness *witness);

/* A site's log as it is to be cosigned. */
struct witness_log {
    int64_t site_id;
    char origin[LEAF_ORIGIN_MAX];
    struct pg_rows rows;
    uint8_t (*hashes)[DIGEST_SIZE];
    uint64_t size;    /* 0: no day is closed yet */
    const char *note; /* its newest checkpoint */
};

/* Starts as {0}; ended by witness_log_free, whatever comes back. */
enum err witness_log_read(struct pg *pg, int64_t site_id, struct witness_log *log) MUST_USE;
void witness_log_free(struct witness_log *log);

/* How long the log was when the witness cosigned it last; 0: it never has. */
enum err witness_newest(struct pg *pg, int64_t site_id, const struct witness *witness,
                        uint64_t *size) MUST_USE;

/* What is posted to the witness: that it has seen the log with `old` days, the proof that the log has grown
 * from there, and the checkpoint. The caller frees; NULL without memory. */
char *witness_request(const struct witness_log *log, uint64_t old);

enum witness_verdict {
    WITNESS_COSIGNED,  /* `line` and `seconds` */
    WITNESS_ELSEWHERE, /* it has seen the log with `old` days: ask from there */
    WITNESS_LATER,     /* `problem`; it may be another time */
    WITNESS_REFUSED    /* `problem` and `hint`: somebody has to look */
};

struct witness_answer {
    char line[NOTE_LINE_MAX];
    int64_t seconds;
    uint64_t old;
    char problem[256];
    const char *hint; /* static */
};

/* What came back of a request that was made with `old`. */
struct witness_reply {
    uint64_t old;
    long status; /* of HTTP */
    struct slice body;
};

/* Reads it. */
enum witness_verdict witness_judge(const struct witness *witness, const struct witness_log *log,
                                   const struct witness_reply *reply, note_verifies *verifies,
                                   struct witness_answer *answer);

/* Keeps the cosignature. */
enum err witness_keep(struct pg *pg, const struct witness *witness, const struct witness_log *log,
                      const struct witness_answer *answer) MUST_USE;

/* Told which cosignature does not hold any more. */
typedef void witness_tell(void *context, const char *row, const char *problem);

/* Checks all that were kept of a site's log. */
enum err witness_check(struct pg *pg, int64_t site_id, note_verifies *verifies, witness_tell *tell,
                       void *context) MUST_USE;

#endif
