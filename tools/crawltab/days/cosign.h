/* Takes a site's newest checkpoint to the witnesses of `seal.witnesses`, and keeps what they sign. */
#ifndef TOOLS_CRAWLTAB_DAYS_COSIGN_H
#define TOOLS_CRAWLTAB_DAYS_COSIGN_H

#include "tools/crawltab/frame/command.h"

/* Asks each witness that has not cosigned it yet; *made: so many have, now. False after telling which has
 * not, and why: the others are asked all the same, and the next run asks again. */
bool cosign_site(struct pg *pg, const struct config *config, int64_t site_id, const char *site,
                 int64_t *made);

/* The same for all sites of the configuration, or one, in words. */
enum exit_status cosign_run(struct pg *pg, const struct config *config, const char *site);

#endif
