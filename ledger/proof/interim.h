/* Interim checkpoints: what was added to a day that is still open, signed some minutes later, so that who
 * changes, removes or adds an entry behind the ledger, or a row on which money depends, has minutes for it
 * and not a day.
 *
 * Entries are committed in another order than that of their ids, and a transaction may be late. But no id is
 * taken after the longest life of an offer and of a commit: what is older than that is final. So each covers
 * ids from where the last one ended to that moment, or to a midnight (UTC), and reads every entry once.
 * Facts (fact_tree.h) have no such time: each covers those that it sees, and that none before it has seen.
 *
 * The text of the note, lines of ASCII, each ended by a line feed:
 *     crawltab-interim/2
 *     log ORIGIN            of the site, under whose name and key it is signed
 *     number 17
 *     previous BASE64       SHA-256 of the text before; of the first one, of nothing
 *     from UUID             payment ids from this one
 *     to UUID               to before this one
 *     entries 1200
 *     sum 7500              of their prices, in micro-units
 *     digest BASE64         over the list of them, as the table interim says
 *     facts 12
 *     facts-digest BASE64   over the list of them; both are missing in version 1
 *     made 2026-11-30T10:20:00.000Z */
#ifndef LEDGER_PROOF_INTERIM_H
#define LEDGER_PROOF_INTERIM_H

#include "ledger/proof/log_check.h"

/* What was made. */
struct interim_made {
    int64_t checkpoints;
    int64_t entries, facts;
};

/* Makes what is due of a site at this time, each in a transaction of its own. Two at once are fine: one of
 * them makes it. */
enum err interim_make(struct pg *pg, int64_t site_id, int64_t now_ms, const struct note_key *key,
                      struct interim_made *made) MUST_USE;

/* Told what is wrong with which one. */
typedef void interim_tell(void *context, int64_t number, const char *problem);

/* Checks what was signed of the site's interim checkpoints: text, order and signature, by a trusted key or
 * one that has signed the site's log, which log_check looks at. That the lists of entries are those, and the
 * entries, is the statement audit_interim's. Without any key signatures are not looked at. */
enum err interim_check(struct pg *pg, int64_t site_id, const struct log_trust *trust, interim_tell *tell,
                       void *context) MUST_USE;

#endif
