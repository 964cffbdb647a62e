#include "server/gate/tariff.h"

const struct agreements_terms *tariff_terms(const struct tariff_place *place, struct slice account)
{
    return agreements_terms(place->view, slice_of(place->site->name), account, place->now_ms);
}

static bool price_fits(const struct agreements_price *price, const char *rule, struct slice path)
{
    if (price->rule)
        return strcmp(price->rule, rule) == 0;
    for (size_t i = 0; i < price->path_count; i++)
        if (rules_glob_fits(slice_of(price->paths[i]), path))
            return true;
    return false;
}

static const struct agreements_price *find_price(const struct tariff_place *place,
                                                 const struct agreements_terms *terms, const char *rule)
{
    for (size_t i = 0; terms && i < terms->price_count; i++)
        if (price_fits(&terms->prices[i], rule, place->path))
            return &terms->prices[i];
    return NULL;
}

void tariff_apply(const struct tariff_place *place, const struct signature_agent *agents,
                  struct rules_decision *decision)
{
    for (; agents; agents = agents->next) {
        if (decision->account && !slice_eq(*decision->account, agents->account))
            continue;
        const struct agreements_price *price =
            find_price(place, tariff_terms(place, agents->account), decision->rule);
        if (!price)
            continue;
        decision->price_micros = price->price_micros;
        decision->account = &agents->account;
        return;
    }
}

/* The scheme and host of an account that is a URL. */
static struct slice origin_of(struct slice account)
{
    size_t host = slice_find(account, ':') + 3;
    if (host < account.len)
        account.len = host + slice_find((struct slice){account.data + host, account.len - host}, '/');
    return account;
}

enum err tariff_admits(const struct tariff_place *place, const struct signature_agent *agent, enum err listed)
{
    const struct agreements_terms *own = tariff_terms(place, agent->account);
    const struct agreements_terms *of_origin = tariff_terms(place, origin_of(agent->account));
    if ((own && own->suspended) || (of_origin && of_origin->suspended))
        return ERR_AGENT_SUSPENDED;
    return own && listed == ERR_AGENT_UNKNOWN ? ERR_OK : listed;
}

struct credit_limits tariff_limits(const struct tariff_place *place, const struct agreements_terms *terms)
{
    struct credit_limits limits = {place->site->agents_day_limit, place->site->agents_balance_limit};
    if (terms && terms->day_limit_micros >= 0)
        limits.day_micros = terms->day_limit_micros;
    if (terms && terms->balance_limit_micros >= 0)
        limits.balance_micros = terms->balance_limit_micros;
    return limits;
}
