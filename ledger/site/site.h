/* Sites, their billing days, and the partitions of their entries: what must stand ready before an entry
 * comes. */
#ifndef LEDGER_SITE_SITE_H
#define LEDGER_SITE_SITE_H

#include "ledger/pg/pg.h"

/* Finds the configured site in the ledger, or registers it. If the ledger knows it with another currency,
 * time zone or network: ERR_LEDGER_UNAVAILABLE and a log line. Of a recorded change of zone the old one is
 * right, too, until the new one is in force. */
enum err site_register(struct pg *pg, const struct config_site *site, int64_t now_ms,
                       int64_t *site_id) MUST_USE;

/* Records what the configuration says of crawlers without an agreement, when it has changed
 * (table site_terms): in force from the oldest day that is not closed. */
enum err site_record_terms(struct pg *pg, int64_t site_id, const struct config_site *site, const char *actor,
                           int64_t now_ms) MUST_USE;

/* Makes the missing days of the site from an hour before `now_ms` to three days after it. */
enum err site_make_days(struct pg *pg, int64_t site_id, int64_t now_ms) MUST_USE;

/* Makes the missing partitions from the day before `now_ms` to three days after it. */
enum err site_make_partitions(struct pg *pg, int64_t now_ms) MUST_USE;

#endif
