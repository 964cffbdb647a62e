/* The letter that goes with a proof: what the file proves, in plain sentences under the publisher's head, for
 * whoever files papers. */
#ifndef TOOLS_CRAWLTAB_FRAME_LETTER_H
#define TOOLS_CRAWLTAB_FRAME_LETTER_H

#include "ledger/base/config/config.h"
#include "ledger/pg/pg.h"

/* Writes the letter about the file `proof`, which proof_write has written: it says what that file proves, and
 * has its digest. `site` is whose letter it is. False after telling what is wrong; of a proof that does not
 * hold there is no letter. */
bool letter_write(struct pg *pg, const struct config *config, const char *site, const char *proof,
                  const char *path) MUST_USE;

#endif
