#include "server/console/settings.h"

#include "ledger/base/config/config_table.h"
#include "ledger/base/text/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Files of secrets are named, their content is never read here. A connection may have a password in it. */
static bool is_secret(const char *key, const char *value)
{
    return strcmp(key, "ledger.connection") == 0 &&
           (strstr(value, "password") || strchr(value, '@')); /* a key word, or in a URI */
}

static json_t *list_value(const struct config_list *list)
{
    char text[2048] = "";
    size_t len = 0;
    for (size_t i = 0; i < list->count && len < sizeof(text) - 1; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "", list->items[i]);
    return json_string(text);
}

static json_t *value_of(const struct config_field *field, const void *structure)
{
    const void *at = (const char *)structure + field->offset;
    char text[AMOUNT_TEXT_MAX];
    switch (field->kind) {
    case CONFIG_IS_TEXT:
    case CONFIG_IS_CODE:
    case CONFIG_IS_PATH: {
        const char *value = *(const char *const *)at;
        return json_string(!value ? "" : is_secret(field->key, value) ? "(has a password)" : value);
    }
    case CONFIG_IS_NUMBER:
        snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)at);
        return json_string(text);
    case CONFIG_IS_FLAG:
        return json_string(*(const bool *)at ? "true" : "false");
    case CONFIG_IS_AMOUNT:
        return json_string(*(const int64_t *)at < 0 ? "" : amount_format(*(const int64_t *)at, text));
    case CONFIG_IS_RATE:
        return json_string(amount_format_percent(*(const int64_t *)at, text));
    case CONFIG_IS_LIST:
        return list_value(at);
    }
    return json_null();
}

static void add(json_t *list, const char *prefix, const struct config_table *table, const void *structure)
{
    char key[512];
    for (size_t i = 0; i < table->count; i++) {
        const struct config_field *field = &table->fields[i];
        json_t *value = value_of(field, structure);
        snprintf(key, sizeof(key), "%s%s", prefix, field->key);
        if (value && *json_string_value(value))
            json_array_append_new(list, json_pack("{s:s,s:O}", "key", key, "value", value));
        json_decref(value);
    }
}

json_t *settings_json(const struct config *config)
{
    json_t *list = json_array();
    char prefix[256];
    add(list, "", &config_gate_table, config);
    for (size_t i = 0; i < config->site_count; i++) {
        const struct config_site *site = &config->sites[i];
        snprintf(prefix, sizeof(prefix), "%.100s: ", site->name);
        add(list, prefix, &config_site_table, site);
        for (size_t k = 0; k < site->rule_count; k++) {
            snprintf(prefix, sizeof(prefix), "%.100s, rule %zu: ", site->name, k + 1);
            add(list, prefix, &config_rule_table, &site->rules[k]);
        }
    }
    return list;
}

json_t *settings_prices(const struct config *config)
{
    json_t *sites = json_object();
    char number[32];
    for (size_t i = 0; i < config->site_count; i++) {
        const struct config_site *site = &config->sites[i];
        json_t *rules = json_object();
        for (size_t k = 0; k < site->rule_count; k++) {
            const struct config_rule *rule = &site->rules[k];
            snprintf(number, sizeof(number), "rule %zu", k + 1);
            if (strcmp(rule->action, "charge") == 0)
                json_object_set_new(rules, *rule->name ? rule->name : number, json_integer(rule->price));
        }
        json_object_set_new(sites, site->name, rules);
    }
    return sites;
}
