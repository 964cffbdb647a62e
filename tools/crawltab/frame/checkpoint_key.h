/* The keys that sign checkpoints (`ledger.checkpoint_key_file`): Ed25519 seeds in hex, one a line, the newest
 * first. One of them signs; an older one stays until the change to the newer one is recorded in the ledger.
 */
#ifndef TOOLS_CRAWLTAB_FRAME_CHECKPOINT_KEY_H
#define TOOLS_CRAWLTAB_FRAME_CHECKPOINT_KEY_H

#include "ledger/base/config/config.h"
#include "ledger/pg/pg.h"
#include "ledger/proof/note.h"

#define CHECKPOINT_KEYS_MAX 8

struct checkpoint_keys {
    struct note_key items[CHECKPOINT_KEYS_MAX];
    size_t count; /* 0: there is no file */
};

/* Reads the file; that there is none is no error. False after logging why. Wiped by checkpoint_keys_clear. */
bool checkpoint_keys_load(const struct config *config, struct checkpoint_keys *keys);
void checkpoint_keys_clear(struct checkpoint_keys *keys);

/* Puts a new key in front of them, in the file first. False after logging why. */
bool checkpoint_keys_add(const struct config *config, struct checkpoint_keys *keys);

/* The key that signs the site's log; the newest for a log without checkpoints. NULL after telling: the
 * ledger's log is signed by a key that is not in the file. */
const struct note_key *checkpoint_keys_of_site(struct pg *pg, const struct checkpoint_keys *keys,
                                               int64_t site_id, const char *site);

/* Makes the file for a ledger without any checkpoint. False after telling: the ledger has some, and their key
 * is not here. The ledger must be there to be asked. */
bool checkpoint_keys_make_first(struct pg *pg, const struct config *config, struct checkpoint_keys *keys);

#endif
