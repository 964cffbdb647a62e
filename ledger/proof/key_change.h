/* Changes of the key that signs a site's log. Each is a note over the log as it was, signed by the old key
 * and the new one, so that whoever trusts the old key can follow. A key that was lost cannot sign: then the
 * note has a reason and the new signature alone, and who checks the log is told.
 *
 * The note's text, lines of ASCII, each ended by a line feed:
 *     crawltab-key-change/1
 *     log ORIGIN
 *     size 17               of the log
 *     root BASE64           of the log
 *     old VERIFIER KEY      as in c2sp.org/signed-note
 *     new VERIFIER KEY */
#ifndef LEDGER_PROOF_KEY_CHANGE_H
#define LEDGER_PROOF_KEY_CHANGE_H

#include "ledger/pg/pg.h"
#include "ledger/proof/merkle.h"
#include "ledger/proof/note.h"

struct key_change {
    int64_t site_id;
    const struct note_key *old_key; /* NULL: lost */
    const struct note_key *new_key;
    const char *actor;
    const char *reason;
    int64_t now_ms;
};

/* The verifier key by which the site's log is signed now; "" if nothing was signed yet. */
enum err key_change_current(struct pg *pg, int64_t site_id, char verifier[NOTE_VERIFIER_MAX]) MUST_USE;

/* True if the verifier key is that of this private key. */
bool key_change_is(const char *verifier, const struct note_key *key);

/* Records that the new key signs from now on. Nothing to do is no error: no checkpoint was made yet, or the
 * new key signs already. ERR_INTERNAL after telling: the old key is not the one that signs. Inside a
 * transaction. */
enum err key_change_record(struct pg *pg, const struct key_change *change) MUST_USE;

/* The changes of one site, followed along its log. */
struct key_chain {
    note_verifies *verifies; /* the caller's */
    struct pg_rows rows;
    int at;                        /* changes that were followed */
    char first[NOTE_VERIFIER_MAX]; /* that signed the first checkpoint; "" before it */
    char key[NOTE_VERIFIER_MAX];   /* that signs at this point */
};

/* Reads them; freed by key_chain_free, also after an error. */
enum err key_chain_read(struct pg *pg, int64_t site_id, struct key_chain *chain) MUST_USE;
void key_chain_free(struct key_chain *chain);

/* Sets the first key. */
void key_chain_begin(struct key_chain *chain, const char *key);

/* Goes on from the log as it is to its next checkpoint, signed by `key`. NULL if each change that was made at
 * this size is signed as it must be, over this log, and leads to the key; else what is wrong, static. `key`
 * NULL: to the end. */
const char *key_chain_follow(struct key_chain *chain, const struct merkle_tree *log, const char *key);

/* The key after the `changes` first changes. */
const char *key_chain_key(const struct key_chain *chain, int changes);

enum key_chain_holds {
    KEY_CHAIN_HOLDS,
    KEY_CHAIN_STRANGE,    /* the key is none of them */
    KEY_CHAIN_BROKEN_OFF, /* it is, but after it there is a change that it, or one that follows it, did not
                             sign */
};

/* Whether who trusts this one key can trust all of a chain that was followed to its end. */
enum key_chain_holds key_chain_holds(const struct key_chain *chain, const char *trusted);

#endif
