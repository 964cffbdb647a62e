/* Checkpoints leave the ledger as they are made (`seal.publish_*`): whoever has one can tell later whether
 * what came before it was changed, and so they must be where the database's superuser does not reach. */
#ifndef TOOLS_CRAWLTAB_DAYS_PUBLISH_H
#define TOOLS_CRAWLTAB_DAYS_PUBLISH_H

#include "ledger/pg/pg.h"

struct publish_count {
    int64_t files;    /* written */
    int64_t messages; /* put into the outbox */
    int64_t cosigned; /* signatures of witnesses that came */
};

/* Publishes what the site's log has and nobody was told yet: so a run that was killed is made up for by the
 * next. False after telling why not, also when the folder holds a longer log, or another checkpoint of the
 * same size, or when a witness does not cosign. */
bool publish_site(struct pg *pg, const struct config *config, int64_t site_id, const char *site,
                  struct publish_count *count);

/* The same for interim checkpoints of open days, into the folder alone: *files of them. */
bool publish_interims(struct pg *pg, const struct config *config, int64_t site_id, int64_t *files);

#endif
