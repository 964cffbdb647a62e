/* Interim checkpoints of open days (ledger/proof/interim.h), as the operator's commands make and use them. */
#ifndef TOOLS_CRAWLTAB_DAYS_INTERIM_H
#define TOOLS_CRAWLTAB_DAYS_INTERIM_H

#include "tools/crawltab/frame/command.h"

/* Makes what is due of the configured sites, or of one, and publishes it. */
enum exit_status interim_run(struct pg *pg, const struct config *config, const char *site);

/* Compares the entries of a site's open days with their interim checkpoints, before a night bills them: how
 * many differ, each told with its name. ERR_OK also if some do. */
enum err interim_look(struct pg *pg, int64_t site_id, const char *site, int64_t *differ) MUST_USE;

#endif
