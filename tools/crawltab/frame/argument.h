/* What commands about crawlers are given in words: a site, a crawler, an instant. */
#ifndef TOOLS_CRAWLTAB_FRAME_ARGUMENT_H
#define TOOLS_CRAWLTAB_FRAME_ARGUMENT_H

#include "tools/crawltab/frame/command.h"

#include "ledger/base/arena.h"

#define ARGUMENT_TEXT_MAX 64

struct argument_site {
    int64_t site_id;
    const struct config_site *configured; /* NULL: not in this configuration */
    char name[ARGUMENT_TEXT_MAX + 1];
    char time_zone[ARGUMENT_TEXT_MAX + 1];
    char currency[8];
};

/* The site of that name in the ledger; without a name, the only one of the configuration. False after a
 * message. */
bool argument_site(struct pg *pg, const struct config *config, const char *name, struct argument_site *site);

/* The account name of an agent in the form that the gate uses, "https://crawler.example"; the scheme may be
 * missing. In the arena; NULL if it is none. */
const char *argument_agent(struct arena *arena, const struct config *config, const char *agent);

/* The number of the agent's account, 0 if there is none. `agent` may be in any form. */
enum err argument_find(struct pg *pg, const struct config *config, const char *agent,
                       int64_t *crawler_id) MUST_USE;

/* As argument_find, for commands: a missing account is told. */
bool argument_crawler(struct pg *pg, const struct config *config, const char *agent, int64_t *crawler_id);

/* The number of the account that has just this name, 0 if there is none: also one of before, with a query,
 * instead of which argument_find finds the account that it is now. */
enum err argument_named(struct pg *pg, const char *agent, int64_t *crawler_id) MUST_USE;

/* "2026-12-01" (its midnight), "2026-12-01 08:30", both in the site's zone, or with "Z" or "+01:00" behind.
 * False after a message. */
bool argument_instant(struct pg *pg, const struct argument_site *site, const char *text, int64_t *ms);

#endif
