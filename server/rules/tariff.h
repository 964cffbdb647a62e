/* What an agreement changes for one crawler: prices, whether it may pay, and how much. Pure. */
#ifndef SERVER_RULES_TARIFF_H
#define SERVER_RULES_TARIFF_H

#include "ledger/credit/agreements.h"
#include "ledger/credit/credit.h"
#include "server/rules/rules.h"

/* Where and when somebody asks. */
struct tariff_place {
    const struct agreements *view;
    const struct config_site *site;
    struct slice path;
    int64_t now_ms;
};

/* For a page that is charged for: changes the price to that of the first of the agents (NULL: none) that has
 * an exception from the price list here. The decision then holds for its account alone. */
void tariff_apply(const struct tariff_place *place, const struct signature_agent *agents,
                  struct rules_decision *decision);

/* Who pays. */
struct tariff_agent {
    struct slice account;
    bool shared; /* the other accounts of its origin are somebody else's (agents.shared_origins) */
};

/* Whether the site takes payments from this agent: `listed` is what the configuration says. An agreement
 * makes an agent known; a suspended one refuses it and, if it is with an origin that is not shared, all its
 * URLs. */
enum err tariff_admits(const struct tariff_place *place, const struct tariff_agent *agent,
                       enum err listed) MUST_USE;

/* The version in force with this account, or NULL. */
const struct agreements_terms *tariff_terms(const struct tariff_place *place, struct slice account);

/* The limits of the account and of its origin: those of the agreement with each, or else the configuration's.
 * The origin's is never below the account's; there is none where the origin is shared. */
struct credit_limits tariff_limits(const struct tariff_place *place, const struct tariff_agent *agent);

#endif
