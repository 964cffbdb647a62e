/* What holds between a site and a crawler now. Who recorded an agreement, and why, is the publisher's. */
#include "ledger/account/answer.h"

#include "ledger/base/clock.h"
#include "ledger/base/instant.h"
#include "ledger/base/text/amount.h"
#include "ledger/terms/agreement.h"

static json_t *agreement_json(const struct agreement *agreement)
{
    char from[INSTANT_TEXT_MAX];
    if (!agreement)
        return json_null();
    return json_pack("{s:I,s:s,s:o}", "version", agreement->version, "valid_from",
                     instant_format(agreement->valid_from_ms, from), "terms", terms_json(agreement->terms));
}

static enum err add_agreements(const struct answer_account *account, json_t *answer)
{
    struct agreement_list list = {0};
    int64_t now_ms = clock_now_ms();
    json_t *pending = json_array();
    enum err err;
    TRY(agreement_read(account->pg, account->site_id, account->crawler_id, &list));
    for (size_t i = 0; i < list.count; i++)
        if (agreement_is_pending(&list, i, now_ms))
            json_array_append_new(pending, agreement_json(&list.items[i]));
    json_object_set_new(answer, "agreement", agreement_json(agreement_at(&list, now_ms)));
    json_object_set(answer, "pending", pending);
out:
    agreement_list_free(&list);
    json_decref(pending);
    return err;
}

static json_t *list_json(const struct config_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

/* The price list, as far as it is this crawler's. */
static json_t *prices_json(const struct reading *reading)
{
    json_t *array = json_array();
    for (size_t i = 0; i < reading->rule_count; i++) {
        const struct config_rule *rule = reading->rules[i];
        char price[AMOUNT_TEXT_MAX];
        json_array_append_new(
            array, json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:I}", "rule", rule->name, "paths",
                             list_json(&rule->paths), "query", list_json(&rule->query), "methods",
                             list_json(&rule->methods), "user_agents", list_json(&rule->user_agents), "price",
                             amount_format(rule->price, price), "price_micros", rule->price));
    }
    return array;
}

/* null: there is no such limit. */
static json_t *limit_json(int64_t micros)
{
    return micros < 0 ? json_null() : json_integer(micros);
}

static json_t *credit_json(const struct reading_credit *credit)
{
    return json_pack("{s:I,s:I,s:o,s:o,s:o}", "spent_today_micros", credit->spent_today, "owed_micros",
                     credit->owed, "day_limit_micros", limit_json(credit->day_limit), "balance_limit_micros",
                     limit_json(credit->balance_limit), "left_micros", limit_json(credit->left));
}

enum err answer_summary(const struct answer_account *account, json_t **answer)
{
    const struct reading *reading = account->reading;
    const struct config_site *site = reading->site;
    *answer = answer_begin(account);
    json_object_set_new(*answer, "network", json_string(site->network));
    json_object_set_new(*answer, "terms_url", json_string(site->terms_url));
    json_object_set_new(*answer, "credit", credit_json(&reading->credit));
    json_object_set_new(*answer, "prices", prices_json(reading));
    return *answer ? add_agreements(account, *answer) : ERR_OVERLOADED;
}
