/* crawltab checkpoint key list and rotate: by which keys the logs were and are signed, and another one from
 * now on. */
#ifndef TOOLS_CRAWLTAB_DAYS_CHECKPOINT_CHANGE_H
#define TOOLS_CRAWLTAB_DAYS_CHECKPOINT_CHANGE_H

#include "tools/crawltab/frame/command.h"

/* Prints every key of the site's log (NULL: of all): from when to when it signed, and why it came. */
enum exit_status checkpoint_change_list(struct pg *pg, const char *site, bool json);

/* Makes a key and records in every log of the ledger, signed by the old key, that it signs from now on. With
 * `lost` the old key need not be there. Killed, it goes on with the key that it made. */
enum exit_status checkpoint_change_rotate(struct pg *pg, const struct config *config, const char *reason,
                                          bool lost);

#endif
