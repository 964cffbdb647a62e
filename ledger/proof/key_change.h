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
    struct pg_rows rows;
    int at;
    char key[NOTE_VERIFIER_MAX]; /* that signs at this point; "" before the first checkpoint */
};

/* Reads them; freed by key_chain_free, also after an error. */
enum err key_chain_read(struct pg *pg, int64_t site_id, struct key_chain *chain) MUST_USE;
void key_chain_free(struct key_chain *chain);

/* Goes on to a checkpoint of that size by that key. NULL if each change on the way is signed as it must be,
 * and leads to it; else what is wrong, static. INT64_MAX and NULL: to the end. */
const char *key_chain_follow(struct key_chain *chain, int64_t log_size, const char *key,
                             note_verifies *verifies);

#endif
