/* What an agreement says is looked up by the account that the signature proves in the end; before that, the
 * one that the request claims only decides what is offered. */
#include "server/rules/tariff.h"

#include "ledger/base/http/agent.h"
#include "ledger/base/text/glob.h"

#include <assert.h>

const struct agreements_terms *tariff_terms(const struct tariff_place *place, struct slice account)
{
    assert(place->view && place->site);
    return agreements_terms(place->view, slice_of(place->site->name), account, place->now_ms);
}

/* What is called is no path: it is named as it is billed, "tools/search", or by a glob over that. */
static bool is_item(const char *rule, struct slice path)
{
    return path.len > 0 && path.data[0] != '/' && glob_matches(slice_of(rule), path);
}

static bool price_fits(const struct agreements_price *price, const char *rule, struct slice path)
{
    /* By the rule's name, as agreed on: a price for "articles" follows the rule when its paths change. */
    if (price->rule)
        return strcmp(price->rule, rule) == 0 || is_item(price->rule, path);
    for (size_t i = 0; i < price->path_count; i++)
        if (rules_glob_fits(slice_of(price->paths[i]), path))
            return true;
    return false;
}

static const struct agreements_price *find_price(const struct tariff_place *place,
                                                 const struct agreements_terms *terms, const char *rule)
{
    /* In the agreement's order, like rules: the first that fits decides. */
    for (size_t i = 0; terms && i < terms->price_count; i++)
        if (price_fits(&terms->prices[i], rule, place->path))
            return &terms->prices[i];
    return NULL;
}

void tariff_apply(const struct tariff_place *place, const struct signature_agent *agents,
                  struct rules_decision *decision)
{
    assert(decision->action != RULES_CHARGE || decision->price_micros > 0);
    /* The first agent with a price of its own: which one signs is not known yet, and what is offered is only
     * that. */
    for (; agents; agents = agents->next) {
        if (agents->err != ERR_OK || (decision->account && !slice_eq(*decision->account, agents->account)))
            continue; /* a member that names nobody has no account */
        const struct agreements_price *price =
            find_price(place, tariff_terms(place, agents->account), decision->rule);
        if (!price)
            continue;
        decision->price_micros = price->price_micros;
        decision->account = &agents->account;
        return;
    }
}

enum err tariff_admits(const struct tariff_place *place, const struct tariff_agent *agent, enum err listed)
{
    const struct agreements_terms *own = tariff_terms(place, agent->account);
    const struct agreements_terms *of_origin =
        agent->shared ? NULL : tariff_terms(place, agent_origin(agent->account));
    if ((own && own->suspended) || (of_origin && of_origin->suspended))
        return ERR_AGENT_SUSPENDED;
    /* Whoever has an agreement is known. But one that is denied stays so. */
    return own && listed == ERR_AGENT_UNKNOWN ? ERR_OK : listed;
}

static struct credit_limit limit_of(const struct config_site *site, const struct agreements_terms *terms)
{
    struct credit_limit limit = {site->agents_day_limit, site->agents_balance_limit};
    if (terms && terms->day_limit_micros >= 0)
        limit.day_micros = terms->day_limit_micros;
    if (terms && terms->balance_limit_micros >= 0)
        limit.balance_micros = terms->balance_limit_micros;
    return limit;
}

static int64_t higher(int64_t a, int64_t b)
{
    /* No limit is above all limits. */
    if (a == CREDIT_NONE || b == CREDIT_NONE)
        return CREDIT_NONE;
    return a > b ? a : b;
}

struct credit_limits tariff_limits(const struct tariff_place *place, const struct tariff_agent *agent)
{
    static const struct credit_limit none = {CREDIT_NONE, CREDIT_NONE};
    struct credit_limit own = limit_of(place->site, tariff_terms(place, agent->account));
    struct credit_limit origin = limit_of(place->site, tariff_terms(place, agent_origin(agent->account)));
    /* What was agreed with one account must be within reach, whatever holds for the others. */
    origin.day_micros = higher(origin.day_micros, own.day_micros);
    origin.balance_micros = higher(origin.balance_micros, own.balance_micros);
    assert(origin.day_micros == CREDIT_NONE ||
           (own.day_micros != CREDIT_NONE && origin.day_micros >= own.day_micros));
    return (struct credit_limits){own, agent->shared ? none : origin};
}
