/* What a doctor looks at. Each check adds at least one finding. */
#ifndef TOOLS_CRAWLTAB_DOCTOR_CHECKS_H
#define TOOLS_CRAWLTAB_DOCTOR_CHECKS_H

#include "ledger/pg/pg.h"
#include "tools/crawltab/doctor/diagnosis.h"

/* Server, roles, guards, clocks, days: what the database tells the operator's role. */
void check_ledger(struct diagnosis *diagnosis, struct pg *pg, const struct config *config);

/* The last night of each site, and what it has published. */
void check_nights(struct diagnosis *diagnosis, struct pg *pg, const struct config *config);

/* Key files. `pg` NULL: without what the ledger says of them. */
void check_keys(struct diagnosis *diagnosis, struct pg *pg, const struct config *config);

/* The folders that are written to. */
void check_disk(struct diagnosis *diagnosis, const struct config *config);

/* Asks crawlers' key directories, as a gate would. */
void check_directories(struct diagnosis *diagnosis, struct pg *pg, const struct config *config);

#endif
